"""The rate O(T^{-1/2}) to a stationary point, for any fixed step size (§2.3, after Arora et al. 2019; §3.1).

GD on a scale-invariant f tunes its own effective step: ‖w_t‖ grows until f descends, and then it stops growing. The
paper quotes the rate; here every constant is explicit. What is proved for SGDP: with β = 0 it *is* GD, so the rate is
its own; with momentum the paper conjectures, and what is exact is the certificate of a finished run,

    min_{t<T} ‖q̂_t‖² ≤ r_T (r_T − r_0)/(η²T),   q̂_t = ‖w_t‖ q_t,   r_t = ‖w_t‖²,

which says that updates, not gradients, become small.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import flint
import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claim import Violation
from tangency.proofs_checks.generate.invariant_problems import symmetric_matrices
from tangency.proofs_checks.statement.terms import Term, Variable
from tangency.theory.convergence import (
    Smoothness,
    certificate,
    descent,
    largest_squared_norm,
    log_weight,
    rate,
    smoothness,
)

# Enclosures widen by a few bits with every step of an iteration; 60 bits a step leave enough.
WIDE = balls(768)
ETA, L, G, D, R0, R, K, X, Z, Y, A, S = sympy.symbols("η L G D r_0 r K x z y a s", positive=True)
NEXT, TOTAL, GAIN, EXCESS = sympy.symbols("r_{t+1} Σ‖g‖² d e", nonnegative=True)


def proof(lowered: sympy.Expr | None = None, largest: sympy.Expr | None = None) -> Proof:
    """Norm identity, certificate, descent, and a bound of r_T that does not depend on T.

    ``lowered`` is the claimed descent of a step, ``largest`` the claimed bound R, both in the module's symbols.
    """
    gram = Gram("w g", relations={("w", "g"): 0})
    w, g = gram.vectors
    square = gram.square(g)
    falls = descent(square, R, ETA, L) if lowered is None else lowered
    bound = 2 * (R0 + ETA * D - 2 * K + 2 * K**2 / R0) if largest is None else largest
    constants = Smoothness(L, G, D)
    growth = ETA**2 * G**2 / R0**2
    half = sympy.Rational(1, 2)
    return Proof(
        method="Gram algebra, in any dimension; Taylor's formula; a telescoping sum against a logarithm.",
        given=(
            Given("w_{t+1} = w_t − ηg_t, g_t = ∇f(w_t), r_t = ‖w_t‖², ⟨w_t, g_t⟩ = 0 (eq-04), η > 0 fixed, r_0 > 0"),
            Given("on the unit sphere ‖∇²f‖ ≤ L, ‖∇f‖ ≤ G and max f − min f ≤ D; so ‖∇²f(w)‖ ≤ L/‖w‖², by degree −2"),
        ),
        steps=(
            Identity(
                "r_{t+1} = r_t + η²‖g_t‖²",
                gram.square(w - ETA * g),
                gram.square(w) + ETA**2 * square,
                theorem="tangent_growth",
            ),
            Identity(
                "induction: r_t = r_0 + η² Σ_{k<t} ‖g_k‖² gives the same for t + 1 (for t = 0 the sum is empty)",
                (R0 + ETA**2 * TOTAL) + ETA**2 * square,
                R0 + ETA**2 * (TOTAL + square),
                theorem="tangent_total",
            ),
            Identity(
                "∇f(ŵ) = ‖w‖ ∇f(w) (eq-04): ‖∇f(ŵ)‖² = r ‖g‖²",
                gram.square(sympy.sqrt(R) * g),
                R * square,
                theorem="grad_on_sphere",
            ),
            NonNegative(
                "with m = min_t r_t‖g_t‖², r_t‖g_t‖² = m + e and r_T = r_t + d: r_T‖g_t‖² − m = d‖g_t‖² + e ≥ 0; "
                "summed over t, T m ≤ r_T Σ‖g_t‖² = r_T(r_T − r_0)/η²",
                (R + GAIN) * square - (R * square - EXCESS),
                [(GAIN * square, sympy.Integer(1)), (EXCESS, sympy.Integer(1))],
                theorem="rate_certificate",
            ),
            NonNegative(
                "the segment from w to w − ηg stays outside the ball of radius ‖w‖: ‖w − sηg‖² − ‖w‖² ≥ 0",
                gram.square(w - S * ETA * g) - gram.square(w),
                [(square, S * ETA)],
                theorem="segment",
            ),
            Identity(
                "Taylor with |d²/ds² f(w − sηg)| ≤ B = η²‖g‖²L/r: f(w') ≤ f(w) − η‖g‖² + ∫(1 − s)B ds, that is "
                "f(w') ≤ f(w) − η‖g‖²(1 − ηL/(2r))",
                ETA * square - sympy.integrate((1 - S) * ETA**2 * square * L / R, (S, 0, 1)),
                falls,
                theorem="descent",
            ),
            Identity(
                "with η²‖g_t‖² = r_{t+1} − r_t that descent is (r_{t+1} − r_t)/η − (L/2)(r_{t+1} − r_t)/r_t",
                descent((NEXT - R) / ETA**2, R, ETA, L),
                (NEXT - R) / ETA - L * half * (NEXT - R) / R,
                theorem="telescoped",
            ),
            Identity(
                "x ≤ (1 + x) ln(1 + x) for x ≥ 0: equal at 0, and the difference has the derivative ln(1 + x) ≥ 0",
                sympy.diff((1 + X) * sympy.log(1 + X) - X, X),
                sympy.log(1 + X),
                theorem="ln_above",
            ),
            NonNegative(
                "x_t = r_{t+1}/r_t − 1 = η²‖∇f(ŵ_t)‖²/r_t² ≤ η²G²/r_0² = M, for ‖∇f(ŵ_t)‖² = G² − e and r_t = r_0 + d",
                growth - ETA**2 * (G**2 - EXCESS) / (R0 + GAIN) ** 2,
                [
                    (growth * GAIN * (2 * R0 + GAIN) / (R0 + GAIN) ** 2, sympy.Integer(1)),
                    (ETA**2 * EXCESS / (R0 + GAIN) ** 2, sympy.Integer(1)),
                ],
                theorem="relative_growth",
            ),
            Identity(
                "ln(r_{t+1}/r_0) = ln(r_t/r_0) + ln(1 + x_t), so Σ ln(1 + x_t) = ln(r_T/r_0)",
                sympy.log(R * (1 + X) / R0),
                sympy.log(R / R0) + sympy.log(1 + X),
                theorem="telescoped",
            ),
            Identity(
                "summed: r_T − r_0 ≤ ηD + (ηL/2)(1 + M) ln(r_T/r_0) = ηD + K ln(r_T/r_0)",
                log_weight(R0, ETA, constants),
                ETA * L * half * (1 + growth),
                theorem="norm_is_bounded",
            ),
            Identity(
                "ln z ≤ z − 1: equal at 1, and the derivative of the difference changes its sign there",
                sympy.diff(Z - 1 - sympy.log(Z), Z),
                (Z - 1) / Z,
                theorem="ln_below",
            ),
            Identity(
                "so ln y = ln(y/a) + ln a ≤ y/a + a − 2 for a > 0",
                (Y / A - 1) + (A - 1),
                Y / A + A - 2,
                theorem="norm_is_bounded",
            ),
            Identity(
                "at y = r_T/r_0, a = 2K/r_0: K(y/a + a − 2) = r_T/2 + 2K²/r_0 − 2K",
                K * (Y / A + A - 2).subs({Y: R / R0, A: 2 * K / R0}),
                R / 2 + 2 * K**2 / R0 - 2 * K,
                theorem="norm_is_bounded",
            ),
            Identity(
                "r_T − r_0 ≤ ηD + r_T/2 + 2K²/r_0 − 2K, solved for r_T: r_T ≤ R = 2(r_0 + ηD − 2K + 2K²/r_0)",
                bound - R0,
                ETA * D + bound / 2 + 2 * K**2 / R0 - 2 * K,
                theorem="norm_is_bounded",
            ),
            Identity(
                "and that is the R of the executable bound",
                largest_squared_norm(R0, ETA, constants),
                (2 * (R0 + ETA * D - 2 * K + 2 * K**2 / R0)).subs(K, log_weight(R0, ETA, constants)),
                theorem="rate",
            ),
        ),
        conclusion="min_{t<T} ‖∇f(ŵ_t)‖² ≤ r_T(r_T − r_0)/(η²T) ≤ R(R − r_0)/(η²T), R independent of T: O(T^{-1/2}).",
    )


@dataclass(frozen=True)
class Minimisation:
    """T steps of GD, or of SGDP with momentum, on an objective with known constants; w of shape (1, dim)."""

    objective: Objective
    w: Array
    steps: int
    lr: flint.fmpq
    momentum: flint.fmpq


@st.composite
def rational_runs(draw: st.DrawFn) -> Minimisation:
    """Short runs (digits grow like 3^t) on Rayleigh quotients and squared cosines."""
    objective: Objective
    if draw(st.booleans()):
        dim, steps = draw(st.integers(2, 4)), draw(st.integers(1, 4))
        objective = Rayleigh(draw(symmetric_matrices(dim)))
    else:
        dim, steps = draw(st.integers(1, 8)), draw(st.integers(1, 5))
        objective = SquaredCosine(draw(integers(dim).filter(any)))
    w = draw(weights(dim)).reshape(1, dim)
    return Minimisation(objective, w, steps, draw(problems.step_sizes()), draw(problems.momenta()))


@st.composite
def cosine_runs(draw: st.DrawFn) -> Minimisation:
    """Runs of up to 60 steps towards a target t, from any start that is not stationary (w ∥ t)."""
    dim = draw(st.integers(2, 12))
    target = draw(integers(dim).filter(any))
    w = draw(weights(dim).filter(lambda w: project(w, EXACT.array(target)).any())).reshape(1, dim)
    return Minimisation(Cosine(target), w, draw(st.integers(1, 60)), draw(problems.step_sizes()), flint.fmpq(0))


def squared_norm(x: Array) -> Any:
    """‖x‖² of a tensor."""
    flat = x.reshape(-1)
    return flat @ flat


def check_exact(problem: Minimisation) -> None:
    """Every inequality of the proof on a run of GD, and the certificate on a run of SGDP with momentum."""
    f, lr, constants = problem.objective, problem.lr, smoothness(problem.objective)
    start = problems.Descent(problem.w, GradientField(f), problem.steps, {"lr": lr})
    history = start.run(gd)
    path = [w for w, _ in history] + [history[-1][1].w]
    r, g2 = [squared_norm(w) for w in path], [squared_norm(step.p) for _, step in history]
    values = [f.value(EXACT, w) for w in path]
    for t, fall in enumerate(a - b for a, b in pairwise(values)):
        least = descent(g2[t], r[t], lr, constants.curvature)
        require(f"f(w_{t}) − f(w_{t + 1}) ≥ η‖g‖²(1 − ηL/2r)", bool(fall >= least), expected=least, got=fall)
    smallest = min(a * b for a, b in zip(r, g2, strict=False))
    promised = rate(r[0], lr, constants, problem.steps)
    require("min ‖∇f(ŵ)‖² ≤ R(R − r_0)/(η²T)", bool(smallest <= promised), expected=promised, got=smallest)
    check_sgdp(problem, [step.w for _, step in history])


def check_sgdp(problem: Minimisation, descended: list[Array]) -> None:
    """SGDP is GD for β = 0; for any β its updates are tangent and obey the certificate."""
    run = problems.Descent(problem.w, GradientField(problem.objective), problem.steps, {"lr": problem.lr})
    for (_, step), w in zip(run.run(sgdp), descended, strict=True):
        require_equal("SGDP with β = 0", step.w, w)
    hyper = {"lr": problem.lr, "momentum": problem.momentum}
    steps = min(problem.steps, 3)
    history = problems.Descent(problem.w, GradientField(problem.objective), steps, hyper).run(sgdp)
    r, q2 = [squared_norm(w) for w, _ in history], [squared_norm(step.q) for _, step in history]
    r.append(squared_norm(history[-1][1].w))
    require_equal("r_T − r_0 of SGDP", r[-1] - r[0], problem.lr**2 * sum(q2))


def check_ball(problem: Minimisation) -> None:
    """The same on longer runs of the cosine, every inequality certain."""
    f, constants, w = problem.objective, smoothness(problem.objective), WIDE.array(problem.w)
    with WIDE.context():
        lr, r_first, r, total, smallest = WIDE.element(problem.lr), squared_norm(w), squared_norm(w), 0, None
        for _ in range(problem.steps):
            g = f.gradient(WIDE, w)
            after, g2 = w - lr * g, squared_norm(g)
            excess = f.value(WIDE, w) - f.value(WIDE, after) - descent(g2, r, lr, constants.curvature)
            require("f(w) − f(w') ≥ η‖g‖²(1 − ηL/2r)", WIDE.less(WIDE.element(0), excess))
            smallest = r * g2 if smallest is None else smallest.min(r * g2)
            w, r, total = after, squared_norm(after), total + g2
        require_contains("r_T − r_0 − η²Σ‖g‖²", r - r_first - lr * lr * total, 0)
        require("r_T ≤ R", WIDE.less(r, largest_squared_norm(r_first, lr, constants)))
        require("min ‖∇f(ŵ)‖² ≤ R(R − r_0)/(η²T)", WIDE.less(smallest, rate(r_first, lr, constants, problem.steps)))


@dataclass(frozen=True)
class ExactGradient:
    """∇f of an objective as a gradient of trials: computed without rounding error to speak of, and rounded once."""

    objective: Objective

    def __call__(self, w: Floats) -> Floats:
        return floats(self.objective.gradient(WIDE, WIDE.array(w)))


@st.composite
def trials(draw: st.DrawFn, subject: Subject, /) -> Trial:
    """Two to five steps down a true objective, (1, dim) weights near 1."""
    dim = draw(st.integers(2, 6))
    kind = draw(st.sampled_from(("cosine", "squared cosine", "rayleigh")))
    objective: Objective
    if kind == "rayleigh":
        objective = Rayleigh(draw(symmetric_matrices(dim)))
    else:
        target = draw(integers(dim).filter(any))
        objective = Cosine(target) if kind == "cosine" else SquaredCosine(target)
    fixed = {"weight_decay": 0.0, "delta": 0.1} | ({"dampening": 0.0} if DAMPENING in subject.capabilities else {})
    w = tuple(float(x) / 8 for x in draw(integers(dim, high=9).filter(any)))
    real = [dtype for dtype in strategies.dtypes_of(subject) if not dtype.startswith("complex")]
    hyper, dtype = draw(strategies.hyperparameters(subject, **fixed)), draw(st.sampled_from(real))
    return Trial((1, dim), dtype, w, (ExactGradient(objective),) * draw(st.integers(2, 5)), hyper)


def check_implementation(run: Run) -> list[Measurement]:
    """The norm identity and the certificate of a real run; where the update is the gradient, the descent too."""
    views = [admissible_views(run, record) for record in run.records]
    if any(view != (View.CHANNEL,) for view in views):
        return []
    gradient = run.trial.gradients[0]
    assert isinstance(gradient, ExactGradient)
    path = [EXACT.array(record.w) for record in run.records] + [EXACT.array(run.records[-1].w_after)]
    r, steps, last = [squared_norm(w) for w in path], len(run.records), len(run.records) - 1
    plain = run.subject.update.degree == 1 and not run.hyper["momentum"]
    moved, slack, measured = [], 0.0, []
    for record in run.records:
        exact = run.exact(record, View.CHANNEL)
        bound = weights_bound(run, exact)
        with WIDE.context():
            moved.append(squared_norm(WIDE.array(exact.lr * exact.q)))
        slack += squared_norm_error(floats(exact.w), bound)
        if plain:
            measured.append(measure_descent(run, record, gradient.objective, bound))
    with WIDE.context():
        total, grown = sum(moved[1:], start=moved[0]), WIDE.element(r[-1] - r[0])
        off = as_float(abs(grown - total))
        measured.append(Measurement("‖w_T‖² − ‖w_0‖²", last, as_float(grown), as_float(total), off, slack))
        smallest = min((a * b for a, b in zip(r, moved, strict=False)), key=as_float)
        reached = WIDE.element(certificate(r[0], r[-1], steps))
        above = max(0.0, as_float(smallest - reached))
    # Σ r_t‖Δw_t‖² ≤ (r_T + slack)(r_T − r_0 + slack), for no r_t is larger than r_T by more than the slack.
    room = slack * (as_float(r[-1]) + abs(as_float(grown)) + slack) / steps
    name = "min ‖w_t‖²‖Δw_t‖² − r_T(r_T − r_0)/T"
    measured.append(Measurement(name, last, as_float(smallest), as_float(reached), above, room))
    return measured


def measure_descent(run: Run, record: Record, f: Objective, bound: Floats) -> Measurement:
    """How far the decrease of f in a step falls short of its bound; an error e of w' moves f by at most G‖e‖/‖w'‖."""
    constants, lr = smoothness(f), run.hyper["lr"]
    with WIDE.context():
        w, after = WIDE.array(record.w), WIDE.array(record.w_after)
        g = f.gradient(WIDE, w)
        promised = descent(squared_norm(g), squared_norm(w), WIDE.element(lr), constants.curvature)
        fall = f.value(WIDE, w) - f.value(WIDE, after)
        missing, got, expected = as_float(promised - fall), as_float(fall), as_float(promised)
    g_error = run.storage.stored(floats(g), 2 * FORMATS["float64"][0].unit * np.abs(floats(g)))
    off = float(np.sqrt(((bound + lr * g_error) ** 2).sum()))
    length = float(np.sqrt((record.w_after**2).sum()))
    room = float(constants.slope) * off / (length - off) if off < length / 2 else float(constants.spread)
    return Measurement("f(w) − f(w'), missing", record.index, got, expected, max(0.0, missing), room)


RIGHT, UP = EXACT.array([1, 0]), EXACT.array([0, 1])
COSINE = GradientField(Cosine((0, 1)))


def instance(
    field: Callable[[Array], Array] = lambda w: 0 * w,
    first: Array = RIGHT,
    true: Callable[[Array], Array] | None = None,
    lr: int = 1,
    bounds: tuple[int, int, int] = (0, 0, 0),
    **given: Any,
) -> Values:
    """A step of GD, of a constant f unless it says otherwise: L, G and D, K and R as they follow; ``true`` is ∇f."""
    path, start = [first, first - lr * field(first)], first @ first
    curvature, slope, spread = map(rational, bounds)
    weight = rational(0) if start == 0 else lr * curvature / 2 * (1 + lr**2 * slope**2 / start**2)
    weight = given.get("K", weight)
    largest = rational(0) if start == 0 else 2 * (start + lr * spread - 2 * weight + 2 * weight**2 / start)
    bend = lambda x: lambda u: rational(0)  # noqa: E731
    letters = {"grad": field, "H": bend, "L": curvature, "G": slope, "D": spread, "η": rational(lr)}
    run = {"f": Gradients(true or field, path[:1]), "K": weight, "R0": largest, "w": path}
    return {**letters, **run, **given}


def without(name: str, values: Values) -> Refutation:
    """What is wrong where a hypothesis that speaks of every w, and so is no run's to tell, does not hold."""
    theorem = STATEMENT.theorem("rate")
    (hypothesis,) = (one for one in theorem.given if one.name == name)
    try:
        theorem.without(hypothesis).check(values)
    except Violation as false:
        return Refutation(false.what, false.expected, false.got)
    return Refutation(theorem.text(), True, True)


