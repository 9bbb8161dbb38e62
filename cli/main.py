"""The command line: ``tangency verify``, ``check``, ``claims`` and ``claim ID``; claims may stand in files.

Nothing here is imported before it is needed: ``--help`` answers without torch, sympy or Hypothesis.
"""

import os
import secrets
import sys
import traceback
from enum import Enum
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from tangency.cli import output
from tangency.cli.check import check as check_command
from tangency.cli.streams import console, streams
from tangency.common import inputs
from tangency.common.calls import WrongCall
from tangency.common.text import line, visible
from tangency.proofs_checks.claim import NotApplicable, Rung, Violation
from tangency.proofs_checks.run.profiles import PROFILES
from tangency.proofs_checks.run.registry import file_and_id

OK, FAILED, INTERRUPTED, OUR_ERROR, USAGE = range(5)
app = typer.Typer(
    help="Machine-checked mathematics of optimizers on scale-invariant weights.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
ProfileName = Enum("ProfileName", {name: name for name in PROFILES})  # type: ignore[misc]


def main(args: list[str] | None = None) -> None:
    """The console script. Exits with 0 all hold, 1 a claim fails, 2 interrupted, 3 our own error, 4 the call is wrong,
    5 nothing ran."""
    raise SystemExit(run(args))


def run(args: list[str] | None = None) -> int:
    """Run the command line and give its exit code.

    A reader that leaves early takes nothing from the verdict; what else keeps standard output from being written does.
    """
    with streams() as out:
        code = _run(args)
        out.flush()
        if out.lost is not None and not isinstance(out.lost, BrokenPipeError):
            code = _usage(f"standard output cannot be written: {out.lost.strerror or out.lost}")
    return code


def _run(args: list[str] | None) -> int:
    try:
        code = app(args=args, prog_name="tangency", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except WrongCall as error:
        return _usage(str(error))
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error, file=sys.stderr)
            return USAGE
        if hasattr(error, "format_message"):  # typer's own complaint about the call
            return _usage(error.format_message())
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        traceback.print_exc()
        return OUR_ERROR
    return INTERRUPTED if code == 130 else int(code or 0)


def _usage(message: str) -> int:
    print(f"tangency: {line(message)}", file=sys.stderr)
    return USAGE


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tangency {version('tangency')}")
        raise typer.Exit


@app.callback()
def tangency(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Machine-checked mathematics of optimizers on scale-invariant weights."""
    try:
        os.getcwd()
    except OSError as error:  # Hypothesis and worker processes need one
        raise WrongCall(f"the current folder cannot be used: {error.strerror}; change to one that is there") from None


@app.command()
def verify(
    claims: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Ids, FILE.py or FILE.py::ID; all claims if none.")
    ] = None,
    profile: Annotated[ProfileName, typer.Option(help="How much is tried.")] = ProfileName.default,  # type: ignore[attr-defined]
    rung: Annotated[list[Rung] | None, typer.Option(help="Only this rung; may be repeated.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all usable cores if not given.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeats a run; with --no-database, exactly.")] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the results as JSON; - is stdout.")] = None,
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
    outputs = output.Outputs(
        {"--json": json, "--figure": figure},
        ("--reproducers", reproducers),
        {argument: file_and_id(argument)[0] for argument in claims or ()},
    )
    if mutants and rung not in (None, [], [Rung.IMPLEMENTATION]):
        raise WrongCall("--mutants runs the implementation rung alone; leave out --rung")

    from tangency.proofs_checks.report import table as reports
    from tangency.proofs_checks.report.json_report import to_json
    from tangency.proofs_checks.run import registry
    from tangency.proofs_checks.run.pool import usable_cores
    from tangency.proofs_checks.run.verify import verify as run_verify

    seed = secrets.randbits(32) if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    page = console(outputs.page)
    source, ids = registry.from_arguments(claims or ())
    if mutants:
        from tangency.proofs_checks.broken import kill_matrix

        if source is not registry.production:
            raise WrongCall("--mutants shows what the built-in claims kill; leave out the files")
        source = kill_matrix.mutants
    elif source is not registry.production or figure is not None:
        suite = source()  # what is wrong with a file is said before any worker starts
        if figure is not None:
            from tangency.cli.figure import draw

            outputs.write("--figure", draw(figure, suite))
            print(f"wrote {line(str(figure))}", file=sys.stderr)
    with reports.live_progress(console(sys.stderr), lambda task: f"{task.claim} {task.rung.value}") as watch:
        report = run_verify(
            ids,
            suite=source,
            rungs=[Rung.IMPLEMENTATION] if mutants else rung or None,
            profile=profile.value,
            jobs=usable_cores() if jobs is None else jobs,
            seed=seed,
            database=not (no_database or mutants),
            shrink=not mutants,
            limit=time_limit or None,
            watch=watch,
        )
    # Files first: whoever reads the rest through a pipe may close it early.
    if json is not None:
        outputs.write("--json", to_json(report))
    for result in report.results:
        script = (
            outputs.write_script(result.claim, result.subject or "", result.reproducer)
            if reproducers and result.reproducer
            else None
        )
        if script is not None:
            print(f"wrote {line(str(script))}", file=sys.stderr)
    if mutants:
        matrix = kill_matrix.KillMatrix(report)
        kill_matrix.print_matrix(page, matrix)
        code = matrix.exit_code
    else:
        reports.print_report(page, report, verbose=verbose)
        code = report.exit_code
    return outputs.done(code)


@app.command()
def claims(
    named: Annotated[list[str] | None, typer.Argument(metavar="[CLAIM]...", help="As in verify; all if none.")] = None,
) -> None:
    """List the claims: id, title, where it stands, and the rungs that apply."""
    from rich.table import Table
    from rich.text import Text

    from tangency.proofs_checks.run import registry

    source, ids = registry.from_arguments(named or ())
    suite = source()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    for heading in ("title", "where", "rungs"):
        table.add_column(heading)
    for claim in suite.claims if ids is None else registry.select(suite.claims, ids):
        offered = [r.value for r in Rung if not isinstance(getattr(claim, r.value, None), NotApplicable)]
        table.add_row(
            Text(visible(claim.id)), Text(visible(claim.title)), Text(visible(claim.where)), ", ".join(offered)
        )
    console(sys.stdout).print(table)


@app.command()
def claim(
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or FILE.py::ID; `tangency claims` lists them.")],
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment instead.")] = False,
) -> int:
    """Explain a claim: statement, hypotheses, the proof with every step checked, and the evidence."""
    from tangency.proofs_checks.run import registry

    source, ids = registry.from_arguments([id])
    suite = source()
    found, *more = suite.claims if ids is None else registry.select(suite.claims, ids)
    if more:
        here = ", ".join(claim.id for claim in suite.claims)
        raise WrongCall(f"{id} holds several claims; name one, as in {id}::{found.id}: there are {here}")
    if latex:
        from tangency.proofs_checks.proof.latex import claim_latex

        try:
            print(claim_latex(found), end="")
        except Violation as violation:
            print(f"tangency: the proof of {found.id} is wrong: {violation}", file=sys.stderr)
            return FAILED
        return OK
    from tangency.proofs_checks.proof.text import explain

    lines = list(explain(found, suite.subjects))
    print(visible("\n".join(lines)))
    return int(any(line.lstrip().startswith("✗") for line in lines))


app.command("check")(check_command)
# Commands that live elsewhere: nothing here imports them by name, and loading one imports what its options need.
for command in sorted(entry_points(group="tangency.commands")):
    app.command(command.name)(command.load())


if __name__ == "__main__":
    main()
