"""The kernel rung: what it accepts, what it refuses, and what it says where Coq is missing, old, broken or hangs."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import small_claims as small

from tangency.proofs_checks.claim import Hypothesis, NotApplicable, Verdict
from tangency.proofs_checks.kernel import coq, library, rung
from tangency.proofs_checks.proof import walk
from tangency.proofs_checks.proof.gram import Proof
from tangency.proofs_checks.proof.text import kernel_lines
from tangency.proofs_checks.statement.terms import Variable, equal, square, term, variables
from tangency.proofs_checks.statement.theorem import Statement, Theorem

NEEDS_COQ = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs coqc: apt install coq")
HEAD = "From Tangency Require Import vocabulary inner_product.\nOpen Scope R_scope.\n"
(x,) = variables("x", "E")


@pytest.fixture(autouse=True)
def asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No version that was asked before, and a cache of its own."""
    coq.version.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    coq.version.cache_clear()


def statement(folder: Path, proofs: str, *theorems: Theorem, more: tuple[str, ...] = ()) -> Statement:
    """A statement whose theorems are in a file of their own."""
    path = folder / "mine.v"
    path.write_text(HEAD + proofs, encoding="utf-8")
    return Statement(str(path), theorems, more=more)


DOUBLE = Theorem("double", (x,), (), (equal(square(x + x), 4 * square(x)),))
PROVED = "Theorem double : forall (E : space) (x : E), ‖x + x‖² = 4 * ‖x‖².\nProof. intros. gram. ring. Qed.\n"


@NEEDS_COQ
def test_it_holds_and_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = statement(tmp_path, PROVED, DOUBLE)
    found = rung.run_kernel(mine)
    assert (found.verdict, found.examples) == (Verdict.HOLDS, 1), found.detail
    assert "sig_forall_dec" in found.detail
    monkeypatch.setattr(coq, "compiled", lambda *arguments: pytest.fail("it was compiled again"))
    assert rung.run_kernel(mine) == found


@NEEDS_COQ
@pytest.mark.parametrize(
    ("proofs", "theorem", "why"),
    [
        (PROVED, replace(DOUBLE, says=(equal(square(x + x), 2 * square(x)),)), "has type"),
        (PROVED.replace("double", "triple"), DOUBLE, "no theorem double"),
        (PROVED.replace("ring. Qed", "ring. Admitted"), DOUBLE, "rests on mine.double"),
        ("Axiom free : False.\n" + PROVED.replace("gram. ring", "destruct free"), DOUBLE, "rests on mine.free"),
        (PROVED.replace("gram. ring. ", ""), DOUBLE, "mine.v"),
    ],
    ids=["another statement", "a missing theorem", "admitted", "an axiom of its own", "no proof"],
)
def test_it_fails(proofs: str, theorem: Theorem, why: str, tmp_path: Path) -> None:
    found = rung.run_kernel(statement(tmp_path, proofs, theorem))
    assert found.verdict is Verdict.FAILS
    assert why in found.detail


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    lost = Statement(str(tmp_path / "lost.v"), (DOUBLE,))
    found = rung.run_kernel(lost)
    assert found.verdict is Verdict.FAILS
    assert "lost.v cannot be read" in found.detail
    assert "lost.v cannot be read" in walk.astray(Proof("", (), (), ""), lost)
    assert "lost.v cannot be read" in "\n".join(kernel_lines(replace(small.EMPTY, kernel=lost)))


@NEEDS_COQ
def test_a_further_theorem_is_asked_for_its_axioms(tmp_path: Path) -> None:
    further = "Axiom free : False.\nTheorem more : 0 = 1.\nProof. destruct free. Qed.\n"
    found = rung.run_kernel(statement(tmp_path, PROVED + further, DOUBLE, more=("more",)))
    assert found.verdict is Verdict.FAILS
    assert "more rests on mine.free" in found.detail


@NEEDS_COQ
def test_a_lost_hypothesis_is_asked_for_its_need(tmp_path: Path) -> None:
    z = Variable("z", "R")
    kept = Hypothesis("one", equal(z, 1), NotApplicable("the kernel has it"))
    theorem = Theorem("squared", (z,), (kept,), (equal(z * z, term(1)),))
    proofs = (
        "Theorem squared : forall (z : R), z = 1 -> z * z = 1.\nProof. intros z ->. ring. Qed.\n"
        "Theorem squared_needs_one : ~ (forall (z : R), z * z = 1).\n"
        "Proof. intros H. specialize (H 0). lra. Qed.\n"
    )
    found = rung.run_kernel(statement(tmp_path, "From Coq Require Import Lra.\n" + proofs, theorem))
    assert (found.verdict, found.examples) == (Verdict.HOLDS, 2), found.detail


def coqc(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the place of coqc; the path has nothing else."""
    program = folder / "bin" / "coqc"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/bin{os.pathsep}/usr/bin")


SAYS_VERSION = 'test "$1" = --version && echo "The Coq Proof Assistant, version 8.16.1" && exit 0\n'


def test_without_coq_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = rung.run_kernel(statement(tmp_path, PROVED, DOUBLE))
    assert found.verdict is Verdict.NOT_RUN
    assert found.detail == "needs coqc, apt install coq, or see rocq-prover.org"


@pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize(
    ("script", "verdict", "why"),
    [
        ('echo "The Coq Proof Assistant, version 8.13.2"', Verdict.NOT_RUN, "8.13.2; it must be at least 8.16"),
        ("exit 3", Verdict.NOT_RUN, "does not tell its version"),
        (
            SAYS_VERSION
            + 'echo "Error: Cannot find a physical path bound to logical path Coq.Init.Prelude" >&2; exit 1',
            Verdict.NOT_RUN,
            "no standard library",
        ),
        (SAYS_VERSION + "kill -SEGV $$", Verdict.ERROR, "coqc ended with -11"),
        (SAYS_VERSION + "sleep 60", Verdict.ERROR, "took more than 1 s"),
        (SAYS_VERSION + "exit 0", Verdict.ERROR, "answered 0 of 1 questions"),
    ],
    ids=["old", "mute", "no library", "crashes", "hangs", "says nothing"],
)
def test_a_coq_that_does_not_work(
    script: str, verdict: Verdict, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coqc(tmp_path, script, monkeypatch)
    monkeypatch.setattr(coq, "LIMIT", 1.0)
    found = rung.run_kernel(statement(tmp_path, PROVED, DOUBLE))
    assert found.verdict is verdict, found.detail
    assert why in found.detail


def test_every_file_of_the_library_says_what_it_proves() -> None:
    for name, text in library.library().sources.items():
        assert text.startswith("(** "), f"{name}.v has no comment at its head"
        assert not any(word in text for word in ("Axiom", "Parameter", "Admitted", "admit.", "bypass_check")), name
