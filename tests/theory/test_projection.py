"""Eqs. 10 and 11 of the spec against other formulas for them, at the threshold, and where there is nothing to say."""

from itertools import permutations, product
from typing import Any

import flint
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, Array, Field, balls
from tangency.theory.projection import (
    UndecidedView,
    View,
    choose_view,
    looks_scale_invariant,
    project,
    project_rows,
    view_decision,
)

BALLS = balls(128)
Q = flint.fmpq
PASS, FAIL, ZERO = ((3, 4), (-4, 3)), ((3, 4), (3, 4)), ((3, 4), (0, 0))  # rows of (w, g): cos = 0, 1, none


def exact(*rows: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[Array, Array]:
    """Weights and gradient, shape (rows, dim), of rows (w, g)."""
    return EXACT.array([w for w, _ in rows]), EXACT.array([g for _, g in rows])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Array, Array]:
    """Two rational vectors of one dimension, the first one not zero."""
    dim = draw(st.integers(1, 8))
    return draw(problems.vectors(dim, nonzero=True)), draw(problems.vectors(dim))


def test_projection_by_hand() -> None:
    """w = (1, 2, 2), x = (4, 1, 3): w·x = 12, w·w = 9, Π(x) = x − 4/3 w."""
    w, x = EXACT.array([1, 2, 2]), EXACT.array([4, 1, 3])
    assert project(w, x).tolist() == [Q(8, 3), Q(-5, 3), Q(1, 3)]
    assert (project(0 * w, x) == x).all()
    assert (project(w, 5 * w) == 0 * w).all()
    assert project(w[:0], x[:0]).shape == (0,)


@given(pairs())
def test_projection_is_the_matrix(pair: tuple[Array, Array]) -> None:
    """Π = I − ŵŵᵀ, written as a matrix, for every w but 0."""
    w, x = pair
    matrix = EXACT.array(np.eye(len(w))) - np.outer(w, w) / sum(w_i**2 for w_i in w)
    assert (project(w, x) == [sum(row * x) for row in matrix]).all()


def test_projection_in_every_field() -> None:
    w, x = [3, 4], [5, 10]  # w·x / w·w = 11/5
    for field in (EXACT, SYMBOLIC):
        assert (project(field.array(w), field.array(x)) == field.array([Q(-8, 5), Q(6, 5)])).all()
    with BALLS.context():
        enclosed = project(BALLS.array(w), BALLS.array(x))
        assert all((5 * ball).contains(n) and ball.is_finite() for ball, n in zip(enclosed, (-8, 6), strict=True))
    a, b = sympy.symbols("a b", positive=True)
    symbolic = project(np.array([a, b]), np.array([-b, a]))
    assert [sympy.simplify(value) for value in symbolic] == [-b, a]


def test_rows_of_views() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    assert View.CHANNEL.rows(x).tolist() == [list(range(12)), list(range(12, 24))]
    assert View.LAYER.rows(x).tolist() == [list(range(24))]
    View.CHANNEL.rows(x)[1, 0] = -1
    assert x[1, 0, 0] == -1  # a view: what is written to a row lands in the tensor


def test_every_row_is_projected_on_its_own() -> None:
    """Rows (1, 0) and (1, 1) of w; by channel x loses (5, 0) and (4, 4), by layer w·x / w·w = 13/3."""
    w, x = EXACT.array([[1, 0], [1, 1]]), EXACT.array([[5, 7], [6, 2]])
    before = x.copy()
    assert project_rows(View.CHANNEL, w, x).tolist() == [[0, 7], [2, -2]]
    assert project_rows(View.LAYER, w, x).tolist() == [[Q(2, 3), 7], [Q(5, 3), Q(-7, 3)]]
    assert (x == before).all()


@given(problems.tensor_runs(st.just({}), min_dims=2))
def test_views_of_a_tensor_are_projections_of_its_rows(run: problems.TensorRun) -> None:
    """Any shape: the result is orthogonal to w in every row, and differs from x by a multiple of that row of w."""
    for view, x in product((View.CHANNEL, View.LAYER), run.gradients):
        q = project_rows(view, run.w, x)
        assert q.shape == x.shape
        for w_row, x_row, q_row in zip(*(view.rows(y) for y in (run.w, x, q)), strict=True):
            assert sum(w_row * q_row) == 0
            assert (np.outer(x_row - q_row, w_row) == np.outer(w_row, x_row - q_row)).all()


