"""Inner products of rows, of pieces of rows and of tiles, in numba.

A PIECE in the dtype of the arrays, in the 32 or more partial sums of vector registers, then float64; an error of γ₄₀ at
most. Outside the range where that bound holds, again in float64: there products of float32 are exact, and neither
over- nor underflow. Where the storage is float64 itself, entries are divided by the largest first (`scaled`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tangency.optim.cpu.memory import Array, compiled, part, summing

PIECE = 1024  # elements worked on at once: few enough to stay in the first cache between two loops
SHORT = 256  # rows up to here are worked on several at a time
# Between these, sums of float32 products are sound.
LOW, HIGH = 2.0**-90, 2.0**100


@summing
def quick_products(w: Array, x: Array) -> tuple[Any, Any, Any]:
    """w·x, ‖w‖² and ‖x‖² in the dtype of the arrays."""
    wx = w.dtype.type(0)
    ww = w.dtype.type(0)
    xx = w.dtype.type(0)
    for i in range(w.size):
        wx += w[i] * x[i]
        ww += w[i] * w[i]
        xx += x[i] * x[i]
    return wx, ww, xx


@summing
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
        wx_part, ww_part, xx_part = quick_products(part(w, i, PIECE), part(x, i, PIECE))
        wx += wx_part
        ww += ww_part
        xx += xx_part
    if sound(wx, ww, xx):
        return wx, ww, xx
    return _wide_products(w, x)


@compiled
def largest(x: Array) -> float:
    """The largest |x_i|; 1 for zeros alone, since it is a divisor."""
    size = 0.0
    for i in range(x.size):
        size = max(size, np.float64(abs(x[i])))
    return size if size > 0 else 1.0


@summing
def products_scaled(w: Array, x: Array, size_w: float, size_x: float) -> tuple[float, float]:
    """‖w‖² and w·x of w/size_w and x/size_x."""
    ww = 0.0
    wx = 0.0
    for i in range(w.size):
        a = w[i] / size_w
        ww += a * a
        wx += a * (x[i] / size_x)
    return ww, wx


class Total(NamedTuple):
    """Inner products of entries over the sizes."""

    wg: float
    ww: float
    gg: float
    wx: float
    size_w: float
    size_x: float


@compiled
def add_up(tiles: Array) -> Total:
    """The sums of some tiles together, each brought to the size of the largest."""
    size_w = 0.0
    size_g = 0.0
    size_x = 0.0
    for i in range(len(tiles)):
        tile = tiles[i]
        # A tile of zeros has the size 1, which does not count.
        if tile.ww != 0:
            size_w = max(size_w, tile.size_w)
        if tile.gg != 0:
            size_g = max(size_g, tile.size_g)
        if tile.wx != 0:
            size_x = max(size_x, tile.size_x)
    wg = 0.0
    ww = 0.0
    gg = 0.0
    wx = 0.0
    for i in range(len(tiles)):
        tile = tiles[i]
        w = tile.size_w / size_w if tile.ww != 0 else 0.0
        g = tile.size_g / size_g if tile.gg != 0 else 0.0
        x = tile.size_x / size_x if tile.wx != 0 else 0.0
        wg += w * g * tile.wg
        ww += w * w * tile.ww
        gg += g * g * tile.gg
        wx += w * x * tile.wx
    return Total(wg, ww, gg, wx, size_w, size_x)
