"""The task of most studies: a small ResNet learns to classify images, watched."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.experiments import data, optimizers
from tangency.benchmarks.experiments.history import History, convolutions
from tangency.benchmarks.training import network


def batches(split: data.Split, size: int, epochs: float, generator: torch.Generator) -> Iterator[data.Split]:
    """Batches of shuffled data; the last epoch may be a part of one."""
    steps = steps_of(split, size, epochs)
    while True:
        order = torch.randperm(len(split.y), generator=generator)
        for chosen in order[: len(order) // size * size].reshape(-1, size):
            if steps == 0:
                return
            steps -= 1
            yield data.Split(split.x[chosen], split.y[chosen])


def steps_of(split: data.Split, size: int, epochs: float) -> int:
    """How many steps so many epochs are."""
    return max(1, round(epochs * (len(split.y) // size)))


@torch.no_grad()
def accuracy(model: nn.Module, split: data.Split) -> float:
    """In percent, in evaluation mode."""
    model.eval()
    parts = zip(torch.split(split.x, 512), torch.split(split.y, 512), strict=True)
    right = sum(int((model(x).argmax(1) == y).sum().item()) for x, y in parts)
    model.train()
    return 100 * right / len(split.y)


def classify(config: dict[str, Any]) -> dict[str, Any]:
    """Train and test one network.

    Args:
        config: ``data``, ``width``, ``depth``, ``batch``, ``epochs``, ``schedule``, ``seed``, ``samples`` (of the
            monitor), and what `optimizers.make` reads.

    Returns:
        ``validation`` and ``test`` accuracy in percent, ``loss`` and ``curve`` (validation accuracy after each epoch),
        ``norm_first``, the mean norm of the convolutions after the first epoch, ``norm_last``; and the history. A run
        whose loss is no number ends there with the accuracy of a guess, and says ``diverged``.
    """
    found = data.classification(config)
    torch.manual_seed(config["seed"])
    model = network(config["width"], config["depth"], found.train.x.shape[1], found.classes)
    optimizer = optimizers.make(config, model.parameters())
    steps = steps_of(found.train, config["batch"], config["epochs"])
    epoch = steps_of(found.train, config["batch"], 1)
    every = max(1, steps // config.get("samples", 50))
    history = History(optimizer, model.named_parameters(), convolutions(model), every)
    losses: list[float] = []
    curve: list[float] = []
    first = math.nan
    generator = torch.Generator().manual_seed(config["seed"] + 1)
    diverged = False
    for step, batch in enumerate(batches(found.train, config["batch"], config["epochs"], generator)):
        for group in optimizer.param_groups:
            group["lr"] = config["lr"] * optimizers.factor(config["schedule"], step, steps)
        optimizer.zero_grad()
        loss: Tensor = functional.cross_entropy(model(batch.x), batch.y)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            diverged = True
            break
        optimizer.step()
        if (step + 1) % epoch == 0:
            curve.append(accuracy(model, found.validation))
            if len(curve) == 1:
                first = norm(model)
    guess = 100 / found.classes
    return {
        "validation": guess if diverged else accuracy(model, found.validation),
        "test": guess if diverged else accuracy(model, found.test),
        "loss": sum(losses[-10:]) / len(losses[-10:]) if not diverged else None,
        "curve": curve,
        "norm_first": first if math.isfinite(first) else norm(model),
        "norm_last": norm(model),
        "diverged": diverged,
        "data": found.digest,
        **history.result(),
    }


@torch.no_grad()
def norm(model: nn.Module) -> float:
    """The mean norm of the weights of convolutions."""
    norms = [float(module.weight.norm()) for module in model.modules() if isinstance(module, nn.Conv2d)]
    return sum(norms) / len(norms)
