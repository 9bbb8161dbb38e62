"""Rows and pieces of rows in numba: numbers in 16 bits, inner products, Eq. 11, moments, the update of w.

Inner products are float64: products of float32 are exact there, and neither over- nor underflow. Where the storage is
float64 itself, entries are divided by the largest first (`scaled`). All else is computed in the dtype of the arrays.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

Array: TypeAlias = np.ndarray[Any, Any]

# What is kept of a tile: sums of products of entries over SIZE_*, and whether each of its rows passes Eq. 11.
WG, WW, GG, WX, SIZE_W, SIZE_G, SIZE_X, PASSES = range(8)
# Flags of a step, and how numbers are stored: as they are computed, or in 16 bits.
ADAPTIVE, NESTEROV, SCALED, STORAGE = range(4)
NATIVE, FLOAT16, BFLOAT16 = range(3)
# For a tiny w no factor η w·x/w·w of its dtype need exist, though the product with w does.
LARGE = 2.0**64
# Numbers of a step.
BETA1, FRESH, AHEAD, BETA2, REST, EPS, SIGN, DECAY, WD_RATIO, DELTA, LR = range(11)

compiled: Any = njit(nogil=True, cache=True, error_model="numpy")
# Sums of products in any order (γ_n bounds them all), so that vector registers can hold them. Nothing else may move.
_sums: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_context: Any, _address: Any) -> Any:
    """An address as a pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@compiled
def at(address: int, n: int, like: Array) -> Array:
    """n numbers at an address, of the dtype of an array; unlike a slice, it costs nothing."""
    return carray(pointer(address), (n,), like.dtype)


@compiled
def address_of(x: Array) -> int:
    return x.ctypes.data


@compiled
def as_stored(value: float, like: Array) -> Any:
    """A number in the dtype of an array."""
    return like.dtype.type(value)


# Storage in 16 bits, by the bits: float16 needs instructions that not every CPU has, bfloat16 a type that numba lacks.


@compiled
def _bits(x: float) -> int:
    return np.int64(np.float32(x).view(np.uint32))


@compiled
def _number(bits: int) -> float:
    return np.uint32(bits).view(np.float32)


@compiled
def _widen(address: int, storage: int, x: Array) -> None:
    stored = carray(pointer(address), (x.size,), np.uint16)
    if storage == BFLOAT16:
        for i in range(x.size):
            x[i] = _number(np.int64(stored[i]) << 16)
        return
    for i in range(x.size):
        bits = np.int64(stored[i])
        # The exponent's bias is 15 and not 127; the product is exact, also for subnormal numbers.
        size = _bits(_number((bits & 0x7FFF) << 13) * np.float32(2.0**112))
        if bits & 0x7C00 == 0x7C00:
            size |= 0x7F800000
        x[i] = _number(size | ((bits & 0x8000) << 16))


@compiled
def _narrow(address: int, storage: int, x: Array) -> None:
    """Round to nearest, ties to even; NaN stays NaN."""
    stored = carray(pointer(address), (x.size,), np.uint16)
    if storage == BFLOAT16:
        for i in range(x.size):
            bits = _bits(x[i])
            nan = bits & 0x7FFFFFFF > 0x7F800000
            rounded = bits + 0x7FFF + ((bits >> 16) & 1)
            stored[i] = ((bits | 0x400000) if nan else rounded) >> 16
        return
    for i in range(x.size):
        bits = _bits(x[i])
        size = bits & 0x7FFFFFFF
        if size > 0x7F800000:
            half = np.int64(0x7E00)
        elif size >= 0x47800000:  # 2¹⁶ and above
            half = np.int64(0x7C00)
        elif size < 0x38800000:  # below 2⁻¹⁴: added to 1/2, whose last bit is 2⁻²⁴, the sum rounds
            half = _bits(_number(size) + np.float32(0.5)) - 0x3F000000
        else:
            half = (size - (112 << 23) + 0xFFF + ((size >> 13) & 1)) >> 13
        stored[i] = half | ((bits >> 16) & 0x8000)


