"""Where the fused step on a GPU decides Eq. 11, in Triton: the kernels `statistics` and `decide`.

statistics  reads w and g: w·w, w·g and g·g of each piece, and how many of its rows fail Eq. 11
decide      one program a parameter: the view that passes, η, √(1 − β₂ᵗ), the factor of weight decay; counts t
"""

from __future__ import annotations

import triton
import triton.language as tl

from tangency.optim.gpu.arithmetic import add_sums, add_tile, found_sums, gradient, nothing, number
from tangency.optim.gpu.tables import (
    BLOCKS,
    COLS,
    DECIDED,
    ETA,
    FAILED,
    FIELDS,
    FINEST,
    FIRST,
    FOUND,
    GG,
    HEAD,
    KEPT,
    KG,
    KW,
    LANES,
    MODE,
    NONE,
    PARTS,
    PIECES,
    ROOT,
    SECOND,
    SEGMENTS,
    SIZE,
    SKIP,
    STEP,
    THIRD,
    VIEWS,
    WG,
    WW,
    G,
    W,
    address,
)
from tangency.optim.gpu.tiles import TILE, cut, lanes, load, load_edges, window


@triton.jit
def _passes(ww, wg, gg, threshold):
    """Eq. 11, |w·g| < δ/√dim ‖w‖‖g‖; a row with w = 0 or g = 0 passes, and a NaN fails."""
    return (tl.abs(wg) < threshold * (tl.sqrt(ww) * tl.sqrt(gg))) | (wg == 0)


@triton.jit
def _threshold(delta, dim):
    """δ/√dim."""
    return delta / tl.sqrt(dim.to(tl.float64))


