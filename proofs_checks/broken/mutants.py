"""Small broken optimizers: each differs from a sound one in one line, and names the claims that must catch it.

A check that cannot fail is a defect. ``tangency verify --mutants`` runs every claim's implementation rung on every
mutant and prints who killed whom. The two sound optimizers they derive from, written as the published package is, must
survive all claims, so that a mutant dies of its own defect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tangency.proofs_checks.algorithms import ALGORITHMS
from tangency.proofs_checks.broken.sound import Rows, Small, SmallAdam
from tangency.proofs_checks.subjects import GROUPS, LARGE, Subject


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
    algorithm = ALGORITHMS["adamp" if issubclass(cls, SmallAdam) else "sgdp"]
    return Subject(
        name=f"tangency.proofs_checks.broken.mutants:{cls.__name__}",
        algorithm=algorithm.name,
        make=cls,
        capabilities=algorithm.capabilities | {GROUPS, LARGE},
        buffers=algorithm.buffers,
        imports=f"from tangency.proofs_checks.broken.mutants import {cls.__name__}",
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


# Settings: several parameters and groups, long runs, large parameters, short formats.


@mutant("algorithm-1")
class ConstructorsRatio(Small):
    """``wd_ratio`` is the constructor's, whatever the group says."""

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        return super().decay({**hyper, "wd_ratio": self.defaults["wd_ratio"]}, projected)


@mutant("algorithm-1")
class NoDecayWithATensorLr(Small):
    """There is no weight decay where lr is a tensor."""

    def decay(self, hyper: dict[str, Any], projected: bool) -> float:
        return 0.0 if isinstance(hyper["lr"], Tensor) else super().decay(hyper, projected)


@mutant("algorithm-1")
class VectorsThroughBfloat16(Small):
    """float16 vectors are rounded to bfloat16 before they are stored."""

    def rounded(self, new: Tensor, parameter: Tensor) -> Tensor:
        return new.bfloat16() if parameter.dtype is torch.float16 and parameter.ndim == 1 else new


@mutant("algorithm-1")
class FilledWithOnes(Small):
    """Parameters of a step are filled up to equally many rows with rows of ones, which Eq. 11 then sees."""

    def step(self, closure: Any = None) -> Any:
        self.most = max((len(p) for group in self.param_groups for p in group["params"] if p.ndim > 1), default=0)
        return super().step(closure)

    def _step(self, parameter: Tensor, grad: Tensor, hyper: dict[str, Any]) -> None:
        self.filled = parameter.ndim > 1 and len(parameter) < self.most
        super()._step(parameter, grad, hyper)

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return super().passes(cosines, threshold) and not (self.filled and threshold <= 1)


@mutant("algorithm-2")
class StopsCounting(SmallAdam):
    """The bias corrections stay where they are after step 6."""

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        return super().corrections(betas, min(t, 6))


@mutant("algorithm-1")
class ForgetsTheRest(Small):
    """Of a parameter of more than 2¹⁸ elements no more than the first 2¹⁸ move."""

    def rounded(self, new: Tensor, parameter: Tensor) -> Tensor:
        if parameter.numel() > 2**18:
            new = new.clone()
            new.view(-1)[2**18 :] = parameter.detach().view(-1)[2**18 :]
        return new


MUTANTS: tuple[Mutant, ...] = tuple(_FOUND)
