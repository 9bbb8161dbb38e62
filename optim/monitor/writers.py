"""Where the samples of a monitor go: JSON lines, CSV, TensorBoard, Weights & Biases, or any function of a record."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tangency.optim.monitor.ledger import Page

SCHEMA = 1


@dataclass(frozen=True)
class Weight:
    """One weight at a sampled step.

    Attributes:
        page: its ledger, or that of each of its slices.
        lr: step size η.
        invariant: the share of samples so far that passed Eq. 11.
        limit_ratio: of the growth over the steps' own, by Corollary 2.3, or None.
        equilibrium: the angle at which growth and decay balance, in radians, or None.
        growth_ratio: for each slice, how much faster ‖w‖² grew than by its steps' own lengths, over the samples.
        premature: for each slice what would restore its effective step, or None.
    """

    page: Page
    lr: float
    invariant: float
    limit_ratio: float | None
    equilibrium: float | None
    growth_ratio: tuple[float | None, ...]
    premature: tuple[dict[str, float | None] | None, ...]


@dataclass(frozen=True)
class Record:
    """One sampled step.

    Attributes:
        step: its number, from 0.
        weights: by name.
        seconds: that the monitor has taken before this record was made.
    """

    step: int
    weights: dict[str, Weight]
    seconds: float

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat dict a weight, or a slice of it; numbers as JSON has them."""
        for name, weight in self.weights.items():
            page = weight.page
            for i, terms in enumerate(page.terms):
                row = {
                    "weight": name,
                    "slice": i if len(page.terms) > 1 else None,
                    **vars(terms),
                    "lr": weight.lr,
                    "eq11": page.verdict,
                    "channel": page.channel,
                    "head": page.head,
                    "layer": page.layer,
                    "projected": page.projected,
                    "invariant": weight.invariant,
                    "growth_ratio": weight.growth_ratio[i],
                    "limit_ratio": weight.limit_ratio,
                    "equilibrium": weight.equilibrium,
                    "closes": page.closes,
                    "departure": page.departure,
                    "premature": weight.premature[i],
                }
                yield {key: _plain(value) for key, value in row.items()}


Writer = Callable[[Record], None]


def _plain(value: Any) -> Any:
    """A number without an end by its name, since JSON has none."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class Lines:
    """JSON lines, appended to a file: one a sampled step, which `tangency watch` reads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, record: Record) -> None:
        line = {"monitor": SCHEMA, "step": record.step, "seconds": record.seconds, "weights": list(record.rows())}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Table:
    """CSV: one line a weight and sampled step, under a line of headings."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __call__(self, record: Record) -> None:
        rows = [{"step": record.step, **row} for row in record.rows()]
        fresh = not self._path.exists() or not self._path.stat().st_size
        with self._path.open("a", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            if fresh:
                table.writeheader()
            table.writerows(rows)


def scalars(record: Record) -> Iterator[tuple[str, float]]:
    """The numbers of a record as loggers name them: ``weight/norm``, ``weight.3/own``."""
    for row in record.rows():
        name = row["weight"] if row["slice"] is None else f"{row['weight']}.{row['slice']}"
        for key, value in row.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and key != "slice":
                yield f"{name}/{key}", value


def tensorboard(writer: Any) -> Writer:
    """Scalars for a `torch.utils.tensorboard.SummaryWriter`, or whatever has its ``add_scalar(tag, value, step)``."""

    def write(record: Record) -> None:
        for name, value in scalars(record):
            writer.add_scalar(name, value, record.step)

    return write


def wandb(run: Any, step: str = "monitor/step") -> Writer:
    """Numbers for a run of Weights & Biases, or whatever has its ``log(dict)``.

    Args:
        run: what `wandb.init` returned.
        step: under which the number of the step is logged: the run's own counter stays its owner's.
    """

    def write(record: Record) -> None:
        run.log({step: record.step, **dict(scalars(record))})

    return write
