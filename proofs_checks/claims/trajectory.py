"""Whole runs under another scale of w_0: the same directions at every step, if η and λ are scaled along (§2.3, Eq. 4).

For a scale-invariant f and w'_0 = cw_0, c > 0, gradients are 1/c times as long, and so are their buffers:

    momentum, SGDP   η' = c²η, λ' = λ/c²              w'_t = cw_t, p'_t = p_t/c
    Adam, AdamP      η' = cη,  λ' = λ/c,  ε' = ε/c    w'_t = cw_t, p'_t = p_t

whether λ is coupled or decoupled, and whatever the schedule. So ŵ'_t = ŵ_t: of ‖w_0‖ a run keeps η/‖w_0‖² alone, with
Adam η/‖w_0‖. With c a power of two and no number subnormal or infinite it holds bitwise: fl(2ᵏx) = 2ᵏ fl(x), every sum
has terms of one degree in c, and so has every root, of an even one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims.eq_04_orthogonality import check_implementation as scaled_steps
from tangency.proofs_checks.claims.eq_04_orthogonality import homogeneity_trials, shown
from tangency.proofs_checks.statement.operators import is_zero
from tangency.proofs_checks.statement.terms import Term, Variable
from tangency.theory.algorithms import Algorithm

ETA, LAMBDA, KAPPA, BETA, C = sympy.symbols("η λ κ β c", positive=True)


def proof(lr: sympy.Expr = C**2 * ETA, decay: sympy.Expr = LAMBDA / C**2) -> Proof:
    """One step at (cw, p/c, g/c), and Adam's at (cw, m/c, v/c²).

    Args:
        lr: the claimed step size of the scaled run.
        decay: its claimed weight decay.
    """
    w, p, g, m, s, eps, first = sympy.symbols("w p g m √v ε 1−β₁ᵗ", positive=True)
    pulled = g + KAPPA * w
    buffer = BETA * p + pulled
    scaled = BETA * p / C + (g / C + KAPPA / C**2 * (C * w))
    gram = Gram("w x")
    plane_w, x = gram.vectors
    component = gram.dot(C * plane_w, x / C) / gram.square(C * plane_w) * (C * plane_w)
    adam = (m / C) / (s / C + eps / C)
    return Proof(
        method="Induction on t: one rational identity for each line of a step.",
        given=(Given("∇f(cw) = ∇f(w)/c (Eq. 4)"), Given("w'_t = cw_t, p'_t = p_t/c, g'_t = g_t/c")),
        steps=(
            Identity(
                "coupled decay: g' + (κ/c²) w' = (g + κw)/c, and the buffer follows",
                scaled,
                buffer / C,
                theorem="trajectory",
            ),
            Identity(
                "decoupled decay and update: (1 − η'λ') cw − η' p/c = c((1 − ηλ)w − ηp)",
                (1 - lr * decay) * C * w - lr * p / C,
                C * ((1 - ETA * LAMBDA) * w - ETA * p),
                theorem="trajectory",
            ),
            Identity(
                "the projection: what it takes of x/c at cw is what it takes of x at w, over c",
                component.coeff(plane_w),
                (gram.dot(plane_w, x) / gram.square(plane_w)) / C,
                theorem="project_scale",
            ),
            Identity(
                "Eq. 11 compares the same: (w'·g')²/(‖w'‖²‖g'‖²)",
                gram.dot(C * plane_w, x / C) ** 2 / (gram.square(C * plane_w) * gram.square(x / C)),
                gram.dot(plane_w, x) ** 2 / (gram.square(plane_w) * gram.square(x)),
                theorem="passes_scaled",
            ),
            Identity(
                "Adam: m'/(√v' + ε/c) = m/(√v + ε) at m' = m/c, v' = v/c², so that η' = cη",
                (C * ETA / first) * adam,
                C * (ETA / first * m / (s + eps)),
                theorem="update_scaled",
            ),
        ),
        conclusion="ŵ'_t = ŵ_t at every t.",
    )


class Pair(NamedTuple):
    """A run of momentum down a gradient field of degree −1 and the run from c times its start.

    Attributes:
        w: w_0.
        gradient: w ↦ ∇f(w), with ∇f(cw) = ∇f(w)/c.
        length: in steps.
        factors: of the step sizes, again from the first after the last.
        hyper: of SGDP.
        coupled: κ.
        c: the scale.
    """

    w: Array
    gradient: Callable[[Array], Array]
    length: int
    factors: tuple[Any, ...]
    hyper: dict[str, Any]
    coupled: Any
    c: Any

    def run(self, c: Any) -> list[tuple[Array, Step]]:
        """The run from cw_0, with the hyper-parameters scaled along."""
        hyper = {**self.hyper, "lr": self.hyper["lr"] * c**2, "weight_decay": self.hyper["weight_decay"] / c**2}
        coupled = self.coupled / c**2
        return problems.ScheduledDescent(
            c * self.w, lambda w: self.gradient(w) + coupled * w, self.length, hyper, self.factors
        ).run(sgdp)


def values(pair: Pair | problems.TensorRun) -> list[Values]:
    """Both runs as letters; of given gradients there is no f, and :func:`check_tensors` compares them."""
    return [] if isinstance(pair, problems.TensorRun) else [of_pair(pair)]


def of_pair(pair: Pair) -> Values:
    """Both runs as letters."""
    runs = pair.run(EXACT.element(1)), pair.run(pair.c)
    beta, ahead = pair.hyper["momentum"], bool(pair.hyper["nesterov"])
    found: dict[str, Any] = {}
    for history, prime in zip(runs, ("", "'"), strict=True):
        points = [w for w, _ in history]
        found |= {f"w{prime}": [*points, history[-1][1].w], f"g{prime}": [pair.gradient(w) for w in points]}
        found[f"p{prime}"] = [step.state["momentum_buffer"] for _, step in history]
    steps = [step for _, step in runs[0]]
    return {
        **found,
        "f": Gradients(pair.gradient, [w for history in runs for w, _ in history]),
        "c": pair.c,
        "β": beta,
        "τ": pair.hyper["dampening"],
        "κ": pair.coupled,
        "a": EXACT.element(ahead),
        "b": beta if ahead else EXACT.element(1),
        "η": [step.lr for step in steps],
        "λ": [(1 - step.shrink) / step.lr for step in steps],
        "ρ": [EXACT.element(step.view != View.NONE) for step in steps],
    }


ADAMS: dict[str, Algorithm] = {"adam": adam, "adamw": adamw, "adamp": adamp}
SCALE = flint.fmpq(3, 2)


def scaled(run: problems.TensorRun) -> tuple[Algorithm, problems.TensorRun]:
    """The algorithm of a run, and the run on (cw, g/c)."""
    hyper = dict(run.hyper)
    adaptive = "betas" in hyper
    degree = 1 if adaptive else 2
    hyper["lr"] = hyper["lr"] * SCALE**degree
    if "weight_decay" in hyper:
        hyper["weight_decay"] = hyper["weight_decay"] / SCALE**degree
    if adaptive:
        hyper["eps"] = hyper["eps"] / SCALE
    algorithm = sgdp if not adaptive else adamp if "delta" in hyper else adamw if "weight_decay" in hyper else adam
    return algorithm, problems.TensorRun(SCALE * run.w, tuple(g / SCALE for g in run.gradients), hyper)


def check_tensors(run: Pair | problems.TensorRun) -> None:
    """SGDP, Adam, AdamW and AdamP on given gradients: weights, buffers and decisions of both runs."""
    if isinstance(run, Pair):
        return
    algorithm, other = scaled(run)
    for t, ((_, one), (_, two)) in enumerate(zip(run.run(algorithm), other.run(algorithm), strict=True)):
        require_equal(f"w'_{t + 1}", two.w, SCALE * one.w)
        require_equal(f"the view of step {t}", two.view, one.view)
        for name, degree in (("momentum_buffer", 1), ("exp_avg", 1), ("exp_avg_sq", 2)):
            if name in one.state:
                require_equal(f"{name} after step {t}", SCALE**degree * two.state[name], one.state[name])


def check_balls(run: problems.TensorRun) -> None:
    """Adam's relatives at any β₂: what is left of w'_t − cw_t is narrow, and contains 0."""
    algorithm, other = scaled(run)
    runs = run.run(algorithm, BALLS), other.run(algorithm, BALLS)
    with BALLS.context():
        for t, ((_, one), (_, two)) in enumerate(zip(*runs, strict=True)):
            for index, off in enumerate((two.w - SCALE * one.w).ravel()):
                require(f"w'_{t + 1} − cw_{t + 1}, element {index}, is 0", is_zero(off))


DECAYS = st.sampled_from([flint.fmpq(0), flint.fmpq(1, 4), flint.fmpq(1, 10)])
FACTORS = st.lists(st.sampled_from([flint.fmpq(1), flint.fmpq(3, 4), flint.fmpq(1, 2)]), min_size=1, max_size=3)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Momentum of every kind, projected or not, on objectives and on skew-symmetric fields of degree −1."""
    if draw(st.booleans()):
        descent = draw(objective_descents(momentum=True))
        gradient: Callable[[Array], Array] = descent.gradient
    else:
        descent = draw(problems.skew_descents(momentum=True, max_steps=4))
        field = descent.gradient
        gradient = lambda w: field(w) / (w @ w) if w @ w else 0 * w  # noqa: E731
    hyper = {**descent.hyper, "dampening": draw(st.sampled_from([flint.fmpq(0), flint.fmpq(1, 2)]))}
    hyper |= {"nesterov": draw(st.booleans()), "weight_decay": draw(DECAYS), "wd_ratio": flint.fmpq(1, 2)}
    hyper["view"] = draw(st.sampled_from((View.NONE, View.LAYER)))
    factors, coupled, c = tuple(draw(FACTORS)), draw(DECAYS), draw(problems.positive_rationals(3))
    return Pair(descent.w, gradient, min(descent.steps, 3), factors, hyper, coupled, c)


