"""The phases of a fused step on a CPU: each a function that numba compiles, for one thread and some of the tiles.

All tiles of a tensor go through a phase before the first of them enters the next:

    statistics   a tile's w·g, ‖w‖², ‖g‖², and whether Eq. 11 holds in each of its rows
    decide       a tensor's view, and its step size
    update       moments, x, Π and w, a row at a time while it is in the cache; where the radial part needs more than
                 this tile (layer view, or a row in pieces), only w·x, and nothing is written
    gather       those w·x together
    finish       the tiles that update left
"""

from __future__ import annotations

import math

import numpy as np

from tangency.optim.cpu.memory import Array, address_of, at, compiled, load, part, store
from tangency.optim.cpu.rows import (
    ADAPTIVE,
    BETA1,
    BETA2,
    DECAY,
    DELTA,
    LR,
    PIECE,
    SCALED,
    SHORT,
    SIZE_G,
    SIZE_W,
    SIZE_X,
    STORAGE,
    WD_RATIO,
    WW,
    WX,
    Rule,
    factor_of,
    factors_of_rows,
    largest,
    move_each,
    move_radially,
    move_scaled,
    products,
    products_scaled,
    row_sums,
    row_sums_scaled,
    sound,
    step,
    update,
    update_with_products,
)
from tangency.optim.cpu.tiles import (
    CHANNEL,
    COLS,
    FIRST,
    LAYER,
    NONE,
    PROJECTS,
    STEP,
    G,
    M,
    V,
    W,
    add_up,
    choose_view,
    tile,
    tile_size,
    tiles,
    tiles_of_a_row,
)

# Columns of what is decided of a tensor.
VIEW, ETA, INVERSE_ROOT, KEPT, LATE = range(5)
# Tiles that are swept forwards at a time.
RUN = 16
# Rows of scratch.
X_ROOM, F_ROOM, W_ROOM, G_ROOM, M_ROOM, V_ROOM = range(6)


@compiled
def _place(room: Array, row: int) -> int:
    """The address of a row of scratch (a slice would count references)."""
    return address_of(room) + row * room.strides[0]


@compiled
def _statistics(tensor: Array, first: int, last: int, flags: Array, rule: Array, sums: Array, room: Array) -> None:
    """Of tiles first … last − 1 of a tensor."""
    for index in range(first, last):
        start, n = tile(tensor, index)
        w = load(tensor[W], flags[STORAGE], start, n, _place(room, W_ROOM), room)
        g = load(tensor[G], flags[STORAGE], start, n, _place(room, G_ROOM), room)
        out = sums[tensor[FIRST] + index]
        cols = min(n, tensor[COLS])
        if flags[SCALED]:
            row_sums_scaled(w, g, cols, rule[DELTA], out)
        else:
            row_sums(w, g, cols, rule[DELTA], out)
            out[SIZE_W] = 1.0
            out[SIZE_G] = 1.0


@compiled
def decide(table: Array, t: int, flags: Array, rule: Array, sums: Array, decided: Array) -> None:
    """View and step size of tensor t, whose counter moves on."""
    tensor = table[t]
    view = NONE
    if tensor[PROJECTS]:
        view = choose_view(tensor, rule, sums[tensor[FIRST] : tensor[FIRST] + tiles(tensor)])
    eta = rule[LR]
    root = 1.0
    if flags[ADAPTIVE]:
        step = at(tensor[STEP], 1, np.empty(0, np.float32))
        step[0] += np.float32(1)
        # 1 − βᵗ as −expm1(t log β): nothing cancels for β near 1.
        beta1 = rule[BETA1]
        beta2 = rule[BETA2]
        if beta1 > 0:
            eta /= -math.expm1(step[0] * math.log(beta1))
        if beta2 > 0:
            root = math.sqrt(-math.expm1(step[0] * math.log(beta2)))
    decided[t, VIEW] = view
    decided[t, ETA] = eta
    decided[t, INVERSE_ROOT] = 1 / root
    decided[t, KEPT] = 1 - rule[LR] * rule[DECAY] * (1.0 if view == NONE else rule[WD_RATIO])
    decided[t, LATE] = view == LAYER or (view == CHANNEL and tiles_of_a_row(tensor) > 0)


@compiled
def _coefficient(total: Array) -> float:
    """w·x / ‖w‖² (Eq. 10) of entries of w over their largest; 0 where w = 0."""
    return total[WX] / total[WW] * total[SIZE_X] if total[WW] != 0 else 0.0


