"""The task of Table 6: embeddings of unit length, which retrieve images of classes that were never seen."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.classify import batches, length
from tangency.benchmarks.experiments.fit import fit
from tangency.benchmarks.experiments.history import convolutions
from tangency.benchmarks.training import network


class Embedding(nn.Module):
    """A ResNet whose last layer gives vectors that are divided by their norm."""

    def __init__(self, body: nn.Sequential) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(self.body(x), dim=1)


class ProxyAnchor(nn.Module):
    """The loss of Kim et al. (2020), with a proxy a class; α = 32 and a margin of 0.1."""

    def __init__(self, classes: int, dim: int) -> None:
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(classes, dim))

    def forward(self, found: Tensor, y: Tensor) -> Tensor:
        similar = found @ functional.normalize(self.proxies, dim=1).T
        own = functional.one_hot(y, len(self.proxies)).bool()
        # log(1 + Σ exp) over the samples of each proxy, of those it belongs to and of the others.
        pulled = _log_one_plus_sum(torch.where(own, -32 * (similar - 0.1), -torch.inf))
        pushed = _log_one_plus_sum(torch.where(own, -torch.inf, 32 * (similar + 0.1)))
        loss: Tensor = pulled[own.any(0)].mean() + pushed.mean()
        return loss


def _log_one_plus_sum(x: Tensor) -> Tensor:
    found: Tensor = torch.cat((x.new_zeros(1, x.shape[1]), x)).logsumexp(0)
    return found


def triplet(found: Tensor, y: Tensor, margin: float = 0.2) -> Tensor:
    """The loss of Schroff et al. (2015): for every pair of a class, the nearest other that is farther than the pair."""
    apart = 2 - 2 * found @ found.T
    same = y[:, None] == y[None]
    pairs = same & ~torch.eye(len(y), dtype=torch.bool)
    # Entry (a, p, n): other n is farther from a than p is; where there is none, the farthest other counts.
    farther = (apart[:, None, :] > apart[:, :, None]) & ~same[:, None, :]
    others = torch.where(~same, apart, -torch.inf).amax(1)
    nearest = torch.where(farther, apart[:, None, :], torch.inf).amin(2)
    chosen = torch.where(nearest.isinf(), others[:, None], nearest)
    losses = functional.relu(apart - chosen + margin)[pairs & chosen.isfinite()]
    return losses.mean() if losses.numel() else found.sum() * 0


@torch.no_grad()
def recall(model: nn.Module, split: data.Split) -> float:
    """Recall@1 in percent: how often the nearest other image is of the same class."""
    model.eval()
    found = torch.cat([model(part) for part in torch.split(split.x, 512)])
    model.train()
    similar = found @ found.T
    similar.fill_diagonal_(-torch.inf)
    return 100 * (split.y[similar.argmax(1)] == split.y).double().mean().item()


def retrieve(config: dict[str, Any]) -> dict[str, Any]:
    """Train an embedding on half of the classes; scores are Recall@1 among images of the others, in percent.

    Args:
        config: as of `classify`, with ``loss``, ``triplet`` or ``proxy-anchor``, and ``dim`` of the embedding.
    """
    found = data.classification(config)
    known = found.classes // 2
    torch.manual_seed(config["seed"])
    model = Embedding(network(config["width"], config["depth"], found.train.x.shape[1], config["dim"]))
    seen = found.train.y < known
    train = data.Split(found.train.x[seen], found.train.y[seen])
    anchor = ProxyAnchor(known, config["dim"])
    trained = nn.ModuleDict({"model": model, "loss": anchor}) if config["loss"] == "proxy-anchor" else model
    steps, epoch = length(train, config)

    def loss(batch: data.Split) -> Tensor:
        vectors = model(batch.x)
        return anchor(vectors, batch.y) if config["loss"] == "proxy-anchor" else triplet(vectors, batch.y)

    def score(split: str) -> float:
        part: data.Split = getattr(found, split)
        new = part.y >= known
        return recall(model, data.Split(part.x[new], part.y[new]))

    result = fit(
        config,
        trained,
        batches(train, config["batch"], steps, config["seed"] + 1),
        loss,
        score,
        steps=steps,
        epoch=epoch,
        invariant=convolutions(trained),
    )
    return {"data": found.digest, **result}
