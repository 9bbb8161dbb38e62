"""Scale-invariant problems with their value and exact gradient, over every field that can express them.

An objective is a frozen record of numbers; ``objective.value(field, w)`` and ``objective.gradient(field, w)`` take
weights of any shape, elements of ``field``, and compute in its working precision. Gradients are written by hand from
the mathematics. Squares are products, since the power of a ball that contains 0 is NaN. Layers with a
normalisation are in :mod:`.normalised_layers`.

=================== =================================================== ======================= ==================
objective           f(w)                                                fields                  where
=================== =================================================== ======================= ==================
Cosine              −cos(w, t)                                          with square roots       Fig. 1, Eq. B.1
SquaredCosine       −cos²(w, t)                                         all: rational           its rational kin
Rayleigh            wᵀAw / wᵀw                                          all: rational           Arora et al. 2019
SphericalRosenbrock h(c·ψ(w), c·φ(w))                                   with roots and atan     Fig. 3, Eq. B.2
=================== =================================================== ======================= ==================
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangency.theory.fields import EXACT, Array, Field

Vector = tuple[Any, ...]
Matrix = tuple[Vector, ...]


class Objective(ABC):
    """A function of the weights, with its gradient."""

    @property
    def scale_invariant(self) -> bool:
        """Whether f(cw) = f(w) for every c > 0."""
        return True

    def value(self, field: Field, w: Array) -> Any:
        """f(w), for weights of any shape."""
        with field.context():
            return self._value(field, w.reshape(-1))

    def gradient(self, field: Field, w: Array) -> Array:
        """∇f(w), of the shape of ``w``."""
        with field.context():
            return self._gradient(field, w.reshape(-1)).reshape(w.shape)

    @abstractmethod
    def _value(self, field: Field, w: Array) -> Any:
        """f of weights of shape (dim,)."""

    @abstractmethod
    def _gradient(self, field: Field, w: Array) -> Array:
        """∇f of weights of shape (dim,)."""


@dataclass(frozen=True)
class GradientField:
    """The map w ↦ ∇f(w) of an objective, over one number field: the gradients of a descent."""

    objective: Objective
    over: Field = field(default=EXACT, repr=False)

    def __call__(self, w: Array) -> Array:
        return self.objective.gradient(self.over, w)


@dataclass(frozen=True)
class Cosine(Objective):
    """The negative cosine to a target, f(w) = −w·t / (‖w‖‖t‖): the toy problem of Fig. 1 (Eq. B.1, which omits the −).

    ∇f(w) = −(t − (w·t / w·w) w) / (‖w‖‖t‖). Among the rationals, ‖w‖‖t‖ must be one.

    >>> Cosine((0, 1)).value(EXACT, EXACT.array([3, 4])), Cosine((0, 1)).gradient(EXACT, EXACT.array([3, 4]))
    (-4/5, array([12/125, -9/125], dtype=object))
    """

    target: Vector

    def _value(self, field: Field, w: Array) -> Any:
        t = field.array(self.target)
        return -(w @ t) / field.sqrt((w @ w) * (t @ t))

    def _gradient(self, field: Field, w: Array) -> Array:
        t, square = field.array(self.target), w @ w
        result: Array = ((w @ t) / square * w - t) / field.sqrt(square * (t @ t))
        return result


@dataclass(frozen=True)
class SquaredCosine(Objective):
    """f(w) = −(w·t)² / (‖w‖²‖t‖²), a rational function: the Rayleigh quotient of −ttᵀ/‖t‖² at a cost linear in dim.

    ∇f(w) = −2 (w·t) / (‖w‖²‖t‖²) · (t − (w·t / w·w) w).
    """

    target: Vector

    def _value(self, field: Field, w: Array) -> Any:
        t = field.array(self.target)
        dot = w @ t
        return -dot * dot / ((w @ w) * (t @ t))

    def _gradient(self, field: Field, w: Array) -> Array:
        t, square = field.array(self.target), w @ w
        dot = w @ t
        result: Array = (dot / square * w - t) * (2 * dot / (square * (t @ t)))
        return result


@dataclass(frozen=True)
class Rayleigh(Objective):
    """The Rayleigh quotient f(w) = wᵀAw / wᵀw, a rational function. A need not be symmetric.

    ∇f(w) = ((A + Aᵀ)w − 2f(w) w) / wᵀw.

    >>> f = Rayleigh(((2, 0), (0, 1)))
    >>> f.value(EXACT, EXACT.array([1, 1])), f.gradient(EXACT, EXACT.array([1, 1]))
    (3/2, array([1/2, -1/2], dtype=object))
    """

    matrix: Matrix

    def _value(self, field: Field, w: Array) -> Any:
        return w @ field.array(self.matrix) @ w / (w @ w)

    def _gradient(self, field: Field, w: Array) -> Array:
        matrix, square = field.array(self.matrix), w @ w
        image = matrix @ w
        result: Array = (image + matrix.T @ w - 2 * (w @ image) / square * w) / square
        return result


@dataclass(frozen=True)
class SphericalRosenbrock(Objective):
    """The Rosenbrock function on the sphere, the toy problem of Fig. 3 (§3.2, B.2, corrected).

    h(x₁, x₂) = (1 − x₁)² + 300(x₂ − x₁²)² at x₁ = cψ, x₂ = cφ, where w = (x, y, z), r = ‖w‖, ψ = tan⁻¹(x/z) and
    φ = sin⁻¹(y/r) = tan⁻¹(y/ρ) with ρ² = x² + z² > 0, z ≠ 0. The paper prints ψ = cos⁻¹(x/z), which exists only for
    |x| ≤ |z|, and h without the inner square.

    With h₁ = −2(1 − x₁) − 1200x₁(x₂ − x₁²) and h₂ = 600(x₂ − x₁²):
    ∇f = c h₁ (z, 0, −x)/ρ² + c h₂ (−xy/ρ, ρ, −yz/ρ)/r².
    """

    scale: Any = 1.5

    def point(self, field: Field, x1: Any, x2: Any) -> Array:
        """The point of the unit sphere, shape (3,), where cψ = x₁ and cφ = x₂ (|x₁|, |x₂| < cπ/2)."""
        with field.context():
            c = field.element(self.scale)
            psi, phi = field.element(x1) / c, field.element(x2) / c
            rho = field.cos(phi)
            return field.array([rho * field.sin(psi), field.sin(phi), rho * field.cos(psi)])

    def angles(self, field: Field, w: Array) -> tuple[Any, Any]:
        """(x₁, x₂) = (cψ, cφ) of a point, shape (3,)."""
        with field.context():
            x, y, z = w
            c = field.element(self.scale)
            return c * field.atan(x / z), c * field.atan(y / field.sqrt(x * x + z * z))

    def _value(self, field: Field, w: Array) -> Any:
        x1, x2 = self.angles(field, w)
        along, across = 1 - x1, x2 - x1 * x1
        return along * along + 300 * across * across

    def _gradient(self, field: Field, w: Array) -> Array:
        x, y, z = w
        x1, x2 = self.angles(field, w)
        across = x2 - x1 * x1
        h1, h2 = -2 * (1 - x1) - 1200 * x1 * across, 600 * across
        square, c = x * x + z * z, field.element(self.scale)
        rho = field.sqrt(square)
        by_psi: Array = np.array([z, 0 * y, -x]) / square
        by_phi: Array = np.array([-x * y / rho, rho, -y * z / rho]) / (square + y * y)
        result: Array = by_psi * (c * h1) + by_phi * (c * h2)
        return result
