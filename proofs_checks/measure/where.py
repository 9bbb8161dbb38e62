"""At which magnitudes of weights and gradients a statement fails: a small map, and the boundary by bisection."""

import math
from collections.abc import Callable
from functools import cache

from tangency.common.numbers import digits
from tangency.proofs_checks.finding import Where
from tangency.proofs_checks.options import Trained

WEIGHTS = tuple(10.0**k for k in range(-8, 3, 2))
GRADIENTS = tuple(10.0**k for k in range(-12, 3, 2))
HALVINGS = 11  # of the logarithm of at most 10¹⁴: the boundary is known to 2 %
Fails = Callable[[float, float], bool]


def where(fails: Fails, trained: Trained) -> Where:
    """Where a statement fails in float32.

    Args:
        fails: whether it fails where the weights have one length, and the gradients another.
        trained: the lengths at which one trains.
    """
    fails = cache(fails)  # some places are asked about more than once
    grid = tuple(tuple(fails(w, g) for g in GRADIENTS) for w in WEIGHTS)
    middle = (math.sqrt(math.prod(trained.w)), math.sqrt(math.prod(trained.g)))
    inside = any(fails(w, g) for w in (*trained.w, middle[0]) for g in (*trained.g, middle[1]))
    return Where(WEIGHTS, GRADIENTS, grid, inside, _says(fails, grid, middle))


def _says(fails: Fails, grid: tuple[tuple[bool, ...], ...], middle: tuple[float, float]) -> str:
    if not any(map(any, grid)):
        return "in float32 it holds at every magnitude tried"
    if fails(*middle):
        return f"in float32 it fails at ‖w‖ = {digits(middle[0])}, ‖g‖ = {digits(middle[1])}, where one trains"
    bounds = [*_bounds("‖w‖", lambda w: fails(w, middle[1]), WEIGHTS, middle[0])]
    bounds += _bounds("‖g‖", lambda g: fails(middle[0], g), GRADIENTS, middle[1])
    elsewhere = "it holds where one trains, and fails where weights and gradients are both small or large"
    return f"in float32 {'it holds for ' + ' and '.join(bounds) if bounds else elsewhere}"


def _bounds(name: str, fails: Callable[[float], bool], among: tuple[float, ...], middle: float) -> list[str]:
    """The boundaries below and above the middle, along one axis."""
    found = []
    for end, sign in ((among[0], "≥"), (among[-1], "≤")):
        if fails(end):
            bad, good = math.log(end), math.log(middle)
            for _ in range(HALVINGS):
                half = (bad + good) / 2
                bad, good = (half, good) if fails(math.exp(half)) else (bad, half)
            found.append(f"{name} {sign} {digits(math.exp(good))}")
    return found
