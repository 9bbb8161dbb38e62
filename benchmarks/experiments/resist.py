"""The task of Figure 4: adversarial training by projected gradient descent (Madry et al. 2018)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.classify import accuracy, prepared
from tangency.benchmarks.experiments.fit import fit


def lengths(x: Tensor) -> Tensor:
    """The norm of each image, never 0, to divide images by."""
    norms: Tensor = x.flatten(1).norm(dim=1)
    return norms.clamp(min=torch.finfo(x.dtype).tiny).reshape(-1, 1, 1, 1)


def attacked(model: nn.Module, batch: data.Split, config: dict[str, Any], generator: torch.Generator) -> Tensor:
    """Inputs within ε of the batch's for which the loss is as large as ``iterations`` steps make it.

    Args:
        model: left as it is, but for the statistics of batch normalisation in training mode.
        batch: inputs and labels.
        config: ``threat``, ``Linf`` or ``L2``; ``epsilon``, in units of the standardised pixels; ``iterations``.
        generator: of the start within the ball.
    """
    linf = config["threat"] == "Linf"
    epsilon, size = config["epsilon"], 2.5 * config["epsilon"] / config["iterations"]

    def in_ball(x: Tensor) -> Tensor:
        inside: Tensor = x.clamp(-epsilon, epsilon) if linf else x * (epsilon / lengths(x)).clamp(max=1)
        return inside

    moved = in_ball(epsilon * (2 * torch.rand(batch.x.shape, generator=generator) - 1))
    for _ in range(config["iterations"]):
        moved.requires_grad_()
        (g,) = torch.autograd.grad(functional.cross_entropy(model(batch.x + moved), batch.y), moved)
        step = g.sign() if linf else g / lengths(g)
        moved = in_ball((moved + size * step).detach())
    return batch.x + moved


def resist(config: dict[str, Any]) -> dict[str, Any]:
    """Train a classifier on attacked images; ``test`` and ``validation`` are accuracies under attack, in percent.

    Args:
        config: as of `classify`, with ``threat``, ``epsilon`` and ``iterations``.

    Returns:
        As of `fit`, with ``clean``, the accuracy on test images as they are.
    """
    model, found, given = prepared(config)
    generator = torch.Generator().manual_seed(config["seed"] + 2)

    def loss(batch: data.Split) -> Tensor:
        return functional.cross_entropy(model(attacked(model, batch, config, generator)), batch.y)

    def score(split: str) -> float:
        part: data.Split = getattr(found, split)
        fixed = torch.Generator().manual_seed(config["seed"] + 3)
        model.eval()
        size = config.get("attacked", 500)
        small = data.Split(part.x[:size], part.y[:size])
        return accuracy(model, data.Split(attacked(model, small, config, fixed), small.y))

    given.update(loss=loss, score=score)
    result = fit(config, model, **given)
    return {"data": found.digest, **result, "clean": accuracy(model, found.test)}
