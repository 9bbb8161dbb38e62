"""Weights, gradients and buffers that a step refuses, on every path: by name, and with everything left as it was."""

import numpy as np
import pytest
import torch
from optim_refusals import G, W, adamp, both, model, refuses

from tangency.optim import SGDP, AdamP


class WithoutMemory(torch.Tensor):
    """A tensor of wrapped numbers, which has none of its own."""

    @staticmethod
    def __new__(cls, x):
        made = torch.Tensor._make_wrapper_subclass(cls, x.shape, dtype=x.dtype, device=x.device)
        made.held = x
        return made

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        def held(x):
            return x.held if isinstance(x, WithoutMemory) else x

        return function(*torch.utils._pytree.tree_map(held, args), **torch.utils._pytree.tree_map(held, kwargs or {}))


def emptied(x):
    x = x.clone()
    x.untyped_storage().resize_(0)
    return x


def overlapping(x):
    return x[:1].clone().expand(x.shape)


BAD_TENSORS = {
    "fewer rows": (lambda x: x[:2].clone(), r"has the shape \(2, 3\); \(4, 3\) was needed"),
    "transposed": (lambda x: x.t().clone(), r"has the shape \(3, 4\)"),
    "as many elements": (lambda x: x.reshape(2, 6).clone(), r"has the shape \(2, 6\)"),
    "to be broadcast": (lambda x: x[:1].clone(), r"has the shape \(1, 3\)"),
    "a scalar": (lambda x: x.sum(), r"has the shape \(\)"),
    "meta": (lambda x: x.to("meta"), "is on meta; cpu was needed"),
    "no storage": (emptied, "lies in 0 bytes of memory; 48 were needed"),
    "an integer": (lambda x: x.long(), "is torch.int64; a real floating-point dtype was needed"),
    "complex": (lambda x: x.to(torch.complex64), "is torch.complex64; a real"),
    "sparse": (lambda x: x.to_sparse(), "has the layout torch.sparse_coo; torch.strided was needed"),
}


@both
@pytest.mark.parametrize("bad", BAD_TENSORS)
def test_a_buffer_that_is_not_the_parameters(make, bad):
    spoil, says = BAD_TENSORS[bad]
    for place in range(2):
        optimizer, *params = model(make)
        p = params[place]
        name = next(name for name in optimizer.state[p] if name != "step")
        optimizer.state[p][name] = spoil(optimizer.state[p][name])
        called = ("first.weight", "second.weight")[place]
        refuses(optimizer, optimizer.step, rf"^{type(optimizer).__name__}: parameter {called}: its {name} {says}")


@both
def test_a_buffer_whose_elements_share_memory(make):
    optimizer, _, second = model(make)
    name = list(optimizer.state[second])[-1]
    optimizer.state[second][name] = overlapping(optimizer.state[second][name])
    refuses(optimizer, optimizer.step, f"second.weight: its {name} has elements that share memory")


@both
@pytest.mark.parametrize("value", [None, 0.5, np.zeros(3, np.float32)], ids=["None", "number", "array"])
def test_a_buffer_that_is_no_tensor(make, value):
    optimizer, _, second = model(make)
    name = list(optimizer.state[second])[-1]
    optimizer.state[second][name] = value
    refuses(optimizer, optimizer.step, rf"second.weight: its {name} is .*; a tensor was needed")


@both
def test_buffers_that_are_missing_or_unknown(make):
    optimizer, _, second = model(make)
    optimizer.state[second]["exp_avg_max"] = torch.zeros(4, 3)
    refuses(optimizer, optimizer.step, "second.weight: its state has exp_avg_max, which is not known here")
    if isinstance(optimizer, AdamP):
        for name in ("step", "exp_avg", "exp_avg_sq"):
            optimizer, _, second = model(make)
            del optimizer.state[second][name]
            refuses(optimizer, optimizer.step, f"second.weight: its state has no {name}; it holds step, exp_avg")


COUNTERS = {
    "int": lambda t: 1,
    "float64": lambda t: t.double(),
    "int64": lambda t: t.long(),
    "bfloat16": lambda t: t.bfloat16(),
    "one element": lambda t: t.reshape(1),
    "no storage": emptied,
    "meta": lambda t: t.to("meta"),
}


@adamp
@pytest.mark.parametrize("kind", COUNTERS)
def test_a_counter_that_would_be_read_as_another_number(make, kind):
    optimizer, _, second = model(make)
    optimizer.state[second]["step"] = COUNTERS[kind](optimizer.state[second]["step"])
    refuses(optimizer, optimizer.step, "second.weight: its step .* (was|were) needed")


