"""Rows and pieces of rows in numba: inner products, Eq. 11, moments, the update of w.

Inner products: a PIECE in the dtype of the arrays, in the 32 or more partial sums of vector registers, then float64; an
error of γ₄₀ at most. Where they leave the range in which that is so, again in float64: there products of float32 are
exact, and neither over- nor underflow. Where the storage is float64 itself, entries are divided by the largest first
(`scaled`). All else is computed in the dtype of the arrays.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from tangency.optim.cpu.memory import Array, as_stored, compiled, part

Rule: TypeAlias = tuple[Any, ...]
Flags: TypeAlias = Array

# What is kept of a tile: sums of products of entries over SIZE_*, and whether each of its rows passes Eq. 11.
WG, WW, GG, WX, SIZE_W, SIZE_G, SIZE_X, PASSES = range(8)
# Flags of a step.
ADAPTIVE, NESTEROV, SCALED, STORAGE = range(4)
# For a tiny w no factor η w·x/w·w of its dtype need exist, though the product with w does.
LARGE = 2.0**64
# Between these, sums of float32 products are sound.
LOW, HIGH = 2.0**-90, 2.0**100
PIECE = 1024  # elements worked on at once: what one loop leaves in the first cache, the next takes from there
SHORT = 256  # rows up to here are worked on several at a time
# Numbers of a step.
BETA1, FRESH, AHEAD, BETA2, REST, EPS, SIGN, DECAY, WD_RATIO, DELTA, LR = range(11)

# Sums of products in any order (γ_n bounds them all), so that vector registers can hold them. Nothing else may move.
_sums: Any = njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})


# Inner products of a row, or of a piece of one.


@_sums
def _quick_products(w: Array, x: Array) -> tuple[Any, Any, Any]:
    """w·x, ‖w‖² and ‖x‖² in the dtype of the arrays."""
    wx = w.dtype.type(0)
    ww = w.dtype.type(0)
    xx = w.dtype.type(0)
    for i in range(w.size):
        wx += w[i] * x[i]
        ww += w[i] * w[i]
        xx += x[i] * x[i]
    return wx, ww, xx


@_sums
def _wide_products(w: Array, x: Array) -> tuple[float, float, float]:
    wx = 0.0
    ww = 0.0
    xx = 0.0
    for i in range(w.size):
        a = np.float64(w[i])
        b = np.float64(x[i])
        wx += a * b
        ww += a * a
        xx += b * b
    return wx, ww, xx


@compiled
def sound(wx: float, ww: float, xx: float) -> bool:
    """Whether float32 lost nothing to overflow, and to underflow far less than to rounding; never for a NaN."""
    return LOW < ww < HIGH and LOW < xx < HIGH and abs(wx) > LOW


@compiled
def products(w: Array, x: Array) -> tuple[float, float, float]:
    """w·x, ‖w‖² and ‖x‖²."""
    wx = 0.0
    ww = 0.0
    xx = 0.0
    for i in range(0, w.size, PIECE):
        wx_part, ww_part, xx_part = _quick_products(part(w, i, PIECE), part(x, i, PIECE))
        wx += wx_part
        ww += ww_part
        xx += xx_part
    if sound(wx, ww, xx):
        return wx, ww, xx
    return _wide_products(w, x)


@_sums
def products_scaled(w: Array, x: Array, size_w: float, size_x: float) -> tuple[float, float]:
    """The same of w/size_w and x/size_x."""
    ww = 0.0
    wx = 0.0
    for i in range(w.size):
        a = w[i] / size_w
        ww += a * a
        wx += a * (x[i] / size_x)
    return ww, wx


@compiled
def factor_of(wx: float, ww: float, kept: float, eta: float) -> float:
    """1 − lr · weight_decay · r + η w·x/w·w, of which w is a multiple after a projected step; w = 0 leaves x alone."""
    return kept + eta * (wx / ww) if ww > 0 else kept


@_sums
def factors_of_rows(w: Array, x: Array, cols: int, kept: float, eta: float, factors: Array) -> bool:
    """That factor of short rows, for each of their elements; whether none is LARGE."""
    small = True
    for start in range(0, w.size, cols):
        w_row = part(w, start, cols)
        x_row = part(x, start, cols)
        wx = 0.0
        ww = 0.0
        for i in range(cols):
            a = np.float64(w_row[i])
            wx += a * np.float64(x_row[i])
            ww += a * a
        factor = factor_of(wx, ww, kept, eta)
        small &= abs(factor) < LARGE
        row = part(factors, start, cols)
        for i in range(cols):
            row[i] = factor
    return small


@compiled
def largest(x: Array) -> float:
    """The largest |x_i|; 1 for zeros alone, since it is a divisor."""
    size = 0.0
    for i in range(x.size):
        size = max(size, np.float64(abs(x[i])))
    return size if size > 0 else 1.0


@compiled
def passes(wg: float, ww: float, gg: float, delta: float, dim: int) -> bool:
    """Eq. 11, squared: within what float64 holds. A row with w = 0 or g = 0 is no evidence against it; a NaN is."""
    return wg * wg * dim < delta * delta * (ww * gg) or wg == 0


# The numbers of a rule come as a tuple: from an array, each loop would load them again after each store.


@compiled
def _momentum(g: Any, m: Any, rule: Rule) -> tuple[Any, Any]:
    """One element of m (Eq. 7; Algorithm 2, line 2), and of what stands for it in a Nesterov update."""
    m = rule[BETA1] * m + rule[FRESH] * g
    return m, rule[AHEAD] * g + rule[BETA1] * m


@compiled
def _adam(g: Any, m: Any, v: Any, rule: Rule, nesterov: bool, root: Any) -> tuple[Any, Any, Any]:
    """One element of m, v and m/(√v/√(1 − β₂ᵗ) + ε) (Algorithm 2, lines 2–4); `root` is 1/√(1 − β₂ᵗ)."""
    m, ahead = _momentum(g, m, rule)
    v = rule[BETA2] * v + rule[REST] * g * g
    return m, v, (ahead if nesterov else m) / (np.sqrt(v) * root + rule[EPS])


@compiled
def update(
    g: Array, m: Array, v: Array, x: Array, state: int, flags: Flags, rule: Rule, root: Any, write: bool
) -> None:
    """The update x before Π; with `write`, m and v move on. `state` tells how many of m and v there are."""
    sign = rule[SIGN]
    nesterov = flags[NESTEROV] != 0
    if state == 2 and write:
        for i in range(x.size):
            m[i], v[i], x[i] = _adam(sign * g[i], m[i], v[i], rule, nesterov, root)
    elif state == 2:
        for i in range(x.size):
            x[i] = _adam(sign * g[i], m[i], v[i], rule, nesterov, root)[2]
    elif state == 1 and write:
        for i in range(x.size):
            m[i], ahead = _momentum(sign * g[i], m[i], rule)
            x[i] = ahead if nesterov else m[i]
    elif state == 1:
        for i in range(x.size):
            fresh, ahead = _momentum(sign * g[i], m[i], rule)
            x[i] = ahead if nesterov else fresh
    else:
        for i in range(x.size):
            fresh, ahead = _momentum(sign * g[i], 0 * sign, rule)
            x[i] = ahead if nesterov else fresh


@_sums
def update_with_products(
    w: Array, g: Array, m: Array, v: Array, x: Array, state: int, flags: Flags, rule: Rule, root: Any
) -> tuple[Any, Any, Any]:
    """The update x before Π, m and v in place, and w·x, ‖w‖², ‖x‖² in the dtype of the arrays."""
    sign = rule[SIGN]
    nesterov = flags[NESTEROV] != 0
    wx = w.dtype.type(0)
    ww = w.dtype.type(0)
    xx = w.dtype.type(0)
    if state == 2:
        for i in range(x.size):
            m[i], v[i], xi = _adam(sign * g[i], m[i], v[i], rule, nesterov, root)
            x[i] = xi
            wx += w[i] * xi
            ww += w[i] * w[i]
            xx += xi * xi
        return wx, ww, xx
    update(g, m, v, x, state, flags, rule, root, True)
    return _quick_products(w, x)


@compiled
def step(
    w: Array, g: Array, m: Array, v: Array, state: int, flags: Flags, rule: Rule, root: Any, kept: Any, eta: Any
) -> None:
    """The whole step where x is not projected: w (1 − lr · weight_decay) − η x."""
    sign = rule[SIGN]
    nesterov = flags[NESTEROV] != 0
    if state == 2:
        for i in range(w.size):
            m[i], v[i], x = _adam(sign * g[i], m[i], v[i], rule, nesterov, root)
            w[i] = kept * w[i] - eta * x
    elif state == 1:
        for i in range(w.size):
            m[i], ahead = _momentum(sign * g[i], m[i], rule)
            w[i] = kept * w[i] - eta * (ahead if nesterov else m[i])
    else:
        for i in range(w.size):
            fresh, ahead = _momentum(sign * g[i], 0 * sign, rule)
            w[i] = kept * w[i] - eta * (ahead if nesterov else fresh)


@compiled
def move_radially(w: Array, x: Array, factor: float, eta: float) -> None:
    """w · factor − η x with factor = 1 − lr · weight_decay · r + η w·x/w·w: the step with Πx (Eqs. 10, 12)."""
    if abs(factor) < LARGE:
        typed_factor = as_stored(factor, w)
        typed_eta = as_stored(eta, w)
        for i in range(w.size):
            w[i] = typed_factor * w[i] - typed_eta * x[i]
    else:
        for i in range(w.size):
            w[i] = factor * np.float64(w[i]) - eta * np.float64(x[i])


@compiled
def move_each(w: Array, x: Array, factors: Array, eta: Any) -> None:
    """The same with a factor for each element."""
    for i in range(w.size):
        w[i] = factors[i] * w[i] - eta * x[i]


@compiled
def move_scaled(w: Array, x: Array, kept: float, eta: float, c: float, size: float) -> None:
    """w (1 − lr · weight_decay · r) − η (x − c w/size): neither c/size nor its product with η need be in range."""
    for i in range(w.size):
        w[i] = kept * w[i] - eta * (x[i] - c * (w[i] / size))


@compiled
def row_sums(w: Array, g: Array, cols: int, delta: float, out: Array) -> None:
    """w·g, ‖w‖² and ‖g‖² of some rows together, and whether Eq. 11 holds in each of them."""
    if cols <= SHORT:
        _sums_of_short_rows(w, g, cols, delta, out)
        return
    out[:] = 0.0
    out[PASSES] = 1.0
    for start in range(0, w.size, cols):
        wg, ww, gg = products(part(w, start, cols), part(g, start, cols))
        out[WG] += wg
        out[WW] += ww
        out[GG] += gg
        if not passes(wg, ww, gg, delta, cols):
            out[PASSES] = 0.0


@_sums
def _sums_of_short_rows(w: Array, g: Array, cols: int, delta: float, out: Array) -> None:
    """The same in float64 at once: calls would cost more than they save."""
    wg_sum = 0.0
    ww_sum = 0.0
    gg_sum = 0.0
    all_pass = True
    for start in range(0, w.size, cols):
        w_row = part(w, start, cols)
        g_row = part(g, start, cols)
        wg = 0.0
        ww = 0.0
        gg = 0.0
        for i in range(cols):
            a = np.float64(w_row[i])
            b = np.float64(g_row[i])
            wg += a * b
            ww += a * a
            gg += b * b
        wg_sum += wg
        ww_sum += ww
        gg_sum += gg
        all_pass &= passes(wg, ww, gg, delta, cols)
    out[WG] = wg_sum
    out[WW] = ww_sum
    out[GG] = gg_sum
    out[PASSES] = all_pass


@_sums
def row_sums_scaled(w: Array, g: Array, cols: int, delta: float, out: Array) -> None:
    """The same of entries over the largest of the row, and of all rows over SIZE_W and SIZE_G."""
    size_w = largest(w)
    size_g = largest(g)
    out[:] = 0.0
    all_pass = True
    for r in range(w.size // cols):
        w_row = w[r * cols : (r + 1) * cols]
        g_row = g[r * cols : (r + 1) * cols]
        row_w = largest(w_row)
        row_g = largest(g_row)
        wg = 0.0
        ww = 0.0
        gg = 0.0
        for i in range(cols):
            a = w_row[i] / row_w
            b = g_row[i] / row_g
            wg += a * b
            ww += a * a
            gg += b * b
        share_w = row_w / size_w if ww > 0 else 0.0
        share_g = row_g / size_g if gg > 0 else 0.0
        out[WG] += share_w * share_g * wg
        out[WW] += share_w * share_w * ww
        out[GG] += share_g * share_g * gg
        all_pass &= passes(wg, ww, gg, delta, cols)
    out[SIZE_W] = size_w
    out[SIZE_G] = size_g
    out[PASSES] = all_pass
