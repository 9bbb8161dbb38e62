"""Lemma 2.2, norm growth by momentum (§2.4; proof in Appendix A.1).

For a scale-invariant w and p_t = βp_{t−1} + ∇f(w_t), w_{t+1} = w_t − ηp_t, p_{−1} = 0:

    ‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η² Σ_{k<t} β^{t−k} ‖p_k‖²,   because   w_t·p_t = −η Σ_{k<t} β^{t−k} ‖p_k‖²

Dampening changes p_t and nothing else: the lemma holds unchanged for p_t = βp_{t−1} + (1−τ)∇f(w_t). Where the step
size changes, each past update counts with the one that it was taken with:

    ‖w_{t+1}‖² = ‖w_t‖² + η_t²‖p_t‖² + 2η_t Σ_{k<t} β^{t−k} η_k‖p_k‖²
"""

from collections.abc import Callable

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.statement.terms import Variable
from tangency.theory.algorithms import Algorithm
from tangency.theory.norm_growth import momentum_growth, radial_component

ETA, BETA, TAU = sympy.symbols("η β τ", positive=True)
SUM = sympy.Symbol("S_t")


def proof(next_sum: sympy.Expr | None = None, sign: int = -1, counted: sympy.Expr = ETA) -> Proof:
    """The induction of Appendix A.1 in Gram algebra.

    Args:
        next_sum: the claimed S_{t+1}, in S_t; β(S_t + ‖p_t‖²) for S_t = Σ_{k<t} β^{t−k}‖p_k‖².
        sign: the claimed sign of the radial component.
        counted: with which step size η_t of a schedule the update p_t is claimed to count later on; its own.
    """
    # g' is the gradient at w' = w − ηp: ⟨w', g'⟩ = 0 says ⟨w, g'⟩ = η⟨p, g'⟩.
    pg = sympy.Symbol("⟨p,g'⟩", real=True)
    gram = Gram("w p g'", relations={("w", "p"): sign * ETA * SUM, ("w", "g'"): ETA * pg, ("p", "g'"): pg})
    w, p, g = gram.vectors
    after = w - ETA * p
    following = BETA * (SUM + gram.square(p)) if next_sum is None else next_sum
    start = Gram("w g", relations={("w", "g"): 0})
    w0, g0 = start.vectors
    changing = Gram("w p g'", relations={("w", "p"): -SUM, ("w", "g'"): ETA * pg, ("p", "g'"): pg})
    w1, p1, g1 = changing.vectors
    return Proof(
        method="Induction on t; Gram algebra, in any dimension.",
        given=(
            Given("⟨w_t, g_t⟩ = 0 at every t, since f is scale-invariant (Eq. 4)"),
            Given("w_{t+1} = w_t − ηp_t, p_t = βp_{t−1} + (1−τ)g_t, p_{−1} = 0 (Eq. 7 for τ = 0)"),
            Given("S_t = Σ_{k<t} β^{t−k}‖p_k‖², so that S_0 = 0 and S_{t+1} = β(S_t + ‖p_t‖²)", following),
        ),
        steps=(
            Identity(
                "base: ⟨w_0, p_0⟩ = (1−τ)⟨w_0, g_0⟩ = 0 = −ηS_0",
                start.dot(w0, (1 - TAU) * g0),
                0,
                theorem="radial_component",
            ),
            Identity("w' is orthogonal to its own gradient", gram.dot(after, g), 0, theorem="orthogonality"),
            Identity(
                "step: if ⟨w_t, p_t⟩ = −ηS_t then ⟨w_{t+1}, p_{t+1}⟩ = −ηS_{t+1}",
                gram.dot(after, BETA * p + (1 - TAU) * g),
                sign * ETA * following,
                theorem="radial_component",
            ),
            Identity(
                "the lemma: ‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η²S_t",
                gram.square(after),
                gram.square(w) + ETA**2 * gram.square(p) + 2 * ETA**2 * SUM,
                theorem="lemma_2_2",
            ),
            Identity(
                "with η_t, for S_t = Σ_{k<t} β^{t−k}η_k‖p_k‖²: if ⟨w_t, p_t⟩ = −S_t then "
                "⟨w_{t+1}, p_{t+1}⟩ = −β(S_t + η_t‖p_t‖²), whatever η_{t+1} is",
                changing.dot(w1 - ETA * p1, BETA * p1 + (1 - TAU) * g1),
                -BETA * (SUM + counted * changing.square(p1)),
                theorem="lemma_2_2_schedule",
            ),
            Identity(
                "so ‖w_{t+1}‖² = ‖w_t‖² + η_t²‖p_t‖² + 2η_tS_t",
                changing.square(w1 - ETA * p1),
                changing.square(w1) + ETA**2 * changing.square(p1) + 2 * ETA * SUM,
                theorem="lemma_2_2_schedule",
            ),
        ),
        conclusion="‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² + 2η² Σ_{k<t} β^{t−k}‖p_k‖², in every dimension and at every t.",
    )


def values(descent: problems.Descent) -> Values:
    """A run of momentum as the statement's letters."""
    return of_momentum(descent.run(heavy_ball), descent.gradient, **descent.hyper)


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


