"""A whole run of the spec in float64 against the same run in rationals or balls: they differ by rounding alone.

The bound runs along with the float64 run. Its numbers carry hats; e_x bounds |x̂ − x| against the exact run, element by
element, and each line adds its own rounding (:mod:`tangency.proofs_checks.errors.rounding`) to what it was given:

    a buffer      b = βb + …           e_b ← β e_b + rounding
    Eq. 10        q = Π_w(p)           e_q ≤ |Π_ŵ| e_p + ‖p‖ s + rounding, where ‖Π_w − Π_ŵ‖ = s
    the weights   w = (1 − d) w − ηq   e_w ← (1 − d) e_w + η e_q + rounding

‖Π_w − Π_ŵ‖ is the sine of the angle of w and ŵ, so that s ≤ ‖e_w‖/‖ŵ‖, and s ≤ 1. The lines of Adam amplify by what
they divide by, which :class:`Bounds` knows. Both runs are given the decision of the exact one; that float64 decides
alike, except within rounding of the threshold, is asserted on the way.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.errors import rounding
from tangency.proofs_checks.errors.rounding import (
    Bounds,
    Floats,
    bias_correction,
    bias_correction_error,
    inflate,
    norm_error,
)
from tangency.proofs_checks.generate import problems
from tangency.theory.algorithms import START, Algorithm, Step, adamp, sgdp
from tangency.theory.fields import EXACT, FLOAT64, Array, Field, balls
from tangency.theory.projection import View, looks_scale_invariant

BALLS = balls(256)
BOUNDS = Bounds(rounding.FLOAT64)
Hyper = dict[str, Any]


def norm(x: Floats) -> float:
    """An upper bound of ‖x‖."""
    return norm_error(np.abs(x).ravel())


def momentum_error(hyper: Hyper, g: Floats, before: dict[str, Floats], step: Step, e: dict[str, Floats]) -> Floats:
    """The errors of the buffer and of p, SGDP."""
    beta, kept = hyper["momentum"], 1 - hyper["dampening"]
    own = BOUNDS.blend(beta, before.get("momentum_buffer", 0 * g), kept, g)
    e["momentum_buffer"] = inflate(own + beta * e.get("momentum_buffer", 0 * g), 3)
    if not hyper["nesterov"]:
        return e["momentum_buffer"]
    return BOUNDS.blend(1.0, g, beta, step.state["momentum_buffer"], e["momentum_buffer"])


def adam_error(hyper: Hyper, g: Floats, before: dict[str, Floats], step: Step, e: dict[str, Floats]) -> Floats:
    """The errors of both moments and of p, AdamP with bias correction."""
    (beta1, beta2), t, zero = hyper["betas"], step.state["step"], 0 * g
    own = BOUNDS.blend(beta1, before.get("exp_avg", zero), 1 - beta1, g)
    e["exp_avg"] = inflate(own + beta1 * e.get("exp_avg", zero), 3)
    own = BOUNDS.blend(beta2, before.get("exp_avg_sq", zero), 1 - beta2, g * g, BOUNDS.square(g))
    e["exp_avg_sq"] = inflate(own + beta2 * e.get("exp_avg_sq", zero), 3)
    m, m_error, v = step.state["exp_avg"], e["exp_avg"], step.state["exp_avg_sq"]
    if hyper["nesterov"]:
        m, m_error = beta1 * m + (1 - beta1) * g, BOUNDS.blend(1 - beta1, g, beta1, m, m_error)
    d_error = BOUNDS.denominator(v, e["exp_avg_sq"], beta2, t, hyper["eps"])
    return BOUNDS.quotient(m, m_error, np.sqrt(v / bias_correction(beta2, t)) + hyper["eps"], d_error)


def projection_error(view: View, w: Floats, p: Floats, e_w: Floats, e_p: Floats) -> Floats:
    """The error of q."""
    if view is View.NONE:
        return e_p
    result = e_p.copy()
    rows = zip(*(view.rows(x) for x in (result, w, p, e_w, e_p)), strict=True)
    for row, w_row, p_row, w_error, p_error in rows:
        off, length = norm(w_error), math.sqrt(float(w_row @ w_row))
        sine = 0.0 if off == 0 else min(1.0, off / length) if length else 1.0
        row[:] = inflate(BOUNDS.project(w_row, p_row, p_error) + (norm(p_row) + norm(p_error)) * sine, len(w_row) + 8)
    return result


def decides_alike(step: Step, w: Floats, g: Floats, e_w: Floats, delta: float) -> bool:
    """Whether float64 answers Eq. 11 as the exact run did, in every row that neither rounding nor e_w leaves open."""
    for view in (View.CHANNEL, View.LAYER) if w.ndim > 1 else ():
        answers = []
        for w_row, g_row, error in zip(*(view.rows(x) for x in (w, g, e_w)), strict=True):
            answer = looks_scale_invariant(FLOAT64, w_row, g_row, delta)
            if w_row.any() and g_row.any():
                gap, slack = BOUNDS.cosine_gap(w_row, g_row, delta)
                turned = norm(error) / np.abs(w_row).max() * norm(g_row) / np.abs(g_row).max()
                if abs(gap) <= slack + turned * (1 + delta) * (1 + rounding.FLOAT64.gamma(8)):
                    return True  # open: nothing to compare
            elif norm(error) > 0:
                return True
            answers.append(answer)
        if all(answers):
            return step.view is view
    return step.view is View.NONE


def worst_share(algorithm: Algorithm, exact_field: Field, run: problems.TensorRun, **mistake: Any) -> float:
    """The largest |ŵ − w| of a run, as a share of its bound; ``mistake`` is changed in the float64 run alone."""
    hyper: Hyper = {**run.hyper, "nesterov": run.hyper.get("nesterov", False)}
    adaptive = algorithm is adamp
    w, state = FLOAT64.array(run.w), START
    exact_w, exact_state = exact_field.array(w), START
    e: dict[str, Floats] = {}
    e_w, worst = 0 * w, 0.0
    for values in run.gradients:
        g = FLOAT64.array(values)
        exact = algorithm(exact_field, exact_w, exact_field.array(g), exact_state, **hyper)
        step = algorithm(FLOAT64, w, g, state, view=exact.view, **{**hyper, **mistake})
        assert mistake or decides_alike(exact, w, g, e_w, hyper["delta"])
        e_p = (adam_error if adaptive else momentum_error)(hyper, g, dict(state), step, e)
        e_q = projection_error(exact.view, w, step.p, e_w, e_p)
        decay = hyper["lr"] * hyper["weight_decay"] * (1 if exact.view is View.NONE else hyper["wd_ratio"])
        decay /= 1 if adaptive else 1 - hyper["momentum"]
        lr_error = bias_correction_error(hyper["betas"][0], step.state["step"]) if adaptive else 0.0
        # 1 − d is evaluated here as well, and cancels for d near 1.
        kept = abs(1 - decay) + rounding.FLOAT64.gamma(6) * (1 + decay)
        e_w = inflate(BOUNDS.update(w, decay, float(step.lr), step.q, e_q, lr_error) + kept * e_w, 4)
        worst = max(worst, share(exact_field, step.w, exact.w, e_w))
        w, state, exact_w, exact_state = step.w, step.state, exact.w, exact.state
    return worst


def share(field: Field, got: Floats, exact: Array, bound: Floats) -> float:
    """The largest |got − exact| / bound; the distance is taken in the exact field."""
    with field.context():
        gaps = [abs(x) for x in (field.array(got) - exact).flat]
        sizes = [float(x.upper()) if hasattr(x, "upper") else int(x.p) / int(x.q) for x in gaps]
    pairs = zip(sizes, bound.flat, strict=True)
    return max((0.0 if size == 0 else size / limit if limit else math.inf for size, limit in pairs), default=0.0)


def floating(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[float]:
    """The float64 next to a rational."""
    return strategy.map(FLOAT64.element)


SHARED: dict[str, st.SearchStrategy[Any]] = {
    "lr": floating(problems.step_sizes()),
    "nesterov": st.booleans(),
    "weight_decay": floating(problems.rationals(0, 1)),
    "delta": floating(problems.rationals(0, 2, 10)),
    "wd_ratio": floating(problems.rationals(0, 1)),
}
SGDP_RUNS = problems.tensor_runs(
    st.fixed_dictionaries(
        {**SHARED, "momentum": floating(problems.momenta()), "dampening": st.sampled_from([0.0, 0.1, 1.0])}
    )
)
ADAMP_RUNS = problems.tensor_runs(
    st.fixed_dictionaries(
        {
            **SHARED,
            "betas": st.tuples(floating(problems.momenta()), floating(problems.momenta())),
            "eps": st.sampled_from([1e-8, 0.5]),
        }
    )
)


@given(SGDP_RUNS)
def test_sgdp_differs_from_the_rationals_by_rounding(run: problems.TensorRun) -> None:
    assert worst_share(sgdp, EXACT, run) <= 1


@given(ADAMP_RUNS)
def test_adamp_differs_from_the_balls_by_rounding(run: problems.TensorRun) -> None:
    assert worst_share(adamp, BALLS, run) <= 1


def long_run(steps: int, hyper: Hyper) -> problems.TensorRun:
    """Rows (a, b) and gradients that turn from orthogonal to parallel: some steps project, some do not."""
    w = np.array([[3.0, 4.0], [5.0, 12.0]])
    turned = np.stack([-w[:, 1], w[:, 0]], axis=-1)
    gradients = tuple(turned * (-1.0) ** (t // 2) + (w if t % 3 == 2 else 0) for t in range(steps))
    return problems.TensorRun(w, gradients, hyper)


COMMON: Hyper = {"lr": 0.01, "weight_decay": 0.1, "delta": 0.1, "wd_ratio": 0.1}
SGDP_LONG = long_run(20, {**COMMON, "momentum": 0.9, "dampening": 0.0})
ADAMP_LONG = long_run(20, {**COMMON, "betas": (0.9, 0.999), "eps": 1e-8})


@pytest.mark.parametrize(("algorithm", "field", "run"), [(sgdp, EXACT, SGDP_LONG), (adamp, BALLS, ADAMP_LONG)])
def test_twenty_steps(algorithm: Algorithm, field: Field, run: problems.TensorRun) -> None:
    """Both decisions occur, and the bound still holds."""
    views = {step.view for _, step in run.run(algorithm, FLOAT64)}
    assert View.NONE in views
    assert len(views) > 1
    assert 0 < worst_share(algorithm, field, run) <= 1


@pytest.mark.parametrize(
    ("algorithm", "field", "run", "mistake"),
    [
        (sgdp, EXACT, SGDP_LONG, {"lr": 0.01 * (1 + 2.0**-34)}),
        (sgdp, EXACT, SGDP_LONG, {"momentum": 0.9 * (1 + 2.0**-34)}),
        (sgdp, EXACT, SGDP_LONG, {"wd_ratio": 0.1 * (1 + 2.0**-20)}),
        (sgdp, EXACT, SGDP_LONG, {"dampening": 2.0**-34}),
        (sgdp, EXACT, SGDP_LONG, {"nesterov": True}),
        (adamp, BALLS, ADAMP_LONG, {"lr": 0.01 * (1 + 2.0**-34)}),
        (adamp, BALLS, ADAMP_LONG, {"betas": (0.9 * (1 + 2.0**-34), 0.999)}),
        (adamp, BALLS, ADAMP_LONG, {"betas": (0.9, 0.999 * (1 - 2.0**-34))}),
        (adamp, BALLS, ADAMP_LONG, {"eps": 1.001e-8}),
        (adamp, BALLS, ADAMP_LONG, {"bias_correction": False}),
    ],
)
def test_the_bound_sees_small_mistakes(
    algorithm: Algorithm, field: Field, run: problems.TensorRun, mistake: Hyper
) -> None:
    """A share of 2⁻³⁴ in one hyper-parameter is no rounding, nor is an ε that is off in its fourth digit."""
    assert worst_share(algorithm, field, run, **mistake) > 1
