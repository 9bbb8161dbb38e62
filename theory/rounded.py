"""Running error analysis: a field whose numbers carry how far a computation in floating point may be from them.

Any algorithm of this package that runs over :func:`rounded` gives, with every number, its exact value and a bound on
the error of whoever computes the same in a binary floating-point format (Higham, Accuracy and Stability of Numerical
Algorithms, §2.2, §3.1, §3.3): no bound is written by hand. The model is fl(a ∘ b) = (a ∘ b)(1 + δ) + ε with |δ| ≤ u and
|ε| ≤ η, where η is the smallest subnormal number:

* An operation counts two roundings, its own and one for another common way to write the same line: a hyper-parameter
  that is rounded to the format, a fused multiply-add, a lerp, a normalisation first. Those of a sum, and of a product
  with a number that is one, are bounded by what the terms add up to in absolute value, before they cancel.
* A sum of n products, ``a @ b``, is bounded whatever the order of its terms, by γ_{n+1} Σ|a_i||b_i|.
* Hyper-parameters are Python floats: what is made of them alone is rounded to 53 bits.
* :attr:`Field.scaled` makes of a row one without units: every entry divided by the largest, and rounded by that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tangency.theory.fields import Array, Field

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format with ``digits`` significant bits and smallest normal number 2^``emin``.

    With ``flushes``, what is subnormal becomes 0, as XLA has it on CPUs.
    """

    name: str
    digits: int
    emin: int
    emax: int
    flushes: bool = False

    @cached_property
    def unit(self) -> float:
        """u, the unit roundoff: half the distance of 1 to the next number."""
        return math.ldexp(1.0, -self.digits)

    @cached_property
    def tiny(self) -> float:
        """η, what an underflow can lose: the smallest subnormal, or normal number where those are flushed."""
        return math.ldexp(1.0, self.emin if self.flushes else self.emin - self.digits + 1)

    @cached_property
    def max(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - 2.0 * self.unit, self.emax)

    def ulp(self, x: float) -> float:
        """The distance of neighbouring numbers at x (at least η)."""
        exponent = math.frexp(x)[1] - 1 if x else self.emin
        return math.ldexp(1.0, max(exponent, self.emin) - self.digits + 1)

    def gamma(self, k: int) -> float:
        """γ_k = ku / (1 − ku) (Higham, Lemma 3.1); infinite where ku ≥ 1."""
        product = k * self.unit
        return product / (1 - product) if product < 1 else math.inf

    def stored(self, value: Floats, error: Floats) -> Floats:
        """The error after rounding numbers, known up to ``error``, once more into this format."""
        size = np.abs(value) + error
        exponent = np.where(size > 0, np.frexp(size)[1] - 1, self.emin)
        half_ulp = np.ldexp(1.0, np.maximum(exponent, self.emin) - self.digits)
        result: Floats = (error + half_ulp) * SAFE
        return result


FLOAT16 = Format("float16", 11, -14, 15)
BFLOAT16 = Format("bfloat16", 8, -126, 127)
FLOAT32 = Format("float32", 24, -126, 127)
FLOAT64 = Format("float64", 53, -1022, 1023)
HYPER = Format("hyper-parameters", 53, -1022, 1023)

# Bounds are evaluated in float64; more than the dozen roundings of one operation lose.
SAFE = 1 + 2.0**-48


