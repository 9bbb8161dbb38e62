"""Where the fused step on a CPU decides Eq. 11: the sums it needs, row by row, and the view of each tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from tangency.optim.cpu.memory import Array, compiled, load, part, pointer, summing
from tangency.optim.cpu.products import SHORT, add_up, largest, products
from tangency.optim.cpu.records import FINEST, G_ROOM, NONE, SECOND, W_ROOM, Work
from tangency.optim.cpu.tiles import bounds, tile_count, tiles_of


@compiled
def passes(wg: float, ww: float, gg: float, delta: float, dim: int) -> bool:
    """Eq. 11, squared: within what float64 holds. A row with w = 0 or g = 0 passes; a NaN fails."""
    return wg * wg * dim < delta * delta * (ww * gg) or wg == 0


@compiled
def statistics(work: Work, tensor: Any, first: int, last: int) -> None:
    """Of tiles first … last − 1 of a tensor: w·g, ‖w‖², ‖g‖², and whether Eq. 11 holds in each of their rows."""
    job = work.job
    for index in range(first, last):
        start, n = bounds(tensor, index)
        w = load(tensor.w, job.storage, start, n, work.rooms, W_ROOM)
        g = load(tensor.g, job.storage, start, n, work.rooms, G_ROOM)
        tile = work.tiles[tensor.first + index]
        tile.wx = 0.0
        tile.size_x = 1.0
        cols = min(n, tensor.cols)
        if job.scaled:
            _rows_scaled(w, g, cols, job.delta, tile)
        elif cols <= SHORT:
            _short_rows(w, g, cols, job.delta, tile)
        else:
            _rows(w, g, cols, job.delta, tile)


@compiled
def _rows(w: Array, g: Array, cols: int, delta: float, tile: Any) -> None:
    """The sums of some rows together."""
    wg_sum = 0.0
    ww_sum = 0.0
    gg_sum = 0.0
    all_pass = True
    for start in range(0, w.size, cols):
        wg, ww, gg = products(part(w, start, cols), part(g, start, cols))
        wg_sum += wg
        ww_sum += ww
        gg_sum += gg
        all_pass &= passes(wg, ww, gg, delta, cols)
    _keep(tile, wg_sum, ww_sum, gg_sum, 1.0, 1.0, all_pass)


@summing
def _short_rows(w: Array, g: Array, cols: int, delta: float, tile: Any) -> None:
    """The same for rows in float64, in one loop: calls would cost more than they save."""
    wg_sum = 0.0
    ww_sum = 0.0
    gg_sum = 0.0
    all_pass = True
    for start in range(0, w.size, cols):
        w_row = part(w, start, cols)
        g_row = part(g, start, cols)
        wg = 0.0
        ww = 0.0
        gg = 0.0
        for i in range(cols):
            a = np.float64(w_row[i])
            b = np.float64(g_row[i])
            wg += a * b
            ww += a * a
            gg += b * b
        wg_sum += wg
        ww_sum += ww
        gg_sum += gg
        all_pass &= passes(wg, ww, gg, delta, cols)
    _keep(tile, wg_sum, ww_sum, gg_sum, 1.0, 1.0, all_pass)


@summing
def _rows_scaled(w: Array, g: Array, cols: int, delta: float, tile: Any) -> None:
    """The same of entries over the largest of their row, and of all rows over the largest of the tile."""
    size_w = largest(w)
    size_g = largest(g)
    wg_sum = 0.0
    ww_sum = 0.0
    gg_sum = 0.0
    all_pass = True
    for start in range(0, w.size, cols):
        w_row = part(w, start, cols)
        g_row = part(g, start, cols)
        row_w = largest(w_row)
        row_g = largest(g_row)
        wg = 0.0
        ww = 0.0
        gg = 0.0
        for i in range(cols):
            a = w_row[i] / row_w
            b = g_row[i] / row_g
            wg += a * b
            ww += a * a
            gg += b * b
        share_w = row_w / size_w if ww > 0 else 0.0
        share_g = row_g / size_g if gg > 0 else 0.0
        wg_sum += share_w * share_g * wg
        ww_sum += share_w * share_w * ww
        gg_sum += share_g * share_g * gg
        all_pass &= passes(wg, ww, gg, delta, cols)
    _keep(tile, wg_sum, ww_sum, gg_sum, size_w, size_g, all_pass)


@compiled
def _keep(tile: Any, wg: float, ww: float, gg: float, size_w: float, size_g: float, all_pass: bool) -> None:
    tile.wg = wg
    tile.ww = ww
    tile.gg = gg
    tile.size_w = size_w
    tile.size_g = size_g
    tile.passes = all_pass


@compiled
def _holds(tensor: Any, view: int, tiles: Array, delta: float) -> bool:
    """Whether Eq. 11 holds in every row of a view."""
    holds = True
    together = tiles_of(tensor, view)
    if together == 0:
        for i in range(len(tiles)):
            holds &= tiles[i].passes != 0
        return holds
    dim = tensor.rows * tensor.cols * together // len(tiles)
    for first in range(0, len(tiles), together):
        row = add_up(tiles[first : first + together])
        holds &= passes(row.wg, row.ww, row.gg, delta, dim)
    return holds


@compiled
def _view(tensor: Any, tiles: Array, delta: float) -> int:
    """The first view in which every row passes Eq. 11."""
    for view in range(FINEST, FINEST + tensor.views):
        if _holds(tensor, view, tiles, delta):
            return view
    return NONE


@compiled
def decide(work: Work, t: int) -> None:
    """Decide the view and the step size of tensor t, and advance its counter."""
    job = work.job
    tensor = work.tensors[t]
    mode = NONE
    if tensor.views != 0:
        mode = _view(tensor, work.tiles[tensor.first : tensor.first + tile_count(tensor)], job.delta)
    eta = job.lr
    root = 1.0
    if job.adaptive:
        step = carray(pointer(tensor.step), (1,), np.float32)
        step[0] += np.float32(1)
        # 1 − βᵗ as −expm1(t log β): nothing cancels for β near 1.
        if job.beta1 > 0:
            eta /= -math.expm1(step[0] * math.log(job.beta1))
        if job.beta2 > 0:
            root = math.sqrt(-math.expm1(step[0] * math.log(job.beta2)))
    decision = work.decisions[t]
    decision.mode = mode
    decision.eta = eta
    decision.inverse_root = 1 / root
    decision.kept = 1 - job.lr * job.decay * (1.0 if mode == NONE else job.wd_ratio)
    decision.late = mode >= SECOND or (mode == FINEST and tiles_of(tensor, mode) > 0)
