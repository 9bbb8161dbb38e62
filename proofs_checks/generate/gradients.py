"""Gradients at a given angle to the weights, as functions of the weights as they are then."""

import math
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from tangency.proofs_checks.errors.rounding import Floats
from tangency.theory.projection import View


def tilted(w: Floats, tangent: Floats, cosine: float) -> Floats:
    """A vector orthogonal to w, shape (dim,), turned towards it: cos(w, result) = ``cosine`` up to rounding.

    The vector itself where there is no such turn: w = 0 or |cosine| ≥ 1.
    """
    largest = np.max(np.abs(w), initial=0.0)
    if largest == 0 or abs(cosine) >= 1:
        return tangent
    unit = w / largest
    length = math.sqrt(float(tangent @ tangent)) / largest
    radial: Floats = cosine / math.sqrt(1 - cosine**2) * length / math.sqrt(float(unit @ unit)) * unit * largest
    return tangent + radial


@dataclass(frozen=True)
class Rotation:
    """A gradient exactly orthogonal to the weights in every row of a view: pairs of weights, turned by 90° and scaled.

    g_i = s·w_j and g_j = −s·w_i with s = 2^``exponent``, so that w·g = 0 without any rounding (barring underflow).
    """

    view: View
    exponent: int = 0
    stride: int = 1

    def __call__(self, w: Floats) -> Floats:
        g = np.zeros_like(w)
        for g_row, w_row in zip(self.view.rows(g), self.view.rows(w), strict=True):
            step = min(self.stride, max(1, len(w_row) // 2))
            for start in range(0, len(w_row) - step, 2 * step):
                i = np.arange(start, min(start + step, len(w_row) - step))
                g_row[i], g_row[i + step] = w_row[i + step], -w_row[i]
        return np.ldexp(g, self.exponent)


@dataclass(frozen=True)
class Tilted:
    """A gradient at a chosen angle: cos(w, g) = ``ratio`` · δ/√dim in every row of a view, up to the rounding of g.

    A ratio of 1 is the tie of Eq. 11, 1 ± 2^−k either side of it; a negative one turns g to the other side of w.
    Several are those of the rows in turn.
    """

    view: View
    ratio: float | tuple[float, ...]
    delta: float
    exponent: int = 0

    def __call__(self, w: Floats) -> Floats:
        g = Rotation(self.view, self.exponent)(w)
        ratios = self.ratio if isinstance(self.ratio, tuple) else (self.ratio,)
        for g_row, w_row, ratio in zip(self.view.rows(g), self.view.rows(w), cycle(ratios), strict=False):
            g_row[:] = tilted(w_row, g_row, ratio * self.delta / math.sqrt(max(1, len(w_row))))
        return g


@dataclass(frozen=True)
class AtCosine:
    """A gradient at chosen cosines to the weights of every channel, in turn, and of length ``size`` there."""

    cosines: tuple[float, ...]
    size: float = 1.0

    def __call__(self, w: Floats) -> Floats:
        rows, g = View.CHANNEL.rows(w), np.zeros_like(w)
        sides = View.CHANNEL.rows(Rotation(View.CHANNEL)(w))
        for g_row, row, side, cosine in zip(View.CHANNEL.rows(g), rows, sides, cycle(self.cosines), strict=False):
            unit, tangent = row / np.linalg.norm(row), side / np.linalg.norm(side)
            g_row[:] = self.size * (cosine * unit + np.sqrt(1 - cosine**2) * tangent)
        return g
