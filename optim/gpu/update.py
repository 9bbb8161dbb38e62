"""The step itself on a GPU, in Triton: the kernel `update`, which is launched once more as `finish`.

    update      reads w, g, m, v and writes w, m, v; or, where w·x is a sum over several pieces, the parts of that
    finish      of those: sums the parts, reads w, g, m, v again and writes w, m, v

A row of one tile stays in registers between w·x and the store; of a longer one, all tiles but one are read twice by
`update`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

from tangency.optim.gpu.arithmetic import (
    Sums,
    add_sums,
    add_tile,
    divide,
    found_sums,
    gradient,
    nothing,
    number,
    power,
    root,
)
from tangency.optim.gpu.tables import (
    BLOCKS,
    DECIDED,
    ETA,
    FIELDS,
    FINEST,
    FIRST,
    FOUND,
    KEPT,
    KX,
    LANES,
    MODE,
    NONE,
    PARTS,
    PIECES,
    ROOT,
    SECOND,
    SKIP,
    WW,
    WX,
    G,
    M,
    V,
    W,
    address,
)
from tangency.optim.gpu.tiles import TILE, cut, lanes, load, load_edges, narrow, store, store_edges, window

# The entries of RULE, in order: AdamP or SGDP, whether moments are kept, Nesterov's look ahead, the sign of g.
ADAPTIVE, MOMENTUM, NESTEROV, MAXIMIZE = (tl.constexpr(i) for i in range(4))


class Numbers(NamedTuple):
    """The numbers of a rule, in the format of the computation; `root` is √(1 − β₂ᵗ)."""

    beta1: Any
    fresh: Any
    ahead: Any
    beta2: Any
    fresh2: Any
    eps: Any
    root: Any


class Piece(NamedTuple):
    """The data of the program of a piece.

    Attributes:
        w, g, m, v: addresses of its parameter.
        shape: how that is cut up.
        index: which of its pieces this is.
        blocks: tiles of a row.
        numbers: of the rule.
        projected, eta, kept: the decision: whether it is projected, η, the factor of weight decay.
    """

    w: Any
    g: Any
    m: Any
    v: Any
    shape: Any
    index: Any
    blocks: Any
    numbers: Any
    projected: Any
    eta: Any
    kept: Any


class Tile(NamedTuple):
    """A tile: w before the step, its moments after it, and the update x before the projection."""

    w: Any
    m: Any
    v: Any
    x: Any


@triton.jit
def _direction(piece, spot, grad_scale, RULE: tl.constexpr, FORMAT: tl.constexpr, VECTOR: tl.constexpr):
    """Read a tile and compute its update."""
    rule = piece.numbers
    w, g = load(piece.w, spot), load(piece.g, spot)
    m = load(piece.m, spot) if RULE[MOMENTUM] else g
    v = load(piece.v, spot) if RULE[ADAPTIVE] else g
    if VECTOR > 1:
        if spot.ragged:
            w, g = load_edges(piece.w, spot, w), load_edges(piece.g, spot, g)
            if RULE[MOMENTUM]:
                m = load_edges(piece.m, spot, m)
            if RULE[ADAPTIVE]:
                v = load_edges(piece.v, spot, v)
    g = gradient(g, grad_scale, RULE[MAXIMIZE], FORMAT)
    m = rule.beta1 * m.to(FORMAT) + rule.fresh * g if RULE[MOMENTUM] else rule.fresh * g
    x = rule.ahead * g + rule.beta1 * m if RULE[NESTEROV] else m
    if RULE[ADAPTIVE]:
        v = rule.beta2 * v.to(FORMAT) + rule.fresh2 * g * g
        x = divide(x, divide(root(v), rule.root) + rule.eps)
        # Outside of the rows this is 0/0 if eps is 0.
        x = tl.where(spot.whole | spot.edge, x, 0)
    return Tile(w, m, v, x)


@triton.jit
def _write(piece, spot, tile, sums, RULE: tl.constexpr, FORMAT: tl.constexpr, VECTOR: tl.constexpr):
    """w ← kept · w − η Π x (Eq. 10) in a tile, from w·w and w·x of its rows; and its moments."""
    w, x = tile.w.to(tl.float64), tile.x.to(tl.float64)
    radial = tl.where(sums.ww == 0, 0, sums.wb / sums.ww)
    if FORMAT == tl.float64:
        # By 2^(kx − kw) in two steps, since that may overflow, while each half is a normal number.
        half = (sums.kb - sums.kw) >> 1
        radial = radial * (w * power(half)) * power(sums.kb - sums.kw - half)
    else:
        radial = radial * w
    # Selected, not multiplied by 0: an infinity or a NaN stays in its own element of an update that is not projected.
    w = narrow(piece.w, piece.kept * w - piece.eta * tl.where(piece.projected, x - radial, x))
    m, v = narrow(piece.m, tile.m), narrow(piece.v, tile.v)
    store(piece.w, spot, w)
    if RULE[MOMENTUM]:
        store(piece.m, spot, m)
    if RULE[ADAPTIVE]:
        store(piece.v, spot, v)
    if VECTOR > 1:
        if spot.ragged:
            store_edges(piece.w, spot, w)
            if RULE[MOMENTUM]:
                store_edges(piece.m, spot, m)
            if RULE[ADAPTIVE]:
                store_edges(piece.v, spot, v)


@triton.jit
def _sweep(
    piece, parted, grad_scale, RULE: tl.constexpr, ROW: tl.constexpr, FORMAT: tl.constexpr, VECTOR: tl.constexpr
):
    """The step of a piece of whole rows; or, of one that is `parted` from others of its row, its sums."""
    SCALED: tl.constexpr = FORMAT == tl.float64
    total = nothing([])
    for group in range(piece.shape.groups):
        rows = window(piece.shape, piece.index, group, ROW, VECTOR)
        sums = nothing([TILE // ROW])
        # Tile 0 comes last, to stay in registers until it is written.
        for block in range(1, tl.where(piece.projected, piece.blocks, 1)):
            spot = lanes(rows, block, ROW, VECTOR)
            tile = _direction(piece, spot, grad_scale, RULE, FORMAT, VECTOR)
            sums = add_tile(sums, tile.w, tile.x, SCALED, False)
        spot = lanes(rows, 0, ROW, VECTOR)
        tile = _direction(piece, spot, grad_scale, RULE, FORMAT, VECTOR)
        if piece.projected:
            sums = add_tile(sums, tile.w, tile.x, SCALED, False)
        if parted:
            total = add_sums(total, sums, SCALED)
        else:
            ww, wx, xx, kw, kx = sums
            columns = Sums(ww[:, None], wx[:, None], xx[:, None], kw[:, None], kx[:, None])
            _write(piece, spot, tile, columns, RULE, FORMAT, VECTOR)
            for block in range(1, piece.blocks):
                spot = lanes(rows, block, ROW, VECTOR)
                tile = _direction(piece, spot, grad_scale, RULE, FORMAT, VECTOR)
                _write(piece, spot, tile, columns, RULE, FORMAT, VECTOR)
    return total


@triton.jit
def _finish(
    piece, total, grad_scale, RULE: tl.constexpr, ROW: tl.constexpr, FORMAT: tl.constexpr, VECTOR: tl.constexpr
):
    """The step of a piece from the sums of its whole row."""
    for group in range(piece.shape.groups):
        rows = window(piece.shape, piece.index, group, ROW, VECTOR)
        for block in range(piece.blocks):
            spot = lanes(rows, block, ROW, VECTOR)
            tile = _direction(piece, spot, grad_scale, RULE, FORMAT, VECTOR)
            _write(piece, spot, tile, total, RULE, FORMAT, VECTOR)


@triton.jit
def _opened(
    fields, index, decided, numbers, RULE: tl.constexpr, ROW: tl.constexpr, DTYPE: tl.constexpr, VECTOR: tl.constexpr
):
    """A piece, with the decision for its parameter."""
    FORMAT: tl.constexpr = tl.float64 if DTYPE == tl.float64 else tl.float32
    w_at, g_at = address(fields, W, DTYPE, VECTOR), address(fields, G, DTYPE, VECTOR)
    m_at = address(fields, M, DTYPE, VECTOR) if RULE[MOMENTUM] else w_at
    v_at = address(fields, V, DTYPE, VECTOR) if RULE[ADAPTIVE] else w_at
    beta1, fresh, ahead, beta2, fresh2, eps = numbers
    root = tl.load(decided + ROOT) if RULE[ADAPTIVE] else 1.0
    typed = Numbers(
        number(beta1, FORMAT),
        number(fresh, FORMAT),
        number(ahead, FORMAT),
        number(beta2, FORMAT),
        number(fresh2, FORMAT),
        number(eps, FORMAT),
        number(root, FORMAT),
    )
    shape = cut(fields, VECTOR)
    mode = tl.load(decided + MODE)
    projected = mode != NONE
    parted = projected & ((mode != FINEST) | (shape.segments > 1))
    eta, kept = tl.load(decided + ETA), tl.load(decided + KEPT)
    blocks = tl.load(fields + BLOCKS).to(tl.int32) if ROW == TILE else 1
    return Piece(w_at, g_at, m_at, v_at, shape, index, blocks, typed, projected, eta, kept), mode, parted


@triton.jit
def _update(
    place,
    numbers,
    grad_scale,
    FINISH: tl.constexpr,
    RULE: tl.constexpr,
    ROW: tl.constexpr,
    DTYPE: tl.constexpr,
    VECTOR: tl.constexpr,
):
    """`update`, or with FINISH `finish`, of a piece whose tiles have rows of ROW lanes."""
    SCALED: tl.constexpr = DTYPE == tl.float64
    FORMAT: tl.constexpr = tl.float64 if SCALED else tl.float32
    fields, found, index, decided = place
    piece, mode, parted = _opened(fields, index, decided, numbers, RULE, ROW, DTYPE, VECTOR)
    segments = piece.shape.segments
    first = tl.load(fields + FIRST)
    if FINISH:
        if parted:
            # The pieces of this row of the view.
            coarser = tl.where(mode == SECOND, tl.load(fields + PARTS), tl.load(fields + PIECES))
            count = tl.where(mode == FINEST, segments, coarser).to(tl.int32)
            first += index // count * count
            total = nothing([])
            for start in range(0, count, TILE):
                part = start + tl.arange(0, TILE)
                total = add_sums(total, found_sums(found, first + part, part < count, WX, WW, KX), SCALED)
            _finish(piece, total, grad_scale, RULE, ROW, FORMAT, VECTOR)
    else:
        total = _sweep(piece, parted, grad_scale, RULE, ROW, FORMAT, VECTOR)
        if parted:
            at = found + (first + index) * FOUND
            tl.store(at + WX, total.wb)
            tl.store(at + KX, total.kb.to(tl.float64))


@triton.jit
def update(
    table,
    owners,
    found,
    decided,
    beta1: tl.float64,
    fresh: tl.float64,
    ahead: tl.float64,
    beta2: tl.float64,
    fresh2: tl.float64,
    eps: tl.float64,
    grad_scale,
    FINISH: tl.constexpr,
    RULE: tl.constexpr,
    DTYPE: tl.constexpr,
    VECTOR: tl.constexpr,
):
    """The step of each piece; the entries of RULE are named above."""
    piece = tl.program_id(0)
    parameter = tl.load(owners + piece)
    fields, at = table + parameter * FIELDS, decided + parameter * DECIDED
    if tl.load(at + MODE) != SKIP:
        index, row = piece - tl.load(fields + FIRST), tl.load(fields + LANES)
        place = fields, found, index, at
        numbers = beta1, fresh, ahead, beta2, fresh2, eps
        for log in tl.static_range(4, 12, 2):
            if row == 1 << log:
                _update(place, numbers, grad_scale, FINISH, RULE, 1 << log, DTYPE, VECTOR)
