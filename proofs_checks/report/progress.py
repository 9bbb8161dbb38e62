"""A progress bar while cells are answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tangency.proofs_checks.claim import Verdict


@contextmanager
def live_progress(
    console: Console, label: Callable[[Any], str], *, failures: bool = True
) -> Iterator[Callable[[Any, Any, int], None]]:
    """A progress bar while tasks run, where the console is a terminal; gives the callback that watches a run.

    Args:
        label: what the bar calls a task that runs.
        failures: name each above the bar as it is found; off where failures are what is wanted.
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
                if failures and console.is_terminal and getattr(result, "verdict", None) is Verdict.FAILS:
                    progress.console.print(f"✗ {label(task)}", style="red", markup=False, highlight=False)
            progress.update(bar, description=escape(", ".join(map(label, running))), total=total)

        yield watch
