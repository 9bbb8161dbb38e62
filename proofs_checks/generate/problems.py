"""Generated problems for the exact and the ball rung: small rationals, so that hundreds of steps stay exact."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import flint
import numpy as np
from hypothesis import strategies as st

from tangency.theory.algorithms import START, Step
from tangency.theory.fields import EXACT, Array, Field
from tangency.theory.projection import VIEWS, View, view_of

MAX_DIM = 64
MAX_STEPS = 500
# Numbers grow linearly with t: dim · steps is what a run costs, so long runs are narrow and wide runs are short.
MAX_WORK = 800


@cache
def rationals(low: int = -9, high: int = 9, denominator: int = 4) -> st.SearchStrategy[flint.fmpq]:
    """Rationals p/q in [low, high] with 1 ≤ q ≤ ``denominator``; they shrink towards 0, by q and then |p|."""
    if denominator > 10:  # too many to list
        return st.integers(1, denominator).flatmap(
            lambda q: st.integers(low * q, high * q).map(lambda p: flint.fmpq(p, q))
        )
    fractions = [(p, q) for q in range(1, denominator + 1) for p in range(low * q, high * q + 1) if math.gcd(p, q) == 1]
    fractions.sort(key=lambda fraction: (fraction[1], abs(fraction[0]), fraction[0] < 0))
    return st.sampled_from([flint.fmpq(p, q) for p, q in fractions])  # one draw each: vectors are long


@cache
def positive_rationals(high: int = 9, denominator: int = 4) -> st.SearchStrategy[flint.fmpq]:
    """Rationals in (0, high]."""
    return rationals(0, high, denominator).filter(bool)


def step_sizes() -> st.SearchStrategy[flint.fmpq]:
    """η > 0 with a denominator that is a power of two or ten, as users write it."""
    return st.sampled_from([flint.fmpq(p, q) for q in (1, 2, 4, 10, 16, 100) for p in (1, 3)])


def momenta(*, zero: bool = True) -> st.SearchStrategy[flint.fmpq]:
    """β in [0, 1): 0.9 and 0.99 among them."""
    values = [flint.fmpq(p, q) for p, q in ((0, 1), (1, 2), (9, 10), (3, 4), (99, 100), (1, 10))]
    return st.sampled_from(values if zero else values[1:])


@cache
@st.composite
def vectors(draw: st.DrawFn, dim: int, *, nonzero: bool = False) -> Array:
    """Vectors of rationals, shape (dim,); with ``nonzero``, not the zero vector."""
    values = draw(st.lists(rationals(), min_size=dim, max_size=dim))
    if nonzero and not any(values):
        values[draw(st.integers(0, dim - 1))] = flint.fmpq(1)
    return EXACT.array(values)


@cache
def dimensions(high: int = MAX_DIM) -> st.SearchStrategy[int]:
    """Dimensions 1 to ``high``, small and large ones alike."""
    return st.one_of(st.integers(1, min(4, high)), st.integers(1, high))


@dataclass(frozen=True)
class SkewField:
    """A gradient field g(w) = S w with S skew-symmetric and banded, so that w·g(w) = 0 exactly (Eq. 4).

    It is the gradient of no function, but it is orthogonal and linear, which is all that the norm-growth lemmas use of
    scale invariance; numbers grow linearly with the number of steps.

    Attributes:
        bands: pairs (offset, coefficient): g_i = Σ coefficient · (w_{i+offset} − w_{i−offset}), zero outside.
    """

    bands: tuple[tuple[int, int], ...]

    def __call__(self, w: Array) -> Array:
        g = w - w
        for offset, coefficient in self.bands:
            g[:-offset] += coefficient * w[offset:]
            g[offset:] -= coefficient * w[:-offset]
        return g


@cache
def _bands(dim: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    offsets, coefficients = st.integers(1, max(1, dim - 1)), st.integers(-3, 3).filter(bool)
    return st.lists(st.tuples(offsets, coefficients), min_size=1, max_size=2)


@cache
@st.composite
def skew_fields(draw: st.DrawFn, dim: int) -> SkewField:
    """Skew-symmetric fields on ``dim`` dimensions, with one or two bands (in dimension 1 the field is zero)."""
    return SkewField(tuple(draw(_bands(dim))))


@dataclass(frozen=True)
class Descent:
    """A run of an algorithm down a gradient field: what the norm-growth claims are about.

    Attributes:
        w: w_0, shape (dim,).
        gradient: w ↦ ∇f(w), or its stand-in: a :class:`SkewField` or an objective's gradient.
        steps: T.
        hyper: hyper-parameters of the algorithm.
    """

    w: Array
    gradient: Any
    steps: int
    hyper: dict[str, Any]

    def run(self, algorithm: Callable[..., Step], field: Field = EXACT) -> list[tuple[Array, Step]]:
        """The pairs (w_t, step t) for t = 0 … T−1."""
        w, state, history = field.array(self.w), START, []
        for _ in range(self.steps):
            step = algorithm(field, w, self.gradient(w), state, **self.hyper)
            history.append((w, step))
            w, state = step.w, step.state
        return history


@dataclass(frozen=True)
class ScheduledDescent(Descent):
    """A run whose step size changes: η_t = ``lr`` times the factor of the step, again from the first after the last.

    Attributes:
        factors: of the step sizes.
    """

    factors: tuple[Any, ...] = (flint.fmpq(1),)

    def run(self, algorithm: Callable[..., Step], field: Field = EXACT) -> list[tuple[Array, Step]]:
        """The pairs (w_t, step t) for t = 0 … T−1."""
        w, state, history, lr = field.array(self.w), START, [], EXACT.element(self.hyper["lr"])
        for t in range(self.steps):
            hyper = {**self.hyper, "lr": lr * self.factors[t % len(self.factors)]}
            step = algorithm(field, w, self.gradient(w), state, **hyper)
            history.append((w, step))
            w, state = step.w, step.state
        return history


def scheduled(descents: st.SearchStrategy[Descent]) -> st.SearchStrategy[ScheduledDescent]:
    """The same descents with step sizes that change."""
    factors = st.lists(st.sampled_from([flint.fmpq(p, q) for q in (1, 2, 4) for p in (1, 3)]), min_size=1, max_size=3)
    return st.builds(
        lambda one, factors: ScheduledDescent(one.w, one.gradient, one.steps, one.hyper, tuple(factors)),
        descents,
        factors,
    )


@st.composite
def skew_descents(draw: st.DrawFn, /, *, momentum: bool, max_steps: int = MAX_STEPS, **fixed: Any) -> Descent:
    """Descents on skew-symmetric fields: dimensions 1–64, up to 500 steps; hyper-parameters lr, momentum, ``fixed``."""
    dim = draw(dimensions())
    hyper: dict[str, Any] = {"lr": draw(step_sizes()), **fixed}
    if momentum:
        hyper["momentum"] = draw(momenta())
    steps = draw(st.integers(1, max(1, min(max_steps, MAX_WORK // dim))))
    return Descent(draw(vectors(dim, nonzero=True)), draw(skew_fields(dim)), steps, hyper)


def with_hyper(descents: st.SearchStrategy[Descent], **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Descent]:
    """The same descents with further hyper-parameters, or others, each drawn from its own strategy."""
    return st.builds(
        lambda descent, hyper: replace(descent, hyper={**descent.hyper, **hyper}),
        descents,
        st.fixed_dictionaries(drawn),
    )


@dataclass(frozen=True)
class TensorRun:
    """A few steps of an algorithm on a weight tensor with given gradients: what Algorithms 1 and 2 are checked on.

    Attributes:
        w: w_0, one to three dimensions.
        gradients: one a step, of the shape of ``w``.
        hyper: hyper-parameters of the algorithm.
    """

    w: Array
    gradients: tuple[Array, ...]
    hyper: dict[str, Any]

    @property
    def views(self) -> tuple[str | int, ...]:
        """Those that are tried."""
        own: tuple[str | int, ...] = self.hyper.get("views", VIEWS)
        return own

    def run(self, algorithm: Callable[..., Step], field: Field = EXACT) -> list[tuple[Array, Step]]:
        """The pairs (w_t, step t) for t = 0 … T−1."""
        w, state, history = field.array(self.w), START, []
        for g in self.gradients:
            step = algorithm(field, w, field.array(g), state, **self.hyper)
            history.append((w, step))
            w, state = step.w, step.state
        return history


@cache
def _shapes(min_dims: int, max_elements: int) -> st.SearchStrategy[tuple[int, ...]]:
    sides = st.lists(st.integers(1, 8), min_size=min_dims, max_size=3)
    return sides.map(tuple).filter(lambda shape: math.prod(shape) <= max_elements)


KINDS = st.lists(st.sampled_from(("tangent", "tilted", "free", "zero")), min_size=1, max_size=4)


@st.composite
def tensor_runs(
    draw: st.DrawFn,
    hyper: st.SearchStrategy[dict[str, Any]],
    *,
    min_dims: int = 1,
    max_elements: int = MAX_DIM,
    views: bool = False,
) -> TensorRun:
    """Runs of one to four steps on 1-D to 3-D tensors; gradients of every angle to the weights, rows of zeros too.

    Every gradient row is κ w + g with w·g = 0 exactly or free: κ = 0 passes Eq. 11, and large κ fails it. ``views``: as
    a hyper-parameter, which are tried.
    """
    shape = draw(_shapes(min_dims, max_elements))
    w = draw(vectors(math.prod(shape))).reshape(shape)
    own = draw(own_views(shape)) if views else {}
    gradients = tuple(draw(_gradient(w, kind, own.get("views", VIEWS))) for kind in draw(KINDS))
    return TensorRun(w, gradients, draw(hyper) | own)


def own_views(shape: tuple[int, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Views of one's own choice, as hyper-parameters: mostly none."""
    if len(shape) < 2:
        return st.just({})
    heads = [count for count in range(2, shape[0] + 1) if shape[0] % count == 0]
    own = [("layer",), ("channel",), *(("channel", count, "layer") for count in heads)]
    own += [tried for count in heads for tried in ((count,), (count, "layer"), ("channel", count))]
    return st.one_of(st.just({}), st.just({}), st.sampled_from(own).map(lambda tried: {"views": tried}))


def fits(views: Sequence[str | int], shape: tuple[int, ...]) -> bool:
    """Whether a parameter of this shape has rows in all of the views."""
    return len(shape) < 2 or all(isinstance(view, str) or shape[0] % view == 0 for view in views)


@st.composite
def _gradient(draw: st.DrawFn, w: Array, kind: str, views: tuple[str | int, ...]) -> Array:
    shape = w.shape
    if kind == "zero":
        return EXACT.zeros(shape)
    if kind == "free":
        return draw(vectors(w.size)).reshape(shape)
    cuts = [View.LAYER, *(view_of(view) for view in views if view != "layer" and len(shape) > 1)]
    rows = draw(st.sampled_from(cuts)).rows(w)
    dim = rows.shape[1]
    skew = draw(skew_fields(dim)) if dim > 1 else SkewField(())
    kappa = draw(rationals(denominator=100)) if kind == "tilted" else 0
    dead = draw(st.integers(0, 2 * len(rows)))
    return np.array([kappa * row + skew(row) if i != dead else 0 * row for i, row in enumerate(rows)]).reshape(shape)
