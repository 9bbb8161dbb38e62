"""Tensors cut into tiles for the fused step on a CPU.

A tile is some whole rows, or a piece of a row that is too long for a cache or is never projected.
"""

from __future__ import annotations

from typing import Any

from tangency.optim.cpu.memory import Array, compiled

FULL = 16384  # elements of a tile, unless it is one longer row
LONG = 65536  # a longer row is cut into tiles: it and its update would not stay in the second cache


@compiled
def tile_size(tensor: Any) -> int:
    """Elements of a full tile."""
    return max(1, FULL // tensor.cols) * tensor.cols if tensor.projects and tensor.cols <= LONG else FULL


@compiled
def tiles_of_a_row(tensor: Any) -> int:
    """How many tiles a row in pieces has; 0 where tiles are whole rows."""
    return (tensor.cols + FULL - 1) // FULL if tensor.cols > LONG or not tensor.projects else 0


@compiled
def tile_count(tensor: Any) -> int:
    pieces = tiles_of_a_row(tensor)
    size = tile_size(tensor)
    return tensor.rows * pieces if pieces else (tensor.rows * tensor.cols + size - 1) // size


@compiled
def bounds(tensor: Any, index: int) -> tuple[int, int]:
    """First element of a tile, and its number of elements."""
    pieces = tiles_of_a_row(tensor)
    cols = tensor.cols
    if pieces:
        start = index % pieces * FULL
        return index // pieces * cols + start, min(FULL, cols - start)
    size = tile_size(tensor)
    return index * size, min(size, tensor.rows * cols - index * size)


@compiled
def number(tensors: Array) -> int:
    """Number the tiles of all tensors, in `first`, and return how many there are."""
    count = 0
    for t in range(len(tensors)):
        tensors[t].first = count
        count += tile_count(tensors[t])
    return count
