"""One step of a real optimizer against the exact step of Algorithm 1 or 2: parameters, buffers and decision."""

import math
from collections.abc import Iterator

import numpy as np

from tangency.proofs_checks.errors.rounding import Floats, bias_correction, bias_correction_error, stored
from tangency.proofs_checks.generate.trials import Measurement, Record, Run, as_float
from tangency.proofs_checks.subjects import ADAPTIVE
from tangency.theory.algorithms import Step
from tangency.theory.fields import Array
from tangency.theory.projection import View


def admissible_views(run: Run, record: Record) -> tuple[View, ...]:
    """The decisions of Eq. 11 that are right within rounding: one, or several near the threshold δ/√dim.

    A view passes only if every row does, and the first that passes wins; a row within rounding of the threshold leaves
    both answers open.
    """
    assert record.g is not None
    if record.w.ndim < 2 or record.w.size == 0 or not run.projects:
        return (View.NONE,)
    views = []
    for view in (View.CHANNEL, View.LAYER):
        answer = _view_answer(run, view, record.w, record.g)
        if answer is not False:
            views.append(view)
        if answer is True:
            return tuple(views)
    return (*views, View.NONE)


def projected_records(run: Run) -> Iterator[tuple[Record, View]]:
    """The steps that Eq. 11 projects beyond doubt, and through which view."""
    for record in run.records:
        views = () if record.g is None else admissible_views(run, record)
        if views in ((View.CHANNEL,), (View.LAYER,)):
            yield record, views[0]


def _view_answer(run: Run, view: View, w: Floats, g: Floats) -> bool | None:
    delta = float(run.hyper.get("delta", 0.1))
    answers: list[bool | None] = []
    for w_row, g_row in zip(view.rows(w), view.rows(g), strict=True):
        if not w_row.any() or not g_row.any():
            answers.append(delta > 0)
            continue
        gap, slack = run.bounds.cosine_gap(w_row, g_row, delta)
        answers.append(None if abs(gap) <= slack else gap < 0)
    if False in answers:
        return False
    return None if None in answers else True


def moments_bound(run: Run, record: Record, exact: Step) -> dict[str, Floats]:
    """How far the buffers may be from the exact ones, before they are rounded for storage."""
    assert record.g is not None
    bounds, g, zeros = run.bounds, record.g, np.zeros_like(record.g)
    hyper = run.hyper
    if ADAPTIVE in run.subject.capabilities:
        beta1, beta2 = hyper.get("betas", (0.9, 0.999))
        before = {name: record.state.get(name, zeros) for name in ("exp_avg", "exp_avg_sq")}
        return {
            "exp_avg": bounds.blend(beta1, before["exp_avg"], 1 - beta1, g),
            "exp_avg_sq": bounds.blend(beta2, before["exp_avg_sq"], 1 - beta2, g**2, bounds.square(g)),
        }
    beta, dampening = hyper.get("momentum", 0), hyper.get("dampening", 0)
    return {"momentum_buffer": bounds.blend(beta, record.state.get("momentum_buffer", zeros), 1 - dampening, g)}


def direction_bound(run: Run, record: Record, exact: Step) -> Floats:
    """How far the update p may be from the exact one before the projection."""
    assert record.g is not None
    bounds, hyper, errors = run.bounds, run.hyper, moments_bound(run, record, exact)
    if ADAPTIVE not in run.subject.capabilities:
        error = errors["momentum_buffer"]
        if not hyper.get("nesterov"):
            return error
        return bounds.blend(1, record.g, hyper.get("momentum", 0), floats(exact.state["momentum_buffer"]), error)
    (beta1, beta2), t = hyper.get("betas", (0.9, 0.999)), exact.state["step"]
    m, m_error = floats(exact.state["exp_avg"]), errors["exp_avg"]
    if hyper.get("nesterov"):
        m, m_error = beta1 * m + (1 - beta1) * record.g, bounds.blend(1 - beta1, record.g, beta1, m, m_error)
    v, eps = floats(exact.state["exp_avg_sq"]), hyper.get("eps", 1e-8)
    d_error = bounds.denominator(v, errors["exp_avg_sq"], beta2, t, eps)
    return bounds.quotient(m, m_error, np.sqrt(v / bias_correction(beta2, t)) + eps, d_error)


def update_bound(run: Run, record: Record, exact: Step) -> Floats:
    """How far q may be from the exact one after the projection."""
    error = direction_bound(run, record, exact)
    if exact.view is View.NONE:
        return error
    p, result = floats(exact.p), error.copy()
    rows = (exact.view.rows(x) for x in (result, record.w, p, error))
    for row, w, x, x_error in zip(*rows, strict=True):
        row[:] = run.bounds.project(w, x, x_error)
    return result


def weights_bound(run: Run, record: Record, exact: Step) -> Floats:
    """How far the new weights may be from the exact ones, in storage."""
    hyper = run.hyper
    decay = hyper["lr"] * hyper.get("weight_decay", 0)
    if exact.view is not View.NONE:
        decay *= hyper.get("wd_ratio", 0.1)
    if ADAPTIVE not in run.subject.capabilities and decay:
        decay /= 1 - hyper.get("momentum", 0)
    beta1, t = (hyper.get("betas", (0.9,))[0], exact.state["step"]) if "step" in exact.state else (0.0, 1)
    lr_error = bias_correction_error(beta1, t)
    q, q_error = floats(exact.q), update_bound(run, record, exact)
    error = run.bounds.update(record.w, decay, as_float(exact.lr), q, q_error, lr_error)
    return stored(run.storage, floats(exact.w), error)


def measure_step(run: Run, record: Record) -> list[Measurement]:
    """Weights and buffers of one step against the exact step, for the admissible decision that fits best."""
    if record.g is None:
        return [run.compare("w without a gradient", record, record.w_after, run.field.array(record.w), 0 * record.w)]
    fits = []
    for view in admissible_views(run, record):
        exact = run.exact(record, view)
        bound = weights_bound(run, record, exact)
        weights = run.compare(f"w ({view.value} view)", record, record.w_after, exact.w, bound)
        fits.append([weights, *measure_buffers(run, record, exact)])
    return min(fits, key=lambda measurements: measurements[0].ratio)


def measure_buffers(run: Run, record: Record, exact: Step) -> list[Measurement]:
    """The buffers after a step, and the untouched gradient. A momentum of zero needs no buffer."""
    assert record.g is not None
    assert record.g_after is not None
    bounds = moments_bound(run, record, exact)
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
            bound = stored(run.storage, floats(value), bounds[name])
            measured.append(run.compare(name, record, got, value, bound))
    changed = np.abs(record.g_after) - np.abs(record.g)
    measured.append(run.compare("p.grad, changed by", record, changed, run.field.array(0 * changed), 0 * changed))
    return measured


def floats(values: Array) -> Floats:
    """An exact array as float64, every element rounded to nearest."""
    result = np.empty(values.shape, dtype=np.float64)
    for index in np.ndindex(values.shape):
        result[index] = as_float(values[index])
    return result
