"""Each optimizer at its own best step size, with and without a schedule."""

from tangency.benchmarks.experiments.grids import FAMILIES, images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Result, Study, on_test

SCHEDULES = ("constant", "cosine")


def plan(preset: Preset) -> list[Config]:
    """Four optimizers, the grid of their family, both schedules, no weight decay."""
    found = []
    for family in FAMILIES:
        found += sweep(
            {**images(preset), "weight_decay": 0.0},
            optimizer=family.optimizers,
            schedule=SCHEDULES,
            lr=preset.pick(smoke=family.rates[2:4], small=family.rates, paper=family.rates),
            seed=preset.seeds,
        )
    return found


def early(result: Result) -> float:
    """The validation accuracy after half of the epochs, in percent."""
    curve = result["curve"]
    return float(curve[(len(curve) - 1) // 2]) if curve else float(result["validation"])


def _statements() -> tuple[Larger, ...]:
    found = []
    for family in FAMILIES:
        base, ours = family.optimizers
        for schedule in SCHEDULES:
            how = "with a cosine schedule" if schedule == "cosine" else "without a schedule"
            sides = [{"optimizer": optimizer, "schedule": schedule} for optimizer in (ours, base)]
            found += [
                Larger(
                    id=f"best-{ours}-{schedule}",
                    says=f"{ours} is more accurate than {base} {how}, each at its best step size",
                    paper="70.82 against 70.39 (ResNet-18)" if ours == "AdamP" and schedule == "cosine" else "",
                    first=sides[0],
                    second=sides[1],
                    measure=on_test,
                    margin=0.5,
                    unit="%",
                ),
                Larger(
                    id=f"early-{ours}-{schedule}",
                    says=f"{ours} is ahead of {base} after half of the epochs {how}, each at its best step size",
                    paper="",
                    first=sides[0],
                    second=sides[1],
                    measure=early,
                    margin=0.5,
                    unit="%",
                ),
            ]
    return tuple(found)


STUDY = Study(
    id="rates",
    title="Each at its own best step size",
    where="§4.1, Table 2",
    question="The paper gives SGDP and AdamP the step sizes of their baselines; here each has its own best of a grid.",
    plan=plan,
    statements=_statements(),
)