def too_far(**given: Any) -> Values:
    """One step of η = 6 down the cosine, from r_0 = 1 to r_1 = 37; with K = 0 the bound is 26."""
    return instance(COSINE, lr=6, bounds=(0, 1, 2), **given)


def certificate_of(w: Sequence[Array], q: Array, lr: int = 1) -> Values:
    """One step, as the letters of the certificate."""
    return {"η": rational(lr), "w": list(w), "q": [q]}


f, *_ = variables("f", "E -> R")
grad = Variable("grad", "E -> E", "g", "g")
(bend,) = variables("H", "E -> E -> R")
(η,) = variables("η", "R")
l_, g_, d_, k_ = variables("L G D K", "R")
r_ = Variable("R0", "R", "R", "R")
w, q = variables("w q", "nat -> E")
x, y, u = variables("x y u", "E")
t, n = variables("t T", "nat")


def reached(reach: Term) -> Term:
    """At some t < T, ``reach`` is at most r_T(r_T − r_0)/(η²T)."""
    bound = square(w[n]) * (square(w[n]) - square(w[0])) / (η**2 * function("real", n))
    return every(n, function("⇒", n > 0, some(t, function("∧", t < n, reach <= bound))))


def on_sphere(x: Term) -> Term:
    return equal(square(x), 1)


