"""AdamP: Adam whose updates lose their radial component on scale-invariant weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from tangency.optim import loop
from tangency.optim.optimizer import ProjectedOptimizer
from tangency.optim.rule import Rule, slices
from tangency.optim.state import State, step_device


class AdamP(ProjectedOptimizer):
    """Adam with decoupled weight decay, projected onto the tangent space of scale-invariant weights (Algorithm 2).

    With gradient g, weights w before the step t = 1, 2, …, and moments m and v that start at 0:

        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        p = m / (√v / √(1 − β₂ᵗ) + eps), with Nesterov momentum β₁ m + (1 − β₁) g in the place of m
        q = Π p = p − (w·p / w·w) w   (Eq. 10)   if |w·g| < δ/√dim · ‖w‖‖g‖ in every row of a view (Eq. 11), else p
        w ← w (1 − lr · weight_decay · r) − lr / (1 − β₁ᵗ) · q,   r = wd_ratio if projected, else 1

    Views, short dtypes and complex parameters are as in `SGDP`. The bias corrections are those of the
    published implementation; Algorithm 2 prints none.

    Args:
        params: parameters to optimize, named parameters, or dicts of parameter groups.
        lr: step size η >= 0, a number or a tensor of one element.
        betas: (β₁, β₂), each in [0, 1).
        eps: added to the denominator, >= 0; Eqs. 10 and 11 are computed without it.
        weight_decay: decoupled weight decay, >= 0.
        delta: δ of Eq. 11, >= 0; with 0 nothing is projected.
        wd_ratio: factor on the weight decay of projected steps, in [0, 1].
        nesterov: use Nesterov momentum.
        maximize: ascend instead of descend.
        foreach: step all tensors in batched operations; None: as torch.optim chooses (on GPUs, unless fused).
        fused: step in kernels of our own, on CPUs (numba) and GPUs (Triton); loads of torch.amp.GradScaler included.
        capturable: keep the step counter on the parameter's device, for graph capture.
        differentiable: let autograd run through the step; the decision of Eq. 11 counts as constant.
        views: those that are tried in turn, as published; with the number of slices in a head between them, a row for
            each of so many consecutive slices of dimension 0 (attention with normalised queries and keys).

    Raises:
        TypeError: an argument of the wrong type, or an unknown one.
        ValueError: an argument out of its range.
        RuntimeError: more than one of foreach, fused and differentiable; in `step`, which then changes nothing, a
            gradient is sparse, parameter, gradient and state differ in shape, device, memory or kind of dtype, or a
            graph is captured without capturable.

    Example:
        The gradient is orthogonal to the weights, Adam's update (-1, 1) is not; its radial part is removed.

        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
        >>> optimizer = AdamP([w], lr=0.25)
        >>> w.grad = torch.tensor([[-4.0, 3.0]], dtype=torch.float64)
        >>> optimizer.step()
        >>> [round(x, 6) for x in w[0].tolist()]
        [3.28, 3.79]

    Reference:
        Heo et al., "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-Invariant Weights", ICLR 2021,
        §3.1, Algorithm 2, Appendix E.1.
    """

    state_names: ClassVar[tuple[str, ...]] = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        delta: float = 0.1,
        wd_ratio: float = 0.1,
        nesterov: bool = False,
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
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "delta": delta,
            "wd_ratio": wd_ratio,
            "views": views,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, options)

    def _state_of(self, p: Tensor, group: dict[str, Any]) -> State:
        state, device = self.state[p], step_device(p, group)
        if state and state["step"].device != device and device.type != "cpu":
            # The group may have become capturable or fused since.
            state["step"] = state["step"].to(device)
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=device)
            state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        return tuple(state[name] for name in self.state_names)

    def _wrong_place(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> str | None:
        if p.is_cuda and not (group["capturable"] or group["fused"]) and torch.cuda.is_current_stream_capturing():
            return "capturing a graph of step() needs capturable=True, else t stays where it is"
        return super()._wrong_place(p, g, group)

    def _rule(self, group: dict[str, Any]) -> Rule:
        beta1, beta2 = group["betas"]
        return Rule(
            adaptive=True,
            beta1=beta1,
            fresh=1 - beta1,
            ahead=1 - beta1,
            nesterov=group["nesterov"],
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            wd_ratio=group["wd_ratio"],
            delta=group["delta"],
            maximize=group["maximize"],
            views=slices(group["views"]),
        )

    def _update(
        self, group: dict[str, Any], lr: float | Tensor, ndim: int, w: Tensor, g: Tensor, state: State
    ) -> tuple[Tensor, State]:
        return loop.adamp(group, lr, ndim, w, g, state)
