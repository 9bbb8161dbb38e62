"""Every kind of parameter and gradient: short dtypes, complex, any layout, empty, 0-dim, aliased, none, sparse."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optim_paths import on_every_path
from optim_reference import assert_same_steps

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, lr=0.125, momentum=0.75, weight_decay=0.25, **more),
    "AdamP": lambda p, **more: AdamP(p, lr=0.125, weight_decay=0.25, **more),
}
pytestmark = on_every_path(OPTIMIZERS)

W = torch.tensor([[1.0, 2.0, 2.0, -1.0], [3.0, -1.0, 0.5, 2.0]])
G = torch.tensor([[2.0, 1.0, -2.0, 0.0], [1.0, 1.0, 4.0, -2.0]])
"""Orthogonal to each row of W."""


def steps(make, w, grads, **more):
    """The parameter and its state after one step for each gradient."""
    p = torch.nn.Parameter(w.clone(memory_format=torch.preserve_format))
    optimizer = make([p], **more)
    for g in grads:
        p.grad = g
        optimizer.step()
    return p.detach(), optimizer.state[p]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_short_dtypes_compute_in_float32_and_round_once(make, dtype):
    w, g = W.to(dtype), G.to(dtype) * 0.3
    short, short_state = steps(make, w, [g])
    wide, wide_state = steps(make, w.float(), [g.float()])
    assert short.dtype == dtype
    assert torch.equal(short, wide.to(dtype))
    for name, value in wide_state.items():
        expected = value if name == "step" else value.to(dtype)
        assert torch.equal(short_state[name], expected)
        assert short_state[name].dtype == expected.dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_short_dtypes_decide_where_their_own_products_would_vanish(make, dtype):
    w, g = W.to(dtype) * 2**-12, G.to(dtype) * 2**-12
    short, _ = steps(make, w, [g])
    assert not torch.equal(short, steps(make, w, [g], delta=0.0)[0])
    assert torch.equal(short, steps(make, w.float(), [g.float()])[0].to(dtype))


def test_a_complex_parameter_is_pairs_of_reals_with_its_own_dimensions(make):
    grads = [G, G.flip(0), W]
    real, real_state = steps(make, W.reshape(2, 2, 2), [g.reshape(2, 2, 2) for g in grads])
    z, z_state = steps(
        make, torch.view_as_complex(W.reshape(2, 2, 2)), [torch.view_as_complex(g.reshape(2, 2, 2)) for g in grads]
    )
    assert torch.equal(torch.view_as_real(z), real)
    for name, value in real_state.items():
        assert torch.equal(value, torch.view_as_real(z_state[name]) if name != "step" else z_state[name])


def test_a_complex_vector_is_not_projected(make):
    w, g = torch.complex(W[0], W[1]), torch.complex(-W[1], W[0])
    assert torch.equal(steps(make, w, [g, g])[0], steps(make, w, [g, g], delta=0.0)[0])


def test_a_lazily_conjugated_gradient(make):
    w, g = torch.view_as_complex(W.reshape(2, 2, 2)), torch.view_as_complex(G.reshape(2, 2, 2))
    lazy = g.conj()
    assert lazy.is_conj()
    assert torch.equal(steps(make, w, [lazy])[0], steps(make, w, [g.conj().resolve_conj()])[0])


def layouts(x):
    """The same values in other layouts."""
    padded = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
    padded[..., ::2] = x
    yield "channels_last", x.clone(memory_format=torch.channels_last)
    yield "transposed", x.transpose(0, 1).contiguous().transpose(0, 1)
    yield "strided", padded[..., ::2]


def test_the_layout_does_not_matter(make):
    w, g = W.reshape(2, 2, 2, 1).double(), G.reshape(2, 2, 2, 1).double()
    expected, _ = steps(make, w, [g, g + 1])
    for _, other_w in layouts(w):
        for _, other_g in layouts(g):
            actual, state = steps(make, other_w, [other_g, other_g + 1])
            assert_same_steps(actual, expected, 2)
            for name, value in state.items():
                assert name == "step" or value.shape == w.shape


def test_a_strided_parameter_is_written_in_place(make):
    base = torch.zeros(2, 8)
    p = base[:, ::2]
    p.copy_(W)
    p.grad = G.clone()
    make([p]).step()
    assert torch.equal(base[:, ::2], steps(make, W, [G])[0])
    assert not base[:, 1::2].any()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 2)])
def test_empty_parameters(make, shape):
    p, state = steps(make, torch.zeros(shape), [torch.zeros(shape)] * 2)
    assert p.shape == shape
    assert state


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.complex64], ids=str)
def test_a_scalar_moves_as_an_entry_of_a_vector_does(make, dtype):
    grads = [torch.tensor(0.3, dtype=dtype), torch.tensor(-2.0, dtype=dtype)]
    scalar, state = steps(make, torch.tensor(1.5, dtype=dtype), grads)
    vector, _ = steps(make, torch.tensor([1.5], dtype=dtype), [g.reshape(1) for g in grads])
    assert scalar.dtype == dtype
    assert scalar.shape == ()
    assert torch.equal(scalar, vector[0])
    assert all(name == "step" or value.dtype == dtype for name, value in state.items())


def test_a_parameter_that_is_its_own_gradient(make):
    p = torch.nn.Parameter(W.clone())
    p.grad = p.detach()
    make([p]).step()
    assert torch.equal(p, steps(make, W, [W.clone()])[0])


@pytest.mark.parametrize("maximize", [False, True])
def test_the_gradient_is_never_changed(make, maximize):
    for w, g in [(W, G), (W[0], G[0]), (W.half(), G.half()), (torch.complex(W, G), torch.complex(G, W))]:
        kept = g.clone()
        steps(make, w, [g, g], maximize=maximize)
        assert torch.equal(g, kept)


def test_maximize_is_minimizing_the_negative(make):
    grads = [G, G + 0.5, W]
    up, _ = steps(make, W, grads, maximize=True)
    down, _ = steps(make, W, [-g for g in grads])
    assert torch.equal(up, down)
    assert not torch.equal(up, steps(make, W, grads)[0])


def test_parameters_without_a_gradient_are_left_alone(make):
    with_grad, without = (torch.nn.Parameter(W.clone()) for _ in range(2))
    with_grad.grad = G.clone()
    optimizer = make([with_grad, without])
    optimizer.step()
    assert torch.equal(without, W)
    assert without not in optimizer.state
    assert not torch.equal(with_grad, W)


def test_sparse_gradients_are_refused_by_name_before_anything_moves(make):
    first, second = torch.nn.Parameter(W.clone()), torch.nn.Parameter(W.clone())
    first.grad, second.grad = G.clone(), G.to_sparse()
    optimizer = make([first, second])
    with pytest.raises(RuntimeError, match=rf"^{type(optimizer).__name__} does not support sparse gradients$"):
        optimizer.step()
    assert torch.equal(first, W)


def test_the_default_dtype_does_not_matter(make):
    expected, expected_state = steps(make, W, [G, W])
    before = torch.get_default_dtype()
    try:
        for dtype in (torch.float64, torch.float16):
            torch.set_default_dtype(dtype)
            actual, state = steps(make, W, [G, W])
            assert torch.equal(actual, expected)
            for name, value in expected_state.items():
                assert state[name].dtype == value.dtype
                assert torch.equal(state[name], value)
    finally:
        torch.set_default_dtype(before)


def test_a_nan_gradient_spoils_only_its_own_entry(make):
    g = G.clone()
    g[0, 0] = float("nan")
    actual, _ = steps(make, W, [g])
    expected, _ = steps(make, W, [torch.where(g.isnan(), torch.zeros(()), g)], delta=0.0)
    assert actual[0, 0].isnan()
    actual[0, 0] = expected[0, 0]
    assert torch.equal(actual, expected)


@settings(max_examples=40, deadline=None)
@given(
    data=st.tuples(
        *[hnp.arrays(np.float32, (3, 2, 2), elements=st.floats(-(2.0**20), 2.0**20, width=32)) for _ in range(3)]
    )
)
def test_weights_stay_finite_and_of_their_kind(make, data):
    w, *grads = (torch.from_numpy(x) for x in data)
    p, state = steps(make, w, grads)
    assert p.isfinite().all()
    assert all(value.isfinite().all() for value in state.values())


def test_memory_that_holds_the_negative_or_the_conjugate_steps_as_any_other(make):
    z, g = (torch.view_as_complex(x.reshape(2, 2, 2)) for x in (W, W.flip(0) - 0.5))
    for lazy in (lambda x: x.conj(), lambda x: x.conj().imag):
        found = []
        for x in (lazy(z.clone()), lazy(z.clone()).resolve_conj().resolve_neg()):
            x.grad = lazy(g.clone()).clone()
            optimizer = make([x])
            for _ in range(2):
                optimizer.step()
            found.append((x.clone(), *optimizer.state[x].values()))
        assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
        assert not torch.equal(found[0][0], lazy(z))


def test_subnormal_weights_survive_a_flush_of_float32(make):
    try:
        if not torch.set_flush_denormal(True):
            pytest.skip("this CPU does not flush subnormal numbers")
        found = []
        for dtype in (torch.float16, torch.float32):
            p = torch.nn.Parameter((W * 2.0**-20).to(dtype))
            p.grad = ((W.flip(0) - 0.5) * 2.0**-20).to(dtype)
            optimizer = make([p])
            optimizer.step()
            found.append((p.detach(), *optimizer.state[p].values()))
    finally:
        torch.set_flush_denormal(False)
    for short, wide in zip(*found, strict=True):
        assert torch.equal(short, wide.to(short.dtype))
