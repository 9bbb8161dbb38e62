"""Tensors cut into tiles for the fused step on a CPU.

A tile is some whole rows of one head, or a piece of a row that is too long for a cache or is never projected.
"""

from __future__ import annotations

from typing import Any

from tangency.optim.cpu.memory import Array, compiled
from tangency.optim.cpu.records import FINEST, SECOND

FULL = 16384  # elements of a tile, unless it is one longer row
LONG = 65536  # a longer row is cut into tiles: it and its update would not stay in the second cache


@compiled
def tile_size(tensor: Any) -> int:
    """Elements of a full tile."""
    if tensor.views == 0 or tensor.cols > LONG:
        return FULL
    return min(max(1, FULL // tensor.cols), tensor.head) * tensor.cols


@compiled
def tiles_of_a_row(tensor: Any) -> int:
    """How many tiles a row in pieces has; 0 where tiles are whole rows."""
    return (tensor.cols + FULL - 1) // FULL if tensor.cols > LONG or tensor.views == 0 else 0


@compiled
def _tiles_of_a_head(tensor: Any) -> int:
    pieces = tiles_of_a_row(tensor)
    size = tile_size(tensor)
    return tensor.head * pieces if pieces else (tensor.head * tensor.cols + size - 1) // size


@compiled
def tile_count(tensor: Any) -> int:
    return tensor.rows // tensor.head * _tiles_of_a_head(tensor)


@compiled
def tiles_of(tensor: Any, view: int) -> int:
    """How many tiles a row of a view has; 0 where tiles are whole rows."""
    if view == FINEST:
        return tiles_of_a_row(tensor)
    return _tiles_of_a_head(tensor) if view == SECOND else tile_count(tensor)


@compiled
def bounds(tensor: Any, index: int) -> tuple[int, int]:
    """First element of a tile, and its number of elements."""
    pieces = tiles_of_a_row(tensor)
    cols = tensor.cols
    if pieces:
        start = index % pieces * FULL
        return index // pieces * cols + start, min(FULL, cols - start)
    size = tile_size(tensor)
    tiles = _tiles_of_a_head(tensor)
    start = index % tiles * size
    return index // tiles * tensor.head * cols + start, min(size, tensor.head * cols - start)


@compiled
def number(tensors: Array) -> int:
    """Number the tiles of all tensors, in `first`, and return how many there are."""
    count = 0
    for t in range(len(tensors)):
        tensors[t].first = count
        count += tile_count(tensors[t])
    return count
