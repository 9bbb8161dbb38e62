"""Everybody trains the same network on the same batches."""

import pytest
import torch
from torch import nn

from tangency.benchmarks.contenders import contenders
from tangency.benchmarks.steps import Competitors
from tangency.benchmarks.training import BATCH, batches, network, train


def test_the_network_is_resnet_20() -> None:
    model = network()
    assert sum(p.numel() for p in model.parameters()) == 269_722
    assert sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv2d)) == 267_696
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_batch_is_the_same_for_everybody() -> None:
    (first, labels), (again, same), (other, _) = batches(1)(3), batches(1)(3), batches(1)(4)
    assert torch.equal(first, again)
    assert torch.equal(labels, same)
    assert not torch.equal(first, other)
    assert first.shape == (BATCH, 3, 32, 32)


@pytest.mark.parametrize("name", ["SGDP", "AdamP"])
def test_training(name: str) -> None:
    fused, foreach, _, loop, *_ = contenders(name)
    told: list[tuple[int, int]] = []
    found = train(
        Competitors(name, (fused, foreach, loop), ()),
        budget=0,
        batch=8,
        model=lambda: network(width=2, depth=1),
        watch=lambda *done: told.append(done),
    )
    base, same, ours = found.rows
    assert told[-1] == (found.steps, found.steps)
    assert base.overhead == type(base.overhead)(1, 1, 1)
    # The same steps in another order of operations differ by less than other steps.
    assert abs(base.loss - same.loss) < abs(base.loss - ours.loss)
    assert all(0 < row.share.p50 < 1 for row in found.rows)
    assert found.parameters == sum(p.numel() for p in network(width=2, depth=1).parameters())
