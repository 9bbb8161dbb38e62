"""What all code paths share: one rule for SGDP and AdamP, and the dtype that a step computes in."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


def real(x: Tensor) -> Tensor:
    """A complex tensor as pairs of reals (a view, which can be written through), a real one as it is."""
    return torch.view_as_real(x) if x.is_complex() else x


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
