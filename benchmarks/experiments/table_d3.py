"""Table D.3: large batches."""

import statistics as averages
from collections.abc import Sequence

from tangency.benchmarks.experiments.grids import ADAPTIVE, images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Run, Study, best, matching, on_test

BATCHES = (50, 200, 500)


def plan(preset: Preset) -> list[Config]:
    """AdamW and AdamP over the same number of epochs, the grid of step sizes, three batch sizes."""
    return sweep(
        {**images(preset), "weight_decay": 0.0, "schedule": "cosine"},
        batch=preset.pick(smoke=BATCHES[:2], small=BATCHES, paper=(256, 1024, 4096)),
        optimizer=ADAPTIVE.optimizers,
        lr=preset.pick(smoke=ADAPTIVE.rates[3:4], small=ADAPTIVE.rates[1:], paper=ADAPTIVE.rates),
        seed=preset.seeds,
    )


def notes(runs: Sequence[Run]) -> list[str]:
    """The gain over batch sizes."""
    gains = []
    for batch in sorted({run.config["batch"] for run in runs}):
        sides = [
            best(matching(runs, {"batch": batch, "optimizer": optimizer}), ("lr",)) for optimizer in ADAPTIVE.optimizers
        ]
        base, ours = (averages.fmean(run.result["test"] for run in side) for side in sides)
        gains.append(f"{batch}: {ours - base:+.2f} %")
    return [f"The gain of AdamP by batch size (the paper: it grows with the batch): {', '.join(gains)}."]


STUDY = Study(
    id="table-d3",
    title="Large batches",
    where="Table D.3, §D.3",
    question="A large batch here is a sixth of an epoch or less; every optimizer has its own best of four step sizes.",
    plan=plan,
    statements=tuple(
        Larger(
            id=f"batch-{batch}",
            says=f"AdamP is more accurate than AdamW with batches of {batch}, each at its best step size",
            paper="",
            first={"batch": batch, "optimizer": "AdamP"},
            second={"batch": batch, "optimizer": "AdamW"},
            measure=on_test,
            margin=0.5,
            unit="%",
        )
        for batch in (*BATCHES, 256, 1024, 4096)
    ),
    notes=notes,
)
