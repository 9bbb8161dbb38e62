"""``tangency watch RUN.jsonl``: what a monitor has seen, as it is written."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tangency.cli.figure import check_path
from tangency.cli.output import Outputs
from tangency.cli.streams import console
from tangency.common.calls import WrongCall
from tangency.common.figures import saved
from tangency.common.text import line
from tangency.proofs_checks.report.subject_report import FAILED, NOTHING, OK

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tangency.cli.monitored import Run

_EVERY = 1.0


def watch(
    run: Annotated[Path, typer.Argument(metavar="RUN.jsonl", help="What tangency.optim.Monitor(out=…) writes.")],
    weight: Annotated[
        list[str] | None, typer.Option(help="Only weights of this name, a pattern as *.weight; may be repeated.")
    ] = None,
    follow: Annotated[
        bool | None,
        typer.Option("--follow/--once", help="Go on as lines are added, until Ctrl-C; by default on a terminal."),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the run into this .svg, .png or .pdf, and end.")] = None,
) -> int:
    """Show how the norms of a live run grow. Exit code 1: the ledger of a weight does not close."""
    from tangency.cli.monitored import Run
    from tangency.cli.monitored import figure as drawn

    if figure is not None:
        check_path(figure)
        if follow:
            raise WrongCall("--figure draws what is there and ends; leave out --follow")
    outputs = Outputs({"--figure": figure}, inputs={"RUN.jsonl": run})
    read = Run(run, tuple(weight or ()))
    read.read_on()
    if follow is None:
        follow = sys.stdout.isatty() and figure is None
    if follow:
        _follow(read)
        return OK
    if not read.weights:
        named = f" of a weight named {' or '.join(weight)}" if weight else ""
        print(f"tangency: {line(str(run))} has no sample{named} yet", file=sys.stderr)
        return outputs.done(NOTHING)
    page = console(sys.stdout)
    page.print(*_page(read), sep="\n")
    if figure is not None:
        outputs.write("--figure", saved(drawn(read), figure.suffix.lower()[1:]))
        print(f"wrote {line(str(figure))}", file=sys.stderr)
    departed = any(row.get("departure") for _, _, row in read.last())
    return outputs.done(FAILED if departed else OK)


def _page(read: "Run") -> "list[RenderableType]":
    from tangency.cli.monitored import remarks, table

    steps = f"step {read.steps[-1]}, {len(read.steps)} samples" if read.steps else "no sample yet"
    return [f"{steps}; the monitor took {read.seconds:.1f} s", "", table(read), *remarks(read)]


def _follow(read: "Run") -> None:
    from rich.console import Group
    from rich.live import Live

    with Live(Group(*_page(read)), console=console(sys.stdout), auto_refresh=False) as live:
        while True:
            if read.read_on():
                live.update(Group(*_page(read)), refresh=True)
            time.sleep(_EVERY)
