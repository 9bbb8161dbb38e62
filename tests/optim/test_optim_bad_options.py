"""Options that a step or a load refuses, on every path, and those that it takes though they are beyond a dtype."""

import copy
import re

import pytest
import torch
from optim_refusals import OPTIMIZERS, G, W, adamp, both, model, refuses

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
