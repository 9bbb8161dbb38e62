"""The fused step on a CPU: tables of tensors for the phases of `_cpu_phases`, and the threads that run them.

Small tensors are shared out whole. Larger ones are worked on by all threads together, some at a time: no more than
leaves their w and g in the last cache between the two sweeps, so that the second need not fetch them again.

The threads are Python's, and numba's functions release the interpreter: there is no second pool of OpenMP to spin beside
torch's, nothing that a fork leaves in pieces, and two steps may run at once. There are as many as torch.get_num_threads()
says. What a step computes does not depend on their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from tangency.optim import _cpu_phases as phases
from tangency.optim import _cpu_rows as rows
from tangency.optim._fused import Rows
from tangency.optim._rule import Rule

SMALL = 1 << 17  # elements of a tensor that one thread steps alone
BATCH = 1 << 23  # bytes of w and g that threads sweep before they update
SHARE = 1 << 15  # elements that are worth a thread

STORAGE = {
    torch.float16: (np.float32, rows.FLOAT16),
    torch.bfloat16: (np.float32, rows.BFLOAT16),
    torch.float32: (np.float32, rows.NATIVE),
    torch.float64: (np.float64, rows.NATIVE),
}


def step(
    rule: Rule,
    weights: Sequence[Rows],
    lr: float | Tensor,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
) -> None:
    """Perform one step in place; see `_fused.Kernels`."""
    if found_inf is not None and found_inf.item():
        return
    dtype = weights[0].w.dtype
    compute, storage = STORAGE[dtype]
    sizes = [weight.rows * weight.cols for weight in weights]
    weights = sorted(weights, key=lambda weight: weight.rows * weight.cols)
    sizes.sort()
    table = np.array([_addresses(weight) for weight in weights], dtype=np.int64)
    tiles = phases.number(table)
    sums = np.empty((tiles, 8))
    decided = np.empty((len(weights), 5))
    flags = np.array([rule.adaptive, rule.nesterov, compute is np.float64, storage], dtype=np.int64)
    numbers = np.array(_numbers(rule, lr, grad_scale))
    typed = numbers.astype(compute)
    total = sum(sizes)
    parts = max(1, min(torch.get_num_threads(), total // SHARE))
    width = max((w.cols for w in weights if w.projects and w.cols <= phases.LONG), default=0)
    rooms = [np.empty((6, max(phases.PIECE, width)), dtype=compute) for _ in range(parts)]
    shared = (flags, numbers, typed, sums, decided)
    if parts == 1:
        phases.whole(table, 0, len(weights), *shared, rooms[0])
        return
    small = sum(size <= SMALL for size in sizes)
    cuts = _cuts(sizes[:small], parts)
    batches = list(_batches(sizes, small, dtype.itemsize))
    batches.append((len(weights), len(weights)))

    def begin(part: int) -> None:
        phases.whole(table, cuts[part], cuts[part + 1], *shared, rooms[part])
        phases.work(phases.STATISTICS, table, *batches[0], part, parts, *shared, rooms[part])

    _together(begin, parts)
    for batch, following in zip(batches[:-1], batches[1:], strict=True):
        late = phases.decide(table, *batch, flags, numbers, sums, decided)

        def update(part: int) -> None:
            phases.work(phases.UPDATE, table, *batch, part, parts, *shared, rooms[part])
            if not late:
                phases.work(phases.STATISTICS, table, *following, part, parts, *shared, rooms[part])

        _together(update, parts)
        if late:
            phases.gather(table, *batch, sums, decided)

            def finish(part: int) -> None:
                phases.work(phases.FINISH, table, *batch, part, parts, *shared, rooms[part])
                phases.work(phases.STATISTICS, table, *following, part, parts, *shared, rooms[part])

            _together(finish, parts)


def _addresses(weight: Rows) -> tuple[int, ...]:
    state = [s.data_ptr() for s in weight.state] + [0, 0]
    counter = 0 if weight.step is None else weight.step.data_ptr()
    return (
        weight.w.data_ptr(),
        weight.g.data_ptr(),
        state[0],
        state[1],
        counter,
        weight.rows,
        weight.cols,
        weight.projects,
        0,
    )


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


def _cuts(sizes: Sequence[int], parts: int) -> list[int]:
    """Where a list of tensors is cut into parts of about the same number of elements."""
    before = np.cumsum([0, *sizes])
    return [int(np.searchsorted(before, before[-1] * part / parts)) for part in range(parts)] + [len(sizes)]


def _batches(sizes: Sequence[int], first: int, itemsize: int) -> Iterator[tuple[int, int]]:
    """Tensors from `first` on, as many at a time as BATCH allows."""
    begin, held = first, 0
    for t in range(first, len(sizes)):
        size = 2 * itemsize * sizes[t]
        if t > begin and held + size > BATCH:
            yield begin, t
            begin, held = t, 0
        held += size
    if begin < len(sizes):
        yield begin, len(sizes)


_pool: ThreadPoolExecutor | None = None


def _together(job: Callable[[int], None], parts: int) -> None:
    """Run job(0) … job(parts − 1) at once, the last of them on this thread."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), "tangency")
    futures = [_pool.submit(job, part) for part in range(parts - 1)]
    job(parts - 1)
    for future in futures:
        future.result()


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
