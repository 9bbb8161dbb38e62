"""Another optimizer with a projection added: Lion, and Lion whose updates are projected as AdamP's are.

    tangency check projected_lion.py:LionP --base projected_lion.py:Lion

Nothing has to be said of Lion itself: it is run beside LionP, and says what its update is.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tangency.optim import projection


class Lion(torch.optim.Optimizer):
    """Lion (Chen et al. 2023): w ← (1 − ηλ)w − η sign(β₁m + (1−β₁)g), m ← β₂m + (1−β₂)g."""

    def __init__(self, params: Any, lr: float = 1e-4, betas: Any = (0.9, 0.99), weight_decay: float = 0.0, **more: Any):
        for name, value in {"lr": lr, "weight_decay": weight_decay, **more}.items():
            if value < 0:
                raise ValueError(f"{name} is {value}; it must be at least 0")
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, **more})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Perform one step; return the loss of the closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if p.grad.is_sparse:
                        raise RuntimeError("it takes no sparse gradients")
                    self.move(p, group)
        return loss

    def move(self, p: Tensor, group: dict[str, Any]) -> None:
        """One step of one parameter; complex ones are pairs of reals."""
        m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
        w, g, m = (torch.view_as_real(x) if x.is_complex() else x for x in (p, p.grad, m))
        beta1, beta2 = group["betas"]
        update, decay = self.projected(w, g, (beta1 * m + (1 - beta1) * g).sign(), p.dim(), group)
        w.mul_(1 - group["lr"] * decay).sub_(group["lr"] * update)
        m.mul_(beta2).add_(g, alpha=1 - beta2)

    def projected(self, w: Tensor, g: Tensor, update: Tensor, ndim: int, group: dict[str, Any]) -> tuple[Tensor, float]:
        """The update and its weight decay, as they are."""
        return update, group["weight_decay"]


class LionP(Lion):
    """Lion with the projection of Eqs. 10 and 11, and the weight decay of §E.1."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: Any = (0.9, 0.99),
        weight_decay: float = 0.0,
        delta: float = 0.1,
        wd_ratio: float = 0.1,
    ):
        super().__init__(params, lr, betas, weight_decay, delta=delta, wd_ratio=wd_ratio)

    def projected(self, w: Tensor, g: Tensor, update: Tensor, ndim: int, group: dict[str, Any]) -> tuple[Tensor, float]:
        """The projected update, and its weight decay."""
        q, which = projection.project(w, g, update, ndim=ndim, delta=group["delta"])
        ratio = group["wd_ratio"] if bool(which) else 1.0
        return q, group["weight_decay"] * ratio


class AsksTheUpdate(LionP):
    """With a slip: Eq. 11 looks at the update."""

    def projected(self, w: Tensor, g: Tensor, update: Tensor, ndim: int, group: dict[str, Any]) -> tuple[Tensor, float]:
        """The projected update, and its weight decay."""
        return super().projected(w, update, update, ndim, group)
