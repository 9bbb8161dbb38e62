"""What an optimizer costs in training: its share of a step, and what the projection adds to the whole (the paper: 8 %).

ResNet-20 for 32 × 32 images (He et al. 2016, §4.2) on made-up data of ten classes. Every contender trains a copy of the
same network, from the same seed, on the same batches; one step of each in every round.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.contenders import LeftOut
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.steps import Competitors
from tangency.benchmarks.timing import Spread, interleaved, quotients, rounds_within
from tangency.common.numbers import quotient

BATCH, CLASSES, SIDE = 32, 10, 32


@dataclass(frozen=True)
class Trained:
    """One contender.

    Attributes:
        seconds: of a training step: forward, backward, and the optimizer's.
        share: of them spent in the optimizer.
        overhead: ratio of a training step to the baseline's in the same round, with its forward and backward pass: what
            another optimizer adds, free of the noise of the passes.
        loss: the mean over the last five steps.
    """

    name: str
    seconds: Spread
    share: Spread
    overhead: Spread
    loss: float


@dataclass(frozen=True)
class Training:
    """A network trained with one of our optimizers and with its competitors, the baseline first."""

    what: str
    optimizer: str
    parameters: int
    batch: int
    steps: int
    rows: tuple[Trained, ...]
    left_out: tuple[LeftOut, ...]


class _Block(nn.Module):
    """Two 3×3 convolutions and a shortcut without weights, subsampled and padded with zeros where the shape changes."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.stride, self.more = 1 if into == out else 2, out - into
        self.layers = nn.Sequential(
            nn.Conv2d(into, out, 3, self.stride, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        skipped = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return functional.relu(self.layers(x) + skipped)


def network(width: int = 16, depth: int = 3, channels: int = 3, classes: int = CLASSES) -> nn.Sequential:
    """ResNet-20 at width 16 and depth 3; 267 696 weights in convolutions, all scale-invariant."""
    widths = [width, width, 2 * width, 4 * width]
    blocks = [_Block(into if i == 0 else out, out) for into, out in pairwise(widths) for i in range(depth)]
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, classes),
    )


def batches(seed: int, batch: int = BATCH) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Noisy pictures of ten classes; batch t is the same for every contender."""
    means = torch.randn(CLASSES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))

    def get(t: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed + 1 + t)
        labels = torch.randint(CLASSES, (batch,), generator=generator)
        return means[labels] + 2 * torch.randn(batch, 3, SIDE, SIDE, generator=generator), labels

    return get


def train(
    competitors: Competitors,
    *,
    budget: float = 10.0,
    device: str = "cpu",
    seed: int = 0,
    batch: int = BATCH,
    model: Callable[[], nn.Module] = network,
    watch: Callable[[int, int], None] | None = None,
) -> Training:
    """Train a copy of the network with every contender.

    Args:
        budget: seconds to spend on rounds, about.
        watch: called with the rounds done and the rounds in all.
    """
    torch.manual_seed(seed)
    first, get = model().to(device), batches(seed, batch)
    runs = []
    for contender in competitors.ready:
        own = copy.deepcopy(first)
        optimizer = contender.make(list(own.parameters()), **OPTIMIZERS[competitors.optimizer].training)
        runs.append(_Run(own, contender.step(optimizer), get, device))
    started = time.perf_counter()
    interleaved(runs, 2)  # state and kernels come into being in the first
    rounds = rounds_within(budget, (time.perf_counter() - started) / 2)
    seconds = interleaved(runs, rounds, None if watch is None else lambda done: watch(done, rounds))
    optimizing = [run.optimizing[-rounds:] for run in runs]
    base = list(zip(seconds[0], optimizing[0], strict=True))
    rows = tuple(
        Trained(
            contender.name,
            Spread.of(whole),
            Spread.of(quotients(own, whole)),
            Spread.of([quotient(all_ - old + mine, all_) for (all_, old), mine in zip(base, own, strict=True)]),
            sum(run.losses[-5:]) / len(run.losses[-5:]),
        )
        for contender, run, whole, own in zip(competitors.ready, runs, seconds, optimizing, strict=True)
    )
    parameters = sum(p.numel() for p in first.parameters())
    return Training("ResNet-20", competitors.optimizer, parameters, batch, rounds, rows, competitors.left_out)


class _Run:
    """Trains one network; remembers its losses, and the seconds of each step that its optimizer took."""

    def __init__(self, model: nn.Module, step: Callable[[], Any], get: Callable[[int], Any], device: str) -> None:
        self._model, self._step, self._get, self._device = model, step, get, device
        self.losses: list[float] = []
        self.optimizing: list[float] = []

    def __call__(self) -> None:
        images, labels = (x.to(self._device) for x in self._get(len(self.losses)))
        self._model.zero_grad()
        loss = functional.cross_entropy(self._model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.losses.append(loss.item())  # waits for the device
        started = time.perf_counter()
        self._step()
        if self._device != "cpu":
            torch.cuda.synchronize(self._device)
        self.optimizing.append(time.perf_counter() - started)
