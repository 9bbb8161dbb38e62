"""The runner: what each rung finds, that nothing unchecked passes, and that one seed gives one result."""

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import small_claims as small
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from tangency.proofs_checks import Hypothesis, NotApplicable, Search, Verdict, verify
from tangency.proofs_checks.checks.search import Budget, derive_seed, search
from tangency.proofs_checks.claim import Rung
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.run.verify import Report
from tangency.proofs_checks.subjects import SHIPPED

SGDP, ADAMP = (subject.name for subject in SHIPPED)


def run(*claims: small.Claim, **options: object) -> dict[tuple[str, str | None], Finding]:
    report = verify(suite=small.only(*claims), profile=small.TINY, seed=5, **options)  # type: ignore[arg-type]
    return {(result.rung.value, result.subject): result for result in report.results}


def timeless(report: Report) -> list[Finding]:
    return [replace(result, seconds=0.0) for result in report.results]


def test_what_is_true_holds_on_every_rung() -> None:
    results = run(small.TRUE)
    assert {key: (result.verdict, result.examples) for key, result in results.items()} == {
        ("kernel", None): (Verdict.DOES_NOT_APPLY, 0),
        ("algebra", None): (Verdict.HOLDS, 2),
        ("exact", None): (Verdict.HOLDS, 30),
        ("ball", None): (Verdict.HOLDS, 20),
        ("implementation", SGDP): (Verdict.HOLDS, 10),
        ("implementation", ADAMP): (Verdict.DOES_NOT_APPLY, 0),
        ("necessity", None): (Verdict.HOLDS, 1),
    }
    assert "heavy-ball" in results["implementation", ADAMP].detail
    assert results["necessity", None].detail == "k: by symmetry"
    assert results["implementation", SGDP].error == 0


def test_what_is_false_fails_on_every_rung_with_a_minimal_counterexample() -> None:
    results = run(small.FALSE)
    fails = [key for key, result in results.items() if result.verdict is Verdict.FAILS]
    assert fails == [
        (rung.value, SGDP if rung is Rung.IMPLEMENTATION else None) for rung in Rung if rung is not Rung.KERNEL
    ]
    assert "residual -x*y" in results["algebra", None].detail
    assert results["exact", None].counterexample == "17"
    assert results["exact", None].detail == "n < 17: expected true, got 17"
    assert "still holds in its stored counterexample: x is 1, as predicted" in results["necessity", None].detail
    attacked = results["implementation", SGDP]
    # Minimal for a shrinker: one weight, whether it stands as a scalar or as a vector of one.
    assert attacked.counterexample.startswith(("Trial(shape=(), ", "Trial(shape=(1,), "))
    assert attacked.error == float("inf")
    assert attacked.error_at.startswith("w[0], step 0")
    compile(attacked.reproducer, "reproducer.py", "exec")


def test_undecided_problems_never_pass() -> None:
    results = run(small.UNDECIDED)
    assert results["exact", None].verdict is Verdict.UNDECIDED
    assert results["exact", None].examples == 0
    assert "Eq. 11 is undecided in the layer view" in results["exact", None].detail
    assert results["ball", None].verdict is Verdict.UNDECIDED
    assert results["ball", None].detail.startswith("only 0 of 20 problems checked; ")


def test_undecided_problems_are_set_aside_and_counted() -> None:
    result = run(small.claim("some", exact=Search(st.integers(), small.is_sometimes_undecided)))["exact", None]
    assert (result.verdict, result.examples) == (Verdict.HOLDS, 30)
    assert result.detail.endswith("more problems were undecided: √(2) is not a rational number; use a ball field")


def test_a_rung_may_run_out_of_problems_but_says_so() -> None:
    result = run(small.claim("few", exact=Search(st.sampled_from([1, 2, 3]), small.is_small)))["exact", None]
    assert (result.verdict, result.examples) == (Verdict.HOLDS, 3)
    assert result.detail == "these are all 3 problems that there are"


def test_a_check_that_raises_is_our_own_error() -> None:
    report = verify(suite=small.only(small.TRUE, small.BROKEN), profile=small.TINY, seed=5)
    broken = next(result for result in report.results if result.verdict is Verdict.ERROR)
    assert (broken.claim, broken.rung) == ("broken", Rung.EXACT)
    assert "ZeroDivisionError" in broken.detail
    assert report.exit_code == 3


def test_a_check_that_measures_nothing_never_passes() -> None:
    result = run(small.claim("empty-check", implementation=small.attack(small.measures_nothing)))[
        "implementation", SGDP
    ]
    assert result.verdict is Verdict.UNDECIDED
    assert result.examples == 0


def test_an_optimizer_that_raises_fails_the_claim() -> None:
    report = verify(suite=small.crashing(), profile=small.TINY, seed=5, rungs=["implementation"])
    (result,) = report.results
    assert result.verdict is Verdict.FAILS
    assert "the optimizer raised RuntimeError: out of order" in result.detail
    assert "optimizer = SGDP(" in result.reproducer
    assert report.exit_code == 1


def test_a_counterexample_must_meet_the_other_hypotheses() -> None:
    result = run(small.claim("h", hypotheses=(Hypothesis("h", "x", small.violated),)))["necessity", None]
    assert result.verdict is Verdict.FAILS
    assert "does not meet the other hypotheses" in result.detail


def test_without_counterexamples_necessity_does_not_apply_and_says_why() -> None:
    excused = Hypothesis("h", "x", NotApplicable("it is a definition"))
    assert run(small.claim("h", hypotheses=(excused,)))["necessity", None].detail == "h: it is a definition"
    result = run(small.EMPTY)["necessity", None]
    assert (result.verdict, result.detail) == (Verdict.DOES_NOT_APPLY, "the claim has no hypotheses")


