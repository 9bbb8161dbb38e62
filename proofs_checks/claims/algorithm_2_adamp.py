"""Algorithm 2, AdamP (§3.1), with the decoupled weight decay of E.1.

    m_t ← β₁m_{t−1} + (1−β₁)g_t;  v_t ← β₂v_{t−1} + (1−β₂)g_t²;  p_t ← m_t/(√v_t + ε)
    q_t by Eq. 11;  w_{t+1} ← w_t − ηq_t

The paper prints no bias correction; the published code has it, as √v_t/√(1−β₂ᵗ) and η/(1−β₁ᵗ). Both are legitimate, and
the proof shows that one becomes the other when η and ε are rescaled. √v needs balls, except where it is rational: at
β₂ = 0, and for gradients of constant magnitude under bias correction, where the balls must contain the exact values.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims.algorithm_1_sgdp import (
    W,
    check_implementation,
    expected_view,
    require_projection,
    with_projected_state,
)

BALLS = balls(128)

ETA, EPS, B1, B2, C = sympy.symbols("η ε β₁ β₂ c", positive=True)
T = sympy.Symbol("t", integer=True, positive=True)


def proof(epsilon_scale: sympy.Expr | None = None) -> Proof:
    """Bias correction rescales η and ε; ``epsilon_scale`` is the claimed factor of ε in the printed form."""
    beta, m, s = sympy.symbols("β m √v", positive=True)
    root = sympy.Symbol("√(1−β₂ᵗ)", positive=True)
    scale = root if epsilon_scale is None else epsilon_scale
    published = ETA / (1 - B1**T) * m / (s / root + EPS)
    printed = (ETA * root / (1 - B1**T)) * m / (s + EPS * scale)
    weights = 1 - beta**T
    gram = Gram("w p")
    w, p = gram.vectors
    q = p - gram.dot(w, p) / gram.square(w) * w
    return Proof(
        method="Induction on t for the moving averages; one rational identity for each of the rest.",
        given=(
            Given("m_t = Σ_{k=1}^{t} (1−β) β^{t−k} g_k, and v_t the same of g²; S_t is the sum of these weights"),
            Given("p_t = m_t/(√v_t/√(1−β₂ᵗ) + ε), step size η/(1−β₁ᵗ): the published form", published),
        ),
        steps=(
            Identity(
                "base: S_1 = 1 − β",
                1 - beta,
                weights.subs(T, 1),
                theorem=NotApplicable("algorithm_2 has the moments by their recursion, and says nothing of averages"),
            ),
            Identity(
                "step: if S_t = 1 − βᵗ then S_{t+1} = 1 − β^{t+1}",
                beta * weights + (1 - beta),
                1 - beta ** (T + 1),
                theorem=NotApplicable("algorithm_2 has the moments by their recursion, and says nothing of averages"),
            ),
            Identity(
                "so dividing by 1 − βᵗ makes m_t and v_t averages: a constant g gives m_t/(1−β₁ᵗ) = g",
                weights * C / (1 - beta**T),
                C,
                theorem=NotApplicable("algorithm_2 has the moments by their recursion, and says nothing of averages"),
            ),
            Identity(
                "the published step is the printed one with η√(1−β₂ᵗ)/(1−β₁ᵗ) and ε√(1−β₂ᵗ) for η and ε",
                published,
                printed,
                theorem=NotApplicable("adam_update has the published form alone"),
            ),
            Identity(
                "p ignores the scale of the gradient if ε scales along: c g, c ε",
                C * m / (C * s + C * EPS),
                m / (s + EPS),
                theorem=NotApplicable("nothing rests on it"),
            ),
            Identity(
                "a projected step without weight decay, q = Π_w(p), is one of Eq. 12: ‖w'‖² = ‖w‖² + η²‖q‖²",
                gram.square(w - ETA * q),
                gram.square(w) + ETA**2 * gram.square(q),
                theorem="adamp_is_eq_12",
            ),
        ),
        conclusion="Both forms run the same lines; bias correction rescales η and ε by factors that tend to 1.",
    )


def reference(run: problems.TensorRun) -> Iterator[Step]:
    """The exact steps where √v_t/√(1−β₂ᵗ) = |g_t|: at β₂ = 0, and where |g| is the same at every step."""
    w, hyper, beta1 = run.w, run.hyper, run.hyper["betas"][0]
    for t, g in enumerate(run.gradients):
        m = sum(((1 - beta1) * beta1 ** (t - k) * run.gradients[k] for k in range(t + 1)), start=0 * g)
        p = (beta1 * m + (1 - beta1) * g if hyper["nesterov"] else m) / (abs(g) + hyper["eps"])
        view = expected_view(w, g, hyper["delta"], run.views)
        q = p if view == View.NONE else project_rows(view, w, p)
        ratio = 1 if view == View.NONE else hyper["wd_ratio"]
        step_size = hyper["lr"] / (1 - beta1 ** (t + 1))
        w = (1 - hyper["lr"] * hyper["weight_decay"] * ratio) * w - step_size * q
        yield Step(w, {"exp_avg": m}, p, q, step_size, view)


def check_exact(run: problems.TensorRun) -> None:
    """Every line of the spec against its closed form at β₂ = 0."""
    for t, ((w, step), exact) in enumerate(zip(run.run(adamp), reference(run), strict=True)):
        require_equal(f"v_{t}", step.state["exp_avg_sq"], run.gradients[t] ** 2)
        require_equal(f"m_{t}", step.state["exp_avg"], exact.state["exp_avg"])
        require_equal(f"p_{t}", step.p, exact.p)
        require_equal(f"view {t}", step.view, exact.view)
        require_projection(w, step)
        require_equal(f"w_{t + 1}", step.w, exact.w)


def check_ball(run: problems.TensorRun) -> None:
    """The balls of every step contain the exact values, for any β₂, on gradients of constant magnitude."""
    size = abs(run.gradients[0]) + 1
    signs = [np.where(g < 0, -1, 1) for g in run.gradients]
    run = replace(run, gradients=tuple(size * sign for sign in signs))
    w, state = BALLS.array(run.w), START
    for t, exact in enumerate(reference(run)):
        g = BALLS.array(run.gradients[t])
        # Only a tie of Eq. 11 is undecided in balls: there the exact decision is used.
        with BALLS.context(), suppress(UndecidedView):
            require_equal(f"view {t}", choose_view(BALLS, w, g, run.hyper["delta"], run.views), exact.view)
        step = adamp(BALLS, w, g, state, view=exact.view, **run.hyper)
        for name, got, true in (("p", step.p, exact.p), ("q", step.q, exact.q), ("w", step.w, exact.w)):
            for index in np.ndindex(got.shape):
                require_contains(f"{name}_{t}{list(index)}", got[*index], true[index])
        w, state = step.w, step.state


def hyper(beta2: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Hyper-parameters of AdamP, rational."""
    return st.fixed_dictionaries(
        {
            "lr": problems.step_sizes(),
            "betas": st.tuples(problems.momenta(), beta2),
            "eps": problems.positive_rationals(1, 100),
            "nesterov": st.booleans(),
            "weight_decay": problems.rationals(0, 1),
            "delta": problems.rationals(0, 2, 10),
            "wd_ratio": problems.rationals(0, 1),
        }
    )


