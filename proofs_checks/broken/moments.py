"""Broken in the moments: Eq. 7, and lines 2 to 4 of Algorithm 2."""

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, AdamP, Number
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "lemma-2.2-nesterov", "ledger", slip="momentum = βp + (1−β)g")
class AveragedMomentum(SGDP):
    """p ← βp + (1−β)g: an average in place of Eq. 7."""

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        return super().direction(state, (1 - options["momentum"]) * g, options)


@broken("algorithm-1", "lemma-2.2", "lemma-2.2-nesterov", "corollary-2.3", slip="momentum = g")
class ForgottenMomentum(SGDP):
    """The buffer is never carried over."""

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        state.pop("momentum_buffer", None)
        return super().direction(state, g, options)


@broken("algorithm-1", "lemma-2.2-nesterov", slip="nesterov = g + β·(p before)")
class NesterovLooksBack(SGDP):
    """The Nesterov update uses the buffer from before the step."""

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        before = state.get("momentum_buffer", torch.zeros_like(g))
        p, lr = super().direction(state, g, options)
        return (g + options["momentum"] * before if options["nesterov"] else p), lr


@broken("algorithm-1", "trajectory")
class ClipsTheGradient(SGDP):
    """A gradient longer than 1 is shortened to 1, so that a run depends on the scale of its weights."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        clipped: Tensor = g / torch.linalg.vector_norm(g).clamp(min=1)
        return clipped


@broken("maximize")
class MaximizesTwice(SGDP):
    """The gradient counts twice where it is ascended."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return 2 * g if options["maximize"] else g


@broken("zero-gradient-is-a-step")
class SkipsZeroGradients(SGDP):
    """A gradient of zero is no step."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        if grad.any():
            super().move(parameter, grad, options)


@broken("algorithm-2", slip="epsilon = inside the root")
class EpsilonInsideTheRoot(AdamP):
    """√(v + ε) in place of √v + ε."""

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        return (v / correction**2 + eps).sqrt()


@broken("algorithm-2", slip="epsilon = before correction")
class EarlyEpsilon(AdamP):
    """(√v + ε)/√(1 − β₂ᵗ) in place of √v/√(1 − β₂ᵗ) + ε."""

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        return (v.sqrt() + eps) / correction


@broken("algorithm-2", "eq-02", slip="epsilon = no root")
class NoRoot(AdamP):
    """The second moment is not rooted: m/(v + ε)."""

    def denominator(self, v: Tensor, correction: float, eps: float) -> Tensor:
        return v / correction + eps


@broken("algorithm-2", "ledger", slip="bias_correction = none")
class NoBiasCorrection(AdamP):
    """Algorithm 2 as printed, by an optimizer that claims to be the published one."""

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        return 1.0, 1.0


@broken("algorithm-2")
class StopsCounting(AdamP):
    """The bias corrections stay where they are after step 6."""

    def corrections(self, betas: tuple[float, float], t: int) -> tuple[float, float]:
        return super().corrections(betas, min(t, 6))


@broken("late-gradient")
class OneCount(AdamP):
    """All parameters share one step count."""

    count = 0

    def direction(self, state: Options, g: Tensor, options: Options) -> tuple[Tensor, Number]:
        state["step"] = self.count
        return super().direction(state, g, options)

    def finish(self) -> None:
        self.count += 1
