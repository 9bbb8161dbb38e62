"""The search for a counterexample: what it says of one that it no longer makes smaller."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.errors import Flaky

import tangency.proofs_checks.checks.search as searching
from tangency.proofs_checks.checks.search import Budget, search
from tangency.proofs_checks.claim import Violation

NUMBERS = st.lists(st.integers(0, 100), max_size=20)


def refuse_large_sums(numbers: list[int]) -> None:
    """Wrong for 200 and above, where there is much to make smaller."""
    if sum(numbers) >= 200:
        raise Violation("sum", "< 200", sum(numbers))


def test_a_failure_larger_than_the_smallest_is_no_reason_to_let_the_smallest_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Attempts come in Hypothesis's order, which now and then tries a larger one last; it confirms the smallest."""
    smallest, larger = [100, 100], [100, 100, 7]

    def given(_: Any) -> Callable[[Callable[[list[int]], None]], Callable[[], None]]:
        def of(test: Callable[[list[int]], None]) -> Callable[[], None]:
            def run() -> None:
                for attempt in (smallest, larger, [1], [2]):
                    with suppress(Violation):
                        test(attempt)
                test(smallest)
                raise Flaky("the smallest passed")

            return run

        return of

    monkeypatch.setattr(searching, "given", given)
    found = search(NUMBERS, refuse_large_sums, Budget(1, seed=1, shrinks=2), "test")
    assert not found.flaky
    assert found.problem == smallest
    assert found.violation is not None
    assert found.violation.got == 200


@pytest.mark.parametrize("shrinks", [0, 5, 50])
def test_what_fails_every_time_is_not_said_to_pass_once(shrinks: int) -> None:
    found = search(NUMBERS, refuse_large_sums, Budget(200, seed=1, shrinks=shrinks), "test")
    assert found.violation is not None
    assert not found.flaky
    assert found.violation.got == sum(found.problem) >= 200


def test_what_fails_once_is_said_to_pass_later() -> None:
    failed: list[list[int]] = []

    def once(numbers: list[int]) -> None:
        if not failed and sum(numbers) >= 200:
            failed.append(numbers)
            raise Violation("sum", "< 200", sum(numbers))

    found = search(NUMBERS, once, Budget(200, seed=1), "test")
    assert found.flaky
    assert found.problem == failed[0]
