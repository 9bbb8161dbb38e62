"""Rounds turn, quotients are taken within them, and a budget is kept."""

import pytest

from tangency.benchmarks.timing import Spread, interleaved, quotients, rounds_within


def test_the_order_turns_from_round_to_round() -> None:
    order: list[int] = []
    told: list[int] = []
    seconds = interleaved([lambda i=i: order.append(i) for i in range(3)], 4, told.append)  # type: ignore[misc]
    assert order == [0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 1, 2]
    assert [len(times) for times in seconds] == [4, 4, 4]
    assert told == [1, 2, 3, 4]


def test_what_comes_before_each_step_is_off_the_clock() -> None:
    order: list[str] = []
    interleaved([lambda: order.append("a"), lambda: order.append("b")], 2, before=lambda: order.append("-"))
    assert "".join(order) == "-a-b-b-a"


def test_quantiles() -> None:
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(pytest.approx(1.8), 3.0, pytest.approx(4.2))
    assert Spread.of([2.0]) == Spread(2.0, 2.0, 2.0)


def test_noise_of_a_whole_round_cancels() -> None:
    assert quotients([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == [2.0, 2.0, 2.0]
    with pytest.raises(ValueError, match="longer"):
        quotients([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("budget", "once", "rounds"), [(1, 0.1, 10), (1, 10, 5), (1, 1e-6, 100), (0, 0.1, 5), (1, 0, 100)]
)
def test_rounds_fit_a_budget_within_limits(budget: float, once: float, rounds: int) -> None:
    assert rounds_within(budget, once) == rounds
