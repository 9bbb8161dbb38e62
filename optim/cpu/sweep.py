"""The sweeps of a fused step on a CPU over the tiles of tensors, each thread's share of them.

All tiles of a tensor go through a sweep before the first of them enters the next:

    STATISTICS   w·g, ‖w‖², ‖g‖² (`decide`, which then chooses the view)
    UPDATE       moments, x, Π and w, a row at a time while it is in the cache; where the radial part needs more than
                 this tile (a coarser view, a row in pieces), only w·x, and nothing is written; `gather` adds those up
    FINISH       the tiles that UPDATE left
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangency.optim.cpu.decide import statistics
from tangency.optim.cpu.memory import Array, as_stored, at, compiled, inlined, load, part, room, store
from tangency.optim.cpu.products import PIECE, SHORT, add_up, largest, products, products_scaled, sound
from tangency.optim.cpu.records import F_ROOM, FINEST, G_ROOM, M_ROOM, NONE, V_ROOM, W_ROOM, X_ROOM, Streams, Work
from tangency.optim.cpu.tiles import bounds, tile_count, tile_size, tiles_of
from tangency.optim.cpu.update import (
    direction,
    direction_with_products,
    factor_of,
    factors_of_rows,
    move_each,
    move_radially,
    move_scaled,
    step,
)

STATISTICS, UPDATE, FINISH = map(np.int64, range(3))
# Tiles that are swept forwards at a time.
RUN = 16


@compiled
def _open(work: Work, tensor: Any, start: int, n: int) -> Streams:
    """n elements of a tensor."""
    storage = work.job.storage
    rooms = work.rooms
    x = at(room(rooms, X_ROOM), n, rooms)
    return Streams(
        load(tensor.w, storage, start, n, rooms, W_ROOM),
        load(tensor.g, storage, start, n, rooms, G_ROOM),
        load(tensor.m, storage, start, n, rooms, M_ROOM) if tensor.m else x,
        load(tensor.v, storage, start, n, rooms, V_ROOM) if tensor.v else x,
        x,
        (tensor.m != 0) + (tensor.v != 0),
    )


@compiled
def _close(work: Work, tensor: Any, start: int, some: Streams) -> None:
    """Write back what has changed."""
    storage = work.job.storage
    store(tensor.w, storage, start, some.w)
    if tensor.m:
        store(tensor.m, storage, start, some.m)
    if tensor.v:
        store(tensor.v, storage, start, some.v)


@compiled
def _measure(work: Work, t: int, index: int) -> None:
    """w·x of a tile, with nothing written."""
    tensor = work.tensors[t]
    tile = work.tiles[tensor.first + index]
    root = as_stored(work.decisions[t].inverse_root, work.rooms)
    scaled = work.job.scaled
    start, n = bounds(tensor, index)
    size_x = 0.0
    if scaled:
        for i in range(start, start + n, PIECE):
            some = _open(work, tensor, i, min(PIECE, start + n - i))
            direction(some, work.rule, root, False)
            for j in range(some.x.size):
                size_x = max(size_x, np.float64(abs(some.x[j])))
    size_x = size_x if size_x > 0 else 1.0
    wx = 0.0
    for i in range(start, start + n, PIECE):
        some = _open(work, tensor, i, min(PIECE, start + n - i))
        direction(some, work.rule, root, False)
        if scaled:
            wx += products_scaled(some.w, some.x, tile.size_w, size_x)[1]
        else:
            wx += products(some.w, some.x)[0]
    tile.wx = wx
    tile.size_x = size_x


@compiled
def gather(work: Work, t: int) -> None:
    """The coefficient of Π for every tile of a row of the view of tensor t: w·x/‖w‖² (Eq. 10); 0 where w = 0."""
    tensor = work.tensors[t]
    tiles = work.tiles[tensor.first : tensor.first + tile_count(tensor)]
    together = tiles_of(tensor, work.decisions[t].mode)
    for first in range(0, len(tiles), together):
        total = add_up(tiles[first : first + together])
        for i in range(first, first + together):
            tiles[i].wx = total.wx / total.ww * total.size_x if total.ww != 0 else 0.0
            tiles[i].size_w = total.size_w


@compiled
def _flat(work: Work, t: int, index: int) -> None:
    """The step of a tile that is not projected, or whose coefficient of Π is known."""
    tensor = work.tensors[t]
    decision = work.decisions[t]
    tile = work.tiles[tensor.first + index]
    root = as_stored(decision.inverse_root, work.rooms)
    kept = decision.kept
    eta = decision.eta
    start, n = bounds(tensor, index)
    for i in range(start, start + n, PIECE):
        some = _open(work, tensor, i, min(PIECE, start + n - i))
        if decision.mode == NONE:
            step(some, work.rule, root, as_stored(kept, some.x), as_stored(eta, some.x))
        else:
            direction(some, work.rule, root, True)
            if work.job.scaled:
                move_scaled(some.w, some.x, kept, eta, tile.wx, tile.size_w)
            else:
                move_radially(some.w, some.x, kept + eta * tile.wx, eta)
        _close(work, tensor, i, some)


@compiled
def _by_rows(work: Work, t: int, index: int) -> None:
    """The step of a tile of whole rows that are projected, each by itself."""
    tensor = work.tensors[t]
    cols = tensor.cols
    start, n = bounds(tensor, index)
    together = PIECE // cols * cols if cols <= SHORT else cols
    for i in range(start, start + n, together):
        some = _open(work, tensor, i, min(together, start + n - i))
        if cols > SHORT and not work.job.scaled:
            _long_row(work, t, some)
        else:
            _rows(work, t, some)
        _close(work, tensor, i, some)


@compiled
def _long_row(work: Work, t: int, row: Streams) -> None:
    """The step of one projected row, whose products are summed while it is in the cache."""
    decision = work.decisions[t]
    root = as_stored(decision.inverse_root, row.x)
    wx = 0.0
    ww = 0.0
    xx = 0.0
    for i in range(0, row.x.size, PIECE):
        some = Streams(
            part(row.w, i, PIECE),
            part(row.g, i, PIECE),
            part(row.m, i, PIECE),
            part(row.v, i, PIECE),
            part(row.x, i, PIECE),
            row.state,
        )
        wx_part, ww_part, xx_part = direction_with_products(some, work.rule, root)
        wx += wx_part
        ww += ww_part
        xx += xx_part
    if not sound(wx, ww, xx):
        wx, ww, xx = products(row.w, row.x)
    move_radially(row.w, row.x, factor_of(wx, ww, decision.kept, decision.eta), decision.eta)


@compiled
def _rows(work: Work, t: int, some: Streams) -> None:
    """The step of some projected rows: all at once where their factors allow it, else each in its own scale."""
    decision = work.decisions[t]
    kept = decision.kept
    eta = decision.eta
    cols = work.tensors[t].cols
    direction(some, work.rule, as_stored(decision.inverse_root, some.x), True)
    w = some.w
    x = some.x
    factors = at(room(work.rooms, F_ROOM), x.size, x)
    if not work.job.scaled and factors_of_rows(w, x, cols, kept, eta, factors):
        move_each(w, x, factors, as_stored(eta, x))
    else:
        for r in range(0, x.size, cols):
            _scaled_row(part(w, r, cols), part(x, r, cols), kept, eta)


@compiled
def _scaled_row(w: Array, x: Array, kept: float, eta: float) -> None:
    """The step of a projected row, whatever its size."""
    size_w = largest(w)
    size_x = largest(x)
    ww, wx = products_scaled(w, x, size_w, size_x)
    move_scaled(w, x, kept, eta, wx / ww * size_x if ww > 0 else 0.0, size_w)


@compiled
def _joins(phase: int, work: Work, t: int) -> bool:
    """Whether a tensor takes part in a sweep."""
    if phase == STATISTICS:
        return work.tensors[t].views != 0
    return phase == UPDATE or work.decisions[t].late != 0


@compiled
def sweep(phase: int, work: Work, begin: int, end: int, share: int, shares: int) -> None:
    """One sweep over one share of the tiles of tensors begin … end − 1.

    Args:
        phase: STATISTICS, UPDATE or FINISH.
        work: the data of the step.
        begin, end: which tensors.
        share, shares: which part of their elements.
    """
    total = 0
    for t in range(begin, end):
        if _joins(phase, work, t):
            total += tile_count(work.tensors[t]) * tile_size(work.tensors[t])
    low = total * share // shares
    high = total * (share + 1) // shares
    before = 0
    for t in range(begin, end):
        if not _joins(phase, work, t):
            continue
        tensor = work.tensors[t]
        size = tile_size(tensor)
        count = tile_count(tensor)
        # A tile belongs to the share in which it begins.
        first = min(count, max(0, (low - before + size - 1) // size))
        last = min(count, max(0, (high - before + size - 1) // size))
        before += count * size
        if phase == STATISTICS:
            statistics(work, tensor, first, last)
        else:
            _advance(phase, work, t, first, last)


@inlined
def _advance(phase: int, work: Work, t: int, first: int, last: int) -> None:
    """Tiles first … last − 1 of a tensor, as it was decided.

    Backwards, since the cache still holds what the first sweep read last; but in runs that can be prefetched.
    """
    mode = work.decisions[t].mode
    late = work.decisions[t].late
    for turn in range(last - first):
        index = last - min(last - first, turn // RUN * RUN + RUN) + turn % RUN
        if phase == UPDATE and late:
            _measure(work, t, index)
        elif phase == UPDATE and mode == FINEST:
            _by_rows(work, t, index)
        else:
            _flat(work, t, index)
