"""Comparisons of a step: with the exact step, or with the steps of every decision of Eq. 11."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Skip
from tangency.proofs_checks.generate.trials import EXACT_ELEMENTS, Measurement, Run
from tangency.proofs_checks.hyperparameters import views_of
from tangency.proofs_checks.measure.conformance import admissible_views, measure_step, weights_bound
from tangency.theory.fields import FLOAT64
from tangency.theory.projection import View


def _says(view: View) -> str:
    return "not projected" if view == View.NONE else f"projected through the {view.value} view"


@dataclass(frozen=True)
class Miss:
    """A wrong step: in a line, both sides of it, and the number that shows it."""

    detail: str
    expected: str
    got: str
    worst: Measurement


Comparison = Callable[[Run, int], Miss | Measurement]


def step_is_right(run: Run, at: int) -> Miss | Measurement:
    """Comparison: the new weights are those of the exact step from the target's own state, to within rounding."""
    worst = measure_step(run, run.records[at])[0]
    if worst.ratio <= 1:
        return worst
    detail = f"step {at + 1} is off in {worst.what} by {worst.error:.3g}, admissible {worst.bound:.3g}"
    return Miss(detail, repr(worst.expected), repr(worst.got), worst)


def decision_is_right(run: Run, at: int) -> Miss | Measurement:
    """Comparison: no wrong decision of Eq. 11 explains the step better than every right one.

    A step within the bounds of a right decision is right; else the decision of the nearest step was taken, whatever
    else differs. With many elements only the nearest is computed, in float64: exact arithmetic would take too long.

    Raises:
        Skip: the step is as far from what every decision gives as these are from each other.
    """
    record = run.records[at]
    assert record.g is not None
    right = admissible_views(run, record)
    size = record.w.size
    if size <= EXACT_ELEMENTS:
        measured = [_against(run, at, view) for view in right]
        best = min(measured, key=lambda m: m.ratio)
        if best.ratio <= 1:
            return best
    # Of one row the views are the same.
    tried = (*views_of(run.hyper), View.NONE)
    others = [view for view in tried if view not in right and (record.w.shape[0] > 1 or view != View.LAYER)]
    given = {view: _in_float64(run, at, view) for view in (*right, *others)}
    away = {view: float(np.linalg.norm(record.w_after - given[view])) for view in given}
    taken = min(away, key=lambda view: away[view])  # of equals the first, a right one
    apart = [float(np.linalg.norm(given[taken] - given[view])) for view in given if (view in right) != (taken in right)]
    if apart and not away[taken] <= min(apart) / 2:
        raise Skip("its steps are so far from the algorithm's that no decision of Eq. 11 can be read off them")
    if taken in right:  # perhaps a step of another formula, but of the right decision
        return Measurement("the decision", at, 0.0, 0.0, 0.0, 0.0)
    expected = " or ".join(_says(view) for view in right)
    detail = f"step {at + 1} is {_says(taken)}; Eq. 11 says: {expected}"
    return Miss(detail, expected, _says(taken), _against(run, at, right[0]))


def _against(run: Run, at: int, view: View) -> Measurement:
    record = run.records[at]
    exact = run.exact(record, view)
    return run.compare(f"w, {_says(view)}", record, record.w_after, exact.w, weights_bound(run, exact))


def _in_float64(run: Run, at: int, view: View) -> Floats:
    """The weights after a step of a given decision, in float64."""
    record = run.records[at]
    assert record.g is not None
    made = run.subject.step(FLOAT64, record.w, record.g, run.start(record), **run.hyper, view=view)
    after: Floats = made.w
    return after