@both
@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((4, 6), r"its gradient has the shape \(4, 3\); \(4, 6\) was needed"),
        ((1, 3), r"its gradient has the shape \(4, 3\); \(1, 3\) was needed"),
        ((400, 300), r"its gradient has the shape \(4, 3\); \(400, 300\) was needed"),
        ((), r"its gradient has the shape \(4, 3\); \(\) was needed"),
    ],
)
def test_a_parameter_that_was_resized(make, shape, says):
    optimizer, _, second = model(make)
    second.data = torch.ones(shape)
    refuses(optimizer, optimizer.step, f"second.weight: {says}")
    second.grad = torch.ones(shape)
    name = "momentum_buffer" if isinstance(optimizer, SGDP) else "exp_avg"
    refuses(optimizer, optimizer.step, f"second.weight: its {name} has the shape")


@both
def test_a_gradient_that_would_be_broadcast(make):
    p = torch.nn.Parameter(W[:1].clone())
    p.grad = G[:1].clone()
    p.data = W.clone()
    optimizer = make([p])
    refuses(optimizer, optimizer.step, r"parameter 0 of group 0: its gradient has the shape \(1, 3\); \(4, 3\)")


@both
def test_memory_that_is_gone(make):
    for spoil in ("weights", "gradient"):
        optimizer, _, second = model(make)
        (second if spoil == "weights" else second.grad).untyped_storage().resize_(8)
        says = "it lies" if spoil == "weights" else "its gradient lies"
        refuses(optimizer, optimizer.step, f"second.weight: {says} in 8 bytes of memory; 48 were needed")


@both
def test_a_parameter_whose_elements_share_memory(make):
    optimizer, _, second = model(make)
    second.data = overlapping(second.data)
    refuses(optimizer, optimizer.step, r"second.weight: it has elements that share memory \(strides \(0, 1\)\)")


@both
def test_a_gradient_without_memory_of_its_own(make):
    p = torch.nn.Parameter(W.clone())
    p.grad = WithoutMemory(G.clone())
    optimizer = make([p])
    if optimizer.defaults["fused"]:
        refuses(optimizer, optimizer.step, "a WithoutMemory belongs to it; fused=True needs plain tensors")
    else:
        optimizer.step()
        twin = torch.nn.Parameter(W.clone())
        twin.grad = G.clone()
        make([twin]).step()
        assert torch.equal(p, twin)


@both
@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.float8_e4m3fn], ids=str)
def test_dtypes_that_are_not_supported(make, dtype):
    p = torch.nn.Parameter(torch.ones(4, 3).to(dtype), requires_grad=False)
    p.grad = torch.ones(4, 3).to(dtype)
    optimizer = make([p])
    refuses(optimizer, optimizer.step, f"it is {dtype}; supported are float16, bfloat16, float32, float64, complex32")


@pytest.mark.parametrize("spoilt", ["w", "g", "m", "views"])
def test_a_compiled_step_asks_again_when_it_runs(spoilt):
    tensors = {"w": W.clone(), "g": G.clone(), "m": torch.zeros(4, 3)}
    views = [1, 3, 0] if spoilt == "views" else [1, 0]
    if spoilt != "views":
        tensors[spoilt] = tensors[spoilt][:2].clone() if spoilt != "w" else torch.ones(400, 3)
    w, g, m = tensors.values()
    rule = [0.0, 0.75, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.0]
    kept = w.clone()
    says = "views has heads of 3 slices" if spoilt == "views" else r"its \w+ has the shape"
    with pytest.raises(RuntimeError, match=f"parameter 0 of a compiled step: {says}"):
        torch.ops.tangency.fused_step([w], [m], [g], 1, [0], rule, views, 0.125, None, None, None)
    assert torch.equal(w, kept)


@both
def test_nothing_moves_where_a_later_group_is_wrong(make):
    first, second = torch.nn.Parameter(W.clone()), torch.nn.Parameter(W.clone())
    first.grad, second.grad = G.clone(), G.to_sparse()
    optimizer = make([{"params": [first]}, {"params": [second]}])
    refuses(optimizer, optimizer.step, "does not support sparse gradients")
    assert len(optimizer.state) == 0
    second.grad = G.clone()
    optimizer.param_groups[1]["lr"] = torch.ones(3)
    refuses(optimizer, optimizer.step, r"lr must be .* one element, got a tensor of shape \(3,\)", ValueError)
    assert len(optimizer.state) == 0
