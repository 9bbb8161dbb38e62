"""What studies share: the images that a preset trains on, and the step sizes that every optimizer of a family gets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.study import Config


@dataclass(frozen=True)
class Family:
    """Optimizers that get the same grid of step sizes.

    Attributes:
        optimizers: torch's, and ours.
        rates: the grid.
        usual: the step size of the paper's settings (Appendix E.2).
    """

    optimizers: tuple[str, str]
    rates: tuple[float, ...]
    usual: float


def sweep(base: Mapping[str, Any], **options: Iterable[Any]) -> list[Config]:
    """A run for every combination of options, the last one fastest."""
    return [{**base, **dict(zip(options, values, strict=True))} for values in product(*options.values())]


MOMENTUM = Family(("SGD", "SGDP"), (0.01, 0.03, 0.1, 0.3, 1.0), 0.1)
ADAPTIVE = Family(("AdamW", "AdamP"), (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 1e-3)
FAMILIES = (MOMENTUM, ADAPTIVE)


def images(preset: Preset) -> dict[str, Any]:
    """The task, data, network, batch and length of a preset."""
    if preset.size is Size.PAPER:
        size = {"data": "folder", "root": str(preset.data), "side": 224, "width": 64, "depth": 2}
        return {"task": "classify", **size, "batch": 256, "epochs": 100, "samples": 1000}
    if preset.size is Size.SMOKE:
        return {"task": "classify", "data": "digits", "width": 4, "depth": 1, "batch": 50, "epochs": 2, "samples": 10}
    size = {"data": "fashion", "train": 6000, "width": 8, "depth": 1}
    return {"task": "classify", **size, "batch": 100, "epochs": 5, "samples": 30}
