"""SGDP, step for step, against a plain recomputation."""

from fractions import Fraction

import pytest
import torch
from optim_paths import every_path
from optim_reference import PROBLEMS, assert_within, problem, spec

from tangency.optim import SGDP
from tangency.theory.fields import rational
from tangency.theory.projection import View

OPTIONS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.5, "dampening": 0.25},
    {"momentum": 0.5, "dampening": -0.5, "nesterov": True},
    {"nesterov": True, "dampening": 0.5},
    {"weight_decay": 0.5},
    {"momentum": 0.75, "weight_decay": 0.25, "wd_ratio": 0.5},
    {"momentum": 0.9, "weight_decay": 0.25, "wd_ratio": 0.0, "nesterov": True},
    {"momentum": 0.9, "delta": 0.9},
    {"momentum": 0.9, "delta": 0.0, "weight_decay": 0.25},
    {"momentum": 1.0},
]


def run(name, **options):
    """Steps of SGDP: weights and buffer (None without one) after each."""
    w, grads = problem(name)
    p = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimizer = SGDP([p], lr=0.125, **options)
    for g in grads:
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()
        yield p.detach().numpy().copy(), optimizer.state.get(p, {}).get("momentum_buffer")


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@every_path
def test_steps_agree_with_the_formulas(name, options, path):
    w, grads = problem(name)
    expected = spec("sgdp", w, grads, lr=0.125, **options)
    for (w1, buffer), step in zip(run(name, **options, **path), expected, strict=True):
        assert_within(w1, step.w)
        if options.get("momentum", 0) == 0:
            assert buffer is None
        else:
            assert_within(buffer.numpy(), step.state["momentum_buffer"])


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("channel", View.CHANNEL),
        ("layer", View.LAYER),
        ("neither", View.NONE),
        ("vector", View.NONE),
        ("conv", View.CHANNEL),
    ],
)
def test_the_problems_exercise_every_view(name, view):
    w, grads = problem(name)
    assert next(spec("sgdp", w, grads, lr=0.125)).view is view


@every_path
def test_the_buffer_holds_the_unprojected_update(path):
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
    optimizer = SGDP([w], lr=0.0, momentum=0.5, **path)
    for g in ([3.0, 4.0], [-4.0, 3.0]):
        w.grad = torch.tensor([g])
        optimizer.step()
    assert optimizer.state[w]["momentum_buffer"].tolist() == [[-2.5, 5.0]]


@every_path
def test_a_projected_update_is_orthogonal_and_lengthens_as_eq_12_says(path):
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    optimizer = SGDP([w], lr=0.25, momentum=0.5, **path)
    w.grad = torch.tensor([[4.0, 2.0]], dtype=torch.float64)
    optimizer.step()
    assert w.tolist() == [[2.0, 3.5]]  # not projected: the buffer is now (4, 2)
    w.grad = torch.tensor([[-3.5, 2.0]], dtype=torch.float64)
    optimizer.step()
    # p = (-1.5, 3), w·p = 7.5, q = p − 7.5/16.25 (2, 3.5), ‖q‖² = 11.25 − 7.5²/16.25
    _, step = spec("sgdp", [[3.0, 4.0]], [[[4.0, 2.0]], [[-3.5, 2.0]]], lr=0.25, momentum=0.5)
    assert_within(w.detach().numpy(), step.w)
    square = (step.w * step.w).sum()
    assert_within((w**2).sum().item(), square)
    assert square.value.contains(rational(Fraction(65, 4) + Fraction(1, 16) * (Fraction(45, 4) - Fraction(225, 65))))


@every_path
def test_a_buffer_from_before_is_kept_up_to_date_without_momentum(path):
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = SGDP([w], lr=0.5, momentum=0.5, **path)
    w.grad = torch.tensor([4.0, 8.0])
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0
    w.grad = torch.tensor([1.0, 1.0])
    optimizer.step()
    assert optimizer.state[w]["momentum_buffer"].tolist() == [1.0, 1.0]
    assert w.tolist() == [-1.5, -2.5]


def test_eps_has_no_effect():
    results = []
    for eps in (0.0, 1e-8, 1e3):
        w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
        w.grad = torch.tensor([[-4.0, 3.0]])
        SGDP([w], lr=0.5, eps=eps).step()
        results.append(w.tolist())
    assert results == [[[5.0, 2.5]]] * 3


def test_weight_decay_at_momentum_one_is_refused_in_the_step_too():
    w = torch.nn.Parameter(torch.ones(2))
    w.grad = torch.ones(2)
    optimizer = SGDP([w], lr=0.5, momentum=0.5, weight_decay=0.1)
    optimizer.param_groups[0]["momentum"] = 1
    with pytest.raises(ValueError, match="weight_decay must be 0 where momentum is 1"):
        optimizer.step()
    assert w.tolist() == [1.0, 1.0]
