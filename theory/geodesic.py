"""The plane of a step and the angles in it (Proposition 3.1, A.3), without a square root.

For weights w ≠ 0, an update p and a step size η > 0 let w° = w − ηp be the original step and wᵖ = w − ηΠ_w(p) the
projected one. With r = ‖w‖, c = ŵ·p and s = ‖Π_w(p)‖, in the orthonormal frame of ŵ and −Π_w(p)/s,

    w = (r, 0),    w° = (r − ηc, ηs),    wᵖ = (r, ηs),

so that tan∠(w, w°) = ηs/(r − ηc) and tan∠(w, wᵖ) = ηs/r: the projection changes the angle by which a step turns w,
not the great circle along which it turns.
"""

from dataclasses import dataclass
from typing import Any

from tangency.theory.fields import Array
from tangency.theory.projection import project


def gram_determinant(*vectors: Array) -> Any:
    """det(vᵢ·vⱼ): the squared volume that the vectors span, 0 exactly where they are linearly dependent.

    >>> from tangency.theory.fields import EXACT
    >>> gram_determinant(EXACT.array([3, 0]), EXACT.array([1, 2]))
    36
    """
    return _determinant([[a @ b for b in vectors] for a in vectors])


def _determinant(rows: list[list[Any]]) -> Any:
    """The determinant by cofactors of the first row: without division, so that every field can compute it."""
    if not rows:
        return 1
    first, rest = rows[0], rows[1:]
    minors = (_determinant([row[:i] + row[i + 1 :] for row in rest]) for i in range(len(first)))
    return sum((-1) ** i * entry * minor for i, (entry, minor) in enumerate(zip(first, minors, strict=True)))


def on_geodesic(w: Array, original: Array, x: Array) -> bool:
    """Whether x/‖x‖ lies on the geodesic S^{d−1} ∩ span(w, w°), for x ≠ 0; decided in the exact field.

    Where w and w° are parallel the span is a line, and the geodesic the two points ±ŵ.
    """
    if gram_determinant(w, original) != 0:
        return bool(gram_determinant(w, original, x) == 0)
    return bool(gram_determinant(w, x) == 0)


def squared_distance(w: Array, original: Array, x: Array) -> Any:
    """The squared distance of x to span(w, w°), for w and w° that are not parallel."""
    return gram_determinant(w, original, x) / gram_determinant(w, original)


def signed_squared_cosine(a: Array, b: Array) -> Any:
    """cos∠·|cos∠| of two vectors that are not zero: rational; it falls from 1 to −1 as the angle grows from 0 to π."""
    dot = a @ b
    return dot * abs(dot) / ((a @ a) * (b @ b))


@dataclass(frozen=True)
class Plane:
    """A step in the plane of w and p, in rational numbers.

    Attributes:
        lr: η > 0.
        radius2: r² = ‖w‖² > 0.
        radial: rc = w·p.
        tangential2: s² = ‖Π_w(p)‖².
    """

    lr: Any
    radius2: Any
    radial: Any
    tangential2: Any

    @classmethod
    def of(cls, w: Array, p: Array, lr: Any) -> "Plane":
        """The plane of weights w ≠ 0 and an update p."""
        q = project(w, p)
        return cls(lr, w @ w, w @ p, q @ q)

    @property
    def advance(self) -> Any:
        """w·w° = r(r − ηc): positive while the original step turns w by less than 90°."""
        return self.radius2 - self.lr * self.radial

    @property
    def overshoots(self) -> bool:
        """r ≤ ηc: the original step turns w by 90° or more, which no projected step does."""
        return bool(self.advance <= 0)

    @property
    def projected_tangent2(self) -> Any:
        """tan²∠(w, wᵖ) = η²s²/r²."""
        return self.lr * self.lr * self.tangential2 / self.radius2

    @property
    def original_tangent2(self) -> Any:
        """tan²∠(w, w°) = η²s²/(r − ηc)²; no number at 90°.

        Raises:
            ZeroDivisionError: r = ηc.
        """
        return self.lr * self.lr * self.tangential2 * self.radius2 / (self.advance * self.advance)

    @property
    def tangent_ratio(self) -> Any:
        """tan∠(w, wᵖ)/tan∠(w, w°) = 1 − ηc/r, for s > 0: how much further the projected step turns w."""
        return self.advance / self.radius2

    @property
    def larger(self) -> int:
        """Which angle is larger, for w° ≠ 0: the projected one (1: c < 0), the original one (−1: c > 0), neither (0).

        For s = 0 no step turns w, except an original one that passes the origin and turns it by 180°.
        """
        if self.tangential2 == 0:
            return -1 if self.overshoots else 0
        return int(self.radial < 0) - int(self.radial > 0)
