"""Broken in the step itself: its sign, its length, its precision, and which entries take it."""

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, Number
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "lemma-2.2", "rate", slip="sign = ascent")
class Ascends(SGDP):
    """The sign of the update is flipped."""

    def update(self, w: Tensor, decay: Number, lr: Number, q: Tensor) -> Tensor:
        return super().update(w, decay, -lr, q)


@broken("algorithm-1", "lemma-2.1", "lemma-2.2", "corollary-2.3", "eq-05", "rate", "dialect")
class HalfStep(SGDP):
    """The step size is halved."""

    def update(self, w: Tensor, decay: Number, lr: Number, q: Tensor) -> Tensor:
        return super().update(w, decay, lr / 2, q)


@broken("algorithm-1", "lemma-2.1", "eq-12")
class LowPrecision(SGDP):
    """The update is computed in bfloat16."""

    def update(self, w: Tensor, decay: Number, lr: Number, q: Tensor) -> Tensor:
        return super().update(w, decay, lr, q.bfloat16().to(q.dtype))


@broken("algorithm-1", "dialect")
class SinglePrecision(SGDP):
    """float64 weights are rounded to float32 before they are stored."""

    def store(self, parameter: Tensor, new: Tensor) -> None:
        super().store(parameter, new.float() if parameter.dtype is torch.float64 else new)


@broken("algorithm-1", "half-precision-steps-are-right")
class VectorsThroughBfloat16(SGDP):
    """float16 vectors are rounded to bfloat16 before they are stored."""

    def store(self, parameter: Tensor, new: Tensor) -> None:
        short = parameter.dtype is torch.float16 and parameter.ndim == 1
        super().store(parameter, new.bfloat16() if short else new)


@broken("algorithm-1")
class ForgetsTheRest(SGDP):
    """Of a parameter of more than 2¹⁸ elements no more than the first 2¹⁸ move."""

    def store(self, parameter: Tensor, new: Tensor) -> None:
        if parameter.numel() > 2**18:
            new = new.clone()
            new.view(-1)[2**18 :] = parameter.detach().view(-1)[2**18 :]
        super().store(parameter, new)


@broken("parameters-apart")
class GlobalNorm(SGDP):
    """Every gradient is divided by the squared norm of all weights together."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        total: Tensor = sum(p.square().sum() for group in self.param_groups for p in group["params"])
        return g / total
