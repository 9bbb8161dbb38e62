"""The operators of statements, in balls: they enclose, and are finite where the value is."""

from fractions import Fraction

import flint
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.claim import require_contains
from tangency.proofs_checks.statement.operators import OPERATORS
from tangency.theory.fields import balls, rational

NUMBERS = st.fractions(-3, 3, max_denominator=8)


@given(NUMBERS, st.fractions(0, 2, max_denominator=8), st.fractions(-1, 1, max_denominator=4), st.integers(0, 6))
def test_a_power_of_a_ball_encloses_and_is_finite(middle: Fraction, radius: Fraction, at: Fraction, n: int) -> None:
    """Also around 0, where w·p of a step at right angles to the weights lies."""
    field = balls(64)
    with field.context():
        ball = flint.arb(rational(middle), rational(radius))
        power = field.element(OPERATORS["^"].value(field, ball, n))
    require_contains("power", power, rational((middle + at * radius) ** n))
