"""``tangency verify`` for people: claim × rung, what does not apply and why, the failures, and the closing line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tangency.common.numbers import digits, share
from tangency.common.text import visible
from tangency.proofs_checks.claim import Rung
from tangency.proofs_checks.report.facts import Row, Status, remarks, rows
from tangency.proofs_checks.report.terminal import STYLES, print_failure

if TYPE_CHECKING:
    from tangency.proofs_checks.run.verify import Report

LEGEND = "✓ holds, in how many cases   ✗ fails   ? undecided   ! our own error   … not run   – does not apply"
Cell = tuple[Status, str]  # the verdict, and what stands beside its mark
# A cell for several code paths shows the first of these that one of them has.
WORST_FIRST = (
    *(Status.ERROR, Status.FAILS, Status.CHOICE, Status.UNDECIDED, Status.NOT_RUN),
    *(Status.KNOWN, Status.HOLDS, Status.DOES_NOT_APPLY),
)


def print_report(console: Console, report: "Report", *, verbose: bool = False) -> None:
    """The table, why rungs do not apply, the failures, and the closing line."""
    notes: dict[str, int] = {}
    console.print(result_table(report, notes))
    console.print(Text(LEGEND, style="dim"))
    paths = dict.fromkeys(path for row in _rows(report) if (path := _path(row)))
    if paths:
        console.print(Text(f"examples of all code paths together: by default, {', '.join(paths)}", style="dim"))
    footnotes = Table.grid(padding=(0, 1))
    for why, number in notes.items():
        footnotes.add_row(Text(f"[{number}]"), Text(visible(why)))
    console.print(footnotes)
    for stale in stale_remarks(report):
        console.print(Text(visible(stale), style=STYLES[Status.FAILS]))
    if verbose:
        _print_details(console, report)
    says = {Status.ERROR: "stopped on our own error", Status.UNDECIDED: "is undecided"}
    for name, row in failing(report):
        print_failure(console, row, f"{visible(name)} {says.get(row.status, row.status.value)}", whole=True)
    console.print()
    console.print(Text(closing_line(report)))


def stale_remarks(report: "Report") -> list[str]:
    """What is said of known failures that are wrong."""
    return [remark for one in report.reports if one.stale for remark in remarks(one)]


def failing(report: "Report") -> list[tuple[str, Row]]:
    """What needs a look, each with its claim, rung and subject."""
    return [(_name(row), row) for row in _rows(report) if row.status.bad]


def _rows(report: "Report") -> list[Row]:
    """Every check of every subject that has an answer, in the order of the table."""
    found = [row for one in report.reports for row in rows(one) if row.finding is not None]
    return sorted(found, key=lambda row: report.place(row.check))


def result_table(report: "Report", notes: dict[str, int]) -> Table:
    """The grid for a terminal."""
    headings, lines = grid(report, notes)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("claim", *headings):
        table.add_column(heading, no_wrap=True)
    table.add_column("error / bound", no_wrap=True, justify="right")
    for claim, cells, error in lines:
        shown = (Text(f"{cell[0].mark} {cell[1]}".rstrip(), style=STYLES[cell[0]]) if cell else "" for cell in cells)
        table.add_row(claim, *shown, error)
    return table


def grid(report: "Report", notes: dict[str, int]) -> tuple[list[str], list[tuple[str, list[Cell | None], str]]]:
    """Claim × rung: verdict, examples tried, and the largest error against its bound; fills the numbered ``notes``.

    An optimizer has one column for all its code paths; where they differ, the cell names those that are worst.

    Returns:
        the headings between claim and error, and the lines: a claim, its cells, its error.
    """
    every = _rows(report)
    optimizers = list(dict.fromkeys(_optimizer(row) for row in every if _optimizer(row)))
    columns: list[tuple[Rung, str | None, str]] = []
    for rung in Rung:
        if any(row.check.rung is rung for row in every):
            attacked = optimizers if rung is Rung.IMPLEMENTATION and optimizers else [None]
            columns += [(rung, name, (name or rung.value).split(":")[-1]) for name in attacked]
    lines = []
    for claim in report.suite.claims:
        here = [row for row in every if row.check.claim == claim.id]
        if here:
            cells = [_cell(here, rung, name, notes) for rung, name, _ in columns]
            errors = [row.finding.error for row in here if row.finding and row.finding.error is not None]
            lines.append((claim.id, cells, share(max(errors)) if errors else ""))
    return [heading for _, _, heading in columns], lines


def _cell(of_claim: Sequence[Row], rung: Rung, optimizer: str | None, notes: dict[str, int]) -> Cell | None:
    """One cell; a rung that applies to no implementation at all shows in the column of every optimizer."""
    here = [row for row in of_claim if row.check.rung is rung and _optimizer(row) in (None, optimizer)]
    if not here:
        return None  # an interrupt cut it off
    status = min((row.status for row in here), key=WORST_FIRST.index)
    worst = [row for row in here if row.status is status]
    if worst[0].note:
        note = f"not run: {worst[0].note}" if status is Status.NOT_RUN else worst[0].note
        return status, f"[{notes.setdefault(note, len(notes) + 1)}]"
    if len(worst) < len(here) and status is not Status.HOLDS:
        return status, ", ".join(_path(row) or "default" for row in worst).replace("=True", "")
    examples = sum(row.finding.examples for row in worst if row.finding)
    return status, f"{examples:,}" if examples else ""


def _subject(row: Row) -> str:
    return (row.finding and row.finding.subject) or ""


def _optimizer(row: Row) -> str | None:
    """The name of the subject, without its options."""
    return _subject(row).partition("(")[0] or None


def _path(row: Row) -> str:
    """The options of the subject: those of its code path."""
    return _subject(row).partition("(")[2].removesuffix(")")


def _name(row: Row) -> str:
    return " · ".join(filter(None, (row.check.claim, row.check.rung and row.check.rung.value, _subject(row))))


def _print_details(console: Console, report: "Report") -> None:
    console.print()
    for row in _rows(report):
        found = row.finding
        if found is None or row.status in (Status.DOES_NOT_APPLY, Status.NOT_RUN):
            continue
        line = f"{_name(row)}: {row.status.value}, {found.examples:,} tried, {found.seconds:.1f} s"
        if found.error is not None:
            line += f", error {share(found.error)} of its bound ({found.error_at})"
        if found.ulps is not None:
            line += f", at most {digits(found.ulps)} ulps"
        if row.status is Status.HOLDS and found.detail:
            line += f"; {found.detail}"
        console.print(Text(visible(line)))


def closing_line(report: "Report") -> str:
    """``15 claims: 15 hold; seed 1, 42 s``: a claim holds if it holds on every rung that applies and was run."""
    by_claim: dict[str, set[Status]] = {}
    for row in _rows(report):
        by_claim.setdefault(row.check.claim, set()).add(row.status)
    words = {
        Status.ERROR: "broken",
        Status.FAILS: "fail",
        Status.UNDECIDED: "undecided",
        Status.KNOWN: "known to fail",
        Status.HOLDS: "hold",
        Status.DOES_NOT_APPLY: "not applicable",
        Status.NOT_RUN: "not run",
    }
    worst = [next(words[status] for status in words if status in found) for found in by_claim.values()]
    order = ("hold", "fail", "undecided", "broken", "known to fail", "not applicable", "not run")
    held = ", ".join(f"{worst.count(word)} {word}" for word in order if word in worst) or "nothing ran"
    plural = "claim" if len(by_claim) == 1 else "claims"
    missing = sum(row.status is Status.NOT_RUN for row in _rows(report))
    held += f"; {missing} not run" if missing else ""
    cut = "interrupted; " if report.interrupted else ""
    options = report.options
    return f"{cut}{len(by_claim)} {plural}: {held}; {options.profile.name}, seed {options.seed}, {report.seconds:.0f} s"
