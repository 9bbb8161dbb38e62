"""The curves of a report as inline SVG; its colours are those of the page, so that it is legible in light and dark."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.finding import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A colour in matplotlib's drawing → the colour of the page that replaces it.
INK, FAINT, TARGET, SPEC = "#010203", "#010204", "#010205", "#010206"
COLOURS = {INK: "currentColor", FAINT: "var(--line)", TARGET: "var(--target)", SPEC: "var(--spec)"}
# Beyond these, the margins and ticks of an axis overflow.
LARGEST, SMALLEST = 1e150, 1e-150
SYMBOLS = {"norm": "norm ‖w‖", "effective step": "effective step ‖Δŵ‖"}
FLAT = 1e-4  # a smaller relative span is shown as a level line
WIDE = 30  # an axis is logarithmic if the largest value is more than so many times the smallest


@dataclass(frozen=True)
class Panel:
    """One figure: its title, and an SVG without any text of a target."""

    title: str
    svg: str


def panels(curve: Curve, prefix: str) -> list[Panel]:
    """Of each quantity target and spec by step, then the error in ulps; none where nothing is finite.

    Args:
        prefix: of the ids in the SVG, unique in the page.
    """
    longest = max((len(values) for values in curve.spec.values()), default=0)
    ran = max((len(values) for values in curve.target.values()), default=0)
    drawn = []
    for quantity in dict.fromkeys([*curve.target, *curve.spec]):
        target, spec = curve.target.get(quantity, ()), curve.spec.get(quantity, ())
        # A quantity of the moves between weights has one value less, and starts at step 1.
        start = longest - len(spec) if spec else max(0, ran - len(target))
        title = SYMBOLS.get(quantity, quantity)
        drawn.append((title, [(spec, SPEC), (target, TARGET)], start))
    drawn.append(("error in ulps", [(curve.ulps, TARGET)], max(0, ran - len(curve.ulps)) if curve.ulps else 0))
    return [
        Panel(title, _svg(series, start, f"{prefix}-{number}"))
        for number, (title, series, start) in enumerate(drawn)
        if any(math.isfinite(value) for values, _ in series for value in _numbers(values))
    ]


def _svg(series: Sequence[tuple[Sequence[float | None], str]], start: int, prefix: str) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    style: Any = {
        "svg.fonttype": "none",  # text stays text: it scales, is selectable, and takes the font of the page
        "svg.hashsalt": "tangency",  # makes pages reproducible
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(3.0, 2.0))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.18, 0.2, 0.76, 0.75))  # room for any label: automatic layout draws everything twice
        for values, colour in series:
            _draw(axes, _numbers(values), colour, start)
        _scale(axes, [value for values, _ in series for value in _numbers(values) if math.isfinite(value)])
        axes.grid(color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.set_xlabel("step")
        last = start + max(len(values) for values, _ in series) - 1
        axes.set_xlim(start, max(last, start + 1))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        page = io.StringIO()
        figure.savefig(page, format="svg", transparent=True, metadata={"Date": None})
    return _inline(page.getvalue(), prefix)


def _draw(axes: "Axes", values: list[float], colour: str, start: int) -> None:
    """The spec as a wide band, the target as a thin line upon it: both are visible where they agree, even in grey.
    A cross marks the last value before the run leaves the finite numbers."""
    steps = range(start, start + len(values))
    band = colour == SPEC
    marker = "." if len(values) < 3 and not band else ""
    width = 4.5 if band else 1.3
    axes.plot(steps, values, color=colour, linewidth=width, marker=marker, solid_capstyle="round", clip_on=False)
    finite = [math.isfinite(value) for value in values]
    if not band and True in finite and not all(finite):
        last = len(finite) - 1 - finite[::-1].index(True)
        axes.plot([steps[last]], [values[last]], color=colour, marker="x", linestyle="", clip_on=False)


def _scale(axes: "Axes", values: list[float]) -> None:
    """A logarithmic axis where the values span orders of magnitude, and no zoom into rounding where they do not."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = min(values), max(values)
    above = [value for value in values if value > 0]
    if low >= 0 and above and high > WIDE * min(above):
        least = min(above)
        if low > 0:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 1000 * least else (1,), numticks=6))
        else:  # a linear piece below the least value, which holds the zeros
            axes.set_yscale("symlog", linthresh=least)
            powers = range(math.ceil(math.log10(least)), math.floor(math.log10(high)) + 1)
            axes.yaxis.set_major_locator(FixedLocator([0, *(10.0**n for n in powers[:: 1 + len(powers) // 6])]))
            axes.set_ylim(bottom=0)
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.minorticks_off()
    else:
        if high - low <= FLAT * max(abs(high), abs(low)):
            about = 0.05 * max(abs(high), abs(low)) or 1.0
            axes.set_ylim(low - about if low else 0.0, high + about)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    # Numbers as plain text: matplotlib's own labels of powers are formulas, which take ten times as long to set.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def _numbers(values: Sequence[float | None]) -> list[float]:
    """The values, with nan where there is none, or none that an axis can hold."""
    return [
        math.nan if value is None or not abs(value) < LARGEST else value if abs(value) > SMALLEST else 0.0
        for value in values
    ]


def _inline(svg: str, prefix: str) -> str:
    """The drawing alone, with ids that no other one of the page has, and with the colours of the page."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg \1 aria-hidden="true">', svg, count=1)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-").replace('href="#', f'href="#{prefix}-')
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    for drawn, shown in COLOURS.items():
        svg = svg.replace(drawn, shown)
    return svg.strip()
