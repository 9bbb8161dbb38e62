"""One parameter after the other: Algorithms 1 and 2 as they are printed, in torch's own operations.

This is the readable version. `foreach` and `fused` take the same step for many parameters at once, from the numbers of
`rule.Rule`. Eqs. 10 and 11 are `project`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from tangency.optim.projection import decay, project
from tangency.optim.rule import bias_correction, counted, real, wide, write
from tangency.optim.state import State

# The new weights and state of one parameter, from lr, its number of dimensions, its weights, gradient and state.
Update = Callable[[float | Tensor, int, Tensor, Tensor, State], tuple[Tensor, State]]


def sgdp(
    group: Mapping[str, Any], lr: float | Tensor, ndim: int, w: Tensor, g: Tensor, state: State
) -> tuple[Tensor, State]:
    """Algorithm 1, with dampening, Nesterov momentum and weight decay; without side effects.

    Args:
        group: the options, named as those of `SGDP`.
        lr: step size η.
        ndim: number of dimensions of the parameter (a complex one has one fewer than its real view).
        w: the weights before the step, real, in the dtype of the computation.
        g: their gradient, likewise.
        state: the buffer; None where it starts at 0 and is not kept.

    Returns:
        The new weights, and the new buffer.
    """
    momentum = group["momentum"]
    (old,) = state
    fresh = (1 - group["dampening"]) * g
    buffer = fresh if old is None else momentum * old + fresh  # line 2
    p = g + momentum * buffer if group["nesterov"] else buffer
    q, projected = project(w, g, p, ndim=ndim, delta=group["delta"], views=group["views"])  # line 3
    if group["weight_decay"] != 0:
        w = decay(w, lr * group["weight_decay"] / (1 - momentum), projected, group["wd_ratio"])
    return w - lr * q, (buffer,)  # line 4


def adamp(
    group: Mapping[str, Any], lr: float | Tensor, ndim: int, w: Tensor, g: Tensor, state: State
) -> tuple[Tensor, State]:
    """Algorithm 2, with bias corrections, Nesterov momentum and weight decay; without side effects.

    Args:
        group: the options, named as those of `AdamP`.
        lr: step size η.
        ndim: number of dimensions of the parameter (a complex one has one fewer than its real view).
        w: the weights before the step, real, in the dtype of the computation.
        g: their gradient, likewise.
        state: the step counter t before this step, and the moments m and v.

    Returns:
        The new weights, and the new state.
    """
    beta1, beta2 = group["betas"]
    step, m, v = cast("tuple[Tensor, Tensor, Tensor]", state)
    step = counted(step) + 1
    m = beta1 * m + (1 - beta1) * g  # line 2
    v = beta2 * v + (1 - beta2) * g * g  # line 3
    denominator = _root(v) / bias_correction(beta2, step).sqrt().to(w.dtype) + group["eps"]
    p = (beta1 * m + (1 - beta1) * g if group["nesterov"] else m) / denominator  # line 4
    q, projected = project(w, g, p, ndim=ndim, delta=group["delta"], views=group["views"])  # line 5
    if group["weight_decay"] != 0:
        w = decay(w, lr * group["weight_decay"], projected, group["wd_ratio"])
    return w - (lr / bias_correction(beta1, step)).to(w.dtype) * q, (step, m, v)  # line 6


def _root(v: Tensor) -> Tensor:
    """√v; where v = 0 its derivative counts as 0, since m is 0 there too."""
    if not v.requires_grad:
        return v.sqrt()
    zero = v == 0
    return torch.where(zero, torch.zeros_like(v), torch.where(zero, torch.ones_like(v), v).sqrt())


def step(
    update: Update,
    group: Mapping[str, Any],
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    states: Sequence[Sequence[Tensor | None]],
) -> None:
    """Perform one step in place: widen, compute, round once on store.

    Args:
        update: the algorithm.
        group: the options; lr, maximize and differentiable are handled here, the others in `update`.
        params: parameters, on any devices and of any dtypes.
        grads: their gradients, which are only read.
        states: a list for each of the optimizer's `state_names`, with one entry a parameter.
    """
    lr = group["lr"]
    if isinstance(lr, Tensor):
        lr = lr.reshape(())
    for i, param in enumerate(params):
        if isinstance(lr, Tensor) and lr.device.type != "cpu":
            lr = lr.to(param.device, non_blocking=True)
        state = [kept[i] for kept in states]
        w = real(param)
        dtype = wide(w)
        w = w.to(dtype)
        if group["differentiable"]:
            # Autograd keeps w for the backward pass, and the store below writes over the parameter.
            w = w.clone()
        g = real(grads[i]).to(dtype)
        if group["maximize"]:
            g = -g
        wide_state = [None if s is None else real(s).to(dtype) for s in state]
        new_w, new_state = update(lr, param.dim(), w, g, wide_state)
        write(param, new_w)
        for kept, value in zip(state, new_state, strict=True):
            if kept is not None and value is not None:
                write(kept, value)
