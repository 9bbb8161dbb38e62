"""Tensors cut into tiles for the fused step on a CPU, and what is known of a tensor from its tiles.

A tile is some whole rows, or a piece of a row that is too long for a cache or is never projected.
"""

from __future__ import annotations

import numpy as np

from tangency.optim.cpu.memory import Array, compiled
from tangency.optim.cpu.rows import DELTA, GG, PASSES, SIZE_G, SIZE_W, SIZE_X, WG, WW, WX, passes

# Columns of the table of tensors: addresses (0: none), the channel view, the number of the first tile.
W, G, M, V, STEP, ROWS, COLS, PROJECTS, FIRST = range(9)
NONE, CHANNEL, LAYER = range(3)
TILE = 16384  # elements of a tile, unless it is one longer row
LONG = 65536  # a longer row is cut into tiles: it and its update would not stay in the second cache


@compiled
def tile_size(tensor: Array) -> int:
    """Elements of a full tile."""
    cols = tensor[COLS]
    return max(1, TILE // cols) * cols if tensor[PROJECTS] and cols <= LONG else TILE


@compiled
def tiles_of_a_row(tensor: Array) -> int:
    """How many tiles a row in pieces has; 0 where tiles are whole rows."""
    return (tensor[COLS] + TILE - 1) // TILE if tensor[COLS] > LONG or not tensor[PROJECTS] else 0


@compiled
def tiles(tensor: Array) -> int:
    pieces = tiles_of_a_row(tensor)
    size = tile_size(tensor)
    return tensor[ROWS] * pieces if pieces else (tensor[ROWS] * tensor[COLS] + size - 1) // size


@compiled
def tile(tensor: Array, index: int) -> tuple[int, int]:
    """First element of a tile, and its number of elements."""
    pieces = tiles_of_a_row(tensor)
    cols = tensor[COLS]
    if pieces:
        start = index % pieces * TILE
        return index // pieces * cols + start, min(TILE, cols - start)
    size = tile_size(tensor)
    return index * size, min(size, tensor[ROWS] * cols - index * size)


@compiled
def number(table: Array) -> int:
    """Number the tiles of all tensors, in column FIRST; how many there are."""
    count = 0
    for t in range(len(table)):
        table[t, FIRST] = count
        count += tiles(table[t])
    return count


@compiled
def add_up(sums: Array, out: Array) -> None:
    """The sums of some tiles together, each brought to the size of the largest."""
    out[:] = 0.0
    for i in range(len(sums)):
        # The size of a tile of zeros, 1, says nothing.
        if sums[i, WW] != 0:
            out[SIZE_W] = max(out[SIZE_W], sums[i, SIZE_W])
        if sums[i, GG] != 0:
            out[SIZE_G] = max(out[SIZE_G], sums[i, SIZE_G])
        if sums[i, WX] != 0:
            out[SIZE_X] = max(out[SIZE_X], sums[i, SIZE_X])
    for i in range(len(sums)):
        w = sums[i, SIZE_W] / out[SIZE_W] if sums[i, WW] != 0 else 0.0
        g = sums[i, SIZE_G] / out[SIZE_G] if sums[i, GG] != 0 else 0.0
        x = sums[i, SIZE_X] / out[SIZE_X] if sums[i, WX] != 0 else 0.0
        out[WG] += w * g * sums[i, WG]
        out[WW] += w * w * sums[i, WW]
        out[GG] += g * g * sums[i, GG]
        out[WX] += w * x * sums[i, WX]


@compiled
def choose_view(tensor: Array, rule: Array, sums: Array) -> int:
    """The first view in which every row passes Eq. 11."""
    total = np.empty(sums.shape[1])
    pieces = tiles_of_a_row(tensor)
    by_channel = True
    if pieces:
        for first in range(0, len(sums), pieces):
            add_up(sums[first : first + pieces], total)
            by_channel &= passes(total[WG], total[WW], total[GG], rule[DELTA], tensor[COLS])
    else:
        for i in range(len(sums)):
            by_channel &= sums[i, PASSES] != 0
    if by_channel:
        return CHANNEL
    add_up(sums, total)
    by_layer = passes(total[WG], total[WW], total[GG], rule[DELTA], tensor[ROWS] * tensor[COLS])
    return LAYER if by_layer else NONE
