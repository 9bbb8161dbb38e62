"""Whether paired differences are there: t intervals, equivalence by two one-sided tests, Holm over several tests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

LEVEL = 0.05


@dataclass(frozen=True)
class Paired:
    """Differences of pairs.

    Attributes:
        n: how many pairs.
        mean: of the differences.
        low, high: the 95 % interval of the mean, by Student's t.
        p: of the mean being 0, two-sided.
        p_within: of the mean being outside ±margin (TOST: the larger of two one-sided p-values).
    """

    n: int
    mean: float
    low: float
    high: float
    p: float
    p_within: float


def paired(differences: Sequence[float], margin: float) -> Paired:
    """The statistics of paired differences.

    Args:
        differences: one a pair; with fewer than three nothing is said, and the interval has no ends.
        margin: below which a difference does not matter, > 0.

    >>> result = paired([1.0, 2.0, 3.0], margin=5.0)
    >>> round(result.low, 3), round(result.high, 3), round(result.p, 4), round(result.p_within, 4)
    (-0.484, 4.484, 0.0742, 0.0176)
    """
    n = len(differences)
    mean = math.fsum(differences) / n if n else math.nan
    if n < 3:
        return Paired(n, mean, -math.inf, math.inf, 1.0, 1.0)
    error = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    if error == 0:  # all pairs say the same, to the last bit
        return Paired(n, mean, mean, mean, float(mean == 0), float(abs(mean) >= margin))
    half = error * float(stats.t.ppf(1 - LEVEL / 2, n - 1))
    p = 2 * float(stats.t.sf(abs(mean) / error, n - 1))
    within = max(float(stats.t.sf((margin - mean) / error, n - 1)), float(stats.t.sf((margin + mean) / error, n - 1)))
    return Paired(n, mean, mean - half, mean + half, p, within)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being several (Holm 1979): reject where the adjusted one is at most the level.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted
