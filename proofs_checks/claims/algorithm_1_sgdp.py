"""Algorithm 1, SGDP (§3.1), with the decoupled weight decay of E.1.

    p_t ← β p_{t−1} + ∇f_t(w_t);  q_t by Eq. 11;  w_{t+1} ← w_t − η q_t

The claim is the algorithm, step for step: the buffer, the view that decides, the projection, the weight decay. The
executable spec is compared with an independent closed form of each of its lines; a real optimizer is compared with the
spec one step at a time, each from the optimizer's own state.
"""

from collections.abc import Sequence
from typing import Any

import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.theory.algorithms import Algorithm
from tangency.theory.projection import VIEWS, view_of

ETA, BETA, LAMBDA, RHO, TAU = sympy.symbols("η β λ r τ", positive=True)


def radial_factor(beta: sympy.Expr = BETA) -> sympy.Expr:
    """The factor of w in a projected step: 1 − ηλr/(1 − β)."""
    return 1 - ETA * LAMBDA * RHO / (1 - beta)


def proof(factor: sympy.Expr | None = None) -> Proof:
    """The buffer unrolled, and the radial motion of a projected step; ``factor`` is the claimed radial factor."""
    claimed = radial_factor() if factor is None else factor
    gram = Gram("w p")
    w, p = gram.vectors
    q = p - gram.dot(w, p) / gram.square(w) * w
    after = radial_factor() * w - ETA * q
    total, g = sympy.symbols("G_t g_{t+1}")
    buffer = (1 - TAU) * total
    return Proof(
        method="Induction on t for the buffer; Gram algebra, in any dimension, for the step.",
        given=(
            Given("p_t = β p_{t−1} + (1 − τ) g_t with p_{−1} = 0, τ the dampening (Eq. 7 for τ = 0)"),
            Given("G_t = Σ_{k≤t} β^{t−k} g_k, so that G_{t+1} = β G_t + g_{t+1}"),
            Given("a projected step: q = Π_w(p) (Eq. 10), w' = (1 − ηλr/(1−β)) w − ηq (E.1)", q),
        ),
        steps=(
            Identity(
                "base: p_0 = (1 − τ) g_0 = (1 − τ) G_0", BETA * 0 + (1 - TAU) * g, (1 - TAU) * g, theorem="start_of"
            ),
            Identity(
                "step: if p_t = (1 − τ) G_t then p_{t+1} = (1 − τ) G_{t+1}",
                BETA * buffer + (1 - TAU) * g,
                (1 - TAU) * (BETA * total + g),
                theorem=NotApplicable("heavy_ball_run has the buffer by its recursion; nothing rests on the sum"),
            ),
            Identity("the update is tangent: ⟨w, q⟩ = 0", gram.dot(w, q), 0, theorem="project_tangent"),
            Identity(
                "only the decay moves w radially: ⟨w, w'⟩ = (1 − ηλr/(1−β)) ‖w‖²",
                gram.dot(w, after),
                claimed * gram.square(w),
                theorem="algorithm_1",
            ),
            Identity(
                "‖w'‖² = (1 − ηλr/(1−β))² ‖w‖² + η² ‖q‖²; for λ = 0 this is Eq. 12",
                gram.square(after),
                claimed**2 * gram.square(w) + ETA**2 * gram.square(q),
                theorem="sgdp_is_eq_12",
            ),
            Identity(
                "why 1/(1 − β): it is the decay that a constant term λw adds up to in a momentum buffer, p = βp + λw",
                BETA * LAMBDA * w / (1 - BETA) + LAMBDA * w,
                LAMBDA * w / (1 - BETA),
                theorem=NotApplicable("it says why the paper divides so; algorithm_1 has the line as it is"),
            ),
        ),
        conclusion="p_t = (1 − τ) Σ_{k≤t} β^{t−k} g_k; a projected step changes the norm by its decay and by η²‖q‖².",
    )


def passes(w: Array, g: Array, delta: Any, view: View) -> bool:
    """Eq. 11 of a view, written independently of the spec: the largest squared cosine against δ²/dim."""
    rows = list(zip(view.rows(w), view.rows(g), strict=True))
    cosines = [0 if not any(a) or not any(b) else (a @ b) ** 2 / ((a @ a) * (b @ b)) for a, b in rows]
    return bool(delta**2 / EXACT.element(len(rows[0][0])) > max(cosines))


def expected_view(w: Array, g: Array, delta: Any, views: Sequence[str | int] = VIEWS) -> View:
    """The view that Algorithm 1 projects through."""
    if w.ndim < 2:
        return View.NONE
    return next((view for view in map(view_of, views) if passes(w, g, delta, view)), View.NONE)


def require_projection(w: Array, step: Step) -> None:
    """q is p without its radial component: tangent, and p − q ∥ w, in every row of the view (Eq. 10)."""
    if step.view == View.NONE:
        require_equal("q without projection", step.q, step.p)
        return
    for w_row, p, q in zip(*(step.view.rows(x) for x in (w, step.p, step.q)), strict=True):
        require_equal("w·q", w_row @ q, 0)
        require_equal("(p − q) − its component along w", (p - q) * (w_row @ w_row), (w_row @ (p - q)) * w_row)


