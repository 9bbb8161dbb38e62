"""SGDP in a few lines, and wrong in one of them each: what the checks of the decision and of inputs must find."""

import math

import torch
from torch import Tensor


class SGDP(torch.optim.Optimizer):
    """Right, so that each subclass is wrong in what it changes alone."""

    min_dims, channel, layer = 2, True, True

    def __init__(self, params, lr, momentum=0.0, eps=1e-8, weight_decay=0.0, delta=0.1, wd_ratio=0.1):
        given = {"momentum": momentum, "eps": eps, "weight_decay": weight_decay, "delta": delta, "wd_ratio": wd_ratio}
        super().__init__(params, {"lr": lr, **given})

    def limit(self, delta: float, dim: int) -> float:
        return delta / math.sqrt(dim)

    def passes(self, cosines: Tensor, limit: float) -> bool:
        return bool((cosines.abs() < limit).all())

    def cosines(self, w: Tensor, g: Tensor, eps: float) -> Tensor:
        return (_unit(w) * _unit(g)).sum(1)

    def without_radial(self, w: Tensor, p: Tensor, eps: float) -> Tensor:
        return p - (_unit(w) * p).sum(1, keepdim=True) * _unit(w)

    def evidence(self, g: Tensor, p: Tensor, w: Tensor, group: dict) -> Tensor:
        return g

    def taken(self, g: Tensor) -> Tensor:
        return g

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for w in group["params"]:
                g, state = self.taken(w.grad), self.state[w]
                buffer = state.setdefault("momentum_buffer", torch.zeros_like(w))
                buffer.mul_(group["momentum"]).add_(g)
                p, ratio, seen = buffer.clone(), 1.0, self.evidence(g, buffer, w, group)
                for rows in [len(w)] * self.channel + [1] * self.layer if w.ndim >= self.min_dims else []:
                    flat = w.reshape(rows, -1)
                    cosines = self.cosines(flat, seen.reshape(rows, -1), group["eps"])
                    if self.passes(cosines, self.limit(group["delta"], flat.shape[1])):
                        p = self.without_radial(flat, p.reshape(rows, -1), group["eps"]).reshape(w.shape)
                        ratio = group["wd_ratio"]
                        break
                w.mul_(1 - group["lr"] * group["weight_decay"] * ratio / (1 - group["momentum"]))
                w.sub_(group["lr"] * p)


def _unit(x: Tensor) -> Tensor:
    """Rows of length 1, or 0; no square leaves the range."""
    largest = x.abs().amax(1, keepdim=True)
    scaled = x / torch.where(largest == 0, 1, largest)
    length = scaled.norm(dim=1, keepdim=True)
    return scaled / torch.where(length == 0, 1, length)


class LayerOnlySGDP(SGDP):
    channel = False


class ChannelOnlySGDP(SGDP):
    layer = False


class NarrowSGDP(SGDP):
    def limit(self, delta, dim):
        return 0.5 * delta / math.sqrt(dim)


class WithoutDimSGDP(SGDP):
    def limit(self, delta, dim):
        return delta


class MeanSGDP(SGDP):
    def passes(self, cosines, limit):
        return bool((cosines.abs() < limit).any())


class InclusiveSGDP(SGDP):
    def passes(self, cosines, limit):
        return bool((cosines.abs() <= limit + 2.0**-20).all())


class CappedSGDP(SGDP):
    def limit(self, delta, dim):
        return min(0.9, delta / math.sqrt(dim))


class VectorSGDP(SGDP):
    min_dims = 1


class MomentumDecidesSGDP(SGDP):
    def evidence(self, g, p, w, group):
        return p


class CoupledSGDP(SGDP):
    def evidence(self, g, p, w, group):
        return g + group["weight_decay"] * w


class SignedSGDP(SGDP):
    def passes(self, cosines, limit):
        return bool((cosines < limit).all())


class ClampedSGDP(SGDP):
    def cosines(self, w, g, eps):
        return (w * g).sum(1) / (w.norm(dim=1) * g.norm(dim=1)).clamp(min=eps)


class EpsilonSGDP(SGDP):
    def without_radial(self, w, p, eps):
        unit = w / (w.norm(dim=1, keepdim=True) + eps)
        return p - (unit * p).sum(1, keepdim=True) * unit


class VetoSGDP(SGDP):
    def cosines(self, w, g, eps):
        return (w * g).sum(1) / (w.norm(dim=1) * g.norm(dim=1))


class NormalisedSGDP(SGDP):
    def taken(self, g):
        return g / g.norm() * g.norm()


class ScaledByWeightsSGDP(SGDP):
    def without_radial(self, w, p, eps):
        return p - w * (w * p).sum(1, keepdim=True) / (w * w).sum(1, keepdim=True)


class FrozenHalfSGDP(SGDP):
    def taken(self, g):
        return g * (g.dtype.itemsize > 2)
