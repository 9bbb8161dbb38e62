"""Broken in the weight decay of E.1."""

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, AdamP, Number
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "ledger", slip="decay = coupled")
class CoupledDecay(SGDP):
    """Weight decay as an L2 term in the gradient, through the momentum."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g.add(w, alpha=options["weight_decay"])

    def decay(self, options: Options, projected: bool) -> Number:
        return 0.0


@broken("algorithm-1", "decay-balance", slip="decay_ratio = none")
class DecayIgnoresProjection(SGDP):
    """``wd_ratio`` has no effect."""

    def decay(self, options: Options, projected: bool) -> Number:
        return super().decay(options, False)


@broken("algorithm-1", "equilibrium", slip="decay_scale = lr")
class DecayIgnoresMomentum(SGDP):
    """The decay is not divided by 1 − β."""

    def decay(self, options: Options, projected: bool) -> Number:
        return super().decay({**options, "momentum": 0.0}, projected)


@broken("algorithm-1", "ledger", "decay-balance", "equilibrium", slip="decay_order = after")
class DecaysAfterTheUpdate(SGDP):
    """Weight decay acts on the new weights."""

    def update(self, w: Tensor, decay: Number, lr: Number, q: Tensor) -> Tensor:
        return (1 - decay) * (w - lr * q)


@broken("algorithm-1")
class NoDecayWithATensorLr(SGDP):
    """There is no weight decay where lr is a tensor."""

    def decay(self, options: Options, projected: bool) -> Number:
        return 0.0 if isinstance(options["lr"], Tensor) else super().decay(options, projected)


@broken("algorithm-2", "decay-balance", slip="decay_ratio = none")
class DecayIgnoresProjectionInAdam(DecayIgnoresProjection, AdamP):
    """``wd_ratio`` has no effect, and a step turns as far as if it had none."""


@broken("missing-gradient")
class DecaysTheUnused(SGDP):
    """Parameters without a gradient decay."""

    @torch.no_grad()
    def finish(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    parameter.mul_(0.5)
