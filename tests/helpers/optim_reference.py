"""SGDP and AdamP recomputed plainly in float64 numpy, and the rounding that separates two such computations."""

from __future__ import annotations

import math

import numpy as np
import torch


def gamma(n: float, dtype: type = np.float64) -> float:
    """Higham's γ_n = n u / (1 − n u) of a dtype."""
    u = float(np.finfo(dtype).eps) / 2
    return n * u / (1 - n * u)


def assert_within(actual, expected, n: float, size: float, dtype: type = np.float64) -> None:
    """Assert |actual − expected| ≤ γ_n · size, for n roundings of quantities no larger than size."""
    actual, expected = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert actual.shape == expected.shape
    worst = float(np.max(np.abs(actual - expected), initial=0.0))
    assert worst <= gamma(n, dtype) * size, f"off by {worst}, allowed {gamma(n, dtype) * size}:\n{actual}\n{expected}"


# Roundings behind one element of one step, in rows of up to 8: moments 5, quotient 9, projection 2·8 + 12, update 6.
STEP = 48


def assert_same_steps(actual, expected, steps: int) -> None:
    """Assert that two sound computations of the same steps, each rounded by itself, give the same tensor.

    Short dtypes compute in float32 and are rounded once a step for storage.
    """
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    storage = torch.finfo(expected.dtype)
    compute = np.float64 if expected.dtype is torch.float64 else np.float32
    stored = steps * storage.eps if storage.bits < 32 else 0.0
    actual, expected = actual.double().numpy(), expected.double().numpy()
    size = max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(actual - expected).max(initial=0.0))
    allowed = (gamma(2 * STEP * steps, compute) + stored) * size
    assert worst <= allowed, f"off by {worst}, allowed {allowed}:\n{actual}\n{expected}"


def views(shape):
    """The row shapes of the channel and of the layer view, for two or more dimensions."""
    return [(shape[0], -1), (1, -1)] if len(shape) > 1 else []


def decision(w, g, delta, margin=1e-6):
    """The first view that passes Eq. 11, or None; refuses problems within `margin` of the threshold."""
    for view in views(w.shape):
        passes = True
        for a, b in zip(w.reshape(view), g.reshape(view), strict=True):
            norms = np.linalg.norm(a) * np.linalg.norm(b)
            cos = abs(a @ b) / norms if norms > 0 else 0.0
            threshold = delta / math.sqrt(a.size)
            assert abs(cos - threshold) > margin * max(cos, threshold) or delta == 0, "too near the threshold"
            passes = passes and cos < threshold
        if passes:
            return view
    return None


def projection(w, x, view):
    """Eq. 10 in each row of a view."""
    out = []
    for a, b in zip(w.reshape(view), x.reshape(view), strict=True):
        out.append(b - (a @ b) / (a @ a) * a if np.any(a) else b)
    return np.stack(out).reshape(x.shape)


def sgdp(w, grads, *, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, delta=0.1, wd_ratio=0.1):
    """Weights, buffer and view after each step."""
    b = np.zeros_like(w)
    for g in grads:
        b = momentum * b + (1 - dampening) * g
        p = g + momentum * b if nesterov else b
        view = decision(w, g, delta)
        q = p if view is None else projection(w, p, view)
        r = 1 if view is None else wd_ratio
        decay = lr * weight_decay * r / (1 - momentum) if weight_decay else 0.0
        w = w * (1 - decay) - lr * q
        yield w, b, view


def adamp(w, grads, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, delta=0.1, wd_ratio=0.1, nesterov=False):
    """Weights, both moments and view after each step."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        p = (betas[0] * m + (1 - betas[0]) * g) if nesterov else m
        p = p / (np.sqrt(v) / math.sqrt(1 - betas[1] ** t) + eps)
        view = decision(w, g, delta)
        q = p if view is None else projection(w, p, view)
        r = 1 if view is None else wd_ratio
        w = w * (1 - lr * weight_decay * r) - lr / (1 - betas[0] ** t) * q
        yield w, m, v, view


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
