"""The kill matrix is red for a mutant that lives, a claim that kills none, and a sound optimizer that dies."""

import io
from dataclasses import replace

import pytest
import small_claims as small
from rich.console import Console

from tangency.proofs_checks import Verdict, verify
from tangency.proofs_checks.broken.kill_matrix import KillMatrix, mutants, print_matrix
from tangency.proofs_checks.broken.mutants import MUTANTS, SOUND, Mutant
from tangency.proofs_checks.subjects import SHIPPED


def matrix(*found: Mutant) -> KillMatrix:
    suite = small.killing(*(mutant.subject for mutant in found))
    report = verify(suite=suite, rungs=["implementation"], profile=small.TINY, seed=1, shrink=False)
    return KillMatrix(report, found)


CRASHES = Mutant("Crashes", "raises", small.CRASHING, frozenset({"true", "kills-all"}))


def test_a_mutant_that_lives_is_a_defect() -> None:
    lives = Mutant("Lives", "nothing is wrong with it", small.SPARED, frozenset({"true", "kills-all", "gone"}))
    found = matrix(CRASHES, lives)
    assert found.claims == ("true", "kills-all", "kills-none")
    assert found.defects == (
        "Lives: gone is no claim",
        "true does not kill Lives: nothing is wrong with it",
        "kills-none kills no mutant: its implementation rung may be unable to fail",
    )
    assert found.exit_code == 1
    spared = next(r for r in found.report.results if (r.claim, r.subject) == ("true", "spared"))
    assert (spared.verdict, spared.examples) == (Verdict.HOLDS, small.TINY.mutant)


def test_a_mutant_that_nobody_kills_lives() -> None:
    lives = Mutant("Lives", "it claims another algorithm", replace(SHIPPED[1], name="adam"), frozenset({"kills-none"}))
    assert "Lives lives" in matrix(CRASHES, lives).defects


def test_the_matrix_is_printed_on_the_page() -> None:
    stream = io.StringIO()
    print_matrix(Console(file=stream, width=100), matrix(CRASHES))
    lines = stream.getvalue().splitlines()
    assert lines[1].split() == ["Crashes", "✗", "✗", "–", "2"]
    assert lines[2].strip() == "1 true, 2 kills-all, 3 kills-none"
    assert lines[-1].startswith("1 of 1 mutants killed by 3 claims, 1 defects; tiny, seed 1")
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("sound", SOUND, ids=lambda subject: subject.name)
def test_a_sound_optimizer_that_dies_is_a_defect(sound: small.Subject) -> None:
    suite = small.killing(small.CRASHING, sound)
    report = verify(suite=suite, rungs=["implementation"], profile=small.TINY, seed=1, shrink=False)
    dies = [defect for defect in KillMatrix(report, (CRASHES,)).defects if "which is sound" in defect]
    assert len(dies) == ("heavy-ball" in sound.capabilities)


def test_the_suite_of_mutants_names_what_must_fail() -> None:
    suite = mutants()
    assert len(suite.subjects) == len(SOUND) + len(MUTANTS) == len({subject.name for subject in suite.subjects})
    assert all(suite.must_fail[mutant.subject.name] == mutant.caught_by for mutant in MUTANTS)
    assert all(mutant.caught_by for mutant in MUTANTS)
