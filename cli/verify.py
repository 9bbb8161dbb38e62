"""``tangency verify``: the command. Nothing heavy is imported before the call is understood."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tangency.cli import output, reports
from tangency.cli.streams import console
from tangency.common import inputs
from tangency.common.calls import WrongCall
from tangency.common.text import line
from tangency.proofs_checks.claim import Rung, Suite
from tangency.proofs_checks.run.registry import file_and_id

if TYPE_CHECKING:
    from tangency.proofs_checks.options import Options
    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.run.known import Known


def verify(
    claims: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Ids, FILE.py or FILE.py::ID; all claims if none.")
    ] = None,
    profile: reports.Profile = reports.ProfileName.default,  # type: ignore[attr-defined]
    rung: Annotated[list[Rung] | None, typer.Option(help="Only this rung; may be repeated.")] = None,
    require: Annotated[
        list[Rung] | None, typer.Option(help="Fail where this rung cannot run; kernel needs coqc. May be repeated.")
    ] = None,
    jobs: reports.Jobs = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeats a run; with --no-database, exactly.")] = None,
    known_failures: reports.KnownFailures = None,
    baseline: reports.Baseline = None,
    json: reports.Json = None,
    junit: reports.Junit = None,
    markdown: reports.Markdown = None,
    html: reports.Html = None,
    reproducers: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a stand-alone script for every failure.")
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", callback=inputs.seconds, help="Kill a task that takes longer; 0 for never."
        ),
    ] = 600,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the FIGURE of a claim file: .svg, .png or .pdf.")
    ] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Attack broken optimizers: the kill matrix.")] = False,
    no_database: Annotated[
        bool, typer.Option("--no-database", help="Do not replay and keep earlier failures.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every result: time, worst error, where.")] = False,
) -> int:
    """Prove the claims, run them exactly, and attack the optimizers with them."""
    read = {"--known-failures": known_failures, **{argument: file_and_id(argument)[0] for argument in claims or ()}}
    files = {**reports.files(json, junit, markdown, html), "--figure": figure}
    outputs = output.Outputs(files, ("--reproducers", reproducers), read)
    if mutants and rung not in (None, [], [Rung.IMPLEMENTATION]):
        raise WrongCall("--mutants runs the implementation rung alone; leave out --rung")
    if mutants and (known_failures or baseline):
        raise WrongCall("--mutants has its own expectations; leave out --known-failures and --baseline")

    from tangency.proofs_checks.report import table
    from tangency.proofs_checks.report.progress import live_progress
    from tangency.proofs_checks.run import registry
    from tangency.proofs_checks.run.pool import usable_cores
    from tangency.proofs_checks.run.verify import verify as run_verify

    before = reports.earlier(baseline)
    seed = reports.announced(seed)
    page = console(outputs.page)
    source, ids = registry.from_arguments(claims or ())
    expected: tuple[Known, ...] = ()
    progress = partial(live_progress, console(sys.stderr), lambda cell: cell.check)
    usual: dict[str, Any] = {
        "profile": profile.value,
        "jobs": jobs or usable_cores(),
        "seed": seed,
        "limit": time_limit or None,
    }
    if mutants:
        from tangency.proofs_checks import kill_matrix

        if source is not registry.production:
            raise WrongCall("--mutants shows what the built-in claims kill; leave out the files")
        matrix = kill_matrix.run(ids, progress=partial(progress, failures=False), **usual)
        _write(outputs, reproducers, matrix.reports, matrix.options)
        kill_matrix.print_matrix(page, matrix)
        return outputs.done(matrix.exit_code)
    if source is not registry.production or figure is not None or known_failures is not None:
        expected = _prepare(source(), known_failures, figure, outputs)
    rungs, database = rung or None, not no_database
    with progress() as watch:
        report = run_verify(
            ids,
            suite=source,
            rungs=rungs,
            database=database,
            known=expected,
            require=require or (),
            watch=watch,
            **usual,
        )
    _write(outputs, reproducers, report.reports, report.options)
    table.print_report(page, report, verbose=verbose)
    return outputs.done(reports.compared(page, before, report.reports, report.exit_code))


def _prepare(
    suite: Suite, known_failures: Path | None, figure: Path | None, outputs: output.Outputs
) -> "tuple[Known, ...]":
    """The expected failures; the figure is drawn. A bad file is reported here, before any worker starts."""
    from tangency.proofs_checks.run.verify import checks_of

    expected = reports.known_failures(known_failures, {check.id for check in checks_of(suite)})
    if figure is not None:
        from tangency.cli.figure import draw

        outputs.write("--figure", draw(figure, suite))
        print(f"wrote {line(str(figure))}", file=sys.stderr)
    return expected


def _write(outputs: output.Outputs, scripts: Path | None, found: "Sequence[SubjectReport]", options: "Options") -> None:
    """The files and scripts that were asked for."""
    reports.write(outputs, found, "tangency verify", options)
    for script in reports.write_scripts(outputs, found).values() if scripts else ():
        print(f"wrote {line(script)}", file=sys.stderr)
