"""What ``__main__`` defines reaches worker processes, and no worker runs the program that started it."""

import functools
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import small_claims as small
import torch

from tangency.proofs_checks import Verdict, verify
from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.run.by_value import pickled
from tangency.proofs_checks.target.spec import TargetSpec

# With all that a copy may stumble on: caches, composite strategies, locks in strategies, a class and its own function.
PROGRAM = """
import functools, os, sys
from dataclasses import dataclass
import torch
from hypothesis import strategies as st
from tangency.proofs_checks import Suite, verify
from tangency.proofs_checks.authoring import *

print("a program runs")
MOST = 40


@dataclass(frozen=True)
class Pair:
    low: int
    high: int


@functools.cache
def double(n):
    return n if n == 0 else 2 + double(n - 1)


@st.composite
def pairs(draw):
    low = draw(st.one_of(st.just(0), st.integers(0, MOST)))
    return Pair(low, low + draw(st.integers(0, MOST)))


def check(pair):
    require("2·low ≤ low + high", double(pair.low) <= pair.low + pair.high)


def check_implementation(run):
    return [run.compare("w", r, r.w_after, EXACT.array(r.w), 0 * r.w) for r in run.records]


class Stays(torch.optim.Optimizer):
    def __init__(self, params, **hyper):
        super().__init__(params, hyper)

    def step(self, closure=None):
        return None


NESTED = st.recursive(st.integers(0, 3), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
NOT_HERE = NotApplicable("not part of this test")
CLAIM = Claim(
    id="pairs", title="pairs", where="here", statement="low ≤ high", latex="", hypotheses=(), algebra=NOT_HERE,
    exact=Search(pairs(), check),
    ball=Search(NESTED.filter(lambda drawn: True), lambda drawn: require("drawn", drawn is not None)),
    implementation=Attack(
        frozenset({HEAVY_BALL}), lambda subject: orthogonal_trials(subject, momentum=0.0), check_implementation
    ),
)
SUBJECT = Subject("mine:Stays", "sgdp", Stays, frozenset({HEAVY_BALL}), {}, "from mine import Stays", "Stays")


def mine():
    return Suite((CLAIM,), (SUBJECT,))


for jobs in (1, 2):
    report = verify(suite=SUITE, profile="quick", seed=1, jobs=jobs)
    print(*(f"{one.rung.value} {one.verdict.value} {one.examples}" for one in report.results), sep=", ")
"""
PRINTS = (
    "kernel does not apply 0, algebra does not apply 0, exact holds 25, "
    " ball holds 8, implementation holds 12, necessity does not apply 0"
)


@pytest.mark.parametrize(("how", "suite"), [("a file", "mine()"), ("standard input", "mine")])
def test_a_program_needs_no_guard_and_runs_once(how: str, suite: str, tmp_path: Path) -> None:
    file, program = tmp_path / "mine.py", PROGRAM.replace("SUITE", suite)
    file.write_text(program, encoding="utf-8")
    arguments = [str(file)] if how == "a file" else []
    done = subprocess.run(
        [sys.executable, *arguments],
        input=None if arguments else program,
        stdin=subprocess.DEVNULL if arguments else None,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a program runs", PRINTS, PRINTS], done.stderr
    assert not done.stderr


def test_a_suite_is_copied_to_workers() -> None:
    main = sys.modules["__main__"]
    here = verify(suite=small.bad(), profile=small.TINY, seed=5)
    there = verify(suite=small.bad(), profile=small.TINY, seed=5, jobs=2)
    assert [(one.check, one.subject, one.verdict, one.examples) for one in there.results] == [
        (one.check, one.subject, one.verdict, one.examples) for one in here.results
    ]
    assert Verdict.FAILS in {one.verdict for one in there.results}
    assert sys.modules["__main__"] is main


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        claim = small.claim("writes", algebra=lambda: file.write("?"))
        with pytest.raises(ValueError, match=r"worker processes cannot be sent what they run .*Cannot pickle files"):
            verify(suite=small.only(claim), jobs=2)


def copy(value: Any) -> Any:
    return pickle.loads(pickled(value))


def test_what_has_a_name_is_sent_by_it() -> None:
    assert b"vectors" in pickled(problems.vectors)
    for named in (problems.vectors, problems.skew_descents, problems.dimensions, small.good, torch.optim.SGD, problems):
        assert copy(named) is named


def test_locks_and_caches_are_copied_anew() -> None:
    @functools.lru_cache(maxsize=7)
    def increased(n: int) -> int:
        return n + 1

    increased(1)
    again = copy(increased)
    assert again.cache_info()[2:] == (7, 0)
    assert again(1) == 2
    lock = threading.RLock()
    with lock:
        other = copy(lock)
        assert other is not lock
        assert other.acquire(blocking=False)
    assert vars(copy(threading.local())) == {}


class Mine(torch.optim.SGD):
    """A target that a program names as its own."""


def test_a_target_of_main_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mine, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Mine", Mine, raising=False)
    (found,) = conformance.check(
        [TargetSpec("__main__:Mine", "sgd")], only=["deepcopy", "pickle"], profile="quick", seed=1, jobs=1
    )
    assert not found.problem
    assert [one.verdict for one in found.findings] == [Verdict.HOLDS] * 2
    spec = TargetSpec("torch.optim:SGD", model="__main__:two_by_three")
    monkeypatch.setattr(
        sys.modules["__main__"], "two_by_three", functools.partial(torch.nn.Linear, 3, 2), raising=False
    )
    (found,) = conformance.check([spec], only=["own-shapes"], seed=1, jobs=1)
    assert not found.problem
    assert found.info.options["shapes"] == "2×3, 2"
    (missing,) = conformance.check([TargetSpec("__main__:Yours", "sgd")], only=["pickle"], seed=1, jobs=1)
    assert missing.problem == "__main__ has no Yours"
