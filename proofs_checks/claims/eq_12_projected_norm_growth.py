"""Eq. 12: projected updates grow the norm by η²‖q‖² and no more, ‖w'‖² = ‖w‖² + η²‖q‖² ≤ ‖w‖² + η²‖p‖² (§3.1).

The gap of the inequality is exactly η²(ŵ·p)². p is arbitrary: the identity holds for momentum and for Adam, in
every row of the view and so in the whole tensor, and telescopes to ‖w_T‖² = ‖w_0‖² + Σ η²‖q_t‖².
"""

from dataclasses import replace

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.theory.algorithms import ALGORITHMS

ETA, DOT = sympy.Symbol("η", positive=True), sympy.Symbol("⟨w,p⟩", real=True)
SQUARE = sympy.Symbol("⟨w,w⟩", positive=True)
GAP = ETA**2 * DOT**2 / SQUARE


def proof(gap: sympy.Expr = GAP, sign: int = -1) -> Proof:
    """Pythagoras twice; ``gap`` is the claimed difference to ‖w‖² + η²‖p‖², ``sign`` the sign of Eq. 10."""
    gram = Gram("w p", relations={("w", "w"): SQUARE, ("w", "p"): DOT})
    w, p = gram.vectors
    q = p + sign * gram.dot(w, p) / gram.square(w) * w
    after, bound = w - ETA * q, gram.square(w) + ETA**2 * gram.square(p)
    return Proof(
        method="Gram algebra, in any dimension.",
        given=(
            Given("w ≠ 0 and any update p; q = Π_w(p) = p − (w·p / w·w) w (Eq. 10)", q),
            Given("w' = w − ηq: a projected step without weight decay (Eq. 11)", after),
        ),
        steps=(
            Identity("the projected update is tangent: ⟨w, q⟩ = 0", gram.dot(w, q), 0),
            Identity("so ‖w'‖² = ‖w‖² + η²‖q‖²", gram.square(after), gram.square(w) + ETA**2 * gram.square(q)),
            Identity("‖p‖² = ‖q‖² + (ŵ·p)²", gram.square(p), gram.square(q) + gap / ETA**2),
            Identity("so ‖w‖² + η²‖p‖² − ‖w'‖² = η²(ŵ·p)²", bound - gram.square(after), gap),
            NonNegative("and that is ≥ 0", bound - gram.square(after), [(ETA**2 / SQUARE, DOT)]),
        ),
        conclusion="‖w'‖² = ‖w‖² + η²‖q‖² ≤ ‖w‖² + η²‖p‖², with equality exactly for ŵ·p = 0. Rows of a view have this "
        "each, and the squared norm of a tensor is the sum over its rows.",
    )


def rows_of(step: Step, w: Array) -> list[tuple[Array, Array, Array, Array]]:
    """(w, w', p, q) of every row of a projected step, and of the whole tensor."""
    whole = [(w.reshape(-1), step.w.reshape(-1), step.p.reshape(-1), step.q.reshape(-1))]
    return whole + list(zip(*(step.view.rows(x) for x in (w, step.w, step.p, step.q)), strict=True))


def check_steps(history: list[tuple[Array, Step]]) -> None:
    """Eq. 12 and its gap for every projected step."""
    for t, (w, step) in enumerate(history):
        if step.view is View.NONE:
            continue
        gaps = []
        for w_row, after, p, q in rows_of(step, w):
            grown = w_row @ w_row + step.lr * step.lr * (q @ q)
            bound = w_row @ w_row + step.lr * step.lr * (p @ p)
            require_equal(f"‖w_{t + 1}‖²", after @ after, grown)
            require("‖w'‖² ≤ ‖w‖² + η²‖p‖²", bool(after @ after <= bound), got=(after @ after, bound))
            gaps.append(bound - after @ after)
            if len(gaps) > 1:
                radial = step.lr * (w_row @ p)
                require_equal("the gap · ‖w‖²", gaps[-1] * (w_row @ w_row), radial * radial)
        require_equal("the gap of the tensor", gaps[0], sum(gaps[1:]))


VIEWS = st.sampled_from((View.CHANNEL, View.LAYER, None))
SGDP_HYPER = st.fixed_dictionaries(
    {"lr": problems.step_sizes(), "momentum": problems.momenta(), "nesterov": st.booleans(), "view": VIEWS}
)
# β₂ = 0: √v = |g|, so that Adam is rational.
EXACT_ADAMP_HYPER = st.fixed_dictionaries(
    {
        "lr": problems.step_sizes(),
        "betas": st.tuples(problems.momenta(), st.just(EXACT.element(0))),
        "eps": problems.positive_rationals(1),
        "view": VIEWS,
    }
)
ADAMP_HYPER = st.fixed_dictionaries(
    {
        "lr": problems.step_sizes(),
        "betas": st.tuples(problems.momenta(), problems.momenta()),
        "eps": problems.positive_rationals(1),
        "view": st.sampled_from((View.CHANNEL, View.LAYER)),
    }
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, problems.Descent | problems.TensorRun]:
    """Short runs of SGDP and AdamP, and long ones of momentum GD with a projected step from each of their points.

    The digits of a projected run double at every step, those of a momentum run on a skew-symmetric field do not.
    """
    kind = draw(st.sampled_from(("momentum", "sgdp", "adamp")))
    if kind == "momentum":
        return kind, draw(problems.skew_descents(momentum=True, max_steps=100))
    return kind, draw(problems.tensor_runs(SGDP_HYPER if kind == "sgdp" else EXACT_ADAMP_HYPER))