def two_steps(
    field: Callable[[Array], Array],
    buffers: tuple[Array | None, Array | None] = (None, None),
    lr: tuple[float, float] = (0.5, 0.5),
    algorithm: Algorithm = heavy_ball,
) -> Values:
    """Two steps down a field at β = ½, from W; a buffer that is given takes the place of the optimizer's own."""
    history, w, state = [], W, START
    for buffer, size in zip(buffers, lr, strict=True):
        given = state if buffer is None else {"momentum_buffer": buffer}
        step = algorithm(EXACT, w, field(w), given, lr=size, momentum=0.5)
        history.append((w, step))
        w, state = step.w, step.state
    return of_momentum(history, field, momentum=0.5)


def not_invariant(algorithm: Algorithm = heavy_ball) -> Values:
    """Gradients along w."""
    return two_steps(lambda w: w, algorithm=algorithm)


def no_gradients(algorithm: Algorithm = heavy_ball) -> Values:
    """What is called the gradient of a constant function lies along w."""
    run = two_steps(lambda w: w, algorithm=algorithm)
    return {**run, "f": Gradients(lambda w: 0 * w, run["w"])}


def nonzero_start(algorithm: Algorithm = heavy_ball) -> Values:
    """p_{−1} = w, which no gradients of a scale-invariant f can produce."""
    return two_steps(TURNED, (W, None), algorithm=algorithm)


def another_buffer(algorithm: Algorithm = heavy_ball) -> Values:
    """The buffer is replaced between the steps."""
    return two_steps(TURNED, (None, W), algorithm=algorithm)


def changing_step_size(algorithm: Algorithm = heavy_ball) -> Values:
    """η = ½, then ¼: each past update counts with its own step size."""
    return two_steps(TURNED, lr=(0.5, 0.25), algorithm=algorithm)


def not_moved() -> Values:
    """The weights stay where they are, and with them the gradients."""
    run, g = two_steps(TURNED), TURNED(W)
    return {**run, "w": [W, W], "g": [g, g], "p": [g, g / 2 + g], "u": [], "f": Gradients(TURNED, [W])}


f, *_ = variables("f", "E -> R")
η, β, τ = variables("η β τ", "R")
w, g, p = variables("w g p", "nat -> E")
t, k = variables("t k", "nat")

# What the buffer of a run with momentum is; with the weights' own line, a run.
MOMENTUM = (
    Hypothesis("scale_invariant", function("scale_invariant", f), not_invariant),
    Hypothesis("gradients", every(t, function("gradient", f, w[t], g[t])), no_gradients),
    Hypothesis("zero_start", equal(p[0], (1 - τ) * g[0]), nonzero_start),
    Hypothesis("momentum", every(t, equal(p[t + 1], β * p[t] + (1 - τ) * g[t + 1])), another_buffer),
)
UPDATE = Hypothesis("update", every(t, equal(w[t + 1], w[t] - η * p[t])), changing_step_size)
PAST = total(k, t, β ** (t - k) * square(p[k]))
schedule = Variable("η_", "nat -> R", text="η", latex=r"\eta")
SCHEDULED = total(k, t, β ** (t - k) * (schedule[k] * square(p[k])))

STATEMENT = Statement(
    "lemma_2_2_momentum_norm_growth",
    (
        Theorem(
            "lemma_2_2",
            (f, η, β, τ, w, g, p),
            given=(*MOMENTUM, UPDATE),
            says=(
                every(t, equal(square(w[t + 1]), square(w[t]) + η**2 * square(p[t]) + 2 * η**2 * PAST)),
                every(t, equal(dot(w[t], p[t]), -η * PAST)),
            ),
        ),
        Theorem(
            "lemma_2_2_schedule",
            (f, schedule, β, τ, w, g, p),
            given=(
                *MOMENTUM,
                Hypothesis("update", every(t, equal(w[t + 1], w[t] - schedule[t] * p[t])), not_moved),
            ),
            says=(
                every(
                    t,
                    equal(
                        square(w[t + 1]),
                        square(w[t]) + schedule[t] ** 2 * square(p[t]) + 2 * schedule[t] * SCHEDULED,
                    ),
                ),
                every(t, equal(dot(w[t], p[t]), -SCHEDULED)),
            ),
        ),
    ),
    shown=2,
)

CLAIM = Claim(
    id="lemma-2.2",
    title="Norm growth by momentum",
    where="§2.4, Lemma 2.2, Eq. 8; A.1",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(st.one_of(descents(), problems.scheduled(descents())), STATEMENT, values),
    ball=NotApplicable("both sides are rational functions of w, η, β and the gradients: the exact rung covers them"),
    implementation=Attack(
        frozenset({HEAVY_BALL}), lambda subject: orthogonal_trials(subject, nesterov=False), check_implementation
    ),
    notes=(
        "β < 1 is not needed. Dampening rescales the gradients in p_t and leaves the lemma as it is. The schedule is "
        "beyond the paper: an optimizer whose buffer holds η_kp_k for p_k agrees with it while η stays the same."
    ),
)
