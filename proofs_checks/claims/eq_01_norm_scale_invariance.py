"""Eq. 1, Norm_k(cWx) = Norm_k(Wx) for c > 0, whatever the axes k (§1, §2.1).

Batch, layer, instance and group normalisation differ in their axes alone; weight normalisation and the ℓ2 projection
are Norm without centring. With ε > 0 the statement is false, and the claim says by exactly how much.
"""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.statement.terms import Term
from tangency.theory.scale_invariance import centred, mean, norm, shrinkage, signed_square

if TYPE_CHECKING:
    from tangency.proofs_checks.generate.layers import Layer

C, EPS, SIGMA2 = sympy.symbols("c ε σ²", positive=True)
KAPPA = sympy.Symbol("κ", nonnegative=True)


def proof(degree: int = 2, excess: sympy.Expr | None = None) -> Proof:
    """Homogeneity of mean and variance, then Norm; ``degree`` is claimed of σ², ``excess`` of the ratio under ε > 0."""
    gram = Gram("u e")
    u, e = gram.vectors
    n = gram.square(e)

    def deviation(x: sympy.Expr) -> sympy.Expr:
        return x - KAPPA * gram.dot(x, e) / n * e

    claimed = EPS * (C**2 - 1) / (C**2 * SIGMA2 + EPS) if excess is None else excess
    slope = sympy.diff(C / sympy.sqrt(C**2 * SIGMA2 + EPS), C).subs(C, 1) * sympy.sqrt(SIGMA2 + EPS)
    return Proof(
        method="Gram algebra on the n entries u of Wx that are normalised together; e is the vector of ones.",
        given=(
            Given("v = u − κ μ e with μ = ⟨u,e⟩/⟨e,e⟩; σ² = ⟨v,v⟩/⟨e,e⟩ > 0; Norm(u) = v/√(σ² + ε)", deviation(u)),
            Given("κ = 1: Norm_k for the axes k that run over u; κ = 0: weight normalisation and the ℓ2 projection"),
            Given("c > 0, and (cW)x = c(Wx) = cu"),
        ),
        steps=(
            Identity(
                "the centred entries are homogeneous: v(cu) = c v(u)",
                deviation(C * u),
                C * deviation(u),
                theorem="centred_scale",
            ),
            Identity(
                "the variance is homogeneous of degree 2: σ²(cu) = c² σ²(u)",
                gram.square(deviation(C * u)) / n,
                C**degree * gram.square(deviation(u)) / n,
                theorem="variance_scale",
            ),
            Identity(
                "Eq. 1, ε = 0: cv/√(c²σ²) = v/√σ²",
                C / sympy.sqrt(C**degree * SIGMA2),
                1 / sympy.sqrt(SIGMA2),
                theorem="eq_01",
            ),
            Identity(
                "ε > 0: (Norm(cu)/Norm(u))² = c²(σ²+ε)/(c²σ²+ε) = 1 + ε(c²−1)/(c²σ²+ε)",
                shrinkage(SIGMA2, EPS, C) - 1,
                claimed,
                theorem="eq_01_excess",
            ),
            Identity(
                "ε > 0, along the ray: d/dc Norm(cu) at c = 1 is Norm(u) · ε/(σ²+ε)",
                slope,
                EPS / (SIGMA2 + EPS),
                theorem=NotApplicable("the slope at c = 1 of what eq_01_excess says for every c"),
            ),
        ),
        conclusion="Norm_k(cWx) = Norm_k(Wx) for every k, n and c > 0 exactly if ε = 0; with σ² = ‖w‖²s the deviation "
        "is ε(c²−1)/(c²‖w‖²s+ε), of the order of ε/‖w‖².",
    )


@dataclass(frozen=True)
class Normalisation:
    """A linear layer u = Wx (batch, group, channel, position), axes k, a scale c > 0 and an ε > 0."""

    w: Array
    x: tuple[Any, ...]
    groups: int
    k: tuple[int, ...]
    c: flint.fmpq
    eps: flint.fmpq

    def activations(self, w: Array) -> Array:
        """Wx for weights of the shape (channels, fan_in)."""
        u: Array = w @ EXACT.array(self.x)
        return u.reshape(len(u), self.groups, -1, u.shape[2])

    def variance(self) -> Array:
        """σ² of every normalised group."""
        v = centred(self.activations(self.w), self.k)
        return mean(v * v, self.k)


SHAPES = [(c, n) for c in range(1, 9) for n in (*range(1, 9), 16, 64) if c * n <= problems.MAX_DIM]
SCALES = [flint.fmpq(p, q) for p, q in ((1, 1), (2, 1), (1, 3), (7, 2), (1, 100))]


