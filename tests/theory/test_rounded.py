"""Running error analysis against exact arithmetic: no evaluation exceeds a bound, and some come near it."""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tangency.theory.algorithms import START, adamp, sgdp
from tangency.theory.fields import EXACT, balls, fraction, rational
from tangency.theory.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format
from tangency.theory.projection import View, looks_scale_invariant, project_rows
from tangency.theory.rounded import Rounded, parts, rounded

BALLS = balls(256)
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


def worst_share(got: Any, made: Any) -> float:
    """The largest |got − exact| / bound; 0/0 = 0."""
    exact, bound = parts(made)
    worst = 0.0
    with BALLS.context():
        for x, y, limit in zip(np.ravel(got), np.ravel(exact), np.ravel(bound), strict=True):
            gap = abs(rational(float(x)) - y)
            if gap != 0:
                worst = max(
                    worst, math.inf if limit == 0 else float(BALLS.element(gap / rational(float(limit))).upper())
                )
    return worst


def assert_within(got: Any, made: Any) -> None:
    assert worst_share(got, made) <= 1, f"{got} for {parts(made)}"


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


@given(x=st.floats(-60000, 60000))
def test_storing_adds_one_rounding(x: float) -> None:
    bound = FLOAT16.stored(np.array([x]), np.zeros(1))
    assert abs(Fraction(float(np.float16(x))) - Fraction(x)) <= Fraction(bound[0])
    assert bound[0] <= FLOAT16.ulp(x) * (0.5 + 2.0**-40)


# Every operation, and every line of the algorithms in each way to write it.

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


@COMPUTING
@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_operations(kind: type, name: str, data: st.DataObject) -> None:
    """One after another on three numbers, in both orders."""
    x, y, z = data.draw(vectors(kind, 3))
    field = rounded(EXACT, COMPUTED[kind])
    operation = OPERATIONS[name]
    a, b, c = field.array([x, y, z])
    with np.errstate(all="ignore"):
        left, right = operation(operation(x, y), z), operation(x, operation(y, z))
    for got, made in ((left, operation(operation(a, b), c)), (right, operation(a, operation(b, c)))):
        if np.isfinite(got) and math.isfinite(made.error):
            assert_within(got, made)
        else:
            assert made.error == math.inf


def test_a_bound_does_not_underflow_where_the_error_of_a_subnormal_divisor_counts() -> None:
    """y/z has 37 digits, so that x/(y/z) is wrong in the twelfth; its bound is a product of two tiny numbers."""
    x, y, z = 2.22507386e-313, 2.22507386e-313, 0.3125
    a, b, c = rounded(EXACT, FLOAT64).array([x, y, z])
    assert x / (y / z) != z
    assert_within(x / (y / z), a / (b / c))
    assert (a / (b / c)).error < 1e-10


@COMPUTING
@given(data=st.data())
def test_roots(kind: type, data: st.DataObject) -> None:
    x, y = (abs(value) for value in data.draw(vectors(kind, 2)))
    field = rounded(BALLS, COMPUTED[kind])
    with field.context():
        a, b = field.array([x, y])
        made = field.sqrt(a * a + b)
    with np.errstate(all="ignore"):
        got = np.sqrt(x * x + y)
    if math.isfinite(made.error):
        assert_within(got, made)


@COMPUTING
@given(data=st.data())
def test_blends_are_sums_fused_sums_and_lerps(kind: type, data: st.DataObject) -> None:
    x, y = data.draw(vectors(kind, 3)), data.draw(vectors(kind, 3))
    a = data.draw(st.sampled_from((0.9, 0.5, 0.999, 0.0, 0.3)))
    field = rounded(EXACT, COMPUTED[kind])
    beta = field.element(a)
    made = beta * field.array(x) + (1 - beta) * field.array(y)
    assert_within(kind(a) * x + kind(1 - a) * y, made)
    assert_within(x + kind(1 - a) * (y - x) if a > 0.5 else y - kind(a) * (y - x), made)


