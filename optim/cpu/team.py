"""The threads of a fused step on a CPU, and the compiled function that each runs.

The team is torch's own: a step is one parallel region of the OpenMP runtime that torch has loaded (`GOMP_parallel` and
`GOMP_barrier`, its stable interface). A second pool would compete with the first, whose threads keep spinning
for milliseconds after torch's last operation on the cores that the step needs; torch's own threads start at once.
There are as many as torch.get_num_threads() says, or one: in a forked child, and where torch has another runtime
(macOS, Windows). What a step computes does not depend on their number.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import warnings
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numba import carray, cfunc, types
from numba.core import event

from tangency.optim.cpu.memory import Array, pointer
from tangency.optim.cpu.records import DECISION, JOB, ROOMS, TENSOR, TILE, Work, numbers
from tangency.optim.cpu.schedule import call, step
from tangency.optim.cpu.tiles import number
from tangency.optim.process import MAKING, forked

_entries: dict[type, tuple[Any, int]] = {}


def _entry(compute: type) -> tuple[Any, int]:
    """What each thread calls with a job, for one dtype of the computation: as a function, and its address."""
    if compute not in _entries:
        with MAKING:
            if compute not in _entries:  # unless another thread has compiled it meanwhile
                with event.install_listener("numba:compile", _Announcement(compute)):
                    made = _made(compute)
                _entries[compute] = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(made.address), made.address
    return _entries[compute]


class _Announcement(event.Listener):  # type: ignore[misc]
    """Says what is being waited for, once compilation begins: not where numba has kept the kernels."""

    def __init__(self, compute: type) -> None:
        self._compute, self._said = compute, False

    def on_start(self, event: Any) -> None:
        if not self._said:
            self._said = True
            message = "compiling the CPU kernels of fused=True that compute in %s: some seconds, once on this machine"
            logging.getLogger("tangency.optim").warning(message, self._compute.__name__)

    def on_end(self, event: Any) -> None:
        pass


def _made(compute: type) -> Any:
    collects = gc.isenabled()
    gc.disable()  # a compiler makes millions of objects that stay: collecting them takes a tenth of its time
    try:
        return _compiled(compute)
    finally:
        if collects:
            gc.enable()


def _compiled(compute: type) -> Any:
    try:
        return _compile(compute, cached=True)
    except (OSError, RuntimeError) as error:
        advice = (
            "fused=True compiles its CPU kernels again in every process; NUMBA_CACHE_DIR may name a folder for them"
        )
        warnings.warn(f"{advice} (numba: {error})", RuntimeWarning, stacklevel=2)
        return _compile(compute, cached=False)


def _compile(compute: type, *, cached: bool) -> Any:
    # The key of the cache includes what the function encloses: here all sources that are compiled into it.
    edition = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))

    @cfunc(types.void(types.voidptr), cache=cached, error_model="numpy")  # type: ignore[untyped-decorator]
    def entry(address: Any) -> None:
        job = carray(address, (1,), JOB)[0]
        job.edition = edition
        tensors = carray(pointer(job.tensors), (job.tensor_count,), TENSOR)
        if job.tile_count == 0:
            job.tile_count = number(tensors)
            return
        thread = 0
        threads = 1
        if job.thread != 0:
            thread = call(job.thread)
            threads = call(job.threads)
        rooms = carray(pointer(job.rooms), (ROOMS * threads, job.width), compute)
        work = Work(
            job,
            tensors,
            carray(pointer(job.tiles), (job.tile_count,), TILE),
            carray(pointer(job.decisions), (job.tensor_count,), DECISION),
            numbers(job, rooms),
            rooms[ROOMS * thread : ROOMS * thread + ROOMS],
        )
        step(work, carray(pointer(job.batches), (job.batch_count,), np.int64), thread, threads)

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
    """Number the tiles of a job's tensors and return how many there are; nothing else of the job is read."""
    _entry(compute)[0](job.ctypes.data)
    return int(job["tile_count"])


def run(job: Array, compute: type, parts: int) -> None:
    """Run a job on some threads, with the interpreter released.

    Args:
        job: a JOB; thread, threads and barrier are filled in here.
        compute: float32 or float64.
        parts: number of threads, at most `threads()`.
    """
    alone, address = _entry(compute)
    openmp = _openmp()
    if parts == 1 or openmp is None:
        alone(job.ctypes.data)
    else:
        parallel, job["thread"], job["threads"], job["barrier"] = openmp
        parallel(address, job.ctypes.data, parts, 0)
