"""A progress bar while cells are answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def live_progress(console: Console, label: Callable[[Any], str]) -> Iterator[Callable[[Any, Any, int], None]]:
    """A progress bar while tasks run, where the console is a terminal; gives the callback that watches a run.

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