@COMPUTING
@given(data=st.data())
def test_adams_direction(kind: type, data: st.DataObject) -> None:
    g, m = data.draw(vectors(kind, 3)), data.draw(vectors(kind, 3))
    b, t, eps = data.draw(st.tuples(st.sampled_from((0.999, 0.9, 0.0)), st.integers(1, 5), st.just(1e-8)))
    field = rounded(BALLS, COMPUTED[kind])
    with field.context():
        beta2 = field.element(b)
        exact_v = (1 - beta2) * (field.array(g) * field.array(g))
        made = field.array(m) / (field.sqrt_each(exact_v) / field.sqrt(1 - beta2**t) + field.element(eps))
    v = kind(1 - b) * (g * g)
    assert_within(m / (np.sqrt(v) / kind(math.sqrt(1 - b**t)) + kind(eps)), made)
    assert_within(m / (np.sqrt(v / kind(1 - b**t)) + kind(eps)), made)


@COMPUTING
@given(data=st.data())
def test_every_way_to_write_the_projection(kind: type, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    w = data.draw(hnp.arrays(kind, n, elements=st.floats(-4, 4, width=np.dtype(kind).itemsize * 8)))
    w[np.abs(w) < 2.0**-20] = 0
    x = data.draw(vectors(kind, n))
    field = rounded(EXACT, COMPUTED[kind])
    made = project_rows(View.LAYER, field.array(w), field.array(x), field.scaled)
    if not w.any():
        assert (parts(made)[1] == 0).all()
        return
    w = w / np.max(np.abs(w))
    norm = np.sqrt(np.sum(w * w, dtype=kind))
    unit = (w / norm).astype(kind)
    assert_within(x - (np.sum(w * x, dtype=kind) / np.sum(w * w, dtype=kind)) * w, made)
    assert_within(x - np.sum(unit * x, dtype=kind) * unit, made)
    assert_within(x - np.cumsum((w * x)[::-1])[-1] / np.cumsum((w * w)[::-1])[-1] * w, made)


@pytest.mark.parametrize("scale", [2.0**-120, 2.0**-70, 2.0**60, 2.0**120], ids=str)
def test_the_projection_does_not_see_the_scale_of_w(scale: float) -> None:
    field = rounded(EXACT, FLOAT32)
    w, x = np.array([0.75, 1.25, -0.5]), np.array([0.5, 0.25, 1.75])
    bounds = [
        parts(project_rows(View.LAYER, field.array(factor * w), field.array(x), field.scaled))[1]
        for factor in (1, scale)
    ]
    assert np.array_equal(*bounds)


@COMPUTING
@given(data=st.data())
def test_updates(kind: type, data: st.DataObject) -> None:
    w, q = data.draw(vectors(kind, 3)), data.draw(vectors(kind, 3))
    decay, lr = data.draw(st.sampled_from((0.0, 0.01, 0.1, 5.0))), data.draw(st.sampled_from((0.1, 1.0, 1e-3)))
    field = rounded(EXACT, COMPUTED[kind])
    eta, share = field.element(lr), field.element(decay)
    exact_w, exact_q = field.array(w), field.array(q)
    assert_within(kind(1 - decay) * w - kind(lr) * q, (1 - share) * exact_w - eta * exact_q)
    # The decay in the update is another formula, of another bound.
    assert_within(w - kind(lr) * (q + kind(decay / lr) * w), exact_w - eta * (exact_q + share / eta * exact_w))


@COMPUTING
@given(data=st.data())
def test_a_decision_is_certain_beyond_rounding(kind: type, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    w, g = data.draw(vectors(kind, n)), data.draw(vectors(kind, n))
    delta = data.draw(st.sampled_from((0.1, 1.0, 0.5)))
    field = rounded(EXACT, COMPUTED[kind])
    answer = looks_scale_invariant(field, field.array(w), field.array(g), field.element(delta))
    exact = looks_scale_invariant(EXACT, EXACT.array(w), EXACT.array(g), rational(delta))
    assert answer in (exact, None)
    if not w.any() or not g.any():
        assert answer is exact
        return
    unit_w, unit_g = w / np.max(np.abs(w)), g / np.max(np.abs(g))
    size = math.sqrt(float(np.sum(unit_w * unit_w, dtype=kind))) * math.sqrt(float(np.sum(unit_g * unit_g, dtype=kind)))
    written = abs(np.sum(unit_w * unit_g, dtype=kind)) < kind(delta / math.sqrt(n)) * kind(size)
    assert answer in (bool(written), None)


# Orders of summation: as written, backwards, in pairs, in blocks of a kernel, by torch on this machine.


def pairwise(x: np.ndarray) -> Any:
    return x[0] if len(x) == 1 else pairwise(x[: len(x) // 2]) + pairwise(x[len(x) // 2 :])


def in_lanes(width: int) -> Callable[[np.ndarray], Any]:
    """Sums of every width-th term, as vector units and blocks of threads make them, added in a tree."""

    def summed(x: np.ndarray) -> Any:
        filled = np.concatenate([x, np.zeros(-len(x) % width, x.dtype)]).reshape(-1, width)
        return pairwise(np.cumsum(filled, axis=0, dtype=x.dtype)[-1])

    return summed


ORDERS: dict[str, Callable[[np.ndarray], Any]] = {
    "as written": lambda x: np.cumsum(x, dtype=x.dtype)[-1],
    "backwards": lambda x: np.cumsum(x[::-1], dtype=x.dtype)[-1],
    "by size": lambda x: np.cumsum(x[np.argsort(np.abs(x))], dtype=x.dtype)[-1],
    "in pairs": pairwise,
    "8 lanes": in_lanes(8),
    "a warp": in_lanes(32),
    "a block": in_lanes(256),
    "torch": lambda x: torch.from_numpy(x.copy()).sum().numpy(),
    "torch dot": lambda x: torch.from_numpy(x.copy()).dot(torch.from_numpy(np.ones_like(x))).numpy(),
}


@COMPUTING
@pytest.mark.parametrize("order", ORDERS)
def test_sums_of_products_in_every_order(kind: type, order: str) -> None:
    random = np.random.default_rng(1)
    field = rounded(EXACT, COMPUTED[kind])
    for n in (1, 2, 3, 17, 300, 1000):
        a, b = random.standard_normal((2, n)).astype(kind)
        assert_within(ORDERS[order](a * b), field.array(a) @ field.array(b))
        assert_within(ORDERS[order](a * a), (field.array(a) * field.array(a)).sum())


def test_repeated_rows_have_longer_sums() -> None:
    w = np.array([0.5, 0.25, 1.0])
    once, often = ((f.array(w) @ f.array(w)).error for f in (rounded(EXACT, FLOAT32), rounded(EXACT, FLOAT32, 100)))
    assert 301 / 4 <= often / once <= 301 / 4 * (1 + 2.0**-10)


# Tightness: the bound is a small multiple of what really happens in the worst case.


def extreme(step: Callable[..., Any], exact: Any, **hyper: Any) -> float:
    """The largest share of the bound of float32 weights that float32 arithmetic reaches, over many problems."""
    field, random, worst = rounded(exact, FLOAT32), np.random.default_rng(0), 0.0
    for _ in range(200):
        w, g = random.standard_normal((2, 1, 2)).astype(np.float32)
        made = step(field, field.array(w), field.array(g), START, view=View.LAYER, **hyper)
        got = step(AS_WRITTEN, w, g, START, view=View.LAYER, **hyper)
        worst = max(worst, worst_share(got.w, made.w))
    return worst


# Tensors of numpy's float32, hyper-parameters as Python floats: a step as it is written.
AS_WRITTEN: Any = SimpleNamespace(
    element=float, sqrt=math.sqrt, sqrt_each=np.sqrt, scaled=EXACT.scaled, context=EXACT.context,
    zeros=lambda shape: np.zeros(shape, np.float32),
)  # fmt: skip


@pytest.mark.parametrize(
    ("step", "exact", "hyper"), [(sgdp, EXACT, {"momentum": 0.0}), (adamp, BALLS, {"bias_correction": False})]
)
def test_the_bound_of_a_step_is_within_a_factor_of_the_worst_case(step: Any, exact: Any, hyper: dict[str, Any]) -> None:
    """Two roundings are counted where one is made, and hardly ever do all of them point the same way."""
    assert 1 / 8 <= extreme(step, exact, lr=0.1, **hyper) <= 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_counts_two_roundings(name: str) -> None:
    worst, field = 0.0, rounded(EXACT, FLOAT32)
    for x, y in product(np.linspace(1, 2, 37, dtype=np.float32), np.linspace(3.3, 6.1, 37, dtype=np.float32)):
        made = OPERATIONS[name](*field.array([x, y]))
        worst = max(worst, worst_share(OPERATIONS[name](x, y), made))
    assert 1 / 6 <= worst <= 1 / 2 + 2.0**-20


WRONG: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "no projection": lambda w, x: x,
    "half of it": lambda w, x: x - (w @ x) / (w @ w) / 2 * w,
    "without the norm": lambda w, x: x - (w @ x) * w,
    "in float16": lambda w, x: (x - (w @ x) / (w @ w) * w).astype(np.float16).astype(np.float64),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_the_bound_rejects_a_wrong_projection(wrong: str) -> None:
    w, x = np.array([0.75, 1.3, -0.4]), np.array([0.6, 0.2, 1.7])
    field = rounded(EXACT, FLOAT32)
    made = project_rows(View.LAYER, field.array(w), field.array(x), field.scaled)
    assert worst_share(WRONG[wrong](w, x), made) > 1


# Corners.


@pytest.mark.parametrize("beta", [0.9, 0.999, 0.5, 0.0], ids=str)
@pytest.mark.parametrize("t", [1, 2, 7, 1000])
def test_bias_corrections_in_python_floats(beta: float, t: int) -> None:
    made = 1 - rounded(EXACT, FLOAT32).element(beta) ** t
    for got in (1 - beta**t, -math.expm1(t * math.log(beta)) if beta else 1.0):
        assert_within(got, made)
    assert made.error <= 8 * FLOAT64.unit


def test_exact_zeros_cost_nothing() -> None:
    field = rounded(EXACT, FLOAT32)
    zero, x = field.array([0.0, 3.0])
    for made in (zero * x, x * zero, zero + zero, zero / x, field.sqrt(zero), zero**2):
        assert made == 0
    assert field.array([0, 0]) @ field.array([1, 2]) == 0
    assert (zero + x).error == 0
    assert x - x != 0  # whoever computes it may have rounded its parts


def test_beyond_the_largest_number_nothing_is_known() -> None:
    field = rounded(EXACT, FLOAT32)
    (x,) = field.array([2.0**100])
    assert (x * x).error == math.inf
    assert field.less(x * x, x) is None
    beyond, row = x * x, field.array([0.0, 0.5])
    row[0] = beyond
    with np.errstate(all="raise"):
        for made in (beyond * row[1], beyond + x, x / beyond, beyond / x, beyond**2, row @ field.array([1, 2])):
            assert made.error == math.inf
        assert (x / beyond).value == rational(2.0**-100)


def test_a_quotient_by_what_may_be_zero_is_unknown() -> None:
    field = rounded(EXACT, FLOAT32)
    a, b = field.array([1.0, 2.0**-149])
    quotient = a / (b * b)
    assert quotient.error == math.inf
    assert quotient != 0


def test_flushed_subnormals_are_lost_as_inputs_and_results() -> None:
    flushing = rounded(EXACT, Format("float32", 24, -126, 127, flushes=True))
    a, b, c = flushing.array([2.0**-130, 2.0**-70, 1.5 * 2.0**-126])
    assert a.error >= 2.0**-130
    assert (b * b).error >= 2.0**-140
    assert (c - flushing.array([2.0**-126])[0]).error >= 2.0**-127


def test_hyper_parameters_are_python_floats() -> None:
    field = rounded(EXACT, FLOAT32)
    beta = field.element(0.999)
    assert parts(1 - beta) == (1 - rational(0.999), (1 - beta).error)
    assert 0 < (1 - beta).error <= 3 * FLOAT64.unit * 0.001
    assert field.element(Fraction(1, 3)).error > 0
    (x,) = field.array([1.0])
    assert FLOAT32.unit < (beta * x).error <= 3 * FLOAT32.unit
    assert isinstance(beta, Rounded)
    assert fraction(beta.value) == Fraction(0.999)
