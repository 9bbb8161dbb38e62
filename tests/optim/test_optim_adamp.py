"""AdamP, step for step, against a plain recomputation."""

import math

import pytest
import torch
from optim_paths import every_path
from optim_reference import PROBLEMS, assert_within, problem, spec

from tangency.optim import AdamP
from tangency.optim.rule import bias_correction

OPTIONS = [
    {},
    {"betas": (0.5, 0.25)},
    {"betas": (0.0, 0.0)},
    {"betas": (0.9, 0.5), "nesterov": True},
    {"eps": 0.5},
    {"weight_decay": 0.5},
    {"weight_decay": 0.5, "wd_ratio": 0.75, "nesterov": True},
    {"delta": 0.9},
    {"delta": 0.0, "weight_decay": 0.25},
]


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@every_path
def test_steps_agree_with_the_formulas(name, options, path):
    w, grads = problem(name)
    p = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimizer = AdamP([p], lr=0.125, **options, **path)
    expected = spec("adamp", w, grads, lr=0.125, **options)
    for t, (g, step) in enumerate(zip(grads, expected, strict=True), start=1):
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()
        state = optimizer.state[p]
        assert_within(p.detach().numpy(), step.w)
        for moment in ("exp_avg", "exp_avg_sq"):
            assert_within(state[moment].numpy(), step.state[moment])
        assert state["step"].item() == t


def test_the_step_counter_is_a_float32_scalar_on_the_cpu():
    p = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    p.grad = torch.ones_like(p)
    optimizer = AdamP([p])
    optimizer.step()
    step = optimizer.state[p]["step"]
    assert (step.shape, step.dtype, step.device.type) == ((), torch.float32, "cpu")


@every_path
def test_a_late_gradient_has_its_own_step_count(path):
    early, late = (torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64)) for _ in range(2))
    alone = torch.nn.Parameter(late.detach().clone())
    optimizer, reference = AdamP([early, late], lr=0.5, **path), AdamP([alone], lr=0.5, **path)
    for has_grad in (False, False, True):
        early.grad = torch.tensor([0.5, 3.0], dtype=torch.float64)
        late.grad = torch.tensor([2.0, 1.0], dtype=torch.float64) if has_grad else None
        before = late.detach().clone()
        optimizer.step()
        assert has_grad or torch.equal(before, late)
        assert (late in optimizer.state) == has_grad
    alone.grad = late.grad.clone()
    reference.step()
    assert torch.equal(alone, late)
    assert [optimizer.state[p]["step"].item() for p in (early, late)] == [3.0, 1.0]


@pytest.mark.parametrize("beta", [0.0, 1e-300, 0.5, 0.9, 0.999, 1 - 2**-30, 1 - 2**-53])
@pytest.mark.parametrize("t", [1, 2, 1000, 2**24])
def test_bias_corrections_do_not_cancel(beta, t):
    actual = bias_correction(beta, torch.tensor(float(t), dtype=torch.float64)).item()
    # −expm1(t log β) with log β from log1p: 1 − β is exact for β ≥ 1/2 (Sterbenz).
    log = math.log1p(-(1 - beta)) if beta >= 0.5 else (math.log(beta) if beta else -math.inf)
    expected = -math.expm1(t * log)
    assert abs(actual - expected) <= 8 * 2**-53 * expected
