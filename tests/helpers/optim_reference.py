"""Steps of SGDP and AdamP by the executable spec, with bounds on the rounding of a right computation."""

from __future__ import annotations

import math
from functools import cache

import flint
import numpy as np
import torch

from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import EXACT, balls
from tangency.theory.formats import FLOAT32, FLOAT64
from tangency.theory.projection import UndecidedView, choose_view
from tangency.theory.rounded import parts, rounded


def spec(name, w, grads, fmt=FLOAT64, **hyper):
    """Every step of an algorithm from w on, exactly, over numbers that carry the rounding of a format."""
    numbers = rounded(balls(), fmt)
    w, state = numbers.array(w), START
    for g in grads:
        step = ALGORITHMS[name](numbers, w, numbers.array(g), state, **hyper)
        w, state = step.w, step.state
        yield step


def is_decided(w, g, delta):
    """Whether Eq. 11 is so far from its threshold that every computation in float32 or better decides alike."""
    numbers = rounded(EXACT, FLOAT32)
    try:
        choose_view(numbers, numbers.array(w), numbers.array(g), numbers.element(delta))
    except UndecidedView:
        return False
    return True


def worst_share(actual, made):
    """The largest distance of numbers from exact ones, as a share of the bound on rounding."""
    exact, bound = map(np.asarray, parts(made))
    assert np.shape(actual) == exact.shape
    numbers, worst = balls(), 0.0
    with numbers.context():
        for x, y, limit in zip(np.ravel(actual), exact.ravel(), bound.ravel(), strict=True):
            error = abs(numbers.element(x if isinstance(x, flint.fmpq) else float(x)) - y)
            if error != 0:
                worst = max(worst, float(error / numbers.element(float(limit))) if limit > 0 else math.inf)
    return worst


def assert_within(actual, made):
    """Assert that a tensor equals exact numbers up to rounding."""
    worst = worst_share(actual, made)
    assert worst <= 1, f"{worst:.3g} times the bound:\n{actual}\n{parts(made)}"


@cache
def roundings(steps, fmt):
    """The error of steps, in units of u and the largest weight (at least 1): the worst of all problems below."""
    worst = 0.0
    for problem_name in PROBLEMS:
        w, grads = problem(problem_name)
        for name, hyper in (("sgdp", {"momentum": 0.75}), ("adamp", {}), ("adamp", {"betas": (0.5, 0.75)})):
            for nesterov in (False, True):
                given = {"lr": 0.125, "weight_decay": 0.25, "nesterov": nesterov, **hyper}
                *_, last = spec(name, w, [grads[t % 3] for t in range(steps)], fmt, **given)
                for of in (last.w, *(x for key, x in last.state.items() if key != "step")):
                    exact, bound = parts(of)
                    worst = max(worst, bound.max() / fmt.unit / max(1.0, *(abs(float(x)) for x in exact.flat)))
    return worst


def assert_same_steps(actual, expected, steps):
    """Assert that two computations of the same steps give the same tensor up to the rounding of both.

    Short dtypes compute in float32 and are rounded once a step for storage.
    """
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    storage = torch.finfo(expected.dtype)
    compute = FLOAT64 if expected.dtype is torch.float64 else FLOAT32
    stored = steps * storage.eps if storage.bits < 32 else 0.0
    actual, expected = actual.double().numpy(), expected.double().numpy()
    size = max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(actual - expected).max(initial=0.0))
    allowed = (2 * roundings(steps, compute) * compute.unit + stored) * size
    assert worst <= allowed, f"off by {worst}, allowed {allowed}:\n{actual}\n{expected}"


CHANNEL = ([[1.0, 2.0, 2.0], [3.0, -1.0, 0.5]], [[2.0, 1.0, -2.0], [1.0, 1.0, -4.0]])
"""Weights, and a gradient orthogonal to every row."""

LAYER = (CHANNEL[0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The gradient is orthogonal to the weights as a whole, not to the rows."""

NEITHER = (CHANNEL[0], [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])

VECTOR = ([3.0, 4.0], [-4.0, 3.0])
"""Orthogonal, but of one dimension."""

CONV = (
    [[[[1.0, -2.0], [0.5, 1.0]]], [[[2.0, 1.0], [-1.0, 3.0]]], [[[0.25, 1.0], [1.5, -1.0]]]],
    [[[[2.0, 1.0], [-2.0, 1.0]]], [[[1.0, 1.0], [3.0, 0.0]]], [[[4.0, 1.0], [2.0, 5.0]]]],
)
"""Three channels of (1, 2, 2); the gradient is orthogonal to each of them."""

PROBLEMS = {"channel": CHANNEL, "layer": LAYER, "neither": NEITHER, "vector": VECTOR, "conv": CONV}


def problem(name):
    """Weights and three gradients: the first decides as the name says, the others mix it with fixed noise."""
    w, g = (np.array(x) for x in PROBLEMS[name])
    ramp = np.linspace(-1.0, 1.5, w.size).reshape(w.shape)
    return w, [g, g + 0.75 * ramp, g * ramp[::-1]]
