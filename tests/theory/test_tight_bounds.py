"""Every bound of the theory is attained, or as near as its witness says; a looser one is noticed.

``WITNESSES`` lists the witnesses of :mod:`tight_bounds` with their bound, and what else the bound might have been.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest
import tight_bounds

from tangency.theory import convergence, detection, effective_step, norm_growth
from tangency.theory.convergence import Smoothness
from tangency.theory.fields import EXACT, balls
from tangency.theory.objectives import Objective, Rayleigh

Q = flint.fmpq


def larger(name: str, factor: Any = 2) -> Callable[[Any], Callable[[Objective], Smoothness]]:
    """One of the constants of smoothness, enlarged."""
    return lambda bound: lambda f: replace(bound(f), **{name: factor * getattr(bound(f), name)})


def times(factor: Any) -> Callable[[Any], Callable[..., Any]]:
    """A bound, multiplied."""
    return lambda bound: lambda *args: factor * bound(*args)


def instead(other: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
    """Another bound in its place."""
    return lambda _: other


def probability(one_row: Callable[[flint.fmpq, int], Any]) -> Callable[[Any], Callable[..., flint.arb]]:
    """A pass probability with another case: ``None`` leaves the case as it is."""

    def other(bound: Any) -> Callable[..., flint.arb]:
        def answer(field: Any, delta: flint.fmpq, dim: int, rows: int = 1) -> flint.arb:
            special = one_row(delta * delta / dim, dim)
            return bound(field, delta, dim, rows) if special is None else flint.arb(special) ** rows

        return answer

    return other


def by_the_norm(f: Objective) -> Smoothness:
    """Δ ≤ 2‖A − mI‖_∞ for the Rayleigh quotient, m = tr A/dim."""
    if not isinstance(f, Rayleigh):
        return convergence.smoothness(f)
    matrix = EXACT.array(f.matrix)
    centre = np.diag([sum(matrix.diagonal()) / len(matrix)] * len(matrix))
    spread = 2 * max(abs((matrix + matrix.T) / 2 - centre).sum(axis=1))
    return Smoothness(2 * spread, spread, spread)


def no_dampening(lr: Any, beta: Any, square: Any, buffer_square: Any, dampening: Any) -> Any:
    """The bound without 1/(1−τ)."""
    return norm_growth.least_nesterov_growth(lr, beta, square, buffer_square, 0)


def power_of_beta(power: int) -> Callable[..., Any]:
    """β to another power than 2."""
    return lambda lr, beta, square, buffer_square, dampening: (
        lr * lr * (square + beta**power * buffer_square / (1 - dampening))
    )


def norm_bound(outer: int = 2, spread: int = 1, linear: int = 2, quadratic: int = 2) -> Callable[..., Any]:
    """R = 2(r_0 + ηD − 2K + 2K²/r_0) with other numbers."""

    def bound(r: Any, lr: Any, constants: Smoothness) -> Any:
        k = convergence.log_weight(r, lr, constants)
        return outer * (r + spread * lr * constants.spread - linear * k + quadratic * k * k / r)

    return bound


def with_constants(**factors: int) -> Callable[[Any], Callable[..., Any]]:
    """A bound that is given larger L, G or D than there are."""

    def loosened(bound: Any) -> Callable[..., Any]:
        def other(r: Any, lr: Any, c: Smoothness, *args: Any) -> Any:
            return bound(r, lr, replace(c, **{k: f * getattr(c, k) for k, f in factors.items()}), *args)

        return other

    return loosened


def log_bound(r: Any, lr: Any, c: Smoothness) -> Any:
    """K with 2M for M."""
    return lr * c.curvature / 2 * (1 + 2 * lr * lr * c.slope * c.slope / (r * r))


def rate_of(last: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The rate with another certificate, a function of r_0 and R."""

    def bound(r: Any, lr: Any, c: Smoothness, steps: int) -> Any:
        return last(r, convergence.largest_squared_norm(r, lr, c)) / (steps * lr * lr)

    return bound


