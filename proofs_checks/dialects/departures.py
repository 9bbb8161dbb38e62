"""What a departure from the paper does: which theorem it breaks, and how far it carries the weights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tangency.proofs_checks.dialects.choices import CHOICES, PAPER, PUBLISHED, Dialect, matters, step
from tangency.proofs_checks.dialects.probes import spread
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Departure, Judgement
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


def departures(dialect: Dialect, whole: Dialect, name: str) -> Iterator[Departure]:
    """Every choice in which a dialect differs from the paper's, or from the published package's.

    Args:
        dialect: the choices that the target has.
        whole: all choices of its family, for the runs.
        name: the reference, a key of ``PAPER``.
    """
    paper, published = PAPER[name], PUBLISHED[name]
    for choice in CHOICES:
        value = dialect.get(choice.name)
        if value is None or value not in choice.values or not matters(choice.name, whole):
            continue
        if value == paper[choice.name] and value == published[choice.name]:
            continue
        option = choice.option(value)
        judgement, effect = None, f"as the paper says; the published package: {published[choice.name]}"
        if value != paper[choice.name]:
            judgement, effect = judge(choice.name, value, name)
            if option.violates:
                judgement, effect = Judgement.THEOREM, f"{option.violates}; {effect}"
        yield Departure(choice.name, value, paper[choice.name], published[choice.name], option.says, judgement, effect)


@cache
def judge(choice: str, value: str, name: str) -> tuple[Judgement, str]:
    """How far one departure carries the weights from the paper's, in the course where it matters most.

    The first step at which they differ by more than an ulp of float32, and by how much after all steps; harmless if
    that never happens.
    """
    worst = (0.0, STEPS + 1, "")
    paper = PAPER[name]
    departed = {**paper, choice: value}
    if choice == "cosine_of" and value == "decayed gradient":
        paper, departed = {**paper, "decay": "coupled"}, {**departed, "decay": "coupled"}
    for course in courses():
        first, far = STEPS + 1, 0.0
        given = hyper(name, choice)
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


def hyper(name: str, choice: str = "") -> dict[str, Any]:
    """Ordinary hyper-parameters of an algorithm, with what a choice is about switched on."""
    adam = name.startswith("adam")
    found: dict[str, Any] = {"lr": 0.01} if adam else {"lr": 0.1, "momentum": 0.9}
    found |= {"weight_decay": 0.01} if choice.startswith(("decay", "cosine_of")) else {}
    found |= {"nesterov": True} if choice == "nesterov" else {}
    found |= {"dampening": 0.1} if choice in ("first_step",) or (choice == "nesterov" and not adam) else {}
    return found


def run(course: Course, dialect: Dialect, hyper: Mapping[str, Any], stored: Any = np.float64) -> Iterator[Floats]:
    """The weights after each step, from a start and along gradients that are rounded to the dtype ``stored``."""
    w, state = course.w.astype(stored).astype(np.float64), START
    for _ in range(STEPS):
        g = course.gradient(w).astype(stored).astype(np.float64)
        made = step(dialect, FLOAT64, w, g, state, **hyper)
        w, state = made.w, made.state
        yield w
