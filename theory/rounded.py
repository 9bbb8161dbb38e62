"""Running error analysis: a field whose numbers carry a bound on the error of the same computation in floating point.

A formula that runs over :func:`rounded` gives, with every number, its exact value and a bound on the error of any
program that evaluates it in a binary floating-point format. No bound is written by hand (Higham, Accuracy and Stability
of Numerical Algorithms, §2.2, §3.1, §3.3). The model is fl(a ∘ b) = (a ∘ b)(1 + δ) + ε with |δ| ≤ u and |ε| ≤ η, where
η is the largest error of an underflow; sums do not underflow.

* An operation counts two roundings: its own, and one for another common way to write the same line (a hyper-parameter
  that is rounded to the format first, a lerp, a normalisation of w). Those of a sum are bounded by |a| + |b|.
* A sum of n products ``a @ b`` is bounded whatever the order of its terms, by γ_{n+1} Σ|a_i||b_i|.
* Hyper-parameters, made by :attr:`Field.element`, are Python floats, and so are results of them alone.
* :attr:`Field.scaled` divides a row by its largest entry: one rounding, and no product leaves the range.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tangency.theory.fields import Array, Field, nearest, rational
from tangency.theory.formats import FLOAT64, SAFE, Format

SCALARS = Format("Python floats", FLOAT64.digits, FLOAT64.emin, FLOAT64.emax)


class Rounded:
    """A number that is computed in a format.

    Attributes:
        value: the exact number, of the field beneath.
        near: a float64 within ``error`` of the exact and of the computed number.
        error: the largest |computed − value|.
        fmt: the format.
        top: a bound on |value|.
        is_zero: whether the exact and the computed number are both 0: an operation with it costs no rounding.
    """

    # Attributes all: an example takes a hundred thousand operations, and properties would double their time.
    __slots__ = ("error", "fmt", "is_zero", "near", "top", "value")

    def __init__(self, value: Any, near: float, error: float, fmt: Format) -> None:
        self.value, self.near, self.error, self.fmt = value, near, error, fmt
        self.top = abs(near) + error
        self.is_zero = self.top == 0 and bool(value == 0)

    def __add__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):  # element by element
            return NotImplemented
        b = _number(other)
        if self.is_zero or b.is_zero:
            return b if self.is_zero else self
        fmt, near, carried = _coarser(self, b), self.near + b.near, self.error + b.error
        # 1 − β is exact for β ≥ 1/2 (Sterbenz), and is written in no other way.
        size = abs(near) + 2 * carried if fmt is SCALARS else self.top + b.top + carried
        return _made(self.value + b.value, near, carried, size, fmt, underflows=fmt.flushes)

    def __neg__(self) -> "Rounded":
        return Rounded(-self.value, -self.near, self.error, self.fmt)

    def __sub__(self, other: Any) -> "Rounded":
        return NotImplemented if isinstance(other, np.ndarray) else self + -_number(other)

    def __mul__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = _number(other)
        if self.is_zero or b.is_zero:
            return self if self.is_zero else b
        value, fmt, left, right = self.value * b.value, _coarser(self, b), self.error, b.error
        if math.inf in (left, right):
            return _unknown(value, fmt)
        carried = self.top * right + b.top * left + left * right
        return _made(value, self.near * b.near, carried, (self.top + left) * (b.top + right), fmt)

    def __truediv__(self, other: Any) -> "Rounded":
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = _number(other)
        fmt, least = _coarser(self, b), abs(b.near) - b.error
        if self.is_zero and least > b.error:
            return self
        quotient = self.top / least if least > b.error else math.inf  # perhaps by zero
        if quotient > fmt.max or math.inf in (self.error, b.error):
            return _unknown(self.value / b.value if b.value != 0 else rational(0), fmt)
        carried = self.error / (least - b.error) + _quotient(self.top, b.error, least, least - b.error)
        return _made(self.value / b.value, self.near / b.near, carried, quotient + carried, fmt)

    def __pow__(self, exponent: int) -> "Rounded":
        if self.is_zero:
            return self if exponent else _number(1)
        # As libraries do it: one power, in one operation; its argument's error grows with the exponent.
        if exponent > 1 and self.top + self.error > 2.0 ** (FLOAT64.emax / exponent):
            return _unknown(self.value**exponent, self.fmt)
        size = (self.top + self.error) ** exponent
        carried = exponent * self.error * (self.top + self.error) ** (exponent - 1)
        return _made(self.value**exponent, self.near**exponent, carried, size, self.fmt)

    def __radd__(self, other: Any) -> "Rounded":
        return self + _number(other)

    def __rsub__(self, other: Any) -> "Rounded":
        return _number(other) - self

    def __rmul__(self, other: Any) -> "Rounded":
        return self * _number(other)

    def __rtruediv__(self, other: Any) -> "Rounded":
        return _number(other) / self

    def __eq__(self, other: object) -> bool:
        """Whether it is certainly that number."""
        return self is other or (isinstance(other, int | float) and self.error == 0 and bool(self.value == other))

    __hash__ = object.__hash__

    def root(self, exact: Callable[[Any], Any]) -> "Rounded":
        """Its square root; ``exact`` takes that of the exact value."""
        if self.is_zero:
            return self
        value = exact(self.value) if self.value >= 0 else rational(0)
        if self.error == math.inf or self.near < 0:
            return _unknown(value, self.fmt)
        least = math.sqrt(max(0.0, self.near - 2 * self.error))
        carried = min(math.sqrt(self.error), self.error / (2 * least) if least else math.inf)
        near = math.sqrt(self.near)
        return _made(value, near, carried, near + 2 * carried, self.fmt)

    def turned(self, function: Callable[[float], float], exact: Callable[[Any], Any]) -> "Rounded":
        """The value of a function whose slope is at most 1: errors do not grow."""
        near = function(self.near)
        return _made(exact(self.value), near, self.error, abs(near) + 2 * self.error, self.fmt)


def _number(x: Any) -> Rounded:
    """A Python number as a rounded one; a rounded number as it is."""
    return x if isinstance(x, Rounded) else Rounded(rational(x), float(x), 0.0, SCALARS)


def _coarser(a: Rounded, b: Rounded) -> Format:
    """The format of a result: that of tensors if one operand belongs to a tensor."""
    return b.fmt if a.fmt is SCALARS else a.fmt


def _made(
    value: Any, near: float, carried: float, size: float, fmt: Format, roundings: int = 2, *, underflows: int = 1
) -> Rounded:
    """The result of an operation that inherits an error from its operands and rounds numbers of size up to ``size``."""
    if size > fmt.max:  # it, or a part of it, overflows
        return _unknown(value, fmt)
    gamma = fmt.gamma_2 if roundings == 2 else fmt.gamma(roundings)
    # Two more for the bound itself: fewer than five of its products underflow, each losing half the smallest number.
    lost = underflows * fmt.tiny + 2 * FLOAT64.tiny
    return Rounded(value, near, (carried + gamma * size + lost) * SAFE, fmt)


def _quotient(a: float, b: float, c: float, d: float) -> float:
    """a·b / (c·d) of numbers of any size: nothing underflows on the way."""
    (a, i), (b, j), (c, m), (d, n) = map(math.frexp, (a, b, c, d))
    try:
        return math.ldexp(a * b / (c * d), i + j - m - n)
    except OverflowError:
        return math.inf


def _unknown(value: Any, fmt: Format) -> Rounded:
    """A number whose computed counterpart may be anything."""
    return Rounded(value, 0.0, math.inf, fmt)


class Numbers(np.ndarray[Any, Any]):
    """An array of rounded numbers, which bounds sums and sums of products whatever the order of their terms.

    Attributes:
        repeats: how many times the real array holds every row, one after the other: sums are that much longer.
    """

    repeats: int = 1

    def __array_finalize__(self, made: Any) -> None:
        self.repeats = getattr(made, "repeats", 1)

    def __matmul__(self, other: Any) -> Any:
        """Σ a_i b_i of two rows: each product, n − 1 additions, and one rounding more."""
        return self._reduced(zip(self, other, strict=True))

    def sum(self, *_: Any, **__: Any) -> Any:
        """Σ a_i of all elements."""
        one = _number(1)
        return self._reduced((x, one) for x in self.flat)

    def _reduced(self, pairs: Iterable[tuple[Rounded, Rounded]]) -> Rounded:
        value, near, size, carried, fmt, terms = rational(0), 0.0, 0.0, 0.0, SCALARS, 0
        for a, b in pairs:
            if a.is_zero or b.is_zero:
                continue
            fmt, value, terms = _coarser(a, b), a.value * b.value + value, terms + 1
            left, right = a.error, b.error
            if math.inf in (left, right):
                size = math.inf
                continue
            near += a.near * b.near
            size += (a.top + left) * (b.top + right)
            carried += a.top * right + b.top * left + left * right
        if not terms:
            return _number(0)
        n = self.size * self.repeats
        own = 1 + FLOAT64.gamma(4 * self.size)  # of the two sums above
        return _made(value, near, carried * own, size * own, fmt, n + 1, underflows=2 * n)


@dataclass(frozen=True)
class RoundedField(Field):
    """The field of :func:`rounded`: an array is a tensor's, a single element a hyper-parameter."""

    exact: Field | None = None
    fmt: Format = FLOAT64
    repeats: int = 1

    def array(self, values: Any) -> Array:
        """Exact numbers of a tensor: operations with them are computed in its format."""
        assert self.exact is not None
        source = np.asarray(values, dtype=object)
        result = np.empty(source.shape, dtype=object).view(Numbers)
        result.repeats = self.repeats
        with self.context():
            result.flat[:] = [self._entry(x) for x in source.flat]
        return result

    def _entry(self, x: Any) -> Rounded:
        assert self.exact is not None
        value = self.exact.element(x)
        near = x if type(x) is float else nearest(value)
        if math.isinf(near):
            return _unknown(value, self.fmt)
        flushed = self.fmt.tiny if self.fmt.flushes and 0 < abs(near) < self.fmt.tiny else 0.0
        return Rounded(value, near, flushed, self.fmt)


