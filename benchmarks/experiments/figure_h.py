"""Figure H.1: Adam, Adam with weight decay and AdamP on the spherical Rosenbrock function."""

from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments import rosenbrock
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Checked, Config, Run, Study

ADAM: dict[str, Any] = {"algorithm": "adam", "options": {"betas": [0.9, 0.999]}}
ADAMW = tuple(
    {"algorithm": "adamw", "options": {"betas": [0.9, 0.999], "weight_decay": decay}} for decay in (0.1, 1.0, 10.0)
)
ADAMP: dict[str, Any] = {"algorithm": "adamp", "options": {"betas": [0.9, 0.999]}}


def plan(preset: Preset) -> list[Config]:
    """All arms at every step size, gradients not clipped: Adam divides their size away."""
    return rosenbrock.runs_of(preset, (ADAM, *ADAMW, ADAMP), clips=(None,))


def _compared(measure: str, said: str) -> Any:
    def check(runs: Sequence[Run]) -> tuple[str, bool] | None:
        adam, adamp = (rosenbrock.at_best(runs, arm, None) for arm in (ADAM, ADAMP))
        decayed = [run for run in (rosenbrock.at_best(runs, arm, None) for arm in ADAMW) if run is not None]
        if adam is None or adamp is None or not decayed:
            return None
        best = min(decayed, key=lambda run: float(run.result["last_value"]))
        values = [run.result[measure] for run in (adam, best, adamp)]
        text = f"{said}: Adam {values[0]:.3g}, AdamW {values[1]:.3g}, AdamP {values[2]:.3g}"
        return text, values[2] < min(values[:2])

    return check


def figure(runs: Sequence[Run]) -> Any:
    """Each at its best step size."""
    return rosenbrock.figure(runs, {"Adam": (ADAM, None), "AdamW 1": (ADAMW[1], None), "AdamP": (ADAMP, None)})


STUDY = Study(
    id="figure-h",
    title="Adam on the spherical Rosenbrock function",
    where="Figure H.1, §H.1",
    question="As figure-3, for Adam, AdamW with three weight decays and AdamP. The paper's text has no numbers for it.",
    plan=plan,
    statements=(
        Checked(
            "norm",
            "AdamP lets the norm grow less than Adam with and without weight decay",
            "",
            _compared("largest_norm", "largest norm"),
        ),
        Checked("converges", "AdamP converges faster", "", _compared("last_value", "final h")),
    ),
    figure=figure,
)
