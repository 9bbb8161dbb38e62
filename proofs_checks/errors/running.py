"""Running error analysis: a number system whose numbers carry a bound on their own rounding error (Higham, §3.3).

Any algorithm of :mod:`tangency.theory` that runs over :func:`running` gives, with each number, how far an
implementation in the given format may be from it: no bound is written by hand. Every operation counts two roundings,
its own and one for another common way to write the same line (a fused multiply-add, a lerp, a normalisation first); a
sum is bounded whatever the order of its terms, by γ_n Σ|x_i|; every product and quotient may underflow once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Union

import flint
import numpy as np

from tangency.proofs_checks.errors.rounding import FLOAT64, Format
from tangency.theory.fields import Array, Field, rational

Operand = Union["Running", int, float]


@dataclass(frozen=True, eq=False, slots=True)
class Running:
    """A number, known up to ``error``.

    Attributes:
        value: the number, in float64.
        carried: what its parts carry into it.
        size, count: a sum of ``count`` roundings whose terms' absolute values add up to ``size``.
        unit: what one rounding may lose, relative.
        storage: the format; its ``tiny`` is what underflow may lose, and beyond its ``max`` nothing is known.
    """

    value: float
    carried: float
    size: float
    count: int
    unit: float
    storage: Format

    @property
    def error(self) -> float:
        """How far a computed number may be from ``value``: carried + γ_count size."""
        product = self.count * self.unit
        if self.size > self.storage.max:
            return math.inf  # it, or a part of it, overflows
        return (self.carried + product / (1 - product) * self.size) * (1 + 2**-40) if product < 1 else math.inf

    def _exact(self, x: Operand) -> "Running":
        return x if isinstance(x, Running) else Running(float(x), 0.0, abs(float(x)), 0, self.unit, self.storage)

    def _made(self, value: float, carried: float, other: "Running | None" = None) -> "Running":
        """The result of one operation that is no sum, in the coarser of the two formats."""
        unit = self.unit if other is None else max(self.unit, other.unit)
        if math.isnan(value) or math.isnan(carried):
            return Running(math.nan, math.inf, math.inf, 0, unit, self.storage)
        return Running(value, carried + 2 * self.storage.tiny, abs(value) + carried, 2, unit, self.storage)

    def __add__(self, other: Operand) -> "Running":
        if isinstance(other, np.ndarray):  # element by element
            return NotImplemented
        b = self._exact(other)
        if b.value == 0 and b.error == 0:
            return self
        if self.value == 0 and self.error == 0:
            return b
        carried, size = self.carried + b.carried, self.size + b.size
        unit = max(self.unit, b.unit)
        return Running(self.value + b.value, carried, size, self.count + b.count + 2, unit, self.storage)

    def __neg__(self) -> "Running":
        return Running(-self.value, self.carried, self.size, self.count, self.unit, self.storage)

    def __sub__(self, other: Operand) -> "Running":
        if isinstance(other, np.ndarray):  # element by element
            return NotImplemented
        return self + -self._exact(other)

    def __mul__(self, other: Operand) -> "Running":
        if isinstance(other, np.ndarray):  # element by element
            return NotImplemented
        b, e = self._exact(other), self.error
        f = b.error
        if (self.value == 0 and e == 0) or (b.value == 0 and f == 0):
            return self._exact(0)
        return self._made(self.value * b.value, abs(self.value) * f + abs(b.value) * e + e * f, b)

    def __truediv__(self, other: Operand) -> "Running":
        if isinstance(other, np.ndarray):  # element by element
            return NotImplemented
        b = self._exact(other)
        low = abs(b.value) - b.error
        if self.value == 0 and self.error == 0 and low > 0:
            return self
        if low <= 0 or b.value == 0:
            return Running(math.nan, math.inf, math.inf, 0, self.unit, self.storage)
        value = self.value / b.value
        return self._made(value, (self.error + abs(value) * b.error) / low, b)

    def __pow__(self, exponent: int) -> "Running":
        # As libraries do it: one power, in one operation; its argument's error grows with the exponent.
        e = self.error
        carried = exponent * e * (abs(self.value) + e) ** (exponent - 1)
        return self._made(self.value**exponent, carried)

    def __radd__(self, other: Operand) -> "Running":
        return self + other

    def __rsub__(self, other: Operand) -> "Running":
        return self._exact(other) - self

    def __rmul__(self, other: Operand) -> "Running":
        return self * other

    def __rtruediv__(self, other: Operand) -> "Running":
        return self._exact(other) / self

    def __eq__(self, other: object) -> bool:
        """Whether it is certainly that number."""
        if isinstance(other, int | float):
            return self.value == other and self.error == 0
        return self is other

    def sqrt(self) -> "Running":
        """√x; the error is at most e/√x, and at most √e."""
        e = self.error
        if self.value < 0 or math.isnan(self.value):
            return Running(math.nan, math.inf, math.inf, 0, self.unit, self.storage)
        if self.value == 0 and e == 0:
            return self
        root = math.sqrt(self.value)
        return self._made(root, min(e / root if root else math.inf, math.sqrt(e)))

    def _turned(self, function: Callable[[float], float]) -> "Running":
        """A function whose slope is at most 1, to within two roundings."""
        return self._made(function(self.value), self.error)


def _less(a: Running, b: Running) -> bool | None:
    slack = a.error + b.error
    if not math.isfinite(slack):
        return None
    gap = b.value - a.value
    return None if abs(gap) <= slack and slack > 0 else gap > 0


@cache
def running(storage: Format) -> Field:
    """The field of numbers computed in ``storage``, whose hyper-parameters are first computed in float64.

    The values themselves are evaluated in float64; what that loses is counted too.
    """

    def element(value: Any) -> Running:
        if isinstance(value, Running):
            return value
        number = float(value) if isinstance(value, float | int | np.floating) else _float(value)
        # A hyper-parameter is rounded once, to the format in which scalars are computed.
        lost = 0.0 if float(int(number)) == number else abs(number) * FLOAT64.unit
        return Running(number, lost, abs(number), 0, 2 * FLOAT64.unit, storage)

    return Field(
        name=f"running({storage.name})",
        element=element,
        sqrt=lambda x: x.sqrt(),
        sin=lambda x: x._turned(math.sin),
        cos=lambda x: x._turned(math.cos),
        atan=lambda x: x._turned(math.atan),
        less=_less,
        dtype=object,
    )


def _float(value: Any) -> float:
    q: flint.fmpq = rational(value)
    return int(q.p) / int(q.q)


def tensor(values: Array, storage: Format) -> Array:
    """Floats of a tensor, which are what they are: exact, computed with in ``storage`` from here on."""
    result = np.empty(values.shape, dtype=object)
    unit = storage.unit + FLOAT64.unit
    for index in np.ndindex(values.shape):
        x = float(values[index])
        result[index] = Running(x, 0.0, abs(x), 0, unit, storage)
    return result


def parts(array: Array) -> tuple[Array, Array]:
    """The values, and the errors, of an array of running numbers."""
    values, errors = np.empty(array.shape), np.empty(array.shape)
    for index in np.ndindex(array.shape):
        x = array[index]
        values[index], errors[index] = (x.value, x.error) if isinstance(x, Running) else (float(x), 0.0)
    return values, errors
