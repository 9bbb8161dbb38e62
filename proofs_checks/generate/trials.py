"""The implementation rung: trials of a real optimizer, their runs, and the distance of every step to the exact one.

A float is a rational number. A trial feeds the same floats to the optimizer and to the executable spec, one step at a
time: the exact step starts from the state that the optimizer really had, so that errors do not accumulate.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.errors.rounding import FORMATS, Bounded, Floats, bounded
from tangency.proofs_checks.hyperparameters import HYPER, PROJECTING
from tangency.proofs_checks.subjects import PROJECTION, Subject
from tangency.theory.algorithms import START
from tangency.theory.fields import EXACT, Array, Field, balls, nearest
from tangency.theory.formats import Format
from tangency.theory.projection import View
from tangency.theory.rounded import rounded

# A gradient: its values, flat; None for a step without one; or a function of the current weights (rows, dim).
Gradient = tuple[float, ...] | None | Callable[[Floats], Floats]
LAYOUTS = ("contiguous", "transposed", "strided", "channels_last")
# Switches of how a step is executed, of which the algorithm knows nothing.
EXECUTION = frozenset({"maximize", "foreach", "fused", "capturable", "differentiable"})
BALLS = balls(256)
as_float = nearest


@dataclass(frozen=True)
class Setting:
    """How the parameter of a trial stands in its optimizer; none of it may change what becomes of it.

    Attributes:
        beside: shapes of other parameters of the optimizer, half of them before it.
        grouped: whether the parameter has a group of its own, with the trial's hyper-parameters, while the constructor,
            and the parameters beside it, get others.
        tensor_lr: whether lr is a tensor.
        repeats: how often every row stands in the real parameter, one after the other: a power of 4, for one step. The
            trial and the exact step are those of a single one, and δ is that of their dimension.
    """

    beside: tuple[tuple[int, ...], ...] = ()
    grouped: bool = False
    tensor_lr: bool = False
    repeats: int = 1


@dataclass(frozen=True)
class Trial:
    """Weights, gradients and hyper-parameters: everything that a run depends on.

    Attributes:
        shape: of the parameter; for complex dtypes, of the complex tensor.
        dtype: a key of ``rounding.FORMATS``.
        w: the initial weights, flat; real and imaginary parts alternate in complex dtypes. Rounded to the dtype.
        gradients: one a step.
        hyper: keyword arguments of the optimizer.
        layout, grad_layout: the memory layout of the parameter and of its gradients, of ``LAYOUTS``.
        setting: what else is in the optimizer.
    """

    shape: tuple[int, ...]
    dtype: str
    w: tuple[float, ...]
    gradients: tuple[Gradient, ...]
    hyper: Mapping[str, Any]
    layout: str = "contiguous"
    grad_layout: str = "contiguous"
    setting: Setting = Setting()

    def __repr__(self) -> str:
        """As a dataclass has it, without the setting where it is a plain one."""
        told = [field.name for field in fields(self) if field.name != "setting" or self.setting != Setting()]
        return f"Trial({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

    @property
    def spec_shape(self) -> tuple[int, ...]:
        """The shape in which the spec sees the tensor: real, at least one-dimensional, complex pairs as a last axis."""
        parts = 2 if self.dtype.startswith("complex") else 1
        if len(self.shape) < 2:
            return (math.prod(self.shape) * parts,)
        return self.shape if parts == 1 else (*self.shape, 2)


@dataclass(frozen=True)
class Record:
    """One step as it happened. Arrays are float64 (they hold every dtype exactly), of the trial's ``spec_shape``.

    Attributes:
        index: the step, from 0.
        w, g, state: before the step; ``g`` is what is descended along (negated under ``maximize``), or None. ``state``
            has the spec's names, and is empty before the first gradient.
        w_after, state_after: after the step; a buffer that the optimizer does not have is missing.
        g_after: ``p.grad`` after the step.
    """

    index: int
    w: Floats
    g: Floats | None
    state: Mapping[str, Any]
    w_after: Floats
    state_after: Mapping[str, Any]
    g_after: Floats | None


@dataclass(frozen=True)
class Measurement:
    """One quantity of a run against its exact value.

    Attributes:
        what: the quantity, with its element where it has several.
        step: the step it belongs to, from 0.
        error, bound: the absolute error, and the largest admissible one (0: must be bitwise right).
        ulps: the error in units in the last place of the storage format at the exact value.
    """

    what: str
    step: int
    got: float
    expected: float
    error: float
    bound: float
    ulps: float | None = None

    @property
    def ratio(self) -> float:
        """error / bound; more than 1 is a counterexample. NaN counts as infinitely wrong."""
        if math.isnan(self.error):
            return math.inf
        if self.bound == 0:
            return 0.0 if self.error == 0 else math.inf
        return self.error / self.bound


@dataclass(frozen=True)
class Run:
    """A trial, executed on a subject."""

    subject: Subject
    trial: Trial
    records: tuple[Record, ...]
    storage: Format = field(init=False)
    compute: Format = field(init=False)

    def __post_init__(self) -> None:
        storage, compute = FORMATS[self.trial.dtype]
        object.__setattr__(self, "storage", storage)
        compute = replace(storage if self.subject.foreign else compute, flushes=self.subject.flushes)
        object.__setattr__(self, "compute", compute)

    @property
    def options(self) -> dict[str, Any]:
        """The hyper-parameters that say what a step computes, not how it is executed."""
        unknown = EXECUTION if self.projects else EXECUTION | PROJECTING
        return {name: value for name, value in self.trial.hyper.items() if name not in unknown}

    @property
    def hyper(self) -> dict[str, Any]:
        """The :attr:`options` that the algorithm of the spec knows."""
        return {name: value for name, value in self.options.items() if name not in self.subject.unspecified}

    @property
    def projects(self) -> bool:
        """Whether the subject claims to decide by Eq. 11 at all."""
        return PROJECTION in self.subject.capabilities

    def given(self, record: Record) -> Floats | None:
        """The gradient as the optimizer got it: ``record.g``, negated under ``maximize``."""
        return -record.g if self.trial.hyper.get("maximize") and record.g is not None else record.g

    @property
    def field(self) -> Field:
        """Where the exact step lives: rationals, or balls where it takes a root or an angle."""
        return EXACT if self.subject.update.rational else BALLS

    @property
    def rounded(self) -> Field:
        """The same numbers with the errors of the format in which the step is computed."""
        return rounded(self.field, self.compute, self.trial.setting.repeats)

    def exact(self, record: Record, view: View | None = None, **changes: Any) -> Bounded:
        """The exact step from the state of a record, and its bounds.

        ``view`` forces the decision, ``changes`` override ``hyper``.

        Raises:
            UndecidedView: a decision that nothing forces is within rounding.
        """
        assert record.g is not None, "a step without a gradient has no exact step"
        numbers = self.rounded
        state = {k: v if k == "step" else numbers.array(v) for k, v in record.state.items()} or START
        hyper = {**self.hyper, **changes} | ({} if view is None or not self.projects else {"view": view})
        return bounded(self.subject.step(numbers, numbers.array(record.w), numbers.array(record.g), state, **hyper))

    def compare(self, what: str, record: Record, got: Floats, exact: Array, bound: Floats) -> Measurement:
        """The element of an array that lies worst against its bound."""
        measured = [
            self.measure(f"{what}{list(i)}", record.index, float(got[i]), exact[i], float(bound[i]))
            for i in np.ndindex(got.shape)
        ]
        nothing = Measurement(what, record.index, 0.0, 0.0, 0.0, 0.0)
        return max(measured, key=lambda m: (m.ratio, m.error), default=nothing)

    def measure(self, what: str, step: int, got: float, exact: Any, bound: float) -> Measurement:
        """A number against its exact value (a rational or a ball), rounded to float64 only after the subtraction."""
        expected = as_float(exact)
        if math.isfinite(got):
            with self.field.context():
                error = abs(as_float(self.field.element(got) - exact))
        else:
            # Beyond the largest finite number, infinity of the same sign is the right rounding.
            overflows = math.isinf(got) and abs(expected) + bound > self.storage.max and (got > 0) == (expected > 0)
            error = 0.0 if overflows else math.inf
        return Measurement(what, step, got, expected, error, bound, error / self.storage.ulp(expected))


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

    The run ends early where a step, or a gradient that follows the weights, leaves the finite numbers: no exact step
    starts from there. Of repeated rows there are two records, of the least and of the largest results.

    Raises:
        Crash: the optimizer raised an exception.
        NotOffered: the optimizer lacks what the trial asks for.
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
    """What the constructor gets, under the spec's names, and what the group of the parameter under test."""
    setting, hyper = trial.setting, dict(trial.hyper)
    if setting.repeats > 1 and "delta" in hyper:
        # δ/√dim is to be what it is for a single row.
        hyper["delta"] *= math.isqrt(setting.repeats)
    if setting.tensor_lr:
        hyper["lr"] = torch.tensor(hyper["lr"], dtype=torch.float64)
    if not setting.grouped:
        return {**subject.options, **hyper}, {}
    return {**subject.options, **{name: _another(name, value) for name, value in hyper.items()}}, hyper


def _another(name: str, value: Any) -> Any:
    """What an option of a constructor is where a group overrides it: it may have no effect."""
    if isinstance(value, bool):
        return not value
    return HYPER[name].other if name in HYPER else value


# The reproducers of failures take the source of these three: they know torch alone.


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
    """The buffers under the spec's names, a dict for each end; those that the optimizer does not have are left out."""
    state = optimizer.state.get(parameter, {})
    found: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, key in subject.buffers.items():
        value = state.get(key)
        if value is not None:
            told = [int(value)] * count if name == "step" else ends(value)
            for end, one in zip(found, told, strict=True):
                end[name] = one
    return found