@cache
def rounded(exact: Field, fmt: Format, repeats: int = 1) -> RoundedField:
    """The numbers of a field as they are computed in a format.

    Args:
        exact: the field beneath, where values live: rationals, or balls where there are roots.
        fmt: the format in which tensors are computed.
        repeats: how many times a row stands, one after the other, in the real array.
    """

    def element(value: Any) -> Rounded:
        if isinstance(value, Rounded):
            return value
        number = exact.element(value)
        near = nearest(number)
        if math.isinf(near):
            return _unknown(number, SCALARS)
        return Rounded(number, near, 0.0 if number == rational(near) else abs(near) * FLOAT64.unit, SCALARS)

    def less(a: Rounded, b: Rounded) -> bool | None:
        slack = (a.error + b.error) * SAFE
        if slack == 0:
            return exact.less(a.value, b.value)
        gap = nearest(exact.element(b.value - a.value)) if math.isfinite(slack) else 0.0
        return None if abs(gap) <= slack else gap > 0

    def scaled(row: Array) -> Array:
        exponent = math.frexp(max((abs(x.near) for x in row), default=0.0))[1]
        factor = exact.element(rational(2) ** -exponent)
        result = row.copy()
        for i, x in enumerate(row):
            if not x.is_zero:
                near, carried = math.ldexp(x.near, -exponent), math.ldexp(x.error, -exponent)
                result[i] = _made(x.value * factor, near, carried, abs(near) + 2 * carried, x.fmt, 1)
        return result

    def in_field(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A function of the exact field, for values that are still rational there."""
        return lambda value: function(exact.element(value))

    return RoundedField(
        name=f"{exact.name}, rounded to {fmt.name}",
        element=element,
        sqrt=lambda x: x.root(in_field(exact.sqrt)),
        sin=lambda x: x.turned(math.sin, in_field(exact.sin)),
        cos=lambda x: x.turned(math.cos, in_field(exact.cos)),
        atan=lambda x: x.turned(math.atan, in_field(exact.atan)),
        less=less,
        context=exact.context,
        scaled=scaled,
        exact=exact,
        fmt=fmt,
        repeats=repeats,
    )


def parts(x: Any) -> tuple[Any, Any]:
    """The exact values and the bounds of an array of rounded numbers, or of one; anything else is exact."""
    if not isinstance(x, np.ndarray):
        return (x.value, x.error) if isinstance(x, Rounded) else (x, 0.0)
    values: Array = np.empty(x.shape, dtype=object)
    errors: NDArray[np.float64] = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        values[index], errors[index] = parts(x[index])
    return values, errors
