"""Runs of a target and of the paper's algorithm side by side, for figures: norms, effective steps, error in ulps."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.check.departures import STEPS, Course, courses
from tangency.proofs_checks.check.model import Curve
from tangency.proofs_checks.check.target import Target
from tangency.proofs_checks.engine.rounding import FLOAT32, Floats
from tangency.proofs_checks.engine.subjects import NotOffered
from tangency.theory.algorithms import START
from tangency.theory.dialects import PAPER, Dialect, step
from tangency.theory.fields import FLOAT64


def curves(target: Target, dialect: Dialect, name: str) -> tuple[Curve, ...]:
    """One curve a course on which the target runs.

    Args:
        dialect: the fitted one, whole: the error in ulps is measured from it, so that a departure from the paper shows
            in the norms and rounding alone in the ulps.
        name: the paper's algorithm, a key of ``PAPER``.
    """
    hyper: dict[str, Any] = {"lr": 0.01} if name.startswith("adam") else {"lr": 0.1, "momentum": 0.9}
    found = []
    for course in courses()[:3]:
        try:
            weights = list(_weights(target, course, hyper))
        except NotOffered:
            continue
        paper = [course.w, *_spec(PAPER[name], course, hyper)]
        own = [course.w, *_spec(dialect, course, hyper)]
        found.append(
            Curve(
                course.name,
                {"norm": _norms(weights), "effective step": _effective(weights)},
                {"norm": _norms(paper), "effective step": _effective(paper)},
                [_ulps(got, expected) for got, expected in zip(weights, own, strict=False)],
            )
        )
    return tuple(found)


def _weights(target: Target, course: Course, hyper: dict[str, Any]) -> Iterator[Floats]:
    """The target's weights in float32, from the start on; fewer if it raises or leaves the finite numbers."""
    parameter = torch.nn.Parameter(torch.tensor(course.w, dtype=torch.float32))
    optimizer = target.make([parameter], **hyper)
    for number in range(STEPS + 1):
        weights = parameter.detach().double().numpy().copy()
        if not np.isfinite(weights).all():
            return
        yield weights
        if number == STEPS:
            return
        parameter.grad = torch.tensor(course.gradient(weights), dtype=torch.float32)
        try:
            optimizer.step()
        except Exception:  # the checks tell of it
            return


def _spec(dialect: Dialect, course: Course, hyper: dict[str, Any]) -> Iterator[Floats]:
    w, state = course.w.astype(np.float32).astype(np.float64), START
    for _ in range(STEPS):
        made = step(dialect, FLOAT64, w, course.gradient(w).astype(np.float32).astype(np.float64), state, **hyper)
        w, state = made.w, made.state
        yield w


def _norms(weights: list[Floats]) -> list[float | None]:
    return [_finite(float(np.linalg.norm(w))) for w in weights]


def _effective(weights: list[Floats]) -> list[float | None]:
    """‖Δŵ‖ of each step (Eq. 5)."""
    units = [w / np.linalg.norm(w) for w in weights]
    return [_finite(float(np.linalg.norm(b - a))) for a, b in pairwise(units)]


def _ulps(got: Floats, expected: Floats) -> float | None:
    size = FLOAT32.ulp(float(np.max(np.abs(expected))))
    return _finite(float(np.max(np.abs(got - expected))) / size)


def _finite(x: float) -> float | None:
    return x if np.isfinite(x) else None
