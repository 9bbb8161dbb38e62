"""What a monitored run showed, in a few numbers and curves."""

import math
import statistics as averages
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from tangency.optim import Monitor
from tangency.optim.monitor import Record


class History:
    """Watches an optimizer, and sums up the weights that are scale-invariant.

    Args:
        optimizer: of the run.
        names: of the parameters.
        invariant: which of the watched weights are scale-invariant, by name.
        every: steps between samples.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        names: Iterable[tuple[str, Tensor]],
        invariant: Callable[[str], bool],
        every: int,
    ) -> None:
        self._invariant = invariant
        self.steps: list[int] = []
        self.norm: list[float] = []
        self.effective_step: list[float] = []
        self.cosines: dict[str, list[float]] = {"invariant": [], "other": []}
        self.statistics: dict[str, list[float]] = {"invariant": [], "other": []}
        self.terms = {"own": 0.0, "fresh": 0.0, "memory": 0.0, "decay": 0.0}
        self.open = 0
        self.monitor = Monitor(optimizer, every=every, names=names, out=self._take)

    def _take(self, record: Record) -> None:
        rows = list(record.rows())
        chosen = [row for row in rows if self._invariant(row["weight"])]
        self.open += sum(row["closes"] is False for row in rows)
        for row in rows:
            kind = "invariant" if self._invariant(row["weight"]) else "other"
            if math.isfinite(float(row["cosine"])):
                self.cosines[kind].append(short(abs(row["cosine"])))
                self.statistics[kind].append(short(min(row["channel"], row["layer"])))
        if chosen and all(math.isfinite(float(row["norm"])) for row in chosen):
            self.steps.append(record.step)
            self.norm.append(averages.fmean(row["norm"] for row in chosen))
            self.effective_step.append(averages.fmean(row["effective_step"] for row in chosen))
            for name in self.terms:
                self.terms[name] += sum(row[name] or 0.0 for row in chosen)

    def result(self) -> dict[str, Any]:
        """What of it a run stores."""
        if self.monitor.failure is not None:
            raise RuntimeError(f"the monitor failed: {self.monitor.failure}")
        self.monitor.close()
        own = self.terms["own"]
        return {
            "steps": self.steps,
            "norm": list(map(short, self.norm)),
            "effective_step": list(map(short, self.effective_step)),
            "terms": self.terms,
            "growth_ratio": (own + self.terms["fresh"] + self.terms["memory"]) / own if own else None,
            "does_not_close": self.open,
        }

    def detection(self) -> dict[str, Any]:
        """|cos(w, g)|, and the smaller statistic of Eq. 11, of every sample of invariant and of other weights."""
        return {"cosines": self.cosines, "statistics": self.statistics}


def short(x: float) -> float:
    """Five digits, which is what a curve needs."""
    return float(f"{x:.4e}")


def convolutions(model: nn.Module) -> Callable[[str], bool]:
    """Whether a name is of the weight of a convolution."""
    names = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Conv2d)}
    return names.__contains__
