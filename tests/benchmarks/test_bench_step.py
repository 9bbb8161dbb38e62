"""The benchmark verifies before it times, and interleaves what it times."""

from typing import Any

import pytest
import torch

from tangency.benchmarks import bench_step
from tangency.benchmarks.bench_step import (
    ADAM_OPTIONS,
    SGD_OPTIONS,
    Contender,
    contenders,
    interleaved,
    table,
    verified,
)
from tangency.optim import SGDP, AdamP

FAMILIES = ("sgd", "adam")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_contender_with_an_algorithm_is_verified(family: str) -> None:
    found = [contender for contender in contenders(family) if contender.algorithm]
    assert found
    for contender in found:
        verified(contender)


@pytest.mark.parametrize(
    ("kind", "options", "algorithm", "wrong"),
    [
        (SGDP, SGD_OPTIONS, "sgdp", {"delta": 0.0}),
        (SGDP, SGD_OPTIONS, "sgdp", {"delta": 100.0}),
        (SGDP, SGD_OPTIONS, "sgdp", {"wd_ratio": 0.125}),
        (SGDP, SGD_OPTIONS, "sgdp", {"nesterov": True}),
        (AdamP, ADAM_OPTIONS, "adamp", {"delta": 0.0}),
        (AdamP, ADAM_OPTIONS, "adamp", {"delta": 100.0}),
        (AdamP, ADAM_OPTIONS, "adamp", {"maximize": True}),
    ],
)
def test_a_wrong_optimizer_is_never_timed(kind: Any, options: Any, algorithm: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="times the bound"):
        verified(Contender("wrong", kind, options, algorithm, wrong))


def test_the_order_turns_from_round_to_round() -> None:
    order: list[int] = []
    seconds = interleaved([lambda i=i: order.append(i) for i in range(3)], 4)  # type: ignore[misc]
    assert order == [0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 1, 2]
    assert [len(times) for times in seconds] == [4, 4, 4]


def test_the_table_shows_quantiles_and_the_ratio_of_medians() -> None:
    header, first, second = table(["a", "b"], [[0.001] * 5, [0.002, 0.003, 0.004, 0.005, 0.006]])
    assert header.split() == ["ms", "a", "step", "p20", "p50", "p80", "ratio"]
    assert first.split() == ["a", "1.000", "1.000", "1.000", "1.00"]
    assert second.split() == ["b", "2.800", "4.000", "5.200", "4.00"]


def test_a_step_moves_every_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    ours = contenders("sgd")[3]
    monkeypatch.setattr(Contender, "make", lambda self, params: made.extend(params) or SGDP(params, **self.options))
    step = bench_step.stepper(ours, "small", "cpu")
    before = [p.detach().clone() for p in made]
    step()
    assert made
    assert not any(torch.equal(old, new) for old, new in zip(before, made, strict=True))
