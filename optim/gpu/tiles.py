"""What the GPU kernels are made of, in Triton: tiles of rows in memory, and inner products that cannot overflow.

A row starts wherever the one before it ended: at a multiple of 588 bytes in ResNet's first convolution. So a tile sees
its rows through windows that start at the 16-byte boundary before each: whole vectors inside a row move 128 bits at a
time, the elements before and after them one by one. No program touches an element of a row that is not its own.
"""

from __future__ import annotations

import triton
import triton.language as tl

TILE = tl.constexpr(1024)  # elements of a tile: 8 for each of 128 threads
SPAN = tl.constexpr(8)  # the most tiles that one program walks over

# Columns of the table, one line for each parameter: addresses, then how it is cut up.
W, G, M, V, STEP = (tl.constexpr(i) for i in range(5))
COLS, SIZE, LANES, BLOCKS, GROUPS, SEGMENTS, FIRST, PIECES, PROJECTS = (tl.constexpr(i) for i in range(5, 14))
FIELDS = tl.constexpr(14)


@triton.jit
def address(fields, column: tl.constexpr, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """A pointer out of the table; with VECTOR > 1 a multiple of 16 bytes."""
    pointer = tl.load(fields + column).to(tl.pointer_type(DTYPE))
    if VECTOR > 1:
        pointer = tl.multiple_of(pointer, 16)
    return pointer


@triton.jit
def cut(fields, VECTOR: tl.constexpr):
    """How a parameter is cut up: cols, size, groups and segments; and whether rows begin or end inside of a vector."""
    cols, size = tl.load(fields + COLS), tl.load(fields + SIZE)
    groups, segments = tl.load(fields + GROUPS).to(tl.int32), tl.load(fields + SEGMENTS)
    return cols, size, groups, segments, (cols % VECTOR != 0) | (size % VECTOR != 0)


@triton.jit
def window(shape, index, group, ROW: tl.constexpr, VECTOR: tl.constexpr):
    """The rows of a tile, [rows, 1]: where their windows start, and their first lane and the one past their last.

    `index` is that of the piece in its parameter: a number of whole groups of rows, or a segment of one row.
    """
    cols, size, groups, segments, ragged = shape
    rows: tl.constexpr = TILE // ROW
    row = (index // segments * groups + group) * rows + tl.arange(0, rows)
    start = row.to(tl.int64) * cols
    stop = tl.minimum(start + cols, size)
    begin = start // VECTOR * VECTOR + index % segments * (SPAN * TILE)
    # Clamped to the piece, so that lanes are 32-bit numbers; past the last row there are none.
    first = tl.maximum(start - begin, 0).to(tl.int32)
    last = tl.maximum(tl.minimum(stop - begin, SPAN * TILE), 0).to(tl.int32)
    return begin[:, None], first[:, None], last[:, None], ragged


@triton.jit
def lanes(rows, block, ROW: tl.constexpr, VECTOR: tl.constexpr):
    """The elements of a tile, [rows, ROW]; which are in whole vectors of their row, which at its edges; if any are.

    All streams of a tile move their whole vectors first, then, in one branch for all, their edges.
    """
    begin, first, last, ragged = rows
    lane = block * ROW + tl.arange(0, ROW)[None, :]
    vector = lane // VECTOR * VECTOR
    whole = (vector >= first) & (vector + VECTOR <= last)
    return begin + lane, whole, (lane >= first) & (lane < last) & ~whole, ragged


@triton.jit
def load(base, spot):
    """The elements of a tile in whole vectors of its rows; 0 elsewhere."""
    element, whole, edge, ragged = spot
    return tl.load(base + element, whole, other=0)


@triton.jit
def load_edges(base, spot, x):
    """A tile with the elements at the edges of its rows."""
    element, whole, edge, ragged = spot
    return tl.where(edge, tl.load(base + element, edge, other=0), x)


@triton.jit
def narrow(base, x):
    """x as it is stored: rounded to the format of the computation, and to that of the storage."""
    if base.dtype.element_ty.primitive_bitwidth < 32:
        x = x.to(tl.float32)
    return x.to(base.dtype.element_ty)


@triton.jit
def store(base, spot, x):
    """Write the elements of a tile in whole vectors of its rows."""
    element, whole, edge, ragged = spot
    tl.store(base + element, x, whole)


@triton.jit
def store_edges(base, spot, x):
    """Write the elements at the edges of rows."""
    element, whole, edge, ragged = spot
    tl.store(base + element, x, edge)


@triton.jit
def power(k):
    """2^k in float64, for k <= 1023; 0 where it would be subnormal."""
    return (tl.maximum(k + 1023, 0).to(tl.int64) << 52).to(tl.float64, bitcast=True)


@triton.jit
def exponent(x):
    """k for each row such that its largest |x|·2^-k is below 4, and at least 1 if |x| is normal; 2^k and 2^-k are."""
    # As integers, which order as the numbers do and know no NaN.
    field = tl.max((x.to(tl.int64, bitcast=True) & 0x7FFFFFFFFFFFFFFF) >> 52, 1).to(tl.int32)
    return tl.minimum(tl.maximum(field - 1023, -1022), 1022)


@triton.jit
def nothing(SHAPE: tl.constexpr):
    """Sums of nothing: a·a, a·b and b·b, and the exponents of a and b."""
    zero = tl.zeros(SHAPE, tl.float64)
    least = tl.full(SHAPE, -1022, tl.int32)
    return zero, zero, zero, least, least


@triton.jit
def add_tile(sums, a, b, SCALED: tl.constexpr, SQUARE: tl.constexpr):
    """Add the inner products of the rows of two tiles; b·b only with SQUARE.

    In float64 the products of shorter formats are exact, and nothing over- or underflows. Those of float64 itself may:
    with SCALED the sums are those of a 2^-ka and b 2^-kb.
    """
    aa, ab, bb, ka, kb = sums
    a, b = a.to(tl.float64), b.to(tl.float64)
    if SCALED:
        na, nb = tl.maximum(ka, exponent(a)), tl.maximum(kb, exponent(b))
        fa, fb = power(ka - na), power(kb - nb)
        aa, ab, bb, ka, kb = aa * fa * fa, ab * fa * fb, bb * fb * fb, na, nb
        a, b = a * power(-ka)[:, None], b * power(-kb)[:, None]
    aa += tl.sum(a * a, 1)
    ab += tl.sum(a * b, 1)
    if SQUARE:
        bb += tl.sum(b * b, 1)
    return aa, ab, bb, ka, kb


@triton.jit
def add_sums(sums, more, SCALED: tl.constexpr):
    """Add up sums along their last axis."""
    aa, ab, bb, ka, kb = sums
    more_aa, more_ab, more_bb, more_ka, more_kb = more
    last: tl.constexpr = len(more_aa.shape) - 1
    if SCALED:
        na, nb = tl.maximum(ka, tl.max(more_ka, last)), tl.maximum(kb, tl.max(more_kb, last))
        fa, fb = power(ka - na), power(kb - nb)
        aa, ab, bb, ka, kb = aa * fa * fa, ab * fa * fb, bb * fb * fb, na, nb
        fa, fb = power(more_ka - tl.expand_dims(na, last)), power(more_kb - tl.expand_dims(nb, last))
        more_aa, more_ab, more_bb = more_aa * fa * fa, more_ab * fa * fb, more_bb * fb * fb
    return aa + tl.sum(more_aa, last), ab + tl.sum(more_ab, last), bb + tl.sum(more_bb, last), ka, kb
