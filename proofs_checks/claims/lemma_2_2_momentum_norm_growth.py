"""Lemma 2.2, norm growth by momentum (§2.4; proof in Appendix A.1).

For a scale-invariant w and p_t = βp_{t−1} + ∇f(w_t), w_{t+1} = w_t − ηp_t, p_{−1} = 0:

    ‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η² Σ_{k<t} β^{t−k} ‖p_k‖²,   because   w_t·p_t = −η Σ_{k<t} β^{t−k} ‖p_k‖²

Dampening changes p_t and nothing else: the lemma holds unchanged for p_t = βp_{t−1} + (1−τ)∇f(w_t).
"""

from collections.abc import Callable

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.theory.norm_growth import gd_growth, momentum_growth, radial_component

ETA, BETA, TAU = sympy.symbols("η β τ", positive=True)
SUM = sympy.Symbol("S_t")


def proof(next_sum: sympy.Expr | None = None, sign: int = -1) -> Proof:
    """The induction of Appendix A.1 in Gram algebra.

    Args:
        next_sum: the claimed S_{t+1}, in S_t; β(S_t + ‖p_t‖²) for S_t = Σ_{k<t} β^{t−k}‖p_k‖².
        sign: the claimed sign of the radial component.
    """
    # g' is the gradient at w' = w − ηp: ⟨w', g'⟩ = 0 says ⟨w, g'⟩ = η⟨p, g'⟩.
    pg = sympy.Symbol("⟨p,g'⟩", real=True)
    gram = Gram("w p g'", relations={("w", "p"): sign * ETA * SUM, ("w", "g'"): ETA * pg, ("p", "g'"): pg})
    w, p, g = gram.vectors
    after = w - ETA * p
    following = BETA * (SUM + gram.square(p)) if next_sum is None else next_sum
    start = Gram("w g", relations={("w", "g"): 0})
    w0, g0 = start.vectors
    return Proof(
        method="Induction on t; Gram algebra, in any dimension.",
        given=(
            Given("⟨w_t, g_t⟩ = 0 at every t, since f is scale-invariant (Eq. 4)"),
            Given("w_{t+1} = w_t − ηp_t, p_t = βp_{t−1} + (1−τ)g_t, p_{−1} = 0 (Eq. 7 for τ = 0)"),
            Given("S_t = Σ_{k<t} β^{t−k}‖p_k‖², so that S_0 = 0 and S_{t+1} = β(S_t + ‖p_t‖²)", following),
        ),
        steps=(
            Identity("base: ⟨w_0, p_0⟩ = (1−τ)⟨w_0, g_0⟩ = 0 = −ηS_0", start.dot(w0, (1 - TAU) * g0), 0),
            Identity("w' is orthogonal to its own gradient", gram.dot(after, g), 0),
            Identity(
                "step: if ⟨w_t, p_t⟩ = −ηS_t then ⟨w_{t+1}, p_{t+1}⟩ = −ηS_{t+1}",
                gram.dot(after, BETA * p + (1 - TAU) * g),
                sign * ETA * following,
            ),
            Identity(
                "the lemma: ‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η²S_t",
                gram.square(after),
                gram.square(w) + ETA**2 * gram.square(p) + 2 * ETA**2 * SUM,
            ),
        ),
        conclusion="‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η² Σ_{k<t} β^{t−k}‖p_k‖², in every dimension and at every t.",
    )


def check_exact(descent: problems.Descent) -> None:
    """The radial component and the growth at every step of a run; the sums as printed at the last one."""
    beta, squares = EXACT.element(descent.hyper["momentum"]), []
    past, square = 0 * beta, descent.w @ descent.w
    for t, (w, step) in enumerate(descent.run(heavy_ball)):
        require_equal(f"w_{t}·g_{t}", w @ descent.gradient(w), 0)
        require_equal(f"w_{t}·p_{t}", w @ step.p, -step.lr * past)
        squares.append(step.p @ step.p)
        before, square = square, step.w @ step.w
        growth = square - before
        require_equal(f"‖w_{t + 1}‖² − ‖w_{t}‖²", growth, gd_growth(step.lr, squares[-1] + 2 * past))
        past = beta * (past + squares[-1])
    require_equal(f"w_{t}·p_{t}", w @ step.p, radial_component(step.lr, beta, squares[:-1]))
    require_equal(f"‖w_{t + 1}‖² − ‖w_{t}‖²", growth, momentum_growth(step.lr, beta, squares))


