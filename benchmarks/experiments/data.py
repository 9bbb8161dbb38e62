"""The data of studies: what comes with the package, with scikit-learn, or stands in the user's folder."""

import hashlib
import io
import lzma
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tangency.common.calls import WrongCall

HERE = Path(__file__).parent / "files"


class Split(NamedTuple):
    """Inputs and labels."""

    x: Tensor
    y: Tensor


class Data(NamedTuple):
    """Training, validation and test data, and how to tell that they are the same as another time.

    Attributes:
        train, validation, test: splits, inputs first.
        classes: how many labels there are.
        digest: of all of them.
    """

    train: Split
    validation: Split
    test: Split
    classes: int
    digest: str


def digest_of(*arrays: Any) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def images(x: Any) -> Tensor:
    """Bytes as float32 of mean 0 and variance 1, over all pixels, with a dimension for the channel."""
    made = torch.from_numpy(np.asarray(x, dtype=np.float32))
    made = (made - made.mean()) / made.std()
    return made.unsqueeze(1) if made.dim() == 3 else made


def split(x: Tensor, y: Tensor, sizes: tuple[int, int, int], digest: str) -> Data:
    """The first of them for training, then validation and test."""
    starts = (0, sizes[0], sizes[0] + sizes[1])
    train, validation, test = (
        Split(x[start : start + size], y[start : start + size]) for start, size in zip(starts, sizes, strict=True)
    )
    return Data(train, validation, test, int(y.max()) + 1, digest)


@lru_cache(4)
def digits() -> Data:
    """Scikit-learn's 1,797 handwritten digits of 8 × 8 pixels: 1,000 to train, 300 to choose, 497 to test."""
    from sklearn.datasets import load_digits

    found = load_digits()
    y = torch.from_numpy(found.target.astype(np.int64))
    return split(images(found.images), y, (1000, 300, 497), digest_of(found.images, found.target))


@lru_cache(4)
def fashion(train: int = 6000) -> Data:
    """Fashion-MNIST at 14 × 14: up to 6,000 images to train, 2,000 to choose, 3,000 to test."""
    stream = io.BytesIO(lzma.decompress((HERE / "fashion14.xz").read_bytes()))
    x, y = np.load(stream), np.load(stream)
    pictures, labels = images(x), torch.from_numpy(y.astype(np.int64))
    kept = torch.cat((torch.arange(train), torch.arange(6000, 11000)))
    return split(pictures[kept], labels[kept], (train, 2000, 3000), digest_of(x, y))


@lru_cache(4)
def text(characters: int = 1_000_000) -> Data:
    """The beginning of the King James Bible as numbers of its letters: nine tenths to train, then a twentieth each."""
    whole = lzma.decompress((HERE / "kjv.xz").read_bytes()).decode()[:characters]
    letters = sorted(set(whole))
    place = {letter: i for i, letter in enumerate(letters)}
    x = torch.tensor([place[letter] for letter in whole])
    a, b = int(0.9 * len(x)), int(0.95 * len(x))
    train, validation, test = (Split(part, part) for part in (x[:a], x[a:b], x[b:]))
    return Data(train, validation, test, len(letters), digest_of(x.numpy()))


@lru_cache(1)
def words(root: str, vocabulary: int = 50_000) -> Data:
    """A text in words, such as WikiText-103: one split a file of the folder whose name says train, valid and test.

    Args:
        root: the folder.
        vocabulary: so many of the most frequent words of the training text; the others are one word.

    Raises:
        WrongCall: a file is missing.
    """
    texts = []
    for part in ("train", "valid", "test"):
        files = sorted(path for path in Path(root).iterdir() if path.is_file() and part in path.name)
        if not files:
            raise WrongCall(
                f"--data: {root} has no file whose name has {part!r} in it; train, valid and test are needed"
            )
        texts.append(files[0].read_text(encoding="utf-8").split())
    common = [word for word, _ in Counter(texts[0]).most_common(vocabulary - 1)]
    place = {word: i for i, word in enumerate(common, 1)}
    parts = [torch.tensor([place.get(word, 0) for word in text]) for text in texts]
    train, validation, test = (Split(x, x) for x in parts)
    return Data(train, validation, test, len(place) + 1, digest_of(*(x.numpy() for x in parts)))


def folder(root: Path, side: int, limit: int | None = None) -> Data:
    """Images in a folder a class, under ``train`` and ``val``, as of ImageNet; the last tenth of train is to choose.

    Args:
        root: the folder.
        side: images are scaled so that their shorter side has as many pixels, and cropped in the middle.
        limit: of images a split.

    Raises:
        WrongCall: a folder is missing or has no image.
    """
    from PIL import Image

    parts = []
    names: list[str] = []
    for part in ("train", "val"):
        place = root / part
        if not place.is_dir():
            raise WrongCall(f"--data: {place} is no folder; {root} must have train and val, each with a folder a class")
        classes = sorted(path.name for path in place.iterdir() if path.is_dir())
        names = names or classes
        if classes != names:
            raise WrongCall(f"--data: {place} has other classes than {root / 'train'}")
        files = [(path, i) for i, name in enumerate(classes) for path in sorted((place / name).iterdir())]
        if not files:
            raise WrongCall(f"--data: {place} has no image")
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()[:limit]
        arrays, labels = [], []
        for i in order:
            path, label = files[i]
            with Image.open(path) as image:
                scale = side / min(image.size)
                sized = image.convert("RGB").resize([max(side, round(n * scale)) for n in image.size])
                left, top = ((n - side) // 2 for n in sized.size)
                arrays.append(np.asarray(sized.crop((left, top, left + side, top + side))))
            labels.append(label)
        parts.append((np.stack(arrays), np.array(labels)))
    (x, y), (test_x, test_y) = parts
    every = images(np.concatenate((x, test_x)).transpose(0, 3, 1, 2))
    held = max(1, len(x) // 10)
    labels_ = torch.from_numpy(np.concatenate((y, test_y)))
    return split(every, labels_, (len(x) - held, held, len(test_x)), digest_of(x, y, test_x, test_y))


def classification(config: dict[str, Any]) -> Data:
    """The data that a run names: ``digits``, ``fashion``, or ``folder`` with ``root`` and ``side``."""
    name = config["data"]
    if name == "digits":
        found = digits()
    elif name == "fashion":
        found = fashion(config.get("train", 6000))
    elif name == "folder":
        found = folder(Path(config["root"]), config["side"], config.get("limit"))
    else:
        raise ValueError(f"data must be digits, fashion or folder, got {name!r}")
    return coloured(found, config["bias"]) if "bias" in config else found


def coloured(found: Data, bias: float) -> Data:
    """Grey images on coloured grounds that give the label away (Bahng et al. 2020, biased MNIST).

    Args:
        found: grey images.
        bias: ρ, the probability that a training image has the colour of its label; else any, as all others have.
    """
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(found.classes, 3, generator=generator)

    def on_ground(split: Split, rho: float) -> Split:
        grey = split.x - split.x.amin()
        grey = grey / grey.amax()
        any_ = torch.randint(found.classes, split.y.shape, generator=generator)
        own = torch.rand(split.y.shape, generator=generator) < rho
        ground = colours[torch.where(own, split.y, any_)].reshape(-1, 3, 1, 1)
        return Split(2 * (grey + (1 - grey) * ground) - 1, split.y)

    splits = (on_ground(found.train, bias), on_ground(found.validation, 0.0), on_ground(found.test, 0.0))
    return Data(*splits, found.classes, found.digest)
