"""What the fused kernels for CPU and GPU share: hyper-parameters as numbers, and parameters as rows of memory.

A fused step makes two sweeps over a weight, since Eq. 11 asks every row before the first element may be written: row
statistics (w·g, ‖w‖², ‖g‖²), decision, then a row-fused update. `_cpu` and `_gpu` each have one function, `step`, with
the arguments of `Kernels` below; which of them runs is a matter of the device alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor


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


class Rows(NamedTuple):
    """One parameter, its gradient and its state as rows × cols elements that lie in memory row after row.

    Attributes:
        w, g: weights and gradient, real, of one dtype and the same strides.
        state: the state tensors of the same dtype and strides: (m, v), (m,) or ().
        step: the step counter t, a float32 scalar, before this step; None where the rule is not adaptive.
        rows, cols: the channel view (Eq. 11): a row for each index of dimension 0, and its length.
        projects: whether Eq. 11 is asked at all: not with fewer than two dimensions (then there is one row).
    """

    w: Tensor
    g: Tensor
    state: tuple[Tensor, ...]
    step: Tensor | None
    rows: int
    cols: int
    projects: bool


class Kernels(Protocol):
    """A module with the kernels for one kind of device."""

    @staticmethod
    def step(
        rule: Rule,
        weights: Sequence[Rows],
        lr: float | Tensor,
        grad_scale: Tensor | None = None,
        found_inf: Tensor | None = None,
    ) -> None:
        """Perform one step in place: weights, state and step counters; gradients are only read.

        Args:
            rule: the hyper-parameters.
            weights: parameters on one device, of one dtype (float16, bfloat16, float32 or float64), none empty.
            lr: step size, a number or a tensor of one element (on the device, or on the CPU).
            grad_scale: of torch.amp.GradScaler, on the device: gradients are divided by it as they are read.
            found_inf: of torch.amp.GradScaler, on the device: where it is not 0 nothing changes, no counter either.
        """
