"""The four kernels of a fused step on a GPU, in Triton: statistics, decide, update, finish.

All parameters of one dtype go through one launch of each. Their memory is cut into *pieces*, one for each program:
some whole rows, or a segment of a row that is too long for one. A program walks over its piece in tiles (`tiles`).

    statistics  reads w and g: w·w, w·g and g·g of each piece, and how many of its rows fail Eq. 11
    decide      one program a parameter: the view that passes, η, √(1 − β₂ᵗ), the factor of weight decay; counts t
    update      reads w, g, m, v and writes w, m, v; or, where w·x is a sum over several pieces, the parts of that
    finish      of those: sums the parts, reads w, g, m, v again and writes w, m, v

A row of one tile stays in registers between w·x and the store; of a longer one, all tiles but one are read twice by
`update`. Nothing is summed by atomics: the order is fixed, and so is the result.
"""

from __future__ import annotations

import triton
import triton.language as tl

from tangency.optim.gpu.tiles import (
    BLOCKS,
    COLS,
    FIELDS,
    FIRST,
    LANES,
    PIECES,
    PROJECTS,
    SEGMENTS,
    SIZE,
    STEP,
    TILE,
    G,
    M,
    V,
    W,
    add_sums,
    add_tile,
    address,
    cut,
    lanes,
    load,
    load_edges,
    narrow,
    nothing,
    power,
    store,
    store_edges,
    window,
)

# Columns of what a piece found out: sums and their exponents, and the number of its rows that fail Eq. 11.
WW, WG, GG, WX, KW, KG, KX, FAILED = (tl.constexpr(i) for i in range(8))
FOUND = tl.constexpr(8)

# Columns of what is decided about a parameter. MODE is a view, or SKIP where gradients are not finite.
MODE, ETA, ROOT, KEPT = (tl.constexpr(i) for i in range(4))
DECIDED = tl.constexpr(4)
NONE, CHANNEL, LAYER, SKIP = (tl.constexpr(i) for i in range(4))


@triton.jit
def _passes(ww, wg, gg, threshold):
    """Eq. 11, |w·g| < δ/√dim ‖w‖‖g‖; a row with w = 0 or g = 0 is no evidence, and a NaN vetoes."""
    return (tl.abs(wg) < threshold * (tl.sqrt(ww) * tl.sqrt(gg))) | (wg == 0)


@triton.jit
def _threshold(delta, dim):
    """δ/√dim."""
    return delta / tl.sqrt(dim.to(tl.float64))


@triton.jit
def _divide(a, b):
    """a / b, rounded to nearest."""
    return tl.div_rn(a, b) if a.dtype == tl.float32 else a / b


@triton.jit
def _root(a):
    """√a, rounded to nearest."""
    return tl.sqrt_rn(a) if a.dtype == tl.float32 else tl.sqrt(a)


@triton.jit
def _bias_correction(log_beta, t):
    """1 − βᵗ as −expm1(t log β), with expm1 y = (u − 1) y / log u for u = exp y (Kahan): nothing cancels."""
    y = t * log_beta
    u = tl.exp(y)
    inner = (u > 0) & (u < 1)
    return tl.where(inner, (1 - u) * (y / tl.log(tl.where(inner, u, 0.5))), tl.where(u == 1, -y, 1.0))


@triton.jit
def _number(x, FORMAT: tl.constexpr):
    """A hyper-parameter, which arrives in float64, in the format of the computation."""
    return tl.full((), x, tl.float64).to(FORMAT)


@triton.jit
def _gradient(g, grad_scale, MAXIMIZE: tl.constexpr, FORMAT: tl.constexpr):
    """±g / grad_scale."""
    g = g.to(FORMAT)
    if grad_scale is not None:
        g = _divide(g, tl.load(grad_scale).to(FORMAT))
    return -g if MAXIMIZE else g


@triton.jit
def _part(found, piece, there, WB: tl.constexpr, BB: tl.constexpr, KB: tl.constexpr):
    """Sums that pieces found out: w·w, w·b and b·b, and the exponents of w and b; nothing where `there` is false."""
    at = found + piece * FOUND
    ww, wb, bb = tl.load(at + WW, there, 0), tl.load(at + WB, there, 0), tl.load(at + BB, there, 0)
    kw, kb = tl.load(at + KW, there, -1022), tl.load(at + KB, there, -1022)
    return ww, wb, bb, kw.to(tl.int32), kb.to(tl.int32)


