"""Two checks compared: every kind of change is found once, and only a new failure is a regression."""

from dataclasses import replace
from typing import Any

import pytest

from tangency.proofs_checks.claim import Severity, Verdict
from tangency.proofs_checks.finding import Check, Finding, Fit, TargetInfo
from tangency.proofs_checks.report.subject_report import Expectation, SubjectReport
from tangency.proofs_checks.run.baseline import Change, Comparison, Kind, compare, to_text

HOLDS, FAILS, UNDECIDED, ERROR, NOT = (
    Verdict.HOLDS,
    Verdict.FAILS,
    Verdict.UNDECIDED,
    Verdict.ERROR,
    Verdict.DOES_NOT_APPLY,
)


def report(
    *findings: Finding, target: str = "lib:Opt", version: str = "1.0", fit: Fit | None = None, **changes: Any
) -> SubjectReport:
    if fit is not None:
        findings = (*findings, Finding("dialect", HOLDS, fit=fit))
    checks = tuple(Check(f.check, f.check, Severity.THEOREM, "§0", "because") for f in findings)
    return replace(SubjectReport(TargetInfo(target, "adamp", version=version), checks, findings), **changes)


def one(verdict: Verdict, **changes: Any) -> SubjectReport:
    return report(Finding("eq-04", verdict, detail="first line\nsecond"), **changes)


def kinds(before: SubjectReport, after: SubjectReport) -> list[tuple[Kind, str]]:
    return [(change.kind, change.what) for change in compare([before], [after]).changes]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (HOLDS, HOLDS, None),
        (FAILS, FAILS, None),
        (HOLDS, FAILS, Kind.NEW_FAILURE),
        (HOLDS, UNDECIDED, Kind.NEW_FAILURE),
        (NOT, FAILS, Kind.NEW_FAILURE),
        (ERROR, FAILS, Kind.NEW_FAILURE),
        (FAILS, HOLDS, Kind.FIXED),
        (UNDECIDED, HOLDS, Kind.FIXED),
        (FAILS, UNDECIDED, Kind.CHANGED),
        (FAILS, NOT, Kind.CHANGED),
        (HOLDS, NOT, Kind.CHANGED),
        (HOLDS, ERROR, Kind.CHANGED),
    ],
)
def test_verdicts(before: Verdict, after: Verdict, kind: Kind | None) -> None:
    comparison = compare([one(before)], [one(after)])
    assert [change.kind for change in comparison.changes] == ([] if kind is None else [kind])
    assert comparison.regressed is (kind is Kind.NEW_FAILURE)


def test_a_new_failure_says_what_and_a_known_one_is_none() -> None:
    (change,) = compare([one(HOLDS)], [one(FAILS)]).changes
    assert change == Change(Kind.NEW_FAILURE, "lib:Opt", "eq-04", "holds", "fails", "first line")
    comparison = compare([one(HOLDS)], [one(FAILS, known=(Expectation("eq-04", "issue 12"),))])
    assert [(change.kind, change.detail) for change in comparison.changes] == [(Kind.CHANGED, "known: issue 12")]
    assert not comparison.regressed


def test_checks_that_are_added_removed_or_cut_off() -> None:
    both = report(Finding("a", HOLDS), Finding("b", HOLDS))
    only = report(Finding("a", HOLDS))
    assert kinds(only, both) == [(Kind.ADDED, "b")]
    assert kinds(both, only) == [(Kind.REMOVED, "b")]
    assert kinds(only, report(Finding("a", HOLDS), Finding("b", FAILS))) == [(Kind.NEW_FAILURE, "b")]
    cut = replace(both, findings=both.findings[:1], interrupted=True)
    assert kinds(both, cut) == [(Kind.NOT_COMPARED, "b")]
    assert kinds(cut, both) == [(Kind.NOT_COMPARED, "b")]


def test_targets_that_are_added_or_removed() -> None:
    other = one(FAILS, target="lib:Other")
    comparison = compare([one(HOLDS)], [one(HOLDS), other])
    assert [(c.kind, c.target, c.what) for c in comparison.changes] == [
        (Kind.NEW_FAILURE, "lib:Other", "eq-04"),
        (Kind.ADDED, "lib:Other", ""),
    ]
    assert comparison.regressed
    comparison = compare([one(HOLDS), other], [one(HOLDS)])
    assert [(c.kind, c.target) for c in comparison.changes] == [(Kind.REMOVED, "lib:Other")]
    assert not comparison.regressed


