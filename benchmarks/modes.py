"""Weights and gradients with a chosen decision of Eq. 11: the three modes of a projecting step.

The cost of a step depends on what Eq. 11 decides, and random gradients leave it open: for rows of length
dim, |cos| is about 1/√dim, and the threshold 0.1/√dim. So gradients are made from the weights, an orthogonal part and
c·w in each row, far from the threshold on either side, and the decision is computed before anything is timed and again
after it. Timed steps are so small (`STILL`) that the weights, and with them the decisions, stay where they are.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tangency.benchmarks.shapes import Weight
from tangency.theory.projection import View

# "trained": as in a trained network, convolutions in front of a normalisation in the channel view, all else not at all;
# the others: every weight with two dimensions or more in that one.
MODES = ("trained", "channel", "layer", "none")
# What weights, gradients and moments may be stored in.
DTYPES = ("float32", "bfloat16", "float16", "float64")
DELTA = 0.1
STILL = 2.0**-40  # a step size


class WrongMode(ValueError):
    """Eq. 11 decides differently on these tensors, or too near its threshold."""


_VIEWS = {view.value: view for view in (View.CHANNEL, View.LAYER, View.NONE)}


def wanted(mode: str, weight: Weight) -> View:
    """The decision for a weight in a mode; the channel view if there is one row, where both views are the same."""
    if len(weight.shape) < 2:
        return View.NONE
    if mode == "trained":
        return View.CHANNEL if weight.scale_invariant else View.NONE
    return View.CHANNEL if mode == "layer" and weight.shape[0] == 1 else _VIEWS[mode]


def decided(w: Tensor, g: Tensor, delta: float = DELTA) -> View:
    """The view that Eq. 11 takes, in float64.

    Raises:
        WrongMode: a cosine that matters lies within a factor of 2 of the threshold.
    """
    if w.dim() < 2:
        return View.NONE
    for view in (View.CHANNEL, View.LAYER):
        rows = w.shape[0] if view == View.CHANNEL else 1
        x, y = w.detach().reshape(rows, -1).double(), g.reshape(rows, -1).double()
        cos = ((x * y).sum(1).abs() / (x.norm(dim=1) * y.norm(dim=1))).max().item()
        threshold = delta / math.sqrt(x.shape[1])
        if threshold / 2 < cos < threshold * 2:
            raise WrongMode(f"{tuple(w.shape)}: a cosine of {cos:.3g} is too near the threshold {threshold:.3g}")
        if cos < threshold:
            return view
    return View.NONE


def gradient(w: Tensor, view: View, generator: torch.Generator) -> Tensor:
    """A gradient of w, shape (rows, …), on which Eq. 11 decides for a view.

    Channel: orthogonal to every row. Layer: parts cᵢ wᵢ in the rows, with Σ cᵢ ‖wᵢ‖² = 0 and cᵢ near ±1. None: a cosine
    of 0.7 in every row.
    """
    x = w.detach().reshape(w.shape[0], -1).double()
    y = torch.randn(x.shape, generator=generator, device=x.device).double()
    square = (x * x).sum(1, keepdim=True)
    y -= (x * y).sum(1, keepdim=True) / square * x
    if view != View.CHANNEL:
        c = torch.ones_like(square)
        if view == View.LAYER:
            c[1::2] = -1
            c -= (c * square).sum() / square.sum()
        y += c * (y.norm(dim=1, keepdim=True) / square.sqrt() if view == View.NONE else 1.0) * x
    return y.reshape(w.shape).to(w.dtype)


def problem(
    weights: Sequence[Weight], mode: str, device: str = "cpu", dtype: str = "float32"
) -> list[torch.nn.Parameter]:
    """Parameters of a dtype with gradients in a mode, made on their device; `check` has been passed.

    Raises:
        WrongMode: a shape has no gradient in this mode (a row of one element is never orthogonal).
    """
    generator, kind = torch.Generator(device).manual_seed(0), getattr(torch, dtype)
    params = []
    for weight in weights:
        w = torch.randn(weight.shape, generator=generator, device=device).to(kind)
        if len(weight.shape) < 2:
            g = torch.randn(weight.shape, generator=generator, device=device).to(kind)
        else:
            g = gradient(w, wanted(mode, weight), generator)
        p = torch.nn.Parameter(w)
        p.grad = g
        params.append(p)
    check(weights, params, mode)
    return params


def check(weights: Sequence[Weight], params: Sequence[Tensor], mode: str) -> None:
    """Check that Eq. 11 decides on every parameter as the mode requires.

    Raises:
        WrongMode: it does not; the message names the first such parameter.
    """
    for weight, p in zip(weights, params, strict=True):
        assert p.grad is not None
        found, meant = decided(p, p.grad), wanted(mode, weight)
        if found is not meant:
            raise WrongMode(f"{weight.name} {weight.shape}: Eq. 11 decides {found.value}; meant was {meant.value}")
