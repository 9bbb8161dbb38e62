"""Inputs at the edge, judged against the exact step: every magnitude, zeros, half precision, gradients against w."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangency.proofs_checks import subjects
from tangency.proofs_checks.checks.against_spec import (
    NO_EPS,
    Case,
    after_radial,
    against_spec,
    delta_of,
    for_gradients_of,
    hyper,
    radial,
    trial,
    weights,
)
from tangency.proofs_checks.checks.comparisons import decision_is_right, step_is_right
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.gradients import Rotation
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.target.target import Target
from tangency.theory.projection import View

SHAPE = (3, 4)


@dataclass(frozen=True)
class Sized:
    """A gradient of largest entry in [2^(``exponent`` − 1), 2^``exponent``), however far the weights have gone."""

    gradient: Callable[[Floats], Floats]
    exponent: int

    def __call__(self, w: Floats) -> Floats:
        """The gradient at the current weights."""
        g = self.gradient(w)
        return np.ldexp(g, self.exponent - int(np.frexp(np.abs(g).max())[1]))


@against_spec(
    "step-is-right-at-every-magnitude",
    "steps are right for gradients from 1e-30 to 1e30, and everything stays finite",
    "Algorithms 1 and 2; Eqs. 10 and 11 are scale-free",
    "Squares of small gradients underflow, those of large ones overflow. Where 0/0 or ∞/∞ follows, one unusual batch "
    "makes the weights NaN, or the step is not the algorithm's.",
)
def magnitudes(target: Target) -> Iterator[Case]:
    # Adam stores (1 − β₂)g²: in float32 that has half the range, above the subnormal numbers, which XLA flushes to 0.
    short = (-55, -30, 30, 60) if target.algorithm.update.squares else (-100, -60, 60, 100)
    for dtype, exponents in (("float64", (-100, -60, -30, 30, 60, 100)), ("float32", short)):
        for exponent in exponents:
            made = _of_size(target, exponent, dtype)
            says = f"gradients around 2^{exponent}, {dtype}"
            yield Case(says, made, step_is_right, _of_size(target, 0, dtype))


def _of_size(target: Target, exponent: int, dtype: str) -> Trial:
    # Below every gradient here: where exactly ε stands in the denominator is another check's matter.
    wanted = {"eps": 2.0**-160 if dtype == "float64" else 2.0**-120}
    given = for_gradients_of(target, exponent, wanted)
    gradients = after_radial(target, Sized(Rotation(View.CHANNEL), exponent), Sized(radial, exponent))
    return trial(SHAPE, weights(*SHAPE), gradients, given, dtype=dtype)


@against_spec(
    "zero-gradient-step-is-right",
    "a step with a zero gradient is momentum and weight decay, and nothing else",
    "Eq. 7; Algorithms 1 and 2 with ∇f = 0",
    "Gradients are zero for unused rows and masked layers. An optimizer that divides by their norm makes NaN of them.",
)
def zero_gradient(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    nothing, w = np.zeros(SHAPE), weights(*SHAPE)
    decays: list[dict[str, Any]] = [{}]
    if subjects.WEIGHT_DECAY in target.capabilities and target.names["weight_decay"] not in target.options:
        decays.append({"weight_decay": 0.25})
    for more in decays:
        decay = ", weight_decay = 0.25" if more else ""
        control = trial(SHAPE, w, (radial, radial), {**given, **more})
        yield Case(f"g = 0{decay}", trial(SHAPE, w, (nothing,), {**given, **more}), step_is_right, control)
        if target.buffers:
            made = trial(SHAPE, w, (radial, nothing), {**given, **more})
            yield Case(f"g = 0 after a step with momentum{decay}", made, step_is_right, control)


@against_spec(
    "dead-channels-do-not-veto",
    "a channel without gradient keeps no other channel from being projected",
    "Eq. 11: a zero gradient has no direction, and counts as orthogonal",
    "Behind a ReLU that never fires, a channel's gradient stays zero; 0/0 would switch the projection off for the "
    "whole layer.",
    projects=True,
)
def dead_channels(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for dead in ((0,), (2,), (0, 1), (0, 1, 2)):

        def gradient(w: Floats, dead: tuple[int, ...] = dead) -> Floats:
            g = Rotation(View.CHANNEL)(w)
            g[list(dead)] = 0
            return g

        made = trial(SHAPE, weights(*SHAPE), after_radial(target, gradient), given)
        yield Case(f"no gradient in rows {', '.join(map(str, dead))}", made, decision_is_right)


@against_spec(
    "zero-channels-do-not-veto",
    "a channel of zero weights keeps no other channel from being projected, and moves as if it were alone",
    "Eqs. 10 and 11: zero weights have no direction",
    "Pruned and zero-initialised channels are common: 0/0 makes NaN of them, or switches the projection off.",
    projects=True,
)
def zero_channels(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for dead in ((0,), (2,), (0, 1), (0, 1, 2)):
        w = weights(*SHAPE)
        w[list(dead)] = 0

        def gradient(w: Floats, dead: tuple[int, ...] = dead) -> Floats:
            g = Rotation(View.CHANNEL)(w)
            g[list(dead)] = 0.5
            return g

        made = trial(SHAPE, w, after_radial(target, gradient), given)
        yield Case(f"no weights in rows {', '.join(map(str, dead))}", made, decision_is_right)


@against_spec(
    "zero-weights-step-is-right",
    "weights that are all zero move by the plain update",
    "Algorithms 1 and 2; Eq. 10: w = 0 has no direction",
    "The last layer of a block is often initialised with zeros: divided by its norm, it becomes NaN or never moves.",
)
def zero_weights(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    g = weights(*SHAPE)
    for shape in (SHAPE, (12,)):
        made = trial(shape, np.zeros(shape), (g,), given)
        yield Case(f"w = 0 of shape {shape}", made, step_is_right, trial(shape, weights(*shape) * 2, (g,), given))


@against_spec(
    "antiparallel-gradients-are-kept",
    "a gradient straight against or along the weights is never projected",
    "Eq. 11: |cos| = 1",
    "Such a gradient is all that shrinks or grows a weight that is not scale-invariant: projected, it does nothing.",
    projects=True,
)
def antiparallel(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for shape in ((3, 4), (2, 3, 2, 2), (1, 8)):
        w = weights(*shape)
        if delta_of(given) >= math.sqrt(w[0].size) / 2:
            continue
        for factor in (-1.0, 1.0, -(2.0**-10), 2.0**10):
            yield Case(f"g = {factor:g} w of shape {shape}", trial(shape, w, (factor * w,), given), decision_is_right)


@against_spec(
    "half-precision-steps-are-right",
    "float16 and bfloat16 parameters step as exactly as their own arithmetic allows",
    "Algorithms 1 and 2; torch.optim computes in the dtype of the parameter",
    "Half-precision training depends on it: a step computed in the wrong dtype, or lost between two, trains nothing.",
    severity=Severity.BEHAVIOUR,
)
def half_precision(target: Target) -> Iterator[Case]:
    given = hyper(target)
    # numpy, of which the other kinds are made, has no bfloat16.
    for dtype in ("float16",) if target.library == "numpy" else ("float16", "bfloat16"):
        for says, last in (("along w", radial), ("orthogonal", Rotation(View.CHANNEL))):
            gradients = after_radial(target, last)
            made = trial(SHAPE, weights(*SHAPE), gradients, given, dtype=dtype)
            control = trial(SHAPE, weights(*SHAPE), gradients, given, dtype="float32")
            yield Case(f"{dtype}, g {says}", made, step_is_right, control)
        vector = weights(8)
        made, control = (trial((8,), vector, (vector / 3,), given, dtype=one) for one in (dtype, "float32"))
        yield Case(f"{dtype}, a vector", made, step_is_right, control)


CHECKS = (
    magnitudes,
    zero_gradient,
    dead_channels,
    zero_channels,
    zero_weights,
    antiparallel,
    half_precision,
)
