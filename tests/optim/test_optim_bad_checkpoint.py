"""Checkpoints that a load refuses: by name, and with everything left as it was."""

import copy

import numpy as np
import pytest
import torch
from optim_paths import PATHS
from optim_reference import assert_same_steps
from optim_refusals import OPTIMIZERS, W, model, refuses


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