@st.composite
def normalisations(draw: st.DrawFn) -> Normalisation:
    """Layers of 1 to 64 weights with every choice of axes k along which there is more than one entry."""
    channels, fan_in = draw(st.sampled_from(SHAPES))
    groups = draw(st.sampled_from([n for n in (1, 2, 4) if channels % n == 0]))
    sizes = (draw(st.integers(1, 2)), groups, channels // groups, draw(st.integers(2, 3)))
    every_k = [k for n in range(1, 5) for k in combinations(range(4), n) if math.prod(sizes[axis] for axis in k) > 1]
    x, w = draw(integers(sizes[0], fan_in, sizes[3])), draw(weights(channels * fan_in)).reshape(channels, fan_in)
    k, c = draw(st.sampled_from(every_k)), draw(st.sampled_from(SCALES))
    return Normalisation(w, x, groups, k, c, flint.fmpq(1, 10**5))


def problems_with_spread() -> st.SearchStrategy[Normalisation]:
    """Layers in which no normalised group is constant."""
    return normalisations().filter(lambda problem: bool(np.all(problem.variance() != 0)))


def check_exact(problem: Normalisation) -> None:
    """y|y| of Norm_k, which determines it, with and without ε; and the same without centring."""
    w, c, k = problem.w, problem.c, problem.k
    u, scaled = problem.activations(w), problem.activations(c * w)
    require_equal("Norm_k(cWx)", signed_square(EXACT, scaled, k), signed_square(EXACT, u, k))
    factor = shrinkage(problem.variance(), problem.eps, c)
    before, after = (signed_square(EXACT, x, k, problem.eps) for x in (u, scaled))
    require_equal("Norm_k(cWx) with ε", after, factor * before)
    require_equal("whether ε breaks Eq. 1", bool(np.all(factor == 1)), c == 1)
    flat = w.reshape(-1)
    require_equal("cw/‖cw‖", c * flat * abs(c * flat) / (c * flat @ (c * flat)), flat * abs(flat) / (flat @ flat))


def check_ball(problem: Normalisation) -> None:
    """Norm_k itself, square root and all: the balls of both sides overlap and are narrow."""
    u, scaled = problem.activations(problem.w), problem.activations(problem.c * problem.w)
    exact = signed_square(EXACT, u, problem.k)
    y, y_scaled = norm(BALLS, BALLS.array(u), problem.k), norm(BALLS, BALLS.array(scaled), problem.k)
    with BALLS.context():
        for before, after, square in zip(y.flat, y_scaled.flat, exact.flat, strict=True):
            require_contains("Norm_k(cWx) − Norm_k(Wx)", after - before, 0)
            require_contains("Norm_k(cWx)|Norm_k(cWx)|", after * abs(after), square)
            require("the ball is narrow", bool(after.rad() < 2.0**-128))


def check_implementation(run: Run) -> list[Measurement]:
    """On a real layer: its output ignores the scale of W, its gradient passes Eq. 11, and the step is tangent to W."""
    from tangency.proofs_checks.generate.layers import Layer

    layer = run.trial.gradients[0]
    assert isinstance(layer, Layer)
    measured = [*measure_layer(run, layer), measure_detection(run, layer, run.records[0])]
    for record in run.records:
        views = admissible_views(run, record)
        # Tangent in every channel is tangent in the layer too.
        if views in ((View.CHANNEL,), (layer.view,)):
            measured += measure_tangency(run, layer, record, views[0])
    return measured


def measure_layer(run: Run, layer: "Layer") -> list[Measurement]:
    """y(cW) − y(W) for powers of two c, which rounding does not disturb: bitwise zero, in the dtype of the trial."""
    from tangency.proofs_checks.generate.execution import as_tensor

    w = as_tensor(run.records[0].w, run.trial.shape, run.trial.dtype)
    y = layer.forward(w).double()
    measured = []
    for c in (0.5, 4.0):
        error = float((layer.forward(c * w).double() - y).abs().max())
        measured.append(Measurement(f"Norm(cWx) − Norm(Wx), c = {c}", 0, error, 0.0, error, 0.0))
    return measured


def measure_detection(run: Run, layer: "Layer", record: Record) -> Measurement:
    """The largest cos(w, g) of the rows that are invariant, against δ/√dim: what Eq. 11 needs."""
    from tangency.proofs_checks.generate.layers import cosine

    assert record.g is not None
    rows = list(zip(layer.view.rows(record.w), layer.view.rows(record.g), strict=True))
    largest = max(cosine(*row) for row in rows)
    return Measurement("cos(w, g)", 0, largest, 0.0, largest, run.hyper["delta"] / len(rows[0][0]) ** 0.5)


def measure_tangency(run: Run, layer: "Layer", record: Record, view: View) -> list[Measurement]:
    """w·Δw of every invariant row: zero up to the rounding of the step."""
    bound = weights_bound(run, run.exact(record, view))
    measured = []
    for w, after, error in zip(*(layer.view.rows(x) for x in (record.w, record.w_after, bound)), strict=True):
        radial = float(radial_motion(w, after))
        measured.append(Measurement("w·Δw", record.index, radial, 0.0, abs(radial), inner_product_error(w, error)))
    return measured


def radial_motion(w: Floats, after: Floats) -> Any:
    """w·(w' − w), rounded once, after the exact sum."""
    exact_w = EXACT.array(w)
    product = exact_w @ (EXACT.array(after) - exact_w)
    return int(product.p) / int(product.q)


U = EXACT.array([[1, 2, 6], [0, 1, -1]])
K = (1,)


def with_eps() -> Refutation:
    """ε = 1, c = 2: Norm_k(cWx) is larger than Norm_k(Wx)."""
    return Refutation("Norm(2Wx)²", signed_square(EXACT, U, K, 1).tolist(), signed_square(EXACT, 2 * U, K, 1).tolist())


def negative_scale() -> Refutation:
    """c = −1 turns the sign: Norm(−Wx) = −Norm(Wx)."""
    return Refutation("Norm(−Wx)²", signed_square(EXACT, U, K).tolist(), signed_square(EXACT, -U, K).tolist())


def with_bias() -> Refutation:
    """A bias that the centring does not remove, (1, 0, 0) here: cWx + b is not a multiple of Wx + b."""
    b = EXACT.array([1, 0, 0])
    return Refutation(
        "Norm(2Wx + b)²", signed_square(EXACT, U + b, K).tolist(), signed_square(EXACT, 2 * U + b, K).tolist()
    )


def constant_row() -> Refutation:
    """σ = 0: Norm_k is 0/0."""
    try:
        return Refutation("Norm(Wx)", "defined", signed_square(EXACT, 0 * U + 1, K).tolist())
    except ZeroDivisionError:
        return Refutation("Norm(Wx)", "defined", "undefined")


kappa, c, eps = variables("κ c ε", "R")
e, u = variables("e u", "E")


def normalised(x: Term) -> Term:
    return function("normalised", kappa, e, eps, x)


POSITIVE = Hypothesis("c_positive", c > 0, negative_scale)
RATIO = 1 + eps * (c**2 - 1) / (c**2 * function("variance", kappa, e, u) + eps)
STATEMENT = Statement(
    "eq_01_norm_scale_invariance",
    (
        Theorem(
            "eq_01",
            (kappa, c, eps, e, u),
            given=(Hypothesis("ε_zero", equal(eps, 0), with_eps), POSITIVE),
            says=(equal(normalised(c * u), normalised(u)),),
        ),
        Theorem(
            "eq_01_excess",
            (kappa, c, eps, e, u),
            given=(
                Hypothesis("ε_nonneg", eps >= 0, NotApplicable("the kernel has the counterexample")),
                POSITIVE,
            ),
            says=(
                equal(square(normalised(c * u)), RATIO * square(normalised(u))),
                equal(normalised(c * u), function("sqrt", RATIO) * normalised(u)),
            ),
        ),
    ),
    shown=2,
    more=("eq_01_layer", "eq_01_layer_needs_linear"),
)


def values(problem: Normalisation) -> list[Values]:
    """What is normalised together, centred and not, with and without ε; of the first groups."""
    axes = range(-len(problem.k), 0)
    groups = np.moveaxis(problem.activations(problem.w), problem.k, tuple(axes))
    rows = groups.reshape(-1, math.prod(groups.shape[-len(problem.k) :]))[:3]
    return [
        {"κ": flint.fmpq(kappa), "c": problem.c, "ε": eps, "e": 0 * row + 1, "u": row}
        for row in rows
        for kappa in (1, 0)
        for eps in (flint.fmpq(0), problem.eps)
        if row.any()
    ]


CLAIM = Claim(
    id="eq-01",
    title="Normalisation makes weights scale-invariant",
    where="§1, Eq. 1; §2.1, Eq. 2",
    statement=STATEMENT,
    hypotheses=(
        Hypothesis("linear", "what is normalised is linear in W: no bias, no skip connection (eq-02)", with_bias),
        Hypothesis("σ > 0", "no normalised group is constant", constant_row),
    ),
    algebra=proof,
    exact=Search(problems_with_spread(), check_exact),
    ball=Instances(problems_with_spread(), STATEMENT, values, also=check_ball, field=BALLS),
    implementation=Attack(
        frozenset({PROJECTION}), lambda subject: layer_trials(subject, delta=0.1), check_implementation
    ),
    notes=(
        "Real layers have ε > 0 (1e-5 in batch normalisation): the radial slope w·∇f is ε/(σ²+ε) of what it would be "
        "without normalisation, so that cos(w, ∇f) ∝ ε/‖w‖² and small weights fall through Eq. 11."
    ),
)
