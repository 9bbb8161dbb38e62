"""Eq. 11: a weight counts as scale-invariant where |cos(w, g)| < δ/√dim (§3.1; C; the views of E.1).

The square root and the absolute value both belong to it; the test is scale-free in w and in g. A view passes if every
row does, and the first that passes wins: the channels, then the layer. Exactly scale-invariant gradients always pass
(Eq. 4). Others pass too, now and then: a gradient of random direction with probability P(Beta(½, (d−1)/2) < δ²/d) a
row, which at δ = 0.1 rises from 4.5 % at d = 2 to 2Φ(δ) − 1 = 7.97 %.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import flint
import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims.algorithm_1_sgdp import expected_view
from tangency.proofs_checks.hyperparameters import views_of
from tangency.proofs_checks.statement.terms import Number, Term
from tangency.theory.detection import limit_probability, pass_probability
from tangency.theory.projection import VIEWS, looks_scale_invariant, view_decision, view_of

A, B, KAPPA = (sympy.Symbol(name, real=True, nonzero=True) for name in ("a", "b", "κ"))
DELTA, DIM = sympy.symbols("δ d", positive=True)
THRESHOLD = DELTA / sympy.sqrt(DIM)


def proof(threshold: sympy.Expr = THRESHOLD) -> Proof:
    """Eq. 11 without square roots, for the claimed ``threshold``, and the law of the cosine of a random gradient."""
    gram = Gram("w g u", relations={("w", "u"): 0})
    w, g, u = gram.vectors
    z, k = sympy.Symbol("z", positive=True), sympy.Symbol("k", nonnegative=True)

    def cosine2(w: sympy.Expr, g: sympy.Expr) -> sympy.Expr:
        return gram.dot(w, g) ** 2 / (gram.square(w) * gram.square(g))

    def decision(w: sympy.Expr, g: sympy.Expr) -> sympy.Expr:
        return gram.dot(w, g) ** 2 * DIM - DELTA**2 * gram.square(w) * gram.square(g)

    tilted = KAPPA * w + u
    ww, uu = gram.square(w), gram.square(u)
    density, limit = (1 - z**2 / DIM) ** ((DIM - 3) / 2), sympy.exp(-(z**2) / 2)
    return Proof(
        method="Gram algebra, in any dimension; a limit for the law of a random cosine.",
        given=(
            Given("D = (w·g)² d − δ²‖w‖²‖g‖²; a row of d elements passes if D < 0", decision(w, g)),
            Given("g = κw + u with ⟨w, u⟩ = 0: any gradient; Eq. 4 says κ = 0", tilted),
            Given("t = cos(w, g) of a uniform direction has the density ∝ (1 − t²)^{(d−3)/2}; z = √d t"),
        ),
        steps=(
            Identity(
                "D < 0 is |cos| < δ/√d: cos² − δ²/d = D/(d‖w‖²‖g‖²)",
                cosine2(w, g) - threshold**2,
                decision(w, g) / (DIM * gram.square(w) * gram.square(g)),
                theorem="eq_11",
            ),
            Identity(
                "the cosine ignores both scales, and their signs",
                cosine2(A * w, B * g),
                cosine2(w, g),
                theorem="eq_11_scale",
            ),
            Identity(
                "D = ‖w‖² (κ²‖w‖² (d − δ²) − δ²‖u‖²): it passes by how little of g is radial",
                decision(w, tilted),
                ww * (KAPPA**2 * ww * (DIM - DELTA**2) - DELTA**2 * uu),
                theorem=NotApplicable("it says by how much the row passes, and eq_11 whether"),
            ),
            Identity(
                "a tangent gradient has D = −δ²‖w‖²‖g‖²", decision(w, u), -(DELTA**2) * ww * uu, theorem="eq_11_always"
            ),
            NonNegative(
                "so it passes for every δ > 0, unless w or g is zero",
                -decision(w, u),
                [(DELTA**2 * ww * uu, sympy.Integer(1))],
                theorem="eq_11_always",
            ),
            NonNegative(
                "at δ = 0 nothing passes: D = (w·g)² d ≥ 0",
                decision(w, g).subs(DELTA, 0),
                [(DIM, gram.dot(w, g))],
                theorem="eq_11_strict",
            ),
            Identity(
                "for d → ∞, (1 − z²/d)^{(d−3)/2} tends to e^{−z²/2}",
                sympy.limit(density, DIM, sympy.oo),
                limit,
                theorem=NotApplicable("probabilities are not in the kernel"),
            ),
            NonNegative(
                "and, as 1 − x ≤ e^{−x}, is at most e^{−z²(d−3)/(2d)}, which for d = 4 + k is at most e^{−z²/8}",
                ((DIM - 3) / (2 * DIM)).subs(DIM, 4 + k) - sympy.Rational(1, 8),
                [(3 * k / (8 * (4 + k)), sympy.Integer(1))],
                theorem=NotApplicable("probabilities are not in the kernel"),
            ),
            Identity(
                "so its integrals converge (Lebesgue), and P(|z| < δ) → ∫_0^δ/∫_0^∞ e^{−z²/2} dz = erf(δ/√2)",
                sympy.integrate(limit, (z, 0, DELTA)) / sympy.integrate(limit, (z, 0, sympy.oo)),
                sympy.erf(DELTA / sympy.sqrt(2)),
                theorem=NotApplicable("probabilities are not in the kernel"),
            ),
        ),
        conclusion="The decision is rational and scale-free, and passes every exactly scale-invariant gradient; a "
        "random one passes with a probability that tends to 2Φ(δ) − 1, at the threshold δ/√d alone.",
    )


@st.composite
def ties(draw: st.DrawFn) -> tuple[Array, Array, flint.fmpq]:
    """Rows with |cos(w, g)| = δ/√d exactly, in any dimension: (w, g, δ), all rational.

    w = c·(±1, …, ±1) has ‖w‖ = c√d, and g = (2a, ‖a‖² − 1) has ‖g‖ = ‖a‖² + 1, so that δ = |w·g|/(c‖g‖).
    """
    dim = draw(problems.dimensions())
    signs = EXACT.array(draw(st.lists(st.sampled_from((1, -1)), min_size=dim, max_size=dim)))
    a = draw(problems.vectors(dim - 1)) if dim > 1 else EXACT.zeros((0,))
    square = a @ a if dim > 1 else EXACT.element(0)
    g = np.append(2 * a, square - 1)
    return draw(problems.positive_rationals()) * signs, g, abs(signs @ g) / (square + 1)


def check_tie(w: Array, g: Array, delta: flint.fmpq) -> None:
    """At the tie a row fails, for Eq. 11 is strict; a millionth above it passes, a millionth below it fails."""
    require_equal("cos² d", (w @ g) ** 2 * len(w), delta**2 * (w @ w) * (g @ g))
    little = flint.fmpq(1, 10**6)
    require_equal("at the tie", looks_scale_invariant(EXACT, w, g, delta), False)
    require_equal("above", looks_scale_invariant(EXACT, w, g, delta + little), True)
    require_equal("below", looks_scale_invariant(EXACT, w, g, delta * (1 - little)), False)


def check_decision(run: problems.TensorRun) -> None:
    """The decision against its independent form, its symmetries, and its value on tangent gradients and zero rows."""
    w, delta = run.w, run.hyper["delta"]
    a, b = run.hyper["scales"]
    for t, g in enumerate(run.gradients):
        view = choose_view(EXACT, w, g, delta, run.views)
        require_equal(f"view of step {t}", view, expected_view(w, g, delta, run.views))
        require_equal(f"view of step {t}, scaled", choose_view(EXACT, a * w, b * g, delta, run.views), view)
        if w.ndim < 2:
            continue
        rows = np.arange(1, len(w) + 1).reshape(-1, *[1] * (w.ndim - 1))
        cuts = dict.fromkeys((View.CHANNEL, View.LAYER, *map(view_of, run.views)))
        passed = {v: view_decision(EXACT, v, w, g, delta) for v in cuts}
        require_equal(
            "each channel on its own scale",
            view_decision(EXACT, View.CHANNEL, rows * w, -g, delta),
            passed[View.CHANNEL],
        )
        if delta > 0:
            for v in passed:
                tangent = all(x @ y == 0 for x, y in zip(v.rows(w), v.rows(g), strict=True))
                require(f"a tangent gradient passes the {v.value} view", not tangent or passed[v])
            for one, other in ((w, 0 * g), (0 * w, g)):
                extended = view_decision(
                    EXACT, View.CHANNEL, np.concatenate([w, one]), np.concatenate([g, other]), delta
                )
                require_equal("rows of zeros do not veto", extended, passed[View.CHANNEL])


def check_exact(problem: problems.TensorRun | tuple[Array, Array, flint.fmpq]) -> None:
    """Ties by construction, decisions on tensors."""
    if isinstance(problem, tuple):
        check_tie(*problem)
    else:
        check_decision(problem)


DECISIONS = st.fixed_dictionaries(
    {
        "delta": problems.rationals(0, 2, 10),
        "scales": st.tuples(problems.rationals().filter(bool), problems.rationals().filter(bool)),
    }
)


def density_integral(delta: flint.fmpq, dim: int) -> flint.arb:
    """The pass probability of one row from the density: ∫₀^x (1 − t²)^{(d−3)/2} dt over ∫₀^1, x = δ/√d < 1.

    With t = sin φ the integrand is cos^{d−2} φ, which is analytic, and the whole is ½√π Γ((d−1)/2)/Γ(d/2).
    """
    end = (flint.arb(delta) / BALLS.sqrt(flint.arb(dim))).asin()
    part = flint.acb.integral(lambda phi, _: phi.cos() ** (dim - 2), 0, flint.acb(end)).real
    half = flint.arb(dim) / 2
    return part * 2 * half.gamma() / (flint.arb.pi().sqrt() * (half - flint.arb(0.5)).gamma())


@dataclass(frozen=True)
class Odds:
    """A test by δ of ``rows`` rows of ``dim`` elements."""

    delta: flint.fmpq
    dim: int
    rows: int


ODDS = st.builds(Odds, problems.positive_rationals(1, 20), st.integers(2, 256), st.integers(1, 64))


def check_ball(odds: Odds) -> None:
    """The pass probability against the integral of the density, its growth with d, its limit, and C rows."""
    one, more = (pass_probability(BALLS, odds.delta, dim) for dim in (odds.dim, odds.dim + 1))
    limit, all_rows = limit_probability(BALLS, odds.delta), pass_probability(BALLS, odds.delta, odds.dim, odds.rows)
    with BALLS.context():
        integral, power = density_integral(odds.delta, odds.dim), flint.arb(1)
        for _ in range(odds.rows):
            power *= one
        for what, got, expected in (("I_x(½, (d−1)/2)", one, integral), ("C rows", all_rows, power)):
            require(f"{what} and its reference meet", got.overlaps(expected), expected=expected, got=got)
            require(f"{what} and its reference are narrow", bool(got.rad() + expected.rad() < 2.0**-128))
        require("it grows with d", BALLS.less(one, more), got=(one, more))
        require("towards 2Φ(δ) − 1, from below", BALLS.less(more, limit), got=(more, limit))


# Gradients on matrices, and now and then on a vector, which is never projected.
SHAPES = st.one_of(*[strategies.matrices()] * 6, st.tuples(st.integers(2, 16)))


@cache
def tilts(dtype: str, delta: float, views: tuple[View, ...]) -> st.SearchStrategy[Tilted]:
    """Gradients at multiples of the threshold."""
    near = st.integers(1, FORMATS[dtype][0].digits).map(lambda k: 2.0**-k)
    ratios = st.one_of(
        st.sampled_from((0.0, 1.0, 1.5, 4.0, 0.6, 0.9)), near.map(lambda x: 1 - x), near.map(lambda x: 1 + x)
    )
    signed = st.builds(math.copysign, ratios, st.sampled_from((1.0, -1.0)))
    rows = st.lists(signed, min_size=1, max_size=3).map(tuple)
    return st.builds(Tilted, st.sampled_from(views), rows, st.just(delta), st.integers(-8, 2))


@st.composite
def threshold_trials(draw: st.DrawFn, subject: Subject, /) -> Trial:
    """Gradients on both sides of the threshold, from a few ulps to wide margins, of every magnitude.

    Weight decay, ``wd_ratio`` ≠ 1 and momentum make the branches differ. A free gradient may come first; the gradients
    near the threshold follow. Vectors, which are never projected, are among the weights.
    """
    shape = draw(SHAPES)
    dtype = draw(st.sampled_from(strategies.dtypes_of(subject)))
    delta = draw(st.sampled_from((0.1, 0.5, 1.0)))
    fixed = {"lr": draw(st.sampled_from((0.1, 0.5))), "weight_decay": draw(st.sampled_from((0.1, 0.0)))}
    hyper = draw(strategies.hyperparameters(subject, delta=delta, wd_ratio=draw(st.sampled_from((0.0, 0.5))), **fixed))
    count = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    scale = draw(strategies.exponents(dtype, squared=True))
    own = draw(strategies.views(subject, shape))
    tilted = st.lists(tilts(dtype, delta, views_of(own)), min_size=1, max_size=2)
    free: list[Gradient] = draw(st.lists(strategies.values(count, scale), max_size=1))
    w = np.array(draw(strategies.values(count, scale))).reshape(shape[0], -1)
    if draw(st.integers(0, 3)) == 0:
        w[draw(st.integers(0, shape[0] - 1))] = 0.0
    return Trial(shape, dtype, tuple(w.ravel()), (*free, *draw(tilted)), hyper | own)


def check_implementation(run: Run) -> list[Measurement]:
    """Every step is one of the exact results that Eq. 11 admits: one only, unless the threshold is within rounding."""
    return [measure_decision(run, record) for record in run.records if record.g is not None]


def measure_decision(run: Run, record: Record) -> Measurement:
    """The new weights against the exact ones of the admissible branch that they are nearest to."""
    fits = []
    for view in admissible_views(run, record):
        exact = run.exact(record, view)
        name = f"w' through the {view.value} view"
        fits.append(run.compare(name, record, record.w_after, exact.w, weights_bound(run, exact)))
    return min(fits, key=lambda measurement: measurement.ratio)


W = EXACT.array([[2, 1], [1, 3]])
TURNED = turned(W)


def one_dimensional() -> Refutation:
    """A vector is never projected, whatever its gradient."""
    require_equal("w·g", W[0] @ TURNED[0], 0)
    require_equal("as a row", looks_scale_invariant(EXACT, W[0], TURNED[0], rational(0.1)), True)
    return Refutation("view", View.LAYER, choose_view(EXACT, W[0], TURNED[0], rational(0.1)))


def probability(predicted: flint.arb, rows: Array, law: tuple[Array, ...], delta: float) -> Refutation:
    """The share of gradients of a finite law that pass the channel view, against the prediction."""
    passed = [view_decision(EXACT, View.CHANNEL, rows, g, rational(delta)) for g in law]
    share = flint.fmpq(sum(map(bool, passed)), len(law))
    return Refutation("P(pass) as predicted", True, bool(predicted.contains(share)))


def uneven_directions() -> Refutation:
    """A gradient that is ±w, each with probability ½, never passes."""
    return probability(pass_probability(BALLS, 0.1, 2), W[:1], (W[:1], -W[:1]), 0.1)


def dependent_rows() -> Refutation:
    """δ = 1, d = 2: a row passes with probability ½, and both rows of one (w, g) pass together: ½, not ¼."""
    w, axes = EXACT.array([[1, 1], [1, 1]]), EXACT.array([[1, 2], [1, -2], [2, -1], [2, 1]])
    one = pass_probability(BALLS, 1, 2)
    require("½ for one row", one.contains(flint.fmpq(1, 2)))
    require("of this law, too", not probability(one, w[:1], tuple(g.reshape(1, 2) for g in axes), 1).refutes)
    return probability(pass_probability(BALLS, 1, 2, rows=2), w, tuple(np.stack([g, g]) for g in axes), 1)


ROW = EXACT.array([3, 4])
ACROSS = turned(ROW)


def row(
    w: Array = ROW,
    g: Array = ROW,
    d: float = 2,
    delta: float = 0.5,
    scales: tuple[float, float] = (1, 1),
    gradient: Callable[[Array], Array] = lambda w: 0 * w,
) -> Values:
    """One row, with what is called its gradient, and what is the gradient; along w unless it says otherwise."""
    a, b = map(rational, scales)
    return {"f": Gradients(gradient, [w]), "a": a, "b": b, "d": rational(d), "δ": rational(delta), "w": w, "g": g}


f, *_ = variables("f", "E -> R")
a, b, d, delta = variables("a b d δ", "R")
w, g = variables("w g", "E")
ZERO = function("zero")


def passes(w: Term, g: Term, delta: Term) -> Term:
    """Eq. 11, squared."""
    return dot(w, g) ** 2 * d < delta**2 * (square(w) * square(g))


COSINE = function("abs", dot(w, g)) / (function("norm", w) * function("norm", g))
STATEMENT = Statement(
    "eq_11_detection",
    (
        Theorem(
            "eq_11",
            (d, delta, w, g),
            given=(
                Hypothesis("w_nonzero", unequal(w, ZERO), lambda: row(w=0 * ROW)),
                Hypothesis("g_nonzero", unequal(g, ZERO), lambda: row(g=0 * ROW)),
                Hypothesis("d_positive", d > 0, lambda: row(d=0)),
                Hypothesis("δ_nonneg", delta >= 0, lambda: row(d=0.25, delta=-1)),
            ),
            says=(function("⇔", delta / function("sqrt", d) > COSINE, passes(w, g, delta)),),
        ),
        Theorem(
            "eq_11_scale",
            (a, b, d, delta, w, g),
            given=(
                Hypothesis("a_nonzero", unequal(a, 0), lambda: row(g=ACROSS, scales=(0, 1))),
                Hypothesis("b_nonzero", unequal(b, 0), lambda: row(g=ACROSS, scales=(1, 0))),
            ),
            says=(function("⇔", passes(a * w, b * g, delta), passes(w, g, delta)),),
        ),
        Theorem(
            "eq_11_always",
            (f, d, delta, w, g),
            given=(
                Hypothesis("scale_invariant", function("scale_invariant", f), lambda: row(gradient=lambda w: w)),
                Hypothesis("gradient", function("gradient", f, w, g), row),
                Hypothesis("δ_positive", delta > 0, lambda: row(g=ACROSS, delta=0, gradient=turned)),
                Hypothesis("g_nonzero", unequal(g, ZERO), lambda: row(g=0 * ROW)),
            ),
            says=(passes(w, g, delta),),
        ),
        Theorem(
            "eq_11_strict",
            (d, w, g),
            given=(Hypothesis("d_nonneg", d >= 0, lambda: row(d=-1)),),
            says=(function("¬", passes(w, g, Number(0))),),
        ),
    ),
    shown=3,
)


def row_values(w: Array, g: Array, delta: Any, scales: tuple[Any, Any]) -> Values:
    """One row: a field of gradients that is tangent exactly where w·g = 0."""
    first, second = scales
    gradients = Gradients(lambda point: g, [w])
    return {"f": gradients, "a": first, "b": second, "d": flint.fmpq(len(w)), "δ": delta, "w": w, "g": g}


def values(problem: problems.TensorRun | tuple[Array, Array, flint.fmpq]) -> list[Values]:
    """Ties, and the rows of both views."""
    if isinstance(problem, tuple):
        return [row_values(*problem, (flint.fmpq(-2), flint.fmpq(1, 3)))]
    w, hyper = problem.w, problem.hyper
    views = dict.fromkeys((View.LAYER, *map(view_of, (*VIEWS, *problem.views)))) if w.ndim > 1 else (View.LAYER,)
    return [
        row_values(w_row, g_row, hyper["delta"], hyper["scales"])
        for g in problem.gradients
        for view in views
        for w_row, g_row in zip(view.rows(w), view.rows(g), strict=True)
    ]


def values_beside_ties(problem: Odds | problems.TensorRun) -> list[Values]:
    """Those rows that have an angle and are no tie, which no ball decides."""
    found = [] if isinstance(problem, Odds) else values(problem)
    return [
        row
        for row in found
        if row["w"].any()
        and row["g"].any()
        and (row["w"] @ row["g"]) ** 2 * row["d"] != row["δ"] ** 2 * (row["w"] @ row["w"]) * (row["g"] @ row["g"])
    ]


def check_odds(problem: Odds | problems.TensorRun) -> None:
    """The probabilities."""
    if isinstance(problem, Odds):
        check_ball(problem)


CLAIM = Claim(
    id="eq-11",
    title="Detection of scale-invariant weights",
    where="§3.1, Eq. 11; C; E.1",
    statement=STATEMENT,
    hypotheses=(
        Hypothesis("two dimensions", "w has at least two dimensions, else it is never projected", one_dimensional),
        Hypothesis("random direction", "for the probability: g is uniform on the sphere", uneven_directions),
        Hypothesis("independent rows", "for the power C: rows are independent", dependent_rows),
    ),
    algebra=proof,
    exact=Instances(
        st.one_of(ties(), problems.tensor_runs(DECISIONS, views=True)), STATEMENT, values, also=check_exact
    ),
    ball=Instances(
        st.one_of(ODDS, problems.tensor_runs(DECISIONS)),
        STATEMENT,
        values_beside_ties,
        also=check_odds,
        field=BALLS,
    ),
    implementation=Attack(frozenset({PROJECTION}), threshold_trials, check_implementation),
    notes=(
        "Π is applied in the first view (channel, layer) all of whose rows pass. A random gradient passes with "
        "probability P(Beta(½, (d−1)/2) < δ²/d)^C, which tends to (2Φ(δ) − 1)^C: by algebra and balls, not by the "
        "kernel. A scale-variant matrix with random gradients is projected through the layer view on about 8 % of its "
        "steps, with its weight decay cut to a tenth."
    ),
)
