"""Counts by hand."""

import pytest
import torch

from tangency.benchmarks.counting import Counts, count, host_peak, state_bytes

X = torch.arange(6.0)
Y = torch.ones(6)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(lambda: X * Y, Counts(1, 48, 24, 1, 24, 0), id="a product"),
        pytest.param(lambda: X * X, Counts(1, 24, 24, 1, 24, 0), id="one tensor twice"),
        pytest.param(lambda: Y.mul_(1.0), Counts(1, 24, 24, 0, 0, 0), id="in place"),
        pytest.param(lambda: Y.copy_(Y.clone()), Counts(2, 48, 48, 1, 24, 0), id="a copy does not read what it covers"),
        pytest.param(lambda: X.view(2, 3).t(), Counts(0, 0, 0, 0, 0, 0), id="a view"),
        pytest.param(lambda: torch.empty(5), Counts(1, 0, 0, 1, 20, 0), id="empty writes nothing"),
        pytest.param(lambda: X.new_zeros(5), Counts(1, 0, 20, 1, 20, 0), id="zeros read nothing"),
        pytest.param(lambda: X.sum().item(), Counts(2, 28, 4, 1, 4, 1), id="a number read back waits"),
        pytest.param(lambda: torch._foreach_mul([X, Y], 2.0), Counts(1, 48, 48, 2, 48, 0), id="a list"),
        pytest.param(lambda: torch._foreach_add_([Y], [X]), Counts(1, 48, 24, 0, 0, 0), id="a list in place"),
    ],
)
def test_one_operation(step: object, expected: Counts) -> None:
    assert callable(step)
    assert count(step) == expected
    assert expected.traffic == expected.reads + expected.writes


def test_the_peak_is_what_lives_at_one_time() -> None:
    def one_after_the_other() -> None:
        for _ in range(10):
            (X + 1).add_(1)

    def together() -> None:
        kept = [X + 1 for _ in range(10)]
        assert kept

    def through_a_view() -> None:
        kept = (X + 1)[:2]  # its base lives on
        X.clone()
        assert kept.numel() == 2

    # While the last of them is made, the one before is already gone.
    assert (count(one_after_the_other).allocations, count(one_after_the_other).peak) == (10, 24)
    assert count(together).peak == 240
    assert count(through_a_view).peak == 48


def test_a_fused_step_of_torch_makes_nothing_and_waits_for_nothing() -> None:
    params = [torch.nn.Parameter(torch.ones(50)), torch.nn.Parameter(torch.ones(50))]
    optimizer = torch.optim.AdamW(params, fused=True)
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    found = count(optimizer.step)
    assert (found.peak, found.allocations, found.synchronisations) == (0, 0, 0)
    assert found.operations == 2  # the step counters, then everything else
    assert state_bytes(optimizer) == 2 * (2 * 200 + 4)


def test_memory_of_numpy_is_measured() -> None:
    numpy = pytest.importorskip("numpy")
    assert 8e6 <= host_peak(lambda: numpy.zeros(1_000_000)) < 9e6
