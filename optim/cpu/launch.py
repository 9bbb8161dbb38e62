"""The fused step on a CPU: the work of the threads, as records.

Each small tensor goes to one thread. Larger ones are worked on by all threads together, in batches whose w and g stay
in the last cache between the two sweeps, so that the second need not fetch them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from tangency.optim.cpu import memory, team
from tangency.optim.cpu.memory import Array
from tangency.optim.cpu.products import PIECE
from tangency.optim.cpu.records import DECISION, JOB, ROOMS, TENSOR, TILE
from tangency.optim.cpu.tiles import FULL, LONG
from tangency.optim.rows import Rows
from tangency.optim.rule import Rule

SMALL = 1 << 17  # elements of a tensor that one thread steps alone
BATCH = 1 << 23  # bytes of w and g that threads sweep before they update
SHARE = 1 << 15  # elements that are worth a thread

STORAGE = {
    torch.float16: (np.float32, memory.FLOAT16),
    torch.bfloat16: (np.float32, memory.BFLOAT16),
    torch.float32: (np.float32, memory.NATIVE),
    torch.float64: (np.float64, memory.NATIVE),
}


def step(
    rule: Rule,
    weights: Sequence[Rows],
    lr: float | Tensor,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
) -> None:
    """Perform one step in place; see `rows.Kernels`."""
    if found_inf is not None and found_inf.item():
        return
    weights = sorted(weights, key=lambda weight: weight.rows * weight.cols)
    sizes = [weight.rows * weight.cols for weight in weights]
    parts = max(1, min(team.threads(), sum(sizes) // SHARE))
    small = len(sizes) if parts == 1 else sum(size <= SMALL for size in sizes)
    compute, storage = STORAGE[weights[0].w.dtype]
    # Scratch holds a piece or a row at a time; numbers in 16 bits are widened a tile at a time.
    least = PIECE if storage == memory.NATIVE else FULL
    width = max([least, *(w.cols for w in weights if w.views and w.cols <= LONG)])
    job = _job(rule, lr, grad_scale)
    job["scaled"], job["storage"] = compute is np.float64, storage
    job["small"], job["width"] = small, width
    # The last number is that of the first tile, which is counted.
    lines = [(*weight.addresses, weight.rows, weight.cols, weight.head, weight.views, 0) for weight in weights]
    tensors = np.array(lines, dtype=TENSOR)
    job["tensors"], job["tensor_count"] = tensors.ctypes.data, len(tensors)
    tiles = np.empty(team.count(job, compute), dtype=TILE)
    decisions = np.empty(len(weights), dtype=DECISION)
    batches = np.array([*_batches(sizes, small, weights[0].w.itemsize), len(sizes)], dtype=np.int64)
    rooms = np.empty((ROOMS * parts, width), dtype=compute)
    job["batch_count"] = len(batches)
    for name, held in (("tiles", tiles), ("decisions", decisions), ("batches", batches), ("rooms", rooms)):
        job[name] = held.ctypes.data
    team.run(job, compute, parts)


def _job(rule: Rule, lr: float | Tensor, grad_scale: Tensor | None) -> Array:
    """A job with its numbers."""
    job = np.zeros((), dtype=JOB)
    for name in ("adaptive", "nesterov", "beta1", "fresh", "ahead", "beta2", "eps", "wd_ratio", "delta"):
        job[name] = getattr(rule, name)
    job["rest"], job["decay"], job["lr"] = 1 - rule.beta2, rule.weight_decay, float(lr)
    job["sign"] = (-1.0 if rule.maximize else 1.0) / (1.0 if grad_scale is None else grad_scale.item())
    return job


def _batches(sizes: Sequence[int], first: int, itemsize: int) -> Iterator[int]:
    """The first tensor of each batch, from `first` on: as many at a time as BATCH allows."""
    held = BATCH
    for t in range(first, len(sizes)):
        size = 2 * itemsize * sizes[t]
        if held + size > BATCH:
            yield t
            held = 0
        held += size
