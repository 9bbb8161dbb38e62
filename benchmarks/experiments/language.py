"""The task of Table 5: a transformer predicts the next letter, or word."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.fit import fit


class Block(nn.Module):
    """Attention and a feed-forward part, each after its layer normalisation and beside a skip connection."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attend, self.project = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, dim = x.shape
        parts = self.attend(self.before(x)).view(batch, length, 3, self.heads, dim // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(seen.transpose(1, 2).reshape(batch, length, dim))
        out: Tensor = x + self.down(functional.gelu(self.up(self.between(x))))
        return out


class Transformer(nn.Module):
    """A decoder with learned positions.

    Args:
        letters: of the vocabulary.
        dim, heads, layers: of the blocks.
        context: the longest input.
        normalised: whether the weights of the blocks are weight-normalised (Salimans & Kingma 2016), rows of their
            directions being scale-invariant then.
    """

    def __init__(self, letters: int, dim: int, heads: int, layers: int, context: int, *, normalised: bool) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, dim), nn.Embedding(context, dim)
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(layers)))
        self.last, self.head = nn.LayerNorm(dim), nn.Linear(dim, letters)
        if normalised:
            for module in self.blocks.modules():
                if isinstance(module, nn.Linear):
                    weight_norm(module)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.letters(x) + self.places(torch.arange(x.shape[1], device=x.device))
        found: Tensor = self.head(self.last(self.blocks(seen)))
        return found


def _windows(x: Tensor, config: dict[str, Any], steps: int, seed: int) -> Iterator[Tensor]:
    """Batches of windows at random places, of one letter more than the context."""
    generator = torch.Generator().manual_seed(seed)
    reach = torch.arange(config["context"] + 1)
    for _ in range(steps):
        starts = torch.randint(len(x) - config["context"], (config["batch"], 1), generator=generator)
        yield x[starts + reach]


@torch.no_grad()
def perplexity(model: nn.Module, x: Tensor, config: dict[str, Any]) -> float:
    """Of the first windows of a text, without overlap."""
    context = config["context"]
    windows = x[: len(x) // (context + 1) * (context + 1)].reshape(-1, context + 1)[: config.get("windows", 200)]
    model.eval()
    losses = [_loss(model, part).item() * len(part) for part in torch.split(windows, 50)]
    model.train()
    return math.exp(min(50.0, math.fsum(losses) / len(windows)))


def _loss(model: nn.Module, windows: Tensor) -> Tensor:
    predicted = model(windows[:, :-1])
    return functional.cross_entropy(predicted.flatten(0, 1), windows[:, 1:].flatten())


def language(config: dict[str, Any]) -> dict[str, Any]:
    """Train a language model; scores are perplexities, with a minus sign.

    Args:
        config: ``text`` (``kjv``, or ``words`` with ``root``), ``dim``, ``heads``, ``layers``, ``context``, ``batch``,
            ``steps``, ``normalised``, ``seed``, and what `fit` reads.
    """
    found = data.words(config["root"]) if config["text"] == "words" else data.text()
    torch.manual_seed(config["seed"])
    shape = (config["dim"], config["heads"], config["layers"], config["context"])
    model = Transformer(found.classes, *shape, normalised=config["normalised"])
    result = fit(
        config,
        model,
        _windows(found.train.x, config, config["steps"], config["seed"] + 1),
        lambda windows: _loss(model, windows),
        lambda split: -perplexity(model, getattr(found, split).x, config),
        steps=config["steps"],
        epoch=max(1, config["steps"] // 5),
        invariant=lambda name: name.endswith(".original1"),
    )
    return {"data": found.digest, **result}
