"""A whole run of the spec in float64 against the same run in rationals or balls: they differ by rounding alone.

The bound comes with the exact run, over numbers that carry the rounding of float64 from step to step. Both runs are
given the decision of the exact one; that float64 decides alike, except within rounding of the threshold, is asserted on
the way.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.theory.algorithms import START, Algorithm, adamp, sgdp
from tangency.theory.fields import EXACT, FLOAT64, Array, Field, balls
from tangency.theory.formats import FLOAT64 as BINARY64
from tangency.theory.projection import UndecidedView, View, choose_view, turned
from tangency.theory.rounded import parts, rounded

BALLS = balls(256)
Hyper = dict[str, Any]


def decides_alike(numbers: Field, w: Array, g: Array, delta: Any, in_float64: View) -> bool:
    """Whether float64 answers Eq. 11 as whoever rounds must; true where rounding leaves it open."""
    try:
        with numbers.context():
            return choose_view(numbers, w, g, numbers.element(delta)) is in_float64
    except UndecidedView:
        return True


def worst_share(algorithm: Algorithm, exact_field: Field, run: problems.TensorRun, **mistake: Any) -> float:
    """The largest |ŵ − w| of a run, as a share of its bound; ``mistake`` is changed in the float64 run alone."""
    numbers, delta = rounded(exact_field, BINARY64), run.hyper["delta"]
    w, state = FLOAT64.array(run.w), START
    exact_w, exact_state, worst = numbers.array(w), START, 0.0
    for values in run.gradients:
        g, exact_g = FLOAT64.array(values), numbers.array(FLOAT64.array(values))
        with exact_field.context():
            view = choose_view(exact_field, parts(exact_w)[0], exact_field.array(g), exact_field.element(delta))
        assert mistake or decides_alike(numbers, exact_w, exact_g, delta, choose_view(FLOAT64, w, g, delta))
        made = algorithm(numbers, exact_w, exact_g, exact_state, view=view, **run.hyper)
        step = algorithm(FLOAT64, w, g, state, view=view, **{**run.hyper, **mistake})
        worst = max(worst, share(exact_field, step.w, *parts(made.w)))
        w, state, exact_w, exact_state = step.w, step.state, made.w, made.state
    return worst


def share(field: Field, got: Array, exact: Array, bound: Array) -> float:
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
    gradients = tuple(turned(w) * (-1.0) ** (t // 2) + (w if t % 3 == 2 else 0) for t in range(steps))
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
