"""Arithmetic of the GPU kernels, in Triton: rounding to nearest, and inner products that cannot overflow."""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

from tangency.optim.gpu.tables import FOUND, KW, WW


@triton.jit
def divide(a, b):
    """a / b, rounded to nearest."""
    return tl.div_rn(a, b) if a.dtype == tl.float32 else a / b


@triton.jit
def root(a):
    """√a, rounded to nearest."""
    return tl.sqrt_rn(a) if a.dtype == tl.float32 else tl.sqrt(a)


@triton.jit
def number(x, FORMAT: tl.constexpr):
    """A hyper-parameter, which arrives in float64, in the format of the computation."""
    return tl.full((), x, tl.float64).to(FORMAT)


@triton.jit
def gradient(g, grad_scale, MAXIMIZE: tl.constexpr, FORMAT: tl.constexpr):
    """±g / grad_scale."""
    g = g.to(FORMAT)
    if grad_scale is not None:
        g = divide(g, tl.load(grad_scale).to(FORMAT))
    return -g if MAXIMIZE else g


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


class Sums(NamedTuple):
    """Inner products of w and of b, which is the gradient or the update, over 2^kw and 2^kb."""

    ww: Any
    wb: Any
    bb: Any
    kw: Any
    kb: Any


@triton.jit
def nothing(SHAPE: tl.constexpr):
    """Sums of no elements: zeros."""
    zero = tl.zeros(SHAPE, tl.float64)
    least = tl.full(SHAPE, -1022, tl.int32)
    return Sums(zero, zero, zero, least, least)


@triton.jit
def found_sums(found, piece, there, WB: tl.constexpr, BB: tl.constexpr, KB: tl.constexpr):
    """The sums of pieces, b's from the given columns; zeros where `there` is false."""
    at = found + piece * FOUND
    ww, wb, bb = tl.load(at + WW, there, 0), tl.load(at + WB, there, 0), tl.load(at + BB, there, 0)
    kw, kb = tl.load(at + KW, there, -1022), tl.load(at + KB, there, -1022)
    return Sums(ww, wb, bb, kw.to(tl.int32), kb.to(tl.int32))


@triton.jit
def add_tile(sums, w, b, SCALED: tl.constexpr, SQUARE: tl.constexpr):
    """Add the inner products of the rows of two tiles; b·b only with SQUARE.

    In float64 the products of shorter formats are exact, and nothing over- or underflows. Those of float64 itself may:
    with SCALED the sums are those of w 2^-kw and b 2^-kb.
    """
    ww, wb, bb, kw, kb = sums
    w, b = w.to(tl.float64), b.to(tl.float64)
    if SCALED:
        nw, nb = tl.maximum(kw, exponent(w)), tl.maximum(kb, exponent(b))
        fw, fb = power(kw - nw), power(kb - nb)
        ww, wb, bb, kw, kb = ww * fw * fw, wb * fw * fb, bb * fb * fb, nw, nb
        w, b = w * power(-kw)[:, None], b * power(-kb)[:, None]
    ww += tl.sum(w * w, 1)
    wb += tl.sum(w * b, 1)
    if SQUARE:
        bb += tl.sum(b * b, 1)
    return Sums(ww, wb, bb, kw, kb)


@triton.jit
def add_sums(sums, more, SCALED: tl.constexpr):
    """Add up sums along their last axis."""
    ww, wb, bb, kw, kb = sums
    more_ww, more_wb, more_bb, more_kw, more_kb = more
    last: tl.constexpr = len(more_ww.shape) - 1
    if SCALED:
        nw, nb = tl.maximum(kw, tl.max(more_kw, last)), tl.maximum(kb, tl.max(more_kb, last))
        fw, fb = power(kw - nw), power(kb - nb)
        ww, wb, bb, kw, kb = ww * fw * fw, wb * fw * fb, bb * fb * fb, nw, nb
        fw, fb = power(more_kw - tl.expand_dims(nw, last)), power(more_kb - tl.expand_dims(nb, last))
        more_ww, more_wb, more_bb = more_ww * fw * fw, more_wb * fw * fb, more_bb * fb * fb
    return Sums(ww + tl.sum(more_ww, last), wb + tl.sum(more_wb, last), bb + tl.sum(more_bb, last), kw, kb)
