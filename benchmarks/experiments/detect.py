"""The task of Table 3: find and name what is on a picture, as CenterNet does (Zhou et al. 2019)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.benchmarks.experiments.classify import batches, length
from tangency.benchmarks.experiments.data import Split
from tangency.benchmarks.experiments.fit import fit
from tangency.benchmarks.experiments.history import convolutions
from tangency.benchmarks.experiments.scenes import Scenes, scenes
from tangency.benchmarks.training import network

STRIDE = 4  # pixels of a cell
BEST = 100  # detections of a picture that count, as of COCO
SIZE = 0.1  # weight of the sizes in the loss, as of CenterNet


def detector(width: int, depth: int, channels: int, classes: int) -> nn.Sequential:
    """The ResNet without its head: a score a class and cell, the middle within the cell, and the size of the box."""
    body = list(network(width, depth, channels).children())[:-3]
    last = nn.Conv2d(4 * width, classes + 4, 1)
    nn.init.constant_(last.bias[:classes], -2.2)  # type: ignore[index]
    return nn.Sequential(*body, last)


def targets(y: Tensor, classes: int, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """In units of cells: which labels have a middle there (n, classes, cells, cells); where, and the size of the box
    (n, 4, …); and which cells count."""
    heat = torch.zeros(len(y), classes, cells, cells)
    box = torch.zeros(len(y), 4, cells, cells)
    i, j = (y[..., 0] >= 0).nonzero(as_tuple=True)
    label, corner, size = y[i, j, 0].long(), y[i, j, 1:3] / STRIDE, y[i, j, 3:] / STRIDE
    middle = corner + size / 2
    cell = middle.long().clamp(max=cells - 1)
    heat[i, label, cell[:, 0], cell[:, 1]] = 1
    box[i, :, cell[:, 0], cell[:, 1]] = torch.cat((middle - cell, size), 1)
    return heat, box, heat.amax(1, keepdim=True)


def loss_of(found: Tensor, y: Tensor, classes: int) -> Tensor:
    """The focal loss of the scores (Lin et al. 2017) an object, and the distances of its middle and size."""
    heat, box, there = targets(y, classes, found.shape[-1])
    scores = found[:, :classes]
    wrong = functional.binary_cross_entropy_with_logits(scores, heat, reduction="none")
    missed = (heat - scores.sigmoid()).abs().square()
    away = (found[:, classes:] - box).abs() * there * torch.tensor([1, 1, SIZE, SIZE]).reshape(1, 4, 1, 1)
    loss: Tensor = ((missed * wrong).sum() + away.sum()) / there.sum().clamp(min=1)
    return loss


@torch.no_grad()
def precision(model: nn.Module, held: Scenes, classes: int, overlaps: tuple[float, ...]) -> float:
    """Mean average precision in percent, over classes and over the overlaps (IoU) that count as a hit."""
    model.eval()
    found = torch.cat([model(part) for part in torch.split(held.x, 200)])
    model.train()
    cells = found.shape[-1]
    heat = found[:, :classes].sigmoid()
    peaks = heat * (heat == functional.max_pool2d(heat, 3, 1, 1))
    value, flat = peaks.flatten(1).topk(min(BEST, peaks[0].numel()), dim=1)
    label, place = flat // cells**2, flat % cells**2
    box = found[:, classes:].flatten(2).gather(2, place[:, None].expand(-1, 4, -1)).transpose(1, 2)
    size = box[..., 2:].clamp(min=0)
    corner = torch.stack((place // cells, place % cells), 2) + box[..., :2] - size / 2
    boxes = STRIDE * torch.cat((corner, size), 2)
    values = []
    for one in range(classes):
        total = int((held.y[..., 0] == one).sum())
        if not total:
            continue
        image, k = (label == one).nonzero(as_tuple=True)
        order = value[image, k].argsort(descending=True)
        image, k = image[order], k[order]
        shared = shares(boxes[image, k], image, held.y, one)
        for overlap in overlaps:
            right = hits(shared, image, overlap)
            exact = right.cumsum(0) / torch.arange(1, len(right) + 1)
            values.append(float((exact.flip(0).cummax(0).values.flip(0) * right).sum() / total) if len(right) else 0.0)
    return 100 * sum(values) / max(1, len(values))


def shares(boxes: Tensor, images: Tensor, y: Tensor, label: int) -> Tensor:
    """The overlap (IoU) of each detection, (n,), with each object of its picture, (n, objects); −1: another label."""
    objects = y[images]
    return torch.where(objects[..., 0] == label, _overlaps(boxes[:, None], objects[..., 1:]), -1.0)


def hits(shared: Tensor, images: Tensor, overlap: float) -> Tensor:
    """Which detections, best first, hit an object that no better one has hit: with at least this overlap."""
    right = torch.zeros(len(shared))
    hit: set[tuple[int, int]] = set()
    for k in (shared.amax(1) >= overlap).nonzero().flatten().tolist():
        image = int(images[k])
        free = [(float(s), j) for j, s in enumerate(shared[k]) if s >= overlap and (image, j) not in hit]
        if free:
            right[k] = 1
            hit.add((image, max(free)[1]))
    return right


def _overlaps(a: Tensor, b: Tensor) -> Tensor:
    """The area that boxes of top, left, height and width share, over that of both together."""
    first, second = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(_end(a), _end(b))
    both = (second - first).clamp(min=0).prod(-1)
    return both / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both)


def _end(box: Tensor) -> Tensor:
    return box[..., :2] + box[..., 2:]


def detect(config: dict[str, Any]) -> dict[str, Any]:
    """Train a detector; scores are mean average precisions in percent.

    Args:
        config: as of `scenes.scenes` and of `classify`; ``overlaps``, which count as a hit.
    """
    found = scenes(config)
    torch.manual_seed(config["seed"])
    model = detector(config["width"], config["depth"], found.train.x.shape[1], found.classes)
    split = Split(found.train.x, found.train.y)
    steps, epoch = length(split, config)
    result = fit(
        config,
        model,
        batches(split, config["batch"], steps, config["seed"] + 1),
        lambda batch: loss_of(model(batch.x), batch.y, found.classes),
        lambda name: precision(model, getattr(found, name), found.classes, tuple(config["overlaps"])),
        steps=steps,
        epoch=epoch,
        invariant=lambda name: convolutions(model)(name) and not name.startswith(f"{len(model) - 1}."),
    )
    return {"data": found.digest, **result}