@compiled
def gather(table: Array, t: int, every_sum: Array, decided: Array) -> None:
    """The coefficient of Π for every tile of a row or a layer of tensor t, in column WX."""
    tensor = table[t]
    sums = every_sum[tensor[FIRST] : tensor[FIRST] + tiles(tensor)]
    total = np.empty(sums.shape[1])
    step = tiles_of_a_row(tensor) if decided[t, VIEW] == CHANNEL else len(sums)
    for first in range(0, len(sums), step):
        add_up(sums[first : first + step], total)
        sums[first : first + step, WX] = _coefficient(total)
        sums[first : first + step, SIZE_W] = total[SIZE_W]


@compiled
def _open(
    tensor: Array, storage: int, start: int, n: int, room: Array
) -> tuple[Array, Array, Array, Array, Array, int]:
    """w, g, m, v and x of n elements, and how many of m and v there are (the others are x)."""
    w = load(tensor[W], storage, start, n, _place(room, W_ROOM), room)
    g = load(tensor[G], storage, start, n, _place(room, G_ROOM), room)
    x = at(_place(room, X_ROOM), n, room)
    m = load(tensor[M], storage, start, n, _place(room, M_ROOM), room) if tensor[M] else x
    v = load(tensor[V], storage, start, n, _place(room, V_ROOM), room) if tensor[V] else x
    return w, g, m, v, x, (tensor[M] != 0) + (tensor[V] != 0)


@compiled
def _close(tensor: Array, storage: int, start: int, w: Array, m: Array, v: Array) -> None:
    store(tensor[W], storage, start, w)
    if tensor[M]:
        store(tensor[M], storage, start, m)
    if tensor[V]:
        store(tensor[V], storage, start, v)


@compiled
def _measure(
    tensor: Array, start: int, n: int, flags: Array, typed: Rule, scalars: Array, out: Array, room: Array
) -> None:
    """w·x of a tile, with nothing written."""
    root = scalars[INVERSE_ROOT]
    size_x = 0.0
    if flags[SCALED]:
        for i in range(start, start + n, PIECE):
            _, g, m, v, x, state = _open(tensor, flags[STORAGE], i, min(PIECE, start + n - i), room)
            update(g, m, v, x, state, flags, typed, root, False)
            for j in range(x.size):
                size_x = max(size_x, np.float64(abs(x[j])))
    size_x = size_x if size_x > 0 else 1.0
    wx = 0.0
    for i in range(start, start + n, PIECE):
        w, g, m, v, x, state = _open(tensor, flags[STORAGE], i, min(PIECE, start + n - i), room)
        update(g, m, v, x, state, flags, typed, root, False)
        if flags[SCALED]:
            wx += products_scaled(w, x, out[SIZE_W], size_x)[1]
        else:
            wx += products(w, x)[0]
    out[WX] = wx
    out[SIZE_X] = size_x


@compiled
def _flat(
    tensor: Array,
    start: int,
    n: int,
    flags: Array,
    typed: Rule,
    scalars: Array,
    chosen: Array,
    out: Array,
    room: Array,
) -> None:
    """The step of a tile that is not projected, or whose coefficient of Π is known."""
    storage = flags[STORAGE]
    root = scalars[INVERSE_ROOT]
    for i in range(start, start + n, PIECE):
        w, g, m, v, x, state = _open(tensor, storage, i, min(PIECE, start + n - i), room)
        if chosen[VIEW] == NONE:
            step(w, g, m, v, state, flags, typed, root, scalars[KEPT], scalars[ETA])
        else:
            update(g, m, v, x, state, flags, typed, root, True)
            if flags[SCALED]:
                move_scaled(w, x, chosen[KEPT], chosen[ETA], out[WX], out[SIZE_W])
            else:
                move_radially(w, x, chosen[KEPT] + chosen[ETA] * out[WX], chosen[ETA])
        _close(tensor, storage, i, w, m, v)


@compiled
def _project_row(w: Array, x: Array, kept: float, eta: float) -> None:
    """The step of a projected row, whatever its size."""
    size_w = largest(w)
    size_x = largest(x)
    ww, wx = products_scaled(w, x, size_w, size_x)
    move_scaled(w, x, kept, eta, wx / ww * size_x if ww > 0 else 0.0, size_w)


