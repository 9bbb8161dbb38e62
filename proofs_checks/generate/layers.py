"""Gradients of real torch layers with scale-invariant weights, for trials: what an optimizer receives in a network.

The gradient is torch's own, by autograd in float64, rounded once to the dtype of the trial.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate import strategies
from tangency.proofs_checks.generate.invariant_problems import integers
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.subjects import Subject
from tangency.theory.projection import View

# A gradient smaller than this share of its terms is the rounding error of an exact zero: it has no direction.
DUST = 2.0**-26


def _batch_norm(u: Tensor, groups: int) -> Tensor:
    # torch.nn.functional.batch_norm refuses ε = 0; this is the kernel below it.
    return torch.batch_norm(u, None, None, None, None, True, 0.1, 0.0, False)


# Kind of layer → the view whose rows are each scale-invariant, and the normalisation of u (batch, channels, positions).
NORMALISATIONS: Mapping[str, tuple[View, Callable[[Tensor, int], Tensor]]] = MappingProxyType(
    {
        "batch norm": (View.CHANNEL, _batch_norm),
        "instance norm": (View.CHANNEL, lambda u, groups: functional.instance_norm(u, eps=0.0)),
        "group norm": (View.LAYER, lambda u, groups: functional.group_norm(u, groups, eps=0.0)),
        "layer norm": (View.LAYER, lambda u, groups: functional.layer_norm(u, list(u.shape[1:]), eps=0.0)),
        "l2-normalised embedding": (View.LAYER, lambda u, groups: functional.normalize(u, dim=1, eps=0.0)),
    }
)
WEIGHT_NORM = "weight norm"
KINDS = (*NORMALISATIONS, WEIGHT_NORM)


@dataclass(frozen=True)
class Layer:
    """A linear layer and a normalisation with ε = 0, under the loss Σ a · y; callable as a gradient of trials.

    Attributes:
        kind: of ``KINDS``.
        inputs: x, shape (batch, fan_in, positions), as nested tuples.
        coefficients: a, shape (batch, channels, positions).
        groups: of channels, for group norm.
        skip: y = LN(Wx + x), of §4.5, which is not scale-invariant (channels = fan_in).
    """

    kind: str
    inputs: tuple[tuple[tuple[float, ...], ...], ...]
    coefficients: tuple[tuple[tuple[float, ...], ...], ...]
    groups: int = 1
    skip: bool = False

    @property
    def objective(self) -> "Layer":
        """Its own: as a gradient of trials, it is that of the layer's output."""
        return self

    @property
    def view(self) -> View:
        """The view whose rows are scale-invariant."""
        return View.CHANNEL if self.kind == WEIGHT_NORM else NORMALISATIONS[self.kind][0]

    def forward(self, w: Tensor) -> Tensor:
        """The layer's output, (batch, channels, positions), for weights (channels, fan_in)."""
        x = torch.tensor(self.inputs, dtype=w.dtype)
        if self.kind == WEIGHT_NORM:
            return torch._weight_norm(w, w.new_ones(len(w), 1), 0) @ x
        u = w @ x
        return NORMALISATIONS[self.kind][1](u + x if self.skip else u, self.groups)

    def __call__(self, w: Floats) -> Floats:
        weights = torch.tensor(w, dtype=torch.float64, requires_grad=True)
        loss = (torch.tensor(self.coefficients, dtype=torch.float64) * self.forward(weights)).sum()
        (gradient,) = torch.autograd.grad(loss, weights)
        return np.asarray(gradient.cpu().numpy(), dtype=np.float64)

    def has_direction(self, w: Floats) -> bool:
        """Whether the gradient is finite, and more than rounding, in every row."""
        g, spread = self(w), np.abs(np.array(self.coefficients)).sum() / max(np.max(np.abs(w), initial=0.0), 2.0**-1000)
        return bool(np.isfinite(g).all() and (np.max(np.abs(g), axis=1) > DUST * spread).all())


@st.composite
def layer_trials(draw: st.DrawFn, subject: Subject, /, *, skip: bool = False, **fixed: Any) -> Trial:
    """Trials of two or three steps on a layer; weights near a power of two, in every real dtype.

    From the second step on the update has a radial component that only a projection removes; Adam's has one at once.
    """
    kind = "layer norm" if skip else draw(st.sampled_from(KINDS))
    batch, channels, positions = draw(st.integers(1, 2)), draw(st.integers(2, 4)), draw(st.integers(3, 4))
    fan_in = channels if skip else draw(st.integers(2, 6))
    inputs, coefficients = draw(integers(batch, fan_in, positions)), draw(integers(batch, channels, positions))
    groups = draw(st.sampled_from([n for n in (1, 2) if channels % n == 0]))
    layer = Layer(kind, inputs, coefficients, groups, skip)
    dtype = draw(st.sampled_from(strategies.dtypes_of(subject, ("float64", "float32", "bfloat16", "float16"))))
    exponent = draw(st.integers(-4, 4))
    w = draw(
        integers(channels, fan_in).map(lambda rows: np.ldexp(np.array(rows), exponent)).filter(layer.has_direction)
    )
    hyper = draw(strategies.hyperparameters(subject, weight_decay=0.0, **fixed))
    steps = draw(st.integers(2, 3))
    return Trial((channels, fan_in), dtype, tuple(w.ravel().tolist()), (layer,) * steps, hyper)


def cosine(w: Floats, g: Floats) -> float:
    """|cos(w, g)| of two rows, 0 where one of them is zero."""
    norms = math.sqrt(float(w @ w)) * math.sqrt(float(g @ g))
    return abs(math.fsum(w * g)) / norms if norms else 0.0
