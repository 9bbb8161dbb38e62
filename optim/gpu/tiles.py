"""Tiles of rows in memory, as the GPU kernels read and write them, in Triton.

A row starts wherever the one before it ended: at a multiple of 588 bytes in ResNet's first convolution. So a tile reads
its rows through windows that start at the 16-byte boundary before each: whole vectors inside a row move 128 bits at a
time, the elements before and after them one by one. No program touches an element of a row that is not its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

from tangency.optim.gpu.tables import COLS, GROUPS, HEAD, PARTS, SEGMENTS, SIZE

TILE = tl.constexpr(1024)  # elements of a tile: 8 for each of 128 threads
SPAN = tl.constexpr(8)  # the most tiles that one program walks over


class Cut(NamedTuple):
    """How a parameter is cut up; `ragged` is whether rows begin or end inside of a vector."""

    cols: Any
    size: Any
    groups: Any
    segments: Any
    head: Any
    parts: Any
    ragged: Any


class Rows(NamedTuple):
    """The rows of a tile, [rows, 1]: where their windows start, and their first lane and the one past their last."""

    begin: Any
    first: Any
    last: Any
    ragged: Any


class Spot(NamedTuple):
    """The elements of a tile, [rows, lanes]; which are in whole vectors of their row, which at its edges; if any are.

    All streams of a tile move their whole vectors first, then, in one branch for all, their edges.
    """

    element: Any
    whole: Any
    edge: Any
    ragged: Any


@triton.jit
def cut(fields, VECTOR: tl.constexpr):
    """How a parameter is cut up."""
    cols, size = tl.load(fields + COLS), tl.load(fields + SIZE)
    groups, segments = tl.load(fields + GROUPS).to(tl.int32), tl.load(fields + SEGMENTS)
    head, parts = tl.load(fields + HEAD), tl.load(fields + PARTS)
    return Cut(cols, size, groups, segments, head, parts, (cols % VECTOR != 0) | (size % VECTOR != 0))


@triton.jit
def window(shape, index, group, ROW: tl.constexpr, VECTOR: tl.constexpr):
    """The rows of a tile; `index` is that of the piece in its parameter, whole rows of a head or a segment of one."""
    rows: tl.constexpr = TILE // ROW
    head, part = index // shape.parts * shape.head, index % shape.parts
    row = head + (part // shape.segments * shape.groups + group) * rows + tl.arange(0, rows)
    start = row.to(tl.int64) * shape.cols
    stop = tl.minimum(start + shape.cols, tl.minimum((head + shape.head) * shape.cols, shape.size))
    begin = start // VECTOR * VECTOR + index % shape.segments * (SPAN * TILE)
    # Clamped to the piece, so that lanes are 32-bit numbers; past the last row of a head there are none.
    first = tl.maximum(start - begin, 0).to(tl.int32)
    last = tl.maximum(tl.minimum(stop - begin, SPAN * TILE), 0).to(tl.int32)
    return Rows(begin[:, None], first[:, None], last[:, None], shape.ragged)


@triton.jit
def lanes(rows, block, ROW: tl.constexpr, VECTOR: tl.constexpr):
    """The elements of a tile of its rows."""
    lane = block * ROW + tl.arange(0, ROW)[None, :]
    vector = lane // VECTOR * VECTOR
    whole = (vector >= rows.first) & (vector + VECTOR <= rows.last)
    return Spot(rows.begin + lane, whole, (lane >= rows.first) & (lane < rows.last) & ~whole, rows.ragged)


@triton.jit
def load(base, spot):
    """The elements of a tile in whole vectors of its rows; 0 elsewhere."""
    return tl.load(base + spot.element, spot.whole, other=0)


@triton.jit
def load_edges(base, spot, x):
    """A tile with the elements at the edges of its rows."""
    return tl.where(spot.edge, tl.load(base + spot.element, spot.edge, other=0), x)


@triton.jit
def narrow(base, x):
    """x as it is stored: rounded to the format of the computation, and to that of the storage."""
    if base.dtype.element_ty.primitive_bitwidth < 32:
        x = x.to(tl.float32)
    return x.to(base.dtype.element_ty)


@triton.jit
def store(base, spot, x):
    """Write the elements of a tile in whole vectors of its rows."""
    tl.store(base + spot.element, x, spot.whole)


@triton.jit
def store_edges(base, spot, x):
    """Write the elements at the edges of rows."""
    tl.store(base + spot.element, x, spot.edge)