class Rounded:
    """A number: exact, and how far a computed one may be from it.

    Attributes:
        value: the number, of the field beneath.
        near: a float64 no further from it than ``error``.
        error: the bound.
        size: of a sum of hyper-parameters, what its terms add up to in absolute value; else ``|near|``.
        fmt: in which it is computed.
    """

    __slots__ = ("error", "fmt", "near", "size", "value")
    # numpy arrays operate element by element.
    __array_ufunc__: Any

    def __init__(self, value: Any, near: float, error: float, size: float, fmt: Format) -> None:
        self.value, self.near, self.error, self.size, self.fmt = value, near, error, size, fmt

    @property
    def _exact_zero(self) -> bool:
        return self.near == 0 and self.error == 0 and self.value == 0

    def _other(self, x: Any) -> "Rounded":
        return x if isinstance(x, Rounded) else Rounded(x, float(x), 0.0, abs(float(x)), HYPER)

    def __add__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = other if isinstance(other, Rounded) else self._other(other)
        if b._exact_zero:
            return self
        if self._exact_zero:
            return b
        fmt = b.fmt if self.fmt is HYPER else self.fmt
        near, carried = self.near + b.near, self.error + b.error
        size = abs(near) if fmt is HYPER else abs(self.near) + abs(b.near)
        error = carried + fmt.gamma(2) * (size + 2 * carried) + (fmt.tiny if fmt.flushes else 0.0)
        return _made(self.value + b.value, near, error, abs(near), fmt)

    def __neg__(self) -> "Rounded":
        return Rounded(-self.value, -self.near, self.error, self.size, self.fmt)

    def __sub__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        return self + -self._other(other)

    def __mul__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = other if isinstance(other, Rounded) else self._other(other)
        if self._exact_zero:
            return self
        if b._exact_zero:
            return b
        fmt = b.fmt if self.fmt is HYPER else self.fmt
        x, y, e, f = abs(self.near), abs(b.near), self.error, b.error
        # |near| is known up to the error
        carried = (x + e) * f + (y + f) * e + e * f
        sizes = (self.size + 2 * e) * (b.size + 2 * f)
        near = self.near * b.near
        return _made(self.value * b.value, near, carried + fmt.gamma(2) * sizes + fmt.tiny, abs(near), fmt)

    def __truediv__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = other if isinstance(other, Rounded) else self._other(other)
        fmt = b.fmt if self.fmt is HYPER else self.fmt
        low = abs(b.near) - 2 * b.error
        if not low > 0:
            if b._exact_zero:
                raise ZeroDivisionError
            return Rounded(self.value / b.value if b.value != 0 else self.value, math.nan, math.inf, math.inf, fmt)
        if self._exact_zero:
            return self
        near = self.near / b.near
        carried = (self.error + abs(near) * b.error) / low + abs(near) * b.error * b.error / (low * low) * 2
        return _made(self.value / b.value, near, carried + fmt.gamma(2) * (abs(near) + 2 * carried) + fmt.tiny, abs(near), fmt)

    def __pow__(self, exponent: int) -> "Rounded":
        # As libraries do it: one power, in one operation; its argument's error grows with the exponent.
        near = self.near**exponent
        carried = exponent * self.error * (abs(self.near) + 2 * self.error) ** (exponent - 1)
        fmt = self.fmt
        return _made(self.value**exponent, near, carried + fmt.gamma(2) * (abs(near) + 2 * carried) + fmt.tiny, abs(near), fmt)

    def __radd__(self, other: Any) -> "Rounded":
        return self + other

    def __rsub__(self, other: Any) -> "Rounded":
        return self._other(other) - self

    def __rmul__(self, other: Any) -> "Rounded":
        return self * other

    def __rtruediv__(self, other: Any) -> "Rounded":
        return self._other(other) / self

    def __eq__(self, other: object) -> bool:
        """Whether it is certainly that number."""
        if isinstance(other, int | float):
            return self.error == 0 and bool(self.value == other)
        return self is other

    __hash__ = object.__hash__


def _made(value: Any, near: float, error: float, size: float, fmt: Format) -> Rounded:
    if not size + error <= fmt.max:  # it, or a part of it, overflows, or is NaN
        error = math.inf
    return Rounded(value, near, error * SAFE, size, fmt)


class Numbers(np.ndarray[Any, Any]):
    """An array of :class:`Rounded` numbers, whose products ``a @ b`` are bounded whatever the order of summation."""

    repeats: int = 1

    def __array_finalize__(self, made: Any) -> None:
        self.repeats = getattr(made, "repeats", 1)

    def __matmul__(self, other: Any) -> Any:
        total: Any = 0
        near = size = carried = 0.0
        count, fmt = 0, None
        for a, b in zip(self, other, strict=True):
            if a._exact_zero or b._exact_zero:
                continue
            if fmt is None:
                fmt = b.fmt if a.fmt is HYPER else a.fmt
            x, y, e, f = abs(a.near), abs(b.near), a.error, b.error
            total = a.value * b.value + total
            near += a.near * b.near
            size += (x + 2 * e) * (y + 2 * f)
            carried += (x + e) * f + (y + f) * e + e * f
            count += 1
        if not count:
            return self[0] * 0 if self.size else 0
        n = len(self) * self.repeats
        error = carried + fmt.gamma(n + 1) * size + 2 * n * fmt.tiny
        return _made(total, near, error * (1 + (count + 4) * 2.0**-52), abs(near), fmt)


