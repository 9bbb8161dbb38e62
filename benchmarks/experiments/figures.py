"""Curves of runs: the mean over seeds, a colour for each value of an option."""

import statistics as averages
from collections.abc import Mapping, Sequence
from typing import Any

from tangency.benchmarks.experiments.study import Run


def curves(
    runs: Sequence[Run], by: str, panels: Mapping[str, str], *, log: tuple[str, ...] = ("effective_step",)
) -> Any:
    """A panel a curve of the results.

    Args:
        runs: alike in all but ``by`` and the seed.
        by: the option that a colour shows.
        panels: names of curves in the results, and their titles.
        log: curves on a logarithmic scale.
    """
    from matplotlib.figure import Figure

    made = Figure(figsize=(4.5 * len(panels), 3.2), layout="constrained")
    axes = made.subplots(1, len(panels), squeeze=False)[0]
    values = list(dict.fromkeys(run.config[by] for run in runs))
    for axis, (name, title) in zip(axes, panels.items(), strict=True):
        for value in values:
            lines = [run.result for run in runs if run.config[by] == value and not run.result.get("diverged")]
            length = min((len(line[name]) for line in lines), default=0)
            if length:
                mean = [averages.fmean(line[name][i] for line in lines) for i in range(length)]
                axis.plot(lines[0]["steps"][:length], mean, label=str(value), linewidth=1)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step", fontsize=8)
        if name in log:
            axis.set_yscale("log")
    axes[0].legend(fontsize=7)
    return made
