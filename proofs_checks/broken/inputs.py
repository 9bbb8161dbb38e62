"""Broken where values, shapes, dtypes or layouts are not the usual ones."""

from typing import Any

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("zero-gradient", "zero-gradient-step-is-right")
class ThroughTheNorm(SGDP):
    """The gradient is divided by its norm and multiplied with it: 0/0 of a gradient of zero."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        norm = g.square().sum().sqrt()
        return g / norm * norm


@broken("zero-weights")
class ScaledByTheNorm(SGDP):
    """The gradient is multiplied with the norm of the weights: weights of zero never move."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g * w.square().sum().sqrt()


@broken("finite-for-every-gradient")
class SquaresOverflow(SGDP):
    """‖g‖²/‖g‖² is taken for 1: it is ∞/∞ of a large gradient."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        square = (g * g).sum()
        return torch.where(square == 0, g, g * (square / square))


@broken("nan-spread", "inf-spread")
class SumsTheGradient(SGDP):
    """Every entry has 0 times the sum of all added, which is NaN where one is not finite."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g + 0 * g.sum()


@broken("empty-parameter")
class MaxOfNothing(SGDP):
    """The largest entry of the gradient is asked for, where there is none."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g * (g.abs().max() >= 0)


@broken("scalar-parameter")
class FirstDimension(SGDP):
    """The size of the first dimension is asked for, where there is none."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g.reshape(w.size(0), -1).reshape(w.shape)


@broken("short-dtypes")
class Widens(SGDP):
    """Half-precision parameters become float32 ones."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad, options)
        parameter.data = self.wide(parameter.data)


@broken("half-precision-steps-are-right")
class FrozenHalves(SGDP):
    """Half-precision gradients count as zero."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad * (grad.dtype.itemsize > 2), options)


@broken("mixed-dtypes")
class OneDtype(SGDP):
    """Every gradient goes through the dtype of the first parameter of the group."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g.to(options["params"][0].dtype).to(g.dtype)


@broken("parameter-layouts")
class ViewsWeights(SGDP):
    """Weights are viewed as a vector, which they are not in every layout."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        w.view(-1)
        return g


@broken("gradient-layouts")
class ViewsGradients(SGDP):
    """Gradients are viewed as vectors, which they are not in every layout."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g.view(-1).view(w.shape)


@broken("expanded-gradient")
class WritesGradients(SGDP):
    """The gradient is written in place, which is refused of one whose entries share their memory."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g.mul_(1.0)


@broken("complex-parameter")
class RealParts(SGDP):
    """The imaginary part of a complex gradient is dropped."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad.real.to(grad.dtype) if grad.is_complex() else grad, options)


@broken("sparse-gradient")
class UnclearRefusal(SGDP):
    """A sparse gradient is refused without saying so."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        if grad.layout is not torch.strided:
            raise RuntimeError("bad gradient")
        super().move(parameter, grad, options)


@broken("own-shapes", shapes=((130, 5),))
class ForgetsTheTail(SGDP):
    """A block of 128 rows is written, and no more, as by a kernel that is launched once too few."""

    def update(self, w: Tensor, decay: Any, lr: Any, q: Tensor) -> Tensor:
        new = super().update(w, decay, lr, q)
        return torch.cat([new[:128], w[128:]]) if w.dim() else new
