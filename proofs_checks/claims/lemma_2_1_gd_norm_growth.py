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
            Identity("‖w'‖² = ‖w‖² + η²‖p‖²", gram.square(after), gram.square(w) + claimed, theorem="tangent_step"),
            NonNegative(
                "norms never shrink", gram.square(after) - gram.square(w), [(gram.square(p), ETA)], theorem="lemma_2_1"
            ),
        ),
        conclusion="‖w_{t+1}‖² = ‖w_t‖² + η²‖p_t‖² ≥ ‖w_t‖², in every dimension and at every t.",
    )


def values(descent: problems.Descent) -> Values:
    """A run of gradient descent as the statement's letters."""
    history = descent.run(gd)
    return {
        "f": Gradients(descent.gradient, [w for w, _ in history]),
        "η": history[0][1].lr,
        "w": [*(w for w, _ in history), history[-1][1].w],
        "p": [step.p for _, step in history],
    }


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


W = EXACT.array([3, 4])
NO_GRADIENT = Gradients(lambda w: 0 * w, [])


def not_invariant() -> Values:
    """The gradient of ‖w‖²/2, which is not scale-invariant, lies along w and shrinks it."""
    return values(problems.Descent(W, lambda w: w, 1, {"lr": 0.5}))


def with_momentum() -> Values:
    """An update that is not the gradient, but what momentum kept of an earlier one along w."""
    step = heavy_ball(EXACT, W, 0 * W, {"momentum_buffer": W}, lr=0.5, momentum=0.5)
    return {"f": NO_GRADIENT, "η": step.lr, "w": [W, step.w], "p": [step.p]}


def with_weight_decay() -> Values:
    """A step that weight decay shortens."""
    step = sgdp(EXACT, W, 0 * W, lr=0.5, weight_decay=0.5)
    return {"f": NO_GRADIENT, "η": step.lr, "w": [W, step.w], "p": [step.p]}


(f,) = variables("f", "E -> R")
(η,) = variables("η", "R")
w, p = variables("w p", "nat -> E")
(t,) = variables("t", "nat")

STATEMENT = Statement(
    "lemma_2_1_gd_norm_growth",
    (
        Theorem(
            "lemma_2_1",
            (f, η, w, p),
            given=(
                Hypothesis("scale_invariant", function("scale_invariant", f), not_invariant),
                Hypothesis("no_momentum", every(t, function("gradient", f, w[t], p[t])), with_momentum),
                Hypothesis("update", every(t, equal(w[t + 1], w[t] - η * p[t])), with_weight_decay),
            ),
            says=(
                every(t, equal(square(w[t + 1]), square(w[t]) + η**2 * square(p[t]))),
                every(t, square(w[t]) <= square(w[t + 1])),
            ),
        ),
    ),
)

CLAIM = Claim(
    id="lemma-2.1",
    title="Norm growth by GD",
    where="§2.3, Lemma 2.1",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(
        st.one_of(problems.skew_descents(momentum=False), objective_descents(momentum=False)), STATEMENT, values
    ),
    ball=NotApplicable("both sides are rational functions of w, η and the gradient: the exact rung covers them"),
    implementation=Attack(
        frozenset({HEAVY_BALL}),
        lambda subject: orthogonal_trials(subject, momentum=0.0, dampening=0.0, nesterov=False),
        check_implementation,
    ),
)
