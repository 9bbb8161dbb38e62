"""One step of all parameters in kernels of our own, those of `cpu` or those of `gpu`.

A fused step makes two sweeps over a weight, since Eq. 11 needs every row before the first element may be written: row
statistics (w·g, ‖w‖², ‖g‖²), decision, then a row-fused update. `cpu.launch` and `gpu.launch` each have one function,
`step`, with the arguments of `rows.Kernels`; the device alone decides which of them runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import cast

import torch
from torch import Tensor

from tangency.optim.process import MAKING
from tangency.optim.rows import Kernels, Rows, rows_of
from tangency.optim.rule import Rule, undivided, write
from tangency.optim.state import plain, wrong

# Device type to module; imported when first used, since each needs a compiler of its own.
MODULES = {"cpu": "tangency.optim.cpu.launch", "cuda": "tangency.optim.gpu.launch"}


def step(
    rule: Rule,
    lr: float | Tensor,
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    states: Sequence[Sequence[Tensor | None]],
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
) -> None:
    """Perform one step in place, in kernels.

    Args:
        rule: the hyper-parameters.
        lr: step size, a number or a tensor of one element.
        params: parameters, on any CPU or GPU and of any dtype.
        grads: their gradients, which are only read.
        states: a list for each of the optimizer's `state_names`, with one entry a parameter; that of the step counters,
            of an adaptive rule, comes first.
        grad_scale: what gradients are divided by as they are read.
        found_inf: where it is not 0, nothing changes.

    Raises:
        RuntimeError: `grad_scale` or `found_inf` is not one float32 number.
    """
    for x in (grad_scale, found_inf):
        if x is not None and (x.numel() != 1 or x.dtype is not torch.float32):
            raise RuntimeError(f"grad_scale and found_inf must be one float32 number each, got {x!r}")
    if not torch.compiler.is_compiling():
        _step(rule, lr, params, grads, states, grad_scale, found_inf)
        return
    places = [(k, i) for k, kept in enumerate(states) for i, s in enumerate(kept) if s is not None]
    state = [cast("Tensor", states[k][i]) for k, i in places]
    flat = [k * len(params) + i for k, i in places]
    numbers = [float(number) for number in rule[:-1]]
    number, tensor = (0.0, lr) if isinstance(lr, Tensor) else (float(lr), None)
    _opaque_step(params, state, grads, len(states), flat, numbers, rule.views, number, tensor, grad_scale, found_inf)


@torch.library.custom_op("tangency::fused_step", mutates_args=("params", "state"))
def _opaque_step(
    params: Sequence[Tensor],
    state: Sequence[Tensor],
    grads: Sequence[Tensor],
    kinds: int,
    places: Sequence[int],
    numbers: Sequence[float],
    views: Sequence[int],
    lr: float,
    tensor_lr: Tensor | None,
    grad_scale: Tensor | None,
    found_inf: Tensor | None,
) -> None:
    """One node of a compiled graph, opaque to compilers: `_step` with its rule and states as flat lists."""
    states: list[list[Tensor | None]] = [[None] * len(params) for _ in range(kinds)]
    for place, kept in zip(places, state, strict=True):
        states[place // len(params)][place % len(params)] = kept
    rule = Rule(*numbers, views=tuple(views))  # type: ignore[misc, arg-type]
    rule = rule._replace(adaptive=rule.adaptive == 1, nesterov=rule.nesterov == 1, maximize=rule.maximize == 1)
    names = ("step", "exp_avg", "exp_avg_sq") if rule.adaptive else ("momentum_buffer",)
    for i, p in enumerate(params):
        # Checked again: what held when the graph was made need not hold when it runs.
        own = {name: value for name, of in zip(names, states, strict=True) if (value := of[i]) is not None}
        reason = wrong(p, grads[i], own) or wrong_place(p, grads[i], own) or undivided(p, views)
        if not reason and rule.adaptive and own["step"].device != p.device:
            reason = f"its step is on {own['step'].device}; {p.device} was needed"
        if reason:
            raise RuntimeError(f"parameter {i} of a compiled step: {reason}")
    _step(rule, lr if tensor_lr is None else tensor_lr, params, grads, states, grad_scale, found_inf)


def _step(
    rule: Rule,
    lr: float | Tensor,
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    states: Sequence[Sequence[Tensor | None]],
    grad_scale: Tensor | None,
    found_inf: Tensor | None,
) -> None:
    steps = states[0] if rule.adaptive else [None] * len(params)
    buffers = states[1:] if rule.adaptive else states
    groups: dict[tuple[torch.device, torch.dtype, int], list[Rows]] = defaultdict(list)
    copies: list[tuple[Tensor, Tensor]] = []
    for i, p in enumerate(params):
        t = steps[i]
        if p.numel() == 0:
            if t is not None:
                t += 1 if found_inf is None else found_inf.to(t.device) == 0
            continue
        state = tuple(buffer for kept in buffers if (buffer := kept[i]) is not None)
        rows = rows_of(rule, p, grads[i], state, t, copies)
        groups[rows.w.device, rows.w.dtype, len(state)].append(rows)
    for (device, _, _), weights in groups.items():
        kernels = _kernels(MODULES[device.type])
        scaler = (None if x is None else x.to(device, non_blocking=True) for x in (grad_scale, found_inf))
        kernels.step(rule, weights, lr, *scaler)
    for kept, value in copies:
        write(kept, value)
    # Kernels write without autograd: tell it that saved weights have changed.
    torch.autograd.graph.increment_version([p for p in params if not p.is_inference()])


@cache
def _kernels(module: str) -> Kernels:
    with MAKING:
        return cast(Kernels, import_module(module))


def wrong_place(p: Tensor, g: Tensor, state: Mapping[str, Tensor]) -> str | None:
    """Why no kernel can step a parameter on its device, or None."""
    if p.device.type not in MODULES:
        return f"it is on {p.device.type}; fused=True needs parameters on {' or '.join(MODULES)}"
    for x in (p, g, *state.values()):
        # A subclass with operations of its own (DTensor, say) has no memory of its own to give to a kernel.
        if not plain(x):
            return f"a {type(x).__name__} belongs to it; fused=True needs plain tensors"
    return None
