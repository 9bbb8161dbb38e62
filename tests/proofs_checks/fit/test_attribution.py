"""What fails is laid to the smallest set of choices that explains it; what none explains is a bug, and comes first."""

from io import StringIO
from pathlib import Path

import pytest
from examined import QUICK, examined
from rich.console import Console

from tangency.proofs_checks.algorithms import ALGORITHMS
from tangency.proofs_checks.finding import Again
from tangency.proofs_checks.fit.attribution import because
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.report.subject_report import FAILED, OK, SubjectReport
from tangency.proofs_checks.report.terminal import print_reports
from tangency.proofs_checks.run import conformance, known
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target

TWO_SLIPS = Path(__file__).parents[3] / "docs" / "examples" / "two_slips.py"
(CHECK,) = conformance.select(["eq-10"])


@pytest.fixture(scope="module")
def broken() -> SubjectReport:
    return examined(TargetSpec(f"{TWO_SLIPS}:AdamP", "adamp"))


@pytest.fixture(scope="module")
def fixed() -> SubjectReport:
    return examined(TargetSpec(f"{TWO_SLIPS}:Fixed", "adamp"))


def test_two_slips_are_the_two_bugs_and_stand_in_the_first_five_lines(broken: SubjectReport) -> None:
    assert [bug.name for bug in broken.bugs] == ["threshold = δ/√rows", "decay_order = after"]
    page = StringIO()
    print_reports(Console(file=page, width=100), [broken])
    first = " ".join(line.strip() for line in page.getvalue().splitlines()[:5])
    assert "threshold = δ/√rows: the threshold counts the rows, not the elements of a row" in first
    assert "2 bugs (threshold = δ/√rows, decay_order = after)" in first
    assert broken.exit_code == FAILED


def test_without_them_there_is_no_bug_and_each_quirk_is_named_once(fixed: SubjectReport) -> None:
    assert fixed.bugs == ()
    assert sorted(choice.name for choice in fixed.choices) == [
        "cosine_epsilon = clamped at ε",
        "norm_epsilon = added",
    ]
    checks = [check for choice in fixed.choices for check in choice.checks]
    assert len(checks) == len(set(checks)) >= 10
    assert fixed.exit_code == FAILED, "a choice that nobody accepted"
    assert "conforms to adamp: 2 choices that differ from the paper" in fixed.verdict_line


def test_what_the_choice_breaks_is_shown_with_the_magnitudes(fixed: SubjectReport) -> None:
    places = {finding.check: finding.where for finding in fixed.findings if finding.where is not None}
    assert "eq-10" in places
    assert all(place.says.startswith("in float32 it holds") for place in places.values() if not place.trained)


def test_an_accepted_choice_excuses_what_it_explains_and_nothing_else(
    fixed: SubjectReport, broken: SubjectReport, tmp_path: Path
) -> None:
    path = tmp_path / "known.toml"
    path.write_text(known.to_toml(known.accepted(fixed)), encoding="utf-8")
    entries = [entry for entry in known.load(path) if "Fixed" in entry.target]
    assert len(entries) == 2
    assert all("the paper: none" in entry.reason for entry in entries)
    accepted = known.apply(fixed, entries)
    assert accepted.exit_code == OK
    assert not accepted.stale
    assert all(choice.reason for choice in accepted.choices)
    anywhere = [known.Known(choice=entry.choice, reason="ours") for entry in entries]
    assert [bug.name for bug in known.apply(broken, anywhere).bugs] == [bug.name for bug in broken.bugs]


def test_a_choice_that_the_target_does_not_make_is_stale(fixed: SubjectReport) -> None:
    report = known.apply(fixed, [known.Known(choice="norm_epsilon = clamped", reason="as before")])
    assert report.stale == ("norm_epsilon is 'added', and is known as 'clamped': as before",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('choice = "norm_epsilon = adde"', "norm_epsilon is one of added, clamped, none"),
        ('choice = "norm = added"', "no choice has such a name"),
        ('choice = "norm_epsilon = added"\ncheck = "eq-10"', "it names a check and a choice"),
        ('choice = " "', "choice is empty"),
    ],
)
def test_an_entry_about_no_choice_is_refused(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(f'[[known]]\n{line}\nreason = "why"\n', encoding="utf-8")
    with pytest.raises(known.BadKnownFailures, match=says):
        known.load(path)


ADAMP = ALGORITHMS["adamp"]
QUIRKY = speaker(ADAMP.paper.but(norm_epsilon="added", cosine_epsilon="clamped at ε", threshold="δ"))


def explained(*breaks: str, together: bool = False, paper: bool = False) -> list[str]:
    """The names of what explains a failure that the named choices show, each alone or only together."""

    def on(other: Target) -> bool:
        spoken = {f"{name} = {value}" for name, value in fit(other).dialect.items()}
        return paper or (set(breaks) <= spoken if together else bool(set(breaks) & spoken))

    return sorted(one.name for one in because(QUIRKY, Again(on), CHECK, QUICK)[0])


def test_the_smallest_set_that_explains_a_failure_is_found() -> None:
    assert explained("norm_epsilon = added") == ["norm_epsilon = added"]
    both = ["cosine_epsilon = clamped at ε", "norm_epsilon = added"]
    assert explained(*both, together=True) == both
    every = [*both, "threshold = δ"]
    assert explained(*every, together=True) == every


def test_of_two_explanations_a_slip_is_taken() -> None:
    assert explained("norm_epsilon = added", "threshold = δ") == ["threshold = δ"]


def test_what_the_paper_shares_or_no_choice_shows_is_explained_by_none() -> None:
    assert explained("norm_epsilon = clamped") == []
    assert explained("norm_epsilon = added", paper=True) == []


def test_a_failure_that_cannot_be_asked_of_a_reference_is_explained_by_none() -> None:
    def cannot(other: Target) -> bool:
        raise RuntimeError("no pickle carries it")

    assert because(QUIRKY, Again(cannot), CHECK, QUICK) == ((), None, "")
