"""The command line: ``tangency verify``, ``check``, ``scan``, ``claims`` and ``claim ID``; claims may stand in files.

Nothing here is imported before it is needed: ``--help`` answers without torch, sympy or Hypothesis.
"""

import os
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from tangency.cli.bench import bench
from tangency.cli.check import check
from tangency.cli.claims import claim, claims
from tangency.cli.reproduce import reproduce
from tangency.cli.scan import scan
from tangency.cli.start import EXPERIMENTS, NEEDED, what_to_install
from tangency.cli.streams import streams
from tangency.cli.verify import verify
from tangency.cli.watch import watch
from tangency.common.calls import WrongCall
from tangency.common.text import line
from tangency.proofs_checks.report.subject_report import ERROR, INTERRUPTED, USAGE

app = typer.Typer(
    help="Machine-checked mathematics of optimizers on scale-invariant weights.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def run(args: list[str] | None = None) -> int:
    """Run the command line and give its exit code.

    A reader that closes the pipe early does not change the exit code; any other failure to write standard output does.
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
        if isinstance(error, ModuleNotFoundError) and error.name in {*NEEDED, *EXPERIMENTS}:
            return _usage(what_to_install(error))
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error, file=sys.stderr)
            return USAGE
        if hasattr(error, "format_message"):  # typer's own complaint about the call
            return _usage(error.format_message())
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        traceback.print_exc()
        return ERROR
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


app.command("verify")(verify)
app.command("check")(check)
app.command("scan")(scan)
app.command("claims")(claims)
app.command("claim")(claim)
app.command("bench")(bench)
app.command("watch")(watch)
app.command("reproduce")(reproduce)


if __name__ == "__main__":
    raise SystemExit(run())