def tensors(beta2: st.SearchStrategy[Any], forced: bool = False) -> st.SearchStrategy[problems.TensorRun]:
    """Runs of Adam, AdamW and AdamP, and unless a view is ``forced`` of SGDP, on any gradients."""
    shared: dict[str, Any] = {"lr": problems.step_sizes(), "nesterov": st.booleans()}
    ours = {"betas": st.tuples(problems.momenta(), beta2), "eps": problems.positive_rationals(1, 10)}
    projected: dict[str, Any] = {"weight_decay": DECAYS, "delta": problems.rationals(0, 2, 10)}
    if forced:
        projected["view"] = st.sampled_from((View.CHANNEL, View.LAYER))
    kinds = [shared | ours, shared | ours | {"weight_decay": DECAYS}, shared | ours | projected]
    if not forced:
        kinds.append(shared | projected | {"momentum": problems.momenta()})
    return st.one_of([problems.tensor_runs(st.fixed_dictionaries(kind), max_elements=12) for kind in kinds])


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Runs of up to six steps whose numbers stay normal under every scale.

    Raises:
        NotOffered: how the update scales is not known, or every step normalises the weights.
    """
    if subject.update.degree is None or subject.update.on_sphere:
        raise NotOffered(f"{subject.name}: it is about updates of a known degree, of weights that keep their norm")
    return homogeneity_trials(subject, max_steps=6)


def check_implementation(run: Run) -> list[Measurement]:
    """Every step of the run from cw_0 leads to c times the weights of the run from w_0, bitwise."""
    return scaled_steps(run, (-24, 24))


W = EXACT.array([3, 4])
HALF, ONE, ZERO = EXACT.element(0.5), EXACT.element(1), EXACT.element(0)


def circling(w: Array) -> Array:
    """A tangent field of degree −1."""
    found: Array = turned(w) / (w @ w)
    return found


def example(field: Callable[[Array], Array] = circling, c: Any = 2 * ONE, count: int = 2) -> Values:
    """Two steps of heavy ball, or so many, from W and from cW as letters."""
    hyper = {"lr": HALF, "momentum": HALF, "dampening": ZERO, "nesterov": False, "weight_decay": HALF}
    pair = Pair(W, field, count, (ONE,), {**hyper, "view": View.NONE}, ZERO, c)
    return of_pair(pair)


def not_invariant() -> Values:
    """f(w) = ‖w‖²/2, whose gradient at cw is c times as long."""
    return example(lambda w: w)


def turned_around() -> Values:
    """c = −1, and a field that is nothing on that side."""
    return example(lambda w: circling(w) if w[0] > 0 else 0 * w, -ONE, 1)


def another_gradient() -> Values:
    """The first run descends along something else."""
    return {**example(lambda w: 0 * w, count=1), "g": [W], "p": [W], "w": [W]}


def another_gradient_later() -> Values:
    """The scaled run descends along something else."""
    return {**example(lambda w: 0 * w, count=1), "g'": [W], "p'": [W], "w'": [2 * W]}


def another_start() -> Values:
    """The second run starts elsewhere than at cw_0."""
    g = circling(3 * W)
    return {**example(count=1), "w'": [3 * W], "g'": [g], "p'": [g]}


def filled_buffer() -> Values:
    """The buffer of the first run holds w before its first step."""
    return {**example(count=1), "p": [circling(W) + W], "w": [W]}


def filled_buffer_later() -> Values:
    """The buffer of the second run holds w before its first step."""
    return {**example(count=1), "p'": [circling(2 * W) + W], "w'": [2 * W]}


def another_buffer() -> Values:
    """The buffer of the first run is replaced after a step."""
    run = example()
    return {**run, "p": [run["p"][0], W], "w": run["w"][:2]}


def another_buffer_later() -> Values:
    """The buffer of the second run is replaced after a step."""
    run = example()
    return {**run, "p'": [run["p'"][0], W], "w'": run["w'"][:2]}


def not_moved() -> Values:
    """The first run stays where it is."""
    return {**example(count=1), "w": [W, W]}


def not_moved_later() -> Values:
    """The second run stays where it is."""
    return {**example(count=1), "w'": [2 * W, 2 * W]}


f, *_ = variables("f", "E -> R")
c, β, τ, a, b, κ = variables("c β τ a b κ", "R")
η, λ, ρ = variables("η λ ρ", "nat -> R")
w, g, p, w_, g_, p_ = variables("w g p w' g' p'", "nat -> E")
(t,) = variables("t", "nat")
SECOND = κ / c**2


def moved(w: Term, g: Term, p: Term, lr: Term, decay: Term, pull: Term) -> Term:
    """(1 − ηλ)w − η((1 − ρ)u + ρΠ_w(u)), u = a(g + κw) + bp."""
    u = a * (g + pull * w) + b * p
    return (1 - lr * decay) * w - lr * ((1 - ρ[t]) * u + ρ[t] * function("project", w, u))


def kept(w: Variable, g: Variable, p: Variable, pull: Term, names: str, *broken: Callable[[], Values]) -> Any:
    """That p starts as the dampened first gradient, and is the buffer of Eq. 7."""
    first, later = broken
    return (
        Hypothesis(f"zero_start{names}", equal(p[0], (1 - τ) * (g[0] + pull * w[0])), first),
        Hypothesis(
            f"momentum{names}",
            every(t, equal(p[t + 1], β * p[t] + (1 - τ) * (g[t + 1] + pull * w[t + 1]))),
            later,
        ),
    )


BUFFER = kept(w, g, p, κ, "", filled_buffer, another_buffer)
BUFFER_ = kept(w_, g_, p_, SECOND, "'", filled_buffer_later, another_buffer_later)
STATEMENT = Statement(
    "trajectory",
    (
        Theorem(
            "trajectory",
            (f, c, β, τ, a, b, κ, η, λ, ρ, w, g, p, w_, g_, p_),
            given=(
                Hypothesis("scale_invariant", function("scale_invariant", f), not_invariant),
                Hypothesis("c_positive", c > 0, turned_around),
                Hypothesis("gradients", every(t, function("gradient", f, w[t], g[t])), another_gradient),
                Hypothesis("gradients'", every(t, function("gradient", f, w_[t], g_[t])), another_gradient_later),
                Hypothesis("start", equal(w_[0], c * w[0]), another_start),
                BUFFER[0],
                BUFFER_[0],
                BUFFER[1],
                BUFFER_[1],
                Hypothesis("update", every(t, equal(w[t + 1], moved(w[t], g[t], p[t], η[t], λ[t], κ))), not_moved),
                Hypothesis(
                    "update'",
                    every(t, equal(w_[t + 1], moved(w_[t], g_[t], p_[t], c**2 * η[t], λ[t] / c**2, SECOND))),
                    not_moved_later,
                ),
            ),
            says=(
                every(t, equal(w_[t], c * w[t])),
                every(t, equal(g_[t], function("inverse", c) * g[t])),
                every(t, equal(p_[t], function("inverse", c) * p[t])),
                every(t, equal(function("unit", w_[t]), function("unit", w[t]))),
            ),
        ),
    ),
    more=("trajectory_sgdp", "trajectory_adamp"),
)

CLAIM = Claim(
    id="trajectory",
    title="Whole runs under another scale of the weights",
    where="§2.3, Eq. 4; beyond the paper",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(st.one_of(pairs(), tensors(st.just(EXACT.element(0)))), STATEMENT, values, also=check_tensors),
    ball=Search(tensors(problems.momenta(), forced=True), check_balls),
    implementation=Attack(frozenset(), trials, check_implementation, shown),
    notes=(
        "a = 0, b = 1 is heavy ball, a = 1, b = β Nesterov; κ is coupled decay, λ decoupled, ρ_t whether step t is "
        "projected. trajectory_sgdp and trajectory_adamp are of the algorithms as specified, decision and all, "
        "AdamP with η' = cη, λ' = λ/c and ε' = ε/c. Implementations: bitwise, for powers of two c."
    ),
)
