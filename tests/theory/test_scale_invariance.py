"""Norm_k against numpy and by hand, its invariance, and the exact size of what ε breaks."""

from itertools import combinations

import flint
import numpy as np
import pytest
import sympy

from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, balls
from tangency.theory.normalised_layers import NormalisedLinear
from tangency.theory.scale_invariance import (
    AXES,
    centred,
    is_scale_invariant,
    mean,
    norm,
    radial_component,
    radial_slope,
    shrinkage,
    signed_square,
    squared_cosine,
)

BALLS = balls(128)
X = np.array([[[3, -1, 2], [0, 5, 1]], [[-2, 4, 7], [1, 1, -6]]])
EVERY_K = [k for size in range(1, 4) for k in combinations(range(3), size)]


def holds(ball: flint.arb, value: object) -> bool:
    """The ball is finite (NaN contains everything) and contains the value."""
    return bool(ball.is_finite() and ball.contains(value))


def test_norm_by_hand() -> None:
    """(1, 5, −6) has mean 0 and variance 62/3; (−1, 1) is its own normal form."""
    assert (norm(EXACT, EXACT.array([-1, 1, 7, 9]).reshape(2, 2), (1,)) == EXACT.array([[-1, 1], [-1, 1]])).all()
    assert (signed_square(EXACT, EXACT.array([1, 5, -6]), (0,)) * flint.fmpq(62, 3) == EXACT.array([1, 25, -36])).all()


@pytest.mark.parametrize("k", EVERY_K)
def test_norm_for_every_choice_of_axes(k: tuple[int, ...]) -> None:
    """numpy's mean and standard deviation lie in the balls; the signed square is y|y| of the norm; moments are 0, 1."""
    y = norm(BALLS, BALLS.array(X), k)
    # A rounding of numpy is 32 of this field's, so the order of its sums does not matter.
    wide = norm(balls(48), BALLS.array(X), k)
    in_numpy = (X - X.mean(axis=k, keepdims=True)) / X.std(axis=k, keepdims=True)
    squares = signed_square(EXACT, EXACT.array(X), k)
    with BALLS.context():
        for index in np.ndindex(X.shape):
            assert holds(wide[index], flint.arb(float(in_numpy[index])))
            assert holds(y[index] * abs(y[index]), squares[index])
        assert all(holds(m, 0) for m in mean(y, k).flat)
        assert all(holds(m, 1) for m in mean(y**2, k).flat)


@pytest.mark.parametrize("k", EVERY_K)
def test_norm_ignores_scale_and_eps_does_not(k: tuple[int, ...]) -> None:
    x, c, eps = EXACT.array(X), flint.fmpq(5, 2), flint.fmpq(1, 100)
    assert (signed_square(EXACT, c * x, k) == signed_square(EXACT, x, k)).all()
    with_eps, scaled = signed_square(EXACT, x, k, eps), signed_square(EXACT, c * x, k, eps)
    factor = shrinkage(mean(centred(x, k) ** 2, k), eps, c)
    assert (scaled == with_eps * factor).all()
    assert (factor > 1).all()


def test_shrinkage_is_one_without_eps_and_falls_with_the_square_of_the_norm() -> None:
    variance, eps, c, r = sympy.symbols("σ² ε c r", positive=True)
    assert sympy.simplify(shrinkage(variance, 0, c)) == 1
    deviation = shrinkage(r**2 * variance, eps, c) - 1
    assert sympy.simplify(deviation - eps * (c**2 - 1) / (c**2 * r**2 * variance + eps)) == 0
    limit = sympy.limit(deviation * r**2, r, sympy.oo)
    assert sympy.simplify(limit - eps * (c**2 - 1) / (c**2 * variance)) == 0


@pytest.mark.parametrize("power", [1, 2])
def test_radial_slope_is_what_the_gradient_has(power: int) -> None:
    """w·∇f against Σ_groups (∇ℓ·y) ε/(σ² + ε), for batch normalisation of two channels."""
    x, a = X.tolist(), [[[1, -2, 3], [0, 1, 2]], [[2, 2, -1], [1, 0, 5]]]
    to_tuple = lambda nested: tuple(map(to_tuple, nested)) if isinstance(nested, list) else nested  # noqa: E731
    layer = NormalisedLinear(to_tuple(x), to_tuple(a), "batch", power=power, eps=flint.fmpq(1, 7))
    w = BALLS.array([[1, 2], [-3, 1]])
    u = layer.activations(BALLS, w)
    with BALLS.context():
        y = norm(BALLS, u, AXES["batch"], layer.eps)
        terms = power * BALLS.array(a).reshape(u.shape) * y**power
        pairing, variance = terms.sum(axis=(0, 3), keepdims=True), mean(centred(u, AXES["batch"]) ** 2, AXES["batch"])
        slope = radial_slope(variance, BALLS.element(layer.eps), pairing).sum()
        actual = w.reshape(-1) @ layer.gradient(BALLS, w).reshape(-1)
        assert holds(slope - actual, 0)
        assert not holds(slope, 0)


def test_predicate() -> None:
    w = EXACT.array([3, 4])
    assert is_scale_invariant(EXACT, lambda v: v[0] / v[1], w, 2) is True
    assert is_scale_invariant(EXACT, lambda v: v[0], w, 2) is False
    assert is_scale_invariant(EXACT, lambda v: -v[0], w, 2) is False
    assert is_scale_invariant(BALLS, lambda v: v[0] / v[1], BALLS.array([1, 3]), 7) is None
    assert is_scale_invariant(FLOAT64, lambda v: v[0] / v[1], FLOAT64.array([3, 4]), 2) is True
    assert is_scale_invariant(SYMBOLIC, lambda v: v[0] / v[1], SYMBOLIC.array([3, 4]), 2) is True
    for c in (0, -1):
        with pytest.raises(ValueError, match=f"c is {c}; scale invariance is about c > 0"):
            is_scale_invariant(EXACT, lambda v: v[0], w, c)


def test_cosine_and_radial_component() -> None:
    w, g = EXACT.array([3, 4]), EXACT.array([1, 0])
    assert squared_cosine(w, g) == flint.fmpq(9, 25)
    assert (radial_component(w, g) == EXACT.array([flint.fmpq(9, 25), flint.fmpq(12, 25)])).all()
    with pytest.raises(ZeroDivisionError):
        squared_cosine(w, 0 * g)
