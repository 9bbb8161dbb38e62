"""The work of each thread in a fused step on a CPU, and the barriers between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tangency.optim.cpu.decide import decide
from tangency.optim.cpu.memory import Array, compiled, inlined
from tangency.optim.cpu.records import Work
from tangency.optim.cpu.sweep import FINISH, STATISTICS, UPDATE, gather, sweep

ZERO, ONE = map(np.int64, range(2))


@intrinsic  # type: ignore[untyped-decorator]
def call(_context: Any, _address: Any) -> Any:
    """Call a C function int(void) at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [])

    return types.int32(types.int64), generate


@compiled
def _meet(work: Work, shares: int) -> None:
    """A barrier: writes before it are visible to all threads after it. Every thread reaches the same barriers."""
    if shares > 1:
        call(work.job.barrier)


@compiled
def _any_late(work: Work, begin: int, end: int) -> bool:
    late = False
    for t in range(begin, end):
        late |= work.decisions[t].late != 0
    return late


@inlined
def _batch(work: Work, begin: int, end: int, share: int, shares: int) -> None:
    """One share of the whole step of tensors begin … end − 1."""
    sweep(STATISTICS, work, begin, end, share, shares)
    # A tensor is decided from the sums of all its tiles; and all must have read w before it is written.
    _meet(work, shares)
    for t in range(begin + share, end, shares):
        decide(work, t)
    # A tile is updated as its tensor was decided, most likely by another thread.
    _meet(work, shares)
    sweep(UPDATE, work, begin, end, share, shares)
    # All threads see the same decisions here, so all reach the next two barriers, or none does.
    if _any_late(work, begin, end):
        # A coefficient of Π is a sum of the w·x of all tiles of its row or layer.
        _meet(work, shares)
        for t in range(begin + share, end, shares):
            if work.decisions[t].late:
                gather(work, t)
        # A late tile is updated with a coefficient that another thread may have gathered.
        _meet(work, shares)
        sweep(FINISH, work, begin, end, share, shares)
    # No barrier here: the next batch has other tensors, tiles and decisions, and scratch is each thread's own.


@inlined
def step(work: Work, batches: Array, thread: int, threads: int) -> None:
    """The share of one thread: small tensors alone, larger ones with the others. The end of the region joins all."""
    for t in range(thread, work.job.small, threads):
        _batch(work, t, t + 1, ZERO, ONE)
    for i in range(len(batches) - 1):
        _batch(work, batches[i], batches[i + 1], thread, threads)
