"""Table 6: retrieval of unseen classes, with embeddings of unit length."""

from tangency.benchmarks.experiments.grids import ADAPTIVE, images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Study, on_test

LOSSES = ("triplet", "proxy-anchor")


def plan(preset: Preset) -> list[Config]:
    """AdamW and AdamP, both losses, the same step sizes, decayed in steps."""
    return sweep(
        {**images(preset), "task": "retrieve", "dim": 16, "weight_decay": 1e-4, "schedule": "step"},
        loss=LOSSES,
        optimizer=ADAPTIVE.optimizers,
        lr=preset.pick(smoke=(3e-3,), small=(1e-3, 3e-3, 1e-2), paper=(1e-4,)),
        seed=preset.seeds,
    )


STUDY = Study(
    id="table-6",
    title="Retrieval of unseen classes",
    where="Table 6, §4.6, E.6",
    question="Half of the classes of clothes to train, the other half to search, from scratch; the paper fine-tunes.",
    plan=plan,
    statements=tuple(
        Larger(
            id=loss,
            says=f"AdamP retrieves better than AdamW with the {loss} loss, each at its best step size",
            paper="",
            first={"loss": loss, "optimizer": "AdamP"},
            second={"loss": loss, "optimizer": "AdamW"},
            measure=on_test,
            margin=0.5,
            unit="% Recall@1",
        )
        for loss in LOSSES
    ),
)
