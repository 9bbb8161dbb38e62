"""The number systems in which one specification runs.

A vector or a weight tensor is a numpy array; a *field* says what its elements are. The algorithms need arithmetic,
which the elements implement themselves, a square root, the sine and cosine of a step on the sphere, and a comparison;
the spherical Rosenbrock objective needs the arctangent.
A comparison has three answers: ``True``, ``False``, and ``None`` for *undecided* (the number format cannot tell).

========== ==================================== ===================== =========================
field      elements                             square root           ``less`` is undecided
========== ==================================== ===================== =========================
EXACT      rationals (``flint.fmpq``)           of perfect squares    never
balls(p)   intervals (``flint.arb``), p bits    enclosed              where the balls overlap
SYMBOLIC   sympy expressions                    symbolic              where sympy cannot tell
FLOAT64    IEEE binary64                        rounded               for NaN
rounded    of a field above, with the error of  rounded               within the errors
           who computes in a number format
========== ==================================== ===================== =========================

The last, running error analysis, is in :mod:`.rounded`.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import sympy

Array = np.ndarray[Any, np.dtype[Any]]


class NotInField(ValueError):
    """The field has no such number: √2 among the rationals, NaN anywhere but in FLOAT64."""


@dataclass(frozen=True)
class Field:
    """What an algorithm needs of a number system, and no more.

    Attributes:
        name: the name in reports.
        element: converts a number of another kind; a float, to the rational number that it equals.
        sqrt, sin, cos, atan: of one element; ``NotInField`` where the field has no such number.
        less: ``a < b``, or ``None`` where the field cannot tell.
        context: makes the context manager that computations run in (the working precision of balls).
        scaled: gives the row itself; in :mod:`.rounded`, divided by its largest entry, which Eqs. 10 and 11 ignore.
    """

    name: str
    element: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    atan: Callable[[Any], Any]
    less: Callable[[Any, Any], bool | None]
    context: Callable[[], AbstractContextManager[Any]] = nullcontext
    dtype: type = object
    scaled: Callable[[Array], Array] = lambda row: row

    def array(self, values: Any) -> Array:
        """An array of elements, of the shape of ``values`` (nested sequences or an array of any kind of number)."""
        source = np.asarray(values, dtype=object)
        result: Array = np.empty(source.shape, dtype=self.dtype)
        with self.context():
            for index in np.ndindex(source.shape):
                result[index] = self.element(source[index])
        return result

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """An array of zeros."""
        result: Array = np.empty(shape, dtype=self.dtype)
        with self.context():
            result.fill(self.element(0))
        return result

    def sqrt_each(self, values: Array) -> Array:
        """The square root of every element."""
        if self.dtype is np.float64:
            roots: Array = np.sqrt(values)
            return roots
        result: Array = np.empty_like(values, dtype=self.dtype)
        for index in np.ndindex(values.shape):
            result[index] = self.sqrt(values[index])
        return result


def rational(value: Any) -> flint.fmpq:
    """The rational number that ``value`` is: an int, a Fraction, an fmpq, a sympy Rational, or a finite float.

    >>> rational(0.5), rational(Fraction(1, 3))
    (1/2, 1/3)
    """
    if isinstance(value, flint.fmpq):
        return value
    if isinstance(value, flint.fmpz):
        return flint.fmpq(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):  # most are
        if not math.isfinite(value):
            raise NotInField(f"value is {value!r}; a rational must be finite")
        return flint.fmpq(*value.as_integer_ratio())
    if isinstance(value, int | Fraction):
        return flint.fmpq(value.numerator, value.denominator)
    if isinstance(value, sympy.Rational):
        return flint.fmpq(int(value.p), int(value.q))
    raise NotInField(f"value is {value!r} ({type(value).__name__}); expected an int, Fraction, fmpq or float")


def fraction(value: Any) -> Fraction:
    """The same rational as a ``fractions.Fraction`` (whose ``float()`` is correctly rounded)."""
    q = rational(value)
    return Fraction(int(q.p), int(q.q))


def nearest(value: Any) -> float:
    """A rational, or the midpoint of a ball, rounded to the nearest float: infinity far beyond the largest."""
    if hasattr(value, "mid"):
        return float(value)
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _rational_sqrt(value: flint.fmpq) -> flint.fmpq:
    if value < 0:
        raise NotInField(f"√({value}) is not a rational number: the argument is negative")
    p, q = math.isqrt(int(value.p)), math.isqrt(int(value.q))
    if p * p != value.p or q * q != value.q:
        raise NotInField(f"√({value}) is not a rational number; use a ball field")
    return flint.fmpq(p, q)


def _transcendental(name: str) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        if value == 0:
            return flint.fmpq(1 if name == "cos" else 0)
        raise NotInField(f"{name}({value}) is not a rational number; use a ball field")

    return refuse


def _ball(value: Any) -> flint.arb:
    return value if isinstance(value, flint.arb) else flint.arb(rational(value))


def _ball_less(a: flint.arb, b: flint.arb) -> bool | None:
    if a < b:
        return True
    return False if a >= b else None


def _symbol(value: Any) -> sympy.Expr:
    if isinstance(value, sympy.Basic):
        return value
    q = rational(value)
    return sympy.Rational(int(q.p), int(q.q))


def _symbolic_less(a: Any, b: Any) -> bool | None:
    answer = sympy.Lt(a, b)
    return bool(answer) if answer in (sympy.true, sympy.false) else None


def _float_less(a: float, b: float) -> bool | None:
    return None if math.isnan(a) or math.isnan(b) else bool(a < b)


def _float(value: Any) -> float:
    if isinstance(value, float | int | np.floating):
        return float(value)
    return float(fraction(value))


EXACT = Field(
    name="exact",
    element=rational,
    sqrt=_rational_sqrt,
    sin=_transcendental("sin"),
    cos=_transcendental("cos"),
    atan=_transcendental("atan"),
    less=lambda a, b: bool(a < b),
)

SYMBOLIC = Field(
    name="symbolic",
    element=_symbol,
    sqrt=sympy.sqrt,
    sin=sympy.sin,
    cos=sympy.cos,
    atan=sympy.atan,
    less=_symbolic_less,
)

FLOAT64 = Field(
    name="float64",
    element=_float,
    sqrt=math.sqrt,
    sin=math.sin,
    cos=math.cos,
    atan=math.atan,
    less=_float_less,
    dtype=np.float64,
)


@cache
def balls(precision: int = 256) -> Field:
    """The field of real balls with ``precision`` bits: every result encloses the true value.

    >>> root = balls(128).sqrt(flint.arb(2))
    >>> root * root == 2, (root * root).contains(2)
    (False, True)
    """
    if precision < 2:
        raise ValueError(f"precision is {precision}; a ball needs at least 2 bits")
    return Field(
        name=f"balls({precision})",
        element=_ball,
        sqrt=lambda a: a.sqrt(),
        sin=lambda a: a.sin(),
        cos=lambda a: a.cos(),
        atan=lambda a: a.atan(),
        less=_ball_less,
        context=lambda: flint.ctx.workprec(precision),
    )