def off_origin(x: Term, says: Term) -> Term:
    return function("⇒", unequal(x, function("zero")), says)


START_SQUARE = square(w[0])
STATEMENT = Statement(
    "rate",
    (
        Theorem(
            "rate",
            (f, grad, bend, l_, g_, d_, η, k_, r_, w),
            given=(
                Hypothesis(
                    "scale_invariant", function("scale_invariant", f), lambda: instance(lambda w: w, bounds=(1, 1, 0))
                ),
                Hypothesis(
                    "gradient",
                    every(x, off_origin(x, function("gradient", f, x, grad(x)))),
                    lambda: without("gradient", instance(lambda w: w, true=lambda w: 0 * w, bounds=(1, 1, 0))),
                ),
                Hypothesis(
                    "second_derivative",
                    every(x, every(u, off_origin(x, function("second derivative", grad, x, u, bend)))),
                    lambda: without("second_derivative", too_far()),
                ),
                Hypothesis(
                    "curvature",
                    every(
                        x,
                        every(u, function("⇒", on_sphere(x), function("abs", bend(x)(u)) <= l_ * square(u))),
                    ),
                    lambda: without("curvature", too_far()),
                ),
                Hypothesis(
                    "slope",
                    every(x, function("⇒", on_sphere(x), square(grad(x)) <= g_**2)),
                    NotApplicable("no counterexample is known"),
                ),
                Hypothesis(
                    "spread",
                    every(
                        x,
                        every(y, function("⇒", on_sphere(x), function("⇒", on_sphere(y), f(x) - f(y) <= d_))),
                    ),
                    lambda: without("spread", instance(bounds=(0, 0, -100))),
                ),
                Hypothesis(
                    "L_nonneg", l_ >= 0, NotApplicable("it follows from the bound of the curvature: rate_L_nonneg")
                ),
                Hypothesis("η_positive", η > 0, lambda: instance(lr=-1, bounds=(0, 0, 100))),
                Hypothesis(
                    "nonzero", unequal(w[0], function("zero")), lambda: instance(first=0 * RIGHT, R0=rational(-2))
                ),
                Hypothesis(
                    "update",
                    every(t, equal(w[t + 1], w[t] - η * grad(w[t]))),
                    lambda: instance(w=[RIGHT, 2 * RIGHT]),
                ),
                Hypothesis(
                    "K",
                    equal(k_, η * l_ / 2 * (1 + η**2 * g_**2 / START_SQUARE**2)),
                    lambda: instance(COSINE, lr=6, bounds=(3, 1, 2), K=rational(0)),
                ),
                Hypothesis(
                    "R",
                    equal(r_, 2 * (START_SQUARE + η * d_ - 2 * k_ + 2 * k_**2 / START_SQUARE)),
                    lambda: instance(R0=rational(0)),
                ),
            ),
            says=(reached(square(grad(function("unit", w[t])))), every(t, square(w[t]) <= r_)),
        ),
        Theorem(
            "rate_certificate",
            (η, w, q),
            given=(
                Hypothesis("η_nonzero", unequal(η, 0), lambda: certificate_of((RIGHT, RIGHT), UP, lr=0)),
                Hypothesis(
                    "tangent",
                    every(t, equal(dot(w[t], q[t]), 0)),
                    lambda: certificate_of((RIGHT, 0 * RIGHT), RIGHT),
                ),
                Hypothesis(
                    "update", every(t, equal(w[t + 1], w[t] - η * q[t])), lambda: certificate_of((RIGHT, RIGHT), UP)
                ),
            ),
            says=(reached(square(w[t]) * square(q[t])),),
        ),
    ),
    shown=2,
    more=("rate_L_nonneg",),
)


