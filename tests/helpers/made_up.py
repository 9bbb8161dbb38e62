"""Results of a benchmark with made-up numbers."""

import dataclasses

from tangency.benchmarks.contenders import LeftOut
from tangency.benchmarks.counting import Counts
from tangency.benchmarks.first_step import Start
from tangency.benchmarks.machine import machine
from tangency.benchmarks.results import Results, Sweep
from tangency.benchmarks.steps import Counted, Row, Timing
from tangency.benchmarks.timing import Spread
from tangency.benchmarks.training import Trained, Training

ONE = Spread(1.0, 1.0, 1.0)
OUT = (LeftOut("timm", "timm is not installed"),)


def timing(what: str, ratio: float = 2.0, *, mode: str = "trained") -> Timing:
    rows = (
        Row("torch AdamW fused", Spread(0.001, 0.002, 0.003), ONE, Spread(0.5, 0.6, 0.7)),
        Row(
            "tangency fused",
            Spread(0.002, 0.004, 0.006),
            Spread(ratio - 0.5, ratio, ratio + 0.25),
            Spread(0.25, 0.3, 0.35),
        ),
    )
    bandwidth = Spread(9e9, 1e10, 1.1e10)
    return Timing(what, "AdamP", mode, 1_000_000, 3, 7, 28_000_000, 30_000_000, bandwidth, rows, OUT)


def results() -> Results:
    """One of everything."""
    found = Results(machine(), "cpu")
    found.timings.append(timing("resnet-50"))
    counts = Counts(12, 3_000_000, 2_000_000, 4, 5_000, 6)
    found.counts += [
        Counted("resnet-50", "AdamP", "trained", name, 1_000_000, 99, counts, 1_000, 8_000_000)
        for name in ("tangency loop", "tangency fused")
    ]
    trained = Trained("tangency fused", Spread(0.1, 0.2, 0.3), Spread(0.01, 0.02, 0.03), Spread(1.07, 1.08, 1.09), 2.25)
    found.trainings.append(Training("ResNet-20", "AdamP", 269_722, 32, 9, (trained,), OUT))
    disturbed = dataclasses.replace(timing("b", 4.0), others=0.48)
    found.sweeps.append(Sweep("shapes", "AdamP", "channel", (timing("a"), disturbed, timing("c", 3.0))))
    found.starts.append(Start("small", "AdamP", "tangency fused", 4.0, 0.5, 0.001))
    return found
