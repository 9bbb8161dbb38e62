"""Broken in the projection of Eq. 10: what is taken from an update, and from what else."""

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, AdamP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "eq-10", "eq-12", "eq-05", slip="projection = added")
class AddsTheRadialPart(SGDP):
    """The sign of Eq. 10 is flipped: the radial component is doubled."""

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        return 2 * x - super().project(w, x, eps)


@broken("algorithm-1", "eq-10", "eq-12", slip="projection = w not normalised")
class UnnormalisedProjection(SGDP):
    """w is not normalised in Eq. 10: x − (w·x) w."""

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        return x - (w * x).sum(1, keepdim=True) * w


@broken("algorithm-1", "large-eps-leaves-no-radial-part", slip="norm_epsilon = added")
class AddedNorm(SGDP):
    """ε is added to the norm in Eq. 10."""

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        unit: Tensor = w / (torch.linalg.vector_norm(w, dim=1, keepdim=True) + eps)
        return x - (unit * x).sum(1, keepdim=True) * unit


@broken(
    *("algorithm-2", "eq-01", "eq-04", "eq-05", "eq-10", "eq-11", "eq-12", "proposition-3.1", "rate", "trajectory"),
    *("large-eps-leaves-no-radial-part", "tiny-weights-are-decided-as-large-ones"),
    slip="norm_epsilon = added",
)
class EpsilonInTheNorm(AddedNorm, AdamP):
    """ε is added to the norm in Eq. 10, as the published package does: a small weight keeps its radial component."""


@broken("zero-weights-step-is-right", "zero-weights")
class UnguardedProjection(SGDP):
    """Eq. 10 as it is printed: 0/0 of weights that are all zero."""

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        return x - (w * x).sum(1, keepdim=True) / (w * w).sum(1, keepdim=True) * w


@broken("algorithm-1", "proposition-3.1", "eq-12", slip="projection = rescaled")
class RescaledProjection(SGDP):
    """The projected update is stretched to the norm of the original one."""

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        q = super().project(w, x, eps)
        before, after = (torch.linalg.vector_norm(rows, dim=1, keepdim=True) for rows in (x, q))
        return q * torch.where(after == 0, after, before / after)


@broken("algorithm-1", "momentum-unprojected", slip="buffer = projected")
class ProjectedBuffer(SGDP):
    """The momentum buffer keeps the projected update where it is the update, as in the published package."""

    def remember(self, state: Options, q: Tensor, options: Options) -> None:
        if not options["nesterov"]:
            state["momentum_buffer"] = q.clone()


@broken("algorithm-2", "eq-10")
class GradientProjected(AdamP):
    """The gradient is projected before the moments, and the update is not."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        if w.ndim < 2 or not w.numel():
            return g
        rows = self.views(options)[0]
        return super().project(rows(w), rows(g), options["eps"]).reshape(g.shape)

    def project(self, w: Tensor, x: Tensor, eps: float) -> Tensor:
        return x
