"""``tangency scan TARGET``: the command. Nothing heavy is imported before the call is understood."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tangency.cli import output, reports
from tangency.cli.streams import console
from tangency.common.calls import WrongCall
from tangency.common.text import raised

if TYPE_CHECKING:
    from rich.console import Console

    from tangency.probe import Scan

UNEXPLAINED = 1


def scan(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="MODULE:NAME or PATH.py:NAME; NAME() gives (model, batch) or (model, batch, loss)."
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Of everything random; it repeats a scan.")] = 0,
    alpha: Annotated[
        float, typer.Option(help="Gradients: the rate at which a view is accepted that does not hold.")
    ] = 1e-6,
    beta: Annotated[float, typer.Option(help="Gradients: the rate at which a view is rejected that holds.")] = 1e-6,
    json: reports.Json = None,
    groups: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write parameter groups as Python; - is stdout.")
    ] = None,
) -> int:
    """Say which weights of a model are scale-invariant, in which view, and what share of it they are.

    Exits with 1 if the gradient or the graph says something else of a weight, and no reason was found.
    """
    outputs = output.Outputs({"--json": json, "--groups": groups}, inputs={target: target.rpartition(":")[0]})

    from tangency.probe import report
    from tangency.probe import scan as run_scan

    model, batch, loss = _made(target)
    with _progress(console(sys.stderr)) as watch:
        found = run_scan(model, batch, loss, seed=seed, alpha=alpha, beta=beta, watch=watch)
    _write(outputs, found)
    report.print_scan(console(outputs.page), found)
    return outputs.done(UNEXPLAINED if found.unexplained else 0)


def _made(target: str) -> tuple[Any, Any, Callable[..., Any] | None]:
    """The model, batch and loss of a factory.

    Raises:
        WrongCall: there is no such factory, it raises, or it gives something else.
    """
    from tangency.proofs_checks.target.spec import TargetError, find

    try:
        factory = find(target)
    except TargetError as error:
        raise WrongCall(str(error)) from None
    try:
        made = factory()
    except Exception as error:
        raise WrongCall(f"{target}() raised {raised(error)}") from error
    if not isinstance(made, tuple) or len(made) not in (2, 3):
        raise WrongCall(f"{target}() is {type(made).__name__}; it must be (model, batch) or (model, batch, loss)")
    model, batch, loss = made if len(made) == 3 else (*made, None)
    if loss is not None and not callable(loss):
        raise WrongCall(f"the loss of {target}() is {type(loss).__name__}; it must be a function of (model, batch)")
    return model, batch, loss


@contextmanager
def _progress(page: "Console") -> Iterator[Callable[[int, int], None] | None]:
    """A line on standard error while weights are scanned; nothing where nobody watches."""
    if not page.is_terminal:
        yield None
        return
    with page.status("scanning") as status:
        yield lambda done, total: status.update(f"scanning: weight {done} of {total}")


def _write(outputs: output.Outputs, found: "Scan") -> None:
    """Write the files that were asked for."""
    from tangency.probe.report import groups_source, to_json

    if outputs.wants("--json"):
        outputs.write("--json", to_json(found))
    if outputs.wants("--groups"):
        outputs.write("--groups", groups_source(found))
