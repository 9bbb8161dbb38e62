"""Reports for people at a terminal: one target in full, several as a matrix of check × target."""

from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tangency.common.numbers import digits, share
from tangency.common.text import line, visible
from tangency.proofs_checks.report import dialect_text
from tangency.proofs_checks.report.causes import causes
from tangency.proofs_checks.report.facts import (
    LEGEND,
    Row,
    Status,
    labels,
    overall,
    remarks,
    rows,
    short_labels,
    worst_first,
)
from tangency.proofs_checks.report.subject_report import SubjectReport

STYLES = {
    Status.FAILS: "bold red",
    Status.CHOICE: "yellow",
    Status.UNDECIDED: "bold yellow",
    Status.ERROR: "bold magenta",
    Status.KNOWN: "yellow",
    Status.NOT_RUN: "dim",
    Status.HOLDS: "green",
    Status.DOES_NOT_APPLY: "dim",
}
GAP = 2  # columns between two of a table


def print_reports(
    console: Console, reports: Sequence[SubjectReport], scripts: Mapping[tuple[str, str], str] | None = None
) -> None:
    """Print what was found: verdicts, dialects, a table, and every failure.

    Args:
        scripts: of each target and check id, the path of the script that shows the failure.
    """
    scripts = scripts or {}
    if len(reports) == 1:
        (report,) = reports
        _print_verdict(console, report, line(report.verdict_line), whole=True)
        if rows(report):
            console.print()
            _print_checks(console, report)
        _print_failures(console, report, scripts, "")
        return
    names = labels(reports)
    _print_matrix(console, reports, names)
    for report, name in zip(reports, names, strict=True):
        console.print()
        # Labels distinguish targets of equal names.
        verdict = line(report.verdict_line).replace(line(report.info.target), line(name), 1)
        _print_verdict(console, report, verdict, whole=False)
    for report, name in zip(reports, names, strict=True):
        _print_failures(console, report, scripts, line(name))


def _print_verdict(console: Console, report: SubjectReport, verdict: str, *, whole: bool) -> None:
    """The verdict, what explains it, remarks, and the dialect: its name alone, or every choice."""
    status = overall(report)
    console.print(Text(f"{status.mark} {verdict}", style=STYLES[status]))
    for cause in causes(report):
        heading = Text(f"{cause.status.mark} {line(cause.name)}", style=STYLES[cause.status])
        console.print(_indented(heading.append(f": {line(cause.says)}", style="not bold default"), 2))
        at_length = whole and cause.status is not Status.KNOWN
        for detail in cause.details if at_length else cause.details[:1]:
            console.print(_indented(Text(line(detail), style="dim"), 4))
        for row in cause.map if at_length else ():
            console.print(_indented(Text(row, style="dim"), 4))
    for remark in remarks(report):
        console.print(_indented(Text(visible(remark)), 2))
    fit = report.fit
    if fit is None:
        return
    console.print()
    console.print(_indented(Text(f"dialect: {line(dialect_text.summary(fit))}"), 2))
    choices = [f"{line(choice)}={line(value)}" for choice, value in dialect_text.choices(fit)]
    if choices and (whole or not fit.explained):
        nearest = "" if fit.explained else "nearest: "
        console.print(_indented(Text(nearest + ", ".join(choices), style="dim"), 2))
    for departure in dialect_text.departures(fit):
        text = Text.assemble(
            (f"{line(departure.choice)} = {line(departure.value)}", "bold"), f"  ({line(departure.differs)})  "
        )
        text.append(departure.judgement, style="bold red" if departure.worst else "")
        console.print(_indented(text, 2))
        console.print(_indented(Text(f"{line(departure.says)}\n{line(departure.effect)}"), 4))


def _indented(text: Text, by: int) -> Padding:
    return Padding(text, (0, 0, 0, by), expand=False)


def _print_checks(console: Console, report: SubjectReport) -> None:
    """The checks of one target, the worst first: a line for each claim and for what needs a look, the others in few."""
    notes: dict[str, int] = {}
    ordered, briefly = worst_first(report), (Status.DOES_NOT_APPLY, Status.HOLDS)
    shown = [row for row in ordered if row.status not in briefly or (row.check.rung and row.status is Status.HOLDS)]
    if shown:
        console.print(_table(shown, notes))
        console.print()
    for status in (Status.HOLDS, Status.DOES_NOT_APPLY):
        alike = [row for row in ordered if row.status is status and row not in shown]
        if alike:
            of_bound = ", with the largest error / bound" if any(r.finding and r.finding.error for r in alike) else ""
            console.print(Text(f"{status.mark} {status.value} ({len(alike)}){of_bound}", style=STYLES[status]))
            cells = [Text(_brief(row, notes), style="dim" if status is Status.DOES_NOT_APPLY else "") for row in alike]
            console.print(Padding(Columns(cells, padding=(0, GAP + 1), column_first=True), (0, 0, 0, 2)))
    _print_notes(console, notes)


