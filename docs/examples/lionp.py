"""An optimizer of one's own under every check: AdamP with Lion's update, which the paper does not have.

    tangency check lionp.py:LionP

The specification, what the checks must know of it, and the optimizer: three parts, written apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tangency.optim import projection
from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm, Update
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.hyperparameters import ASCENT, BETAS, DECAY, DELTA, RATIO
from tangency.theory.algorithms import START, State, Step, decayed, in_field, projected
from tangency.theory.fields import Array, Field, NotInField
from tangency.theory.projection import View


# The specification, over every number system: rationals, balls, floats.
def lion(field: Field, g: Array, state: State, lr: Any, betas: tuple[Any, Any]) -> tuple[Array, dict[str, Any], Any]:
    """Lion (Chen et al. 2023): p = sign(β₁m + (1−β₁)g), m ← β₂m + (1−β₂)g; with the step size of p."""
    m = state.get("exp_avg", field.zeros(g.shape))
    p = sign(field, betas[0] * m + (1 - betas[0]) * g)
    return p, {"exp_avg": betas[1] * m + (1 - betas[1]) * g}, lr


def sign(field: Field, x: Array) -> Array:
    """−1, 0 or 1 for every element, where the field can tell: entries of a tensor, as x's are."""
    signs, zero = np.zeros(x.shape, dtype=int), field.element(0)
    for index in np.ndindex(x.shape):
        below, above = field.less(x[index], zero), field.less(zero, x[index])
        if below is None or above is None:
            raise NotInField("the sign of an update is within rounding")
        signs[index] = above - below
    return field.array(signs)


@in_field
def lionp(
    field: Field,
    w: Array,
    g: Array,
    state: State = START,
    *,
    lr: Any,
    betas: tuple[Any, Any] = (0.9, 0.99),
    weight_decay: Any = 0,
    delta: Any = 0.1,
    wd_ratio: Any = 0.1,
    view: View | None = None,
) -> Step:
    """Lion's p; q by Eq. 11; w ← (1 − ηλr)w − ηq, with r as in §E.1."""
    p, new, lr = lion(field, g, state, lr, betas)
    step = projected(field, w, g, Step(w, new, p, p, lr), delta, view)
    return decayed(w, step, 1 - lr * weight_decay * (1 if step.view == View.NONE else wd_ratio))


# What the checks must know: the dialects are those of every algorithm that projects, for Lion itself has no choices.
def update(dialect: Dialect, field: Field, w: Array, g: Array, state: State, hyper: Mapping[str, Any]) -> Any:
    return lion(field, g, state, hyper["lr"], hyper["betas"])


LION = Update(
    name="lion",
    capability="lion",
    degree=0,
    hyper=(replace(BETAS, default=(0.9, 0.99)),),
    buffers=("exp_avg",),
    compute=update,
    recognised_by={"betas": (0.5, 0.75)},
    training={"lr": 0.01},
)
ALGORITHMS["lionp"] = Algorithm("lionp", lionp, LION, (*LION.hyper, DECAY, ASCENT, DELTA, RATIO), projects=True)


# The optimizer.
class LionP(torch.optim.Optimizer):
    """Lion whose updates are projected as AdamP's are."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        delta: float = 0.1,
        wd_ratio: float = 0.1,
        *,
        maximize: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("weight_decay", weight_decay), ("delta", delta), ("wd_ratio", wd_ratio)):
            if value < 0:
                raise ValueError(f"{name} is {value}; it must be at least 0")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas is {betas}; both must be in [0, 1)")
        options = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "delta": delta, "wd_ratio": wd_ratio}
        super().__init__(params, {**options, "maximize": maximize})

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
                    self._move(p, -p.grad if group["maximize"] else p.grad, group)
        return loss

    def _move(self, p: torch.Tensor, g: torch.Tensor, group: Mapping[str, Any]) -> None:
        if g.is_sparse:
            raise RuntimeError("LionP takes no sparse gradients")
        m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
        # Complex weights are pairs of reals, as torch.optim has them.
        w, g, m = (torch.view_as_real(x) if x.is_complex() else x for x in (p, g, m))
        (beta1, beta2), lr = group["betas"], group["lr"]
        direction = (beta1 * m + (1 - beta1) * g).sign()
        q, which = projection.project(w, g, direction, ndim=p.dim(), delta=group["delta"])
        kept = w
        if group["weight_decay"]:
            kept = projection.decay(w, lr * group["weight_decay"], which, group["wd_ratio"])
        w.copy_(kept - lr * q)
        m.mul_(beta2).add_(g, alpha=1 - beta2)
