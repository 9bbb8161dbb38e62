"""The state of a parameter, and the requirements on its tensors, checked on every path before the first write.

Kernels receive addresses. With a tensor that is smaller than its shape, in another format or without memory they would
write outside of it; the other paths would broadcast it, or fail half way.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

_REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
DTYPES = (*_REAL, torch.complex32, torch.complex64, torch.complex128)
COUNTER = "step"

# A tensor for each name in an optimizer's `state_names`; None where it keeps none.
State = Sequence[Tensor | None]


def plain(x: Tensor) -> bool:
    """Whether operations and memory of a tensor are torch's own; those of DTensor, say, are not."""
    return type(x) in (Tensor, Parameter) or type(x).__torch_dispatch__ is Tensor.__torch_dispatch__


def wrong(p: Tensor, g: Tensor, state: Mapping[str, Any]) -> str | None:
    """Why a parameter cannot be stepped.

    Args:
        p: the parameter.
        g: its gradient.
        state: its state by name, or nothing if it has none yet.

    Returns:
        The first wrong property and what was needed, or None.
    """
    if _usual(p, g, state):
        return None
    if p.dtype not in DTYPES:
        return f"it is {p.dtype}; supported are {', '.join(str(dtype).removeprefix('torch.') for dtype in DTYPES)}"
    tensors = {"its gradient": g}
    for name, value in state.items():
        if not isinstance(value, Tensor):
            return f"its {name} is {reprlib.repr(value)} ({type(value).__name__}); a tensor was needed"
        if name == COUNTER:
            if reason := _wrong_counter(value, p):
                return reason
        else:
            tensors[f"its {name}"] = value
    shape, device, is_complex = p.shape, p.device, p.is_complex()
    for name, x in tensors.items():
        if x.shape != shape:
            return f"{name} has the shape {tuple(x.shape)}; {tuple(shape)} was needed, that of the parameter"
        if x.device != device:
            return f"{name} is on {x.device}; {device} was needed, where the parameter is"
        if x.dtype not in DTYPES or x.is_complex() != is_complex:
            return f"{name} is {x.dtype}; {'a complex' if is_complex else 'a real floating-point'} dtype was needed"
    for name, x in {"it": p, **tensors}.items():
        if reason := _wrong_memory(x, written=x is not g):
            return f"{name} {reason}"
    return None


def _usual(p: Tensor, g: Tensor, state: Mapping[str, Any]) -> bool:
    """Whether all tensors are plain, contiguous and of one dtype: a shortcut for the usual case."""
    dtype, shape, device, size = p.dtype, p.shape, p.device, p.nbytes
    if dtype not in _REAL:
        return False
    for name, x in (("", p), ("", g), *state.items()):
        if type(x) not in (Tensor, Parameter):
            return False
        if name == COUNTER:
            whole = x.device == device and x.untyped_storage().nbytes() == 4
            if not (whole and x.dtype is torch.float32 and x.dim() == 0):
                return False
        elif not (
            x.dtype is dtype
            and x.device == device
            and x.shape == shape
            and x.layout is torch.strided
            and x.is_contiguous()
            and x.storage_offset() == 0
            and x.untyped_storage().nbytes() >= size
        ):
            return False
    return True


def _wrong_counter(t: Tensor, p: Tensor) -> str | None:
    # Kernels would read any other dtype as float32.
    if t.dtype is not torch.float32 or t.dim() != 0:
        return f"its {COUNTER} is {t.dtype} of the shape {tuple(t.shape)}; a torch.float32 scalar was needed"
    if t.device != p.device and t.device.type != "cpu":
        return f"its {COUNTER} is on {t.device}; {p.device} or cpu was needed"
    reason = _wrong_memory(t, written=True)
    return f"its {COUNTER} {reason}" if reason else None


def unreadable(x: Tensor, p: Tensor) -> str | None:
    """Why a tensor cannot be copied to the device of a parameter, or None."""
    if x.is_meta and not p.is_meta:
        return f"is on {x.device}, where there are no numbers; {p.device} needs some"
    return _wrong_memory(x, written=False)


def _wrong_memory(x: Tensor, *, written: bool) -> str | None:
    if x.layout != torch.strided:
        return f"has the layout {x.layout}; torch.strided was needed"
    if not plain(x):
        return None
    try:
        held = x.untyped_storage().nbytes()
    except (NotImplementedError, RuntimeError):
        return f"is a {type(x).__name__} without memory of its own; a plain tensor was needed"
    end = x.numel()
    if end and not x.is_contiguous():
        steps = [(n - 1, stride) for n, stride in zip(x.shape, x.stride(), strict=True) if n > 1]
        if written and any(stride == 0 for _, stride in steps):
            return f"has elements that share memory (strides {x.stride()}); each element needs its own"
        end = 1 + sum(n * stride for n, stride in steps)
    needed = (x.storage_offset() + end) * x.itemsize if end else 0
    return f"lies in {held} bytes of memory; {needed} were needed" if needed > held else None


def wrong_names(state: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Which tensors a state lacks or should not have, or None."""
    if not state or state.keys() == set(names):
        return None
    wanted = ", ".join(names)
    if unknown := sorted(map(str, state.keys() - set(names))):
        return f"its state has {', '.join(unknown)}, which is not known here; there are {wanted}"
    missing = [name for name in names if name not in state]
    return f"its state has no {', '.join(missing)}; it holds {wanted}, or nothing yet"


def step_device(p: Tensor, group: dict[str, Any]) -> torch.device:
    """Where a step counter lies: beside its parameter where the host must not wait for it, else on the CPU."""
    return p.device if group["capturable"] or group["fused"] else torch.device("cpu")


def counter(value: Any, device: torch.device, called: str) -> Tensor:
    """A step counter of any numeric kind as it is used here: a float32 scalar.

    It is an int in the published package, float64 under some defaults in torch.
    """
    if isinstance(value, Tensor) and value.is_meta and device.type == "meta" and value.numel() == 1:
        return value.reshape(()).to(torch.float32)
    try:
        count = float(torch.as_tensor(value, device="cpu").reshape(()).item())
    except (TypeError, ValueError, RuntimeError):
        count = math.nan
    if not 0 <= count < math.inf:
        raise ValueError(f"{called}: its step is {value!r}; a number of steps >= 0 was needed")
    return torch.tensor(count, dtype=torch.float32, device=device)
