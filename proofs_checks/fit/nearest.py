"""The broken optimizer whose steps a target takes, for what is wrong in a way that no choice of a dialect says."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from itertools import combinations

import numpy as np

from tangency.proofs_checks.broken.quirks import crossed, quirks_of
from tangency.proofs_checks.broken.zoo import zoo
from tangency.proofs_checks.fit.probes import Played, play
from tangency.proofs_checks.target.target import Target, load

# Above what float64 loses in a few steps, even with scalars in float32; far below what any choice does to a probe.
COARSE = 2.0**-27


def nearest(target: Target, played: Sequence[Played]) -> str:
    """What is wrong with the broken optimizer that takes every step of a target, with quirks or without; else empty.

    Args:
        played: the probes as the target played them, those that tell most first.
    """
    kin = [one for one in zoo() if not one.missing and one.target.algorithm == target.algorithm.name]
    specs = ((one, crossed(one, *some)) for n in range(4) for one in kin for some in combinations(quirks_of(one), n))
    order = list(played)
    for one, spec in specs:
        differs = _first_difference(load(spec), order)
        if differs is None:
            return one.description
        # What tells one apart often tells the next.
        order.insert(0, order.pop(differs))
    return ""


def _first_difference(broken: Target, played: Sequence[Played]) -> int | None:
    with redirect_stdout(StringIO()):  # some of them print
        return next((n for n, run in enumerate(played) if not _same(run, play(broken, run.probe))), None)


def _same(one: Played, other: Played | None) -> bool:
    if other is None or len(one.weights) != len(other.weights):
        return False
    size = max(float(np.abs(w).max(initial=0.0)) for w in (one.probe.w, *one.weights))
    return all(bool((np.abs(a - b) <= COARSE * size).all()) for a, b in zip(one.weights, other.weights, strict=True))