@triton.jit
def _statistics(fields, found, index, delta, grad_scale, ROW: tl.constexpr, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """`statistics` of a piece whose tiles have rows of ROW lanes."""
    SCALED: tl.constexpr = DTYPE == tl.float64
    FORMAT: tl.constexpr = tl.float64 if SCALED else tl.float32
    w_at, g_at = address(fields, W, DTYPE, VECTOR), address(fields, G, DTYPE, VECTOR)
    shape = cut(fields, VECTOR)
    blocks = tl.load(fields + BLOCKS).to(tl.int32) if ROW == TILE else 1
    total, failed = nothing([]), tl.zeros([], tl.int32)
    for group in range(shape.groups):
        rows = window(shape, index, group, ROW, VECTOR)
        sums = nothing([TILE // ROW])
        for block in range(blocks):
            spot = lanes(rows, block, ROW, VECTOR)
            w, g = load(w_at, spot), load(g_at, spot)
            if VECTOR > 1:
                if shape.ragged:
                    w, g = load_edges(w_at, spot, w), load_edges(g_at, spot, g)
            # Eq. 11 does not see the sign of g.
            sums = add_tile(sums, w, gradient(g, grad_scale, False, FORMAT), SCALED, True)
        failed += tl.sum((~_passes(sums.ww, sums.wb, sums.bb, _threshold(delta, shape.cols))).to(tl.int32), 0)
        total = add_sums(total, sums, SCALED)
    tl.store(found + WW, total.ww)
    tl.store(found + WG, total.wb)
    tl.store(found + GG, total.bb)
    tl.store(found + KW, total.kw.to(tl.float64))
    tl.store(found + KG, total.kb.to(tl.float64))
    tl.store(found + FAILED, failed.to(tl.float64))


@triton.jit
def statistics(table, owners, found, delta: tl.float64, grad_scale, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """Inner products of w and g in each piece; and how many of its rows, if it has whole ones, fail Eq. 11."""
    piece = tl.program_id(0)
    fields = table + tl.load(owners + piece) * FIELDS
    if tl.load(fields + VIEWS) != 0:
        index, row = piece - tl.load(fields + FIRST), tl.load(fields + LANES)
        at, delta = found + piece * FOUND, number(delta, tl.float64)
        for log in tl.static_range(4, 12, 2):
            if row == 1 << log:
                _statistics(fields, at, index, delta, grad_scale, 1 << log, DTYPE, VECTOR)


@triton.jit
def _failed(found, pieces, together, threshold, SCALED: tl.constexpr):
    """How many rows fail Eq. 11, of so many pieces together each."""
    failed = tl.zeros([], tl.float64)
    for start in range(0, pieces // together, 64):
        row = start + tl.arange(0, 64)[:, None]
        sums = nothing([64])
        for least in range(0, together, 16):
            part = least + tl.arange(0, 16)[None, :]
            there = (part < together) & (row < pieces // together)
            sums = add_sums(sums, found_sums(found, row * together + part, there, WG, GG, KG), SCALED)
        failed += tl.sum((~_passes(sums.ww, sums.wb, sums.bb, threshold)).to(tl.float64), 0)
    return failed


@triton.jit
def _view(fields, found, delta, SCALED: tl.constexpr):
    """The first view of a parameter that passes Eq. 11."""
    pieces, segments = tl.load(fields + PIECES).to(tl.int32), tl.load(fields + SEGMENTS).to(tl.int32)
    parts, views = tl.load(fields + PARTS).to(tl.int32), tl.load(fields + VIEWS)
    cols, size = tl.load(fields + COLS), tl.load(fields + SIZE)
    layer, failed = nothing([]), tl.zeros([], tl.float64)
    for start in range(0, pieces, TILE):
        piece = start + tl.arange(0, TILE)
        layer = add_sums(layer, found_sums(found, piece, piece < pieces, WG, GG, KG), SCALED)
        failed += tl.sum(tl.load(found + piece * FOUND + FAILED, piece < pieces, 0), 0)
    by_layer = _passes(layer.ww, layer.wb, layer.bb, _threshold(delta, size))
    if segments > 1:
        # No piece has a whole row, and one row is the layer.
        failed = tl.where(by_layer, 0.0, 1.0).to(tl.float64)
        if segments < pieces:
            failed = _failed(found, pieces, segments, _threshold(delta, cols), SCALED)
    second = by_layer
    if parts < pieces:
        threshold = _threshold(delta, tl.load(fields + HEAD) * cols)
        second = _failed(found, pieces, parts, threshold, SCALED) == 0
    coarser = tl.where(second & (views >= 2), SECOND, tl.where(by_layer & (views >= 3), THIRD, NONE))
    return tl.where(failed == 0, FINEST, coarser)


@triton.jit
def _bias_correction(log_beta, t):
    """1 − βᵗ as −expm1(t log β), with expm1 y = (u − 1) y / log u for u = exp y (Kahan): nothing cancels."""
    y = t * log_beta
    u = tl.exp(y)
    inner = (u > 0) & (u < 1)
    return tl.where(inner, (1 - u) * (y / tl.log(tl.where(inner, u, 0.5))), tl.where(u == 1, -y, 1.0))


@triton.jit
def decide(
    table,
    found,
    decided,
    lr: tl.float64,
    lr_at,
    log_beta1: tl.float64,
    log_beta2: tl.float64,
    weight_decay: tl.float64,
    wd_ratio: tl.float64,
    delta: tl.float64,
    found_inf,
    ADAPTIVE: tl.constexpr,
    SCALED: tl.constexpr,
):
    """The view of each parameter and the numbers that its step needs; its step is counted."""
    parameter = tl.program_id(0)
    fields, at = table + parameter * FIELDS, decided + parameter * DECIDED
    finite = tl.load(found_inf) == 0 if found_inf is not None else True
    if finite:
        mode = tl.zeros([], tl.int32)
        if tl.load(fields + VIEWS) != 0:
            mode = _view(fields, found + tl.load(fields + FIRST) * FOUND, number(delta, tl.float64), SCALED)
        eta = tl.load(lr_at).to(tl.float64) if lr_at is not None else number(lr, tl.float64)
        decay = eta * number(weight_decay, tl.float64)
        kept = 1 - tl.where(mode == NONE, decay, decay * number(wd_ratio, tl.float64))
        if ADAPTIVE:
            counter = tl.load(fields + STEP).to(tl.pointer_type(tl.float32))
            t = tl.load(counter) + 1
            tl.store(counter, t)
            t = t.to(tl.float64)
            eta = eta / _bias_correction(number(log_beta1, tl.float64), t)
            tl.store(at + ROOT, tl.sqrt(_bias_correction(number(log_beta2, tl.float64), t)))
        tl.store(at + MODE, mode.to(tl.float64))
        tl.store(at + ETA, eta)
        tl.store(at + KEPT, kept)
    else:
        tl.store(at + MODE, 0.0 + SKIP)
