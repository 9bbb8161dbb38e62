"""Small broken optimizers: each differs from a sound one in one line, and names the claims that must catch it.

A check that cannot fail is a defect. ``tangency verify --mutants`` runs every claim's implementation rung on every
mutant and prints who killed whom. The two sound optimizers they derive from, written as the published package is, must
survive all claims, so that a mutant dies of its own defect.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from tangency.proofs_checks.engine.subjects import (
    ADAMP_BUFFERS,
    ADAMP_CAPABILITIES,
    SGDP_BUFFERS,
    SGDP_CAPABILITIES,
    Subject,
)

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
        (torch.view_as_real(parameter) if parameter.is_complex() else parameter).copy_(new)


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


@dataclass(frozen=True)
class Mutant:
    """A broken optimizer.

    Attributes:
        name: a short name.
        description: what is wrong with it.
        subject: the optimizer, with the capabilities that it claims to have.
        caught_by: ids of the claims that must fail on it.
    """

    name: str
    description: str
    subject: Subject
    caught_by: frozenset[str]


def _subject(cls: type[Small]) -> Subject:
    adaptive = issubclass(cls, SmallAdam)
    return Subject(
        name=f"tangency.proofs_checks.mutants:{cls.__name__}",
        algorithm="adamp" if adaptive else "sgdp",
        make=cls,
        capabilities=ADAMP_CAPABILITIES if adaptive else SGDP_CAPABILITIES,
        buffers=ADAMP_BUFFERS if adaptive else SGDP_BUFFERS,
        imports=f"from tangency.proofs_checks.mutants import {cls.__name__}",
        expression=cls.__name__,
    )


SOUND: tuple[Subject, ...] = (_subject(Small), _subject(SmallAdam))
_FOUND: list[Mutant] = []


def mutant(*caught_by: str) -> Callable[[type[Small]], type[Small]]:
    """Register a broken optimizer, whose docstring says what is wrong, with the claims that must catch it."""

    def register(cls: type[Small]) -> type[Small]:
        description = (cls.__doc__ or "").strip()
        _FOUND.append(Mutant(cls.__name__, description, _subject(cls), frozenset(caught_by)))
        return cls

    return register


# Eq. 11: the decision.


@mutant("algorithm-1", "eq-11")
class NoSquareRoot(Small):
    """The threshold is δ/dim: the square root of Eq. 11 is missing."""

    def threshold(self, delta: float, dim: int) -> float:
        return delta / dim


@mutant("algorithm-1", "eq-11")
class MeanOfChannels(Small):
    """A view passes if the mean cosine of its rows does, instead of every one."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return bool(cosines.mean() < threshold)


@mutant("algorithm-1", "eq-11")
class AnyChannel(Small):
    """A view passes if one row does."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return bool(cosines.min() < threshold)


@mutant("algorithm-1", "eq-11")
class SignedCosine(Small):
    """The cosine of Eq. 11 without the absolute value: antiparallel gradients pass."""

    def cosine(self, w: Tensor, g: Tensor) -> Tensor:
        w, g = self.unit(w), self.unit(g)
        norms = ((w * w).sum(1) * (g * g).sum(1)).sqrt()
        return torch.where(norms == 0, norms, (w * g).sum(1) / norms)


@mutant("algorithm-1", "eq-11", "eq-04")
class ClampedCosine(Small):
    """Norms below 1e-8 are clamped in the cosine: a small gradient looks orthogonal at any angle."""

    def cosine(self, w: Tensor, g: Tensor) -> Tensor:
        return torch.nn.functional.cosine_similarity(w, g, dim=1, eps=1e-8).abs()


@mutant("algorithm-1", "eq-11")
class LayerOnly(Small):
    """The channel view is missing."""

    def views(self) -> tuple[Rows, ...]:
        return (lambda x: x.reshape(1, -1),)


@mutant("algorithm-1", "eq-11")
class ChannelOnly(Small):
    """The layer view is missing."""

    def views(self) -> tuple[Rows, ...]:
        return (lambda x: x.reshape(x.shape[0], -1),)


@mutant("algorithm-1", "eq-11")
class LayerFirst(Small):
    """The layer view is tried before the channel view."""

    def views(self) -> tuple[Rows, ...]:
        return super().views()[::-1]


@mutant("algorithm-1", "eq-11")
class WrongAxis(Small):
    """The channel is the second axis."""

    def views(self) -> tuple[Rows, ...]:
        return (lambda x: x.transpose(0, 1).reshape(x.shape[1], -1), lambda x: x.reshape(1, -1))


@mutant("algorithm-1", "eq-11")
class VectorsToo(Small):
    """Vectors (biases, gains) are projected as well."""

    def eligible(self, shape: torch.Size) -> bool:
        return len(shape) >= 1


# Eq. 10: the projection.


@mutant("algorithm-1", "eq-10", "eq-12", "proposition-3.1", "eq-01")
class NeverProjects(Small):
    """Plain momentum: Eq. 11 never passes."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return False