@compiled
def _by_rows(
    tensor: Array, start: int, n: int, flags: Array, typed: Rule, scalars: Array, chosen: Array, room: Array
) -> None:
    """The step of a tile of whole rows that are projected, each by itself."""
    storage = flags[STORAGE]
    cols = tensor[COLS]
    root = scalars[INVERSE_ROOT]
    kept = chosen[KEPT]
    eta = chosen[ETA]
    together = PIECE // cols * cols if cols <= SHORT else cols
    for i in range(start, start + n, together):
        length = min(together, start + n - i)
        w, g, m, v, x, state = _open(tensor, storage, i, length, room)
        if cols > SHORT and not flags[SCALED]:
            wx = 0.0
            ww = 0.0
            xx = 0.0
            for j in range(0, cols, PIECE):
                wx_part, ww_part, xx_part = update_with_products(
                    part(w, j, PIECE),
                    part(g, j, PIECE),
                    part(m, j, PIECE),
                    part(v, j, PIECE),
                    part(x, j, PIECE),
                    state,
                    flags,
                    typed,
                    root,
                )
                wx += wx_part
                ww += ww_part
                xx += xx_part
            if not sound(wx, ww, xx):
                wx, ww, xx = products(w, x)
            move_radially(w, x, factor_of(wx, ww, kept, eta), eta)
        else:
            update(g, m, v, x, state, flags, typed, root, True)
            factors = at(_place(room, F_ROOM), length, room)
            if not flags[SCALED] and factors_of_rows(w, x, cols, kept, eta, factors):
                move_each(w, x, factors, scalars[ETA])
            else:
                for r in range(0, length, cols):
                    _project_row(part(w, r, cols), part(x, r, cols), kept, eta)
        _close(tensor, storage, i, w, m, v)


STATISTICS, UPDATE, FINISH = range(3)


@compiled
def work(
    phase: int,
    table: Array,
    begin: int,
    end: int,
    part: int,
    parts: int,
    flags: Array,
    rule: Array,
    typed: Rule,
    sums: Array,
    decided: Array,
    room: Array,
) -> None:
    """One phase of one part of the tiles of tensors begin … end − 1.

    Args:
        phase: STATISTICS, UPDATE or FINISH.
        table: one tensor a row.
        begin, end: which tensors.
        part, parts: which share of their elements.
        flags: ADAPTIVE, NESTEROV, SCALED, STORAGE.
        rule: the numbers of the step, float64.
        typed: the same in the dtype of the computation.
        sums: one tile a row.
        decided: one tensor a row.
        room: scratch of this part alone, in the dtype of the computation.
    """
    total = 0
    for t in range(begin, end):
        if _joins(phase, table[t], decided[t]):
            total += tiles(table[t]) * tile_size(table[t])
    low = total * part // parts
    high = total * (part + 1) // parts
    scalars = np.empty(decided.shape[1], room.dtype)
    before = 0
    for t in range(begin, end):
        tensor = table[t]
        if not _joins(phase, tensor, decided[t]):
            continue
        size = tile_size(tensor)
        count = tiles(tensor)
        # A tile belongs to the part in which it begins.
        first = min(count, max(0, (low - before + size - 1) // size))
        last = min(count, max(0, (high - before + size - 1) // size))
        before += count * size
        if phase == STATISTICS:
            _statistics(tensor, first, last, flags, rule, sums, room)
            continue
        chosen = decided[t]
        scalars[:] = chosen
        # Backwards, since the cache still holds what the first sweep read last; but in runs that can be prefetched.
        for turn in range(last - first):
            index = last - min(last - first, turn // RUN * RUN + RUN) + turn % RUN
            start, n = tile(tensor, index)
            out = sums[tensor[FIRST] + index]
            if phase == UPDATE and chosen[LATE]:
                _measure(tensor, start, n, flags, typed, scalars, out, room)
            elif phase == UPDATE and chosen[VIEW] == CHANNEL:
                _by_rows(tensor, start, n, flags, typed, scalars, chosen, room)
            else:
                _flat(tensor, start, n, flags, typed, scalars, chosen, out, room)


@compiled
def _joins(phase: int, tensor: Array, chosen: Array) -> bool:
    """Whether a tensor goes through a phase at all."""
    if phase == STATISTICS:
        return tensor[PROJECTS] != 0
    return phase == UPDATE or chosen[LATE] != 0