HYPER: dict[str, Any] = {"lr": 0.5, "betas": (0.5, 0), "eps": 0.5}  # β₂ = 0: exact


def nonzero_start() -> Refutation:
    """From m_0 ≠ 0 a constant gradient does not give m_t/(1−β₁ᵗ) = g."""
    step = adamp(EXACT, W, turned(W), {"step": 0, "exp_avg": W}, **HYPER)
    return Refutation("m_1/(1−β₁)", turned(W).tolist(), (step.state["exp_avg"] * 2).tolist())


def no_epsilon() -> Refutation:
    """At ε = 0 an element whose gradients were all zero has p = 0/0."""
    try:
        adamp(EXACT, W, 0 * W, lr=0.5, betas=(0.5, 0), eps=0)
    except ZeroDivisionError:
        return Refutation("w_1", W.tolist(), "undefined")
    return Refutation("w_1", "defined", "defined")


CLAIM = Claim(
    id="algorithm-2",
    title="AdamP, step for step",
    where="§3.1, Algorithm 2; E.1",
    severity=Severity.ALGORITHM,
    statement=(
        "m_t = β₁m_{t−1} + (1−β₁)g_t; v_t = β₂v_{t−1} + (1−β₂)g_t²; p_t = m_t/(√v_t + ε), bias-corrected as published; "
        "q_t by Eq. 11; w_{t+1} = (1 − ηλr) w_t − ηq_t"
    ),
    latex=(
        r"m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad "
        r"p_t = \frac{m_t}{\sqrt{v_t} + \varepsilon},\quad w_{t+1} = (1-\eta\lambda r) w_t - \eta q_t"
    ),
    hypotheses=(
        Hypothesis(
            "unprojected moment",
            "m_t averages gradients, not projected updates",
            lambda: with_projected_state(adamp, "exp_avg", **HYPER),
        ),
        Hypothesis("zero start", "m_0 = v_0 = 0", nonzero_start),
        Hypothesis("ε > 0", "ε > 0, unless every element has had a gradient", no_epsilon),
    ),
    kernel=Statement("algorithm_2_adamp", (), more=("algorithm_2", "adamp_is_eq_12")),
    algebra=proof,
    exact=Search(problems.tensor_runs(hyper(st.just(EXACT.element(0))), views=True), check_exact),
    ball=Search(problems.tensor_runs(hyper(problems.momenta())), check_ball),
    implementation=Attack(frozenset({ADAPTIVE, PROJECTION}), strategies.steps, check_implementation),
    notes="Algorithm 2 prints no bias correction and no weight decay; both are the published package's (E.1).",
)