def check_implementation(run: Run) -> list[Measurement]:
    """The radial component and the growth of ‖w‖² along an unprojected run of SGDP, from the buffers that it stored."""
    lr, beta = rational(run.hyper["lr"]), rational(run.hyper["momentum"])
    squares: list[object] = []
    measurements = []
    for step in norm_steps(run):
        t = step.record.index
        measurements.append(measured("w·p", t, step.w @ step.p, radial_component(lr, beta, squares), step.radial_bound))
        squares.append(step.p @ step.p)
        growth = step.after @ step.after - step.w @ step.w
        measurements.append(measured("‖w'‖² − ‖w‖²", t, growth, momentum_growth(lr, beta, squares), step.growth_bound))
    return measurements


def descents() -> st.SearchStrategy[problems.Descent]:
    """Runs with momentum, β ≥ 1 among them, and dampening."""
    either = st.one_of(problems.skew_descents(momentum=True), objective_descents(momentum=True))
    beyond = st.sampled_from([flint.fmpq(1), flint.fmpq(3, 2)])
    return problems.with_hyper(
        either,
        momentum=st.one_of(problems.momenta(), problems.momenta(), beyond),
        dampening=st.sampled_from([flint.fmpq(0), flint.fmpq(1, 2), flint.fmpq(9, 10)]),
    )


W, TURNED = EXACT.array([3, 4]), problems.SkewField(((1, 1),))
HALF = EXACT.element(0.5)


def second_step(
    g: Callable[[Array], Array], buffer: Array, lr: tuple[float, float] = (0.5, 0.5), *, orthogonal: bool = True
) -> Refutation:
    """Two steps down the field g at β = ½, from W and a buffer p_{−1}; the growth of the second."""
    start = {"momentum_buffer": buffer}
    one = heavy_ball(EXACT, W, g(W), start, lr=lr[0], momentum=0.5)
    require("w_0·g_0 = w_1·g_1 = 0", orthogonal == (W @ g(W) == one.w @ g(one.w) == 0))
    two = heavy_ball(EXACT, one.w, g(one.w), one.state, lr=lr[1], momentum=0.5)
    squares = [one.p @ one.p, two.p @ two.p]
    return Refutation("‖w_2‖² − ‖w_1‖²", momentum_growth(two.lr, HALF, squares), two.w @ two.w - one.w @ one.w)


def not_orthogonal() -> Refutation:
    """Gradients along w."""
    return second_step(lambda w: w, 0 * W, orthogonal=False)


def nonzero_start() -> Refutation:
    """p_{−1} = w, which no gradients of a scale-invariant f can produce."""
    return second_step(TURNED, W)


def changing_step_size() -> Refutation:
    """η = ½, then ¼: each past update counts with its own step size."""
    return second_step(TURNED, 0 * W, lr=(0.5, 0.25))


CLAIM = Claim(
    id="lemma-2.2",
    title="Norm growth by momentum",
    where="§2.4, Lemma 2.2, Eq. 8; A.1",
    statement=(
        "‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η² Σ_{k<t} β^{t−k}‖p_k‖², and w_t·p_t = −η Σ_{k<t} β^{t−k}‖p_k‖², "
        "for momentum on scale-invariant f"
    ),
    latex=(
        r"\|w_{t+1}\|^2 = \|w_t\|^2 + \eta^2 \|p_t\|^2 + 2\eta^2 \sum_{k=0}^{t-1} \beta^{t-k} \|p_k\|^2,\quad "
        r"w_t \cdot p_t = -\eta \sum_{k=0}^{t-1} \beta^{t-k} \|p_k\|^2"
    ),
    hypotheses=(
        Hypothesis("orthogonal gradients", "w_t·∇f(w_t) = 0 at every step (Eq. 4)", not_orthogonal),
        Hypothesis("zero start", "p_{−1} = 0", nonzero_start),
        Hypothesis("constant step size", "η is the same at every step", changing_step_size),
    ),
    algebra=proof,
    exact=Search(descents(), check_exact),
    ball=NotApplicable("both sides are rational functions of w, η, β and the gradients: the exact rung covers them"),
    implementation=Attack(
        frozenset({HEAVY_BALL}), lambda subject: orthogonal_trials(subject, nesterov=False), check_implementation
    ),
    notes="β < 1 is not needed. Dampening rescales the gradients in p_t and leaves the lemma as it is.",
)
