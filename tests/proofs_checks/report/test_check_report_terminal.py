"""The report of a check on a terminal: what needs a look comes first, and no text of a target acts."""

import io
import re
from dataclasses import replace

import check_report_samples as samples
import pytest
from rich.console import Console

from tangency.common.text import visible
from tangency.proofs_checks.claim import Rung
from tangency.proofs_checks.report.facts import Status, labels, rows, short_labels, worst_first
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.terminal import print_reports


def printed(*reports: SubjectReport, width: int = 100, terminal: bool = False, **scripts: str) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=terminal, markup=False, highlight=False, emoji=False, _environ={}
    )
    print_reports(console, reports, {("lib.sub:Mixed", id.replace("_", "-")): path for id, path in scripts.items()})
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def test_the_worst_comes_first() -> None:
    order = [(row.status, row.check.id) for row in worst_first(samples.mixed())]
    assert order == [
        (Status.FAILS, "eq-10"),
        (Status.FAILS, "algorithm-2"),
        (Status.FAILS, "closure-once"),
        (Status.FAILS, "nasty"),
        (Status.UNDECIDED, "lemma-2.1"),
        (Status.ERROR, "dialect"),
        (Status.KNOWN, "complex-parameter"),
        (Status.HOLDS, "eq-04"),
        (Status.DOES_NOT_APPLY, "sparse-gradient"),
    ]
    shown = [line.split("  ")[0] for line in printed(samples.mixed()).splitlines()]
    start = shown.index("check")
    assert shown[start + 1 : start + 8] == [id for _, id in order[:7]]
    assert shown.index("✓ holds (1), with the largest error / bound") < shown.index("– does not apply (1)")


def test_every_claim_has_a_line_of_its_own() -> None:
    good = samples.good()
    claim = replace(samples.CHECKS[0], claim="eq-04", rung=Rung.IMPLEMENTATION)
    lines = [line.split() for line in printed(replace(good, checks=(claim, *good.checks[1:]))).splitlines()]
    assert ["eq-04", "✓", "holds", "theorem", "50", "0.25", "1.25"] in lines
    assert lines.count(["✓", "holds", "(7),", "with", "the", "largest", "error", "/", "bound"]) == 1


def test_one_target_is_told_in_full() -> None:
    text = printed(samples.mixed(), algorithm_2="out/algorithm-2.py")
    assert text.startswith("✗ lib.sub:Mixed does not conform to adamp: ")
    assert "dialect: a dialect of adam reproduces every probe to 1.5 ulps" in text
    assert "rank=any or two or more" in text
    assert "≠ epsilon = inside the root: √(v/(1 − β₂ᵗ) + ε)\n" in text
    assert "paper and published package: after correction; changes the trajectory: weights differ by 0.12" in text
    assert "paper: channel, layer; published package: channel; violates a theorem: eq-11 | no" in text
    assert text.index("violates a theorem") < text.index("changes the trajectory") < text.index("harmless")
    assert re.search(r"✗ fails +algorithm +12 +inf +3e\+08", text)
    assert re.search(r"  eq-04 0\.999\s", text), "an error below its bound is not shown as 1"
    assert "stale known failure: eq-04 holds, and is known to fail: <i>old</i>" in text
    assert (
        "✗ algorithm-2 · algorithm · fails\nAdamP, step for step (§3.1, Algorithm 2)\nw[0], step 0: 1 ≠ 2\nmore" in text
    )
    assert "expected: 1\ngot: 2\ncounterexample:\nTrial(w=(1.0,))\nreproducer: out/algorithm-2.py\n" in text


def test_reasons_are_numbered_once() -> None:
    text = printed(samples.mixed())
    assert "~ known failure [1]" in text
    assert "[1] upstream: https://example.org/issues/1?a=1&b=2 | later" in text
    assert "  sparse-gradient [2]" in text
    assert "[2] no sparse gradients here" in text
    matrix = printed(samples.good(), samples.good("lib:Other"))
    assert matrix.count("it does not project: adamw") == 1
    assert matrix.count("– [1]") == 2


