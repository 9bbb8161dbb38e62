"""Optimizers of torch with a projection put around their steps."""

from collections.abc import Callable
from typing import Any

import torch

from tangency.optim import projection


class Around(torch.optim.Optimizer):
    """Steps as its base does, without weight decay, and takes the radial part of the step back where Eq. 11 says so."""

    base: type[torch.optim.Optimizer]

    def __init__(self, params: Any, lr: float = 0.01, delta: float = 0.1, **more: Any) -> None:
        super().__init__(params, {"lr": lr, "delta": delta})
        self.inner = self.base(self.param_groups, lr=lr, weight_decay=0.0, **more)  # type: ignore[call-arg]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        before = [(group, p, p.clone()) for group in self.param_groups for p in group["params"] if p.grad is not None]
        self.inner.step()
        for group, p, w in before:
            q, _ = projection.project(w, p.grad, w - p, ndim=p.dim(), delta=group["delta"])
            p.copy_(w - q)


class AdagradP(Around):
    base = torch.optim.Adagrad


class MuonP(Around):
    base = torch.optim.Muon


class RMSpropP(Around):
    base = torch.optim.RMSprop


class SGDMomentumP(Around):
    """Momentum, which is an argument of both."""

    base = torch.optim.SGD

    def __init__(self, params: Any, lr: float = 0.01, delta: float = 0.1, momentum: float = 0.0) -> None:
        super().__init__(params, lr, delta, momentum=momentum)


class AddsBack(AdagradP):
    """Wrong: the step is stretched to its length before the projection."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        before = [(p, p.clone()) for group in self.param_groups for p in group["params"] if p.grad is not None]
        self.inner.step()
        for p, w in before:
            x = w - p
            q, _ = projection.project(w, p.grad, x, ndim=p.dim(), delta=self.defaults["delta"])
            size = q.norm()
            p.copy_(w - (q * (x.norm() / size) if size else q))