@compiled
def load(address: int, storage: int, start: int, n: int, room: int, like: Array, copied: bool) -> Array:
    """n numbers from `start` on: where they are stored, or as they are computed with, at the address `room`."""
    if storage == NATIVE and not copied:
        return at(address + like.itemsize * start, n, like)
    x = at(room, n, like)
    if storage != NATIVE:
        _widen(address + 2 * start, storage, x)
    else:
        stored = at(address + like.itemsize * start, n, like)
        for i in range(n):
            x[i] = stored[i]
    return x


@compiled
def store(address: int, storage: int, start: int, x: Array) -> None:
    if storage != NATIVE:
        _narrow(address + 2 * start, storage, x)


# One row, or one piece.


@_sums
def products(w: Array, x: Array) -> tuple[float, float]:
    """‖w‖² and w·x."""
    ww = 0.0
    wx = 0.0
    for i in range(w.size):
        a = np.float64(w[i])
        ww += a * a
        wx += a * np.float64(x[i])
    return ww, wx


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


@_sums
def factors_of_rows(w: Array, x: Array, cols: int, kept: float, eta: float, factors: Array) -> bool:
    """1 − lr · weight_decay · r + η w·x/w·w of short rows, for each element; whether none is LARGE."""
    small = True
    step = cols * w.itemsize
    for r in range(w.size // cols):
        w_row = at(address_of(w) + r * step, cols, w)
        x_row = at(address_of(x) + r * step, cols, w)
        ww = 0.0
        wx = 0.0
        for i in range(cols):
            a = np.float64(w_row[i])
            ww += a * a
            wx += a * np.float64(x_row[i])
        factor = kept + eta * (wx / ww) if ww > 0 else kept
        small &= abs(factor) < LARGE
        f_row = at(address_of(factors) + r * step, cols, w)
        for i in range(cols):
            f_row[i] = factor
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


@compiled
def direction(g: Array, m: Array, v: Array, x: Array, kept: bool, flags: Array, rule: Array, root: Any) -> None:
    """The moments in place, and the update x before Π (Eq. 7; Algorithm 2, lines 2–4); `root` is 1/√(1 − β₂ᵗ)."""
    beta1 = rule[BETA1]
    fresh = rule[FRESH]
    ahead = rule[AHEAD]
    sign = rule[SIGN]
    nesterov = flags[NESTEROV] != 0
    if flags[ADAPTIVE]:
        beta2 = rule[BETA2]
        rest = rule[REST]
        eps = rule[EPS]
        for i in range(x.size):
            gi = sign * g[i]
            mi = beta1 * m[i] + fresh * gi
            vi = beta2 * v[i] + rest * gi * gi
            m[i] = mi
            v[i] = vi
            p = ahead * gi + beta1 * mi if nesterov else mi
            x[i] = p / (np.sqrt(vi) * root + eps)
    elif kept:
        for i in range(x.size):
            gi = sign * g[i]
            mi = beta1 * m[i] + fresh * gi
            m[i] = mi
            x[i] = ahead * gi + beta1 * mi if nesterov else mi
    else:
        for i in range(x.size):
            gi = sign * g[i]
            mi = fresh * gi
            x[i] = ahead * gi + beta1 * mi if nesterov else mi


@compiled
def move(w: Array, x: Array, factor: Any, eta: Any) -> None:
    """w · factor − η x: the step where x is not projected, and factor = 1 − lr · weight_decay."""
    for i in range(w.size):
        w[i] = factor * w[i] - eta * x[i]


@compiled
def move_radially(w: Array, x: Array, factor: float, eta: float) -> None:
    """The same with factor = 1 − lr · weight_decay · r + η w·x/w·w: the step with Πx (Eqs. 10, 12)."""
    if abs(factor) < LARGE:
        move(w, x, as_stored(factor, w), as_stored(eta, w))
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
    """The same for c of w/size: neither c nor c/size need be in range."""
    for i in range(w.size):
        w[i] = kept * w[i] - eta * (x[i] - c * (w[i] / size))



@_sums
def row_sums(w: Array, g: Array, cols: int, delta: float, out: Array) -> None:
    """w·g, ‖w‖² and ‖g‖² of some rows together, and whether Eq. 11 holds in each of them."""
    wg_sum = 0.0
    ww_sum = 0.0
    gg_sum = 0.0
    all_pass = True
    step = cols * w.itemsize
    for r in range(w.size // cols):
        w_row = at(address_of(w) + r * step, cols, w)
        g_row = at(address_of(g) + r * step, cols, w)
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
