"""A trial executed on a real optimizer: tensors made, steps taken, weights and buffers read back."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.trials import Record, Run, Trial
from tangency.proofs_checks.hyperparameters import HYPER
from tangency.proofs_checks.subjects import Subject


def torch_dtype(name: str) -> torch.dtype:
    """``torch.float32`` for ``"float32"``."""
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def as_tensor(values: Any, shape: tuple[int, ...], dtype: str, layout: str = "contiguous") -> torch.Tensor:
    """A tensor of a dtype and a memory layout, from flat float64 values (pairs in complex dtypes)."""
    flat = torch.tensor(np.asarray(values, dtype=np.float64).ravel(), dtype=torch.float64)
    if dtype.startswith("complex"):
        flat = torch.view_as_complex(flat.reshape(-1, 2))
    plain = flat.to(torch_dtype(dtype)).reshape(shape)
    if layout == "transposed" and plain.ndim >= 2:
        return plain.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "strided" and plain.ndim >= 1:
        wide = plain.new_full((*shape[:-1], 2 * shape[-1]), 7.0)
        wide[..., ::2] = plain
        return wide[..., ::2]
    if layout == "channels_last" and plain.ndim == 4:
        return plain.contiguous(memory_format=torch.channels_last)
    return plain.clone()


def as_floats(tensor: torch.Tensor, trial: Trial) -> Floats:
    """A tensor's values as float64, in the trial's ``spec_shape``."""
    detached = tensor.detach().resolve_conj()
    real = torch.view_as_real(detached) if detached.is_complex() else detached
    values: Floats = real.to(torch.float64).cpu().numpy().reshape(trial.spec_shape)
    return values.copy()


class Crash(Exception):
    """The optimizer raised: a failure of the subject, whatever the claim.

    Args:
        error: what it raised.
        run: the run so far; the step that crashed is its last record, and leaves nothing but NaN.
    """

    def __init__(self, error: Exception, run: Run) -> None:
        super().__init__(f"the optimizer raised {type(error).__name__}: {error}")
        self.error, self.run = error, run


def execute(subject: Subject, trial: Trial) -> Run:
    """Run a trial on a subject: one optimizer, one parameter under test, one step a gradient.

    The run ends early when weights, buffers or a gradient are no longer finite: the spec cannot continue from there. If
    rows are repeated, every step has two records: the smallest and the largest results of each element.

    Raises:
        Crash: the optimizer raised an exception.
        NotOffered: the optimizer lacks an argument, a value of it or a dtype of the trial.
    """
    repeats = trial.setting.repeats

    def whole(x: torch.Tensor) -> torch.Tensor:
        return (x if repeats == 1 else repeated(x, repeats)).to(subject.device)

    def ends(x: torch.Tensor) -> list[Floats]:
        parts = [x] if repeats == 1 else extremes(x.detach(), trial.shape, repeats)
        return [as_floats(part, trial) for part in parts]

    parameter = torch.nn.Parameter(whole(as_tensor(trial.w, trial.shape, trial.dtype, trial.layout)))
    try:
        optimizer = _make(subject, trial, parameter)
    except NotOffered:
        raise
    except Exception as error:
        raise Crash(error, Run(subject, trial, ())) from error
    hidden = bool(subject.update.buffers) and not subject.buffers
    sign = -1.0 if trial.hyper.get("maximize") else 1.0
    records: list[Record] = []
    state: Mapping[str, Any] = {}
    before = ends(parameter)[0]
    for index, gradient in enumerate(trial.gradients):
        parameter.grad, g, given = None, None, None
        if gradient is not None:
            values = gradient(before) * sign if callable(gradient) else gradient
            given = as_tensor(values, trial.shape, trial.dtype, trial.grad_layout)
            parameter.grad = whole(given)
            g = as_floats(given, trial)
            if not np.isfinite(g).all():
                break
        direction = None if g is None else sign * g
        try:
            optimizer.step()
            moved = ends(parameter)
            states = _read_states(optimizer, parameter, subject, ends, len(moved))
            grads = [None] * len(moved) if parameter.grad is None else ends(parameter.grad)
        except NotOffered:
            raise
        except Exception as error:
            nothing = np.full_like(before, np.nan)
            crashed = Record(index, before, direction, state, nothing, {}, None)
            raise Crash(error, Run(subject, trial, (*records, crashed))) from error
        for weights, after, grad_after in zip(moved, states, grads, strict=True):
            records.append(Record(index, before, direction, state, weights, after, grad_after))
        before, state = moved[0], states[0]
        if not all(np.isfinite(values).all() for values in (*moved, *(x for after in states for x in after.values()))):
            break
        if hidden and g is not None:  # the next step starts from buffers that nobody can read
            break
    return Run(subject, trial, tuple(records))


def _make(subject: Subject, trial: Trial, parameter: torch.nn.Parameter) -> torch.optim.Optimizer:
    """The optimizer of a trial, in its setting."""
    beside = [neighbour(shape, torch_dtype(trial.dtype)) for shape in trial.setting.beside]
    half = len(beside) // 2
    constructor, group = arguments(subject, trial)
    if not trial.setting.grouped:
        return subject.make([*beside[:half], parameter, *beside[half:]], **constructor)
    groups: list[dict[str, Any]] = [{"params": beside}] * bool(beside)
    return subject.make([*groups, {"params": [parameter], **subject.arguments(group)}], **constructor)


def arguments(subject: Subject, trial: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of the constructor and of the group of the parameter under test, by the spec's names."""
    setting, hyper = trial.setting, dict(trial.hyper)
    if setting.repeats > 1 and "delta" in hyper:
        # Keeps δ/√dim as it is for a single row.
        hyper["delta"] *= math.isqrt(setting.repeats)
    if setting.tensor_lr:
        hyper["lr"] = torch.tensor(hyper["lr"], dtype=torch.float64)
    if not setting.grouped:
        return {**subject.options, **hyper}, {}
    return {**subject.options, **{name: _another(name, value) for name, value in hyper.items()}}, hyper


