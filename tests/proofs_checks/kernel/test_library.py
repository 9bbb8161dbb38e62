"""The library as a whole: the kernel's own checker, and the runs that tie its algorithms to the executable spec."""

import os
import re
import shutil
import subprocess

import pytest

from tangency.proofs_checks.claim import NotApplicable
from tangency.proofs_checks.kernel import conformance, coq, rung
from tangency.proofs_checks.kernel.library import Library, library
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.statement.theorem import Statement

NEEDS_COQ = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs coqc: apt install coq")
FLOCQ = "rounding_flocq"


@pytest.fixture(scope="module")
def sources() -> Library:
    return library()


def has_flocq(sources: Library) -> bool:
    try:
        sources.ask("flocq", "From Flocq Require Import Core.\n")
    except (coq.Refused, coq.NoCoq):
        return False
    return True


@NEEDS_COQ
def test_rounding_is_that_of_ieee(sources: Library) -> None:
    if not has_flocq(sources):
        pytest.skip("needs Flocq: apt install libcoq-flocq")
    sources.compile(FLOCQ)
    named = dict.fromkeys(re.findall(r"^Theorem ([\w']+)", sources.sources[FLOCQ], re.MULTILINE))
    every = ", ".join(f"@{FLOCQ}.{name}" for name in named)
    text = f"From Tangency Require {FLOCQ}.\nDefinition every := ({every}).\nPrint Assumptions every.\n"
    (found,) = rung.assumptions(sources.ask("asks_flocq", text))
    assert found
    assert set(found) <= set(rung.ALLOWED)


@NEEDS_COQ
@pytest.mark.skipif(shutil.which("coqchk") is None, reason="needs coqchk, which comes with coqc")
def test_the_checker_accepts_the_library(sources: Library) -> None:
    wanted = [name for name in sources.sources if name != FLOCQ]
    for name in wanted:
        sources.compile(name)
    done = subprocess.run(
        ["coqchk", "-silent", "-o", "-Q", ".", "Tangency", *(f"Tangency.{name}" for name in wanted)],
        cwd=sources.folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    summary = done.stdout + done.stderr
    assert done.returncode == 0, summary
    axioms = re.search(r"\* Axioms:\n(.*?)\n\s*\n", summary, re.DOTALL)
    assert axioms is not None, summary
    assert {line.strip().removeprefix("Coq.") for line in axioms[1].splitlines()} == {
        "Reals.ClassicalDedekindReals.sig_forall_dec",
        "Reals.ClassicalDedekindReals.sig_not_dec",
        "Logic.FunctionalExtensionality.functional_extensionality_dep",
        "Logic.Classical_Prop.classic",
    }
    assert summary.count("<none>") == 3, summary


@NEEDS_COQ
def test_the_kernel_repeats_the_runs_of_the_spec(sources: Library) -> None:
    assert run_of(conformance.text(seed=12, count=200), sources) == ""


@NEEDS_COQ
def test_a_run_that_differs_is_named(sources: Library) -> None:
    right = conformance.text(seed=12, count=5)
    first = re.search(r"\((-?\d+)#", right)
    assert first is not None
    changed = right[: first.start(1)] + str(int(first[1]) + 1) + right[first.end(1) :]
    assert "Unable to unify" in run_of(changed, sources)


def run_of(text: str, sources: Library) -> str:
    """What the kernel refuses in a file of runs; empty if it accepts all."""
    sources.compile("runs")
    try:
        sources.ask(f"conformance_{os.getpid()}", text)
    except coq.Refused as error:
        return str(error)
    return ""


def test_every_theorem_that_a_hypothesis_is_needed_is_asked() -> None:
    """Those of another form are among the further theorems of their claim."""
    sources, asked = library(), set()
    for claim in discover():
        if isinstance(claim.kernel, Statement):
            asked |= {one.name for one in rung.asked(claim.kernel, sources)}
    lost = {name for name in sources.theorems if "_needs_" in name} - asked
    assert not lost


def test_every_claim_has_theorems_for_the_kernel() -> None:
    assert [claim.id for claim in discover() if not isinstance(claim.kernel, Statement)] == []


def test_a_counterexample_that_is_said_to_be_the_kernels_is_there() -> None:
    sources = library()
    lost = [
        f"{theorem.name}: {hypothesis.name}"
        for claim in discover()
        if isinstance(claim.kernel, Statement)
        for theorem in claim.kernel.theorems
        for hypothesis in theorem.given
        if isinstance(hypothesis.needed, NotApplicable)
        and hypothesis.needed.why == "the kernel has the counterexample"
        and rung.needs_name(theorem.name, hypothesis.name) not in sources.theorems
    ]
    assert not lost
