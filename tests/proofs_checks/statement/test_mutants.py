"""No token of a statement can change unseen: runs, or the kernel, tell every change from the theorem."""

import re
from collections import defaultdict
from typing import Any

import pytest
import statement_mutants
from hypothesis import HealthCheck, Phase, given, settings

from tangency.proofs_checks.claim import Claim, Violation
from tangency.proofs_checks.kernel import coq, rung
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.statement.instances import Instances, runs_of
from tangency.proofs_checks.statement.theorem import NotAnInstance, Statement, Theorem
from tangency.theory.fields import EXACT, Field

STATED = [claim for claim in discover() if isinstance(claim.statement, Statement)]
EACH = pytest.mark.parametrize("claim", STATED, ids=lambda claim: claim.id)
# Changes that are no change: what each is, and why it says the same.
EQUIVALENT: dict[str, set[str]] = {}


def runs(claim: Claim) -> list[tuple[Any, Field]]:
    """Runs from the claim's own strategies, the same every time."""
    # The shortest of each kind tell the changes apart as well as the long ones do.
    found: list[tuple[Any, Field]] = []
    for search in (claim.exact, claim.ball):
        if isinstance(search, Instances):
            kinds = defaultdict[frozenset[str], list[Any]](list)
            for run in sorted(drawn(search), key=size):
                kinds[frozenset(run)].append(run)
            found += [(run, search.field) for kind in kinds.values() for run in kind[:20]]
    return found


def size(run: Any) -> int:
    """How many numbers a run holds."""
    sequences = [value for value in run.values() if isinstance(value, list)]
    return sum(len(value) * getattr(value[0], "size", 1) for value in sequences if value)


def drawn(search: Instances) -> list[Any]:
    """What a search evaluates its statement on."""
    found: list[Any] = []

    @settings(
        max_examples=40,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(search.problems)
    def draw(problem: Any) -> None:
        found.extend(runs_of(search.values(problem)))

    draw()
    return found


def applies(theorem: Theorem, run: Any, field: Field) -> int:
    """How often a theorem is evaluated on a run that gives all its letters and meets its hypotheses."""
    if not all(letter.name in run for letter in theorem.over):
        return 0
    try:
        return theorem.check(run, field)
    except NotAnInstance:
        return 0


def refuted(theorem: Theorem, examples: list[tuple[Any, Field]]) -> bool:
    """Whether a run meets the hypotheses and breaks a conclusion."""
    for run, field in examples:
        try:
            applies(theorem, run, field)
        except Violation:
            return True
        except (ArithmeticError, ValueError):  # the change asks for 1/0, or for a number that the field lacks
            return True
    return False


def accepted(claim: Claim, changed: list[tuple[str, Theorem]]) -> list[str]:
    """The changed theorems that the kernel takes the library's theorem for."""
    assert isinstance(claim.statement, Statement)
    library = rung.of(claim.statement)
    found: list[str] = []
    for name in dict.fromkeys(library.theorems[theorem.name] for _, theorem in changed):
        library.compile(name)
    while True:
        rest = [(what, theorem) for what, theorem in changed if what not in found]
        files = " ".join(dict.fromkeys(library.theorems[theorem.name] for _, theorem in rest))
        lines = ["From Coq Require Import Reals.", "From Tangency Require Import vocabulary."]
        lines += [f"From Tangency Require {files}.", "Open Scope R_scope."]
        where = {}
        for number, (what, theorem) in enumerate(rest):
            stated = " ".join(theorem.rocq().split())
            lines.append(f"Definition stated_{number} : Prop := {stated}.")
            lines.append(
                f"Fail Definition taken_{number} : stated_{number} := "
                f"Tangency.{library.theorems[theorem.name]}.{theorem.name}."
            )
            where[len(lines)] = what
        try:
            library.ask(f"mutants_{claim.id.replace('-', '_').replace('.', '_')}", "\n".join(lines) + "\n")
        except coq.Refused as error:
            refused = str(error)
        else:
            return found
        line = re.search(r"line (\d+)", refused)
        assert line is not None, refused
        assert int(line[1]) in where, refused
        found.append(where[int(line[1])])


@EACH
def test_every_theorem_that_runs_can_tell_is_evaluated(claim: Claim) -> None:
    examples = runs(claim)
    assert isinstance(claim.statement, Statement)
    if not examples:
        pytest.fail("no rung evaluates the statement")
    idle = [
        theorem.name
        for theorem in claim.statement.theorems
        if theorem.told_by_runs and not any(applies(theorem, run, field) for run, field in examples)
    ]
    assert not idle


@EACH
def test_no_token_can_change(claim: Claim) -> None:
    assert isinstance(claim.statement, Statement)
    examples, left, by_runs, count = runs(claim), [], 0, 0
    for theorem in claim.statement.theorems:
        for what, changed, conclusions in statement_mutants.theorems(theorem):
            assert not statement_mutants.same(theorem, changed), what
            count += 1
            if conclusions and refuted(changed, examples):
                by_runs += 1
            else:
                left.append((f"{theorem.name}: {what}", changed))
    print(f"{claim.id}: {count} changes, {by_runs} refuted by runs")
    try:
        coq.version()
    except coq.NoCoq as why:
        pytest.skip(f"{len(left)} of {count} changes are left to the kernel, which {why}")
    assert set(accepted(claim, left)) == EQUIVALENT.get(claim.id, set())


def test_exact_is_the_field_of_the_exact_rung() -> None:
    assert all(claim.exact.field is EXACT for claim in STATED if isinstance(claim.exact, Instances))
