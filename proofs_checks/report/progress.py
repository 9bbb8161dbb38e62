"""A progress bar while cells are answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.report.notebook import in_notebook, notebook_progress

if TYPE_CHECKING:
    from rich.console import Console

# Called with a task and ``None`` when it starts, with its result when it ends; and with the number of all tasks.
Watch = Callable[[Any, Any, int], None]


@contextmanager
def watched(progress: bool | None, watch: Watch) -> Iterator[Watch]:
    """A bar beside what else watches a run; gives the callback of both.

    Args:
        progress: whether there is a bar: in the output of a notebook's cell, else on standard error if that is a
            terminal; ``None``: in a notebook alone.
    """
    notebook = progress is not False and in_notebook()
    if not (progress or notebook):
        yield watch
        return
    if notebook:
        bar = notebook_progress(_name)
    else:
        from rich.console import Console

        bar = live_progress(Console(stderr=True, highlight=False), _name)
    with bar as show:

        def both(task: Any, result: Any, total: int) -> None:
            show(task, result, total)
            watch(task, result, total)

        yield both


def _name(cell: Any) -> str:
    return str(cell.check)


@contextmanager
def live_progress(console: "Console", label: Callable[[Any], str], *, failures: bool = True) -> Iterator[Watch]:
    """A progress bar while tasks run, where the console is a terminal; gives the callback that watches a run.

    Args:
        label: what the bar calls a task that runs.
        failures: name each above the bar as it is found; off where failures are what is wanted.
    """
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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
                if failures and console.is_terminal and getattr(result, "verdict", None) is Verdict.FAILS:
                    progress.console.print(f"✗ {label(task)}", style="red", markup=False, highlight=False)
            progress.update(bar, description=escape(", ".join(map(label, running))), total=total)

        yield watch
