"""Small claims, one for every possible finding of a rung, and their suites for worker processes."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy
from hypothesis import assume
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.options import Options, Profile
from tangency.proofs_checks.subjects import SHIPPED

TINY = Profile("tiny", exact=30, ball=20, implementation=10, foreign=10, mutant=40)
NOT_HERE = NotApplicable("not part of this test")
X, Y = sympy.symbols("x y", real=True)


def claim(id: str, **evidence: Any) -> Claim:
    """A claim with the given evidence alone."""
    nothing = {"hypotheses": (), "algebra": NOT_HERE, "exact": NOT_HERE, "ball": NOT_HERE, "implementation": NOT_HERE}
    texts = {"title": f"the claim {id}", "where": "§0", "statement": f"{id} is so", "latex": "x = x"}
    return Claim(id=id, **{**texts, **nothing, **evidence})


def proof(factor: int = 2) -> Proof:
    """(x + y)² = x² + ``factor``·xy + y²: right for 2."""
    square = Identity("the binomial", (X + Y) ** 2, X**2 + factor * X * Y + Y**2)
    positive = NonNegative("a square", X**2 - 2 * X * Y + Y**2, [(sympy.Integer(1), X - Y)])
    return Proof("Expansion.", (Given("x and y are real", X + Y),), (square, positive), "so it is")


def is_commutative(pair: tuple[int, int]) -> None:
    require_equal("x + y", pair[0] + pair[1], pair[1] + pair[0])


def is_small(n: int) -> None:
    require("n < 17", n < 17, got=n)


def is_undecided(n: int) -> None:
    raise UndecidedView(View.LAYER)


def is_sometimes_undecided(n: int) -> None:
    EXACT.sqrt(EXACT.element(2 if n % 3 == 0 else 4))


def is_rarely_met(n: int) -> None:
    assume(n == 123_456_789)


def breaks(n: int) -> None:
    1 / (n - n)


def prints(n: int) -> None:
    print("noise")


def plain_trials(subject: Any) -> Any:
    return strategies.trials(subject, dtypes=("float32", "float64"), max_steps=2)


def moves_by_lr(run: Run) -> list[Measurement]:
    """Nothing moves without a gradient: bitwise."""
    return [run.compare("w", r, r.w_after if r.g is None else r.w, run.field.array(r.w), 0 * r.w) for r in run.records]


def never_moves(run: Run) -> list[Measurement]:
    """False: steps move the weights."""
    return [run.compare("w", r, r.w_after, run.field.array(r.w), 0 * r.w) for r in run.records]


def measures_nothing(run: Run) -> list[Measurement]:
    return []


def attack(check: Any, requires: frozenset[str] = frozenset({HEAVY_BALL})) -> Attack:
    return Attack(requires, plain_trials, check)


def refutation() -> Refutation:
    return Refutation("x", 1, 2)


def no_refutation() -> Refutation:
    return Refutation("x", 1, 1)


def violated() -> Refutation:
    require("another hypothesis", False)
    return refutation()


PAIRS = st.tuples(st.integers(), st.integers())
TRUE = claim(
    "true",
    hypotheses=(Hypothesis("h", "x is real", refutation), Hypothesis("k", "y is real", NotApplicable("by symmetry"))),
    algebra=proof,
    exact=Search(PAIRS, is_commutative),
    ball=Search(PAIRS, is_commutative),
    implementation=attack(moves_by_lr),
)
FALSE = claim(
    "false",
    hypotheses=(Hypothesis("h", "x is real", no_refutation),),
    algebra=lambda: proof(3),
    exact=Search(st.integers(), is_small),
    ball=Search(st.integers(), is_small),
    implementation=attack(never_moves),
)
UNDECIDED = claim("undecided", exact=Search(st.integers(), is_undecided), ball=Search(st.integers(), is_rarely_met))
BROKEN = claim("broken", exact=Search(st.integers(), breaks))
EMPTY = claim("empty")
NOISY = claim("noisy", exact=Search(st.integers(), prints))


def good() -> Suite:
    return Suite((TRUE,), SHIPPED)


def bad() -> Suite:
    return Suite((TRUE, FALSE), SHIPPED)


def everything() -> Suite:
    return Suite((TRUE, FALSE, UNDECIDED, BROKEN, EMPTY), SHIPPED)


def only(*claims: Claim) -> Suite:
    return Suite(claims, SHIPPED)


def crashing() -> Suite:
    """An optimizer that raises at its second step."""

    def make(params: Any, **hyper: Any) -> Any:
        optimizer = SHIPPED[0].make(params, **hyper)
        step, taken = optimizer.step, []

        def crash() -> None:
            if taken:
                raise RuntimeError("out of order")
            taken.append(step())

        optimizer.step = crash
        return optimizer

    return Suite((TRUE,), (replace(SHIPPED[0], name="crashing", make=make),))


CRASHING = crashing().subjects[0]
SPARED = replace(SHIPPED[0], name="spared")


def killing(*mutants: Subject) -> Suite:
    """A claim that kills the mutants that crash, one that kills all, and one that kills none."""
    kills_all = claim("kills-all", implementation=attack(never_moves))
    kills_none = claim("kills-none", implementation=attack(moves_by_lr, frozenset({ADAPTIVE})))
    return Suite((TRUE, kills_all, kills_none, EMPTY), mutants, {"spared": frozenset({"true"})})


def dies(n: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying() -> Suite:
    """A check that kills its process, among others that hold."""
    return Suite((TRUE, claim("dies", exact=Search(st.integers(), dies)), NOISY), SHIPPED)


def unloadable() -> Suite:
    """A suite that loads in the parent but not in a worker."""
    if os.environ.get("SMALL_CLAIMS_PARENT") != str(os.getpid()):
        raise ImportError("not in this process")
    return good()


def sleep_after(marker: str) -> Proof:
    Path(os.environ[marker]).touch()
    time.sleep(120)
    return proof()


def slow() -> Suite:
    """One claim that holds at once, and one that takes two minutes and reports its start."""
    quick = claim("quick", algebra=proof)
    return Suite((quick, claim("slow", algebra=lambda: sleep_after("SMALL_CLAIMS_MARKER"))), SHIPPED)


def trial(**changes: Any) -> Trial:
    return replace(Trial((2,), "float64", (1.0, 2.0), ((1.0, 0.0),), {"lr": 0.5}), **changes)


OPTIONS = Options(TINY, 1)
