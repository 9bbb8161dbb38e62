"""Table H.6 and Corollary 2.3: the momentum coefficient, and how much faster it makes norms grow."""

import statistics as averages
from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments.grids import images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Measure, Near, Result, Run, Statement, Study, on_test

MOMENTA = (0.5, 0.8, 0.9, 0.95, 0.99)


def plan(preset: Preset) -> list[Config]:
    """SGD and SGDP with every momentum, without weight decay."""
    return sweep(
        {**images(preset), "lr": 0.1, "weight_decay": 0.0, "schedule": "cosine"},
        momentum=preset.pick(smoke=(0.5, 0.9), small=MOMENTA, paper=MOMENTA),
        optimizer=("SGD", "SGDP"),
        seed=preset.seeds,
    )


def limit(momentum: float) -> float:
    """1 + 2β/(1−β)."""
    return 1 + 2 * momentum / (1 - momentum)


def _statements() -> tuple[Statement, ...]:
    found: list[Statement] = []
    for momentum in MOMENTA:
        sides = [{"optimizer": optimizer, "momentum": momentum} for optimizer in ("SGDP", "SGD")]
        found += [
            Near(
                id=f"ratio-{momentum:g}",
                says=f"at β = {momentum:g} ‖w‖² grows 1 + 2β/(1−β) times as much as by its steps",
                paper=f"{limit(momentum):.4g}",
                of=sides[1],
                measure=_over(limit(momentum)),
                margin=0.1,
                show=_shown,
            ),
            Larger(
                id=f"norm-{momentum:g}",
                says=f"norms end smaller with SGDP than with SGD at β = {momentum:g}",
                paper="",
                first=sides[0],
                second=sides[1],
                measure=lambda result: float(result["norm_last"]),
                lower=True,
                margin=0.01,
                tuned=(),
            ),
            Larger(
                id=f"accuracy-{momentum:g}",
                says=f"SGDP is more accurate than SGD at β = {momentum:g}",
                paper="",
                first=sides[0],
                second=sides[1],
                measure=on_test,
                margin=0.5,
                tuned=(),
                unit="%",
            ),
        ]
    return tuple(found)


def _over(target: float) -> Measure:
    """By which part the growth ratio is off."""
    return lambda result: float(result["growth_ratio"] / target - 1)


def _shown(results: Sequence[Result]) -> str:
    return f"{averages.fmean(result['growth_ratio'] for result in results):.4g}"


def figure(runs: Sequence[Run]) -> Any:
    """The growth ratio of SGD over β, measured and as the corollary has it."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(5, 3.4), layout="constrained")
    axis = made.subplots()
    momenta = sorted({run.config["momentum"] for run in runs})
    for momentum in momenta:
        ratios = [
            run.result["growth_ratio"]
            for run in runs
            if run.config["momentum"] == momentum and run.config["optimizer"] == "SGD"
        ]
        axis.plot([momentum] * len(ratios), ratios, "o", color="tab:blue", markersize=3)
    dense = [i / 200 for i in range(100, 199)]
    axis.plot(dense, [limit(momentum) for momentum in dense], color="black", linewidth=0.8, label="1 + 2β/(1−β)")
    axis.set_yscale("log")
    axis.set_xlabel("momentum β")
    axis.set_ylabel("growth of ‖w‖² over that by the steps' lengths")
    axis.legend(fontsize=8)
    return made


STUDY = Study(
    id="table-h6",
    title="The momentum coefficient",
    where="Table H.6, §H.3; Corollary 2.3",
    question="The growth ratio is the monitor's, on a live run. Its steps end, by a cosine schedule, so that the limit "
    "of the corollary is due; how near a run comes to it depends on its length over 1/(1−β).",
    plan=plan,
    statements=_statements(),
    figure=figure,
)
