"""docs/experiments.md, from the stored runs alone."""

import re
from collections.abc import Mapping, Sequence

from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.store import Store
from tangency.benchmarks.experiments.studies import studies
from tangency.benchmarks.experiments.study import Finding, Run, Study, Verdict, findings
from tangency.benchmarks.experiments.table import interval
from tangency.common.figures import saved

HEAD = """# The paper's experiments, here

Do the paper's empirical statements hold on live runs? Each study states before it runs what the paper says, what is
compared and by which margin a difference matters; the runs are paired by seed; differences come with their 95 %
interval and are tested together (Holm), equivalence by two one-sided tests. Every optimizer gets the same grid of step
sizes, and where each is taken at its own best, that is chosen on validation data. Verdicts: *holds*; *opposite*, where
the difference is there and has the other sign; *no difference within the margin*; *undecided*. Nothing was tuned after
a result was seen.

These are small runs, on small networks and data: they decide whether an effect is there at all where anybody can look,
not what it is on ImageNet. `tangency reproduce --preset paper --data DIR` runs the paper's settings on your own data.

This page is made by `tangency reproduce --preset small --out docs/experiments --page docs/experiments.md` from
`docs/experiments/small.jsonl`; a test holds it to them.
"""


def page(store: Store, size: Size, figures: Mapping[str, str]) -> str:
    """The page of all studies whose runs are all there.

    Args:
        store: the runs.
        size: of the preset that they are of.
        figures: the files of figures, by study.
    """
    preset = Preset(size)
    decided = [(study, *_decided(study, store, preset)) for study in studies(())]
    parts = [HEAD, _summary([(study, found) for study, runs, found in decided if runs])]
    missing = [study.id for study, runs, _ in decided if not runs]
    if missing:
        parts.append(f"Not run in full yet: {', '.join(missing)}.\n")
    for study, runs, found in decided:
        if runs:
            parts.append(_section(study, runs, found, figures.get(study.id), _seconds(store, study, preset)))
    return "\n".join(parts)


def _decided(study: Study, store: Store, preset: Preset) -> tuple[list[Run], list[Finding]]:
    """The runs of a study and what they say; none until all of them are made."""
    plan = study.plan(preset)
    runs = list(store.runs(plan)) if all(config in store for config in plan) else []
    return runs, findings(study, runs)


def _heading(study: Study) -> str:
    return f"{study.id}: {study.title}"


def _anchor(study: Study) -> str:
    """What Markdown makes of a heading."""
    return re.sub(r"[^\w\- ]", "", _heading(study).lower()).replace(" ", "-")


def _seconds(store: Store, study: Study, preset: Preset) -> float:
    return sum(float(store.line(config)["cpu_seconds"]) for config in study.plan(preset) if config in store)


def _summary(decided: Sequence[tuple[Study, list[Finding]]]) -> str:
    names = (Verdict.HOLDS, Verdict.NO_DIFFERENCE, Verdict.UNDECIDED, Verdict.OPPOSITE)
    lines = [f"| study | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for study, found in decided:
        counts = [sum(one.verdict is name for one in found) for name in names]
        lines.append(f"| [{study.title}](#{_anchor(study)}) | {' | '.join(str(n) if n else '' for n in counts)} |")
    return "\n".join(lines) + "\n"


def _section(study: Study, runs: Sequence[Run], found: Sequence[Finding], figure: str | None, seconds: float) -> str:
    seeds = len({run.config.get("seed") for run in runs})
    made = f"{len(runs)} runs, {seeds} seeds" if seeds > 1 else f"{len(runs)} runs without randomness"
    lines = [
        f"## {_heading(study)}",
        "",
        f"{study.where}. {study.question} {made}, {seconds:.0f} CPU seconds.",
        "",
        "| the paper says | paper | here | difference, 95 % | margin | verdict |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        if one.verdict is Verdict.NOT_RUN:
            continue
        margin = getattr(one.statement, "margin", None)
        cells = (one.statement.says, one.statement.paper, one.here, interval(one.evidence), margin, one.verdict.value)
        lines.append("| " + " | ".join("" if cell is None else str(cell).replace("|", "∣") for cell in cells) + " |")
    if noted := study.notes(runs):
        lines += ["", *(f"- {note}" for note in noted)]
    if figure is not None:
        lines += ["", f"![{study.title}]({figure})"]
    return "\n".join(lines).rstrip() + "\n"


def draw(store: Store, size: Size) -> dict[str, bytes]:
    """The figures of the studies that have runs, as SVG, by study."""
    drawn = {}
    for study in studies(()):
        runs, _ = _decided(study, store, Preset(size))
        if runs and study.figure is not None:
            drawn[study.id] = saved(study.figure(runs), "svg")
    return drawn
