"""The records of the implementation rung: a trial, its run on an optimizer, and the distance to the exact steps.

A float is a rational number. A trial feeds the same floats to the optimizer and to the executable spec, one step at a
time: the exact step starts from the state that the optimizer really had, so that errors do not accumulate.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from tangency.proofs_checks.errors.rounding import FORMATS, Bounded, Floats, bounded
from tangency.proofs_checks.hyperparameters import PROJECTING
from tangency.proofs_checks.subjects import PROJECTION, Subject
from tangency.theory.algorithms import START
from tangency.theory.fields import EXACT, Array, Field, balls, nearest
from tangency.theory.formats import Format
from tangency.theory.projection import View
from tangency.theory.rounded import rounded

# A gradient: its values, flat; None for a step without one; or a function of the current weights (rows, dim).
Gradient = tuple[float, ...] | None | Callable[[Floats], Floats]
LAYOUTS = ("contiguous", "transposed", "strided", "channels_last")
# Arguments that choose how a step is executed; the spec has none of them.
EXECUTION = frozenset({"maximize", "foreach", "fused", "capturable", "differentiable"})
BALLS = balls(256)
EXACT_ELEMENTS = 256  # of more, exact arithmetic takes too long
as_float = nearest


@dataclass(frozen=True)
class Setting:
    """The surroundings of a trial's parameter in its optimizer; none of them may change its steps.

    Attributes:
        beside: shapes of other parameters of the optimizer, half of them before it.
        grouped: whether the parameter has a group of its own, with the trial's hyper-parameters, while the constructor,
            and the parameters beside it, get others.
        tensor_lr: whether lr is a tensor.
        repeats: how many times the real parameter holds every row, one after the other: a power of 4; for one step. The
            trial and the exact step hold every row once, and δ is scaled so that δ/√dim is the same.
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
        """The dataclass's own, without a setting that is the default."""
        shown = [field.name for field in fields(self) if field.name != "setting" or self.setting != Setting()]
        return f"Trial({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

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
        """The :attr:`options` that the algorithm of the spec takes."""
        return {name: value for name, value in self.options.items() if name not in self.subject.unspecified}

    @property
    def projects(self) -> bool:
        """Whether the subject claims to decide by Eq. 11 at all."""
        return PROJECTION in self.subject.capabilities

    def given(self, record: Record) -> Floats | None:
        """The gradient in ``p.grad``: ``record.g``, negated under ``maximize``."""
        return -record.g if self.trial.hyper.get("maximize") and record.g is not None else record.g

    @property
    def field(self) -> Field:
        """The number system of the exact step: rationals, or balls where it takes a root or an angle."""
        return EXACT if self.subject.update.rational else BALLS

    @property
    def rounded(self) -> Field:
        """That number system with bounds on the errors of the format in which the step is computed."""
        return rounded(self.field, self.compute, self.trial.setting.repeats)

    def start(self, record: Record) -> Mapping[str, Any]:
        """The state that the exact step of a record starts from: the optimizer's own."""
        if not self.subject.update.retold:
            return record.state or START
        told = [(earlier.w, earlier.g) for earlier in self.records[: record.index] if earlier.g is not None]
        return {"told": told}

    def exact(self, record: Record, view: View | None = None, **changes: Any) -> Bounded:
        """The exact step from the state of a record, and its bounds.

        ``view`` forces the decision, ``changes`` override ``hyper``.

        Raises:
            UndecidedView: the decision is not forced and lies within rounding of the threshold.
        """
        assert record.g is not None, "a step without a gradient has no exact step"
        numbers = self.rounded
        state = {k: numbers.array(v) if isinstance(v, np.ndarray) else v for k, v in self.start(record).items()}
        hyper = {**self.hyper, **changes} | ({} if view is None or not self.projects else {"view": view})
        return bounded(self.subject.step(numbers, numbers.array(record.w), numbers.array(record.g), state, **hyper))

    def compare(self, what: str, record: Record, got: Floats, exact: Array, bound: Floats) -> Measurement:
        """The measurement of the element with the largest error as a share of its bound."""
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
