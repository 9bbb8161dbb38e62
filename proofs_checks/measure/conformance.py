"""One step of a real optimizer against the exact step of Algorithm 1 or 2: parameters, buffers and decision."""

import math
from collections.abc import Iterator

import numpy as np

from tangency.proofs_checks.errors.rounding import Bounded, Floats
from tangency.proofs_checks.generate.trials import Measurement, Record, Run, as_float
from tangency.proofs_checks.hyperparameters import views_of
from tangency.theory.fields import Array
from tangency.theory.projection import View, view_decision


def admissible_views(run: Run, record: Record) -> tuple[View, ...]:
    """The decisions of Eq. 11 that are right within rounding: one, or several near the threshold δ/√dim.

    A view passes only if every row does, and the first that passes wins; for a row within rounding of the
    threshold both answers are right.
    """
    assert record.g is not None
    if record.w.ndim < 2 or record.w.size == 0 or not run.projects:
        return (View.NONE,)
    numbers, views = run.rounded, list[View]()
    w, g = numbers.array(record.w), numbers.array(record.g)
    for view in views_of(run.hyper):
        with numbers.context():
            answer = view_decision(numbers, view, w, g, numbers.element(run.hyper.get("delta", 0.1)))
        if answer is not False:
            views.append(view)
        if answer is True:
            return tuple(views)
    return (*views, View.NONE)


def projected_records(run: Run) -> Iterator[tuple[Record, View]]:
    """The steps that Eq. 11 projects beyond doubt, and through which view."""
    for record in run.records:
        views = () if record.g is None else admissible_views(run, record)
        if len(views) == 1 and views[0] != View.NONE:
            yield record, views[0]


def weights_bound(run: Run, exact: Bounded) -> Floats:
    """The largest admissible error of the new weights, after rounding for storage."""
    return run.storage.stored(floats(exact.w), exact.error.w)


def buffer_bound(run: Run, exact: Bounded, name: str) -> Floats:
    """The largest admissible error of a buffer, after rounding for storage."""
    return run.storage.stored(floats(exact.state[name]), exact.error.state[name])


def measure_step(run: Run, record: Record) -> list[Measurement]:
    """Weights and buffers of one step against the exact step, for the admissible decision that fits best."""
    if record.g is None:
        return [run.compare("w without a gradient", record, record.w_after, run.field.array(record.w), 0 * record.w)]
    fits = []
    for view in admissible_views(run, record):
        exact = run.exact(record, view)
        bound = weights_bound(run, exact)
        weights = run.compare(f"w ({view.value} view)", record, record.w_after, exact.w, bound)
        fits.append([weights, *measure_buffers(run, record, exact)])
    return min(fits, key=lambda measurements: measurements[0].ratio)


def measure_buffers(run: Run, record: Record, exact: Bounded) -> list[Measurement]:
    """The buffers after a step, and the untouched gradient. A momentum of zero needs no buffer."""
    assert record.g is not None
    assert record.g_after is not None
    measured = []
    for name, value in exact.state.items():
        got = record.state_after.get(name)
        if got is None and name not in run.subject.buffers:
            continue
        if got is None:
            if name == "momentum_buffer" and not run.hyper.get("momentum"):
                continue
            measured.append(Measurement(f"state {name!r} is missing", record.index, math.nan, 0.0, math.inf, 0.0))
        elif name == "step":
            measured.append(run.measure(name, record.index, float(got), run.field.element(value), 0.0))
        else:
            measured.append(run.compare(name, record, got, value, buffer_bound(run, exact, name)))
    changed = np.abs(record.g_after) - np.abs(record.g)
    measured.append(run.compare("p.grad, changed by", record, changed, run.field.array(0 * changed), 0 * changed))
    return measured


def floats(values: Array) -> Floats:
    """An exact array as float64, every element rounded to nearest."""
    result = np.empty(values.shape, dtype=np.float64)
    for index in np.ndindex(values.shape):
        result[index] = as_float(values[index])
    return result
