"""The number systems: what each takes for a number, which square roots it has, and when it admits not to know."""

import math
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.claim import require_contains
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, Field, NotInField, balls, fraction, nearest, rational
from tangency.theory.formats import FLOAT32
from tangency.theory.rounded import parts, rounded

BALLS = balls(128)
FIELDS = [EXACT, BALLS, SYMBOLIC, FLOAT64]
PARTS = st.integers(-(10**30), 10**30)
NAN, INF = float("nan"), float("inf")


@given(PARTS, st.integers(1, 10**30))
def test_a_rational_of_any_kind_is_the_same_rational(p: int, q: int) -> None:
    kinds = (Fraction(p, q), flint.fmpq(p, q), sympy.Rational(p, q))
    assert [rational(value) for value in kinds] == [flint.fmpq(p, q)] * 3
    assert [fraction(value) for value in kinds] == [Fraction(p, q)] * 3
    assert rational(p) == rational(flint.fmpz(p)) == flint.fmpq(p)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_rational_that_it_is(x: float) -> None:
    p, q = x.as_integer_ratio()
    assert EXACT.element(x) == flint.fmpq(p, q)
    assert SYMBOLIC.element(x) == sympy.Rational(p, q)
    assert fraction(x) == Fraction(p, q)
    assert FLOAT64.element(x) == FLOAT64.element(EXACT.element(x)) == x
    with BALLS.context():
        ball = BALLS.element(x)
        assert ball.is_exact()
        assert ball == flint.arb(flint.fmpq(p, q))


def test_a_tenth_as_a_float_is_not_a_tenth() -> None:
    tenth = flint.fmpq(1, 10)
    assert EXACT.element(0.1) != tenth
    assert EXACT.element(np.float32(0.1)) == flint.fmpq(13421773, 2**27)
    assert EXACT.element(np.float16(0.1)) == flint.fmpq(819, 2**13)
    with BALLS.context():
        assert 10 * BALLS.element(0.1) > 1
        require_contains("1/10", BALLS.element(tenth), tenth)
        assert not BALLS.element(tenth).is_exact()


@pytest.mark.parametrize("field", [EXACT, BALLS, SYMBOLIC], ids=lambda field: field.name)
@pytest.mark.parametrize("value", [NAN, INF, -INF, np.float32("nan")])
def test_only_floats_have_infinities_and_nan(field: Field, value: float) -> None:
    with pytest.raises(NotInField, match=r"value is (nan|-?inf); a rational must be finite"):
        field.element(value)
    assert not math.isfinite(FLOAT64.element(value))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize(("value", "kind"), [("1", "str"), (1j, "complex"), (None, "NoneType")])
def test_what_is_no_number_is_named(field: Field, value: Any, kind: str) -> None:
    with pytest.raises(NotInField, match=rf"\({kind}\); expected an int, Fraction, fmpq or float"):
        field.element(value)


def test_fields_do_not_leak_into_each_other() -> None:
    """A ball or a root is no rational: it is refused, not rounded."""
    for field in (EXACT, SYMBOLIC, FLOAT64):
        with pytest.raises(NotInField, match="arb"):
            field.element(flint.arb(2).sqrt())
    for field in (EXACT, BALLS, FLOAT64):
        with pytest.raises(NotInField, match="Pow"):
            field.element(sympy.sqrt(2))


@given(PARTS, st.integers(1, 10**30))
def test_the_root_of_a_square_is_exact(p: int, q: int) -> None:
    x = flint.fmpq(p, q)
    assert EXACT.sqrt(x * x) == abs(x)
    with BALLS.context():
        require_contains("√x²", BALLS.sqrt(BALLS.element(x * x)), abs(x))


@given(PARTS.filter(bool), st.integers(1, 10**30), st.sampled_from([2, 3, 5, 6, 7]))
def test_other_roots_are_refused_and_enclosed(p: int, q: int, n: int) -> None:
    """√(n x²) with n not a square; the ball of it squares to one that holds n x²."""
    value = n * flint.fmpq(p, q) ** 2
    for irrational in (value, 1 / value):
        with pytest.raises(NotInField, match=r"√\(.*\) is not a rational number; use a ball field"):
            EXACT.sqrt(irrational)
        with BALLS.context():
            root = BALLS.sqrt(BALLS.element(irrational))
            require_contains("(√x)²", root * root, irrational)
            assert not root.is_exact()


def test_roots_of_negative_numbers() -> None:
    with pytest.raises(NotInField, match=r"√\(-1/4\) is not a rational number: the argument is negative"):
        EXACT.sqrt(flint.fmpq(-1, 4))
    assert BALLS.sqrt(flint.arb(-1)).is_nan()
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        FLOAT64.sqrt(-1.0)
    assert SYMBOLIC.sqrt(sympy.Integer(-4)) == 2 * sympy.I


