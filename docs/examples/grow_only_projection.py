"""Project only when the norm would grow: a rule without a threshold, a true lemma about it, and a false one.

SGDP has to guess whether a weight is scale-invariant (Eq. 11). This variant does not: it removes the radial component
of the update exactly when the plain step w − ηp would make ‖w‖ grow.

    tangency verify grow_only_projection.py --figure norms.svg
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy
import torch
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *


# The algorithm, over every field: rationals, balls, symbols, floats.
def grow_only(
    field: Field, w: Array, g: Array, state: State = START, *, lr: Any, momentum: Any = 0, project: bool | None = None
) -> Step:
    """p by Eq. 7; q = Π_w(p) if ‖w − ηp‖ > ‖w‖, else p; w ← w − ηq. ``project`` forces the decision."""
    plain = heavy_ball(field, w, g, state, lr=lr, momentum=momentum)
    with field.context():
        if project is None:
            project = field.less((w * w).sum(), (plain.w * plain.w).sum())
        if project is None:
            raise UndecidedView(View.LAYER)
        if not project:
            return plain
        q = project_rows(View.LAYER, w, plain.p)
        return replace(plain, w=w - plain.lr * q, q=q, view=View.LAYER)


# The true lemma: on scale-invariant weights the variant is SGDP.

ETA, BETA, S = sympy.symbols("η β S", nonnegative=True)
ONE = sympy.Integer(1)


def proof_is_sgdp() -> Proof:
    start = Gram("w_0 g_0", relations={("w_0", "g_0"): 0})
    w_0, g_0 = start.vectors
    step = Gram("w p", relations={("w", "w"): sympy.Symbol("⟨w,w⟩", positive=True), ("w", "p"): -S})
    w, p = step.vectors
    q = p + S / step.square(w) * w
    after, plain = w - ETA * q, w - ETA * p
    tangent = sympy.Symbol("‖q‖²", nonnegative=True)
    then = Gram("w' p g'", relations={("w'", "g'"): 0, ("w'", "p"): -S - ETA * tangent})
    w_then, p_then, g_then = then.vectors
    return Proof(
        method="Induction on t; Gram algebra, in any dimension.",
        given=(
            Given("⟨w_t, g_t⟩ = 0: the weight is scale-invariant (Eq. 4)"),
            Given("p_t = βp_{t−1} + g_t with p_{−1} = 0 (Eq. 7); S = −⟨w_t, p_t⟩, and S ≥ 0 up to some t"),
            Given("q = Π_w(p) = p − (w·p / w·w) w (Eq. 10), w' = w − ηq", q),
        ),
        steps=(
            Identity(
                "base: ⟨w_0, p_0⟩ = ⟨w_0, β·0 + g_0⟩ = 0", start.dot(w_0, BETA * 0 * w_0 + g_0), 0, theorem="inwards"
            ),
            NonNegative(
                "the plain step grows the norm: ‖w − ηp‖² − ‖w‖² = η²‖p‖² + 2ηS, > 0 unless p = 0: so it is projected",
                step.square(plain) - step.square(w),
                [(step.square(p), ETA), (2 * ETA * S, ONE)],
                theorem="step",
            ),
            Identity(
                "‖w'‖² = ‖w‖² + η²‖q‖² (Eq. 12)",
                step.square(after),
                step.square(w) + ETA**2 * step.square(q),
                theorem="grow_only_is_sgdp",
            ),
            Identity("and ⟨w', p⟩ = ⟨w, p⟩ − η‖q‖²", step.dot(after, p), -S - ETA * step.square(q), theorem="overlap"),
            NonNegative(
                "step: −⟨w', p'⟩ = −⟨w', βp + g'⟩ = β(S + η‖q‖²) ≥ 0",
                -then.dot(w_then, BETA * p_then + g_then),
                [(BETA * S, ONE), (BETA * ETA * tangent, ONE)],
                theorem="inwards",
            ),
            NonNegative(
                "there the plain step is the longer one, by η²(ŵ·p)² + 2ηS",
                step.square(plain) - step.square(after),
                [(1 / step.square(w), ETA * S), (2 * ETA * S, ONE)],
                theorem=NotApplicable("how much longer, no theorem asks"),
            ),
        ),
        conclusion="w_t·p_t ≤ 0 at every t: every plain step would grow the norm, every step is projected, and the "
        "variant is SGDP without its threshold.",
    )


def run_of(field: Any, w: Array, state: State = START, steps: int = 1, **hyper: Any) -> Values:
    """A run of the variant down a field, as the letters of the statement."""
    values: dict[str, Any] = {"η": rational(hyper["lr"]), "β": rational(hyper["momentum"])}
    values |= {"w": [w], "g": [], "p": [], "q": []}
    for _ in range(steps):
        step = grow_only(EXACT, w, field(w), state, **hyper)
        for name, value in (("w", step.w), ("g", field(w)), ("p", step.p), ("q", step.q)):
            values[name].append(value)
        w, state = step.w, step.state
    return values


def check_is_sgdp(descent: problems.Descent) -> None:
    """A run of the variant beside one of SGDP that projects at every step."""
    always = replace(descent, hyper={**descent.hyper, "view": View.LAYER})
    for t, ((_, ours), (_, theirs)) in enumerate(zip(descent.run(grow_only), always.run(sgdp), strict=True)):
        require_equal(f"w_{t + 1} of SGDP", ours.w, theirs.w)


W, TURNED = EXACT.array([3, 4]), problems.SkewField(((1, -1),))
HALF = {"lr": 0.5, "momentum": 0.5}


def not_orthogonal() -> Values:
    """A gradient along w shortens it, so it is not projected."""
    return run_of(lambda w: w, W, **HALF)


def nonzero_start() -> Values:
    """A buffer that starts along w, and an orthogonal gradient."""
    return run_of(TURNED, W, {"momentum_buffer": W}, **HALF)


def another_buffer() -> Values:
    """The buffer is along w at the second step."""
    run = run_of(TURNED, W, **HALF)
    then = run_of(TURNED, run["w"][1], {"momentum_buffer": run["w"][1]}, **HALF)
    return {**run, "w": [W, *then["w"]], **{name: [*run[name], *then[name]] for name in "gpq"}}


def negative_momentum() -> Values:
    """β < 0 turns the buffer back: the second step would shorten w."""
    gradients = iter([TURNED(W), 0 * W])
    kept: dict[Any, Array] = {}
    return run_of(lambda w: kept.setdefault(tuple(w), next(gradients, 0 * W)), W, steps=2, lr=0.5, momentum=-0.5)


def negative_step_size() -> Values:
    """η < 0 goes up: the buffer comes to point outwards."""
    return run_of(TURNED, W, steps=2, lr=-0.5, momentum=0.5)


def moved(**changed: Any) -> Values:
    """One step whose update or weights are not what the rule says."""
    return {**run_of(TURNED, W, **HALF), **changed}


# The statement, once: its text, the exact runs and the theorem for the kernel come from it.
η, β = variables("η β", "R")
w, g, p, q = variables("w g p q", "nat -> E")
(t,) = variables("t", "nat")
PLAIN, TANGENT = square(w[t] - η * p[t]), function("project", w[t], p[t])

STATEMENT = Statement(
    str(Path(__file__).with_suffix(".v")),
    (
        Theorem(
            "grow_only_is_sgdp",
            (η, β, w, g, p, q),
            given=(
                Hypothesis("orthogonal gradient", every(t, equal(dot(w[t], g[t]), 0)), not_orthogonal),
                Hypothesis("zero start", equal(p[0], g[0]), nonzero_start),
                Hypothesis("momentum", every(t, equal(p[t + 1], β * p[t] + g[t + 1])), another_buffer),
                Hypothesis("β ≥ 0", β >= 0, negative_momentum),
                Hypothesis("η ≥ 0", η >= 0, negative_step_size),
                Hypothesis(
                    "projected where the norm would grow",
                    every(t, function("⇒", square(w[t]) < PLAIN, equal(q[t], TANGENT))),
                    lambda: moved(q=[2 * TURNED(W)], w=[W, W - TURNED(W)]),
                ),
                Hypothesis(
                    "plain elsewhere",
                    every(t, function("⇒", square(w[t]) >= PLAIN, equal(q[t], p[t]))),
                    lambda: moved(g=[0 * W], p=[0 * W], q=[W], w=[W, W / 2]),
                ),
                Hypothesis("update", every(t, equal(w[t + 1], w[t] - η * q[t])), lambda: moved(w=[W, W])),
            ),
            says=(
                every(t, dot(w[t], p[t]) <= 0),
                every(t, equal(w[t + 1], w[t] - η * TANGENT)),
                every(t, equal(square(w[t + 1]), square(w[t]) + η**2 * square(TANGENT))),
            ),
        ),
    ),
)


# What is attacked: the same for torch.
class GrowOnly(torch.optim.Optimizer):
    """SGD with momentum; the update loses its radial component if the norm would grow. A parameter is one row."""

    def __init__(self, params: Any, lr: float, momentum: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    state, lr = self.state[w], group["lr"]
                    p = group["momentum"] * state.get("momentum_buffer", torch.zeros_like(w)) + w.grad
                    state["momentum_buffer"] = p
                    radial, square = (w * p).sum(), (w * w).sum()
                    grows = lr * (p * p).sum() > 2 * radial  # ‖w − ηp‖² > ‖w‖², without the cancellation
                    w -= lr * (p - radial / square * w if grows and square > 0 else p)


@st.composite
def orthogonal_runs(draw: st.DrawFn, subject: Subject) -> Trial:
    """A few steps on gradients exactly orthogonal to the weights."""
    count = draw(st.integers(2, 16))
    w = draw(strategies.values(count, draw(st.integers(-3, 3))))
    gradients = st.lists(st.builds(Rotation, st.just(View.LAYER), st.integers(-3, 1)), min_size=1, max_size=5)
    dtype = draw(st.sampled_from(("float32", "float64")))
    return Trial((count,), dtype, w, tuple(draw(gradients)), draw(strategies.hyperparameters(subject)))


def admissible(run: Run, record: Record) -> tuple[bool, ...]:
    """The decisions that are right within rounding: the sign of η‖p‖² − 2w·p, or both where rounding hides it."""
    try:
        return (run.exact(record).view == View.LAYER,)
    except UndecidedView:
        return (True, False)


def check_implementation(run: Run) -> list[Measurement]:
    """Weights and norm after every step, against the decision of the spec that fits best."""
    found: list[Measurement] = []
    for record in run.records:
        fits = []
        for choice in admissible(run, record):
            exact = run.exact(record, project=choice)
            w, after, bound = EXACT.array(record.w), EXACT.array(record.w_after), weights_bound(run, exact)
            fits.append([run.compare("w", record, record.w_after, exact.w, bound)])
            if choice:
                grown = w @ w + exact.lr * exact.lr * (exact.q @ exact.q)
                room = squared_norm_error(floats(exact.w), bound)
                fits[-1].append(measured("‖w'‖²", record.index, after @ after, grown, room))
        found += min(fits, key=lambda measurements: max(m.ratio for m in measurements))
    return found


RATIONAL = NotApplicable("the variant is a rational function of its inputs: the exact rung covers it")

IS_SGDP = Claim(
    id="grow-only-is-sgdp",
    title="On scale-invariant weights, the variant is SGDP",
    where="docs/research.md",
    statement=STATEMENT,
    algebra=proof_is_sgdp,
    exact=Instances(
        problems.skew_descents(momentum=True, max_steps=6),
        STATEMENT,
        lambda descent: run_of(descent.gradient, descent.w, steps=descent.steps, **descent.hyper),
        also=check_is_sgdp,
    ),
    ball=RATIONAL,
    implementation=Attack(frozenset({"grow-only"}), orthogonal_runs, check_implementation),
)

# The false lemma: "it only ever takes norm away".


def proof_never_longer() -> Proof:
    gram = Gram("w p")
    w, p = gram.vectors
    q = p - gram.dot(w, p) / gram.square(w) * w
    plain, after = w - ETA * p, w - ETA * q
    return Proof(
        method="Gram algebra, in any dimension.",
        given=(Given("q = Π_w(p), w' = w − ηq; no more is asked of w and p", q),),
        steps=(
            Identity(
                "‖w'‖² = ‖w‖² + η²‖q‖² (Eq. 12)",
                gram.square(after),
                gram.square(w) + ETA**2 * gram.square(q),
                theorem="grow_only_never_longer",
            ),
            Identity(
                "the projection takes η²(ŵ·p)² off the plain step",
                gram.square(plain) - gram.square(after),
                ETA**2 * gram.dot(w, p) ** 2 / gram.square(w),
                theorem="grow_only_never_longer",
            ),
        ),
        conclusion="‖w'‖ ≤ ‖w − ηp‖.",
    )


# Pairs, so that Hypothesis drops a weight with its gradient when it makes a counterexample smaller.
PAIRS = st.lists(st.tuples(problems.rationals(), problems.rationals()), min_size=1, max_size=8)


def first_step(pairs: list[tuple[Any, Any]], lr: Any) -> problems.TensorRun:
    """There, p = g."""
    w, g = (EXACT.array(values) for values in zip(*pairs, strict=True))
    return problems.TensorRun(w, (g,), {"lr": lr})


NEVER_LONGER_SAYS = Statement(
    str(Path(__file__).with_suffix(".v")),
    (Theorem("grow_only_never_longer", (η, w, p), (), (every(t, square(w[t] - η * TANGENT) <= PLAIN),)),),
)


def projected_steps(run: problems.TensorRun) -> list[Values]:
    """The steps that the rule projects."""
    steps = [(x, step) for x, step in run.run(grow_only) if step.view == View.LAYER]
    return [{"η": step.lr, "w": [x], "p": [step.p]} for x, step in steps]


NEVER_LONGER = Claim(
    id="grow-only-never-longer",
    title="The variant's step is never longer than the plain one",
    where="docs/research.md; false",
    statement=NEVER_LONGER_SAYS,
    algebra=proof_never_longer,
    exact=Instances(st.builds(first_step, PAIRS, problems.step_sizes()), NEVER_LONGER_SAYS, projected_steps),
    ball=RATIONAL,
    implementation=NotApplicable("it is about the algorithm, and no implementation can repair that"),
)

SUBJECTS = (
    Subject(
        name="grow_only_projection:GrowOnly",
        algorithm="grow-only",
        make=GrowOnly,
        capabilities=frozenset({"grow-only"}),
        buffers={"momentum_buffer": "momentum_buffer"},
        imports="from grow_only_projection import GrowOnly",
        expression="GrowOnly",
        spec=grow_only,
    ),
)

# The figure: norms by step, where the lemma holds and where nothing is scale-invariant.
PLACE = (3, 4, 0, 0)  # c


def norms(algorithm: Any, start: tuple[int, ...], gradient: Any, lr: float) -> list[float]:
    """‖w_t‖ of a run of 100 steps in float64."""
    descent = problems.Descent(FLOAT64.array([start]), gradient, 100, {"momentum": 0.9, "lr": lr})
    return [float((w * w).sum() ** 0.5) for w, _ in descent.run(algorithm, FLOAT64)]


def norms_by_step() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    drawn = (("GD with momentum", heavy_ball, "-"), ("SGDP", sgdp, "-"), ("grow-only", grow_only, "--"))
    for axes, title, start, gradient, lr in (
        (left, "scale-invariant: −cos(w, c)", (4, -3, 1, 0), GradientField(Cosine(PLACE), FLOAT64), 1.0),
        (right, "not scale-invariant: ‖w − c‖²/2", (1, -1, 1, 0), lambda w: w - FLOAT64.array([PLACE]), 0.05),
    ):
        for name, algorithm, style in drawn:
            axes.plot(norms(algorithm, start, gradient, lr=lr), style, label=name)
        axes.set(title=title, xlabel="step t", ylabel="‖w_t‖")
    left.legend()
    return figure


FIGURE = norms_by_step
