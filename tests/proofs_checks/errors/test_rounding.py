"""The bounds of engine/rounding.py against exact arithmetic: no evaluation exceeds them, and a wrong one does."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tangency.proofs_checks.errors import rounding
from tangency.proofs_checks.errors.rounding import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Bounds, Format
from tangency.theory.fields import EXACT, balls, fraction, rational
from tangency.theory.projection import project

# numpy computes these two formats itself; they are the formats in which steps are computed.
COMPUTED = {np.float32: FLOAT32, np.float64: FLOAT64}
COMPUTING = pytest.mark.parametrize("kind", COMPUTED, ids=lambda kind: kind.__name__)


def numbers(kind: type) -> st.SearchStrategy[float]:
    """Finite floats of a format: ordinary ones, tiny ones and subnormals."""
    width = np.dtype(kind).itemsize * 8
    return st.one_of(
        st.floats(-4, 4, width=width),
        st.floats(-(2.0**40), 2.0**40, width=width),
        st.floats(-(2.0**-120), 2.0**-120, width=width),
    )


def vectors(kind: type, count: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(kind, count, elements=numbers(kind))


def assert_within(got: np.ndarray, exact: np.ndarray, bound: np.ndarray) -> None:
    for index in np.ndindex(got.shape):
        error = abs(fraction(float(got[index])) - fraction(exact[index]))
        assert error <= Fraction(float(bound[index])), f"element {index}: error {float(error)}, bound {bound[index]}"


def as_float64(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize(("fmt", "kind"), [(FLOAT16, np.float16), (FLOAT32, np.float32), (FLOAT64, np.float64)])
def test_formats_are_those_of_numpy(fmt: Format, kind: type) -> None:
    info = np.finfo(kind)
    assert fmt.unit == info.eps / 2
    assert fmt.tiny == info.smallest_subnormal
    assert fmt.max == info.max
    for x in (1.0, 1.5, 0.75, 3.0, float(info.tiny), float(info.smallest_subnormal), 0.0):
        assert fmt.ulp(x) == np.spacing(kind(x))


def test_bfloat16_is_a_shortened_float32() -> None:
    assert (BFLOAT16.emin, BFLOAT16.emax) == (FLOAT32.emin, FLOAT32.emax)
    assert BFLOAT16.unit == 2.0**-8


def test_gamma_is_infinite_where_it_means_nothing() -> None:
    assert FLOAT16.gamma(1) == 2.0**-11 / (1 - 2.0**-11)
    assert FLOAT16.gamma(2**11) == math.inf


@COMPUTING
@given(data=st.data())
def test_blend_bounds_sums_fused_sums_and_lerps(kind: type, data: st.DataObject) -> None:
    x, y = data.draw(vectors(kind, 3)), data.draw(vectors(kind, 3))
    a = data.draw(st.sampled_from((0.9, 0.5, 0.999, 0.0, 0.3)))
    exact = rational(a) * EXACT.array(x) + (1 - rational(a)) * EXACT.array(y)
    bound = Bounds(COMPUTED[kind]).blend(a, *as_float64(x), 1 - a, *as_float64(y))
    assert_within(kind(a) * x + kind(1 - a) * y, exact, bound)
    lerp = x + kind(1 - a) * (y - x) if a > 0.5 else y - kind(a) * (y - x)
    assert_within(lerp, exact, bound)


@COMPUTING
@given(data=st.data())
def test_adam_direction_bound(kind: type, data: st.DataObject) -> None:
    g = data.draw(vectors(kind, 3))
    m = data.draw(vectors(kind, 3))
    beta2, t, eps = data.draw(st.tuples(st.sampled_from((0.999, 0.9, 0.0)), st.integers(1, 5), st.just(1e-8)))
    bounds = Bounds(COMPUTED[kind])
    (g64,) = as_float64(g)
    v = kind(1 - beta2) * (g * g)
    v_error = bounds.blend(beta2, 0 * g64, 1 - beta2, g64**2, bounds.square(g64))
    correction = 1 - beta2**t
    got = m / (np.sqrt(v) / kind(math.sqrt(correction)) + kind(eps))
    field = balls(256)
    with field.context():
        exact_v = (1 - rational(beta2)) * EXACT.array(g) ** 2
        root = field.sqrt_each(field.array(exact_v)) / field.sqrt(field.element(1 - rational(beta2) ** t))
        exact = field.array(m) / (root + field.element(eps))
        d64 = np.sqrt(np.array([float(fraction(x)) for x in exact_v]) / rounding.bias_correction(beta2, t)) + eps
        v64 = np.array([float(fraction(x)) for x in exact_v])
        bound = bounds.quotient(m.astype(np.float64), 0 * g64, d64, bounds.denominator(v64, v_error, beta2, t, eps))
        for i in range(3):
            assert abs(field.element(float(got[i])) - exact[i]) <= field.element(float(bound[i]))


@COMPUTING
@given(data=st.data())
def test_projection_bounds_every_way_to_write_it(kind: type, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    w = data.draw(hnp.arrays(kind, n, elements=st.floats(-4, 4, width=np.dtype(kind).itemsize * 8)))
    w[np.abs(w) < 2.0**-20] = 0
    x = data.draw(vectors(kind, n))
    exact = project(EXACT.array(w), EXACT.array(x))
    bound = Bounds(COMPUTED[kind]).project(*as_float64(w, x), np.zeros(n))
    if not w.any():
        assert (bound == 0).all()
        return
    w = w / np.max(np.abs(w))
    norm = np.sqrt(np.sum(w * w, dtype=kind))
    unit = (w / norm).astype(kind)
    assert_within(x - (np.sum(w * x, dtype=kind) / np.sum(w * w, dtype=kind)) * w, exact, bound)
    assert_within(x - np.sum(unit * x, dtype=kind) * unit, exact, bound)
    assert_within(x - np.cumsum((w * x)[::-1])[-1] / np.cumsum((w * w)[::-1])[-1] * w, exact, bound)


@COMPUTING
@given(data=st.data())
def test_update_bound(kind: type, data: st.DataObject) -> None:
    w, q = data.draw(vectors(kind, 3)), data.draw(vectors(kind, 3))
    decay, lr = data.draw(st.sampled_from((0.0, 0.01, 0.1, 5.0))), data.draw(st.sampled_from((0.1, 1.0, 1e-3)))
    exact = (1 - rational(decay)) * EXACT.array(w) - rational(lr) * EXACT.array(q)
    bound = Bounds(COMPUTED[kind]).update(*as_float64(w), decay, lr, *as_float64(q), np.zeros(3))
    assert_within(kind(1 - decay) * w - kind(lr) * q, exact, bound)
    assert_within(w - kind(lr) * (q + kind(decay / lr) * w), exact, bound)


@COMPUTING
@given(data=st.data())
def test_the_sign_of_the_cosine_gap_is_certain_beyond_its_slack(kind: type, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    w, g = data.draw(vectors(kind, n)), data.draw(vectors(kind, n))
    delta = data.draw(st.sampled_from((0.1, 1.0, 0.5)))
    if not w.any() or not g.any():
        return
    gap, slack = Bounds(COMPUTED[kind]).cosine_gap(*as_float64(w, g), delta)
    exact_w, exact_g = EXACT.array(w), EXACT.array(g)
    left = (exact_w @ exact_g) ** 2 * n
    right = rational(delta) ** 2 * (exact_w @ exact_w) * (exact_g @ exact_g)
    if gap > slack:
        assert left > right
    if gap < -slack:
        assert left < right


@pytest.mark.parametrize("beta", [0.9, 0.999, 0.5, 0.0], ids=str)
@pytest.mark.parametrize("t", [1, 2, 7, 1000])
def test_bias_correction(beta: float, t: int) -> None:
    exact = 1 - Fraction(beta) ** t
    bound = Fraction(rounding.bias_correction_error(beta, t)) * exact
    for way in (lambda: 1 - beta**t, lambda: rounding.bias_correction(beta, t)):
        assert abs(Fraction(way()) - exact) <= bound


WRONG: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "no projection": lambda w, x: x,
    "half of it": lambda w, x: x - (w @ x) / (w @ w) / 2 * w,
    "without the norm": lambda w, x: x - (w @ x) * w,
    "in float16": lambda w, x: (x - (w @ x) / (w @ w) * w).astype(np.float16).astype(np.float64),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_the_bound_rejects_a_wrong_projection(wrong: str) -> None:
    w, x = np.array([0.75, 1.3, -0.4]), np.array([0.6, 0.2, 1.7])
    exact = project(EXACT.array(w), EXACT.array(x))
    bound = Bounds(FLOAT32).project(w, x, np.zeros(3))
    got = WRONG[wrong](w, x)
    errors = [abs(fraction(float(a)) - fraction(b)) for a, b in zip(got, exact, strict=True)]
    assert any(error > Fraction(float(limit)) for error, limit in zip(errors, bound, strict=True))


@given(x=st.floats(-60000, 60000))
def test_storing_adds_one_rounding(x: float) -> None:
    got = np.array([np.float64(np.float16(x))])
    bound = rounding.stored(FLOAT16, np.array([x]), np.zeros(1))
    assert_within(got, EXACT.array([x]), bound)
    assert bound[0] <= FLOAT16.ulp(x) * (0.5 + 2.0**-40)
