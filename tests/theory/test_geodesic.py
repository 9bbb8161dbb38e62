"""The plane of a step: printed numbers, the degenerate cases, and the angles against their definition in balls."""

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.theory.fields import EXACT, Array, balls
from tangency.theory.geodesic import Plane, gram_determinant, on_geodesic, signed_squared_cosine, squared_distance
from tangency.theory.projection import project

W, P = EXACT.array([2, 0, 0]), EXACT.array([1, 3, 0])


def test_numbers_of_one_step() -> None:
    """w = (2, 0, 0), p = (1, 3, 0), η = 1: w° = (1, −3, 0), wᵖ = (2, −3, 0)."""
    plane = Plane.of(W, P, flint.fmpq(1))
    assert (plane.radius2, plane.radial, plane.tangential2, plane.advance) == (4, 2, 9, 2)
    assert (plane.projected_tangent2, plane.original_tangent2) == (flint.fmpq(9, 4), 9)
    assert plane.tangent_ratio == flint.fmpq(1, 2)
    assert (plane.larger, plane.overshoots) == (-1, False)


def test_overshoot_begins_at_ninety_degrees() -> None:
    assert Plane.of(W, P, flint.fmpq(2)).overshoots
    assert not Plane.of(W, P, flint.fmpq(199, 100)).overshoots
    with pytest.raises(ZeroDivisionError):
        _ = Plane.of(W, P, flint.fmpq(2)).original_tangent2


def test_radial_update() -> None:
    """p ∥ w: neither step turns w, until the original one passes the origin and turns it by 180°."""
    assert Plane.of(W, W, flint.fmpq(1, 2)).larger == 0
    assert Plane.of(W, W, flint.fmpq(2)).larger == -1


def test_membership() -> None:
    original = W - P
    assert on_geodesic(W, original, W - project(W, P))
    assert on_geodesic(W, original, -W)
    assert not on_geodesic(W, original, EXACT.array([2, -3, 1]))
    assert squared_distance(W, original, EXACT.array([2, -3, 5])) == 25
    assert on_geodesic(W, 2 * W, -W)
    assert not on_geodesic(W, 2 * W, P)


def test_gram_determinant_is_the_squared_volume() -> None:
    rows = [EXACT.array(row) for row in ([2, 1, 0, 3], [0, 1, 5, 1], [1, 1, 1, 1], [4, 0, 2, -1])]
    matrix = flint.fmpq_mat([list(row) for row in rows])
    assert gram_determinant(*rows) == matrix.det() ** 2
    assert gram_determinant() == 1


@st.composite
def steps(draw: st.DrawFn) -> tuple[Array, Array, flint.fmpq]:
    dim = draw(st.integers(2, 8))
    return (
        draw(problems.vectors(dim, nonzero=True)),
        draw(problems.vectors(dim, nonzero=True)),
        draw(problems.step_sizes()),
    )


@given(steps())
def test_angles_against_the_arccosine(step: tuple[Array, Array, flint.fmpq]) -> None:
    """The rational tangents enclose what arccos of the definition gives, and ``larger`` orders the angles."""
    w, p, lr = step
    plane, original, projected = Plane.of(w, p, lr), w - lr * p, w - lr * project(w, p)
    if plane.advance <= 0 or plane.tangential2 == 0:
        return
    field = balls(128)
    with field.context():
        for x, tangent2 in ((original, plane.original_tangent2), (projected, plane.projected_tangent2)):
            cosine = flint.arb(w @ x) / field.sqrt(flint.arb((w @ w) * (x @ x)))
            tangent = flint.arb.acos(cosine).tan()
            assert (tangent * tangent).is_finite()
            assert (tangent * tangent).contains(tangent2)
    below = signed_squared_cosine(w, original) - signed_squared_cosine(w, projected)
    assert plane.larger == int(below > 0) - int(below < 0)