@cache
def rounded(exact: Field, fmt: Format, repeats: int = 1) -> Field:
    """The numbers of a field as they are computed in a format.

    Args:
        exact: the field beneath, where values live.
        fmt: the format in which tensors are computed.
        repeats: how often a row stands, one after the other, in the real one: what sums are longer by.
    """

    def element(value: Any) -> Rounded:
        if isinstance(value, Rounded):
            return value
        inner = exact.element(value)
        near = _float(inner)
        return Rounded(inner, near, 0.0, abs(near), HYPER)

    def less(a: Any, b: Any) -> bool | None:
        slack = a.error + b.error
        if slack == 0:
            return exact.less(a.value, b.value)
        if not math.isfinite(slack):
            return None
        gap = _float(exact.element(b.value - a.value))
        return None if abs(gap) <= slack * SAFE else gap > 0

    def sqrt(x: Any) -> Rounded:
        if x._exact_zero:
            return x
        if x.near <= 0:
            return Rounded(exact.sqrt(x.value), math.sqrt(max(x.near,0)), math.sqrt(2*x.error), math.sqrt(2*x.error), x.fmt)
        root, e = math.sqrt(x.near), x.error
        carried = min(math.sqrt(e), e / (root + math.sqrt(max(0.0, x.near - 2 * e)))) if math.isfinite(e) else math.inf
        error = carried + x.fmt.gamma(2) * (root + 2 * carried) + x.fmt.tiny
        return _made(exact.sqrt(x.value), root, error, root, x.fmt)

    def scaled(row: Any) -> Any:
        largest = max((abs(x.near) for x in row), default=0.0)
        if not 0 < largest < math.inf:
            return row
        exponent = math.frexp(largest)[1]
        factor = exact.element(2) ** -exponent if exponent < 0 else 1 / exact.element(2) ** exponent
        made = row.copy()
        for i, x in enumerate(row):
            if not x._exact_zero:
                near = math.ldexp(x.near, -exponent)
                made[i] = Rounded(x.value * factor, near, math.ldexp(x.error, -exponent) + fmt.gamma(1) * abs(near) + fmt.tiny, abs(near), x.fmt)
        return made

    return _RoundedField(
        name=f"{exact.name}, rounded to {fmt.name}",
        element=element,
        sqrt=sqrt,
        sin=None, cos=None, atan=None,
        less=less,
        context=exact.context,
        scaled=scaled,
        fmt=fmt,
        repeats=repeats,
        exact=exact,
    )


@dataclass(frozen=True)
class _RoundedField(Field):
    fmt: Format = FLOAT64
    repeats: int = 1
    exact: Any = None

    def array(self, values: Any) -> Array:
        """Numbers of a tensor: they are what they are, and are computed with in the format."""
        source = np.asarray(values, dtype=object)
        result = np.empty(source.shape, dtype=object).view(Numbers)
        result.repeats = self.repeats
        with self.context():
            for index in np.ndindex(source.shape):
                x = self.exact.element(source[index])
                near = _float(x)
                result[index] = Rounded(x, near, 0.0, abs(near), self.fmt)
        return result


def _float(x: Any) -> float:
    return float(x) if hasattr(x, "mid") else int(x.p) / int(x.q)


def parts(array: Array) -> tuple[Array, Floats]:
    """The exact values, and the bounds, of an array of rounded numbers."""
    values, errors = np.empty(array.shape, dtype=object), np.empty(array.shape)
    for index in np.ndindex(array.shape):
        x = array[index]
        values[index], errors[index] = x.value, x.error
    return values, errors
