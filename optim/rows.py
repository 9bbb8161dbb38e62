"""Parameters as rows of memory: the form in which the kernels of a fused step receive them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from tangency.optim.projection import may_project
from tangency.optim.rule import Rule, real, wide


class Rows(NamedTuple):
    """One parameter, its gradient and its state as rows × cols elements that lie in memory row after row.

    Attributes:
        w, g: weights and gradient, real, of one dtype and the same strides.
        state: the state tensors of the same dtype and strides: (m, v), (m,) or ().
        step: the step counter t, a float32 scalar, before this step; None where the rule is not adaptive.
        rows, cols: the finest view (Eq. 11): its number of rows, and their length.
        head: how many of these are a row of the second view; all where there is no second.
        views: how many are tried, of a third all rows are one; 0: Eq. 11 is not evaluated (then there is one row).
    """

    w: Tensor
    g: Tensor
    state: tuple[Tensor, ...]
    step: Tensor | None
    rows: int
    cols: int
    head: int
    views: int

    @property
    def addresses(self) -> tuple[int, int, int, int, int]:
        """Where w, g, m, v and the step counter lie; 0 for those that do not exist."""
        m, v = (*(x.data_ptr() for x in self.state), 0, 0)[:2]
        return self.w.data_ptr(), self.g.data_ptr(), m, v, 0 if self.step is None else self.step.data_ptr()


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
            weights: parameters on one device, of one dtype (float16, bfloat16, float32 or float64) and with one number
                of state tensors, none of them empty.
            lr: step size, a number or a tensor of one element (on the device, or on the CPU).
            grad_scale: of torch.amp.GradScaler, on the device: gradients are divided by it as they are read.
            found_inf: of torch.amp.GradScaler, on the device: where it is not 0 nothing changes, no counter either.
        """


def rows_of(
    rule: Rule,
    p: Tensor,
    g: Tensor,
    state: tuple[Tensor, ...],
    t: Tensor | None,
    copies: list[tuple[Tensor, Tensor]],
) -> Rows:
    """Make the rows of one parameter: its own memory, or else wide copies, which are written back as `copies` lists."""
    ndim = p.dim()
    kept = p.detach(), *state
    w, g, state = real(p), real(g), tuple(map(real, state))
    lazy = any(x.is_conj() for x in kept)
    if lazy or not (_in_rows(w) and _alike(g, w) and all(_alike(s, w) for s in state)):
        dtype = wide(w)
        w, *made = (x.to(dtype, memory_format=torch.contiguous_format, copy=True).resolve_neg() for x in (w, *state))
        g, state = g.to(dtype).contiguous().resolve_neg(), tuple(made)
        copies += zip(kept, (w, *state), strict=True)
    if not may_project(w, ndim, rule.delta):
        return Rows(w, g, state, t, 1, w.numel(), 1, 0)
    # Views with the same rows are one.
    finest, *others = dict.fromkeys(count or w.size(0) for count in rule.views)
    rows = w.size(0) // finest
    return Rows(w, g, state, t, rows, w.numel() // rows, others[0] // finest if others else rows, 1 + len(others))


def _alike(x: Tensor, w: Tensor) -> bool:
    """Whether an element of x lies where that of w does, in the same format."""
    return x.dtype is w.dtype and x.stride() == w.stride() and not x.is_neg()


def _in_rows(w: Tensor) -> bool:
    """Whether w fills its memory without gaps, dimension 0 outermost."""
    dense = w.is_contiguous() or (w.dim() == 4 and w.is_contiguous(memory_format=torch.channels_last))
    return dense and not w.is_neg()
