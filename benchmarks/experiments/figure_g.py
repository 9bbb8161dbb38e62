"""Figures G.1 and G.2: Cho & Lee's optimizers on the Grassmann manifold, with and without their gradient clipping."""

from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments import rosenbrock
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Checked, Config, Run, Study

NU = 0.1  # the clipping of Cho & Lee (2017), whose β₂ is 0.99


def _arm(algorithm: str, **options: Any) -> dict[str, Any]:
    return {"algorithm": algorithm, "options": options}


ARMS = {
    "SGDP": _arm("sgdp", momentum=0.9),
    "SGDG": _arm("sgdg", momentum=0.9, clip=None),
    "SGDG clipped": _arm("sgdg", momentum=0.9, clip=NU),
    "AdamP": _arm("adamp", betas=[0.9, 0.999]),
    "AdamG": _arm("adamg", betas=[0.9, 0.99], clip=None),
    "AdamG clipped": _arm("adamg", betas=[0.9, 0.99], clip=NU),
}
# Momentum needs clipped gradients to get anywhere from this start; Adam does not.
CLIPS: dict[str, float | None] = {
    "SGDP": 1.0,
    "SGDG": 1.0,
    "SGDG clipped": 1.0,
    "AdamP": None,
    "AdamG": None,
    "AdamG clipped": None,
}


def plan(preset: Preset) -> list[Config]:
    """All arms at every step size."""
    return rosenbrock.runs_of(preset, tuple(ARMS.values()))


def _best(runs: Sequence[Run], name: str) -> Run | None:
    return rosenbrock.at_best(runs, ARMS[name], CLIPS[name])


def _stays(runs: Sequence[Run]) -> tuple[str, bool] | None:
    found = [run for run in (_best(runs, name) for name in ARMS if "G" in name[3:]) if run is not None]
    if not found:
        return None
    largest = max(abs(run.result[which] - 1) for run in found for which in ("lowest_norm", "largest_norm"))
    # Each step rounds a unit vector of three entries a few times; 200 of them stay below this.
    return f"|‖w‖ − 1| ≤ {largest:.1e}", largest <= 200 * 16 * 2.0**-53


def _faster(ours: str, grassmann: str) -> Any:
    def check(runs: Sequence[Run]) -> tuple[str, bool] | None:
        first, second = _best(runs, ours), _best(runs, grassmann)
        if first is None or second is None:
            return None
        values = first.result["last_value"], second.result["last_value"]
        return f"final h: {ours} {values[0]:.3g}, {grassmann} {values[1]:.3g}", values[0] < values[1]

    return check


def figure(runs: Sequence[Run]) -> Any:
    """Each at its best step size."""
    return rosenbrock.figure(runs, {name: (arm, CLIPS[name]) for name, arm in ARMS.items()})


STUDY = Study(
    id="figure-g",
    title="Optimizers on the Grassmann manifold",
    where="Figures G.1 and G.2, §G.1",
    question="As figure-3, for SGDG and AdamG with and without the clipping ν = 0.1, each at its best step size.",
    plan=plan,
    statements=(
        Checked("norm", "SGDG and AdamG do not let the norm grow, by definition", "1", _stays),
        Checked("sgdg", "SGDP converges faster than SGDG with its clipping", "", _faster("SGDP", "SGDG clipped")),
        Checked("adamg", "AdamP converges faster than AdamG with its clipping", "", _faster("AdamP", "AdamG clipped")),
        Checked("sgdg-clip", "without the clipping SGDG converges faster", "", _faster("SGDG", "SGDG clipped")),
        Checked("adamg-clip", "without the clipping AdamG converges faster", "", _faster("AdamG", "AdamG clipped")),
    ),
    figure=figure,
)