@given(pairs(), problems.rationals(0, 3, 10))
def test_eq_11_is_a_comparison_of_squared_cosines(pair: tuple[Array, Array], delta: flint.fmpq) -> None:
    """By way of numbers that are not those of the spec: the cosine squared against δ²/dim."""
    w, g = pair
    squares = sum(w_i**2 for w_i in w), sum(g_i**2 for g_i in g)
    cosine2 = sum(w * g) ** 2 / (squares[0] * squares[1]) if squares[1] else Q(0)
    expected = cosine2 < delta**2 / Q(len(w))
    assert looks_scale_invariant(EXACT, w, g, delta) is bool(expected)
    # Neither side depends on the lengths or the sign.
    assert looks_scale_invariant(EXACT, Q(-3, 10**40) * w, 10**40 * g, delta) is bool(expected)


# |cos| = 3/5 in dimension 4: the threshold δ/√dim is met exactly by δ = 6/5.
TIE_W, TIE_G = [1, 0, 0, 0], [3, 4, 0, 0]
TIE = Q(6, 5)


@pytest.mark.parametrize("sign", [1, -1])
def test_at_the_threshold(sign: int) -> None:
    """Eq. 11 is strict: a tie does not pass, however little above it does."""
    w, g = EXACT.array(TIE_W), sign * EXACT.array(TIE_G)
    tiny = Q(1, 10**50)
    assert looks_scale_invariant(EXACT, w, g, TIE) is False
    assert looks_scale_invariant(EXACT, w, g, TIE - tiny) is False
    assert looks_scale_invariant(EXACT, w, g, TIE + tiny) is True
    assert looks_scale_invariant(EXACT, w, g, Q(0)) is False


def test_balls_do_not_know_near_a_tie() -> None:
    """δ = 6/5 is no dyadic number: its ball lies on both sides of the tie, and so does that of every δ near it."""

    def decide(precision: int, delta: flint.fmpq) -> bool | None:
        field = balls(precision)
        with field.context():
            return looks_scale_invariant(field, field.array(TIE_W), field.array(TIE_G), field.element(delta))

    for precision in (24, 128, 256):
        inside, outside = Q(1, 2 ** (precision + 8)), Q(1, 2 ** (precision - 8))
        assert [decide(precision, TIE + x) for x in (0, inside, -inside)] == [None, None, None]
        assert [decide(precision, TIE + x) for x in (outside, -outside)] == [True, False]
        # More bits decide what fewer could not; the exact tie never is.
        assert [decide(2 * precision, TIE + x) for x in (inside, -inside, 0)] == [True, False, None]


def test_balls_decide_an_exact_tie_of_dyadic_numbers() -> None:
    """cos = 1 in dimension 4 against δ = 2: no rounding on the way, so the tie is seen to be one."""
    for field in (EXACT, BALLS, FLOAT64):
        with field.context():
            w = field.array([1, 1, 1, 1])
            assert looks_scale_invariant(field, w, w, field.element(2)) is False


def test_float64_does_not_know_nan() -> None:
    w = FLOAT64.array([[3, 4], [3, 4]])
    for g in ([[-4, np.nan], [-4, 3]], [[-4, 3], [np.inf, -np.inf]]):
        undecided = pytest.raises(UndecidedView, match=r"Eq\. 11 is undecided in the channel view")
        with undecided, np.errstate(invalid="ignore"):
            choose_view(FLOAT64, w, FLOAT64.array(g), 0.1)
    assert choose_view(FLOAT64, w, FLOAT64.array([[-4, 3], [-4, 3]]), 0.1) == View.CHANNEL


def test_undecided_view_names_the_view() -> None:
    """cos = 1 in the first row: the channel view fails for certain; the layer, with cos = 3/5, is the tie."""
    w, g = BALLS.array([[1, 0], [0, 0]]), BALLS.array([[3, 0], [4, 0]])
    with BALLS.context(), pytest.raises(UndecidedView, match=r"layer view.*within the field's rounding") as caught:
        choose_view(BALLS, w, g, BALLS.element(TIE))
    assert caught.value.view == View.LAYER
    assert isinstance(caught.value, ArithmeticError)
    with BALLS.context(), pytest.raises(UndecidedView, match="channel view") as caught:
        choose_view(BALLS, BALLS.array([TIE_W]), BALLS.array([TIE_G]), BALLS.element(TIE))
    assert caught.value.view == View.CHANNEL


