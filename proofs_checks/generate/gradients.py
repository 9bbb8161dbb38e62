"""Gradients at a given angle to the weights, in every row of a view: callables, as trials take them.

Exactly orthogonal (:class:`Rotation`), at a multiple of the threshold of Eq. 11 (:class:`Tilted`), at a cosine
(:class:`AtCosine`). All are made of pairs of weights turned by 90° (:func:`tangency.theory.projection.turned`).
"""

import math
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from tangency.proofs_checks.errors.rounding import Floats
from tangency.theory.projection import View, turned


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
    """A gradient exactly orthogonal to the weights in every row of a view: w·g = 0 without any rounding.

    Attributes:
        exponent: the gradient is the turned weights times 2^``exponent`` (exact, barring underflow).
        stride: how far apart the two weights of a pair are.
    """

    view: View
    exponent: int = 0
    stride: int = 1

    def __call__(self, w: Floats) -> Floats:
        """The gradient at the weights ``w``, of their shape."""
        return np.ldexp(turned(self.view.rows(w), self.stride).reshape(w.shape), self.exponent)


@dataclass(frozen=True)
class Tilted:
    """A gradient near the threshold of Eq. 11: cos(w, g) = ratio · δ/√dim in every row, up to the rounding of g.

    Attributes:
        ratio: 1 is the tie of Eq. 11, 1 ± 2^−k either side of it; a negative one turns g to the other side of w. Of
            several, each row takes the next, over and over.
        exponent: of the orthogonal part, which is that of :class:`Rotation`.
    """

    view: View
    ratio: float | tuple[float, ...]
    delta: float
    exponent: int = 0

    def __call__(self, w: Floats) -> Floats:
        """The gradient at the weights ``w``, of their shape."""
        g = Rotation(self.view, self.exponent)(w)
        ratios = self.ratio if isinstance(self.ratio, tuple) else (self.ratio,)
        for g_row, w_row, ratio in zip(self.view.rows(g), self.view.rows(w), cycle(ratios), strict=False):
            g_row[:] = tilted(w_row, g_row, ratio * self.delta / math.sqrt(max(1, len(w_row))))
        return g


@dataclass(frozen=True)
class AtCosine:
    """A gradient whose channels have given lengths and cosines to the weights, up to rounding.

    Attributes:
        cosines: in [−1, 1]; each channel takes the next, over and over.
        length: ‖g‖ of every channel.
    """

    cosines: tuple[float, ...]
    length: float = 1.0

    def __call__(self, w: Floats) -> Floats:
        """The gradient at the weights ``w``, of their shape; no channel of ``w`` may be zero."""
        rows = View.CHANNEL.rows(w)
        g = np.zeros_like(rows)
        for g_row, row, side, cosine in zip(g, rows, turned(rows), cycle(self.cosines), strict=False):
            unit, tangent = row / np.linalg.norm(row), side / np.linalg.norm(side)
            g_row[:] = self.length * (cosine * unit + np.sqrt(1 - cosine**2) * tangent)
        return g.reshape(w.shape)
