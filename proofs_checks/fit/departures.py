"""What a departure from the paper does: which theorem it breaks, and how far it carries the weights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.dialects.choice import Choice, Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Departure, Judgement
from tangency.proofs_checks.fit.probes import spread
from tangency.theory.algorithms import START
from tangency.theory.fields import FLOAT64
from tangency.theory.formats import FLOAT32

STEPS = 100


@dataclass(frozen=True)
class Course:
    """A training run in miniature: where departures are measured.

    Attributes:
        name: as reports call it.
        w: the weights at the start.
        gradient: at given weights.
    """

    name: str
    w: Floats
    gradient: Callable[[Floats], Floats]


def _cosine_gradient(w: Floats) -> Floats:
    """The gradient of −cos(w, b) in every row: scale-invariant by channel (B.1)."""
    b, norm = spread(w.shape, 17), np.linalg.norm(w, axis=1, keepdims=True)
    unit, goal = w / norm, b / np.linalg.norm(b, axis=1, keepdims=True)
    result: Floats = -(goal - (unit * goal).sum(axis=1, keepdims=True) * unit) / norm
    return result


def _layer_gradient(w: Floats) -> Floats:
    """The same of the whole tensor: scale-invariant as a layer, not by channel."""
    return _cosine_gradient(w.reshape(1, -1)).reshape(w.shape)


def _quadratic_gradient(w: Floats) -> Floats:
    """The gradient of Σ a_i (w_i − b_i)²/2: scale-variant."""
    result: Floats = (0.5 + np.abs(spread(w.shape, 5))) * (w - spread(w.shape, 29))
    return result


def courses() -> tuple[Course, ...]:
    """Scale-invariant by channel, as a layer, neither; and a vector."""
    w = spread((3, 8))
    return (
        Course("weights that are scale-invariant by channel", w, _cosine_gradient),
        Course("weights that are scale-invariant as a layer", w, _layer_gradient),
        Course("scale-variant weights", w, _quadratic_gradient),
        Course("a vector", spread((8,)), _quadratic_gradient),
    )


def departures(dialect: Dialect, unused: frozenset[str]) -> Iterator[Departure]:
    """Every choice in which a dialect differs from the paper's, or from the published package's.

    Args:
        unused: choices about something that the target does not have.
    """
    paper, published = dialect.algorithm.paper, dialect.algorithm.published
    for name, choice in dialect.algorithm.choices.items():
        value = dialect[name]
        if name in unused or not choice.matters(dialect) or value == paper[name] == published[name]:
            continue
        option = choice.by_value[value]
        judgement, effect = None, f"as the paper says; the published package: {published[name]}"
        if value != paper[name]:
            judgement, effect = judge(dialect.algorithm, name, value)
            if option.violates:
                judgement, effect = Judgement.THEOREM, f"{option.violates}; {effect}"
        yield Departure(name, value, paper[name], published[name], option.says, judgement, effect, option.slip)


@cache
def judge(algorithm: Algorithm, name: str, value: str) -> tuple[Judgement, str]:
    """How far one departure carries the weights from the paper's, in the course where it matters most.

    The first step at which they differ by more than an ulp of float32, and by how much after all steps; harmless if
    that never happens.
    """
    worst = (0.0, STEPS + 1, "")
    choice = algorithm.choices[name]
    paper = algorithm.paper.but(**choice.by_value[value].requires)
    departed, given = paper.but(**{name: value}), hyper(algorithm, choice)
    for course in courses():
        first, far = STEPS + 1, 0.0
        pairs = zip(run(course, paper, given), run(course, departed, given), strict=True)
        for number, (a, b) in enumerate(pairs, 1):
            far = float(np.linalg.norm(a - b) / np.linalg.norm(a))
            if far > 2 * FLOAT32.unit and first > STEPS:
                first = number
        if first <= STEPS and far >= worst[0]:
            worst = (far, first, course.name)
    far, first, where = worst
    if not where:
        return Judgement.HARMLESS, f"within an ulp of float32 for {STEPS} steps of ordinary size"
    return (
        Judgement.TRAJECTORY,
        f"{where} differ by {far:.2g} of their norm after {STEPS} steps, beyond an ulp of float32 from step {first}",
    )


def hyper(algorithm: Algorithm, choice: Choice | None = None) -> dict[str, Any]:
    """The hyper-parameters of an ordinary training run, with what a choice is about switched on."""
    return {**algorithm.update.training, **(choice.hyper if choice else {})}


def run(course: Course, dialect: Dialect, hyper: Mapping[str, Any], stored: Any = np.float64) -> Iterator[Floats]:
    """The weights after each step, from a start and along gradients that are rounded to the dtype ``stored``."""
    w, state = course.w.astype(stored).astype(np.float64), START
    for _ in range(STEPS):
        g = course.gradient(w).astype(stored).astype(np.float64)
        made = step(dialect, FLOAT64, w, g, state, **hyper)
        w, state = made.w, made.state
        yield w
