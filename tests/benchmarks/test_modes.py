"""Eq. 11 decides on the problems under the clock what it is meant to, as the exact spec and our own optimizers say."""

import pytest
import torch

from tangency.benchmarks import modes
from tangency.benchmarks.modes import DTYPES, MODES, WrongMode, check, decided, problem, wanted
from tangency.benchmarks.shapes import Weight, small
from tangency.optim.projection import project
from tangency.theory.fields import EXACT, rational
from tangency.theory.projection import View, choose_view

SHAPES = [
    Weight("a", "conv", (4, 3, 3, 3)),
    Weight("b", "linear", (5, 7)),
    Weight("c", "conv", (1, 8)),
    Weight("d", "norm", (6,)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_the_decision_is_the_one_that_is_meant(mode: str, dtype: str) -> None:
    for weight, p in zip(SHAPES, problem(SHAPES, mode, dtype=dtype), strict=True):
        assert p.grad is not None
        assert p.dtype is p.grad.dtype is getattr(torch, dtype)
        w, g = (EXACT.array(x.detach().double().numpy()) for x in (p, p.grad))
        assert choose_view(EXACT, w, g, rational(modes.DELTA)) is decided(p, p.grad) is wanted(mode, weight)
        x, y = p.detach().double(), p.grad.double()
        _, projected = project(x, y, y, ndim=p.dim(), delta=modes.DELTA)
        assert bool(projected) is (wanted(mode, weight) != View.NONE)


def test_what_is_wanted() -> None:
    conv, matrix, row, vector = SHAPES
    assert [wanted("trained", weight).value for weight in SHAPES] == ["channel", "none", "channel", "none"]
    assert wanted("layer", conv) is wanted("layer", matrix) == View.LAYER
    assert wanted("layer", row) == View.CHANNEL
    assert {wanted(mode, vector) for mode in MODES} == {View.NONE}


def test_a_step_under_the_clock_moves_no_decision() -> None:
    weights = small()
    params = problem(weights, "trained")
    before = [p.detach().clone() for p in params]
    optimizer = torch.optim.AdamW(params, lr=modes.STILL, weight_decay=0.1)
    for _ in range(100):
        optimizer.step()
    check(weights, params, "trained")
    worst = max(float((p - q).detach().abs().max()) for p, q in zip(params, before, strict=True))
    assert worst <= 100 * 2 * modes.STILL * 1.1


def test_another_decision_is_refused() -> None:
    weights = small()
    params = problem(weights, "channel")
    with pytest.raises(WrongMode, match=r"conv.conv \(32, 16, 3, 3\): Eq. 11 decides channel; meant was none"):
        check(weights, params, "none")


def test_a_cosine_near_the_threshold_is_refused() -> None:
    w = torch.tensor([[1.0, 0.0]])
    g = torch.tensor([[0.1 / 2**0.5, 1.0]])
    with pytest.raises(WrongMode, match="too near the threshold"):
        decided(w, g)


def test_a_row_of_one_element_is_never_orthogonal() -> None:
    with pytest.raises(WrongMode):
        problem([Weight("column", "linear", (8, 1))], "channel")
