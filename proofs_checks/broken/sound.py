"""A sound SGDP and a sound AdamP, written as the published package is, small enough to break one method at a time."""

import math
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from tangency.proofs_checks.target.contract import PATHS, Contract, Options
from tangency.theory.projection import VIEWS

Rows = Callable[[Tensor], Tensor]
Number = float | Tensor


class SGDP(Contract):
    """A sound SGDP; :class:`AdamP` is the other form of it."""

    values: ClassVar[Options] = {
        "lr": 0.1, "momentum": 0.0, "dampening": 0.0, "nesterov": False, "eps": 1e-8,
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "views": VIEWS, "maximize": False, **PATHS,
    }  # fmt: skip

    # A step.

    def after(self, w: Tensor, g: Tensor, state: Options, options: Options, shape: torch.Size) -> Tensor:
        """Moments, decision, projection, decay and update."""
        seen = self.gradient(w, -g if options["maximize"] else g, options)
        q, lr = self.direction(state, seen, options)
        evidence, projected = self.evidence(w, g, q, options), False
        if self.eligible(shape) and w.numel():
            for rows in self.views(options):
                threshold = self.threshold(options["delta"], rows(w).shape[1])
                if self.passes(self.cosine(rows(w), rows(evidence), options["eps"]), threshold):
                    q, projected = self.project(rows(w), rows(q), options["eps"]).reshape(q.shape), True
                    self.remember(state, q, options)
                    break
        return self.update(w, self.decay(options, projected), lr, q)

    # Eq. 11: the decision.

    def evidence(self, w: Tensor, g: Tensor, p: Tensor, options: Options) -> Tensor:
        """What is compared with w: the gradient."""
        return g

    def eligible(self, shape: torch.Size) -> bool:
        """Vectors are never projected."""
        return len(shape) >= 2

    def views(self, options: Options) -> tuple[Rows, ...]:
        """In turn, as published: channel, then layer."""
        return tuple(partial(self.rows, one) for one in options["views"])

    def rows(self, view: str | int, x: Tensor) -> Tensor:
        """The rows of a view: of a head, a row for so many consecutive slices."""
        if isinstance(view, str):
            return x.reshape(1 if view == "layer" else x.shape[0], -1)
        return x.reshape(x.shape[0] // view, -1)

    def unit(self, rows: Tensor) -> Tensor:
        """Rows over their largest entry, so that no product leaves the range."""
        size = rows.abs().amax(dim=1, keepdim=True)
        return rows / torch.where(size == 0, torch.ones_like(size), size)

    def cosine(self, w: Tensor, g: Tensor, eps: float) -> Tensor:
        """|cos(w, g)| of every row, without ε; 0 for a row of zeros."""
        w, g = self.unit(w), self.unit(g)
        norms = ((w * w).sum(1) * (g * g).sum(1)).sqrt()
        return torch.where(norms == 0, norms, (w * g).sum(1).abs() / norms)

    def threshold(self, delta: float, dim: int) -> float:
        """δ/√dim."""
        return delta / math.sqrt(dim)

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        """Every row passes."""
        return bool(cosines.max() < threshold)

    # Eq. 10: the projection.

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        """Eq. 10 for every row, without ε."""
        w = self.unit(w)
        square = (w * w).sum(1, keepdim=True)
        return x - torch.where(square == 0, square, (w * x).sum(1, keepdim=True) / square) * w

    def remember(self, state: Options, q: Tensor, options: Options) -> None:
        """What the buffer holds after the projection: what it held before."""

    # Eq. 7: the moments.

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        """The gradient that the moments see."""
        return g

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        """The moments, the update p and the step size."""
        momentum = options["momentum"]
        buffer = momentum * state.get("momentum_buffer", torch.zeros_like(g)) + (1 - options["dampening"]) * g
        state["momentum_buffer"] = buffer
        return (g + momentum * buffer if options["nesterov"] else buffer), options["lr"]

    # E.1: the decay and the update.

    def decay(self, options: Options, projected: bool) -> Number:
        """ηλr/(1−β)."""
        decayed: Number = options["lr"] * options["weight_decay"] * (options["wd_ratio"] if projected else 1.0)
        return decayed / (1 - options["momentum"]) if decayed else 0.0

    def update(self, w: Tensor, decay: Number, lr: Number, q: Tensor) -> Tensor:
        """w ← (1 − decay) w − ηq."""
        return (1 - decay) * w - lr * q


class AdamP(SGDP):
    """A sound AdamP."""

    values: ClassVar[Options] = {
        "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "nesterov": False,
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "views": VIEWS, "maximize": False, **PATHS,
    }  # fmt: skip

    def decay(self, options: Options, projected: bool) -> Number:
        """ηλr."""
        decayed: Number = options["lr"] * options["weight_decay"] * (options["wd_ratio"] if projected else 1.0)
        return decayed

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        """1 − β₁ᵗ and √(1 − β₂ᵗ)."""
        return 1 - betas[0] ** t, math.sqrt(1 - betas[1] ** t)

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        """√v/√(1 − β₂ᵗ) + ε."""
        return v.sqrt() / correction + eps

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        """Algorithm 2, lines 2–4, with bias correction."""
        beta1, beta2 = options["betas"]
        t = state["step"] = state.get("step", 0) + 1
        m = state["exp_avg"] = beta1 * state.get("exp_avg", torch.zeros_like(g)) + (1 - beta1) * g
        v = state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", torch.zeros_like(g)) + (1 - beta2) * g * g
        first, second = self.corrections((beta1, beta2), t)
        m = beta1 * m + (1 - beta1) * g if options["nesterov"] else m
        return m / self.denominator(v, second, options["eps"]), options["lr"] / first
