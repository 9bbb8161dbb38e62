"""Figure 4 and E.4.1: adversarial training with Adam and AdamP."""

from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments.grids import images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Result, Run, Study, matching, on_test

OPTIMIZERS = ("Adam", "AdamP")
THREATS = {"Linf": 0.2, "L2": 1.5}


def plan(preset: Preset) -> list[Config]:
    """Both optimizers, both threats, the same step sizes; Adam with coupled decay, as the paper's reference code."""
    # ε = 4/255 and 80/255 of pixels in [0, 1]; images here have variance 1, which for CIFAR-10 is about 0.25².
    threats = preset.pick(smoke=THREATS, small=THREATS, paper={"Linf": 4 / 255 / 0.25, "L2": 80 / 255 / 0.25})
    base = {
        **images(preset),
        "task": "resist",
        "iterations": preset.pick(smoke=2, small=4, paper=10),
        "epochs": preset.pick(smoke=1, small=2, paper=200),
        "weight_decay": 2e-4,
        "schedule": "step",
    }
    rates: dict[str, tuple[float, ...]] = {"smoke": (3e-3,), "small": (1e-3, 3e-3, 1e-2), "paper": (0.01,)}
    found = []
    for threat, epsilon in threats.items():
        found += sweep(
            {**base, "threat": threat, "epsilon": epsilon},
            optimizer=OPTIMIZERS,
            lr=rates[preset.size],
            seed=preset.seeds,
        )
    return found


def _early(result: Result) -> float:
    return float(result["curve"][0])


def _statements() -> tuple[Larger, ...]:
    measures = {
        "attacked": ("is more accurate under attack", "> +9.3 pp", on_test),
        "clean": ("is more accurate on clean images", "> +9.3 pp", lambda result: float(result["clean"])),
        "early": ("is more accurate under attack after the first epoch", "half the epochs", _early),
    }
    return tuple(
        Larger(
            id=f"{name}-{threat}",
            says=f"AdamP {says} than Adam, trained against {threat}, each at its best step size",
            paper=paper,
            first={"threat": threat, "optimizer": "AdamP"},
            second={"threat": threat, "optimizer": "Adam"},
            measure=measure,
            margin=1.0,
            unit="%",
        )
        for threat in THREATS
        for name, (says, paper, measure) in measures.items()
    )


def figure(runs: Sequence[Run]) -> Any:
    """Norm and effective step under the L∞ threat."""
    from tangency.benchmarks.experiments.figures import curves

    chosen = matching(runs, {"threat": "Linf", "lr": 3e-3})
    return curves(chosen, "optimizer", {"norm": "mean ‖w‖", "effective_step": "mean ‖Δŵ‖"})


STUDY = Study(
    id="figure-4",
    title="Adversarial training",
    where="Figure 4, §4.3, E.4.1",
    question="A small ResNet on small images in the place of a Wide-ResNet on CIFAR-10, with fewer inner iterations.",
    plan=plan,
    statements=_statements(),
    figure=figure,
)