def _table(rows: Sequence[Row], notes: dict[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for heading in ("check", "verdict", "severity"):
        table.add_column(heading, no_wrap=True)
    for heading in ("tried", "error / bound", "ulps"):
        table.add_column(heading, no_wrap=True, justify="right")
    for row in rows:
        found = row.finding
        table.add_row(
            Text(line(row.check.id)),
            Text(_noted(f"{row.status.mark} {row.status.value}", row, notes), style=STYLES[row.status]),
            row.check.severity.value,
            f"{found.examples:,}" if found and found.examples else "",
            share(found.error) if found and found.error is not None else "",
            digits(found.ulps) if found and found.ulps is not None else "",
        )
    return table


def _brief(row: Row, notes: dict[str, int]) -> str:
    """The check with the share of its bound that the largest error takes, or with the number of its note."""
    error = row.finding.error if row.finding and row.status is Status.HOLDS else None
    return _noted(line(row.check.id), row, notes) + ("" if error is None else f" {share(error)}")


def _print_matrix(console: Console, reports: Sequence[SubjectReport], names: Sequence[str]) -> None:
    """Check × target; in several parts where the page is too narrow for all targets."""
    notes: dict[str, int] = {}
    found = [{row.check.id: row for row in rows(report)} for report in reports]
    ids = list(dict.fromkeys(id for each in found for id in each))
    cells = [[_cell(each.get(id), notes) for id in ids] for each in found]
    headings = [line(name) for name in short_labels(reports)]
    widest = max((Text(line(id)).cell_len for id in ids), default=5)
    room = console.width - widest - GAP
    numbers = sum(Text(heading).cell_len + GAP for heading in headings) > room
    if numbers:  # one number a target
        for number, name in enumerate(names, 1):
            console.print(Text(f"{number}  {line(name)}"), soft_wrap=True)
        console.print()
        headings = [str(number) for number in range(1, len(reports) + 1)]
    widths = [
        max(len(heading) if numbers else Text(heading).cell_len, *(cell.cell_len for cell in column), 0) + GAP
        for heading, column in zip(headings, cells, strict=True)
    ]
    start = 0
    while start < len(reports):
        stop = start + 1
        while stop < len(reports) and sum(widths[start : stop + 1]) <= room:
            stop += 1
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        table.add_column("check", no_wrap=True)
        for heading in headings[start:stop]:
            table.add_column(Text(heading), no_wrap=True)
        for number, id in enumerate(ids):
            table.add_row(Text(line(id)), *(column[number] for column in cells[start:stop]))
        console.print(table)
        if stop < len(reports):
            console.print()
        start = stop
    console.print(Text(LEGEND, style="dim"))
    _print_notes(console, notes)


def _cell(row: Row | None, notes: dict[str, int]) -> Text:
    return Text("") if row is None else Text(_noted(row.status.mark, row, notes), style=STYLES[row.status])


def _noted(text: str, row: Row, notes: dict[str, int]) -> str:
    """The text with the number of the note that says why, where there is a reason."""
    return f"{text} [{notes.setdefault(row.note, len(notes) + 1)}]" if row.note else text


def _print_notes(console: Console, notes: Mapping[str, int]) -> None:
    table = Table.grid(padding=(0, 1))
    for why, number in notes.items():
        table.add_row(Text(f"[{number}]"), Text(visible(why)))
    if notes:
        console.print()
        console.print(table)


def _print_failures(console: Console, report: SubjectReport, scripts: Mapping[tuple[str, str], str], name: str) -> None:
    """What needs a look."""
    for row in worst_first(report):
        if row.status.bad and row.finding is not None:
            whose = f"{name} · " if name else ""
            heading = f"{whose}{line(row.check.id)} · {row.check.severity.value} · {row.status.value}"
            print_failure(console, row, heading, scripts.get((report.info.target, row.check.id)))


def print_failure(console: Console, row: Row, heading: str, script: str | None = None, *, whole: bool = False) -> None:
    """One failure: title, source, detail, expected and got, counterexample, and the script.

    Args:
        script: the path of the script, if it was written.
        whole: with the statement, and with the text of the script.
    """
    found = row.finding
    assert found is not None, "nothing was found"
    console.print()
    console.print(Text(f"{row.status.mark} {heading}", style=STYLES[row.status]))
    console.print(Text(f"{visible(row.check.title)} ({visible(row.check.source)})"))
    if whole:
        console.print(Text(visible(row.check.why)))
    if found.detail:
        console.print(Text(visible(found.detail)), soft_wrap=row.status is Status.ERROR)
    for name, text in (("expected", found.expected), ("got", found.got), ("readings", found.readings)):
        if text:
            console.print(Text.assemble((f"{name}: ", "bold"), visible(text)), soft_wrap=True)
    if found.counterexample:
        console.print(Text("counterexample:", style="bold"))
        console.print(Text(visible(found.counterexample)), soft_wrap=True)
    if script:
        console.print(Text.assemble(("reproducer: ", "bold"), visible(script)), soft_wrap=True)
    elif whole and found.reproducer:
        console.print(Text("stand-alone script:", style="bold"))
        console.print(Syntax(visible(found.reproducer), "python", background_color="default"), soft_wrap=True)
