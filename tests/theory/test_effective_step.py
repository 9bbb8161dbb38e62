"""The effective step: its exact value and the two-sided enclosure, in rationals, in sympy and at printed numbers."""

import flint
import sympy

from tangency.theory.effective_step import enclosure, slack, squared_effective_step, squared_sine, squared_tangent
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, balls


def test_pythagorean_step() -> None:
    """w = (4, 0), Δw = (0, 3), w' = (4, 3): u = 4/5."""
    w, after = EXACT.array([4, 0]), EXACT.array([4, 3])
    assert squared_effective_step(EXACT, w, after) == flint.fmpq(2, 5)
    assert (squared_sine(w, after), squared_tangent(w, after)) == (flint.fmpq(9, 25), flint.fmpq(9, 16))
    assert enclosure(flint.fmpq(4, 5)) == (flint.fmpq(9, 25), flint.fmpq(2, 5), flint.fmpq(9, 16))
    assert slack(flint.fmpq(4, 5)) == (flint.fmpq(1, 25), flint.fmpq(13, 80))


def test_it_is_the_distance_on_the_sphere() -> None:
    """2(1 − cos) = ‖ŵ' − ŵ‖² for steps that are not orthogonal too."""
    field = balls(128)
    w, after = field.array([1, 2, 2]), field.array([2, -6, 3])
    with field.context():
        difference = after / 7 - w / 3
        assert squared_effective_step(field, w, after).is_finite()
        assert squared_effective_step(field, w, after).contains(flint.fmpq(50, 21))
        assert (difference @ difference).is_finite()
        assert (difference @ difference).contains(flint.fmpq(50, 21))
    assert squared_effective_step(FLOAT64, FLOAT64.array([1, 2, 2]), FLOAT64.array([2, -6, 3])) == 50 / 21
    assert squared_effective_step(SYMBOLIC, SYMBOLIC.array([1, 0]), SYMBOLIC.array([1, 1])) == 2 - sympy.sqrt(2)


def test_slack_is_the_difference() -> None:
    u = sympy.Symbol("u", positive=True)
    low, exact, high = enclosure(u)
    assert all(sympy.expand(x - y) == 0 for x, y in zip((exact - low, high - exact), slack(u), strict=True))


def test_order_of_the_approximation() -> None:
    """Against the true value, sin θ is θ²/8 too small and tan θ is 3θ²/8 too large, in relative terms."""
    theta = sympy.Symbol("θ", positive=True)
    low, exact, high = map(sympy.sqrt, enclosure(sympy.cos(theta)))
    below, above = ((1 - side / exact) / theta**2 for side in (low, high))
    assert sympy.limit(below, theta, 0) == sympy.Rational(1, 8)
    assert sympy.limit(above, theta, 0) == -sympy.Rational(3, 8)
