"""Effective steps: how far a step moves the direction ŵ = w/‖w‖ on the unit sphere. §2.2, §2.3 (Eq. 5).

Eq. 5 says ‖Δŵ‖ ≈ ‖Δw‖/‖w‖. With an update p ⊥ w everything is a function of u = ‖w‖/‖w'‖ = cos θ, the cosine of the
angle between w and w' = w − ηp, and the paper's approximation is one side of an exact enclosure:

    sin²θ = 1 − u²  ≤  ‖Δŵ‖² = 2(1 − u)  ≤  tan²θ = (1 − u²)/u².

sin θ = ‖Δw‖/‖w'‖ is Eq. 5 as printed, tan θ = ‖Δw‖/‖w‖ the form used in the text.
"""

from typing import Any

from tangency.theory.fields import Array, Field


def squared_effective_step(field: Field, w: Array, w_after: Array) -> Any:
    """‖Δŵ‖² = ‖ŵ' − ŵ‖² = 2(1 − w·w' / (‖w‖‖w'‖)) of vectors: exact for every step, orthogonal or not.

    Raises:
        ZeroDivisionError: w = 0 or w' = 0, in the exact fields.

    >>> from tangency.theory.fields import EXACT
    >>> squared_effective_step(EXACT, EXACT.array([3, 4]), EXACT.array([0, 1]))
    2/5
    """
    with field.context():
        return 2 * (1 - w @ w_after / field.sqrt((w @ w) * (w_after @ w_after)))


def squared_sine(w: Array, w_after: Array) -> Any:
    """sin²θ = 1 − (w·w')² / (‖w‖²‖w'‖²) between vectors; ‖Δw‖²/‖w'‖² if Δw ⊥ w (Eq. 5)."""
    dot = w @ w_after
    return 1 - dot * dot / ((w @ w) * (w_after @ w_after))


def squared_tangent(w: Array, w_after: Array) -> Any:
    """tan²θ between vectors; ‖Δw‖²/‖w‖² if Δw ⊥ w."""
    dot = w @ w_after
    return (w @ w) * (w_after @ w_after) / (dot * dot) - 1


def enclosure(u: Any) -> tuple[Any, Any, Any]:
    """(sin²θ, ‖Δŵ‖², tan²θ) = (1 − u², 2(1 − u), (1 − u²)/u²) for u = ‖w‖/‖w'‖ = cos θ, Δw ⊥ w."""
    return 1 - u**2, 2 * (1 - u), (1 - u**2) / u**2


def slack(u: Any) -> tuple[Any, Any]:
    """How far the enclosure is from the exact value, both sides, as products that are plainly non-negative.

    ‖Δŵ‖² − sin²θ = (1 − u)²,   tan²θ − ‖Δŵ‖² = (1 − u)²(1 + 2u)/u².
    With 1 − u = θ²/2 + O(θ⁴) both are small against ‖Δŵ‖² ≈ θ²: the relative errors of the squares are θ²/4 and 3θ²/4.
    """
    square = (1 - u) * (1 - u)
    return square, square * (1 + 2 * u) / u**2