def check_exact(problem: tuple[str, problems.Descent | problems.TensorRun]) -> None:
    """Eq. 12 on every step of a run, and on the whole run."""
    kind, run = problem
    if kind == "momentum":
        check_steps([(w, projected(w, step)) for w, step in run.run(heavy_ball)])
        return
    history = run.run(ALGORITHMS[kind])
    check_steps(history)
    if all(step.view is not View.NONE for _, step in history):
        total = sum(step.lr * step.lr * (step.q * step.q).sum() for _, step in history)
        first, last = history[0][0], history[-1][1].w
        require_equal("‖w_T‖² − ‖w_0‖²", (last * last).sum() - (first * first).sum(), total)


def projected(w: Array, step: Step) -> Step:
    """The same step with its update projected, in the layer view."""
    q = project_rows(View.LAYER, w, step.p)
    return Step(w - step.lr * q, step.state, step.p, q, step.lr, View.LAYER)


def check_ball(run: problems.TensorRun) -> None:
    """Eq. 12 and its gap on AdamP with any β₂."""
    with BALLS.context():
        for t, (w, step) in enumerate(run.run(adamp, BALLS)):
            for w_row, after, p, q in rows_of(step, w)[1:]:
                square, lr = w_row @ w_row, step.lr
                grown = square + lr * lr * (q @ q)
                gap = square + lr * lr * (p @ p) - after @ after
                radial = lr * (w_row @ p)
                require_contains(f"‖w_{t + 1}‖² − ‖w_{t}‖² − η²‖q‖²", flint.arb(after @ after - grown), 0)
                require_contains(f"the gap · ‖w_{t}‖² − η²(w·p)²", flint.arb(gap * square - radial * radial), 0)
                require("the ball is narrow", bool(flint.arb(gap).rad() < 2.0**-64))


def check_implementation(run: Run) -> list[Measurement]:
    """The norms of every projected row after a step."""
    return [found for record, view in projected_records(run) for found in measure_norms(run, record, view)]


def measure_norms(run: Run, record: Record, view: View) -> list[Measurement]:
    """‖w'‖² of the weights that the optimizer wrote, against ‖w‖² + η²‖q‖² with the exact q, and against the bound."""
    exact = run.exact(record, view)
    errors, expected = view.rows(weights_bound(run, exact)), view.rows(floats(exact.w))
    before, after = view.rows(run.field.array(record.w)), view.rows(EXACT.array(record.w_after))
    measurements = []
    with run.field.context():
        for i, (w, p, q) in enumerate(zip(before, view.rows(exact.p), view.rows(exact.q), strict=True)):
            off, got, square = squared_norm_error(expected[i], errors[i]), after[i] @ after[i], w @ w
            grown, most = square + exact.lr * exact.lr * (q @ q), square + exact.lr * exact.lr * (p @ p)
            equality = measured(f"‖w'‖², row {i}", record.index, got, grown, off)
            above = measured(f"‖w'‖² above ‖w‖² + η²‖p‖², row {i}", record.index, got, most, off)
            measurements += [equality, replace(above, error=max(0.0, as_float(got - most)))]
    return measurements


W, P = EXACT.array([[3, 4]]), EXACT.array([[-1, 2]])


def grows(predicted: Step, actual: Array) -> Refutation:
    """Eq. 12 for the update of a step, against the weights after the step."""
    return Refutation("‖w'‖²", (W * W).sum() + predicted.lr**2 * (predicted.q * predicted.q).sum(), (actual**2).sum())


def not_projected() -> Refutation:
    """The same update with its radial component."""
    step = sgdp(EXACT, W, P, lr=0.5, view=View.NONE)
    return grows(step, step.w)


def weight_decay() -> Refutation:
    """A projected step with weight decay."""
    step = sgdp(EXACT, W, P, lr=0.5, weight_decay=0.5, view=View.LAYER)
    require_equal("w·q", (W * step.q).sum(), 0)
    return grows(step, step.w)


def projected_elsewhere() -> Refutation:
    """Projected at the look-ahead point w − ηp, not at the w that is updated."""
    ahead, lr = W - P / 2, EXACT.element(0.5)
    q = project_rows(View.LAYER, ahead, P)
    return grows(Step(W - lr * q, {}, P, q, lr, View.LAYER), W - lr * q)


CLAIM = Claim(
    id="eq-12",
    title="Norm growth of projected updates",
    where="§3.1, Eq. 12",
    statement="‖w'‖² = ‖w‖² + η²‖q‖² ≤ ‖w‖² + η²‖p‖² for w' = w − ηq, q = Π_w(p); the gap is η²(ŵ·p)²",
    latex=r"\|w_{t+1}\|^2 = \|w_t\|^2 + \eta^2 \|q_t\|^2 \le \|w_t\|^2 + \eta^2 \|p_t\|^2",
    hypotheses=(
        Hypothesis("projected", "q = Π_w(p)", not_projected),
        Hypothesis("at the weights themselves", "Π is taken at the w that is updated", projected_elsewhere),
        Hypothesis("no weight decay", "λ = 0", weight_decay),
    ),
    algebra=proof,
    exact=Search(runs(), check_exact),
    ball=Search(problems.tensor_runs(ADAMP_HYPER), check_ball),
    implementation=Attack(frozenset({PROJECTION}), strategies.projected_trials, check_implementation),
    notes=(
        "Both sides are of one step: the updates of two runs, one projected and one not, are not identical, as the "
        "paper says. w = 0 counts as projected: Π_0 is the identity, and the gap is 0."
    ),
)
