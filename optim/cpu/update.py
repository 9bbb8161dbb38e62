"""The step of some elements in numba: moments, the update x, its projection (Eq. 10), and w. See `rule.Rule`.

All is computed in the dtype of the arrays, but for the factors of w: those are float64 until they are used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangency.optim.cpu.memory import Array, as_stored, compiled, part, summing
from tangency.optim.cpu.products import quick_products
from tangency.optim.cpu.records import Numbers, Streams

# For a tiny w no factor η w·x/w·w of its dtype need exist, though the product with w does.
LARGE = 2.0**64


@compiled
def _momentum(g: Any, m: Any, rule: Numbers) -> tuple[Any, Any]:
    """One element of m (Eq. 7; Algorithm 2, line 2), and of what stands for it in a Nesterov update."""
    m = rule.beta1 * m + rule.fresh * g
    return m, rule.ahead * g + rule.beta1 * m


@compiled
def _adam(g: Any, m: Any, v: Any, rule: Numbers, root: Any) -> tuple[Any, Any, Any]:
    """One element of m, v and m/(√v/√(1 − β₂ᵗ) + ε) (Algorithm 2, lines 2–4); `root` is 1/√(1 − β₂ᵗ)."""
    m, ahead = _momentum(g, m, rule)
    v = rule.beta2 * v + rule.rest * g * g
    return m, v, (ahead if rule.nesterov else m) / (np.sqrt(v) * root + rule.eps)


@compiled
def direction(some: Streams, rule: Numbers, root: Any, write: bool) -> None:
    """The update x before Π; with `write`, m and v move on."""
    g, m, v, x, state = some.g, some.m, some.v, some.x, some.state
    sign = rule.sign
    if state == 2 and write:
        for i in range(x.size):
            m[i], v[i], x[i] = _adam(sign * g[i], m[i], v[i], rule, root)
    elif state == 2:
        for i in range(x.size):
            x[i] = _adam(sign * g[i], m[i], v[i], rule, root)[2]
    elif state == 1 and write:
        for i in range(x.size):
            m[i], ahead = _momentum(sign * g[i], m[i], rule)
            x[i] = ahead if rule.nesterov else m[i]
    elif state == 1:
        for i in range(x.size):
            fresh, ahead = _momentum(sign * g[i], m[i], rule)
            x[i] = ahead if rule.nesterov else fresh
    else:
        for i in range(x.size):
            fresh, ahead = _momentum(sign * g[i], 0 * sign, rule)
            x[i] = ahead if rule.nesterov else fresh


@summing
def direction_with_products(some: Streams, rule: Numbers, root: Any) -> tuple[Any, Any, Any]:
    """The update x before Π, m and v in place, and w·x, ‖w‖², ‖x‖² in the dtype of the arrays."""
    w, g, m, v, x, state = some.w, some.g, some.m, some.v, some.x, some.state
    sign = rule.sign
    wx = w.dtype.type(0)
    ww = w.dtype.type(0)
    xx = w.dtype.type(0)
    if state == 2:
        for i in range(x.size):
            m[i], v[i], xi = _adam(sign * g[i], m[i], v[i], rule, root)
            x[i] = xi
            wx += w[i] * xi
            ww += w[i] * w[i]
            xx += xi * xi
        return wx, ww, xx
    direction(some, rule, root, True)
    return quick_products(w, x)


@compiled
def step(some: Streams, rule: Numbers, root: Any, kept: Any, eta: Any) -> None:
    """The whole step where x is not projected: w (1 − lr · weight_decay) − η x."""
    w, g, m, v, state = some.w, some.g, some.m, some.v, some.state
    sign = rule.sign
    if state == 2:
        for i in range(w.size):
            m[i], v[i], x = _adam(sign * g[i], m[i], v[i], rule, root)
            w[i] = kept * w[i] - eta * x
    elif state == 1:
        for i in range(w.size):
            m[i], ahead = _momentum(sign * g[i], m[i], rule)
            w[i] = kept * w[i] - eta * (ahead if rule.nesterov else m[i])
    else:
        for i in range(w.size):
            fresh, ahead = _momentum(sign * g[i], 0 * sign, rule)
            w[i] = kept * w[i] - eta * (ahead if rule.nesterov else fresh)


@compiled
def factor_of(wx: float, ww: float, kept: float, eta: float) -> float:
    """1 − lr · weight_decay · r + η w·x/w·w, of which w is a multiple after a projected step; w = 0 leaves x alone."""
    return kept + eta * (wx / ww) if ww > 0 else kept


@summing
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