Loosened = Callable[[Any], Callable[..., Any]]
WITNESSES: dict[Callable[[Any], None], tuple[Callable[..., Any], dict[str, Loosened]]] = {
    tight_bounds.smooth: (
        convergence.smoothness,
        {
            "2L": larger("curvature"),
            "2G": larger("slope"),
            "2D": larger("spread"),
            "6/5 for 7/6": larger("curvature", Q(36, 35)),
            "L too small": larger("curvature", Q(99, 100)),
            "Δ by the norm": instead(by_the_norm),
        },
    ),
    tight_bounds.certified: (
        convergence.certificate,
        {
            "doubled": times(2),
            "r_T²": instead(lambda first, last, steps: last * last / steps),
            "r_T² − r_0² undivided by 2": instead(lambda first, last, steps: (last * last - first * first) / steps),
            "no T": instead(lambda first, last, steps: last * (last - first)),
            "r_0(r_T − r_0)": instead(lambda first, last, steps: first * (last - first) / steps),
        },
    ),
    tight_bounds.descended: (
        convergence.descent,
        {
            "halved": times(Q(1, 2)),
            "2L": instead(lambda square, r, lr, c: convergence.descent(square, r, lr, 2 * c)),
            "no curvature": instead(lambda square, r, lr, c: lr * square),
        },
    ),
    tight_bounds.logarithmic: (
        convergence.log_weight,
        {"2K": times(2), "2L": with_constants(curvature=2), "2G": with_constants(slope=2), "2M": instead(log_bound)},
    ),
    tight_bounds.bounded: (
        convergence.largest_squared_norm,
        {
            "2R": times(2),
            "2L": with_constants(curvature=2),
            "2G": with_constants(slope=2),
            "2D": with_constants(spread=2),
            "no −2K": instead(norm_bound(linear=0)),
            "−K": instead(norm_bound(linear=1)),
            "4K²": instead(norm_bound(quadratic=4)),
            "3 for 2": instead(norm_bound(outer=3)),
            "1 for 2": instead(norm_bound(outer=1)),
        },
    ),
    tight_bounds.rated: (
        convergence.rate,
        {
            "doubled": times(2),
            "2L": with_constants(curvature=2),
            "2G": with_constants(slope=2),
            "2D": with_constants(spread=2),
            "R²": instead(rate_of(lambda r, largest: largest * largest)),
            "R² − r_0²": instead(rate_of(lambda r, largest: largest * largest - r * r)),
            "no T": instead(lambda r, lr, c, steps: convergence.rate(r, lr, c, 1)),
        },
    ),
    tight_bounds.nesterov_growth: (
        norm_growth.least_nesterov_growth,
        {
            "no 1/(1−τ)": instead(no_dampening),
            "no β²": instead(power_of_beta(0)),
            "β": instead(power_of_beta(1)),
            "β³": instead(power_of_beta(3)),
            "GD's": instead(lambda lr, beta, square, *rest: lr * lr * square),
            "halved": instead(lambda lr, beta, square, b, d: lr * lr * (square + beta * beta * b / (2 * (1 - d)))),
        },
    ),
    tight_bounds.gap: (
        norm_growth.excess_gap_bound,
        {
            "doubled": times(2),
            "no 1 − β^{t+1}": instead(lambda beta, a: beta / (1 - beta) ** 2 * max(a) / sum(a)),
            "1 − β^t": instead(lambda beta, a: beta * (1 - beta ** (len(a) - 1)) / (1 - beta) ** 2 * max(a) / sum(a)),
            "the limit itself": instead(lambda beta, a: beta / (1 - beta)),
        },
    ),
    tight_bounds.excess_limit: (
        norm_growth.limit_excess,
        {"doubled": times(2), "1/(1−β)": instead(lambda beta: 1 / (1 - beta)), "β": instead(lambda beta: beta)},
    ),
    tight_bounds.ratio_limit: (
        norm_growth.limit_ratio,
        {"doubled": times(2), "2/(1−β)": instead(lambda beta: 2 / (1 - beta)), "F's": instead(lambda b: 1 / (1 - b))},
    ),
    tight_bounds.share: (norm_growth.last_share, {"halved": times(Q(1, 2))}),
    tight_bounds.enclosed: (
        effective_step.enclosure,
        {
            "half of sin²": instead(lambda u: ((1 - u**2) / 2, 2 * (1 - u), (1 - u**2) / u**2)),
            "twice tan²": instead(lambda u: (1 - u**2, 2 * (1 - u), 2 * (1 - u**2) / u**2)),
            "sin²/2 for sin² θ/2": instead(lambda u: (1 - u**2, (1 - u**2) / 2, (1 - u**2) / u**2)),
        },
    ),
    tight_bounds.passed: (
        detection.pass_probability,
        {
            "1 from x = 4 on, at ¼ before": probability(lambda x, d: Q(1, 4) if d > 1 and 1 <= x < 4 else None),
            "1 from x = 4 on, 0 before": probability(lambda x, d: 0 if d > 1 and 1 <= x < 4 else None),
            "1 above x = 1 only": probability(lambda x, d: 0 if d > 1 and x == 1 else None),
            "0 above x = 4": probability(lambda x, d: 0 if x > 4 else None),
            "1 from x = ½ on": probability(lambda x, d: 1 if d > 1 and 2 * x >= 1 else None),
            "a line passes at its tie": probability(lambda x, d: 1 if d == 1 and x == 1 else None),
            "a line passes from 4 on": probability(lambda x, d: int(x >= 4) if d == 1 else None),
            "one row for all": instead(lambda f, delta, d, rows=1: detection.pass_probability(f, delta, d)),
        },
    ),
    tight_bounds.normal: (
        detection.limit_probability,
        {
            "doubled": times(2),
            "erf δ": instead(lambda field, delta: flint.arb(delta).erf()),
            "1/500,000 above": times(flint.arb(Q(500_001, 500_000))),
            "below": times(flint.arb(Q(999_999, 1_000_000))),
        },
    ),
}


@pytest.mark.parametrize("witness", WITNESSES, ids=lambda witness: witness.__name__)
def test_the_bound_is_attained(witness: Callable[[Any], None]) -> None:
    witness(WITNESSES[witness][0])


@pytest.mark.parametrize(
    ("witness", "name"),
    [pytest.param(w, name, id=f"{w.__name__}: {name}") for w in WITNESSES for name in WITNESSES[w][1]],
)
def test_another_bound_is_noticed(witness: Callable[[Any], None], name: str) -> None:
    """One that is looser; and of those that are no bounds, the likely ones."""
    bound, loosened = WITNESSES[witness]
    with pytest.raises(AssertionError):
        witness(loosened[name](bound))


def test_how_loose_the_certificate_becomes() -> None:
    """r_{t+1} = r_t + η²/r_t, as r_t‖Δw_t‖² = η²: r_T² − r_0² = 2Tη² + Σ η⁴/r_t², whose sum is at most Tη⁴/r_0²."""
    with balls(256).context():
        square, steps, r = flint.arb(Q(1, 100)), 10**4, flint.arb(1)
        for _ in range(steps):
            r += square / r
        certified, excess = convergence.certificate(flint.arb(1), r, steps) / square, 2 * r / (r + 1)
        assert excess < certified < excess * (1 + square / 2)
        assert excess > Q(9, 5)