@mutant("algorithm-1", "eq-11", "eq-02")
class AlwaysProjects(Small):
    """Every weight is projected, scale-invariant or not."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return True


@mutant("algorithm-1", "eq-10", "eq-12", "eq-05")
class AddsTheRadialPart(Small):
    """The sign of Eq. 10 is flipped: the radial component is doubled."""

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        return 2 * x - super().project(w, x)


@mutant("algorithm-1", "eq-10", "eq-12")
class UnnormalisedProjection(Small):
    """w is not normalised in Eq. 10: x − (w·x) w."""

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        return x - (w * x).sum(1, keepdim=True) * w


@mutant("algorithm-2", "eq-10", "eq-04")
class EpsilonInTheNorm(SmallAdam):
    """ε is added to the norm in Eq. 10, as the published package does: a small weight keeps its radial component."""

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        unit: Tensor = w / (torch.linalg.vector_norm(w, dim=1, keepdim=True) + 1e-8)
        return x - (unit * x).sum(1, keepdim=True) * unit


@mutant("algorithm-1", "proposition-3.1", "eq-12")
class RescaledProjection(Small):
    """The projected update is stretched to the norm of the original one."""

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        q = super().project(w, x)
        before, after = (torch.linalg.vector_norm(rows, dim=1, keepdim=True) for rows in (x, q))
        return q * torch.where(after == 0, after, before / after)


# Eq. 7 and Algorithm 2: the moments.


@mutant("algorithm-1")
class ProjectedBuffer(Small):
    """The momentum buffer keeps the projected update."""

    def remember(self, state: dict[str, Any], q: Tensor) -> None:
        state["momentum_buffer"] = q.clone()


@mutant("algorithm-1", "lemma-2.2-nesterov")
class AveragedMomentum(Small):
    """p ← βp + (1−β)g: an average in place of Eq. 7."""

    def direction(self, state: dict[str, Any], g: Tensor, hyper: dict[str, Any]) -> tuple[Tensor, float]:
        return super().direction(state, (1 - hyper["momentum"]) * g, hyper)


@mutant("algorithm-1", "lemma-2.2", "lemma-2.2-nesterov", "corollary-2.3")
class ForgottenMomentum(Small):
    """The buffer is never carried over."""

    def direction(self, state: dict[str, Any], g: Tensor, hyper: dict[str, Any]) -> tuple[Tensor, float]:
        state.pop("momentum_buffer", None)
        return super().direction(state, g, hyper)


@mutant("algorithm-1", "lemma-2.2-nesterov")
class NesterovLooksBack(Small):
    """The Nesterov update uses the buffer from before the step."""

    def direction(self, state: dict[str, Any], g: Tensor, hyper: dict[str, Any]) -> tuple[Tensor, float]:
        before = state.get("momentum_buffer", torch.zeros_like(g))
        p, lr = super().direction(state, g, hyper)
        return (g + hyper["momentum"] * before if hyper["nesterov"] else p), lr


@mutant("algorithm-2")
class EpsilonInsideTheRoot(SmallAdam):
    """√(v + ε) in place of √v + ε."""

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        return (v / correction**2 + eps).sqrt()


@mutant("algorithm-2")
class NoRoot(SmallAdam):
    """The second moment is not rooted: m/(v + ε)."""

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        return v / correction + eps


@mutant("algorithm-2")
class NoBiasCorrection(SmallAdam):
    """Algorithm 2 as printed, by an optimizer that claims to be the published one."""

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        return 1.0, 1.0


@mutant("algorithm-2", "eq-10")
class GradientProjected(SmallAdam):
    """The gradient is projected before the moments, and the update is not."""

    def gradient(self, w: Tensor, g: Tensor, hyper: dict[str, Any]) -> Tensor:
        if w.ndim < 2 or not w.numel():
            return g
        rows = self.views()[0]
        return super().project(rows(w), rows(g)).reshape(g.shape)

    def project(self, w: Tensor, x: Tensor) -> Tensor:
        return x


# Eq. 11, E.1: the update and the decay.


@mutant("algorithm-1")
class CoupledDecay(Small):
    """Weight decay as an L2 term in the gradient, through the momentum."""

    def gradient(self, w: Tensor, g: Tensor, hyper: dict[str, Any]) -> Tensor:
        coupled: Tensor = g + hyper["weight_decay"] * w
        return coupled

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        return 0.0


@mutant("algorithm-1")
class DecayIgnoresProjection(Small):
    """``wd_ratio`` has no effect."""

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        return super().decay(hyper, False)


@mutant("algorithm-1")
class DecayIgnoresMomentum(Small):
    """The decay is not divided by 1 − β."""

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        return super().decay({**hyper, "momentum": 0.0}, projected)


@mutant("algorithm-1")
class DecaysAfterTheUpdate(Small):
    """Weight decay acts on the new weights."""

    def update(self, w: Tensor, decay: float, lr: float, q: Tensor) -> Tensor:
        return (1 - decay) * (w - lr * q)


@mutant("algorithm-1", "lemma-2.2", "rate")
class Ascends(Small):
    """The sign of the update is flipped."""

    def update(self, w: Tensor, decay: float, lr: float, q: Tensor) -> Tensor:
        return super().update(w, decay, -lr, q)


@mutant("algorithm-1", "lemma-2.1", "lemma-2.2", "corollary-2.3", "eq-05", "rate")
class HalfStep(Small):
    """The step size is halved."""

    def update(self, w: Tensor, decay: float, lr: float, q: Tensor) -> Tensor:
        return super().update(w, decay, lr / 2, q)


@mutant("algorithm-1", "lemma-2.1", "eq-12")
class LowPrecision(Small):
    """The update is computed in bfloat16."""

    def update(self, w: Tensor, decay: float, lr: float, q: Tensor) -> Tensor:
        return super().update(w, decay, lr, q.bfloat16().to(q.dtype))


@mutant("algorithm-2")
class ChangesTheGradient(SmallAdam):
    """``p.grad`` is scaled in place."""

    def _step(self, parameter: Tensor, grad: Tensor, hyper: dict[str, Any]) -> None:
        super()._step(parameter, grad, hyper)
        grad.mul_(0.5)


MUTANTS: tuple[Mutant, ...] = tuple(_FOUND)
