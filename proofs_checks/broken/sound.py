"""A sound SGDP and a sound AdamP, written as the published package is, small enough to break one method at a time."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

Options = dict[str, Any]
Rows = Callable[[Tensor], Tensor]
Number = float | Tensor
PATHS: Options = {"foreach": None, "fused": None, "capturable": False, "differentiable": False}  # all of them the loop


class SGDP(torch.optim.Optimizer):
    """A sound SGDP; :class:`AdamP` is the other form of it."""

    values: ClassVar[Options] = {
        "lr": 0.1, "momentum": 0.0, "dampening": 0.0, "nesterov": False, "eps": 1e-8,
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "maximize": False, **PATHS,
    }  # fmt: skip

    def __init__(self, params: Any, **given: Any) -> None:
        for name, value in given.items():
            if name not in self.values:
                raise TypeError(f"there is no argument {name!r}; there are {', '.join(self.values)}")
            if not self.valid(name, value):
                raise ValueError(f"{name} is {value!r}")
        super().__init__(params, {**self.values, **given})

    def valid(self, name: str, value: Any) -> bool:
        """Nothing but the dampening is negative, and no β is 1."""
        if name == "betas":
            return all(0 <= beta < 1 for beta in value)
        return value is None or name == "dampening" or bool(value >= 0)

    def options(self, group: Options) -> Options:
        """What a step knows of its group: all of it, as it is now."""
        return group

    # A step.

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step of every parameter that has a gradient."""
        loss = None if closure is None else self.loss(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, parameter.grad, self.options(group))
        self.finish()
        return loss

    def loss(self, closure: Any) -> Any:
        """The closure's loss, with gradients."""
        return torch.enable_grad()(closure)()

    def finish(self) -> None:
        """What is left to do when every parameter has moved: nothing."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        """One step of one parameter."""
        if grad.layout is not torch.strided:
            raise RuntimeError("sparse gradients are not supported")
        w, g = self.wide(parameter), self.wide(grad)
        state = self.state[parameter]
        moments = {name: self.wide(x) if isinstance(x, Tensor) else x for name, x in state.items()}
        seen = self.gradient(w, -g if options["maximize"] else g, options)
        q, lr = self.direction(moments, seen, options)
        evidence, projected = self.evidence(w, g, q, options), False
        if self.eligible(parameter.shape) and parameter.numel():
            for rows in self.views():
                threshold = self.threshold(options["delta"], rows(w).shape[1])
                if self.passes(self.cosine(rows(w), rows(evidence), options["eps"]), threshold):
                    q, projected = self.project(rows(w), rows(q), options["eps"]).reshape(q.shape), True
                    self.remember(moments, q)
                    break
        for name, moment in moments.items():
            state[name] = moment
            if isinstance(moment, Tensor):
                stored = torch.view_as_complex(moment.contiguous()) if parameter.is_complex() else moment
                state[name] = stored.to(parameter.dtype).clone()
        self.store(parameter, self.update(w, self.decay(options, projected), lr, q))

    def wide(self, x: Tensor) -> Tensor:
        """Half precision computes in float32; complex as pairs."""
        x = torch.view_as_real(x) if x.is_complex() else x
        return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

    def store(self, parameter: Tensor, new: Tensor) -> None:
        """In place, rounded once."""
        (torch.view_as_real(parameter) if parameter.is_complex() else parameter).copy_(new)

    # Eq. 11: the decision.

    def evidence(self, w: Tensor, g: Tensor, p: Tensor, options: Options) -> Tensor:
        """What is compared with w: the gradient."""
        return g

    def eligible(self, shape: torch.Size) -> bool:
        """Vectors are never projected."""
        return len(shape) >= 2

    def views(self) -> tuple[Rows, ...]:
        """Channel, then layer."""
        return (lambda x: x.reshape(x.shape[0], -1), lambda x: x.reshape(1, -1))

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

    def remember(self, state: Options, q: Tensor) -> None:
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
        "weight_decay": 0.0, "delta": 0.1, "wd_ratio": 0.1, "maximize": False, **PATHS,
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
