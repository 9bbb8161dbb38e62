"""What IPython shows: a bar while a run goes on, in a notebook alone, and reports as tables."""

import re
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import report_examples as examples
import small_claims as small
from executed_page import ROOT
from parsed_html import Page

from tangency.proofs_checks import verify
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.report.facts import rows
from tangency.proofs_checks.report.notebook import Bar, in_notebook
from tangency.proofs_checks.report.progress import watched
from tangency.proofs_checks.report.style import NESTED
from tangency.proofs_checks.report.subject_report import Reports
from tangency.proofs_checks.report.table import closing_line
from tangency.proofs_checks.run.session import Cell
from tangency.proofs_checks.run.verify import Report
from tangency.proofs_checks.target.spec import TargetSpec

ONE = examples.failing()
HERE, FAILED = Cell(0, "a<b>"), Finding("a<b>", Verdict.FAILS)


class Printer:
    """What IPython's own has of what is used here."""

    def __init__(self) -> None:
        self.printed = ""

    def text(self, text: str) -> None:
        self.printed += text


@pytest.fixture(scope="module")
def report() -> Report:
    return verify(suite=small.everything, profile=small.TINY, seed=3)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a notebook displays, as text: the kernel of a notebook, as far as it is used here."""
    found: list[str] = []

    def display(value: Any, *, display_id: bool) -> Any:
        assert display_id
        found.append(repr(value))
        return SimpleNamespace(update=lambda value: found.append(repr(value)))

    ipython, displays = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel="a kernel")  # type: ignore[attr-defined]
    displays.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    return found


def start_and_end(progress: bool | None) -> list[Any]:
    seen: list[Any] = []
    with watched(progress, lambda cell, answer, total: seen.append((cell, answer, total))) as watch:
        watch(HERE, None, 2)
        watch(HERE, FAILED, 2)
    return seen


@pytest.mark.parametrize("shell", [lambda: None, lambda: SimpleNamespace(), None])
def test_neither_python_nor_a_terminal_of_ipython_is_a_notebook(
    shell: Callable[[], object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=shell) if shell else None)
    assert not in_notebook()


@pytest.mark.parametrize("progress", [None, True])
def test_a_notebook_shows_a_bar_beside_what_watches(progress: bool | None, shown: list[str]) -> None:
    assert start_and_end(progress) == [(HERE, None, 2), (HERE, FAILED, 2)]
    assert [re.sub(r"\d+ s", "… s", text) for text in shown] == [
        "loading",
        "0/2, … s: a<b>",
        "1/2, … s",
        "1/2, … s",
    ]


def test_a_bar_is_left_as_it_was_when_a_run_is_cut_off(shown: list[str]) -> None:
    def cut_off() -> None:
        with watched(None, lambda cell, answer, total: None) as watch:
            watch(HERE, None, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert re.fullmatch(r"0/2, \d+ s", shown[-1])


def test_a_task_may_end_that_never_started(shown: list[str]) -> None:
    """As each does when no worker comes up."""
    with watched(None, lambda cell, answer, total: None) as watch:
        watch(HERE, FAILED, 1)
    assert shown[-1].startswith("1/1, ")


def test_no_bar_where_none_is_wanted(shown: list[str]) -> None:
    assert len(start_and_end(False)) == 2
    assert not shown


@pytest.mark.parametrize("progress", [None, False, True])
def test_outside_of_a_notebook_and_a_terminal_nothing_is_printed(
    progress: bool | None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(start_and_end(progress)) == 2
    assert capfd.readouterr() == ("", "")


def test_a_terminal_has_a_bar_if_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes a terminal of any stream for rich
    start_and_end(None)
    assert capsys.readouterr().err == ""
    start_and_end(True)
    assert "✗ a<b>" in capsys.readouterr().err


def test_the_bar_is_a_bar_and_names_are_text() -> None:
    bar = Bar()
    assert "<progress aria-label" in bar._repr_html_()
    bar.done, bar.total, bar.failed, bar.running = 1, 4, ["a<b>"], {HERE: "c&d"}
    page = Page(bar._repr_html_())
    assert {("value", "1"), ("max", "4")} <= set(page.attributes)
    assert page.text.startswith("✗ a<b>")
    assert page.text.endswith("c&d ")


def test_verify_and_check_show_it(shown: list[str]) -> None:
    report = verify(suite=small.good, profile=small.TINY, seed=3, rungs=["algebra"])
    assert shown.pop().startswith("1/1, ")
    shown.clear()
    from tangency.proofs_checks import check

    found = check([TargetSpec("torch.optim:SGD")], only=["zero-gradient"], profile="quick", seed=1, jobs=1)
    assert shown.pop().startswith("2/2, ")
    for one in (report, found):
        assert "<table" in one._repr_html_()  # type: ignore[attr-defined]


def test_a_report_is_a_table_with_its_failures_below(report: Report) -> None:
    page = Page(report._repr_html_())
    assert page.tags.count("table") == 1
    assert page.tags.count("tr") == 1 + len(report.suite.claims)
    for said in (closing_line(report), "ZeroDivisionError", "false · implementation · tangency.optim:SGDP"):
        assert said in page.text
    failing = [row for one in report.reports for row in rows(one) if row.status.bad]
    assert page.tags.count("h4") == len(failing) > 0


def test_reports_of_subjects_are_their_sections() -> None:
    page = Page(ONE._repr_html_())
    assert ONE.verdict_line.split(":")[0] in page.text
    several = Page(Reports([ONE, ONE])._repr_html_())
    assert several.tags.count("section") == 3
    assert "script" not in several.tags


def test_outputs_on_one_page_share_no_id() -> None:
    first, second = (Page(Reports([ONE, ONE])._repr_html_()) for _ in range(2))

    ids = set(first.values("id"))
    assert ids
    assert not ids.intersection(second.values("id"))
    assert {link.removeprefix("#") for link in first.values("href")} <= ids


def test_the_style_is_of_the_output_alone() -> None:
    assert NESTED.startswith(".tangency {")
    depth, ends = 0, []
    for place, letter in enumerate(NESTED):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "}" and depth == 0:
            ends.append(place)
    assert ends == [len(NESTED) - 1]
    assert not re.search(r":root|\bbody\b", NESTED)


def test_elsewhere_ipython_prints_what_a_terminal_shows(report: Report) -> None:
    for found, says in ((report, closing_line(report)), (ONE, ONE.info.target)):
        printer = Printer()
        found._repr_pretty_(printer, False)  # type: ignore[attr-defined]
        assert says in printer.printed
        assert "\x1b" not in printer.printed


def test_a_real_notebook_shows_both() -> None:
    for name in ("ipykernel", "nbclient", "nbformat"):
        pytest.importorskip(name, reason=f"{name} is not installed: what a kernel shows is not looked at")
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    source = (ROOT / "docs" / "examples" / "grow_only_projection.py").read_text(encoding="utf-8")
    call = "verify(suite=Suite((IS_SGDP,), SUBJECTS), profile='quick', seed=1, jobs=2)"
    cells = [source, f"from tangency.proofs_checks import Suite, verify\n{call}"]
    book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=300, kernel_name="python3").execute()
    bar, table = (output["data"] for output in book.cells[1].outputs)
    assert bar["text/plain"].startswith("5/5, ")
    assert "<progress " in bar["text/html"]
    assert "1 claim: 1 hold; quick, seed 1" in table["text/plain"]
    assert "<table " in table["text/html"]
