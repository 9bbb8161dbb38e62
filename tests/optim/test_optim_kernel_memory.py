"""Kernels for CPU and GPU in guarded memory: rows of every length, at every alignment, touch nothing but themselves."""

from contextlib import nullcontext

import pytest
import torch
from gpu_kernels import COMPILED, kernels
from guarded_memory import Guarded, needs_guards

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, lr=0.125, momentum=0.75, weight_decay=0.25, **more),
    "SGDP without momentum": lambda p, **more: SGDP(p, lr=0.125, weight_decay=0.25, **more),
    "AdamP": lambda p, **more: AdamP(p, lr=0.125, weight_decay=0.25, **more),
}
# Several rows a tile, one, several tiles a row, rows in pieces; sizes that no vector divides, and that all do.
SMALL = ((1, 1), (3, 5), (4, 3), (5, 13), (130, 9), (2, 256), (40, 62), (3, 1023), (7,), (1024,), (8, 2, 4))
LARGE = ((5, 1025), (300, 257), (2, 70001), (16385,), (3, 65536))
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Gradients across w in every row, in the layer alone, in neither.
MODES = ("channel", "layer", "none")


def problem(shape, mode, dtype):
    w = torch.linspace(-2, 1.5, torch.Size(shape).numel(), dtype=torch.float64).sin().reshape(shape)
    g = w.flip(0).cos()
    rows = w.reshape(shape[0], -1) if len(shape) > 1 else w.reshape(1, -1)
    if mode != "none":
        turned = g.reshape(rows.shape).clone()
        if mode == "layer":
            turned += rows * torch.linspace(-4, 4, len(rows), dtype=torch.float64)[:, None]
            turned -= (turned * rows).sum() / (rows * rows).sum() * rows
        else:
            turned -= (turned * rows).sum(1, keepdim=True) / (rows * rows).sum(1, keepdim=True) * rows
        g = turned.reshape(shape)
    else:
        g = g + 4 * w
    return w.to(dtype), g.to(dtype)


def step_in_guarded_memory(make, shapes, dtype, mode, at_end, where):
    memory, problems = Guarded(), [problem(shape, mode, dtype) for shape in shapes]
    params = [torch.nn.Parameter(memory(w, at_end=at_end)) for w, _ in problems]
    for p, (_, g) in zip(params, problems, strict=True):
        p.grad = memory(g, at_end=at_end)
    optimizer = make(params, fused=True)
    for _ in range(2):
        with where():
            optimizer.step()
        for state in optimizer.state.values():
            for name, value in state.items():
                state[name] = memory(value, at_end=at_end)
    assert memory.intact()
    assert all(p.isfinite().all() for p in params)


pytestmark = [
    needs_guards,
    pytest.mark.parametrize("at_end", [True, False], ids=["at the end", "at the beginning"]),
    pytest.mark.parametrize("dtype", DTYPES, ids=str),
    pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS),
]


@pytest.mark.parametrize("mode", MODES)
def test_kernels_of_the_cpu(make, dtype, mode, at_end):
    step_in_guarded_memory(make, SMALL + LARGE, dtype, mode, at_end, nullcontext)


@pytest.mark.skipif(COMPILED, reason="the memory of a GPU has no guards")
def test_kernels_of_the_gpu(make, dtype, at_end):
    shapes = (*SMALL, (2, 1030)) if dtype is torch.float32 else SMALL[:6]
    for mode in MODES if dtype is torch.float32 else MODES[:1]:
        step_in_guarded_memory(make, shapes, dtype, mode, at_end, kernels)