def _another(name: str, value: Any) -> Any:
    """An argument of the constructor that a group overrides, so that it must have no effect."""
    if isinstance(value, bool):
        return not value
    return HYPER[name].other if name in HYPER else value


# Scripts that reproduce failures contain the source of these three, so they use torch alone.


def neighbour(shape: tuple[int, ...], dtype: torch.dtype) -> torch.nn.Parameter:
    """Another parameter, with a gradient that is not orthogonal to it."""
    ramp = torch.arange(1.0, torch.Size(shape).numel() + 1, dtype=torch.float64).reshape(shape).remainder(7) / 4
    parameter = torch.nn.Parameter(ramp.to(dtype))
    parameter.grad = (ramp + 0.5).to(dtype)
    return parameter


def repeated(tensor: torch.Tensor, repeats: int) -> torch.Tensor:
    """The tensor with every row, or all of a vector, so many times one after the other."""
    axis = min(1, tensor.ndim - 1)
    return tensor.repeat(*(repeats if i == axis else 1 for i in range(tensor.ndim)))


def extremes(tensor: torch.Tensor, shape: tuple[int, ...], repeats: int) -> list[torch.Tensor]:
    """Of the repeated elements of a tensor the least and the largest: what is right for both is right for all."""
    axis = min(1, len(shape) - 1)
    apart = tensor.reshape(*shape[:axis], repeats, *shape[axis:])
    return [apart.amin(axis), apart.amax(axis)]


def _read_states(
    optimizer: torch.optim.Optimizer,
    parameter: torch.Tensor,
    subject: Subject,
    ends: Callable[[torch.Tensor], list[Floats]],
    count: int,
) -> list[dict[str, Any]]:
    """The buffers under the spec's names, a dict for each record of the step; missing buffers are left out."""
    state = optimizer.state.get(parameter, {})
    states: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, key in subject.buffers.items():
        value = state.get(key)
        if value is not None:
            values = [int(value)] * count if name == "step" else ends(value)
            for end, one in zip(states, values, strict=True):
                end[name] = one
    return states
