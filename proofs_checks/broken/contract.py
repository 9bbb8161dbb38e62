"""Broken against what torch promises of a step: closures, graphs, in-place writes, gradients that stay as they are."""

from typing import Any

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP, AdamP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("closure-with-gradients")
class ClosureAsItIs(SGDP):
    """The closure runs without gradients."""

    def loss(self, closure: Any) -> Any:
        return closure()


@broken("closure-loss")
class NoLoss(SGDP):
    """The closure's loss is not returned."""

    def loss(self, closure: Any) -> Any:
        super().loss(closure)


@broken("step-leaves-no-graph")
class StateInGraph(SGDP):
    """The momentum buffer requires gradients."""

    def finish(self) -> None:
        for state in self.state.values():
            state["momentum_buffer"].requires_grad_()


@broken("step-in-place", "view-of-a-tensor")
class ReplacesMemory(SGDP):
    """The parameter is put into other memory before it is written."""

    def store(self, parameter: Tensor, new: Tensor) -> None:
        parameter.data = parameter.data.clone()
        super().store(parameter, new)


@broken("version-counter")
class UnseenWrites(SGDP):
    """The parameter is written where autograd does not see it."""

    def store(self, parameter: Tensor, new: Tensor) -> None:
        super().store(parameter.data, new)


@broken("algorithm-2", "gradient-untouched")
class ChangesTheGradient(AdamP):
    """``p.grad`` is scaled in place."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad, options)
        grad.mul_(0.5)


@broken("same-gradient-twice")
class SkipsKnownGradients(SGDP):
    """A gradient in the same tensor as the last one is skipped."""

    last: Tensor | None = None

    @torch.no_grad()
    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        if grad is not self.last:
            super().move(parameter, grad, options)
        self.last = grad