def test_a_target_that_cannot_be_run_any_more_and_one_that_can_again() -> None:
    broken = report(problem="ImportError: gone\nmore")
    (change,) = compare([one(HOLDS)], [broken]).changes
    assert change == Change(Kind.NEW_FAILURE, "lib:Opt", "", "could be run", "cannot be run", "ImportError: gone")
    assert kinds(broken, one(HOLDS)) == [(Kind.FIXED, "")]
    assert kinds(broken, one(FAILS)) == [(Kind.NEW_FAILURE, "eq-04"), (Kind.FIXED, "")]
    assert kinds(broken, broken) == []


def test_one_target_under_two_options_is_two() -> None:
    before, after = [one(HOLDS), one(FAILS)], [one(HOLDS), one(HOLDS)]
    assert [change.kind for change in compare(before, after).changes] == [Kind.FIXED]
    assert compare(before, before).compared == 2


@pytest.mark.parametrize(
    ("before", "after", "grew"),
    [
        (0.1, 0.15, False),
        (0.1, 0.3, True),
        (0.0, 0.001, True),
        (0.0, 0.0, False),
        (0.3, 0.1, False),
        (None, 0.5, False),
    ],
)
def test_errors_that_grow_by_more_than_a_bit(before: float | None, after: float, grew: bool) -> None:
    old, new = report(Finding("a", HOLDS, error=before)), report(Finding("a", HOLDS, error=after))
    assert kinds(old, new) == [(Kind.ERROR_GREW, "a")] * grew


def test_choices_of_the_dialect() -> None:
    fit = Fit("adam", {"epsilon": "outside", "views": "both"}, explained=True)
    other = replace(fit, dialect={"epsilon": "inside", "views": "both"})
    (change,) = compare([report(fit=fit)], [report(fit=other)]).changes
    assert change == Change(Kind.CHOICE, "lib:Opt", "epsilon", "outside", "inside")
    # Values that fit equally well are one.
    assert kinds(report(fit=fit), report(fit=replace(other, open={"epsilon": ("inside", "outside")}))) == []
    assert kinds(report(Finding("dialect", HOLDS), fit=None), report(fit=fit)) == []
    lost = replace(fit, explained=False, leaves_at="step 2, w[0]")
    (change,) = compare([report(fit=fit)], [report(fit=lost)]).changes
    assert (change.what, change.before, change.after, change.detail) == (
        "by the dialect",
        "explained",
        "not explained",
        "step 2, w[0]",
    )
    assert kinds(report(fit=fit), report(fit=Fit("sgd"))) == [(Kind.CHOICE, "family")]
    more = replace(fit, dialect={**fit.dialect, "clamp": "1e-8"})
    (change,) = compare([report(fit=fit)], [report(fit=more)]).changes
    assert (change.what, change.before, change.after) == ("clamp", "not told", "1e-8")


def test_the_text_tells_all_of_it() -> None:
    fits = [Fit("adam", {"epsilon": value}, explained=True) for value in ("outside", "inside")]
    before = report(Finding("a", HOLDS), Finding("b", FAILS), Finding("c", HOLDS, error=0.1), fit=fits[0])
    after = report(
        Finding("a", FAILS, detail="‖w'‖²: expected 4, got 5\nmore"),
        Finding("b", HOLDS),
        Finding("c", HOLDS, error=0.4),
        Finding("d", HOLDS),
        fit=fits[1],
        version="1.1",
    )
    assert to_text(compare([before], [after])) == (
        "since the baseline: 1 new failure, 1 fixed, 1 choice of the dialect changed, 1 error grew, 1 added; "
        "1 target compared\n"
        "\n"
        "lib:Opt 1.0 → 1.1\n"
        "  new failure   a: holds → fails; ‖w'‖²: expected 4, got 5\n"
        "  fixed         b: fails → holds\n"
        "  dialect       epsilon: outside → inside\n"
        "  error grew    c: 0.1 → 0.4 of its bound\n"
        "  added         d: not asked → holds\n"
    )


def test_the_text_of_nothing() -> None:
    assert to_text(compare([], [])) == "since the baseline: nothing changed; 0 targets compared\n"
    assert to_text(compare([one(HOLDS)], [one(HOLDS, version="")])).endswith("\nlib:Opt 1.0 → ?\n")
    assert not Comparison(()).regressed
