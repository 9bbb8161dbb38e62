"""Table D.1: training data whose colours give the labels away."""

from tangency.benchmarks.experiments.grids import ADAPTIVE, images, sweep
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.study import Config, Larger, Study, on_test

BIASES = (0.9, 0.95, 0.99)


def plan(preset: Preset) -> list[Config]:
    """AdamW and AdamP on coloured images, tested on images whose colours say nothing."""
    base = {**images(preset), "weight_decay": 1e-4, "schedule": "step"}
    if preset.size is Size.PAPER:
        base = {**base, "side": 28, "width": 16, "epochs": 80}
    return sweep(
        base,
        bias=preset.pick(smoke=BIASES[:1], small=BIASES, paper=(0.997, 0.99, 0.98, 0.97)),
        optimizer=ADAPTIVE.optimizers,
        lr=preset.pick(smoke=(3e-3,), small=(1e-3, 3e-3, 1e-2), paper=(1e-3,)),
        seed=preset.seeds,
    )


STUDY = Study(
    id="table-d1",
    title="Biased training data",
    where="Table D.1, §D.1",
    question="Clothes on grounds whose colour is the label's with probability ρ. Validation data are unbiased.",
    plan=plan,
    statements=tuple(
        Larger(
            id=f"bias-{bias:g}",
            says=f"AdamP is more accurate than AdamW on unbiased data at ρ = {bias:g}, each at its best step size",
            paper="+7.5, +7.9, +6.0, +2.6 pp (ρ from 0.997 to 0.97)",
            first={"bias": bias, "optimizer": "AdamP"},
            second={"bias": bias, "optimizer": "AdamW"},
            measure=on_test,
            margin=1.0,
            unit="%",
        )
        for bias in (*BIASES, 0.997, 0.98, 0.97)
    ),
)
