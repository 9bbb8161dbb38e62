"""Broken in the decision of Eq. 11: which gradients count as orthogonal to their weights."""

import math
from typing import Any

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, Rows
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "eq-11", "threshold-inside-is-projected", slip="threshold = δ/dim")
class NoSquareRoot(SGDP):
    """The threshold is δ/dim: the square root of Eq. 11 is missing."""

    def threshold(self, delta: float, dim: int) -> float:
        return delta / dim


@broken("threshold-outside-is-kept", slip="threshold = δ")
class NoDimension(SGDP):
    """The threshold is δ, in every dimension."""

    def threshold(self, delta: float, dim: int) -> float:
        return delta


@broken("algorithm-1", "threshold-outside-is-kept", slip="threshold = δ/√rows")
class CountsRows(SGDP):
    """The threshold is made of the number of rows, not of their elements."""

    def threshold(self, delta: float, dim: int) -> float:
        return delta

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return super().passes(cosines, threshold / math.sqrt(len(cosines)))


@broken("huge-delta-projects-everything")
class CappedThreshold(SGDP):
    """The threshold is never above 0.9."""

    def threshold(self, delta: float, dim: int) -> float:
        return min(0.9, delta / math.sqrt(dim))


@broken("algorithm-1", "eq-11", slip="rows = mean")
class MeanOfChannels(SGDP):
    """A view passes if the mean cosine of its rows does, instead of every one."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return bool(cosines.mean() < threshold)


@broken("algorithm-1", "eq-11", "one-scale-variant-row-vetoes", slip="rows = any")
class AnyChannel(SGDP):
    """A view passes if one row does."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return bool(cosines.min() < threshold)


@broken("delta-zero-projects-nothing")
class PassesNearZero(SGDP):
    """A cosine that is nearly zero passes whatever the threshold is."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return bool(cosines.max() <= threshold + 2.0**-20)


@broken("algorithm-1", "eq-10", "eq-12", "proposition-3.1", "eq-01", slip="rows = never")
class NeverProjects(SGDP):
    """Plain momentum: Eq. 11 never passes."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return False


@broken("algorithm-1", "eq-11", "eq-02", slip="rows = always")
class AlwaysProjects(SGDP):
    """Every weight is projected, scale-invariant or not."""

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return True


@broken(
    *("algorithm-1", "eq-11", "both-signs-are-decided-alike", "antiparallel-gradients-are-kept"), slip="cosine = signed"
)
class SignedCosine(SGDP):
    """The cosine of Eq. 11 without the absolute value: antiparallel gradients pass."""

    def cosine(self, w: Tensor, g: Tensor, eps: float) -> Tensor:
        w, g = self.unit(w), self.unit(g)
        norms = ((w * w).sum(1) * (g * g).sum(1)).sqrt()
        return torch.where(norms == 0, norms, (w * g).sum(1) / norms)


@broken(
    *("algorithm-1", "eq-11", "eq-04"),
    *("large-eps-keeps-the-decision", "tiny-gradients-are-decided-as-large-ones"),
    slip="cosine_epsilon = clamped at ε",
)
class ClampedCosine(SGDP):
    """Norms below ε are clamped in the cosine: a small gradient looks orthogonal at any angle."""

    def cosine(self, w: Tensor, g: Tensor, eps: float) -> Tensor:
        return torch.nn.functional.cosine_similarity(w, g, dim=1, eps=eps).abs()


@broken("step-is-right-at-every-magnitude", "dead-channels-do-not-veto", "zero-channels-do-not-veto")
class UnguardedCosine(SGDP):
    """The cosine as it is printed: 0/0 of a row of zeros, and of squares that underflow."""

    def cosine(self, w: Tensor, g: Tensor, eps: float) -> Tensor:
        return (w * g).sum(1).abs() / ((w * w).sum(1) * (g * g).sum(1)).sqrt()


@broken("decision-is-by-the-gradient", slip="cosine_of = update")
class MomentumDecides(SGDP):
    """The momentum is compared with w, not the gradient."""

    def evidence(self, w: Tensor, g: Tensor, p: Tensor, options: Options) -> Tensor:
        return p


@broken("decision-ignores-weight-decay")
class DecayDecides(SGDP):
    """The gradient that is compared with w has the weight decay in it."""

    def evidence(self, w: Tensor, g: Tensor, p: Tensor, options: Options) -> Tensor:
        return g.add(w, alpha=options["weight_decay"])


@broken("algorithm-1", "eq-11", "channel-view-is-found", slip="views = layer")
class LayerOnly(SGDP):
    """The channel view is missing."""

    def views(self, options: Options) -> tuple[Rows, ...]:
        return super().views({"views": ("layer",)})


@broken("algorithm-1", "eq-11", "layer-view-is-found", slip="views = channel")
class ChannelOnly(SGDP):
    """The layer view is missing."""

    def views(self, options: Options) -> tuple[Rows, ...]:
        return super().views({"views": ("channel",)})


@broken("algorithm-1", "eq-11", slip="views = layer, channel")
class LayerFirst(SGDP):
    """The layer view is tried before the channel view."""

    def views(self, options: Options) -> tuple[Rows, ...]:
        return super().views(options)[::-1]


@broken("algorithm-1", "eq-11", slip="axis = second")
class WrongAxis(SGDP):
    """The channel is the second axis."""

    def views(self, options: Options) -> tuple[Rows, ...]:
        (layer,) = super().views({"views": ("layer",)})
        return (lambda x: x.transpose(0, 1).reshape(x.shape[1], -1), layer)


@broken("algorithm-1", "eq-11", "head-view-is-found")
class NoHeads(SGDP):
    """Views of heads are left out."""

    def views(self, options: Options) -> tuple[Rows, ...]:
        named = tuple(one for one in options["views"] if isinstance(one, str))
        return super().views({"views": named})


@broken("algorithm-1", "eq-11", "head-view-is-found")
class HeadsCounted(SGDP):
    """The number says how many heads there are, not how many slices a head has."""

    def rows(self, view: str | int, x: Tensor) -> Tensor:
        return super().rows(view if isinstance(view, str) else x.shape[0] // view, x)


@broken("algorithm-1", "eq-11", "vectors-are-never-projected", slip="rank = any")
class VectorsToo(SGDP):
    """Vectors (biases, gains) are projected as well."""

    def eligible(self, shape: torch.Size) -> bool:
        return len(shape) >= 1


@broken("algorithm-1")
class FilledWithOnes(SGDP):
    """Parameters of a step are filled up to equally many rows with rows of ones, which Eq. 11 then sees."""

    def step(self, closure: Any = None) -> Any:
        self.most = max((len(p) for group in self.param_groups for p in group["params"] if p.ndim > 1), default=0)
        return super().step(closure)

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        self.filled = parameter.ndim > 1 and len(parameter) < self.most
        super().move(parameter, grad, options)

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        return super().passes(cosines, threshold) and not (self.filled and threshold <= 1)
