"""What each thread does in a fused step on a CPU, and the team of threads that does it.

The team is torch's own: a step is one parallel region of the OpenMP runtime that torch has loaded (`GOMP_parallel` and
`GOMP_barrier`, its stable interface). A second pool would fight with the first, whose threads go on spinning for
milliseconds after torch's last operation, on the cores that the step needs; these here take up the step at once.
There are as many as torch.get_num_threads() says, or one: in a forked child, and where torch has another runtime
(macOS, Windows). What a step computes does not depend on their number.
"""

from __future__ import annotations

import ctypes
import warnings
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic

from tangency.optim.cpu.memory import Array, compiled, pointer
from tangency.optim.cpu.phases import FINISH, LATE, STATISTICS, UPDATE, decide, gather, work
from tangency.optim.cpu.rows import Rule
from tangency.optim.cpu.tiles import number
from tangency.optim.process import MAKING, forked

# What a job says: addresses of arrays and of functions of OpenMP (0: none), and numbers.
(
    TABLE,
    TENSORS,
    SMALL,
    BATCHES,
    BATCH_COUNT,
    FLAGS,
    RULE,
    TYPED,
    SUMS,
    TILES,
    DECIDED,
    ROOMS,
    WIDTH,
    THREAD,
    THREADS,
    BARRIER,
    EDITION,
) = range(17)
JOB = 17  # numbers of a job
ROOM = 6  # rows of scratch a thread
NUMBERS = 11  # numbers of a rule


@intrinsic  # type: ignore[untyped-decorator]
def _call(_context: Any, _address: Any) -> Any:
    """Call a C function int(void) at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [])

    return types.int32(types.int64), generate


@compiled
def _meet(barrier: int, parts: int) -> None:
    if parts > 1:
        _call(barrier)


@compiled
def _batch(
    begin: int,
    end: int,
    part: int,
    parts: int,
    barrier: int,
    table: Array,
    flags: Array,
    rule: Array,
    typed: Rule,
    sums: Array,
    decided: Array,
    room: Array,
) -> None:
    """The share of one thread in all phases of tensors begin … end − 1."""
    work(STATISTICS, table, begin, end, part, parts, flags, rule, typed, sums, decided, room)
    _meet(barrier, parts)
    for t in range(begin + part, end, parts):
        decide(table, t, flags, rule, sums, decided)
    _meet(barrier, parts)
    work(UPDATE, table, begin, end, part, parts, flags, rule, typed, sums, decided, room)
    if np.any(decided[begin:end, LATE] != 0):
        _meet(barrier, parts)
        for t in range(begin + part, end, parts):
            if decided[t, LATE]:
                gather(table, t, sums, decided)
        _meet(barrier, parts)
        work(FINISH, table, begin, end, part, parts, flags, rule, typed, sums, decided, room)


@compiled
def _step(
    part: int,
    parts: int,
    barrier: int,
    table: Array,
    small: int,
    batches: Array,
    flags: Array,
    rule: Array,
    typed: Rule,
    sums: Array,
    decided: Array,
    room: Array,
) -> None:
    """The share of one thread: small tensors alone, larger ones with the others."""
    for t in range(part, small, parts):
        _batch(t, t + 1, 0, 1, barrier, table, flags, rule, typed, sums, decided, room)
    for i in range(len(batches) - 1):
        _batch(batches[i], batches[i + 1], part, parts, barrier, table, flags, rule, typed, sums, decided, room)


@compiled
def _numbers(x: Array) -> Rule:
    return x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10]


_entries: dict[type, tuple[Any, int]] = {}


def _entry(compute: type) -> tuple[Any, int]:
    """What each thread calls with a job, for one dtype of the computation: as a function, and its address."""
    if compute not in _entries:
        with MAKING:
            if compute not in _entries:  # else another thread has made it while this one waited
                made = _made(compute)
                _entries[compute] = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(made.address), made.address
    return _entries[compute]


def _made(compute: type) -> Any:
    try:
        return _compile(compute, cached=True)
    except (OSError, RuntimeError) as error:
        told = "fused=True compiles its CPU kernels again in every process; NUMBA_CACHE_DIR may name a folder for them"
        warnings.warn(f"{told} (numba: {error})", RuntimeWarning, stacklevel=2)
        return _compile(compute, cached=False)


def _compile(compute: type, *, cached: bool) -> Any:
    # A cache is keyed by what its function encloses: so by all the sources that are compiled into it.
    edition = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))

    @cfunc(types.void(types.voidptr), cache=cached, error_model="numpy")  # type: ignore[untyped-decorator]
    def entry(address: Any) -> None:
        job = carray(address, (JOB,), np.int64)
        job[EDITION] = edition
        if job[TILES] == 0:
            job[TILES] = number(carray(pointer(job[TABLE]), (job[TENSORS], 9), np.int64))
            return
        part = 0
        parts = 1
        if job[THREAD] != 0:
            part = _call(job[THREAD])
            parts = _call(job[THREADS])
        _step(
            part,
            parts,
            job[BARRIER],
            carray(pointer(job[TABLE]), (job[TENSORS], 9), np.int64),
            job[SMALL],
            carray(pointer(job[BATCHES]), (job[BATCH_COUNT],), np.int64),
            carray(pointer(job[FLAGS]), (4,), np.int64),
            carray(pointer(job[RULE]), (NUMBERS,), np.float64),
            _numbers(carray(pointer(job[TYPED]), (NUMBERS,), compute)),
            carray(pointer(job[SUMS]), (job[TILES], 8), np.float64),
            carray(pointer(job[DECIDED]), (job[TENSORS], 5), np.float64),
            carray(pointer(job[ROOMS]), (ROOM * parts, job[WIDTH]), compute)[ROOM * part : ROOM * part + ROOM],
        )

    return entry


@cache
def _openmp() -> tuple[Any, int, int, int] | None:
    """Of the OpenMP runtime that torch uses: GOMP_parallel, and addresses for a job. None if it does not have them."""
    # A symbol is looked for in the dependencies of torch's own module too: no other runtime can come in between.
    library = ctypes.CDLL(torch._C.__file__)
    try:
        thread, threads, barrier = (
            ctypes.cast(function, ctypes.c_void_p).value or 0
            for function in (library.omp_get_thread_num, library.omp_get_num_threads, library.GOMP_barrier)
        )
        parallel = library.GOMP_parallel
    except AttributeError:
        return None
    parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None
    return parallel, thread, threads, barrier


def threads() -> int:
    """How many threads a step may have."""
    return 1 if forked() or _openmp() is None else torch.get_num_threads()


def count(job: Array, compute: type) -> int:
    """Number the tiles of a job's table, which alone it has to have; how many there are."""
    _entry(compute)[0](job.ctypes.data)
    return int(job[TILES])


def run(job: Array, compute: type, parts: int) -> None:
    """Run a job on some threads, with the interpreter released.

    Args:
        job: JOB numbers, int64; those from THREAD on are filled in here.
        compute: float32 or float64.
        parts: number of threads, at most `threads()`.
    """
    alone, address = _entry(compute)
    openmp = _openmp()
    if parts == 1 or openmp is None:
        job[THREAD:] = 0
        alone(job.ctypes.data)
    else:
        parallel, *job[THREAD:EDITION] = openmp
        parallel(address, job.ctypes.data, parts, 0)
