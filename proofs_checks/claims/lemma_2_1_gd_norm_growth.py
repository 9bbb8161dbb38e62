"""Lemma 2.1, norm growth by GD (§2.3; Lemma 2.4 of Arora et al. 2019).

For a scale-invariant w and p_t = ∇f(w_t):  ‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖².  So norms never shrink.
"""

import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.theory.norm_growth import gd_growth

ETA = sympy.Symbol("η", positive=True)


def proof(growth: sympy.Expr | None = None) -> Proof:
    """One line of Gram algebra; ``growth`` is the claimed growth, in η and ‖p‖²."""
    gram = Gram("w p", relations={("w", "p"): 0})
    w, p = gram.vectors
    claimed = gd_growth(ETA, gram.square(p)) if growth is None else growth
    after = w - ETA * p
    return Proof(
        method="Gram algebra, in any dimension.",
        given=(Given("⟨w, p⟩ = 0, since p = ∇f(w) and f is scale-invariant (Eq. 4)"), Given("w' = w − ηp (Eq. 3)")),
        steps=(
            Identity("‖w'‖² = ‖w‖² + η²‖p‖²", gram.square(after), gram.square(w) + claimed),
            NonNegative("norms never shrink", gram.square(after) - gram.square(w), [(gram.square(p), ETA)]),
        ),
        conclusion="‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² ≥ ‖w_t‖², in every dimension and at every t.",
    )


def check_exact(descent: problems.Descent) -> None:
    """Every step of a run of gradient descent."""
    for t, (w, step) in enumerate(descent.run(gd)):
        growth = step.w @ step.w - w @ w
        require_equal(f"‖w_{t + 1}‖² − ‖w_{t}‖²", growth, gd_growth(step.lr, step.p @ step.p))
        require(f"‖w_{t + 1}‖ ≥ ‖w_{t}‖", bool(growth >= 0), got=growth)


def check_implementation(run: Run) -> list[Measurement]:
    """The growth of ‖w‖² in every step of SGDP without momentum and projection, which is gradient descent."""
    lr = rational(run.hyper["lr"])
    return [
        measured(
            "‖w'‖² − ‖w‖²",
            step.record.index,
            step.after @ step.after - step.w @ step.w,
            gd_growth(lr, step.p @ step.p),
            step.growth_bound,
        )
        for step in norm_steps(run)
    ]


W, TURNED = EXACT.array([3, 4]), problems.SkewField(((1, 1),))


def not_orthogonal() -> Refutation:
    """The gradient of ‖w‖²/2, which is not scale-invariant, lies along w and shrinks it."""
    step = gd(EXACT, W, W, lr=0.5)
    return Refutation("‖w'‖² − ‖w‖²", gd_growth(step.lr, W @ W), step.w @ step.w - W @ W)


def with_momentum() -> Refutation:
    """Orthogonal gradients, but an update with momentum: Lemma 2.2 has one term more."""
    _, (w, step) = problems.Descent(W, TURNED, 2, {"lr": 0.5, "momentum": 0.5}).run(heavy_ball)
    require_equal("w·∇f(w)", w @ TURNED(w), 0)
    return Refutation("‖w_2‖² − ‖w_1‖²", gd_growth(step.lr, step.p @ step.p), step.w @ step.w - w @ w)


CLAIM = Claim(
    id="lemma-2.1",
    title="Norm growth by GD",
    where="§2.3, Lemma 2.1",
    statement="‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² for p_t = ∇f(w_t) and scale-invariant f; norms never shrink",
    latex=r"\|w_{t+1}\|^2 = \|w_t\|^2 + \eta^2 \|p_t\|^2",
    hypotheses=(
        Hypothesis("orthogonal gradient", "w_t·∇f(w_t) = 0 (Eq. 4)", not_orthogonal),
        Hypothesis("no momentum", "p_t is the gradient itself", with_momentum),
    ),
    algebra=proof,
    exact=Search(st.one_of(problems.skew_descents(momentum=False), objective_descents(momentum=False)), check_exact),
    ball=NotApplicable("both sides are rational functions of w, η and the gradient: the exact rung covers them"),
    implementation=Attack(
        frozenset({HEAVY_BALL}),
        lambda subject: orthogonal_trials(subject, momentum=0.0, dampening=0.0, nesterov=False),
        check_implementation,
    ),
)
