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
    """Every arm at every step size, decayed linearly over 200 points, with and without clipped gradients.

    The norm of the first gradient is 30,698: with the printed setting the first step throws the weights far out.
    """
    base = {"task": "toy", "problem": "rosenbrock", "start": START, "steps": 199, "schedule": "linear", "seed": 0}
    rates = preset.pick(smoke=RATES[::6], small=RATES, paper=RATES)
    return [{**one, **arm} for one in sweep(base, clip=clips, lr=rates) for arm in arms]


def at_best(runs: Sequence[Run], arm: Mapping[str, Any], clip: float | None) -> Run | None:
    """The run of an arm at the step size that ends lowest, as the paper chose."""
    found = matching(runs, {**arm, "clip": clip})
    return min(found, key=lambda run: float(run.result["last_value"]), default=None)


def nearest(runs: Sequence[Run], arm: Mapping[str, Any], norm: float, which: str = "last_norm") -> Run | None:
    """The run of an arm, clipped or not, whose norm is nearest to a printed one."""
    found = matching(runs, arm)
    return min(found, key=lambda run: abs(run.result[which] - norm), default=None)


def figure(runs: Sequence[Run], arms: Mapping[str, tuple[Mapping[str, Any], float | None]]) -> Any:
    """Paths over the two angles, and norms, each at its best step size."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(9, 3.6), layout="constrained")
    plane, norms = made.subplots(1, 2)
    for name, (arm, clip) in arms.items():
        run = at_best(runs, arm, clip)
        if run is not None:
            label = f"{name}, lr {run.config['lr']:.3g}"
            plane.plot(*zip(*run.result["point"], strict=True), linewidth=1, label=label)
            norms.plot(run.result["steps"], run.result["norm"], linewidth=1, label=label)
    plane.plot([1], [1], "k*")
    plane.set_title("(cψ, cφ)", fontsize=10)
    norms.set_title("‖w‖", fontsize=10)
    norms.set_yscale("log")
    norms.legend(fontsize=7)
    return made
