"""The findings of studies as a table in a terminal."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tangency.benchmarks.experiments.statistics import Paired
from tangency.benchmarks.experiments.study import Finding, Study, Verdict

if TYPE_CHECKING:
    from rich.table import Table

STYLE = {Verdict.HOLDS: "green", Verdict.OPPOSITE: "red", Verdict.UNDECIDED: "yellow"}


def interval(evidence: Paired | None) -> str:
    """The mean difference and its 95 % interval."""
    if evidence is None:
        return ""
    if not math.isfinite(evidence.low):
        return f"{evidence.mean:+.3g}, n = {evidence.n}"
    return f"{evidence.mean:+.3g} [{evidence.low:+.3g}, {evidence.high:+.3g}], n = {evidence.n}"


def table(found: Iterable[tuple[Study, list[Finding]]]) -> "Table":
    """A row a statement."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("study", "the paper says", "paper", "here", "difference", "verdict"):
        made.add_column(heading)
    for study, findings in found:
        shown = [finding for finding in findings if finding.verdict is not Verdict.NOT_RUN]
        for i, finding in enumerate(shown):
            made.add_row(
                study.id if i == 0 else "",
                finding.statement.says,
                finding.statement.paper,
                finding.here,
                interval(finding.evidence),
                Text(finding.verdict.value, style=STYLE.get(finding.verdict, "")),
            )
    return made
