"""Pictures with boxes, for the task of Table 3: digits that are pasted on a canvas, or COCO's (Lin et al. 2014)."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.common.calls import WrongCall

SIDE, DIGIT, MOST = 32, 8, 3


class Scenes(NamedTuple):
    """Pictures (n, channels, side, side), and what is on them.

    Attributes:
        x: the pictures.
        y: (n, most, 5) of label, top, left, height and width, in pixels; the label −1 for nothing.
    """

    x: Tensor
    y: Tensor


class Detection(NamedTuple):
    """Splits of scenes, the number of labels, and how to tell that they are the same as another time."""

    train: Scenes
    validation: Scenes
    test: Scenes
    classes: int
    digest: str


def pasted(split: data.Split, count: int, seed: int) -> Scenes:
    """Canvases with one to three digits each, which do not overlap, at any place, in noise."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(count, 1, SIDE, SIDE, generator=generator)
    y = torch.full((count, MOST, 5), -1.0)
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
            y[i, j] = torch.tensor([int(split.y[chosen]), top, left, DIGIT, DIGIT])
    return Scenes(x, y)


def digits(canvases: int) -> Detection:
    """Scikit-learn's digits on so many canvases to train on, 300 to choose and 500 to test."""
    found = data.digits()
    counts = {"train": canvases, "validation": 300, "test": 500}
    train, validation, test = (pasted(getattr(found, name), n, seed) for seed, (name, n) in enumerate(counts.items()))
    return Detection(train, validation, test, found.classes, found.digest)


def coco(root: Path, side: int) -> Detection:
    """COCO's train2017 and val2017, or others in its format; the last twentieth of train is to choose.

    Args:
        root: the folder with ``train2017``, ``val2017`` and ``annotations/instances_{train,val}2017.json``.
        side: pictures are scaled so that their longer side has as many pixels, and filled up with grey.

    Raises:
        WrongCall: a file or folder is missing, is not in COCO's format, or names no box.
    """
    (x, y, labels), (test_x, test_y, _) = (_coco(root, part, side) for part in ("train2017", "val2017"))
    held = max(1, len(x) // 20)
    most = max(len(boxes) for boxes in (*y, *test_y))
    every = data.images(np.concatenate((x, test_x)).transpose(0, 3, 1, 2))
    boxes = torch.stack([_filled(one, most) for one in (*y, *test_y)])
    starts = ((0, len(x) - held), (len(x) - held, len(x)), (len(x), len(every)))
    train, validation, test = (Scenes(every[start:stop], boxes[start:stop]) for start, stop in starts)
    return Detection(train, validation, test, labels, data.digest_of(x, test_x, boxes.numpy()))


def _coco(root: Path, part: str, side: int) -> tuple[Any, list[Tensor], int]:
    """Pictures, their boxes, and the number of labels of a part."""
    from PIL import Image

    names = root / "annotations" / f"instances_{part}.json"
    try:
        found = json.loads(names.read_text(encoding="utf-8"))
        labels = {one["id"]: i for i, one in enumerate(sorted(found["categories"], key=lambda one: one["id"]))}
        boxes: dict[int, list[tuple[float, ...]]] = defaultdict(list)
        for one in found["annotations"]:
            left, top, width, height = one["bbox"]
            if not one.get("iscrowd") and width > 0 and height > 0:
                boxes[one["image_id"]].append((labels[one["category_id"]], top, left, height, width))
        files = [(root / part / one["file_name"], boxes[one["id"]]) for one in found["images"] if one["id"] in boxes]
    except OSError as error:
        raise WrongCall(f"--data: {names} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise WrongCall(f"--data: {names} is not in COCO's format: {error!r}") from None
    if not files:
        raise WrongCall(f"--data: {names} has no box")
    arrays, scaled = [], []
    for path, own in files:
        try:
            with Image.open(path) as image:
                scale = side / max(image.size)
                sized = image.convert("RGB").resize([max(1, round(n * scale)) for n in image.size])
        except OSError as error:
            raise WrongCall(f"--data: {path} cannot be read: {error}") from None
        canvas = Image.new("RGB", (side, side), (128, 128, 128))
        canvas.paste(sized)
        arrays.append(np.asarray(canvas))
        scaled.append(torch.tensor(own) * torch.tensor([1.0, scale, scale, scale, scale]))
    return np.stack(arrays), scaled, len(labels)


def _filled(boxes: Tensor, most: int) -> Tensor:
    """The boxes of a picture, filled up with nothing."""
    return functional.pad(boxes, (0, 0, 0, most - len(boxes)), value=-1.0)


def scenes(config: dict[str, Any]) -> Detection:
    """The scenes that a run names: ``pasted digits`` with ``canvases``, or ``coco`` with ``root`` and ``side``."""
    if config["data"] == "coco":
        return coco(Path(config["root"]), config["side"])
    return digits(config["canvases"])
