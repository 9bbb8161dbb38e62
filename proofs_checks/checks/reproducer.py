"""A failure as a stand-alone script: torch and the optimizer alone, the same floats; the exact result beside them."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from tangency.common.text import as_source, docstring, line
from tangency.proofs_checks.claim import Claim, NotApplicable
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.execution import arguments, extremes, neighbour, repeated
from tangency.proofs_checks.generate.trials import Measurement, Run, Trial
from tangency.proofs_checks.measure.conformance import admissible_views, buffer_bound, floats, weights_bound
from tangency.proofs_checks.subjects import Subject

TEMPLATE = '''"""{title} ({where}) fails for {subject}.

{statement}

Step {step}, {what}: expected {expected}, got {got} ({error} off, {bound} admissible).
Needs torch and the optimizer alone. Exits with 1 while the failure is there.
"""

import torch

{imports}

SHAPE, DTYPE = {shape}, torch.{dtype}


def tensor(values, layout):
    """A tensor of the trial's shape, dtype and memory layout."""
    flat = torch.tensor(values, dtype=torch.float64)
    if DTYPE.is_complex:
        flat = torch.view_as_complex(flat.reshape(-1, 2))
    plain = flat.to(DTYPE).reshape(SHAPE)
    if layout == "transposed" and plain.ndim >= 2:
        return plain.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "strided" and plain.ndim >= 1:
        wide = plain.new_full((*SHAPE[:-1], 2 * SHAPE[-1]), 7.0)
        wide[..., ::2] = plain
        return wide[..., ::2]
    if layout == "channels_last" and plain.ndim == 4:
        return plain.contiguous(memory_format=torch.channels_last)
    return plain.clone()


{helpers}w = torch.nn.Parameter({w})
optimizer = {expression}({params}, {hyper})
for gradient in (
{gradients}
):
    w.grad = None if gradient is None else {gradient}
    optimizer.step()

# The exact result of the last step, from the weights and buffers that it started from. Where Eq. 11 is within rounding
# of its threshold, more than one result is right.
ADMISSIBLE = (
{admissible}
)
got = {result}
got = torch.view_as_real(got) if DTYPE.is_complex else got
got = {ends}
print("got     ", got.tolist())
ok = False
for name, expected, bound in ADMISSIBLE:
    error = (got - torch.tensor(expected, dtype=torch.float64)).abs()
    right = bool((error <= torch.tensor(bound, dtype=torch.float64)).all())
    ok = ok or right
    print("expected", expected, f"({{name}})")
    print("error   ", error.tolist(), "admissible", bound)
print("within rounding of the exact step" if ok else "NOT within rounding of the exact step")
raise SystemExit(0 if ok else 1)
'''


def script(claim: Claim, subject: Subject, trial: Trial, run: Run, measurement: Measurement) -> str:
    """The source of a script that repeats a run up to the failing step and compares it with the exact step.

    The script judges the step itself, by the buffer that is wrong or by the weights; what the claim is about stands in
    its docstring.
    """
    attack = claim.implementation
    shown = None if isinstance(attack, NotApplicable) else attack.shown
    buffer = "" if shown else measurement.what.partition("[")[0]
    buffer = buffer if buffer in subject.buffers and buffer != "step" else ""
    run, results = shown(run, measurement.step) if shown else (run, exact_results(run, measurement.step, buffer))
    trial = run.trial
    upto = run.records[: measurement.step + 1]
    gradients = [None if g is None else _literal(g) for g in map(run.given, upto)]
    setting = trial.setting
    constructor, group = arguments(subject, trial)
    beside = [f"neighbour({shape}, DTYPE)" for shape in setting.beside]
    half = len(beside) // 2
    params = ", ".join([*beside[:half], "w", *beside[half:]])
    if setting.grouped:
        own = "".join(f", {name!r}: {_value(value)}" for name, value in subject.arguments(group).items())
        params = f"{{'params': [{', '.join(beside)}]}}, " * bool(beside) + f"{{'params': [w]{own}}}"
    helpers: list[Callable[..., Any]] = [neighbour] * bool(beside)
    helpers += [repeated, extremes] * (setting.repeats > 1)
    whole, ends = "tensor({}, {!r})", "got.double().flatten()"
    if setting.repeats > 1:
        whole = f"repeated({whole}, {setting.repeats})"
        ends = f"torch.stack([end.flatten() for end in extremes(got.double(), SHAPE, {setting.repeats})])"
    return TEMPLATE.format(
        title=docstring(claim.title),
        where=docstring(claim.where),
        subject=docstring(line(subject.name)),
        statement=docstring(claim.text),
        step=measurement.step,
        what=docstring(measurement.what),
        expected=measurement.expected,
        got=measurement.got,
        error=measurement.error,
        bound=measurement.bound,
        imports=subject.imports,
        expression=subject.expression,
        shape=trial.shape,
        dtype=trial.dtype,
        helpers="".join(f"{inspect.getsource(helper)}\n\n" for helper in helpers),
        w=whole.format(_literal(run.records[0].w), trial.layout),
        params=f"[{params}]",
        hyper=", ".join(f"{name}={_value(value)}" for name, value in subject.arguments(constructor).items()),
        gradient=whole.format("gradient", trial.grad_layout),
        result=f"optimizer.state[w][{subject.buffers[buffer]!r}]" if buffer else "w.detach()",
        ends=ends,
        gradients="\n".join(f"    {gradient}," for gradient in gradients),
        admissible="\n".join(
            f"    ({name!r}, {_literal(expected)}, {_literal(bound)})," for name, expected, bound in results
        ),
    )


def exact_results(run: Run, step: int, buffer: str = "") -> list[tuple[str, Floats, Floats]]:
    """The right results of a step by the executable spec: one, or several near the threshold of Eq. 11.

    Args:
        buffer: whose values; the weights if empty.
    """
    record = run.records[step]
    if record.g is None:
        return [("no gradient", record.w, 0 * record.w)]
    exact = {f"{view.value} view": run.exact(record, view) for view in admissible_views(run, record)}
    if buffer:
        return [(name, floats(made.state[buffer]), buffer_bound(run, made, buffer)) for name, made in exact.items()]
    return [(name, floats(made.w), weights_bound(run, made)) for name, made in exact.items()]


def _value(value: Any) -> str:
    return f"torch.tensor({value.item()!r}, dtype=torch.float64)" if isinstance(value, Tensor) else as_source(value)


def _literal(values: Floats) -> str:
    """A list of floats as Python source; ``repr`` of a float reads back as the same float."""
    return "[" + ", ".join(_number(x) for x in np.ravel(values)) + "]"


def _number(x: Any) -> str:
    return repr(float(x)) if math.isfinite(x) else f"float({str(float(x))!r})"
