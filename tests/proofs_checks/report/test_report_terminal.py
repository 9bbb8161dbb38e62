"""What a check prints at a terminal."""

import io
from collections.abc import Mapping, Sequence

import pytest
import report_examples as examples
from rich.console import Console

from tangency.proofs_checks.report.facts import LEGEND
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.terminal import print_reports


def printed(
    reports: Sequence[SubjectReport],
    scripts: Mapping[tuple[str, str], str] | None = None,
    *,
    width: int = 120,
    terminal: bool = False,
) -> str:
    page = io.StringIO()
    print_reports(Console(file=page, width=width, force_terminal=terminal, highlight=False), reports, scripts or {})
    return page.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_one_target_begins_with_its_verdict_and_departures() -> None:
    text = printed([examples.failing()])
    assert flat(examples.failing().verdict_line) in flat(text)
    departures = [text.index(f"{choice} = ") for choice in ("radius", "epsilon", "norm_epsilon", "nesterov")]
    assert departures == sorted(departures)  # the worst first
    for said in ("violates a theorem", "changes the trajectory", "harmless", "as the paper", "10 % after 20 steps"):
        assert said in text
    assert "views=channel or layer" in text


def test_checks_stand_worst_first() -> None:
    text = printed([examples.failing()])
    table = text[text.index("severity  ") :]
    order = ["gd-norm-growth", "algorithm-step", "momentum-order", "state-dict", "orthogonal-step", "complex-weights"]
    places = [table.index(id) for id in order]
    assert places == sorted(places)
    assert "holds (3)" in table
    assert "does not apply (2)" in table
    assert "orthogonal-step 0.41" in table


def test_reasons_are_numbered_notes() -> None:
    text = printed([examples.failing()])
    assert "known failure [1]" in text
    assert "[1] issue 12 of mylib" in text
    assert "sparse-gradients [3]" in text
    assert "[3] sparse gradients are not offered" in text


def test_failures_are_told_in_full_and_excused_ones_are_not() -> None:
    text = printed([examples.failing()], {("mylib.optim:SGDP", "gd-norm-growth"): "/scripts/gd.py"})
    for said in ("what gd-norm-growth says holds (Eq. (14))", "expected: 0.1225", "got: 0.1482", "g = [0.0, 3.5]"):
        assert said in text
    assert "reproducer: /scripts/gd.py" in text
    assert "ZeroDivisionError" in text
    assert "the time limit of 60 s" in text
    assert "the buffer is not restored" not in text
    assert "stale known failure: closure: it holds" in text


def test_an_unexplained_target_says_where_it_leaves_the_nearest_dialect() -> None:
    text = flat(printed([examples.unexplained()]))
    assert "no known dialect of adam explains it; it leaves the nearest one at step 3, element 5" in text
    assert "nearest: epsilon=inside" in text


def test_a_target_that_cannot_run_shows_its_whole_problem() -> None:
    text = printed([examples.broken()])
    assert "could not be checked: no module named 'nowhere'" in text
    assert 'File "x.py", line 1' in text


def test_an_interrupt_says_what_is_missing() -> None:
    text = printed([examples.cut_off()])
    assert "interrupted" in text
    assert "… not run" in text


def test_several_targets_are_one_matrix_then_verdicts_then_failures() -> None:
    text = printed([examples.failing(), examples.holding()])
    assert text.count(LEGEND) == 1
    (row,) = (each for each in text.splitlines() if each.startswith("gd-norm-growth"))
    assert row.split() == ["gd-norm-growth", "✗", "✓"]
    verdicts = flat(text).index(flat(examples.holding().verdict_line))
    assert text.index(LEGEND) < verdicts < flat(text).index("w = [1.0, 0.0]")
    assert "every probe to 0.5 ulps; it is that of the paper" in flat(text)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_matrix_fits_the_page(width: int) -> None:
    reports = [examples.failing(f"module{n}:Optimizer{n}") for n in range(12)]
    text = printed(reports, width=width)
    rows = [each for each in text.splitlines() if each.startswith("gd-norm-growth")]
    assert sum(each.count("✗") for each in rows) == 12
    assert all(len(each) <= width for each in rows)


@pytest.mark.parametrize("reports", [[examples.hostile()], examples.every()])
@pytest.mark.parametrize("width", [30, 120])
def test_text_of_a_target_is_text(reports: list[SubjectReport], width: int) -> None:
    text = printed(reports, width=width)
    assert not {"\x1b", "\x00", "\u202e", "\ud800"} & set(text)
    assert "\\x1b" in text
    text.encode("utf-8")
    if width == 120:
        assert "[bold]" in text  # no markup of rich


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[1;31m" in printed([examples.failing()], terminal=True)


def test_nothing_applies() -> None:
    assert "does not apply (9)" in printed([examples.inapplicable()])


def test_of_no_report_nothing_fails() -> None:
    printed([])
