"""What a step or a load refuses, on every path: by name, and with everything left as it was."""

import copy
import re

import numpy as np
import pytest
import torch
from optim_paths import PATHS, on_every_path
from optim_reference import assert_same_steps

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "weight_decay": 0.25, **more}),
}
both = on_every_path(OPTIMIZERS)
adamp = on_every_path({"AdamP": OPTIMIZERS["AdamP"]})
W = torch.tensor([[1.0, 2.0, 2.0], [3.0, -1.0, 0.5], [0.25, 1.0, -2.0], [1.5, 0.5, 1.0]])
G = W.flip(0) - 0.5


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


def model(make, **more):
    """An optimizer after a step of two named parameters in two groups, the second of them to be spoilt."""
    first, second = torch.nn.Parameter(W.clone()), torch.nn.Parameter(W.clone())
    first.grad, second.grad = G.clone(), G.clone()
    groups = [{"params": [("first.weight", first)]}, {"params": [("second.weight", second)], "lr": 0.25}]
    optimizer = make(groups, **more)
    optimizer.step()
    return optimizer, first, second


def everything(optimizer):
    """Bytes of all parameters and states, and all options."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    tensors = [x for p in params for x in (p, *optimizer.state.get(p, {}).values())]
    held = [
        (tuple(x.shape), x.dtype, bytes(x.untyped_storage().tolist()) if x.device.type == "cpu" else b"")
        for x in tensors
        if isinstance(x, torch.Tensor) and x.layout is torch.strided
    ]
    options = [{k: repr(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    return held, [list(optimizer.state.get(p, {})) for p in params], options


def refuses(optimizer, action, says, kind=RuntimeError):
    before = everything(optimizer)
    with pytest.raises(kind, match=says):
        action()
    assert everything(optimizer) == before


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


@pytest.mark.parametrize("spoilt", ["w", "g", "m"])
def test_a_compiled_step_asks_again_when_it_runs(spoilt):
    tensors = {"w": W.clone(), "g": G.clone(), "m": torch.zeros(4, 3)}
    tensors[spoilt] = tensors[spoilt][:2].clone() if spoilt != "w" else torch.ones(400, 3)
    w, g, m = tensors.values()
    rule = [0.0, 0.75, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.0]
    kept = w.clone()
    with pytest.raises(RuntimeError, match=r"parameter 0 of a compiled step: its \w+ has the shape"):
        torch.ops.tangency.fused_step([w], [m], [g], 1, [0], rule, 0.125, None, None, None)
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


WRONG_OPTIONS = {
    "lr": [-1.0, float("nan"), "0.1", torch.ones(2), torch.tensor(float("nan")), torch.tensor(1)],
    "weight_decay": [-0.5, float("inf")],
    "delta": [float("nan"), -1.0, None],
    "wd_ratio": [2.0],
    "nesterov": [1],
    "fused": ["yes"],
}


@both
def test_options_that_were_changed_to_what_the_constructor_refuses(make):
    for name, values in WRONG_OPTIONS.items():
        for value in values:
            optimizer, *_ = model(make)
            optimizer.param_groups[1][name] = value
            refuses(optimizer, optimizer.step, f"^{name} must be", (TypeError, ValueError))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_options_are_checked_on_load(name):
    optimizer, *_ = model(OPTIMIZERS[name])
    both_kinds = {"betas": [(1.5, 2), (0.5,)]} if name == "AdamP" else {"momentum": [1.5], "dampening": [float("inf")]}
    for option, values in {**WRONG_OPTIONS, **both_kinds}.items():
        for value in values:
            state = optimizer.state_dict()
            state["param_groups"] = copy.deepcopy(state["param_groups"])
            state["param_groups"][1][option] = value
            says = rf"^{re.escape(option)}.* must be"
            refuses(optimizer, lambda state=state: optimizer.load_state_dict(state), says, (TypeError, ValueError))


@both
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lr": 1e39}, r"lr.* is 1e\+\d\d.* computed in torch.float32, where 3.40282e\+38 is the largest"),
        ({"lr": torch.tensor(1e300, dtype=torch.float64)}, r"lr.* is 1e\+30\d"),
        ({"lr": 1e30, "weight_decay": 1e30}, r"lr \* weight_decay.* is"),
    ],
    ids=["lr", "tensor lr", "decay"],
)
def test_factors_beyond_the_dtype_are_refused_alike(make, options, says):
    optimizer, *_ = model(make)
    optimizer.param_groups[1].update(options)
    refuses(optimizer, optimizer.step, says, ValueError)
    # Wider parameters compute with them.
    p = torch.nn.Parameter(W.double())
    p.grad = G.double()
    make([p], **options).step()
    assert p.isfinite().all() or options["lr"] >= 1e300


@adamp
def test_an_epsilon_beyond_the_dtype_is_refused(make):
    optimizer, *_ = model(make)
    optimizer.param_groups[1]["eps"] = 1e300
    refuses(optimizer, optimizer.step, r"eps is 1e\+300", ValueError)


@both
@pytest.mark.filterwarnings("error")
def test_any_delta_may_be_computed_with(make):
    found = []
    for delta in (1e39, 1e300, 8.0):
        p = torch.nn.Parameter(W.clone())
        p.grad = G.clone()
        make([p], delta=delta).step()
        found.append(p.detach())
    # All rows pass with each of them.
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[1], found[2])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_checkpoint_of_other_shapes_is_refused(name):
    optimizer, *_ = model(OPTIMIZERS[name])
    smaller = torch.nn.Parameter(W.clone()), torch.nn.Parameter(W[:2].clone())
    for p in smaller:
        p.grad = torch.ones_like(p)
    other = OPTIMIZERS[name]([{"params": [smaller[0]]}, {"params": [smaller[1]]}])
    other.step()
    says = r"parameter second.weight: its \w+ has the shape \(2, 3\); \(4, 3\) was needed"
    refuses(optimizer, lambda: optimizer.load_state_dict(other.state_dict()), says, ValueError)


def test_a_checkpoint_with_buffers_missing_or_unknown_is_refused():
    optimizer, *_ = model(OPTIMIZERS["AdamP"])
    for change, says in [
        (lambda state: state.pop("exp_avg"), "its state has no exp_avg; it holds step, exp_avg, exp_avg_sq"),
        (lambda state: state.pop("step"), "its state has no step"),
        (lambda state: state.update(max_exp_avg_sq=W), "its state has max_exp_avg_sq, which is not known here"),
        (lambda state: state.update(momentum=state.pop("exp_avg")), "its state has momentum, which is not known"),
        (lambda state: state.update(exp_avg=None), "its state has no exp_avg;"),
        (lambda state: state.update(exp_avg=0.5), "its exp_avg is 0.5"),
    ]:
        saved = copy.deepcopy(optimizer.state_dict())
        change(saved["state"][1])
        refuses(optimizer, lambda saved=saved: optimizer.load_state_dict(saved), f"second.weight: {says}", ValueError)


@pytest.mark.parametrize(
    "value",
    [3, 3.0, np.int64(3), np.float16(3), torch.tensor(3), torch.tensor([3.0], dtype=torch.float64), torch.tensor(3.0)],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'dtype', '')}",
)
def test_counters_of_any_numeric_kind_are_loaded(value):
    found = []
    for path in PATHS.values():
        optimizer, _, second = model(OPTIMIZERS["AdamP"], **path)
        saved = copy.deepcopy(optimizer.state_dict())
        saved["state"][1]["step"] = value
        optimizer.load_state_dict(saved)
        step = optimizer.state[second]["step"]
        assert (step.dtype, step.shape, step.item()) == (torch.float32, (), 3.0)
        optimizer.step()
        assert step.item() == 4.0
        found.append(second.detach().clone())
    for w in found[1:]:
        assert_same_steps(w, found[0], 1)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "3", torch.ones(2), None])
def test_counters_that_count_nothing_are_refused(value):
    optimizer, *_ = model(OPTIMIZERS["AdamP"])
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][1]["step"] = value
    refuses(optimizer, lambda: optimizer.load_state_dict(saved), "second.weight: its st", ValueError)


@both
def test_memory_that_holds_the_negative_or_the_conjugate_steps_as_any_other(make):
    z, g = torch.view_as_complex(W.reshape(3, 2, 2)), torch.view_as_complex(G.reshape(3, 2, 2))
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


@both
def test_subnormal_weights_survive_a_flush_that_float32_is_told(make):
    try:
        if not torch.set_flush_denormal(True):
            pytest.skip("this CPU does not flush subnormal numbers")
        found = []
        for dtype in (torch.float16, torch.float32):
            p = torch.nn.Parameter((W * 2.0**-20).to(dtype))
            p.grad = (G * 2.0**-20).to(dtype)
            optimizer = make([p])
            optimizer.step()
            found.append((p.detach(), *optimizer.state[p].values()))
    finally:
        torch.set_flush_denormal(False)
    for short, wide in zip(*found, strict=True):
        assert torch.equal(short, wide.to(short.dtype))
