"""Eq. 11 (is this weight scale-invariant?) and Eq. 10 (remove the radial component), on the weight's own device.

Both need only the inner products of the weight w, its gradient g and its update x. They are taken once, a row of the
channel view at a time; those of a head or of the layer are sums of them. Each row is divided by its largest entry
first, so that no product over- or underflows for any norm that the dtype can represent. Sums are not matrix products:
those may be computed in a shorter format.

The decision depends on `Gram` alone, a few numbers for each row: of one parameter (`project`, for the loop) or of many
at once (`foreach`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tangency.optim.rule import slices


class Scaled(NamedTuple):
    """Rows over their largest entries (`unit`, in [-1, 1]), and those entries (`size`, 0 for a zero row)."""

    unit: Tensor
    size: Tensor


class Gram(NamedTuple):
    """The numbers of rows that Eqs. 10 and 11 depend on, each a tensor of shape (…, rows).

    Attributes:
        w, g, x: the largest entries of weight, gradient and update.
        ww, gg, wg, wx: the inner products of the rows over these.
        dim: the length of a row.
    """

    w: Tensor
    g: Tensor
    x: Tensor
    ww: Tensor
    gg: Tensor
    wg: Tensor
    wx: Tensor
    dim: Tensor


def _one_for_zero(x: Tensor) -> Tensor:
    return x.masked_fill(x == 0, 1)


def along(rows: Tensor, x: Tensor) -> Tensor:
    """One number a row, with as many dimensions as x, whose rows they are."""
    return rows.reshape(*rows.shape, *[1] * (x.dim() - rows.dim()))


def scaled(x: Tensor, lead: int = 1) -> Scaled:
    """Scale the rows of x, one for each index of its `lead` first dimensions."""
    # Detached: no result depends on the scale, so no derivative needs to pass through it.
    size = x.detach().abs().amax(dim=tuple(range(lead, x.dim())))
    return Scaled(x / along(_one_for_zero(size), x), size)


def statistics(w: Scaled, g: Scaled, x: Scaled) -> Gram:
    """The inner products of the rows of the channel view of weights, gradients and updates."""
    rows = w.size.dim()
    dims = tuple(range(rows, w.unit.dim()))

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(dim=dims)

    return Gram(
        w.size,
        g.size,
        x.size,
        ww=dot(w.unit, w.unit),
        gg=dot(g.unit, g.unit),
        wg=dot(w.unit, g.unit),
        wx=dot(w.unit, x.unit),
        dim=torch.full_like(w.size, math.prod(w.unit.shape[rows:])),
    )


def _joined(rows: Gram, count: int) -> Gram:
    """Every `count` rows put together, (…, rows / count): each counts by its size over the largest, in [0, 1]."""
    rows = Gram(*(values.reshape(*values.shape[:-1], -1, count) for values in rows))
    (w, w_size), (g, g_size), (x, x_size) = (scaled(size, size.dim() - 1) for size in rows[:3])
    return Gram(
        w_size,
        g_size,
        x_size,
        ww=(w * w * rows.ww).sum(dim=-1),
        gg=(g * g * rows.gg).sum(dim=-1),
        wg=(w * g * rows.wg).sum(dim=-1),
        wx=(w * x * rows.wx).sum(dim=-1),
        dim=rows.dim.sum(dim=-1),
    )


def _radial(rows: Gram, view: Gram) -> Tensor:
    """c of every row, where c · w/‖w‖∞ is the radial component of x in a view that joins rows."""
    # w·x / w·w for w and x in their own scales.
    c = view.wx / _one_for_zero(view.ww) * view.x
    if view is rows:
        return c
    shares = rows.w.reshape(*c.shape, -1) / _one_for_zero(view.w).unsqueeze(-1)
    return (c.unsqueeze(-1) * shares).reshape(rows.w.shape)


def _passes(rows: Gram, delta: float) -> Tensor:
    """Eq. 11, |cos(w, g)| · √dim < δ, for δ > 0, in every row: a bool tensor (…, 1)."""
    dot = rows.wg.abs()
    within = dot * rows.dim.sqrt() < delta * (rows.ww.sqrt() * rows.gg.sqrt())
    # A row with w = 0 or g = 0 passes (cos := 0 < δ/√dim); a NaN compares false and fails.
    return (within | (dot == 0)).all(dim=-1, keepdim=True)


def decide(rows: Gram, delta: float, views: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Choose the view that projects, for a parameter or for many.

    Args:
        rows: the rows of the channel view of a parameter, or of many as (parameters, rows). Rows of zeros change
            nothing: they may fill up a parameter that has fewer rows than another.
        delta: δ > 0 of Eq. 11.
        views: how many rows of the channel view are one of each view that is tried, in turn; 0 stands for all.

    Returns:
        c such that c · w/‖w‖∞ is the radial component of x in the view that was chosen, one number a row; and whether
        any view was, a bool tensor (…, 1).
    """
    first, *others = (rows if count == 1 else _joined(rows, count or rows.w.size(-1)) for count in views)
    radial, projected = _radial(rows, first), _passes(first, delta)
    for view in others:
        radial = torch.where(projected, radial, _radial(rows, view))
        projected = projected | _passes(view, delta)
    return radial, projected


