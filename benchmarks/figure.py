"""The chart: of each table of times the ratios to torch's fused optimizer, and of each sweep how they change."""

from pathlib import Path
from typing import Any

from tangency.benchmarks.results import Results, Sweep
from tangency.benchmarks.steps import Timing
from tangency.common.figures import saved


def draw(path: Path, results: Results) -> bytes:
    """A panel for each table of times and each sweep, drawn without a screen, in the format that the suffix names."""
    import matplotlib

    matplotlib.use("Agg")
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
            _dots(axis, panel)
    for axis in list(axes.flat)[len(panels) :]:
        axis.remove()
    drawn = saved(figure, path.suffix.lower()[1:])
    pyplot.close(figure)
    return drawn


def _dots(axis: Any, timing: Timing) -> None:
    rows = timing.rows[::-1]
    for place, row in enumerate(rows):
        spread = [[row.ratio.p50 - row.ratio.p20], [row.ratio.p80 - row.ratio.p50]]
        axis.errorbar(row.ratio.p50, place, xerr=spread, fmt="o", color=_colour(row.name), capsize=3)
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.set_xscale("log")
    _plain(axis.xaxis)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_title(_marked(f"{timing.what} · {timing.optimizer} · {timing.mode}", timing.disturbed), fontsize=10)
    axis.set_xlabel(f"time of a step / {timing.rows[0].name}, p20 – p50 – p80", fontsize=8)


def _lines(axis: Any, sweep: Sweep) -> None:
    places = range(len(sweep.timings))
    for i, row in enumerate(sweep.timings[0].rows):
        width = 2 if row.name.startswith("tangency") else 0.8
        ratios = [timing.rows[i].ratio.p50 for timing in sweep.timings]
        axis.plot(places, ratios, label=row.name, marker="o", markersize=3, linewidth=width)
    axis.set_xticks(list(places), [timing.what for timing in sweep.timings], rotation=20, ha="right", fontsize=7)
    axis.set_yscale("log")
    _plain(axis.yaxis)
    axis.axhline(1, color="black", linewidth=0.8)
    disturbed = any(timing.disturbed for timing in sweep.timings)
    axis.set_title(_marked(f"{sweep.title} · {sweep.optimizer} · {sweep.mode}", disturbed), fontsize=10)
    axis.set_ylabel(f"time / {sweep.timings[0].rows[0].name}", fontsize=8)
    axis.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1))


def _colour(name: str) -> str:
    return "tab:orange" if name.startswith("tangency") else "black" if name.startswith("torch") else "tab:blue"


def _marked(title: str, disturbed: bool) -> str:
    return f"{title} (on a busy machine)" if disturbed else title


def _plain(axis: Any) -> None:
    """Ticks at round ratios: 0.5, 1, 2, 5, 10."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda ratio, place: f"{ratio:g}"))
    axis.set_minor_formatter(NullFormatter())
