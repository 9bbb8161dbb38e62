"""Eqs. 10 and 11 against exact rational arithmetic, for any norm that a dtype can represent."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from optim_reference import assert_same_steps, assert_within

from tangency.optim.projection import decay, project
from tangency.proofs_checks.generate.problems import own_views
from tangency.theory.fields import EXACT, rational
from tangency.theory.formats import FLOAT32, FLOAT64
from tangency.theory.projection import VIEWS, UndecidedView, View, choose_view
from tangency.theory.projection import project as exact_projection
from tangency.theory.rounded import parts, rounded

DTYPES = {"float32": (np.float32, 32, FLOAT32), "float64": (np.float64, 64, FLOAT64)}


@st.composite
def tensors(draw, name, count, square=False):
    dtype, width, _ = DTYPES[name]
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=3))
    # A quarter of the largest number: with up to 27 entries the norm of a tensor stays representable.
    top = float(np.finfo(dtype).max) / 8
    top = float(np.float32(top)) if width == 32 else top
    elements = st.floats(-top, top, width=width)
    if draw(st.booleans()):
        elements = st.sampled_from([0.0, 1.0, -1.0, 2.0, -3.0, 0.5])
    out = []
    for _ in range(count):
        scale = dtype(2.0) ** draw(st.sampled_from([0, -100, 60] if width == 32 else [0, -900, 700]))
        x = draw(hnp.arrays(dtype, shape, elements=elements))
        with np.errstate(over="ignore"):
            scaled = x * scale
        out.append(scaled if np.all(np.abs(scaled) <= top) else x)
    return out


@pytest.mark.parametrize("name", DTYPES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_decision_and_projection_agree_with_exact_arithmetic(name, data):
    w, g, x = data.draw(tensors(name, 3))
    delta = data.draw(st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 1e-30]))
    views = data.draw(own_views(w.shape)).get("views", VIEWS)
    q, projected = project(*(torch.from_numpy(a) for a in (w, g, x)), ndim=w.ndim, delta=delta, views=views)
    done = projected is not None and projected.item()
    fmt = DTYPES[name][2]
    numbers = rounded(EXACT, fmt)
    try:
        view = choose_view(numbers, numbers.array(w), numbers.array(g), numbers.element(delta), views)
    except UndecidedView:
        reject()
    assert done == (view != View.NONE)
    if view == View.NONE:
        assert np.array_equal(q.numpy(), x)
        return
    # Π is linear: a row of x may be divided by its largest entry as well, where that exceeds 1.
    for q_row, w_row, x_row in zip(*(view.rows(a) for a in (q.numpy(), w, x)), strict=True):
        exact_x, exponent = numbers.array(x_row), math.frexp(np.max(np.abs(x_row)))[1]
        made = exact_projection(
            numbers.scaled(numbers.array(w_row)), numbers.scaled(exact_x) if exponent > 0 else exact_x
        )
        assert np.isfinite(parts(made)[1]).all()
        assert_within(EXACT.array(q_row) / rational(2) ** max(0, exponent), made)


SCALES = {
    torch.float32: [1e-38, 1e-30, 1e-19, 1.0, 1e19, 1e30, 5e37],
    torch.float64: [1e-300, 1e-200, 1.0, 1e200, 1e300],
}


@pytest.mark.parametrize("dtype", SCALES, ids=str)
@pytest.mark.parametrize("kind", ["channel", "layer", "neither"])
def test_the_decision_ignores_every_scale(dtype, kind):
    w = torch.tensor([[1.0, 2.0, 2.0], [3.0, -1.0, 0.5]], dtype=dtype)
    g = {
        "channel": [[2.0, 1.0, -2.0], [1.0, 1.0, -4.0]],
        "layer": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        "neither": [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]],
    }[kind]
    g = torch.tensor(g, dtype=dtype)
    for a in SCALES[dtype]:
        for b in SCALES[dtype]:
            q, projected = project(w * a, g * b, w * 0.25 + 1, ndim=2, delta=0.1)
            assert projected.item() == (kind != "neither")
            # x − (w·x / w·w) w does not depend on the scale of w either.
            same, _ = project(w, g, w * 0.25 + 1, ndim=2, delta=0.1)
            assert_same_steps(q, same, 1)


@pytest.mark.parametrize("size", [1e-38, 1e38])
def test_rows_of_very_different_size_are_weighed_in_the_layer_view(size):
    # Row 0 alone is radial and vetoes its channel; in the layer it counts by its size.
    w = torch.tensor([[1.0, 0.0], [size, 0.0]])
    g = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    _, projected = project(w, g, torch.ones(2, 2), ndim=2, delta=0.1)
    assert projected.item() == (size == 1e38)


def test_a_row_without_direction_vetoes_nothing():
    radial = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]])
    x = torch.tensor([[1.0, 1.0], [3.0, -5.0], [1.0, 1.0]])
    g = torch.tensor([[0.0, 1.0], [1.0, 7.0], [0.0, 0.0]])
    q, projected = project(radial, g, x, ndim=2, delta=0.1)
    assert projected.item()
    assert q.tolist() == [[0.0, 1.0], [3.0, -5.0], [1.0, 0.0]]


def test_nothing_but_zeros_is_projected_and_unchanged():
    x = torch.tensor([[1.0, 2.0]])
    q, projected = project(torch.zeros(1, 2), torch.zeros(1, 2), x, ndim=2, delta=0.1)
    assert projected.item()
    assert torch.equal(q, x)


def test_delta_zero_projects_nothing():
    w, g = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    q, projected = project(w, g, w, ndim=2, delta=0.0)
    assert projected is None
    assert q is w


def test_the_threshold_itself_does_not_pass():
    # cos = 4/5 exactly, and δ/√4 = 4/5.
    w, g = torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.tensor([[4.0, 3.0, 0.0, 0.0]])
    _, at = project(w, g, w, ndim=2, delta=8 / 5)
    _, above = project(w, g, w, ndim=2, delta=8.001 / 5)
    assert (at.item(), above.item()) == (False, True)


def test_the_channel_view_wins_over_the_layer_view():
    w = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    g = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    q, _ = project(w, g, torch.ones(2, 2), ndim=2, delta=0.1)
    assert q.tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("where", ["w", "g"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_row_that_is_not_finite_is_not_projected(where, value):
    w, g = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    (w if where == "w" else g)[1, 1] = value
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    q, projected = project(w, g, x, ndim=2, delta=0.1)
    assert not projected.item()
    assert torch.equal(q, x)


@pytest.mark.parametrize(("shape", "ndim"), [((), 0), ((3,), 1), ((3, 2), 1), ((0, 4), 2), ((4, 0), 2), ((2, 0, 3), 3)])
def test_parameters_that_are_never_projected(shape, ndim):
    x = torch.zeros(shape)
    q, projected = project(x, x, x, ndim=ndim, delta=0.1)
    assert projected is None
    assert q is x


def test_decay_by_decision():
    w = torch.tensor([8.0])
    assert decay(w, 0.5, None, 0.25).tolist() == [4.0]
    assert decay(w, 0.5, torch.tensor(False), 0.25).tolist() == [4.0]
    assert decay(w, 0.5, torch.tensor(True), 0.25).tolist() == [7.0]
