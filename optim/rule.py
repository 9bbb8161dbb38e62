"""Shared by all code paths: one rule for SGDP and AdamP, and the dtype that a step computes in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def real(x: Tensor) -> Tensor:
    """A complex tensor as pairs of reals, a real one as it is: a view, but of a lazily conjugated tensor a copy."""
    return torch.view_as_real(x.resolve_conj()) if x.is_complex() else x


def write(x: Tensor, value: Tensor) -> None:
    """Store new values in a tensor, given as the pairs of reals that `real` makes of it."""
    # Not through `real`, which may be a copy.
    x.copy_(torch.view_as_complex(value.to(x.dtype.to_real()).contiguous()) if x.is_complex() else value)


def wide(x: Tensor) -> torch.dtype:
    """The dtype to compute in: float32 for anything shorter, else x's own."""
    return torch.float32 if torch.finfo(x.dtype).bits < 32 else x.dtype


def bias_correction(beta: float, step: Tensor) -> Tensor:
    """1 − βᵗ as −expm1(t log β): nothing cancels for β near 1, and t, after this step, stays on its device."""
    return -torch.expm1(step * (math.log(beta) if beta > 0 else -math.inf))


def counted(step: Tensor) -> Tensor:
    """Step counters in the dtype for scalars: float64 wherever the device has it; t itself is exact either way."""
    return step.to(torch.float32 if step.device.type == "mps" else torch.float64)


class Rule(NamedTuple):
    """The hyper-parameters of one step, as numbers under one name for SGDP and AdamP.

        g ← ±g / grad_scale
        m ← beta1 · m + fresh · g
        v ← beta2 · v + (1 − beta2) · g²                                      (adaptive)
        x = m, or ahead · g + beta1 · m with nesterov
        x ← x / (√v / √(1 − beta2ᵗ) + eps),   η = lr / (1 − beta1ᵗ)           (adaptive; else η = lr)
        q = Π x (Eq. 10) if Eq. 11 holds in every row of a view, else x
        w ← w (1 − lr · weight_decay · r) − η q,   r = wd_ratio if projected, else 1

    Attributes:
        adaptive: AdamP, with state (m, v); else SGDP, with state (m,), or () where m starts at 0 and is not kept.
        beta1: β₁; SGDP: momentum.
        fresh: factor of g in m: 1 − β₁; SGDP: 1 − dampening.
        ahead: factor of g in Nesterov's update: 1 − β₁; SGDP: 1.
        nesterov: whether the update looks ahead.
        beta2: β₂.
        eps: ε of the denominator.
        weight_decay: decoupled weight decay; SGDP: over 1 − momentum.
        wd_ratio: r of a projected step.
        delta: δ of Eq. 11; with 0 nothing is projected.
        maximize: whether g changes its sign.
        views: how many slices of dimension 0 are a row of each view that is tried, as `slices` gives them.
    """

    adaptive: bool
    beta1: float
    fresh: float
    ahead: float
    nesterov: bool
    beta2: float
    eps: float
    weight_decay: float
    wd_ratio: float
    delta: float
    maximize: bool
    views: tuple[int, ...]


def slices(views: Sequence[str | int]) -> tuple[int, ...]:
    """How many slices of dimension 0 are a row of each view, for the option `views`; 0 stands for all of them."""
    return tuple({"channel": 1, "layer": 0}[view] if isinstance(view, str) else view for view in views)


def undivided(p: Tensor, views: Sequence[int]) -> str | None:
    """Why a parameter cannot be cut into the rows of the views, which `slices` gives, or None."""
    for head in views:
        if head > 1 and p.dim() >= 2 and p.size(0) % head:
            return f"views has heads of {head} slices, which do not divide the {p.size(0)} of its dimension 0"
    return None


def factors(rule: Rule, lr: float | Tensor) -> dict[str, float]:
    """The factors of a step that might be too large for the dtype that it computes in, by what makes them.

    δ may be anything: it is only compared. An lr in the memory of another device is not read.
    """
    factors = {"eps": rule.eps, "1 - dampening": abs(rule.fresh)}
    if isinstance(lr, Tensor):
        if lr.device.type != "cpu" or type(lr) is not Tensor:
            return factors
        lr = lr.detach().item()
    if rule.adaptive:
        # The first step's is the largest.
        return factors | {"lr / (1 - beta1)": lr / (1 - rule.beta1), "lr * weight_decay": lr * rule.weight_decay}
    return factors | {"lr": lr, "lr * weight_decay / (1 - momentum)": lr * rule.weight_decay}


def overflow(numbers: dict[str, float], dtype: torch.dtype) -> str | None:
    """The factor of a step that leaves the range of the dtype of the computation, as a message, or None."""
    largest = torch.finfo(dtype).max
    for name, value in numbers.items():
        if value > largest:
            return f"{name} is {value:g}; it is computed in {dtype}, where {largest:g} is the largest number"
    return None