def test_symbols_that_say_nothing_are_undecided() -> None:
    x = sympy.Symbol("x", real=True)
    w = np.array([[sympy.Integer(1), sympy.Integer(1)]])
    with pytest.raises(UndecidedView, match="channel"):
        choose_view(SYMBOLIC, w, np.array([[x, -x + 1]]), sympy.Rational(1, 10))
    a, b = sympy.symbols("a b", positive=True)
    assert looks_scale_invariant(SYMBOLIC, np.array([a, b]), np.array([-b, a]), sympy.Rational(1, 10)) is True


@pytest.mark.parametrize("rows", [*permutations((PASS, PASS, FAIL)), (FAIL, FAIL, FAIL), (ZERO, FAIL, PASS)])
def test_one_row_vetoes_the_channel_view(rows: Any) -> None:
    w, g = exact(*rows)
    assert view_decision(EXACT, View.CHANNEL, w, g, Q(1, 10)) is False
    assert choose_view(EXACT, w, g, Q(1, 10)) == View.NONE


@pytest.mark.parametrize("rows", [(PASS,), (PASS, PASS), (PASS, ZERO), (ZERO, PASS), (ZERO, ZERO)])
def test_every_row_passes_and_zero_rows_never_veto(rows: Any) -> None:
    for w, g in (exact(*rows), exact(*rows)[::-1]):  # a row of w may be zero as well as one of g
        assert choose_view(EXACT, w, g, Q(1, 10)) == View.CHANNEL
        assert choose_view(EXACT, w, g, Q(0)) == View.NONE  # no |cos| is below 0


def test_channel_before_layer() -> None:
    """Rows whose inner products cancel pass the layer view alone; rows that pass on their own take the channel view."""
    cancelling = exact(((3, 4), (3, 4)), ((3, 4), (-3, -4)))
    assert choose_view(EXACT, *cancelling, Q(1, 10)) == View.LAYER
    both = exact(PASS, PASS)
    assert view_decision(EXACT, View.LAYER, *both, Q(1, 10)) is True
    assert choose_view(EXACT, *both, Q(1, 10)) == View.CHANNEL


@pytest.mark.parametrize(("view", "below", "above"), [(View.CHANNEL, 848, 849), (View.LAYER, 1697, 1698)])
def test_each_view_has_its_own_dimension(view: View, below: int, above: int) -> None:
    """cos² = 9/25 in each row of two dimensions and in the layer of eight: δ² is to exceed 18/25 and 72/25."""
    w, g = exact(*[((1, 0), (3, 4))] * 4)
    assert view_decision(EXACT, view, w, g, Q(below, 1000)) is False
    assert view_decision(EXACT, view, w, g, Q(above, 1000)) is True


@pytest.mark.parametrize("shape", [(), (4,), (0,), (0, 3), (3, 0), (2, 0, 2)])
@pytest.mark.parametrize("field", [EXACT, BALLS, FLOAT64], ids=lambda field: field.name)
def test_vectors_and_empty_tensors_are_never_projected(field: Field, shape: tuple[int, ...]) -> None:
    with field.context():
        assert choose_view(field, field.zeros(shape), field.zeros(shape), field.element(100)) == View.NONE


@given(problems.tensor_runs(st.fixed_dictionaries({"delta": problems.rationals(0, 2, 10)})))
def test_balls_decide_as_the_rationals_do_except_at_a_tie(run: problems.TensorRun) -> None:
    delta = run.hyper["delta"]
    for g in run.gradients:
        try:
            with BALLS.context():
                decided = choose_view(BALLS, BALLS.array(run.w), BALLS.array(g), BALLS.element(delta))
        except UndecidedView as undecided:
            rows = zip(*(undecided.view.rows(x) for x in (run.w, g)), strict=True)
            assert any((a @ b) ** 2 * len(a) == delta**2 * (a @ a) * (b @ b) for a, b in rows)
        else:
            assert decided is choose_view(EXACT, run.w, g, delta)