def certified(problem: Minimisation) -> list[Values]:
    """Runs of GD, and of SGDP with momentum, as the letters of the certificate."""
    found: list[Values] = []
    for algorithm, hyper in ((gd, {}), (sgdp, {"momentum": problem.momentum})):
        steps = problem.steps if algorithm is gd else min(problem.steps, 3)
        run = problems.Descent(problem.w, GradientField(problem.objective), steps, {"lr": problem.lr, **hyper})
        history = run.run(algorithm)
        path = [w.reshape(-1) for w, _ in history] + [history[-1][1].w.reshape(-1)]
        found.append({"η": problem.lr, "w": path, "q": [step.q.reshape(-1) for _, step in history]})
    return found


def enclosed(problem: Minimisation) -> Values:
    """A run of GD in balls, with the constants of f."""
    constants, field = smoothness(problem.objective), GradientField(problem.objective, WIDE)
    with WIDE.context():
        lr, path = WIDE.element(problem.lr), [WIDE.array(problem.w).reshape(-1)]
        for _ in range(problem.steps):
            path.append(path[-1] - lr * field(path[-1]))
        first = path[0] @ path[0]
        weight = log_weight(first, lr, constants)
        return {
            "f": Gradients(field, path),
            "grad": field,
            "H": None,
            "L": constants.curvature,
            "G": constants.slope,
            "D": constants.spread,
            "η": lr,
            "K": weight,
            "R0": 2 * (first + lr * constants.spread - 2 * weight + 2 * weight**2 / first),
            "w": path,
        }


CLAIM = Claim(
    id="rate",
    title="O(T^{-1/2}) to a stationary point",
    where="§2.3 (Arora et al. 2019), §3.1",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(rational_runs(), STATEMENT, certified, also=check_exact),
    ball=Instances(cosine_runs(), STATEMENT, enclosed, also=check_ball, field=WIDE),
    implementation=Attack(frozenset({PROJECTION}), trials, check_implementation),
    notes=(
        "Proved for GD, and so for SGDP with β = 0, which is GD on scale-invariant f. With momentum §3.1 says that the "
        "projection enjoys the convergence of GD; that is a conjecture. Exact for every β is the certificate "
        "min‖q̂_t‖² ≤ r_T(r_T − r_0)/(η²T), which bounds updates, not gradients, and needs r_T = o(√T) to say anything."
    ),
)
