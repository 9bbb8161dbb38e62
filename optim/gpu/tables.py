"""The tables of the kernels in device memory, by the names of their columns."""

from __future__ import annotations

import triton
import triton.language as tl

# A line for each parameter: addresses, then how it is cut up: HEAD rows in PARTS pieces make one of the second view.
W, G, M, V, STEP = (tl.constexpr(i) for i in range(5))
COLS, SIZE, LANES, BLOCKS, GROUPS, SEGMENTS, HEAD, PARTS, FIRST, PIECES, VIEWS = (tl.constexpr(i) for i in range(5, 16))
FIELDS = tl.constexpr(16)

# The results of each piece: sums and their exponents, and the number of its rows that fail Eq. 11.
WW, WG, GG, WX, KW, KG, KX, FAILED = (tl.constexpr(i) for i in range(8))
FOUND = tl.constexpr(8)

# The decision for each parameter. MODE is a view (as `rows.Rows` has them), or SKIP where gradients are not finite.
MODE, ETA, ROOT, KEPT = (tl.constexpr(i) for i in range(4))
DECIDED = tl.constexpr(4)
NONE, FINEST, SECOND, THIRD, SKIP = (tl.constexpr(i) for i in range(5))


@triton.jit
def address(fields, column: tl.constexpr, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """A pointer out of the table; with VECTOR > 1 a multiple of 16 bytes."""
    pointer = tl.load(fields + column).to(tl.pointer_type(DTYPE))
    if VECTOR > 1:
        pointer = tl.multiple_of(pointer, 16)
    return pointer
