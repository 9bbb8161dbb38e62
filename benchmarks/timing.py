"""Seconds that can be compared: every contender in every round, and quotients taken within a round."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tangency.common.numbers import quotient

Step = Callable[[], None]


@dataclass(frozen=True)
class Spread:
    """Quantiles of a sample: the middle, and what three fifths of it lie between."""

    p20: float
    p50: float
    p80: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The quantiles of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        p20, _, _, p80 = statistics.quantiles(values, n=5, method="inclusive")
        return cls(p20, statistics.median(values), p80)


def interleaved(
    steps: Sequence[Step],
    rounds: int,
    watch: Callable[[int], None] | None = None,
    before: Step | None = None,
) -> list[list[float]]:
    """Seconds of each step in each round.

    The order turns by one from round to round, so that disturbances of the machine affect all alike, and none
    always follows the same other one.

    Args:
        watch: called with the number of each round that is done.
        before: called before each step, not timed.
    """
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(rounds):
        for place in range(len(steps)):
            index = (turn + place) % len(steps)
            if before is not None:
                before()
            started = time.perf_counter()
            steps[index]()
            seconds[index].append(time.perf_counter() - started)
        if watch is not None:
            watch(turn + 1)
    return seconds


def quotients(seconds: Sequence[float], base: Sequence[float]) -> list[float]:
    """Round by round: what the machine does to a whole round cancels."""
    return [quotient(mine, other) for mine, other in zip(seconds, base, strict=True)]


def rounds_within(budget: float, once: float, *, least: int = 5, most: int = 100) -> int:
    """How many rounds of ``once`` seconds fit a budget, within limits."""
    return max(least, int(min(most, budget / once)) if once > 0 else most)
