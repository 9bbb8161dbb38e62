"""Norm growth: the closed forms against their definitions, and the paper's numbers."""

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.theory import norm_growth

BETA = Fraction(9, 10)
BETAS = st.sampled_from([Fraction(0), Fraction(1, 2), BETA, Fraction(99, 100)])
SQUARES = st.lists(st.fractions(0, 9, max_denominator=4), min_size=1, max_size=30).filter(any)


@given(beta=BETAS, squares=SQUARES)
def test_discounted_sum(beta: Fraction, squares: list[Fraction]) -> None:
    t = len(squares) - 1
    assert norm_growth.discounted_sum(beta, squares) == sum(beta ** (t - k) * a for k, a in enumerate(squares))


@given(beta=BETAS, squares=SQUARES)
def test_momentum_growth_is_eq_8(beta: Fraction, squares: list[Fraction]) -> None:
    lr, t = Fraction(1, 3), len(squares) - 1
    past = sum(beta ** (t - k) * squares[k] for k in range(t))
    assert norm_growth.momentum_growth(lr, beta, squares) == lr**2 * squares[-1] + 2 * lr**2 * past


@given(beta=BETAS, squares=SQUARES)
def test_excess_is_a_8(beta: Fraction, squares: list[Fraction]) -> None:
    t = len(squares) - 1
    numerator = sum(sum(beta**power for power in range(1, t - k + 1)) * a for k, a in enumerate(squares))
    assert norm_growth.momentum_excess(beta, squares) == numerator / sum(squares)


@given(beta=BETAS, squares=SQUARES)
def test_the_ratio_is_that_of_the_accumulated_growths(beta: Fraction, squares: list[Fraction]) -> None:
    lr = Fraction(1, 7)
    with_momentum = sum(norm_growth.momentum_growth(lr, beta, squares[: t + 1]) for t in range(len(squares)))
    without = sum(norm_growth.gd_growth(lr, square) for square in squares)
    assert norm_growth.growth_ratio(beta, squares) == with_momentum / without


@pytest.mark.parametrize(("t", "printed"), [(50, "15.49"), (200, "18.10"), (600, "18.70")])
def test_constant_updates(t: int, printed: str) -> None:
    assert f"{float(norm_growth.growth_ratio(BETA, [Fraction(1)] * (t + 1))):.2f}" == printed


def test_the_paper_s_nineteen() -> None:
    assert norm_growth.limit_ratio(BETA) == 19


@pytest.mark.parametrize(("rho", "printed"), [(Fraction(11, 10), "10.000"), (Fraction(2), "2.636")])
def test_growing_updates_have_another_limit(rho: Fraction, printed: str) -> None:
    limit = norm_growth.geometric_limit_ratio(BETA, rho)
    assert f"{float(limit):.3f}" == printed
    # x_t approaches its limit by a factor β/ρ a step: after n steps the ratio is off by less than 2β/(1−β)·(β/ρ)^n.
    steps = 120
    ratio = norm_growth.growth_ratio(BETA, [rho**k for k in range(steps)])
    assert abs(ratio - limit) <= 2 * norm_growth.limit_excess(BETA) * (BETA / rho) ** steps + Fraction(19) / rho**steps


def test_bursts_have_no_limit() -> None:
    squares = list(islice(norm_growth.bursts(), 300))
    at_burst = norm_growth.growth_ratio(BETA, squares[: 256 + 1])
    long_after = norm_growth.growth_ratio(BETA, squares)
    assert at_burst <= 1 + 2 * norm_growth.limit_excess(BETA) / 2**127
    assert long_after > 18


@given(beta=BETAS, fresh=st.fractions(Fraction(1, 8), 2), buffers=st.lists(st.fractions(-4, 4), min_size=2, max_size=9))
def test_nesterov_never_grows_the_norm_by_less_than_gd(
    beta: Fraction, fresh: Fraction, buffers: list[Fraction]
) -> None:
    # Updates along one direction: g_k = (p_k − βp_{k−1})/(1−τ), u_k = g_k + βp_k; p_t counts in u_t alone.
    updates = [(p - beta * q) / fresh + beta * p for p, q in zip(buffers, [Fraction(0), *buffers], strict=False)]
    products = [u * p for u, p in zip(updates, buffers, strict=True)][:-1]
    lr, last = Fraction(1, 3), updates[-1] ** 2
    growth = norm_growth.nesterov_growth(lr, beta, [last], products)
    assert growth >= norm_growth.least_nesterov_growth(lr, beta, last, buffers[-2] ** 2, 1 - fresh)
    assert growth >= norm_growth.gd_growth(lr, last)


def test_nesterov_s_sum_can_be_negative_for_beta_above_one_with_dampening() -> None:
    # β = 4, τ = 7/8: the hypotheses of least_nesterov_growth are needed.
    beta, fresh, buffers = Fraction(4), Fraction(1, 8), [Fraction(p) for p in (1, 3, 5, 3)]
    pairs = zip(buffers, [Fraction(0), *buffers], strict=False)
    products = [((p - beta * q) / fresh + beta * p) * p for p, q in pairs]
    assert norm_growth.discounted_sum(beta, products) < 0
