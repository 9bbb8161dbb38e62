"""Figure 1 and B.1: gradient descent, momentum and its projection in two dimensions."""

from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments.grids import sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Checked, Config, Result, Run, Study, matching, printed

START, OTHER_START = [0.001, 1.0], [0.01, 1.0]
NEAR = 0.99
ARMS = (
    ("gd", {}),
    *(("momentum", {"momentum": beta}) for beta in (0.9, 0.95, 0.99)),
    *(("sgdp", {"momentum": beta}) for beta in (0.9, 0.95, 0.99)),
)


def plan(preset: Preset) -> list[Config]:
    """500 steps of 0.02 (found, not printed) from the printed start, and from one ten times as far to the side."""
    base = {"task": "toy", "problem": "cosine", "lr": 0.02, "steps": 500, "schedule": "constant", "seed": 0}
    return [
        {**one, "algorithm": algorithm, "options": options}
        for one in sweep(base, start=(START, OTHER_START))
        for algorithm, options in ARMS
    ]


def steps_to_target(run: Run) -> int:
    """How many steps a run needs until cos(w, w*) > 0.99; its length if it does not get there."""
    values = run.result["value"]
    return next((step for step, value in enumerate(values) if -value > NEAR), len(values))


def _arm(runs: Sequence[Run], algorithm: str, beta: float | None = None) -> Run | None:
    options = {} if beta is None else {"momentum": beta}
    found = matching(runs, {"algorithm": algorithm, "options": options, "start": START})
    return found[0] if found else None


def _fastest(runs: Sequence[Run]) -> tuple[str, bool] | None:
    arms = [_arm(runs, "gd"), *(_arm(runs, name, beta) for name in ("momentum", "sgdp") for beta in (0.9, 0.95, 0.99))]
    if not all(arms):
        return None
    gd, *others = (steps_to_target(run) for run in arms if run is not None)
    momentum, sgdp = others[:3], others[3:]
    said = f"steps to cos > {NEAR}: GD {gd}; momentum {momentum}; SGDP {sgdp} at β = 0.9, 0.95, 0.99"
    return said, max(sgdp) < min(gd, *momentum)


def _grows(runs: Sequence[Run]) -> tuple[str, bool] | None:
    norms = {}
    for name in ("momentum", "sgdp"):
        arms = [_arm(runs, name, beta) for beta in (0.9, 0.95, 0.99)]
        if not all(arms):
            return None
        norms[name] = [run.result["largest_norm"] for run in arms if run is not None]
    momentum, sgdp = norms["momentum"], norms["sgdp"]
    said = f"momentum {', '.join(f'{x:.3g}' for x in momentum)}; SGDP {', '.join(f'{x:.3f}' for x in sgdp)}"
    return said, sorted(momentum) == momentum and max(sgdp) < min(momentum)


def _norm(beta: float, start: list[float]) -> dict[str, Any]:
    return {"algorithm": "momentum", "options": {"momentum": beta}, "start": start}


def _largest(result: Result) -> float:
    return float(result["largest_norm"])


def figure(runs: Sequence[Run]) -> Any:
    """The trajectories and the norms."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(9, 3.6), layout="constrained")
    plane, norms = made.subplots(1, 2)
    for run in matching(runs, {"start": START}):
        beta = run.config["options"].get("momentum")
        name = run.config["algorithm"] + ("" if beta is None else f", β = {beta:g}")
        if beta in (None, 0.9):
            plane.plot(*zip(*run.result["point"], strict=True), linewidth=1, label=name)
        norms.plot(run.result["steps"], run.result["norm"], linewidth=1, label=name)
    plane.set_aspect("equal")
    plane.set_title("w", fontsize=10)
    norms.set_title("‖w‖", fontsize=10)
    norms.set_yscale("log")
    norms.legend(fontsize=7)
    return made


STUDY = Study(
    id="figure-1",
    title="Three optimizers in two dimensions",
    where="Figure 1, §2.4, Appendix B.1",
    question="The step size and the number of steps are not printed; 0.02 and 500 give the printed norm at β = 0.9.",
    plan=plan,
    statements=(
        printed("norm-0.9", "the largest norm of momentum at β = 0.9", "2.93", _norm(0.9, START), _largest),
        printed("norm-0.99", "the same at β = 0.99, from the printed start", "27.87", _norm(0.99, START), _largest),
        printed("norm-0.99-start", "the same from (0.01, 1)", "27.87", _norm(0.99, OTHER_START), _largest),
        Checked("grows", "a larger momentum makes the norm grow more; SGDP prevents it", "2.93, 27.87", _grows),
        Checked("fastest", "SGDP converges most quickly", "", _fastest),
    ),
    figure=figure,
)
