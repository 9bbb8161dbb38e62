"""The task of most studies: a small ResNet learns to classify images."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.fit import fit
from tangency.benchmarks.experiments.history import convolutions
from tangency.benchmarks.training import network


def batches(split: data.Split, size: int, steps: int, seed: int) -> Iterator[data.Split]:
    """Batches of shuffled data, all of one size; the last epoch may be a part of one."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(split.y), generator=generator)
        for chosen in order[: len(order) // size * size].reshape(-1, size):
            if steps == 0:
                return
            steps -= 1
            yield data.Split(split.x[chosen], split.y[chosen])


def length(split: data.Split, config: dict[str, Any]) -> tuple[int, int]:
    """The steps of a run and of an epoch."""
    epoch = max(1, len(split.y) // config["batch"])
    return max(1, round(config["epochs"] * epoch)), epoch


@torch.no_grad()
def accuracy(model: nn.Module, split: data.Split) -> float:
    """In percent, in evaluation mode."""
    model.eval()
    parts = zip(torch.split(split.x, 512), torch.split(split.y, 512), strict=True)
    right = sum(int((model(x).argmax(1) == y).sum().item()) for x, y in parts)
    model.train()
    return 100 * right / len(split.y)


def classify(config: dict[str, Any]) -> dict[str, Any]:
    """Train and test one network; scores are accuracies in percent.

    Args:
        config: ``data``, ``width``, ``depth``, ``batch``, ``epochs``, ``seed``, and what `fit` reads.
    """
    model, found, given = prepared(config)
    return {"data": found.digest, **fit(config, model, **given)}


def prepared(config: dict[str, Any], found: data.Data | None = None) -> tuple[nn.Module, data.Data, dict[str, Any]]:
    """The network of a run, its data (those that it names, unless others are given), and what else `fit` is given."""
    found = found or data.classification(config)
    torch.manual_seed(config["seed"])
    model = network(config["width"], config["depth"], found.train.x.shape[1], found.classes)
    steps, epoch = length(found.train, config)
    given = {
        "batches": batches(found.train, config["batch"], steps, config["seed"] + 1),
        "loss": lambda batch: functional.cross_entropy(model(batch.x), batch.y),
        "score": scores(model, found),
        "steps": steps,
        "epoch": epoch,
        "invariant": convolutions(model),
    }
    return model, found, given


def scores(model: nn.Module, found: data.Data) -> Callable[[str], float]:
    """The accuracy on a split, by its name."""
    return lambda split: accuracy(model, getattr(found, split))
