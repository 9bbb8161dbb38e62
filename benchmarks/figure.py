"""The chart: of each table of times the ratios to torch's fused optimizer, and of each sweep how they change."""

from pathlib import Path
from typing import Any

from tangency.benchmarks.results import Results, Sweep
from tangency.benchmarks.steps import Timing

SUFFIXES = (".svg", ".png", ".pdf")


def draw(path: Path, results: Results) -> None:
    """Draw a panel for each table of times and each sweep, without a screen.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "tangency"  # else no two files are alike
    from matplotlib import pyplot

    panels: list[Timing | Sweep] = [*results.timings, *results.sweeps]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(7 * columns, 3.2 * rows), squeeze=False, layout="constrained"
    )
    for axis, panel in zip(axes.flat, panels, strict=False):
        if isinstance(panel, Sweep):
            _lines(axis, panel)
        else:
            _bars(axis, panel)
    for axis in list(axes.flat)[len(panels) :]:
        axis.remove()
    figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    pyplot.close(figure)


def _bars(axis: Any, timing: Timing) -> None:
    rows = timing.rows[::-1]
    middle = [row.ratio.p50 for row in rows]
    # Quantiles of quotients: the middle may lie on the edge, never outside.
    below = [row.ratio.p50 - row.ratio.p20 for row in rows]
    above = [row.ratio.p80 - row.ratio.p50 for row in rows]
    colours = ["tab:orange" if row.name.startswith("tangency") else "tab:grey" for row in rows]
    axis.barh([row.name for row in rows], middle, xerr=[below, above], color=colours, capsize=2)
    axis.set_xscale("log")
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_title(f"{timing.what} · {timing.optimizer} · {timing.mode}", fontsize=10)
    axis.set_xlabel(f"time of a step / {timing.rows[0].name}")


def _lines(axis: Any, sweep: Sweep) -> None:
    places = range(len(sweep.timings))
    for i, row in enumerate(sweep.timings[0].rows):
        ours = row.name.startswith("tangency")
        style = {"marker": "o", "linewidth": 2} if ours else {"marker": ".", "linewidth": 1, "linestyle": "--"}
        axis.plot(places, [timing.rows[i].ratio.p50 for timing in sweep.timings], label=row.name, **style)
    axis.set_xticks(list(places), [timing.what for timing in sweep.timings], rotation=20, ha="right", fontsize=7)
    axis.set_yscale("log")
    axis.axhline(1, color="black", linewidth=0.8)
    axis.set_title(f"{sweep.title} · {sweep.optimizer} · {sweep.mode}", fontsize=10)
    axis.set_ylabel(f"time / {sweep.timings[0].rows[0].name}")
    axis.legend(fontsize=6)
