"""What IPython shows of reports: HTML in a notebook, what a terminal shows elsewhere; and progress in a notebook."""

import io
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.report.elements import Markup, element

if TYPE_CHECKING:
    from rich.console import Console

    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.report.table import Cell
    from tangency.proofs_checks.run.verify import Report


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this code; IPython is not imported to learn that."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def text(show: "Callable[[Console], object]") -> str:
    """What a terminal shows, without colours."""
    from rich.console import Console

    page = io.StringIO()
    plain: Any = {"highlight": False, "markup": False, "emoji": False}
    # In a notebook rich would display by itself, and take any stream for a terminal.
    show(Console(file=page, width=100, force_jupyter=False, force_terminal=False, **plain))
    return page.getvalue().rstrip()


def subjects(reports: "Sequence[SubjectReport]") -> str:
    """Of several a matrix, then a section each."""
    from tangency.proofs_checks.report.html import content

    return _styled(content(reports, _prefix()))


def claims(report: "Report") -> str:
    """Claim × rung, why rungs do not apply, the closing line, and the failures."""
    from tangency.proofs_checks.report import table
    from tangency.proofs_checks.report.sections import failure, footnotes

    notes: dict[str, int] = {}
    headings, lines = table.grid(report, notes)
    names = [element("th", name, scope="col") for name in ("claim", *headings, "error / bound")]
    body = [
        element("tr", element("th", element("code", claim), scope="row"), *map(_cell, cells), element("td", error))
        for claim, cells, error in lines
    ]
    grid = element("table", element("thead", element("tr", *names)), element("tbody", *body), class_="matrix")
    return _styled(
        element("div", grid, class_="box", tabindex="0", role="region", aria_label="claim by rung"),
        element("p", table.LEGEND, class_="lines muted small"),
        footnotes(notes, f"{_prefix()}rungs"),
        *(element("p", remark, class_="lines") for remark in table.stale_remarks(report)),
        element("p", table.closing_line(report)),
        *(failure(row, name) for name, row in table.failing(report)),
    )


def _cell(cell: "Cell | None") -> Markup:
    from tangency.proofs_checks.report.sections import icon

    return element("td", icon(cell[0]), f" {cell[1]}" if cell[1] else "") if cell else element("td")


def _prefix() -> str:
    """Of the ids of one output: a notebook shows many on one page."""
    return f"t{secrets.token_hex(4)}-"


def _styled(*content: str) -> str:
    from tangency.proofs_checks.report.style import NESTED

    return str(element("div", element("style", Markup(NESTED)), *content, class_="tangency"))


class Bar:
    """A progress bar, shown as it was when it was last updated.

    Attributes:
        done, total: how many tasks have ended, of how many; no total until the first has started.
        running, failed: the names of tasks; of those that run, by task.
        seconds: since the start.
    """

    def __init__(self) -> None:
        self.done, self.total, self.seconds = 0, 0, 0.0
        self.running: dict[Any, str] = {}
        self.failed: list[str] = []

    @property
    def _state(self) -> str:
        return f"{self.done}/{self.total}, {self.seconds:.0f} s" if self.total else "loading"

    def __repr__(self) -> str:
        return ": ".join(filter(None, (self._state, ", ".join(self.running.values()))))

    def _repr_html_(self) -> str:
        known = {"value": str(self.done), "max": str(self.total)} if self.total else {}  # else it moves to and fro
        bar = element("progress", aria_label="progress", **known)
        failures = (element("div", f"✗ {name}", style="color: #c9302c") for name in self.failed)
        return str(element("div", *failures, bar, f" {self!r}"))


@contextmanager
def notebook_progress(label: Callable[[Any], str]) -> Iterator[Callable[[Any, Any, int], None]]:
    """A progress bar in the output of a cell, which it stays in; gives the callback that watches a run.

    It needs IPython alone: rich draws its own with ipywidgets, which a notebook may lack.
    """
    from IPython.display import display

    bar, started, shown_by = Bar(), time.monotonic(), cast(Any, display)
    output = shown_by(bar, display_id=True)

    def show() -> None:
        bar.seconds = time.monotonic() - started
        output.update(bar)

    def watch(task: Any, result: Any, total: int) -> None:
        bar.total = total
        if result is None:
            bar.running[task] = label(task)
        else:
            bar.done += 1
            bar.running.pop(task, None)  # it is not there if no worker came up
            if getattr(result, "verdict", None) is Verdict.FAILS:
                bar.failed.append(label(task))
        show()

    try:
        yield watch
    finally:
        bar.running.clear()
        show()
