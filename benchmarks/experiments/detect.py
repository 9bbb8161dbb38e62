"""The task of Table 3: find and name digits that are pasted on a canvas, as CenterNet does (Zhou et al. 2019)."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.classify import batches, length
from tangency.benchmarks.experiments.fit import fit
from tangency.benchmarks.experiments.history import convolutions
from tangency.benchmarks.training import network

SIDE, DIGIT, STRIDE, MOST = 32, 8, 4, 3
CELLS = SIDE // STRIDE


class Scene(NamedTuple):
    """Canvases (n, 1, SIDE, SIDE) and what is on them: (n, MOST, 3) of label, top, left; the label −1 for nothing."""

    x: Tensor
    y: Tensor


def scenes(split: data.Split, count: int, seed: int) -> Scene:
    """Canvases with one to three digits each, which do not overlap, at any place, in noise."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(count, 1, SIDE, SIDE, generator=generator)
    y = torch.full((count, MOST, 3), -1)
    low = split.x.amin()
    for i in range(count):
        placed: list[tuple[int, int]] = []
        for j in range(int(torch.randint(1, MOST + 1, (), generator=generator))):
            top, left = torch.randint(SIDE - DIGIT + 1, (2,), generator=generator).tolist()
            if any(abs(top - a) < DIGIT and abs(left - b) < DIGIT for a, b in placed):
                continue
            placed.append((top, left))
            chosen = int(torch.randint(len(split.y), (), generator=generator))
            x[i, :, top : top + DIGIT, left : left + DIGIT] += split.x[chosen] - low
            y[i, j] = torch.tensor([int(split.y[chosen]), top, left])
    return Scene(x, y)


def detector(width: int, depth: int, classes: int) -> nn.Sequential:
    """The ResNet without its head: at a fourth of the resolution, a score a class and the place within the cell."""
    body = list(network(width, depth, 1).children())[:-3]
    last = nn.Conv2d(4 * width, classes + 2, 1)
    nn.init.constant_(last.bias[:classes], -2.2)  # type: ignore[index]
    return nn.Sequential(*body, last)


def targets(y: Tensor, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """The cell of each digit's middle (n, classes, CELLS, CELLS), its place there (n, 2, …), and which cells count."""
    heat = torch.zeros(len(y), classes, CELLS, CELLS)
    offset = torch.zeros(len(y), 2, CELLS, CELLS)
    label, top, left = y.unbind(2)
    i, j = (label >= 0).nonzero(as_tuple=True)
    middle = torch.stack((top[i, j], left[i, j]), 1) + DIGIT / 2
    cell = (middle / STRIDE).long().clamp(max=CELLS - 1)
    heat[i, label[i, j], cell[:, 0], cell[:, 1]] = 1
    offset[i, :, cell[:, 0], cell[:, 1]] = middle / STRIDE - cell
    return heat, offset, heat.amax(1, keepdim=True)


def loss_of(found: Tensor, y: Tensor, classes: int) -> Tensor:
    """The focal loss of the scores (Lin et al. 2017) a digit, and the distance of the places."""
    heat, offset, there = targets(y, classes)
    scores = found[:, :classes]
    wrong = functional.binary_cross_entropy_with_logits(scores, heat, reduction="none")
    missed = (heat - scores.sigmoid()).abs().square()
    number = there.sum().clamp(min=1)
    loss: Tensor = (missed * wrong).sum() / number + ((found[:, classes:] - offset).abs() * there).sum() / number
    return loss


@torch.no_grad()
def precision(model: nn.Module, scene: Scene, classes: int) -> float:
    """Mean average precision in percent, over classes, at an overlap (IoU) of a half."""
    model.eval()
    found = torch.cat([model(part) for part in torch.split(scene.x, 200)])
    model.train()
    heat = found[:, :classes].sigmoid()
    peaks = heat * (heat == functional.max_pool2d(heat, 3, 1, 1))
    values = []
    for label in range(classes):
        value, flat = peaks[:, label].flatten(1).topk(MOST, dim=1)
        cell = torch.stack((flat // CELLS, flat % CELLS), 2)
        offset = found[:, classes:].flatten(2).gather(2, flat[:, None].expand(-1, 2, -1)).transpose(1, 2)
        corner = (cell + offset) * STRIDE - DIGIT / 2
        order = value.flatten().argsort(descending=True)
        image = order // MOST
        right = _matched(corner.reshape(-1, 2)[order], image, scene.y, label)
        total = int((scene.y[..., 0] == label).sum())
        if total:
            exact = right.cumsum(0) / torch.arange(1, len(right) + 1)
            values.append(float((exact.flip(0).cummax(0).values.flip(0) * right).sum() / total))
    return 100 * sum(values) / max(1, len(values))


def _matched(corners: Tensor, images: Tensor, y: Tensor, label: int) -> Tensor:
    """Which detections, best first, hit a digit of the label that no better one has hit."""
    right = torch.zeros(len(corners))
    free = (y[..., 0] == label).clone()
    for k, (corner, image) in enumerate(zip(corners, images.tolist(), strict=True)):
        side = (DIGIT - (y[image, :, 1:] - corner).abs()).clamp(min=0)
        both = side[:, 0] * side[:, 1]
        overlap = torch.where(free[image], both / (2 * DIGIT * DIGIT - both), -1.0)
        best = int(overlap.argmax())
        if overlap[best] >= 0.5:
            right[k], free[image, best] = 1, False
    return right


def detect(config: dict[str, Any]) -> dict[str, Any]:
    """Train a detector on canvases of scikit-learn's digits; scores are mean average precisions in percent.

    Args:
        config: ``canvases``, how many to train on, and as of `classify`.
    """
    digits = data.digits()
    train = scenes(digits.train, config["canvases"], 0)
    held = {"validation": scenes(digits.validation, 300, 1), "test": scenes(digits.test, 500, 2)}
    torch.manual_seed(config["seed"])
    model = detector(config["width"], config["depth"], digits.classes)
    split = data.Split(train.x, train.y)
    steps, epoch = length(split, config)
    result = fit(
        config,
        model,
        batches(split, config["batch"], steps, config["seed"] + 1),
        lambda batch: loss_of(model(batch.x), batch.y, digits.classes),
        lambda name: precision(model, held[name], digits.classes),
        steps=steps,
        epoch=epoch,
        invariant=lambda name: convolutions(model)(name) and not name.startswith(f"{len(model) - 1}."),
    )
    return {"data": digits.digest, **result}
