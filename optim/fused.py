"""What the fused kernels for CPU and GPU share: hyper-parameters as numbers, and parameters as rows of memory.

A fused step makes two sweeps over a weight, since Eq. 11 asks every row before the first element may be written: row
statistics (w·g, ‖w‖², ‖g‖²), decision, then a row-fused update. `cpu.launch` and `gpu.launch` each have one function,
`step`, with the arguments of `Kernels` below; which of them runs is a matter of the device alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor

from tangency.optim.process import MAKING
from tangency.optim.projection import may_project
from tangency.optim.rule import Rule, real, wide, write
from tangency.optim.state import plain, wrong

# Device type to module; imported when first used, since each needs a compiler of its own.
MODULES = {"cpu": "tangency.optim.cpu.launch", "cuda": "tangency.optim.gpu.launch"}


class Rows(NamedTuple):
    """One parameter, its gradient and its state as rows × cols elements that lie in memory row after row.

    Attributes:
        w, g: weights and gradient, real, of one dtype and the same strides.
        state: the state tensors of the same dtype and strides: (m, v), (m,) or ().
        step: the step counter t, a float32 scalar, before this step; None where the rule is not adaptive.
        rows, cols: the channel view (Eq. 11): a row for each index of dimension 0, and its length.
        projects: whether Eq. 11 is asked at all: not with fewer than two dimensions (then there is one row).
    """

    w: Tensor
    g: Tensor
    state: tuple[Tensor, ...]
    step: Tensor | None
    rows: int
    cols: int
    projects: bool

    @property
    def addresses(self) -> tuple[int, int, int, int, int]:
        """Where w, g, m, v and the step counter lie; 0 for what there is not."""
        m, v = (*(x.data_ptr() for x in self.state), 0, 0)[:2]
        return self.w.data_ptr(), self.g.data_ptr(), m, v, 0 if self.step is None else self.step.data_ptr()


class Kernels(Protocol):
    """A module with the kernels for one kind of device."""

    @staticmethod
    def step(
        rule: Rule,
        weights: Sequence[Rows],
        lr: float | Tensor,
        grad_scale: Tensor | None = None,
        found_inf: Tensor | None = None,
    ) -> None:
        """Perform one step in place: weights, state and step counters; gradients are only read.

        Args:
            rule: the hyper-parameters.
            weights: parameters on one device, of one dtype (float16, bfloat16, float32 or float64) and with one number
                of state tensors, none of them empty.
            lr: step size, a number or a tensor of one element (on the device, or on the CPU).
            grad_scale: of torch.amp.GradScaler, on the device: gradients are divided by it as they are read.
            found_inf: of torch.amp.GradScaler, on the device: where it is not 0 nothing changes, no counter either.
        """


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
        RuntimeError: what GradScaler left is no single number.
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
    numbers = [float(number) for number in rule]
    number, tensor = (0.0, lr) if isinstance(lr, Tensor) else (float(lr), None)
    _opaque_step(params, state, grads, len(states), flat, numbers, number, tensor, grad_scale, found_inf)


@torch.library.custom_op("tangency::fused_step", mutates_args=("params", "state"))
def _opaque_step(
    params: Sequence[Tensor],
    state: Sequence[Tensor],
    grads: Sequence[Tensor],
    kinds: int,
    places: Sequence[int],
    numbers: Sequence[float],
    lr: float,
    tensor_lr: Tensor | None,
    grad_scale: Tensor | None,
    found_inf: Tensor | None,
) -> None:
    """One node of a compiled graph, which no compiler looks into: `_step` with its rule and states as flat lists."""
    states: list[list[Tensor | None]] = [[None] * len(params) for _ in range(kinds)]
    for place, kept in zip(places, state, strict=True):
        states[place // len(params)][place % len(params)] = kept
    rule = Rule(*numbers)  # type: ignore[arg-type]
    rule = rule._replace(adaptive=rule.adaptive == 1, nesterov=rule.nesterov == 1, maximize=rule.maximize == 1)
    names = ("step", "exp_avg", "exp_avg_sq") if rule.adaptive else ("momentum_buffer",)
    for i, p in enumerate(params):
        # What was so when the graph was made need not be so when it runs.
        own = {name: value for name, of in zip(names, states, strict=True) if (value := of[i]) is not None}
        found = wrong(p, grads[i], own) or wrong_place(p, grads[i], own)
        if not found and rule.adaptive and own["step"].device != p.device:
            found = f"its step is on {own['step'].device}; {p.device} was needed"
        if found:
            raise RuntimeError(f"parameter {i} of a compiled step: {found}")
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
        rows = _rows(rule, p, grads[i], state, t, copies)
        groups[rows.w.device, rows.w.dtype, len(state)].append(rows)
    for (device, _, _), weights in groups.items():
        kernels = _kernels(MODULES[device.type])
        scaler = (None if x is None else x.to(device, non_blocking=True) for x in (grad_scale, found_inf))
        kernels.step(rule, weights, lr, *scaler)
    for kept, value in copies:
        write(kept, value)
    # Kernels write past autograd: it must still know that saved weights are no longer what they were.
    torch.autograd.graph.increment_version([p for p in params if not p.is_inference()])


@cache
def _kernels(module: str) -> Kernels:
    with MAKING:
        return cast(Kernels, import_module(module))


def wrong_place(p: Tensor, g: Tensor, state: Mapping[str, Tensor]) -> str | None:
    """Say why no kernel can step a parameter where it is, or None."""
    if p.device.type not in MODULES:
        return f"it is on {p.device.type}; fused=True needs parameters on {' or '.join(MODULES)}"
    for x in (p, g, *state.values()):
        # A subclass with operations of its own (DTensor, say) has no memory of its own to give to a kernel.
        if not plain(x):
            return f"a {type(x).__name__} belongs to it; fused=True needs plain tensors"
    return None


def _rows(
    rule: Rule,
    p: Tensor,
    g: Tensor,
    state: tuple[Tensor, ...],
    t: Tensor | None,
    copies: list[tuple[Tensor, Tensor]],
) -> Rows:
    """The rows of one parameter: its own memory, or else wide copies, which `copies` says how to write back."""
    ndim = p.dim()
    kept = p.detach(), *state
    w, g, state = real(p), real(g), tuple(map(real, state))
    lazy = any(x.is_conj() for x in kept)
    if lazy or not (_in_rows(w) and _alike(g, w) and all(_alike(s, w) for s in state)):
        dtype = wide(w)
        w, *made = (x.to(dtype, memory_format=torch.contiguous_format, copy=True).resolve_neg() for x in (w, *state))
        g, state = g.to(dtype).contiguous().resolve_neg(), tuple(made)
        copies += zip(kept, (w, *state), strict=True)
    projects = may_project(w, ndim, rule.delta)
    rows = w.size(0) if projects else 1
    return Rows(w, g, state, t, rows, w.numel() // rows, projects)


def _alike(x: Tensor, w: Tensor) -> bool:
    """Whether an element of x lies where that of w does, in the same format."""
    return x.dtype is w.dtype and x.stride() == w.stride() and not x.is_neg()


def _in_rows(w: Tensor) -> bool:
    """Whether w fills its memory without gaps, dimension 0 outermost."""
    dense = w.is_contiguous() or (w.dim() == 4 and w.is_contiguous(memory_format=torch.channels_last))
    return dense and not w.is_neg()
