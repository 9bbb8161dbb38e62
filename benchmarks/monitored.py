"""What the monitor adds to training: ``python -m tangency.benchmarks.monitored``.

ResNet-20 on made-up pictures, as in `training`: copies train side by side, on the same batches, one without a monitor
and others with every, every tenth or every hundredth step sampled. Means count, and not medians: a sample is rare.
"""

import copy
import statistics as averages
import time
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tangency.benchmarks.training import batches, network
from tangency.optim import SGDP, AdamP, Monitor

EVERY = (1, 10, 100)
OPTIMIZERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "AdamW": (torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.1, "fused": True}),
    "SGDP": (SGDP, {"lr": 0.1, "momentum": 0.9, "fused": True}),
    "AdamP": (AdamP, {"lr": 1e-3, "fused": True}),
}


def overheads(name: str, *, rounds: int = 100, batch: int = 128, device: str = "cpu") -> dict[int, float]:
    """The seconds that a monitor adds to a step, over those of a training step without one.

    Args:
        name: of `OPTIMIZERS`.
        rounds: training steps of each copy, after five that are not counted.
        batch: pictures a step.
        device: where to train.

    Returns:
        By how many steps there are between samples.
    """
    kind, options = OPTIMIZERS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first = network().to(device)
    nets = [copy.deepcopy(first) for _ in (0, *EVERY)]
    optimizers = [kind(net.parameters(), **options) for net in nets]
    for every, net, optimizer in zip(EVERY, nets[1:], optimizers[1:], strict=True):
        Monitor(optimizer, every=every, names=net.named_parameters())
    get = batches(0, batch)
    whole, steps = [], [[] for _ in nets]  # type: list[float], list[list[float]]
    for step in range(rounds + 5):
        images, labels = (x.to(device) for x in get(step))
        for i, (net, optimizer) in enumerate(zip(nets, optimizers, strict=True)):
            started = time.perf_counter()
            _pass(net, images, labels)
            before = time.perf_counter()
            optimizer.step()
            _wait(device)
            ended = time.perf_counter()
            if step >= 5:
                steps[i].append(ended - before)
                if i == 0:
                    whole.append(ended - started)
    base = averages.fmean(steps[0])
    return {
        every: (averages.fmean(own) - base) / averages.fmean(whole) for every, own in zip(EVERY, steps[1:], strict=True)
    }


def _pass(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    net.zero_grad()
    loss = functional.cross_entropy(net(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for the device


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    print("what a monitor adds to a training step of ResNet-20, batches of 128, by steps between samples")
    for name in OPTIMIZERS:
        print(f"{name:6}", "  ".join(f"every {every}: {share:+.2%}" for every, share in overheads(name).items()))