def test_without_shrinking_a_task_stops_at_the_first_failure_without_a_script() -> None:
    report = verify(suite=small.bad, profile=small.TINY, seed=5, rungs=["implementation"], shrink=False)
    result = next(result for result in report.results if result.verdict is Verdict.FAILS)
    assert result.reproducer == ""


@pytest.mark.parametrize(
    ("suite", "rungs", "code"),
    [
        (small.good, None, 0),
        (small.bad, None, 1),
        (small.everything, None, 3),
        (lambda: small.only(small.UNDECIDED), None, 1),
        (lambda: small.only(small.EMPTY), None, 5),
        (small.good, [], 5),
        (small.bad, ["ball"], 1),
    ],
)
def test_exit_codes(suite: object, rungs: list[str] | None, code: int) -> None:
    assert verify(suite=suite, rungs=rungs, profile=small.TINY, seed=5).exit_code == code  # type: ignore[arg-type]


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="profile is 'slow'; it must be one of quick, default, thorough"):
        verify(suite=small.good, profile="slow")
    with pytest.raises(ValueError, match="jobs is 0"):
        verify(suite=small.good, jobs=0)
    with pytest.raises(ValueError, match="limit is 0; it must be more than 0 seconds"):
        verify(suite=small.good, limit=0)
    with pytest.raises(ValueError, match="'prof' is not a valid Rung"):
        verify(suite=small.good, rungs=["prof"])


def test_one_seed_gives_one_result_whatever_the_number_of_jobs() -> None:
    one = verify(suite=small.bad, profile=small.TINY, seed=11)
    assert timeless(verify(suite=small.bad, profile=small.TINY, seed=11)) == timeless(one)
    assert timeless(verify(suite=small.bad, profile=small.TINY, seed=11, jobs=2)) == timeless(one)


def test_another_seed_and_another_task_try_other_problems() -> None:
    def drawn(seed: int) -> list[int]:
        seen: list[int] = []
        search(st.integers(), seen.append, Budget(20, seed), "key")
        return seen

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert derive_seed(1, "a", "exact", "") != derive_seed(1, "a", "ball", "") != derive_seed(1, "b", "ball", "")
    assert derive_seed(1, "a", "exact", "") == 5087493466931448853  # the same on every machine


def test_a_search_does_not_see_what_else_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> list[int]:
        seen: list[int] = []
        search(st.integers(), seen.append, Budget(300, 7), "key")
        return seen

    before = drawn()
    numbers = range(10**6, 10**6 + 400, 7)
    (tmp_path / "a_module_full_of_numbers.py").write_text(f"NUMBERS = {list(numbers)}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("a_module_full_of_numbers")
    try:
        assert drawn() == before
    finally:
        del sys.modules["a_module_full_of_numbers"]


@pytest.fixture
def example_database(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[None]:
    if pytestconfig.getoption("--hypothesis-seed") is not None:
        pytest.skip("with --hypothesis-seed Hypothesis keeps and replays nothing")
    before = settings.get_current_profile_name()
    settings.register_profile("kept", database=DirectoryBasedExampleDatabase(tmp_path))
    settings.load_profile("kept")
    yield
    settings.load_profile(before)


@pytest.mark.usefixtures("example_database")
def test_a_failure_is_kept_and_replayed() -> None:
    found = search(st.integers(), small.is_small, Budget(100, 1, database=True), "task")
    assert (found.problem, found.checked > 0) == (17, True)
    again = search(st.integers(), small.is_small, Budget(100, 1, database=True), "task")
    assert (again.problem, again.checked) == (17, 0)
    other = search(st.integers(), small.is_small, Budget(100, 1, database=True), "another task")
    assert other.checked == found.checked
    assert search(st.integers(), small.is_small, Budget(100, 1), "task").checked == found.checked


def test_a_worker_that_dies_is_our_own_error_and_no_hang() -> None:
    report = verify(suite=small.dying, profile=small.TINY, seed=5, jobs=2)
    broken = [result for result in report.results if result.verdict is Verdict.ERROR]
    assert [(result.claim, result.detail) for result in broken] == [("dies", "the worker process died: signal SIGKILL")]
    assert report.exit_code == 3
    assert len(report.results) == 19  # everything else was run


def test_a_task_over_its_limit_is_our_own_error_and_the_rest_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_CLAIMS_MARKER", str(tmp_path / "started"))
    report = verify(suite=small.slow, profile=small.TINY, seed=5, rungs=["algebra"], limit=2)
    assert {(result.claim, result.verdict, result.detail) for result in report.results} == {
        ("quick", Verdict.HOLDS, ""),
        ("slow", Verdict.ERROR, "took longer than 2 s"),
    }
    assert report.exit_code == 3


def test_workers_that_never_come_up_are_our_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_CLAIMS_PARENT", str(os.getpid()))
    report = verify(suite=small.unloadable, profile=small.TINY, seed=5, jobs=2)
    (why,) = {result.detail for result in report.results}
    assert why.startswith("no worker process came up: it raised ImportError: not in this process (")
    assert "small_claims.py:" in why
    assert report.exit_code == 3


def test_what_a_foreign_optimizer_refuses_is_no_counterexample() -> None:
    foreign = replace(small.CRASHING, foreign=True)
    suite = small.killing(foreign)
    # A seed: ten trials of chance need not hold one of two steps.
    (result,) = verify(["true"], suite=suite, rungs=["implementation"], profile=small.TINY, seed=5).results
    assert result.verdict is Verdict.HOLDS  # on the trials that it does not refuse
    assert "the optimizer raised RuntimeError: out of order" in result.detail
