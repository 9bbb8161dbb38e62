"""The rate of gradient descent on scale-invariant functions: O(T^{-1/2}) to a stationary point, for any fixed η. §2.3.

Arora et al. (2019), here with every constant explicit and rational. Notation: r_t = ‖w_t‖², and on the unit sphere
L ≥ ‖∇²f‖, G ≥ ‖∇f‖, D ≥ max f − min f.
"""

from dataclasses import dataclass
from typing import Any

import flint

from tangency.theory.fields import EXACT
from tangency.theory.objectives import Cosine, Objective, Rayleigh, SquaredCosine


@dataclass(frozen=True)
class Smoothness:
    """Constants of a scale-invariant f on the unit sphere.

    Attributes:
        curvature: L ≥ ‖∇²f‖ (so that ‖∇²f(w)‖ ≤ L/‖w‖², as ∇²f has degree −2).
        slope: G ≥ ‖∇f‖.
        spread: D ≥ max f − min f.
    """

    curvature: Any
    slope: Any
    spread: Any


def smoothness(objective: Objective) -> Smoothness:
    """Rational constants of an objective.

    Rayleigh quotient of a symmetric A with eigenvalues in an interval of length Δ: at a unit vector ∇f = 2(A − f)w, and
    ∇²f = 2(A − f) − 2(w∇fᵀ + ∇f wᵀ) = 2H(A − f)H with the reflection H = I − 2wwᵀ, as wᵀ(A − f)w = 0. So D = Δ,
    L = 2Δ, and G = Δ, for ‖(A − f)w‖² is the variance of eigenvalues with the weights of w. By Gershgorin Δ is at most
    max(a_ii + ρ_i) − min(a_ii − ρ_i), where ρ_i = Σ_{j≠i} |a_ij|: exact for a diagonal A, below 2Δ for A = 11ᵀ.
    The squared cosine is a Rayleigh quotient with Δ = 1. For the cosine ‖∇²f‖ = (|a| + √(4 − 3a²))/2 at f = ±a, at most
    2/√3 < 7/6.

    Raises:
        TypeError: no constants are known for this kind of objective.

    >>> smoothness(Rayleigh(((3, 0), (0, 1))))
    Smoothness(curvature=4, slope=2, spread=2)
    """
    if isinstance(objective, Cosine):
        return Smoothness(flint.fmpq(7, 6), flint.fmpq(1), flint.fmpq(2))
    if isinstance(objective, SquaredCosine):
        return Smoothness(flint.fmpq(2), flint.fmpq(1), flint.fmpq(1))
    if isinstance(objective, Rayleigh):
        matrix = EXACT.array(objective.matrix)
        matrix = (matrix + matrix.T) / 2
        centres = matrix.diagonal()
        radii = abs(matrix).sum(axis=1) - abs(centres)
        spread = max(centres + radii) - min(centres - radii)
        return Smoothness(2 * spread, spread, spread)
    raise TypeError(f"objective is {objective!r}; constants are known for Cosine, SquaredCosine and Rayleigh")


def certificate(r_first: Any, r_last: Any, steps: int) -> Any:
    """r_T (r_T − r_0)/T ≥ min_{t<T} r_t ‖Δw_t‖², of every run whose steps Δw_t are tangent.

    For GD, ‖Δw_t‖ = η‖∇f(w_t)‖ and r_t‖∇f(w_t)‖² = ‖∇f(ŵ_t)‖²: divided by η² it bounds min ‖∇f(ŵ_t)‖².
    The sum that it bounds, Σ r_t(r_{t+1} − r_t), is also at most (r_T² − r_0²)/2, which long runs come near to: there
    the certificate is 2r_T/(r_T + r_0) < 2 times larger than necessary.
    """
    return r_last * (r_last - r_first) / steps


def descent(gradient_square: Any, r: Any, lr: Any, curvature: Any) -> Any:
    """η‖g‖²(1 − ηL/(2r)): a lower bound of the decrease of f in a GD step (where it is positive)."""
    return lr * gradient_square * (1 - lr * curvature / (2 * r))


def log_weight(r_first: Any, lr: Any, constants: Smoothness) -> Any:
    """K = (ηL/2)(1 + η²G²/r_0²): r_T − r_0 ≤ ηD + K ln(r_T/r_0).

    Short steps need ηL/2. With x_t = r_{t+1}/r_t − 1 ≤ M = η²G²/r_0² the proof needs M/ln(1 + M), of which 1 + M is a
    rational bound: M/ln(1 + M) ≈ 1 + M/2 for a small M.
    """
    growth = lr * lr * constants.slope * constants.slope / (r_first * r_first)
    return lr * constants.curvature / 2 * (1 + growth)


def largest_squared_norm(r_first: Any, lr: Any, constants: Smoothness) -> Any:
    """R ≥ r_T for every T under GD: R = 2(r_0 + ηD − 2K + 2K²/r_0).

    The logarithm is bounded by its tangent at r_T = 2K. R is near to r_T where K is near to r_0/2, and R to r_0 + 2ηD.
    It tends to 2r_0 for η → 0, where the tangent at r_0 would give the smaller bound r_0 + ηD/(1 − K/r_0).
    """
    weight = log_weight(r_first, lr, constants)
    return 2 * (r_first + lr * constants.spread - 2 * weight + 2 * weight * weight / r_first)


def rate(r_first: Any, lr: Any, constants: Smoothness, steps: int) -> Any:
    """R(R − r_0)/(η²T) ≥ min_{t<T} ‖∇f(ŵ_t)‖² under GD: O(T^{-1/2}) for the norm of the gradient."""
    return certificate(r_first, largest_squared_norm(r_first, lr, constants), steps) / (lr * lr)
