"""A run of an optimizer against the steps of a dialect, with running error bounds."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.trials import BALLS, Measurement, Run
from tangency.proofs_checks.measure.conformance import floats
from tangency.theory.algorithms import START, Step
from tangency.theory.fields import NotInField
from tangency.theory.projection import UndecidedView
from tangency.theory.rounded import parts, rounded

StepOf = Callable[..., Step]
# The number format, or the subject, cannot tell: neither a pass nor a failure.
UNDECIDED = (NotInField, UndecidedView, NotOffered)


def measure(made: StepOf, run: Run) -> list[Measurement]:
    """The weights after each step against the dialect's, from the first step on.

    Raises:
        UndecidedView: a decision of Eq. 11 is within rounding.
    """
    return [
        _worst(run, record.index, record.w_after, expected, error)
        for record, (expected, error) in zip(run.records, results_of(made, run), strict=False)
    ]


def results_of(made: StepOf, run: Run) -> Iterator[tuple[Floats, Floats]]:
    """The dialect's weights after each step, and how far an implementation may be from them."""
    storage = replace(run.storage, flushes=run.subject.flushes)
    numbers = rounded(BALLS, storage)
    w: Any = numbers.array(run.records[0].w)
    state: Mapping[str, Any] = START
    for record in run.records:
        if record.g is not None:
            taken = made(numbers, w, numbers.array(record.g), state, **run.options)
            w, state = taken.w, taken.state
        exact, error = parts(w)
        yield floats(exact), error


def _worst(run: Run, index: int, got: Floats, expected: Floats, error: Floats) -> Measurement:
    """The element that lies worst against its bound; beyond the largest number, infinity of the right sign is right."""
    worst = Measurement("w", index, 0.0, 0.0, 0.0, 0.0)
    for place in np.ndindex(got.shape):
        x, y, bound = float(got[place]), float(expected[place]), float(error[place])
        off = abs(x - y)
        if math.isnan(y) or not math.isfinite(bound) or abs(y) + bound > run.storage.max:
            continue  # the dialect itself leaves the finite numbers
        made = Measurement(f"w{list(place)}", index, x, y, off, bound, off / run.storage.ulp(y))
        worst = max(worst, made, key=lambda m: (m.ratio, m.error))
    return worst
