"""The algebra rung beside the kernel: a step stands for a theorem of the library, and every theorem has a step."""

from dataclasses import replace
from pathlib import Path

import pytest
import small_claims as small

from tangency.proofs_checks.checks.rungs import run_algebra
from tangency.proofs_checks.claim import NotApplicable, Verdict
from tangency.proofs_checks.proof.gram import Identity, NonNegative
from tangency.proofs_checks.proof.latex import claim_latex
from tangency.proofs_checks.proof.text import proof_lines
from tangency.proofs_checks.statement.terms import equal, square, variables
from tangency.proofs_checks.statement.theorem import Statement, Theorem

(x,) = variables("x", "E")
DOUBLE = Theorem("double", (x,), (), (equal(square(x + x), 4 * square(x)),))
BINOMIAL, SQUARE = small.proof().steps
WALK = (replace(BINOMIAL, theorem="double"), replace(SQUARE, theorem=NotApplicable("a square is one")))


def found(folder: Path, steps: tuple[Identity | NonNegative, ...], without: tuple[str, ...] = ()) -> tuple[str, str]:
    """The verdict and its detail for a walk beside a file with one theorem."""
    path = folder / "mine.v"
    path.write_text("Theorem double : forall (E : space) (x : E), ‖x + x‖² = 4 * ‖x‖².\n", encoding="utf-8")
    proof = replace(small.proof(), steps=steps, without=without)
    finding = run_algebra(small.claim("walk", statement=Statement(str(path), (DOUBLE,)), algebra=lambda: proof))
    return finding.verdict.value, finding.detail


def test_steps_that_stand_for_theorems_hold(tmp_path: Path) -> None:
    assert found(tmp_path, WALK) == ("holds", "")
    assert found(tmp_path, (WALK[1],), without=("double",)) == ("holds", "")
    assert found(tmp_path, (*WALK, replace(BINOMIAL, theorem="orthogonality"))) == ("holds", "")


@pytest.mark.parametrize(
    ("steps", "without", "why"),
    [
        (
            (replace(BINOMIAL, theorem="triple"), WALK[1]),
            (),
            "step 1 (the binomial) corresponds to no theorem: it names triple",
        ),
        (
            (WALK[0], replace(SQUARE, theorem="project")),
            (),
            "step 2 (a square) corresponds to no theorem: it names project",
        ),
        ((WALK[0], SQUARE), (), "step 2 (a square) corresponds to no theorem: it names nothing"),
        (WALK[1:], (), "no step corresponds to the theorem double"),
        (WALK, ("triple",), "triple is said to have no algebra, and the statement has no such theorem"),
    ],
    ids=[
        "an unknown name",
        "a definition",
        "no name",
        "a theorem without a step",
        "an unknown theorem without algebra",
    ],
)
def test_it_fails(
    steps: tuple[Identity | NonNegative, ...], without: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    assert found(tmp_path, steps, without) == ("fails", why)


def test_a_wrong_step_is_told_before_its_name(tmp_path: Path) -> None:
    verdict, detail = found(tmp_path, small.proof(3).steps)
    assert verdict == Verdict.FAILS.value
    assert "residual" in detail


def test_a_claim_in_prose_names_no_theorems() -> None:
    assert run_algebra(small.TRUE).verdict is Verdict.HOLDS


def test_the_theorem_ends_the_line_of_its_step() -> None:
    proof = replace(small.proof(), steps=WALK)
    text = "\n".join(proof_lines(proof))
    assert "  1. the binomial [double]\n" in text
    assert "  2. a square [not in the kernel: a square is one]\n" in text
    assert r"\item the binomial [\texttt{double}]" in claim_latex(small.claim("walk", algebra=lambda: proof))
