"""Norm growth of scale-invariant weights (§2.3, §2.4, Appendix A): recurrences, closed forms and bounds.

Everything is stated in A_k = ‖p_k‖², the squared norms of the updates: ``squares`` is the sequence A_0 … A_t.
"""

from collections.abc import Iterator, Sequence
from typing import Any


def discounted_sum(beta: Any, values: Sequence[Any]) -> Any:
    """Σ_{k≤t} β^{t−k} v_k, by Horner's rule; 0 for no values."""
    total = 0 * beta
    for value in values:
        total = beta * total + value
    return total


def gd_growth(lr: Any, square: Any) -> Any:
    """‖w_{t+1}‖² − ‖w_t‖² = η² ‖p_t‖² (Lemma 2.1)."""
    return lr * lr * square


def radial_component(lr: Any, beta: Any, squares: Sequence[Any]) -> Any:
    """w_t·p_t = −η Σ_{k<t} β^{t−k} A_k (A.2), from A_0 … A_{t−1}."""
    return -lr * beta * discounted_sum(beta, squares)


def momentum_growth(lr: Any, beta: Any, squares: Sequence[Any]) -> Any:
    """‖w_{t+1}‖² − ‖w_t‖² = η² A_t + 2η² Σ_{k<t} β^{t−k} A_k (Lemma 2.2, Eq. 8), from A_0 … A_t."""
    *past, last = squares
    return gd_growth(lr, last) - 2 * lr * radial_component(lr, beta, past)


def scheduled_radial_component(lrs: Sequence[Any], beta: Any, squares: Sequence[Any]) -> Any:
    """w_t·p_t = −Σ_{k<t} β^{t−k} η_k A_k of momentum whose step size changes, from η_k and A_k, k < t."""
    return -beta * discounted_sum(beta, [lr * square for lr, square in zip(lrs, squares, strict=True)])


def scheduled_growth(lrs: Sequence[Any], beta: Any, squares: Sequence[Any]) -> Any:
    """‖w_{t+1}‖² − ‖w_t‖² = η_t² A_t + 2η_t Σ_{k<t} β^{t−k} η_k A_k, from η_k and A_k, k ≤ t.

    A decaying step size forgets earlier updates more slowly than itself: they keep the step size that they were taken
    with, so that the share of the past in the growth rises above that of :func:`momentum_growth`.
    """
    past = scheduled_radial_component(lrs[:-1], beta, squares[:-1])
    return gd_growth(lrs[-1], squares[-1]) - 2 * lrs[-1] * past


def nesterov_growth(lr: Any, beta: Any, squares: Sequence[Any], products: Sequence[Any]) -> Any:
    """‖w_{t+1}‖² − ‖w_t‖² = η² ‖d_t‖² + 2η² Σ_{k<t} β^{t−k+1} d_k·p_k for Nesterov updates d_t = g_t + βp_t.

    Args:
        squares: ‖d_0‖² … ‖d_t‖², of which the last one counts.
        products: d_0·p_0 … d_{t−1}·p_{t−1}, update times buffer; one of them can be negative, but their discounted sum
            is at least ‖p_{t−1}‖²/2 (see :func:`least_nesterov_growth`).
    """
    return gd_growth(lr, squares[-1]) + 2 * lr * lr * beta * beta * discounted_sum(beta, products)


def least_nesterov_growth(lr: Any, beta: Any, square: Any, buffer_square: Any, dampening: Any = 0) -> Any:
    """‖w_{t+1}‖² − ‖w_t‖² ≥ η² ‖d_t‖² + η²β²/(1−τ) ‖p_{t−1}‖² for Nesterov updates: never less than Lemma 2.1.

    It holds for 0 ≤ β ≤ 1 and a dampening τ < 1. For one β and c = 1 − τ the best factor of ‖p_{t−1}‖² at all t is
    (1 + βc + √((1 + βc)² − β)) η²β²/c: 2 + √3 times this one at β = 1, τ = 0, and
    this one itself in the limit β = 1, τ → 1.

    Args:
        square: ‖d_t‖².
        buffer_square: ‖p_{t−1}‖².
    """
    return gd_growth(lr, square + beta * beta * buffer_square / (1 - dampening))


def momentum_excess(beta: Any, squares: Sequence[Any]) -> Any:
    """F_t = Σ_k Σ_{l=1}^{t−k} β^l A_k / Σ_k A_k (A.8), by its definition; the ratio of the growths is 1 + 2F_t."""
    weight, power, numerator = 0 * beta, 0 * beta + 1, 0 * beta
    for square in reversed(squares):
        numerator += weight * square
        power = power * beta
        weight = weight + power
    return numerator / sum(squares, start=0 * beta)


def recent_share(beta: Any, squares: Sequence[Any]) -> Any:
    """x_t = Σ_k β^{t−k} A_k / Σ_k A_k: the weight of the recent updates. F_t = β/(1−β) · (1 − x_t), exactly."""
    return discounted_sum(beta, squares) / sum(squares, start=0 * beta)


def limit_excess(beta: Any) -> Any:
    """β/(1−β), the limit of F_t (Corollary 2.3); F_t never exceeds it."""
    return beta / (1 - beta)


def growth_ratio(beta: Any, squares: Sequence[Any]) -> Any:
    """(‖w_T^GDM‖² − ‖w_0‖²)/(‖w_T^GD‖² − ‖w_0‖²) = 1 + 2F_{T−1}, from A_0 … A_{T−1} (Corollary 2.3, A.6, A.7)."""
    return 1 + 2 * momentum_excess(beta, squares)


def limit_ratio(beta: Any) -> Any:
    """1 + 2β/(1−β) (Corollary 2.3).

    >>> from fractions import Fraction
    >>> limit_ratio(Fraction(9, 10))
    Fraction(19, 1)
    """
    return 1 + 2 * limit_excess(beta)


def excess_gap_bound(beta: Any, squares: Sequence[Any]) -> Any:
    """β/(1−β) − F_t ≤ β(1−β^{t+1})/(1−β)² · max A / Σ A: a bound on the distance to the limit at a finite t."""
    weight = limit_excess(beta) * (1 - beta ** len(squares)) / (1 - beta)
    return weight * max(squares) / sum(squares, start=0 * beta)


def last_share(squares: Sequence[Any]) -> Any:
    """a_t = A_t / Σ_{k≤t} A_k. The limit of Corollary 2.3 is reached if and only if a_t → 0."""
    return squares[-1] / sum(squares, start=0 * squares[-1])


def geometric_limit_ratio(beta: Any, rho: Any) -> Any:
    """1 + 2β/(ρ−β), the limit of the ratio for A_k = ρ^k, ρ > 1: there a_t → 1 − 1/ρ, not 0."""
    return 1 + 2 * beta / (rho - beta)


def bursts() -> Iterator[int]:
    """A_k = 2^k where k is a power of two, else 0: the ratio of Corollary 2.3 has no limit.

    Before a burst at k the earlier ones add up to less than 2^{1+k/2}, so that there 1 − x_t ≤ 1 − a_t < 2^{1−k/2} and
    the ratio tends to 1; between bursts x_{t+1} = βx_t, and just before the next the ratio is close to 1 + 2β/(1−β).
    """
    k = 0
    while True:
        yield 2**k if k and k & (k - 1) == 0 else 0
        k += 1
