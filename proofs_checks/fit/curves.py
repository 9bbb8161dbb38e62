"""Runs of a target and of the paper's algorithm side by side, for figures: norms, effective steps, error in ulps."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Curve
from tangency.proofs_checks.fit.departures import STEPS, Course, courses, hyper, run
from tangency.proofs_checks.target.target import Target
from tangency.theory.formats import FLOAT32


def curves(target: Target, dialect: Dialect) -> tuple[Curve, ...]:
    """One curve a course on which the target runs.

    Args:
        dialect: the fitted one, whole: the error in ulps is measured from it, so that a departure from the paper shows
            in the norms and rounding alone in the ulps.
    """
    with np.errstate(all="ignore"):  # weights beyond the finite numbers end a curve
        return tuple(_curves(target, dialect))


def _curves(target: Target, dialect: Dialect) -> Iterator[Curve]:
    ordinary = hyper(target.algorithm)
    for course in courses()[:3]:
        try:
            weights = list(_weights(target, course, ordinary))
        except NotOffered:
            continue
        paper = [course.w, *run(course, target.algorithm.paper, ordinary, np.float32)]
        own = [course.w, *run(course, dialect, ordinary, np.float32)]
        yield Curve(
            course.name,
            {"norm": _norms(weights), "effective step": _effective(weights)},
            {"norm": _norms(paper), "effective step": _effective(paper)},
            [_ulps(got, expected) for got, expected in zip(weights, own, strict=False)],
        )


def _weights(target: Target, course: Course, given: dict[str, Any]) -> Iterator[Floats]:
    """The target's weights in float32, from the start on; fewer if it raises or leaves the finite numbers."""
    parameter = torch.nn.Parameter(torch.tensor(course.w, dtype=torch.float32))
    optimizer = target.make([parameter], **given)
    for number in range(STEPS + 1):
        weights = parameter.detach().double().cpu().numpy().copy()
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
