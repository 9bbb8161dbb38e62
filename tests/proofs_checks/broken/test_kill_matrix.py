"""The kill matrix is red for a mutant that lives, a claim or check that kills none, and a sound optimizer that dies."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
import small_claims as small
from rich.console import Console

from tangency.proofs_checks import Verdict, kill_matrix, verify
from tangency.proofs_checks.broken.zoo import SOUND, Broken, find, zoo
from tangency.proofs_checks.claim import UnknownClaim
from tangency.proofs_checks.finding import Finding, TargetInfo
from tangency.proofs_checks.kill_matrix import KillMatrix, behaviour, mutants, print_matrix
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.subjects import SHIPPED
from tangency.proofs_checks.target.spec import TargetSpec


def mutant(name: str, says: str, subject: small.Subject, *caught_by: str) -> Broken:
    return Broken(name, says, TargetSpec(subject.name), frozenset(caught_by), subject)


def matrix(*found: Broken, sound: Sequence[small.Subject] = ()) -> KillMatrix:
    suite = small.killing(*(one.subject for one in found if one.subject), *sound)
    report = verify(suite=suite, rungs=["implementation"], profile=small.TINY, seed=1, shrink=False)
    known = frozenset(claim.id for claim in suite.claims)
    return KillMatrix(report.reports, known, report.options, report.seconds, found)


CRASHES = mutant("Crashes", "raises", small.CRASHING, "true", "kills-all")


def test_a_mutant_that_lives_is_a_defect() -> None:
    lives = mutant("Lives", "nothing is wrong with it", small.SPARED, "true", "kills-all", "gone")
    found = matrix(CRASHES, lives)
    assert found.claims == ("true", "kills-all", "kills-none")
    assert found.defects == (
        "Lives: gone is no claim and no check",
        "true does not kill Lives: nothing is wrong with it",
        "kills-none kills no mutant: it may be unable to fail",
    )
    assert found.exit_code == 1
    spared = found.verdicts["spared", "true"]
    assert (spared.verdict, spared.examples) == (Verdict.HOLDS, small.TINY.mutant)


def test_a_mutant_that_nobody_kills_lives() -> None:
    lives = mutant("Lives", "it claims another algorithm", replace(SHIPPED[1], name="adam"), "kills-none")
    assert "Lives lives" in matrix(CRASHES, lives).defects


def test_the_matrix_is_printed_on_the_page() -> None:
    stream = io.StringIO()
    print_matrix(Console(file=stream, width=100), matrix(CRASHES))
    lines = stream.getvalue().splitlines()
    assert lines[1].split() == ["Crashes", "✗", "✗", "–", "2"]
    assert lines[2].strip() == "1 true, 2 kills-all, 3 kills-none"
    assert lines[-1].startswith("1 of 1 mutants killed by 3 claims, 1 defects; tiny, seed 1")
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("sound", [one.subject for one in SOUND], ids=lambda subject: subject.algorithm)
def test_a_sound_optimizer_that_dies_is_a_defect(sound: small.Subject) -> None:
    dies = [defect for defect in matrix(CRASHES, sound=[sound]).defects if "which is sound" in defect]
    assert len(dies) == ("heavy-ball" in sound.capabilities)


SILENT = next(check for check in behaviour() if check.id == "silent")
PRINTS = find("Prints")


def of_checks(broken: Verdict, sound: Verdict = Verdict.HOLDS, problem: str = "") -> KillMatrix:
    """The matrix of one check, from what it found on a broken optimizer and on a sound one."""
    reports = [
        SubjectReport(
            TargetInfo(one.target.target, "sgdp"),
            (SILENT,),
            (Finding("silent", verdict, detail="a word"),) * (not problem),
            problem=problem,
        )
        for one, verdict in ((PRINTS, broken), (SOUND[0], sound))
    ]
    return KillMatrix(tuple(reports), frozenset({"silent"}), small.OPTIONS, 0.0, (PRINTS,))


@pytest.mark.parametrize(
    ("found", "code", "defect"),
    [
        (of_checks(Verdict.FAILS), 0, ""),
        (of_checks(Verdict.HOLDS), 1, f"silent does not kill Prints: {PRINTS.description}"),
        (of_checks(Verdict.DOES_NOT_APPLY), 1, "silent kills no mutant: it may be unable to fail"),
        (of_checks(Verdict.FAILS, Verdict.FAILS), 1, f"silent fails on {SOUND[0].target.target}, which is sound: a"),
        (of_checks(Verdict.ERROR), 3, ""),
        (of_checks(Verdict.FAILS, problem="gone"), 5, f"{PRINTS.target.target} cannot be run: gone"),
    ],
)
def test_checks_count_as_claims_do(found: KillMatrix, code: int, defect: str) -> None:
    assert found.exit_code == code
    assert any(said.startswith(defect) for said in found.defects) or not defect
    stream = io.StringIO()
    print_matrix(Console(file=stream, width=100), found)
    assert "1 checks" in stream.getvalue() or code == 5
    assert all(defect in stream.getvalue().replace("\n", " ") for defect in found.defects)


def test_what_cannot_be_run_here_is_left_out_and_said() -> None:
    far = replace(find("optax_ascends"), caught_by=frozenset({"silent"}), needs=("no_such_package",))
    found = replace(of_checks(Verdict.FAILS), zoo=(PRINTS, far))
    stream = io.StringIO()
    print_matrix(Console(file=stream, width=100), found)
    assert (found.defects, found.exit_code) == ((), 0)
    assert "left out: optax_ascends, which needs no_such_package" in stream.getvalue()


def test_a_run_of_some_checks_alone() -> None:
    found = kill_matrix.run(["silent", "random-state"], profile="quick", jobs=1, seed=1)
    assert (found.claims, found.checks, found.defects) == ((), ("random-state", "silent"), ())
    killed = {name.rpartition(":")[2] for (name, _), one in found.verdicts.items() if one.verdict is Verdict.FAILS}
    assert killed == {"Draws", "DrawsInPython", "Prints"}
    with pytest.raises(UnknownClaim, match="no claim is called 'silnt'"):
        kill_matrix.run(["silnt"])


def test_the_suite_of_mutants_names_what_must_fail() -> None:
    suite = mutants()
    attacked = {
        one.target.target: one.caught_by for one in zoo() if one.subject and one.target.target in suite.must_fail
    }
    names = [subject.name for subject in suite.subjects]
    assert names == [*(one.target.target for one in SOUND), *attacked]
    checks = {check.id for check in behaviour()}
    assert {name: ids - checks for name, ids in attacked.items()} == suite.must_fail
    assert all(suite.must_fail.values())
