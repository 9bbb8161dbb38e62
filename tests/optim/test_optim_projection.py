"""Eqs. 10 and 11 against exact rational arithmetic, for any norm that a dtype can represent."""

from fractions import Fraction

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from optim_reference import assert_same_steps

from tangency.optim.projection import decay, project

DTYPES = {"float32": (np.float32, 32), "float64": (np.float64, 64)}


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def exact_rows(x, view):
    return [[Fraction(float(e)) for e in row] for row in x.reshape(view)]


def exact_decision(w, g, delta, view, u):
    """Whether every row passes Eq. 11, squared: (w·g)² dim < δ² ‖w‖²‖g‖². None: undecided within rounding."""
    undecided = False
    for a, b in zip(exact_rows(w, view), exact_rows(g, view), strict=True):
        dim, wg, norms = len(a), dot(a, b), dot(a, a) * dot(b, b)
        left, right = wg * wg * dim, Fraction(delta) ** 2 * norms
        if norms == 0:
            if delta == 0:
                return False
            continue
        # |fl(w·g) − w·g| ≤ γ ‖w‖‖g‖ moves √left by γ √(dim · norms), and √right by γ √right.
        gamma = Fraction((2 * dim + 12) * u)
        slack = gamma**2 * dim * norms
        if abs(left - right) <= 4 * (slack + gamma * (left + right)) or (left <= 4 * slack and right <= 4 * slack):
            undecided = True
        elif left >= right:
            return False
    return None if undecided else True


def exact_projection(w, x, view, u, tiny):
    """Eq. 10 exactly, and a bound on what rounding may do to each entry."""
    out, bound = [], []
    for a, b in zip(exact_rows(w, view), exact_rows(x, view), strict=True):
        ww, wx = dot(a, a), dot(a, b)
        sizes = dot([abs(e) for e in a], [abs(e) for e in b])
        largest = max(abs(e) for e in b)
        gamma = Fraction((2 * len(a) + 16) * u)
        for e, f in zip(a, b, strict=True):
            out.append(f - wx / ww * e if ww else f)
            radial = sizes / ww * abs(e) if ww else 0
            # Entries far below the largest of their row are rounded on the grid of the subnormal numbers.
            bound.append(gamma * (abs(f) + radial) + 8 * len(a) * Fraction(tiny) * (largest * 4 + 1))
    return out, bound


@st.composite
def tensors(draw, name, count, square=False):
    dtype, width = DTYPES[name]
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
    dtype = DTYPES[name][0]
    u, tiny = float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).smallest_subnormal)
    q, projected = project(*(torch.from_numpy(a) for a in (w, g, x)), ndim=w.ndim, delta=delta)
    done = projected is not None and projected.item()
    views = [(w.shape[0], -1), (1, -1)]
    decisions = [exact_decision(w, g, delta, view, u) for view in views]
    assume(decisions[0] is not None)
    view = views[0] if decisions[0] else None
    if view is None:
        assume(decisions[1] is not None)
        view = views[1] if decisions[1] else None
    assert done == (view is not None)
    if view is None:
        assert np.array_equal(q.numpy(), x)
        return
    exact, bound = exact_projection(w, x, view, u, tiny)
    for actual, wanted, allowed in zip(q.numpy().ravel(), exact, bound, strict=True):
        assert np.isfinite(actual)
        assert abs(Fraction(float(actual)) - wanted) <= allowed


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
