"""SGDP: SGD with momentum whose updates lose their radial component on scale-invariant weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT, required

from tangency.optim import loop
from tangency.optim.optimizer import ProjectedOptimizer
from tangency.optim.rule import Rule, slices
from tangency.optim.state import State

_REQUIRED = cast("float", required)


class SGDP(ProjectedOptimizer):
    """SGD with momentum, projected onto the tangent space of scale-invariant weights (Algorithm 1).

    With gradient g, weights w before the step, and a buffer b that starts at 0:

        b ← momentum · b + (1 − dampening) · g
        p = b, or g + momentum · b with Nesterov momentum
        q = Π p = p − (w·p / w·w) w   (Eq. 10)   if |w·g| < δ/√dim · ‖w‖‖g‖ in every row of a view (Eq. 11), else p
        w ← w (1 − lr · weight_decay · r / (1 − momentum)) − lr · q,   r = wd_ratio if projected, else 1

    The first of two views that passes is used: the channel view (dimension 0 is the channel, the rest is the row,
    dim its length) and the layer view (the whole parameter is one row). Parameters with fewer than two dimensions
    are never projected; a row with w = 0 or g = 0 passes. The buffer holds p before the projection, and none is
    kept while momentum is 0. Parameters shorter than float32 are computed in float32 and rounded once; a complex
    parameter counts as pairs of reals, its dimensions as the complex tensor's.

    Args:
        params: parameters to optimize, named parameters, or dicts of parameter groups.
        lr: step size η >= 0, a number or a tensor of one element; required here or in every group.
        momentum: β in [0, 1].
        dampening: any finite number; it applies to the first step too.
        weight_decay: decoupled weight decay, >= 0; not with momentum = 1.
        nesterov: use Nesterov momentum; unlike in torch.optim.SGD, with any momentum and dampening.
        eps: accepted for compatibility and without effect: Eqs. 10 and 11 are computed without an ε.
        delta: δ of Eq. 11, >= 0; with 0 nothing is projected.
        wd_ratio: factor on the weight decay of projected steps, in [0, 1].
        maximize: ascend instead of descend.
        foreach: step all tensors in batched operations; None: as torch.optim chooses (on GPUs, unless fused).
        fused: step in kernels of our own, on CPUs (numba) and GPUs (Triton); loads of torch.amp.GradScaler included.
        capturable: accepted as in torch.optim; a step never waits for the device, with or without it.
        differentiable: let autograd run through the step; the decision of Eq. 11 counts as constant.
        views: those that are tried in turn, as published; with the number of slices in a head between them, a row for
            each of so many consecutive slices of dimension 0 (attention with normalised queries and keys).

    Raises:
        TypeError: an argument of the wrong type, or an unknown one.
        ValueError: an argument out of its range.
        RuntimeError: more than one of foreach, fused and differentiable; in `step`, which then changes nothing, a
            gradient is sparse, or parameter, gradient and state differ in shape, device, memory or kind of dtype.

    Example:
        The gradient is orthogonal to the weights, the momentum is not; its radial part is removed.

        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
        >>> optimizer = SGDP([w], lr=0.5, momentum=0.5)
        >>> for g in ([-4.0, 3.0], [-2.0, 4.0]):
        ...     w.grad = torch.tensor([g], dtype=torch.float64)
        ...     optimizer.step()
        ...     print([round(x, 6) for x in w[0].tolist()])
        [5.0, 2.5]
        [6.5, -0.5]

    Reference:
        Heo et al., "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-Invariant Weights", ICLR 2021,
        §3.1, Algorithm 1, Appendix E.1.
    """

    state_names: ClassVar[tuple[str, ...]] = ("momentum_buffer",)
    renamed_state: ClassVar[dict[str, str]] = {"momentum": "momentum_buffer"}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = _REQUIRED,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        eps: float = 1e-8,
        delta: float = 0.1,
        wd_ratio: float = 0.1,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        views: Sequence[str | int] = ("channel", "layer"),
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "eps": eps,
            "delta": delta,
            "wd_ratio": wd_ratio,
            "views": views,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, options)

    def _state_of(self, p: Tensor, group: dict[str, Any]) -> State:
        if group["momentum"] == 0:
            # No buffer is made, but an existing one is kept up to date.
            return (self.state.get(p, {}).get("momentum_buffer"),)
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        return (state["momentum_buffer"],)

    def _rule(self, group: dict[str, Any]) -> Rule:
        momentum, weight_decay = group["momentum"], group["weight_decay"]
        return Rule(
            adaptive=False,
            beta1=momentum,
            fresh=1 - group["dampening"],
            ahead=1.0,
            nesterov=group["nesterov"],
            beta2=0.0,
            eps=0.0,
            weight_decay=weight_decay / (1 - momentum) if weight_decay else 0.0,
            wd_ratio=group["wd_ratio"],
            delta=group["delta"],
            maximize=group["maximize"],
            views=slices(group["views"]),
        )

    def _update(
        self, group: dict[str, Any], lr: float | Tensor, ndim: int, w: Tensor, g: Tensor, state: State
    ) -> tuple[Tensor, State]:
        return loop.sgdp(group, lr, ndim, w, g, state)
