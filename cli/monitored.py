"""What a monitor wrote: its lines, the table of the last sample, and the figure of all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tangency.common.calls import WrongCall
from tangency.common.numbers import digits
from tangency.common.text import visible

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = 1
_NUMBERS = ("norm", "effective_step", "angle", "cosine", "growth", "own", "decay", "lr", "invariant")


@dataclass
class Run:
    """The samples of a file so far, and how to read on.

    Attributes:
        path: the file.
        patterns: of the names of the weights to read; all if there are none.
        steps: the numbers of the sampled steps.
        seconds: that the monitor has taken.
        weights: the rows of a weight, or of a slice of it, by its name and step.
    """

    path: Path
    patterns: tuple[str, ...] = ()
    steps: list[int] = field(default_factory=list)
    seconds: float = 0.0
    weights: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    _place: int = 0
    _lines: int = 0

    def read_on(self) -> bool:
        """Read the lines that have been added; whether there were any.

        Raises:
            WrongCall: the file cannot be read, or a line is not a monitor's.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._place)
                new = file.read()
        except OSError as error:
            raise WrongCall(f"{self.path} cannot be read: {error.strerror or error}") from None
        whole = new[: new.rfind(b"\n") + 1]  # what is being written comes next time
        self._place += len(whole)
        for line in whole.splitlines():
            self._lines += 1
            self._take(line)
        return bool(whole)

    def _take(self, line: bytes) -> None:
        where = f"{self.path}, line {self._lines}"
        try:
            sample = json.loads(line)
            schema = sample.get("monitor")
            if schema != SCHEMA:
                raise WrongCall(f"{where}: it has schema {schema!r} of a monitor's lines; {SCHEMA} is read here")
            rows = [{**row, **{name: float(row[name]) for name in _NUMBERS}} for row in sample["weights"]]
            step, seconds = int(sample["step"]), float(sample["seconds"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WrongCall(f"{where}: it is no line of a monitor ({type(error).__name__}: {error})") from None
        self.steps.append(step)
        self.seconds = seconds
        for row in rows:
            name = str(row["weight"]) if row.get("slice") is None else f"{row['weight']}[{row['slice']}]"
            if not self.patterns or any(fnmatchcase(name, pattern) for pattern in self.patterns):
                self.weights.setdefault(name, {})[step] = row

    def last(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Name, first row and last row of each weight."""
        for name, rows in self.weights.items():
            yield name, rows[min(rows)], rows[max(rows)]


def table(run: Run) -> "Table":
    """The last sample of each weight."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    made.add_column("weight", overflow="fold")
    for heading in ("‖w‖", "×start", "‖Δŵ‖", "×equilibrium", "growth/own", "Eq. 11"):
        made.add_column(heading, justify="right", no_wrap=True)
    for name, first, row in run.last():
        norm, start = row["norm"], first["norm"]
        made.add_row(
            Text(visible(name)),
            digits(norm),
            digits(norm / start) if start else "",
            digits(row["effective_step"]),
            digits(row["angle"] / row["equilibrium"]) if row.get("equilibrium") else "",
            _ratio(row),
            f"{row['eq11']} {row['invariant']:.0%}",
        )
    return made


def remarks(run: Run) -> Iterator[str]:
    """What does not close, and what decays too early, a line each."""
    for name, _, row in run.last():
        if remark := _remark(row):
            yield visible(f"{name}: {remark}")


def _ratio(row: dict[str, Any]) -> str:
    """How much faster the norm grew than by its steps' own lengths, and where Corollary 2.3 says that ends."""
    ratio, limit = row.get("growth_ratio"), row.get("limit_ratio")
    if ratio is None:
        return ""
    # The corollary is about scale-invariant weights.
    return f"{digits(float(ratio))} of {digits(limit)}" if limit and row["invariant"] > 0.5 else digits(float(ratio))


def _remark(row: dict[str, Any]) -> str:
    if row.get("departure"):
        return str(row["departure"])
    early = row.get("premature")
    if not early:
        return ""
    decay = early.get("weight_decay")
    restore = f"lr ×{digits(early['lr_times'])}" + (f" or weight decay {digits(decay)}" if decay else "")
    return f"its steps shrink too early, ×{digits(early['fell_to'])}; restored by projection, {restore}"


def figure(run: Run) -> Any:
    """Norm, effective step, the terms of the growth so far and cos(w, g) of each weight, over steps."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(11, 7), layout="constrained")
    panels = made.subplots(2, 2)
    titles = ("‖w‖", "effective step ‖Δŵ‖", "growth of ‖w‖² over the steps' own, so far", "|cos(w, g)|")
    for panel, title in zip(panels.flat, titles, strict=True):
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("step", fontsize=8)
    for name, rows in run.weights.items():
        steps = sorted(rows)
        columns = (
            [rows[step]["norm"] for step in steps],
            [rows[step]["effective_step"] for step in steps],
            [rows[step].get("growth_ratio") or float("nan") for step in steps],
            [abs(rows[step]["cosine"]) for step in steps],
        )
        for panel, column in zip(panels.flat, columns, strict=True):
            panel.plot(steps, [float(value) for value in column], linewidth=1, label=name)
    for panel in (panels[0, 1], panels[1, 1]):
        panel.set_yscale("log")
    limits = {row["limit_ratio"] for rows in run.weights.values() for row in rows.values() if row.get("limit_ratio")}
    for limit in sorted(limits):
        panels[1, 0].axhline(limit, color="black", linewidth=0.8, linestyle="--")
    if 0 < len(run.weights) <= 20:
        panels[0, 0].legend(fontsize=6)
    return made