def check_exact(run: problems.TensorRun) -> None:
    """Every line of Algorithm 1 against its closed form."""
    beta, tau = run.hyper["momentum"], run.hyper["dampening"]
    for t, (w, step) in enumerate(run.run(sgdp)):
        g = run.gradients[t]
        total = sum((beta ** (t - k) * run.gradients[k] for k in range(t + 1)), start=0 * g)
        require_equal(f"p_{t}", step.state["momentum_buffer"], (1 - tau) * total)
        require_equal(
            f"update {t}", step.p, g + beta * (1 - tau) * total if run.hyper["nesterov"] else (1 - tau) * total
        )
        require_equal(f"view {t}", step.view, expected_view(w, g, run.hyper["delta"], run.views))
        require_projection(w, step)
        ratio = 1 if step.view == View.NONE else run.hyper["wd_ratio"]
        shrunk = run.hyper["lr"] * run.hyper["weight_decay"] * ratio / (1 - beta)
        require_equal(f"w_{t + 1}", step.w, w - shrunk * w - run.hyper["lr"] * step.q)


EXACT_HYPER = st.fixed_dictionaries(
    {
        "lr": problems.step_sizes(),
        "momentum": problems.momenta(),
        "dampening": st.sampled_from([EXACT.element(0), EXACT.element(0.5), EXACT.element(1)]),
        "nesterov": st.booleans(),
        "weight_decay": problems.rationals(0, 1),
        "delta": problems.rationals(0, 2, 10),
        "wd_ratio": problems.rationals(0, 1),
    }
)


def check_implementation(run: Run) -> list[Measurement]:
    """Weights, buffer and decision of every step, against the exact step from the optimizer's own state."""
    return [measurement for record in run.records for measurement in measure_step(run, record)]


W = EXACT.array([[2, 1], [1, 3]])
HYPER: dict[str, Any] = {"lr": 0.5, "momentum": 0.5}


def with_projected_state(algorithm: Algorithm, buffer: str, **hyper: Any) -> Refutation:
    """From rest: a radial gradient, then an orthogonal one; the third step differs if the buffer was projected."""
    first = algorithm(EXACT, W, W, **hyper)
    second = algorithm(EXACT, first.w, turned(first.w), first.state, **hyper)
    require("the second step is projected", second.view == View.CHANNEL)
    g = turned(second.w)
    right = algorithm(EXACT, second.w, g, second.state, **hyper)
    wrong = algorithm(EXACT, second.w, g, {**second.state, buffer: second.q}, **hyper)
    return Refutation("w_3", right.w.tolist(), wrong.w.tolist())


def nonzero_start() -> Refutation:
    """From p_{−1} ≠ 0 the buffer is not Σ β^{t−k} g_k."""
    step = sgdp(EXACT, W, turned(W), {"momentum_buffer": W}, **HYPER)
    return Refutation("p_0", turned(W).tolist(), step.state["momentum_buffer"].tolist())


def one_dimensional() -> Refutation:
    """A vector is not projected, though its gradient is orthogonal: the buffer's radial component stays."""
    first = sgdp(EXACT, W[0], W[0], **HYPER)
    second = sgdp(EXACT, first.w, turned(first.w), first.state, **HYPER)
    return Refutation("w·q", 0, first.w @ second.q)


def momentum_one() -> Refutation:
    """At β = 1 the factor 1/(1 − β) does not exist: no weight decay is possible."""
    try:
        sgdp(EXACT, W, turned(W), lr=0.5, momentum=1, weight_decay=0.5)
    except ZeroDivisionError:
        return Refutation("w_1", heavy_ball(EXACT, W, turned(W), **HYPER).w.tolist(), "undefined")
    return Refutation("w_1", "defined", "defined")


CLAIM = Claim(
    id="algorithm-1",
    title="SGDP, step for step",
    where="§3.1, Algorithm 1; E.1",
    severity=Severity.ALGORITHM,
    statement=(
        "p_t = βp_{t−1} + (1−τ)g_t; q_t = Π_w(p_t) in the first view (channel, layer, or of one's own choice) all "
        "of whose rows have cos(w_t, g_t) < δ/√dim, else p_t; w_{t+1} = (1 − ηλr/(1−β)) w_t − ηq_t"
    ),
    latex=(
        r"p_t = \beta p_{t-1} + (1-\tau) g_t,\quad "
        r"q_t = \begin{cases}\Pi_{w_t}(p_t) & \cos(w_t, g_t) < \delta/\sqrt{\dim w}\\ "
        r"p_t & \text{otherwise}\end{cases},"
        r"\quad w_{t+1} = \Bigl(1 - \tfrac{\eta\lambda r}{1-\beta}\Bigr) w_t - \eta q_t"
    ),
    hypotheses=(
        Hypothesis(
            "unprojected buffer",
            "the buffer carries p_t, not q_t",
            lambda: with_projected_state(sgdp, "momentum_buffer", **HYPER),
        ),
        Hypothesis("zero start", "p_{−1} = 0", nonzero_start),
        Hypothesis("two dimensions", "w has at least two dimensions, else it is never projected", one_dimensional),
        Hypothesis("β < 1", "weight decay needs β < 1", momentum_one),
    ),
    kernel=Statement(
        "algorithm_1_sgdp",
        (),
        more=(
            *("algorithm_1", "sgdp_is_eq_12", "sgdp_is_momentum", "sgdp_is_gd", "sgdp_projects"),
            *("heavy_ball_run", "nesterov_run"),
        ),
    ),
    algebra=proof,
    exact=Search(problems.tensor_runs(EXACT_HYPER, views=True), check_exact),
    ball=NotApplicable("SGDP is a rational function of its inputs (Eq. 11 squared): the exact rung covers it"),
    implementation=Attack(frozenset({HEAVY_BALL, PROJECTION}), strategies.steps, check_implementation),
    notes="The paper prints no dampening and no Nesterov momentum; both are the published package's.",
)