@triton.jit
def _statistics(fields, found, index, delta, grad_scale, ROW: tl.constexpr, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """`statistics` of a piece whose tiles have rows of ROW lanes."""
    SCALED: tl.constexpr = DTYPE == tl.float64
    FORMAT: tl.constexpr = tl.float64 if SCALED else tl.float32
    w_at, g_at = address(fields, W, DTYPE, VECTOR), address(fields, G, DTYPE, VECTOR)
    shape = cut(fields, VECTOR)
    cols, size, groups, segments, ragged = shape
    blocks = tl.load(fields + BLOCKS).to(tl.int32) if ROW == TILE else 1
    total, failed = nothing([]), tl.zeros([], tl.int32)
    for group in range(groups):
        rows = window(shape, index, group, ROW, VECTOR)
        sums = nothing([TILE // ROW])
        for block in range(blocks):
            spot = lanes(rows, block, ROW, VECTOR)
            w, g = load(w_at, spot), load(g_at, spot)
            if VECTOR > 1:
                if ragged:
                    w, g = load_edges(w_at, spot, w), load_edges(g_at, spot, g)
            # Eq. 11 does not see the sign of g.
            sums = add_tile(sums, w, _gradient(g, grad_scale, False, FORMAT), SCALED, True)
        ww, wg, gg, kw, kg = sums
        failed += tl.sum((~_passes(ww, wg, gg, _threshold(delta, cols))).to(tl.int32), 0)
        total = add_sums(total, sums, SCALED)
    ww, wg, gg, kw, kg = total
    tl.store(found + WW, ww)
    tl.store(found + WG, wg)
    tl.store(found + GG, gg)
    tl.store(found + KW, kw.to(tl.float64))
    tl.store(found + KG, kg.to(tl.float64))
    tl.store(found + FAILED, failed.to(tl.float64))


@triton.jit
def statistics(table, owners, found, delta: tl.float64, grad_scale, DTYPE: tl.constexpr, VECTOR: tl.constexpr):
    """Inner products of w and g in each piece; and how many of its rows, if it has whole ones, fail Eq. 11."""
    piece = tl.program_id(0)
    fields = table + tl.load(owners + piece) * FIELDS
    if tl.load(fields + PROJECTS) != 0:
        index, row = piece - tl.load(fields + FIRST), tl.load(fields + LANES)
        at, delta = found + piece * FOUND, _number(delta, tl.float64)
        for log in tl.static_range(4, 12, 2):
            if row == 1 << log:
                _statistics(fields, at, index, delta, grad_scale, 1 << log, DTYPE, VECTOR)


@triton.jit
def _view(fields, found, delta, SCALED: tl.constexpr):
    """The first view of a parameter that passes Eq. 11."""
    pieces, segments = tl.load(fields + PIECES).to(tl.int32), tl.load(fields + SEGMENTS).to(tl.int32)
    layer, failed = nothing([]), tl.zeros([], tl.float64)
    for start in range(0, pieces, TILE):
        piece = start + tl.arange(0, TILE)
        layer = add_sums(layer, _part(found, piece, piece < pieces, WG, GG, KG), SCALED)
        failed += tl.sum(tl.load(found + piece * FOUND + FAILED, piece < pieces, 0), 0)
    if segments > 1:
        # No piece saw a whole row.
        failed = tl.zeros([], tl.float64)
        for start in range(0, pieces // segments, 64):
            row = start + tl.arange(0, 64)[:, None]
            sums = nothing([64])
            for least in range(0, segments, 16):
                segment = least + tl.arange(0, 16)[None, :]
                there = (segment < segments) & (row < pieces // segments)
                sums = add_sums(sums, _part(found, row * segments + segment, there, WG, GG, KG), SCALED)
            ww, wg, gg, kw, kg = sums
            passes = _passes(ww, wg, gg, _threshold(delta, tl.load(fields + COLS)))
            failed += tl.sum((~passes).to(tl.float64), 0)
    ww, wg, gg, kw, kg = layer
    by_layer = _passes(ww, wg, gg, _threshold(delta, tl.load(fields + SIZE)))
    return tl.where(failed == 0, CHANNEL, tl.where(by_layer, LAYER, NONE))


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
        if tl.load(fields + PROJECTS) != 0:
            mode = _view(fields, found + tl.load(fields + FIRST) * FOUND, _number(delta, tl.float64), SCALED)
        eta = tl.load(lr_at).to(tl.float64) if lr_at is not None else _number(lr, tl.float64)
        decay = eta * _number(weight_decay, tl.float64)
        kept = 1 - tl.where(mode == NONE, decay, decay * _number(wd_ratio, tl.float64))
        if ADAPTIVE:
            counter = tl.load(fields + STEP).to(tl.pointer_type(tl.float32))
            t = tl.load(counter) + 1
            tl.store(counter, t)
            t = t.to(tl.float64)
            eta = eta / _bias_correction(_number(log_beta1, tl.float64), t)
            tl.store(at + ROOT, tl.sqrt(_bias_correction(_number(log_beta2, tl.float64), t)))
        tl.store(at + MODE, mode.to(tl.float64))
        tl.store(at + ETA, eta)
        tl.store(at + KEPT, kept)
    else:
        tl.store(at + MODE, 0.0 + SKIP)


@triton.jit
def _direction(at, spot, numbers, grad_scale, RULE: tl.constexpr, FORMAT: tl.constexpr, VECTOR: tl.constexpr):
    """A tile's weights w before the step, its moments m and v after it, and its update x before the projection."""
    w_at, g_at, m_at, v_at = at
    element, whole, edge, ragged = spot
    beta1, fresh, ahead, beta2, fresh2, eps, root = numbers
    w, g = load(w_at, spot), load(g_at, spot)
    m = load(m_at, spot) if RULE[1] else g
    v = load(v_at, spot) if RULE[0] else g
    if VECTOR > 1:
        if ragged:
            w, g = load_edges(w_at, spot, w), load_edges(g_at, spot, g)
            if RULE[1]:
                m = load_edges(m_at, spot, m)
            if RULE[0]:
                v = load_edges(v_at, spot, v)
    g = _gradient(g, grad_scale, RULE[3], FORMAT)
    m = beta1 * m.to(FORMAT) + fresh * g if RULE[1] else fresh * g
    x = ahead * g + beta1 * m if RULE[2] else m
    if RULE[0]:
        v = beta2 * v.to(FORMAT) + fresh2 * g * g
        x = _divide(x, _divide(_root(v), root) + eps)
        # Outside of the rows this is 0/0 if eps is 0.
        x = tl.where(whole | edge, x, 0)
    return w, m, v, x


@triton.jit
def _write(at, spot, tile, sums, decision, RULE: tl.constexpr, SCALED: tl.constexpr, VECTOR: tl.constexpr):
    """w ← kept · w − η Π x (Eq. 10) in a tile, from w·w and w·x of its rows; and its moments."""
    w_at, g_at, m_at, v_at = at
    element, whole, edge, ragged = spot
    w, m, v, x = tile
    w, x = w.to(tl.float64), x.to(tl.float64)
    ww, wx, xx, kw, kx = sums
    projected, eta, kept = decision
    radial = tl.where(ww == 0, 0, wx / ww)
    if SCALED:
        # By 2^(kx − kw) in two steps, since that may be no number, and each half of it is a normal one.
        half = (kx - kw) >> 1
        radial = radial * (w * power(half)) * power(kx - kw - half)
    else:
        radial = radial * w
    # Selected, not multiplied by 0: an infinity or a NaN stays in its own element of an update that is not projected.
    w = narrow(w_at, kept * w - eta * tl.where(projected, x - radial, x))
    m, v = narrow(m_at, m), narrow(v_at, v)
    store(w_at, spot, w)
    if RULE[1]:
        store(m_at, spot, m)
    if RULE[0]:
        store(v_at, spot, v)
    if VECTOR > 1:
        if ragged:
            store_edges(w_at, spot, w)
            if RULE[1]:
                store_edges(m_at, spot, m)
            if RULE[0]:
                store_edges(v_at, spot, v)


@triton.jit
def _update(
    fields,
    found,
    index,
    decided,
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
    w_at, g_at = address(fields, W, DTYPE, VECTOR), address(fields, G, DTYPE, VECTOR)
    m_at = address(fields, M, DTYPE, VECTOR) if RULE[1] else w_at
    v_at = address(fields, V, DTYPE, VECTOR) if RULE[0] else w_at
    at = w_at, g_at, m_at, v_at
    beta1, fresh, ahead, beta2, fresh2, eps = numbers
    root = tl.load(decided + ROOT) if RULE[0] else 1.0
    numbers = (
        _number(beta1, FORMAT),
        _number(fresh, FORMAT),
        _number(ahead, FORMAT),
        _number(beta2, FORMAT),
        _number(fresh2, FORMAT),
        _number(eps, FORMAT),
        _number(root, FORMAT),
    )
    shape = cut(fields, VECTOR)
    cols, size, groups, segments, ragged = shape
    mode = tl.load(decided + MODE)
    projected = mode != NONE
    parted = (mode == LAYER) | (projected & (segments > 1))
    decision = projected, tl.load(decided + ETA), tl.load(decided + KEPT)
    blocks = tl.load(fields + BLOCKS).to(tl.int32) if ROW == TILE else 1
    first = tl.load(fields + FIRST)
    total = nothing([])
    if FINISH:
        if parted:
            # The pieces of the whole layer, or those of this row.
            count = tl.where(mode == LAYER, tl.load(fields + PIECES), segments).to(tl.int32)
            first += tl.where(mode == LAYER, 0, index // segments * segments)
            for start in range(0, count, TILE):
                piece = start + tl.arange(0, TILE)
                total = add_sums(total, _part(found, first + piece, piece < count, WX, WW, KX), SCALED)
            for group in range(groups):
                rows = window(shape, index, group, ROW, VECTOR)
                for block in range(blocks):
                    spot = lanes(rows, block, ROW, VECTOR)
                    tile = _direction(at, spot, numbers, grad_scale, RULE, FORMAT, VECTOR)
                    _write(at, spot, tile, total, decision, RULE, SCALED, VECTOR)
    else:
        for group in range(groups):
            rows = window(shape, index, group, ROW, VECTOR)
            sums = nothing([TILE // ROW])
            # Tile 0 comes last, to stay in registers until it is written.
            for block in range(1, tl.where(projected, blocks, 1)):
                spot = lanes(rows, block, ROW, VECTOR)
                w, m, v, x = _direction(at, spot, numbers, grad_scale, RULE, FORMAT, VECTOR)
                sums = add_tile(sums, w, x, SCALED, False)
            spot = lanes(rows, 0, ROW, VECTOR)
            tile = _direction(at, spot, numbers, grad_scale, RULE, FORMAT, VECTOR)
            w, m, v, x = tile
            if projected:
                sums = add_tile(sums, w, x, SCALED, False)
            if parted:
                total = add_sums(total, sums, SCALED)
            else:
                ww, wx, xx, kw, kx = sums
                columns = ww[:, None], wx[:, None], xx[:, None], kw[:, None], kx[:, None]
                _write(at, spot, tile, columns, decision, RULE, SCALED, VECTOR)
                for block in range(1, blocks):
                    spot = lanes(rows, block, ROW, VECTOR)
                    tile = _direction(at, spot, numbers, grad_scale, RULE, FORMAT, VECTOR)
                    _write(at, spot, tile, columns, decision, RULE, SCALED, VECTOR)
        if parted:
            ww, wx, xx, kw, kx = total
            piece = found + (first + index) * FOUND
            tl.store(piece + WX, wx)
            tl.store(piece + KX, kx.to(tl.float64))


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
    """The step of each piece; RULE tells whether it is adaptive, has a momentum, looks ahead and ascends."""
    piece = tl.program_id(0)
    parameter = tl.load(owners + piece)
    fields, at = table + parameter * FIELDS, decided + parameter * DECIDED
    if tl.load(at + MODE) != SKIP:
        index, row = piece - tl.load(fields + FIRST), tl.load(fields + LANES)
        numbers = beta1, fresh, ahead, beta2, fresh2, eps
        for log in tl.static_range(4, 12, 2):
            if row == 1 << log:
                _update(fields, found, index, at, numbers, grad_scale, FINISH, RULE, 1 << log, DTYPE, VECTOR)