def remove(x: Tensor, unit: Tensor, radial: Tensor, projected: Tensor) -> Tensor:
    """Eq. 10, x − c · w/‖w‖∞, for the rows that are projected.

    Args:
        x: the update.
        unit: w/‖w‖∞.
        radial: c, one number a row.
        projected: for which rows, or for all of them.
    """
    # Selected, not multiplied by 0: a NaN in w must not spread over its row of an update that is not projected.
    return torch.where(along(projected, x), x - along(radial, x) * unit, x)


def project(
    w: Tensor,
    g: Tensor,
    x: Tensor,
    *,
    ndim: int,
    delta: float,
    views: Sequence[str | int] = ("channel", "layer"),
) -> tuple[Tensor, Tensor | None]:
    """Remove the radial component of an update where the weight looks scale-invariant.

    Eq. 11 decides, |w·g| < δ/√dim · ‖w‖‖g‖ in every row of a view: the channel view (a row for each index of dimension
    0), that of heads (a row for so many of these) or the layer view (a single row). Eq. 10 projects the rows of the
    first view that passes: Πx = x − (w·x / w·w) w. Rows with w = 0 leave x alone. Nothing is read back to the host.

    Args:
        w: the weights before the step, real, in the dtype of the computation.
        g: their gradient, of the same shape.
        x: the update, of the same shape.
        ndim: number of dimensions of the parameter (a complex one has one fewer than its real view).
        delta: δ of Eq. 11; with 0 nothing is projected, since no |cos| is below 0.
        views: those that are tried in turn; a number is that of the slices in a head.

    Returns:
        The update, projected or as it was; and whether it was projected, a 0-dim bool tensor on the device, or None if
        this parameter never is (fewer than two dimensions, no elements, δ = 0).
    """
    if not may_project(w, ndim, delta):
        return x, None
    units = scaled(w)
    radial, projected = decide(statistics(units, scaled(g), scaled(x)), delta, slices(views))
    return remove(x, units.unit, radial, projected), projected.squeeze(0)


def may_project(w: Tensor, ndim: int, delta: float) -> bool:
    """Whether Eq. 11 is evaluated at all."""
    return ndim >= 2 and w.numel() > 0 and delta > 0


def decay(w: Tensor, rate: float | Tensor, projected: Tensor | None, wd_ratio: float) -> Tensor:
    """Decoupled weight decay, w (1 − rate · r), with r = wd_ratio on a projected step and 1 on any other.

    Args:
        w: the weights before the step.
        rate: what one step takes off, lr · weight_decay (over 1 − momentum for SGDP).
        projected: the decision, of the parameter or for each row.
        wd_ratio: r of a projected step.

    Returns:
        The decayed weights, a new tensor.
    """
    if projected is None:
        return w * (1 - rate)
    # new_full and not a Python branch: the decision stays on the device, and the default dtype plays no part.
    return w * (1 - rate * torch.where(along(projected, w), w.new_full((), wd_ratio), w.new_full((), 1.0)))