@pytest.mark.parametrize("name", ["sin", "cos", "atan"])
def test_transcendental_functions(name: str) -> None:
    """At 0 they are rational; elsewhere the exact field names what it lacks, and Python's value is in a wide ball."""
    function = getattr(EXACT, name)
    assert function(flint.fmpq(0)) == int(getattr(math, name)(0))
    with pytest.raises(NotInField, match=rf"{name}\(1/2\) is not a rational number; use a ball field"):
        function(flint.fmpq(1, 2))
    wide = balls(40)  # its error is thousands of float64 roundings
    with wide.context():
        require_contains(name, getattr(wide, name)(flint.arb(0.5)), flint.arb(getattr(math, name)(0.5)))
    assert getattr(SYMBOLIC, name)(sympy.Rational(1, 2)) == getattr(sympy, name)(sympy.Rational(1, 2))
    assert getattr(FLOAT64, name)(0.5) == getattr(math, name)(0.5)


@given(PARTS, PARTS, st.integers(1, 10**9))
def test_rationals_are_ordered(p: int, r: int, q: int) -> None:
    assert EXACT.less(flint.fmpq(p, q), flint.fmpq(r, q)) is (p < r)
    assert SYMBOLIC.less(sympy.Rational(p, q), sympy.Rational(r, q)) is (p < r)


def test_balls_are_undecided_where_they_overlap() -> None:
    with BALLS.context():
        root = BALLS.sqrt(flint.arb(2))
        square = root * root  # 2, but for the radius
        far = BALLS.element(flint.fmpq(2) + flint.fmpq(1, 2**100))
        near = BALLS.element(flint.fmpq(2) + flint.fmpq(1, 2**130))
        assert BALLS.less(square, far) is True
        assert BALLS.less(far, square) is False
        for a, b in ((square, flint.arb(2)), (flint.arb(2), square), (square, near), (root, root + 0), (near, near)):
            assert BALLS.less(a, b) is None
        assert BALLS.less(flint.arb(2), flint.arb(2)) is False
        assert BALLS.less(flint.arb("nan"), flint.arb(1)) is None
    with balls(256).context():
        finer = balls(256).sqrt(flint.arb(2))
        finer_near = balls(256).element(flint.fmpq(2) + flint.fmpq(1, 2**130))
        assert balls(256).less(finer * finer, finer_near) is True  # more bits decide


def test_float64_is_undecided_for_nan_alone() -> None:
    assert FLOAT64.less(1.0, 2.0) is True
    assert FLOAT64.less(2.0, 2.0) is FLOAT64.less(INF, 1.0) is FLOAT64.less(0.0, -0.0) is False
    assert FLOAT64.less(-INF, INF) is True
    assert [FLOAT64.less(*pair) for pair in ((NAN, 1.0), (1.0, NAN), (NAN, NAN))] == [None] * 3


def test_symbols_are_decided_where_sympy_can() -> None:
    x, positive = sympy.Symbol("x"), sympy.Symbol("y", positive=True)
    assert SYMBOLIC.less(-positive, positive) is True
    assert SYMBOLIC.less(sympy.sqrt(2), sympy.Rational(7, 5)) is False
    assert SYMBOLIC.less(x, positive) is None


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_arrays_keep_their_shape_and_hold_elements(field: Field) -> None:
    array = field.array([[1, 0.5], [Fraction(3, 4), flint.fmpq(4)]])
    assert (array.shape, array.dtype) == ((2, 2), np.dtype(field.dtype))
    kind = type(field.element(1))
    assert all(isinstance(x, kind) or field is SYMBOLIC for x in array.flat)
    assert (array == [[field.element(1), field.element(0.5)], [field.element(0.75), field.element(4)]]).all()
    assert field.array(5).shape == ()
    for shape in ((), (0,), (3,), (2, 0, 4), (2, 3)):
        zeros = field.zeros(shape)
        assert zeros.shape == shape
        assert (zeros == field.element(0)).all()
    with field.context():
        assert (field.sqrt_each(field.array([[4, 0.25], [9, 0]])) == field.array([[2, 0.5], [3, 0]])).all()


def test_an_array_is_a_copy() -> None:
    values = np.array([1.0, 2.0])
    for field in FIELDS:
        array = field.array(values)
        array[0] = field.element(7)
    assert values.tolist() == [1.0, 2.0]


def test_balls_have_the_precision_they_say() -> None:
    """A root is known to within some ulps of the precision, and the global precision is as it was."""
    before = flint.ctx.prec
    for bits in (24, 128, 512):
        field = balls(bits)
        assert field is balls(bits)
        assert field.name == f"balls({bits})"
        with field.context():
            assert flint.ctx.prec == bits
            root = field.sqrt(flint.arb(2))
            assert 0 < root.rad() < flint.arb(2) ** (2 - bits)
        assert flint.ctx.prec == before
    # An array is made at the precision of its field, wherever it is made.
    third = balls(300).array([flint.fmpq(1, 3)])[0]
    assert 0 < third.rad() < flint.arb(2) ** -300
    with pytest.raises(ValueError, match="precision is 1; a ball needs at least 2 bits"):
        balls(1)


@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_largest_float_the_nearest_is_infinite(sign: int) -> None:
    """Squared norms of what a broken optimizer wrote are such numbers."""
    assert nearest(EXACT.element(sign * 10**400)) == nearest(balls().element(sign * 10**400)) == sign * math.inf
    assert nearest(EXACT.element(Fraction(sign * 10**400, 10**399))) == sign * 10
    for one in (rounded(EXACT, FLOAT32).element(sign * 10**400), *rounded(EXACT, FLOAT32).array([sign * 10**400])):
        assert parts(one)[1] == math.inf
