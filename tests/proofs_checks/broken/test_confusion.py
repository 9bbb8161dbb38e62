"""The confusion matrix: what a report says first of everything broken, crossed with what published code does."""

import pytest
from examined import examined

from tangency.proofs_checks.broken.quirks import crossed, quirks_of, sound_with_quirks
from tangency.proofs_checks.broken.zoo import Broken, zoo
from tangency.proofs_checks.report.causes import causes
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.target.spec import TargetSpec

# What few trials do not find: ``verify --mutants`` gives each of them 3000.
RARE = {"FilledWithOnes", "NoDecayWithATensorLr", "ForgetsTheRest"}
INSTALLED = [one for one in zoo() if not one.missing]
NAMED = [pytest.param(one, id=one.name) for one in INSTALLED if one.name not in RARE]


def first_line(report: SubjectReport) -> str:
    """The verdict, and what it says of the first bug or choice."""
    first = next(causes(report), None)
    return f"{report.verdict_line} {first.says if first else ''}"


@pytest.mark.parametrize("one", NAMED)
def test_the_first_line_names_what_is_broken_in_spite_of_all_quirks(one: Broken) -> None:
    """As the choice of a dialect; else by a check that has to catch it, or in the words of the zoo."""
    spec = crossed(one, *quirks_of(one))
    report = examined(spec, lambda check: check.id == "dialect" or check.id in one.caught_by)
    names = {one.slip, one.description} if one.slip else {*one.caught_by, one.description}
    assert any(name in first_line(report) for name in names), first_line(report)


def test_nineteen_of_twenty_are_named() -> None:
    assert {one.name for one in INSTALLED} >= RARE
    assert len(RARE) <= len(INSTALLED) / 20


@pytest.mark.parametrize("spec", sound_with_quirks(), ids=lambda spec: spec.target.partition(":")[2])
def test_a_sound_optimizer_with_quirks_has_no_bugs(spec: TargetSpec) -> None:
    report = examined(spec)
    assert not report.bugs
    quirks = len(spec.target.split("__")) - 1
    assert len(report.choices) == quirks
