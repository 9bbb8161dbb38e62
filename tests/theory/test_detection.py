"""Eq. 11 as a test: closed forms in small dimensions, the limit, the edges, and the paper's δ."""

from itertools import pairwise

import flint
import pytest

from tangency.theory.detection import limit_probability, pass_probability
from tangency.theory.fields import balls

BALLS = balls(128)
DELTA = flint.fmpq(1, 10)


def test_closed_forms() -> None:
    """d = 2: the angle is uniform, 2/π arcsin(δ/√2); d = 3: the cosine is (Archimedes), δ/√3."""
    with BALLS.context():
        two = 2 * flint.arb.asin(BALLS.element(DELTA) / BALLS.sqrt(flint.arb(2))) / flint.arb.pi()
        three = BALLS.element(DELTA) / BALLS.sqrt(flint.arb(3))
    for dim, expected in ((2, two), (3, three)):
        got = pass_probability(BALLS, DELTA, dim)
        assert got.overlaps(expected)
        assert max(float(got.rad()), float(expected.rad())) < 2.0**-100


def test_about_eight_percent() -> None:
    """The paper's δ = 0.1: 4.5 % at d = 2, rising to 7.97 % as d grows."""
    values = [pass_probability(BALLS, DELTA, dim) for dim in (2, 3, 4, 9, 64, 4096, 10**7)]
    assert all(a < b for a, b in pairwise(values))
    limit = limit_probability(BALLS, DELTA)
    assert values[-1] < limit
    assert float(limit - values[-1]) < 1e-8
    assert f"{float(values[0]):.4f}, {float(limit):.4f}" == "0.0451, 0.0797"


@pytest.mark.parametrize("dim", [2, 3, 9, 64, 4608, 10**6])
def test_scipy_has_the_same_law(dim: int) -> None:
    """t² ~ Beta(½, (d−1)/2), by an implementation that shares nothing with ours; its beta function is good to
    some hundred ulps."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    for delta in (0.02, 0.1, 0.5, 1.2):
        ours = float(pass_probability(BALLS, delta, dim))
        assert ours == pytest.approx(stats.beta.cdf(delta * delta / dim, 0.5, (dim - 1) / 2), rel=2.0**-44)


def test_rows_are_independent() -> None:
    one, four = (pass_probability(BALLS, DELTA, 9, rows) for rows in (1, 4))
    with BALLS.context():
        assert four.overlaps(one * one * one * one)
    assert float(four) < 1e-4


def test_edges() -> None:
    assert pass_probability(BALLS, 0, 5) == 0
    assert pass_probability(BALLS, 2, 4) == 1
    assert pass_probability(BALLS, 1, 1) == 0
    assert pass_probability(BALLS, flint.fmpq(11, 10), 1) == 1


@pytest.mark.parametrize(("delta", "dim", "rows"), [(-1, 4, 1), (0.1, 0, 1), (0.1, 4, 0)])
def test_arguments_out_of_range(delta: float, dim: int, rows: int) -> None:
    with pytest.raises(ValueError, match="must"):
        pass_probability(BALLS, delta, dim, rows)
