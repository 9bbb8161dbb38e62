"""Everything that one run of ``tangency bench`` has measured, and the same as JSON."""

import dataclasses
from dataclasses import dataclass, field

from tangency.benchmarks.first_step import Start
from tangency.benchmarks.machine import Machine
from tangency.benchmarks.steps import Counted, Timing
from tangency.benchmarks.training import Training
from tangency.common.numbers import json_text

FORMAT = "tangency-bench-1"


@dataclass(frozen=True)
class Sweep:
    """Timings of single weights, or of many alike, in which one thing changes."""

    title: str
    optimizer: str
    mode: str
    timings: tuple[Timing, ...]


@dataclass
class Results:
    """What was measured, on what; grows as a run goes on. Seconds are seconds and sizes are bytes."""

    machine: Machine
    device: str
    timings: list[Timing] = field(default_factory=list)
    counts: list[Counted] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)

    def all_timings(self) -> list[Timing]:
        """Those of models and of sweeps."""
        return [*self.timings, *(timing for sweep in self.sweeps for timing in sweep.timings)]


def to_json(results: Results) -> str:
    """All of it, as one JSON object; numbers that JSON has not (a loss that is NaN) are strings."""
    return json_text({"format": FORMAT, **dataclasses.asdict(results)})
