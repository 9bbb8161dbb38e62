"""Decoupled weight decay against norm growth: w' = (1 − ηλ)w − ηq along a tangent q, and where the norm stands still.

λ is the decay as it acts on the step: λr where the update is projected (r = ``wd_ratio``), over 1 − β in SGDP. Numbers
of any field.
"""

from collections.abc import Sequence
from typing import Any


def decayed_square(lr: Any, decay: Any, square: Any, update: Any) -> Any:
    """‖w'‖² = (1 − ηλ)²‖w‖² + η²‖q‖², from ‖w‖² and ‖q‖² (Eq. 12 at λ = 0)."""
    shrink = 1 - lr * decay
    return shrink * shrink * square + lr * lr * update


def decayed_squares(lrs: Sequence[Any], decays: Sequence[Any], square: Any, updates: Sequence[Any]) -> list[Any]:
    """‖w_0‖², ‖w_1‖², … along a run, from ‖w_0‖² and the η_t, λ_t and ‖q_t‖² of its steps."""
    found = [square]
    for lr, decay, update in zip(lrs, decays, updates, strict=True):
        found.append(decayed_square(lr, decay, found[-1], update))
    return found


def standing_square(lr: Any, decay: Any, update: Any) -> Any:
    """The ‖w‖² at which the norm stands still: η‖q‖²/(λ(2 − ηλ)).

    Updates of one length bring every norm there, by the factor (1 − ηλ)² a step.

    Raises:
        ZeroDivisionError: λ = 0 or ηλ = 2, in the exact fields: nothing takes norm away.
    """
    return lr * update / (decay * (2 - lr * decay))


def standing_cosine(lr: Any, decay: Any) -> Any:
    """cos ∠(w, w') = 1 − ηλ of a step that leaves the norm as it is, whatever made it."""
    return 1 - lr * decay


def standing_squared_step(lr: Any, decay: Any) -> Any:
    """‖ŵ' − ŵ‖² = 2ηλ of a step that leaves the norm as it is: the effective step is √(2ηλ), exactly (Eq. 5).

    >>> from fractions import Fraction
    >>> standing_squared_step(Fraction(1, 10), Fraction(1, 20))
    Fraction(1, 100)
    """
    return 2 * lr * decay
