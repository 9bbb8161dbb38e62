"""Eq. 11 (is this weight scale-invariant?) and Eq. 10 (remove the radial component), on the weight's own device.

Both need only the inner products of the weight w, its gradient g and its update x. They are taken once, a row of the
channel view at a time; the layer view's are sums of those. Each row is divided by its largest entry first, so that no
product over- or underflows for any norm that the dtype can represent. Sums are not matrix products: those may be
computed in a shorter format.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class _Rows(NamedTuple):
    """Rows over their largest entries (`unit`, in [-1, 1]), and those entries (`size`, 0 for a zero row)."""

    unit: Tensor
    size: Tensor


class _Gram(NamedTuple):
    """Inner products of scaled rows, one a row: w·w, g·g, w·g and w·x."""

    ww: Tensor
    gg: Tensor
    wg: Tensor
    wx: Tensor


def _one_for_zero(x: Tensor) -> Tensor:
    return torch.where(x == 0, torch.ones_like(x), x)


def _rows(x: Tensor, dims: tuple[int, ...]) -> _Rows:
    # Detached: no result depends on the scale, so no derivative needs to pass through it.
    size = x.detach().abs().amax(dim=dims, keepdim=True)
    return _Rows(x / _one_for_zero(size), size)


def _passes(gram: _Gram, delta: float, dim: int) -> Tensor:
    """Eq. 11, |cos(w, g)| < δ/√dim in every row, for δ > 0: a 0-dim bool tensor."""
    dot = gram.wg.abs()
    bound = (delta / math.sqrt(dim)) * (gram.ww.sqrt() * gram.gg.sqrt())
    # A row with w = 0 or g = 0 is no evidence (cos := 0 < δ/√dim); a NaN compares false and vetoes.
    return ((dot < bound) | (dot == 0)).all()


def project(w: Tensor, g: Tensor, x: Tensor, *, ndim: int, delta: float) -> tuple[Tensor, Tensor | None]:
    """Remove the radial component of an update where the weight looks scale-invariant.

    Eq. 11 decides, |w·g| < δ/√dim · ‖w‖‖g‖ in every row of a view: the channel view (a row for each index of dimension
    0), or else the layer view (a single row). Eq. 10 projects the rows of the first view that passes:
    Πx = x − (w·x / w·w) w. Rows with w = 0 leave x alone. Nothing is read back to the host.

    Args:
        w: the weights before the step, real, in the dtype of the computation.
        g: their gradient, of the same shape.
        x: the update, of the same shape.
        ndim: number of dimensions of the parameter (a complex one has one fewer than its real view).
        delta: δ of Eq. 11; with 0 nothing is projected, since no |cos| is below 0.

    Returns:
        The update, projected or as it was; and whether it was projected, a 0-dim bool tensor on the device, or None if
        this parameter never is (fewer than two dimensions, no elements, δ = 0).
    """
    if ndim < 2 or w.numel() == 0 or delta == 0:
        return x, None
    dims = tuple(range(1, w.dim()))
    rw, rg, rx = _rows(w, dims), _rows(g, dims), _rows(x, dims)

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(dim=dims, keepdim=True)

    channel = _Gram(dot(rw.unit, rw.unit), dot(rg.unit, rg.unit), dot(rw.unit, rg.unit), dot(rw.unit, rx.unit))
    # The layer is the rows put together: each counts by its size relative to the largest, in [0, 1].
    sw, sg, sx = _rows(rw.size, (0,)), _rows(rg.size, (0,)), _rows(rx.size, (0,))
    layer = _Gram(
        (sw.unit * sw.unit * channel.ww).sum(0, keepdim=True),
        (sg.unit * sg.unit * channel.gg).sum(0, keepdim=True),
        (sw.unit * sg.unit * channel.wg).sum(0, keepdim=True),
        (sw.unit * sx.unit * channel.wx).sum(0, keepdim=True),
    )
    by_channel = _passes(channel, delta, w.numel() // w.size(0))
    by_layer = _passes(layer, delta, w.numel())
    # (w·x / w·w) for w and x in their own scales, to be multiplied by the rows of rw.unit.
    in_channel = channel.wx / _one_for_zero(channel.ww) * rx.size
    in_layer = layer.wx / _one_for_zero(layer.ww) * sx.size * sw.unit
    projected = by_channel | by_layer
    radial = torch.where(by_channel, in_channel, in_layer) * rw.unit
    # Selected, not multiplied by 0: a NaN in w must not spread over its row of an update that stays as it was.
    return torch.where(projected, x - radial, x), projected


def decay(w: Tensor, rate: float | Tensor, projected: Tensor | None, wd_ratio: float) -> Tensor:
    """Decoupled weight decay, w (1 − rate · r), with r = wd_ratio on a projected step and 1 on any other.

    Args:
        w: the weights before the step.
        rate: what one step takes off, lr · weight_decay (over 1 − momentum for SGDP).
        projected: the decision that `project` returned.
        wd_ratio: r of a projected step.

    Returns:
        The decayed weights, a new tensor.
    """
    if projected is None:
        return w * (1 - rate)
    # new_full and not a Python branch: the decision stays on the device, and the default dtype plays no part.
    return w * (1 - rate * torch.where(projected, w.new_full((), wd_ratio), w.new_full((), 1.0)))