def test_what_holds_needs_no_more_than_its_table() -> None:
    text = printed(samples.good())
    assert text.startswith("✓ lib:Good conforms to adamp: 8 checks hold\n")
    assert "it is that of the paper and of the published package" in " ".join(text.split())
    assert not re.search("expected|counterexample|reproducer", text)


def test_what_could_not_be_run_says_why() -> None:
    assert printed(samples.broken()) == (
        "! nowhere:Opt could not be checked: no module is called 'nowhere'\n  Second <line> | of it\n"
    )


def test_an_interrupt_names_what_was_not_run() -> None:
    text = " ".join(printed(samples.interrupted()).split())
    assert "; interrupted" in text
    assert "not run: algorithm-2, dialect, closure-once" in text


def test_our_own_error_is_never_left_out() -> None:
    assert "stopped on our own error, so nothing is known: dialect" in printed(samples.mixed())


def test_an_unexplained_target_shows_the_nearest_dialect() -> None:
    text = printed(samples.unexplained())
    assert "no known dialect of sgd explains it; it leaves the nearest one at step 2, w[0, 1]" in text
    assert "nearest: buffer=projected" in text


def test_several_targets_are_one_matrix_then_one_verdict_each() -> None:
    text = printed(samples.good(), samples.mixed(), samples.broken())
    lines = text.splitlines()
    assert lines[0].split() == ["check", "Good", "Mixed", "Opt"]
    assert lines[1].split() == ["eq-04", "✓", "✓"]
    assert text.count("\ncheck  ") == 0
    assert (
        text.index("✓ lib:Good conforms") < text.index("✗ lib.sub:Mixed does not") < text.index("! nowhere:Opt could")
    )
    assert "✗ lib.sub:Mixed · algorithm-2 · algorithm · fails" in text


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("targets", [2, 7, 40])
def test_a_matrix_fits_the_page_whatever_the_targets_are_called(width: int, targets: int) -> None:
    reports = [samples.good(f"some.long.package:Optimizer{n}") for n in range(targets)]
    lines = printed(*reports, width=width).splitlines()
    assert all(len(line) <= width for line in lines if "✓" in line and "…" not in line)
    assert not [line for line in lines if "✓" in line and line.rstrip().endswith("…")]
    shown = sum(line.split("  ")[0] == "eq-04" and line.count("✓") for line in lines)
    assert shown == targets


def test_targets_named_alike_are_told_apart() -> None:
    same = [samples.good(), samples.good(), samples.good("other:Good")]
    assert labels(same) == ["lib:Good (betas=(0.9, 0.99)) #1", "lib:Good (betas=(0.9, 0.99)) #2", "other:Good"]
    assert len(set(short_labels(same))) == 3
    assert all(f"{label} conforms" in printed(*same) for label in labels(same))


@pytest.mark.parametrize("terminal", [False, True])
def test_no_text_of_a_target_acts(terminal: bool) -> None:
    for reports in ([samples.mixed()], [samples.nasty_target()], samples.all_of_them()):
        text = printed(*reports, terminal=terminal)
        rest = re.sub(r"\x1b\[[\d;]*m", "", text) if terminal else text
        assert not [c for c in rest if c < " " and c != "\n"]
        assert not re.search("[\ud800-\udfff\u202e\ufffe\x7f-\x9f]", rest)
        assert "\x1b[31mred" not in text
        assert "\\x1b[31mred" in rest


def test_visible_leaves_what_can_be_read() -> None:
    assert visible("a\tb\r\nc ‖ŵ‖² 😀 é") == "a\tb\nc ‖ŵ‖² 😀 é"
    assert visible("\x1b\x7f\x9b\r\u202e\ud800\U0001ffff") == "\\x1b\\x7f\\x9b\\x0d\\u202e\\ud800\\U0001ffff"


def test_a_target_that_could_not_be_run_has_no_rows() -> None:
    assert rows(samples.broken()) == []
    assert printed() == printed(*[]), "no target at all is no error"
