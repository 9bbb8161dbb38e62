"""Results for people: live progress, the table, and what stands below it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tangency.common.numbers import digits, share
from tangency.common.text import visible
from tangency.proofs_checks.claim import Claim, Result, Rung, Verdict
from tangency.proofs_checks.run.verify import Report

WIDTH = 100
MARKS = {
    Verdict.HOLDS: ("✓", "green"),
    Verdict.FAILS: ("✗", "bold red"),
    Verdict.UNDECIDED: ("?", "bold yellow"),
    Verdict.ERROR: ("!", "bold magenta"),
    Verdict.DOES_NOT_APPLY: ("–", "dim"),
}
LEGEND = "✓ holds, after how many examples   ✗ fails   ? undecided   ! our own error   – does not apply"
# The verdict that a cell shows where it speaks for several code paths: the first of these.
WORST_FIRST = (Verdict.ERROR, Verdict.FAILS, Verdict.UNDECIDED, Verdict.HOLDS, Verdict.DOES_NOT_APPLY)


def print_report(console: Console, report: Report, *, verbose: bool = False) -> None:
    """The table, why rungs do not apply, the failures, and the closing line."""
    notes: dict[str, int] = {}
    console.print(result_table(report, notes))
    console.print(Text(LEGEND, style="dim"))
    paths = dict.fromkeys(path for r in report.results if (path := _path(r)))
    if paths:
        console.print(Text(f"examples of all code paths together: by default, {', '.join(paths)}", style="dim"))
    footnotes = Table.grid(padding=(0, 1))
    for why, number in notes.items():
        footnotes.add_row(Text(f"[{number}]"), Text(visible(why)))
    console.print(footnotes)
    if verbose:
        _print_details(console, report)
    for result in report.results:
        if result.verdict in (Verdict.FAILS, Verdict.UNDECIDED, Verdict.ERROR):
            print_failure(console, report.suite.claim(result.claim), result)
    console.print()
    console.print(Text(closing_line(report)))


def result_table(report: Report, notes: dict[str, int]) -> Table:
    """Claim × rung: verdict, examples tried, and the largest error against its bound; fills the numbered ``notes``.

    An optimizer has one column for all its code paths; where they differ, the cell names those that are worst.
    """
    subjects = list(dict.fromkeys(_optimizer(r) for r in report.results if r.subject is not None))
    columns: list[tuple[Rung, str | None, str]] = []
    for rung in Rung:
        if any(result.rung is rung for result in report.results):
            attacked = subjects if rung is Rung.IMPLEMENTATION and subjects else [None]
            columns += [(rung, subject, (subject or rung.value).split(":")[-1]) for subject in attacked]
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("claim", no_wrap=True)
    for _, _, heading in columns:
        table.add_column(heading, no_wrap=True)
    table.add_column("error / bound", no_wrap=True, justify="right")
    for claim in report.suite.claims:
        results = [result for result in report.results if result.claim == claim.id]
        if results:
            cells = [_cell(results, rung, subject, notes) for rung, subject, _ in columns]
            errors = [result.error for result in results if result.error is not None]
            table.add_row(claim.id, *cells, share(max(errors)) if errors else "")
    return table


def _cell(results: Sequence[Result], rung: Rung, optimizer: str | None, notes: dict[str, int]) -> Text:
    """One cell; a rung that applies to no implementation at all shows in the column of every subject."""
    here = [r for r in results if r.rung is rung and (r.subject is None or _optimizer(r) == optimizer)]
    if not here:
        return Text("")  # an interrupt cut it off
    verdict = min((r.verdict for r in here), key=WORST_FIRST.index)
    mark, style = MARKS[verdict]
    worst = [r for r in here if r.verdict is verdict]
    if verdict is Verdict.DOES_NOT_APPLY:
        return Text(f"{mark} [{notes.setdefault(worst[0].detail, len(notes) + 1)}]", style=style)
    if len(worst) < len(here) and verdict is not Verdict.HOLDS:
        return Text(f"{mark} {', '.join(_path(r) or 'default' for r in worst)}".replace("=True", ""), style=style)
    examples = sum(r.examples for r in worst)
    return Text(f"{mark} {examples:,}" if examples else mark, style=style)


def _optimizer(result: Result) -> str | None:
    """The subject without its options."""
    return result.subject and result.subject.partition("(")[0]


def _path(result: Result) -> str:
    """The options of the subject: those of its code path."""
    return (result.subject or "").partition("(")[2].removesuffix(")")


def _print_details(console: Console, report: Report) -> None:
    console.print()
    for result in report.results:
        if result.verdict is Verdict.DOES_NOT_APPLY:
            continue
        line = f"{_name(result)}: {result.verdict.value}, {result.examples:,} tried, {result.seconds:.1f} s"
        if result.error is not None:
            line += f", error {share(result.error)} of its bound ({result.error_at})"
        if result.ulps is not None:
            line += f", at most {digits(result.ulps)} ulps"
        if result.verdict is Verdict.HOLDS and result.detail:
            line += f"; {result.detail}"
        console.print(Text(visible(line)))


def print_failure(console: Console, claim: Claim, result: Result) -> None:
    """What fails, why, on which problem, and a script that shows it."""
    mark, style = MARKS[result.verdict]
    console.print()
    console.print(Text(visible(f"{mark} {_name(result)} {_says(result)}"), style=style))
    console.print(Text(visible(f"{claim.title} ({claim.where})\n{claim.statement}\n")))
    console.print(Text(visible(result.detail)), soft_wrap=result.verdict is Verdict.ERROR)
    if result.counterexample:
        console.print(Text("\ncounterexample:", style="bold"))
        console.print(Text(visible(result.counterexample)), soft_wrap=True)
    if result.reproducer:
        console.print(Text("\nstand-alone script:", style="bold"))
        console.print(Syntax(visible(result.reproducer), "python", background_color="default"), soft_wrap=True)


def closing_line(report: Report) -> str:
    """``15 claims: 15 hold; seed 1, 42 s``: a claim holds if it holds on every rung that applies and was run."""
    by_claim: dict[str, set[Verdict]] = {}
    for result in report.results:
        by_claim.setdefault(result.claim, set()).add(result.verdict)
    counts = {"hold": 0, "fail": 0, "undecided": 0, "broken": 0, "not applicable": 0}
    for verdicts in by_claim.values():
        if Verdict.ERROR in verdicts:
            counts["broken"] += 1
        elif Verdict.FAILS in verdicts:
            counts["fail"] += 1
        elif Verdict.UNDECIDED in verdicts:
            counts["undecided"] += 1
        else:
            counts["hold" if Verdict.HOLDS in verdicts else "not applicable"] += 1
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing ran"
    plural = "claim" if len(by_claim) == 1 else "claims"
    cut = "interrupted; " if report.interrupted else ""
    options = report.options
    return f"{cut}{len(by_claim)} {plural}: {said}; {options.profile.name}, seed {options.seed}, {report.seconds:.0f} s"


@contextmanager
def live_progress(console: Console, label: Callable[[Any], str]) -> Iterator[Callable[[Any, Any, int], None]]:
    """A progress bar while tasks run, where the console is a terminal; gives what a run tells of its tasks.

    Args:
        label: what the bar calls a task that runs.
    """
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    running: dict[Any, None] = {}
    with progress:
        bar = progress.add_task("loading", total=None)

        def watch(task: Any, result: Any, total: int) -> None:
            if result is None:
                running[task] = None
            else:
                running.pop(task, None)
                progress.advance(bar)
            progress.update(bar, description=escape(", ".join(map(label, running))), total=total)

        yield watch


def _name(result: Result) -> str:
    return " · ".join(filter(None, (result.claim, result.rung.value, result.subject)))


def _says(result: Result) -> str:
    said = {Verdict.ERROR: "stopped on our own error", Verdict.UNDECIDED: "is undecided"}
    return said.get(result.verdict, result.verdict.value)
