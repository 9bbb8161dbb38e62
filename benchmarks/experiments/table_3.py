"""Table 3: object detection with Adam and AdamP."""

from tangency.benchmarks.experiments.grids import images, sweep
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.study import Config, Larger, Study, on_test


def plan(preset: Preset) -> list[Config]:
    """Adam and AdamP with the paper's weight decay, cosine schedule, the same step sizes."""
    base = {**images(preset), "task": "detect", "weight_decay": 1e-5, "schedule": "cosine"}
    if preset.size is Size.PAPER:
        base |= {"data": "coco", "side": 512, "batch": 64, "overlaps": tuple(k / 100 for k in range(50, 100, 5))}
    else:
        base |= {"data": "pasted digits", "canvases": preset.pick(smoke=500, small=3000, paper=0)}
        base |= {"batch": 50, "overlaps": (0.5,)}
    return sweep(
        {**base, "epochs": preset.pick(smoke=1, small=5, paper=140)},
        optimizer=("Adam", "AdamP"),
        lr=preset.pick(smoke=(3e-3,), small=(1e-3, 3e-3, 1e-2), paper=(2.5e-4,)),
        seed=preset.seeds,
    )


STUDY = Study(
    id="table-3",
    title="Detection",
    where="Table 3, §4.2, E.3",
    question="Digits pasted on a canvas, found and named as CenterNet does, from scratch, in the place of COCO.",
    plan=plan,
    statements=(
        Larger(
            id="precision",
            says="AdamP is more precise than Adam, each at its best step size",
            paper="",
            first={"optimizer": "AdamP"},
            second={"optimizer": "Adam"},
            measure=on_test,
            margin=1.0,
            unit="% mAP",
        ),
    ),
)
