"""What Figures 3, G.1, G.2 and H.1 share: the Rosenbrock function on the sphere, and a search of what is not said."""

from collections.abc import Mapping, Sequence
from typing import Any

from tangency.benchmarks.experiments.grids import sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Run, matching
from tangency.theory.fields import FLOAT64
from tangency.theory.objectives import SphericalRosenbrock

# "The optimal initial learning rates between 0.001 and 0.1" (B.2).
RATES = tuple(round(0.001 * 100 ** (i / 60), 6) for i in range(61))
START = [float(x) for x in SphericalRosenbrock().point(FLOAT64, -2, 2)]


def runs_of(
    preset: Preset, arms: Sequence[Mapping[str, Any]], clips: Sequence[float | None] = (None, 1.0)
) -> list[Config]:
    """Every arm, with and without clipped gradients; a run tries all step sizes, decayed linearly over 200 points.

    The norm of the first gradient is 30,698: with the printed setting the first step throws the weights far out.
    """
    base = {"task": "search", "problem": "rosenbrock", "start": START, "steps": 199, "schedule": "linear", "seed": 0}
    base["rates"] = list(preset.pick(smoke=RATES[::6], small=RATES, paper=RATES))
    return [{**one, **arm} for one in sweep(base, clip=clips) for arm in arms]


def at_best(runs: Sequence[Run], arm: Mapping[str, Any], clip: float | None) -> Run | None:
    """The run of an arm; what it shows is at the step size that ends lowest, as the paper chose."""
    return next(iter(matching(runs, {**arm, "clip": clip})), None)


def nearest(
    runs: Sequence[Run], arms: Sequence[Mapping[str, Any]], norm: float, which: int
) -> tuple[float, str] | None:
    """Of all settings of some arms, the one whose norm is nearest to a printed one.

    Args:
        which: 1 for the largest norm of a run, 2 for its last.

    Returns:
        The norm, and the setting in words.
    """
    found = []
    for arm in arms:
        for run in matching(runs, arm):
            clip, l2 = run.config["clip"], run.config.get("l2")
            setting = f"clip {clip:g}" if clip else "no clip"
            setting += f", L2 {l2:g}" if l2 else ""
            found += [(tried[which], f"lr {tried[0]:g}, {setting}") for tried in run.result["tried"]]
    return min(found, key=lambda one: abs(one[0] - norm), default=None)


def figure(runs: Sequence[Run], arms: Mapping[str, tuple[Mapping[str, Any], float | None]]) -> Any:
    """Paths over the two angles, and norms, each at its best step size."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(9, 3.6), layout="constrained")
    plane, norms = made.subplots(1, 2)
    for name, (arm, clip) in arms.items():
        run = at_best(runs, arm, clip)
        if run is not None:
            label = f"{name}, lr {run.result['lr']:.3g}"
            plane.plot(*zip(*run.result["point"], strict=True), linewidth=1, label=label)
            norms.plot(run.result["steps"], run.result["norm"], linewidth=1, label=label)
    plane.plot([1], [1], "k*")
    plane.set_title("(cψ, cφ)", fontsize=10)
    norms.set_title("‖w‖", fontsize=10)
    norms.set_yscale("log")
    norms.legend(fontsize=7)
    return made
