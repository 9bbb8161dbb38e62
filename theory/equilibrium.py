"""The angle of a step where weight decay and norm growth balance, with momentum: of η, λ, β and τ alone, exactly.

It balances where ‖w‖² and the radial component ⟨w, buffer⟩ are after a step what they were before, and the gradient is
orthogonal to w. To first order in ηλ: Van Laarhoven 2017, Wan et al. 2020, Kosson et al. 2023. Numbers of any field.
"""

from typing import Any


def coupled_cosine(lr: Any, decay: Any, momentum: Any, dampening: Any = 0) -> Any:
    """cos ∠(w, w') = 1 − ηλ(1−τ)/(1+β) of SGD with coupled decay: p' = βp + (1−τ)(g' + λw'), w' = w − ηp.

    Raises:
        ZeroDivisionError: β = −1, in the exact fields: any angle balances.
    """
    return 1 - lr * decay * (1 - dampening) / (1 + momentum)


def decoupled_cosine(shrink: Any, momentum: Any) -> Any:
    """cos ∠(w, w') = (s+β)/(1+βs) of decoupled decay, s = 1 − ηλ: u' = βu + (1−τ)g', w' = sw − ηu, whatever τ.

    SGDP that does not project, with λ over 1 − β; AdamW where its denominator is one number for all entries, β = β₁.

    Raises:
        ZeroDivisionError: βs = −1, in the exact fields: any angle balances.
    """
    return (shrink + momentum) / (1 + momentum * shrink)


def squared_step(cosine: Any) -> Any:
    """‖ŵ' − ŵ‖² = 2(1 − cos ∠(w, w')), the square of the effective step (Eq. 5).

    >>> from fractions import Fraction
    >>> squared_step(decoupled_cosine(Fraction(9, 10), Fraction(1, 2)))  # 2(1−s)(1−β)/(1+βs)
    Fraction(2, 29)
    """
    return 2 * (1 - cosine)


def matching_ratio(shrink: Any, momentum: Any) -> Any:
    """(1−β)/(1+βs): with this ``wd_ratio`` a projected step turns as far as decoupled decay without projection does.

    It tends to (1−β)/(1+β) as s = 1 − ηλ tends to 1.
    """
    return (1 - momentum) / (1 + momentum * shrink)
