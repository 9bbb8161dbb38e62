"""The fused step on a CPU: tables of tensors for the phases of `phases`, and the threads that run them.

Small tensors are shared out whole. Larger ones are worked on by all threads together, some at a time: no more than
leaves their w and g in the last cache between the two sweeps, so that the second need not fetch them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from tangency.optim.cpu import memory, team
from tangency.optim.cpu.rows import PIECE
from tangency.optim.cpu.tiles import LONG, TILE
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
    dtype = weights[0].w.dtype
    compute, storage = STORAGE[dtype]
    weights = sorted(weights, key=lambda weight: weight.rows * weight.cols)
    sizes = [weight.rows * weight.cols for weight in weights]
    # The last column is for the number of the first tile.
    lines = [(*weight.addresses, weight.rows, weight.cols, weight.projects, 0) for weight in weights]
    table = np.array(lines, dtype=np.int64)
    job = np.zeros(team.JOB, dtype=np.int64)
    job[:2] = table.ctypes.data, len(weights)
    tiles = team.count(job, compute)
    sums = np.empty((tiles, 8))
    decided = np.empty((len(weights), 5))
    flags = np.array([rule.adaptive, rule.nesterov, compute is np.float64, storage], dtype=np.int64)
    numbers = np.array(_numbers(rule, lr, grad_scale))
    with np.errstate(over="ignore"):  # only δ may be beyond float32, which is compared in float64 alone
        typed = numbers.astype(compute)
    parts = max(1, min(team.threads(), sum(sizes) // SHARE))
    small = len(sizes) if parts == 1 else sum(size <= SMALL for size in sizes)
    batches = np.array([*_batches(sizes, small, dtype.itemsize), len(sizes)], dtype=np.int64)
    # A room holds what is worked on at once: a piece or a row; numbers in 16 bits are widened a tile at a time.
    least = PIECE if storage == memory.NATIVE else TILE
    width = max([least, *(w.cols for w in weights if w.projects and w.cols <= LONG)])
    rooms = np.empty((team.ROOM * parts, width), dtype=compute)
    arrays = (table, batches, flags, numbers, typed, sums, decided, rooms)
    at = [x.ctypes.data for x in arrays]
    job[: team.THREAD] = at[0], len(weights), small, at[1], len(batches), *at[2:6], tiles, at[6], at[7], width
    team.run(job, compute, parts)


def _numbers(rule: Rule, lr: float | Tensor, grad_scale: Tensor | None) -> tuple[float, ...]:
    sign = (-1.0 if rule.maximize else 1.0) / (1.0 if grad_scale is None else grad_scale.item())
    return (
        rule.beta1,
        rule.fresh,
        rule.ahead,
        rule.beta2,
        1 - rule.beta2,
        rule.eps,
        sign,
        rule.weight_decay,
        rule.wd_ratio,
        rule.delta,
        float(lr),
    )


def _batches(sizes: Sequence[int], first: int, itemsize: int) -> Iterator[int]:
    """The first tensor of each batch, from `first` on: as many at a time as BATCH allows."""
    held = BATCH
    for t in range(first, len(sizes)):
        size = 2 * itemsize * sizes[t]
        if held + size > BATCH:
            yield t
            held = 0
        held += size
