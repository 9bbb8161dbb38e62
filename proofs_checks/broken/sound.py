"""A sound SGDP and a sound AdamP, written as the published package is, small enough to break one method at a time."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

Rows = Callable[[Tensor], Tensor]


class Small(torch.optim.Optimizer):
    """A sound SGDP, small enough to break one method at a time; :class:`SmallAdam` is the AdamP beside it."""

    defaults_of: ClassVar[dict[str, Any]] = {
        "lr": 0.1, "momentum": 0.0, "dampening": 0.0, "nesterov": False,
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "maximize": False,
    }  # fmt: skip

    def __init__(self, params: Any, **hyper: Any) -> None:
        unknown = set(hyper) - set(self.defaults_of)
        if unknown:
            raise TypeError(f"unknown arguments {sorted(unknown)}; known are {sorted(self.defaults_of)}")
        super().__init__(params, {**self.defaults_of, **hyper})

    def views(self) -> tuple[Rows, ...]:
        """Channel, then layer."""
        return (lambda x: x.reshape(x.shape[0], -1), lambda x: x.reshape(1, -1))

    def unit(self, rows: Tensor) -> Tensor:
        """Rows over their largest entry, so that no product leaves the range."""
        size = rows.abs().amax(dim=1, keepdim=True)
        return rows / torch.where(size == 0, torch.ones_like(size), size)

    def cosine(self, w: Tensor, g: Tensor) -> Tensor:
        """|cos(w, g)| of every row; 0 for a row of zeros."""
        w, g = self.unit(w), self.unit(g)
        norms = ((w * w).sum(1) * (g * g).sum(1)).sqrt()
        return torch.where(norms == 0, norms, (w * g).sum(1).abs() / norms)

    def threshold(self, delta: float, dim: int) -> float:
        """δ/√dim (Eq. 11)."""
        return delta / math.sqrt(dim)

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        """Every row passes."""
        return bool(cosines.max() < threshold)

    def eligible(self, shape: torch.Size) -> bool:
        """Vectors are never projected."""
        return len(shape) >= 2

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        """Eq. 10 for every row."""
        w = self.unit(w)
        square = (w * w).sum(1, keepdim=True)
        return x - torch.where(square == 0, square, (w * x).sum(1, keepdim=True) / square) * w

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        """ηλr/(1−β) (E.1)."""
        ratio = hyper["wd_ratio"] if projected else 1.0
        decayed: float = hyper["lr"] * hyper["weight_decay"] * ratio
        return decayed / (1 - hyper["momentum"]) if decayed else 0.0

    def gradient(self, w: Tensor, g: Tensor, hyper: dict[str, Any]) -> Tensor:
        """The gradient that the moments see."""
        return g

    def direction(self, state: dict[str, Any], g: Tensor, hyper: dict[str, Any]) -> tuple[Tensor, float]:
        """The moments, the update p and the step size."""
        buffer = hyper["momentum"] * state.get("momentum_buffer", torch.zeros_like(g)) + (1 - hyper["dampening"]) * g
        state["momentum_buffer"] = buffer
        return (g + hyper["momentum"] * buffer if hyper["nesterov"] else buffer), hyper["lr"]

    def remember(self, state: dict[str, Any], q: Tensor) -> None:
        """What the buffer holds after the projection: what it held before."""

    def update(self, w: Tensor, decay: float, lr: float, q: Tensor) -> Tensor:
        """w ← (1 − decay) w − ηq."""
        return (1 - decay) * w - lr * q

    def rounded(self, new: Tensor, parameter: Tensor) -> Tensor:
        """The new weights as they are stored: rounded once, by the store."""
        return new

    def wide(self, x: Tensor) -> Tensor:
        """Half precision computes in float32; complex as pairs."""
        x = torch.view_as_real(x) if x.is_complex() else x
        return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step of every parameter that has a gradient."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, parameter.grad, group)
        return loss

    def _step(self, parameter: Tensor, grad: Tensor, hyper: dict[str, Any]) -> None:
        w, g = self.wide(parameter), self.wide(grad)
        state = self.state[parameter]
        moments = {name: self.wide(x) if isinstance(x, Tensor) else x for name, x in state.items()}
        seen = self.gradient(w, -g if hyper["maximize"] else g, hyper)
        q, lr = self.direction(moments, seen, hyper)
        projected = False
        if self.eligible(parameter.shape) and parameter.numel():
            for rows in self.views():
                threshold = self.threshold(hyper["delta"], rows(w).shape[1])
                if self.passes(self.cosine(rows(w), rows(g)), threshold):
                    q, projected = self.project(rows(w), rows(q)).reshape(q.shape), True
                    self.remember(moments, q)
                    break
        new = self.update(w, self.decay(hyper, projected), lr, q)
        for name, moment in moments.items():
            state[name] = moment
            if isinstance(moment, Tensor):
                stored = torch.view_as_complex(moment.contiguous()) if parameter.is_complex() else moment
                state[name] = stored.to(parameter.dtype).clone()
        (torch.view_as_real(parameter) if parameter.is_complex() else parameter).copy_(self.rounded(new, parameter))


class SmallAdam(Small):
    """A sound AdamP."""

    defaults_of: ClassVar[dict[str, Any]] = {
        "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "nesterov": False,
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "maximize": False,
    }  # fmt: skip

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        """ηλr (E.1)."""
        decayed: float = hyper["lr"] * hyper["weight_decay"] * (hyper["wd_ratio"] if projected else 1.0)
        return decayed

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        """1 − β₁ᵗ and √(1 − β₂ᵗ)."""
        return 1 - betas[0] ** t, math.sqrt(1 - betas[1] ** t)

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        """√v/√(1 − β₂ᵗ) + ε."""
        return v.sqrt() / correction + eps

    def direction(self, state: dict[str, Any], g: Tensor, hyper: dict[str, Any]) -> tuple[Tensor, float]:
        """Algorithm 2, lines 2–4, with bias correction."""
        beta1, beta2 = hyper["betas"]
        t = state["step"] = state.get("step", 0) + 1
        m = state["exp_avg"] = beta1 * state.get("exp_avg", torch.zeros_like(g)) + (1 - beta1) * g
        v = state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", torch.zeros_like(g)) + (1 - beta2) * g * g
        first, second = self.corrections((beta1, beta2), t)
        m = beta1 * m + (1 - beta1) * g if hyper["nesterov"] else m
        return m / self.denominator(v, second, hyper["eps"]), hyper["lr"] / first
