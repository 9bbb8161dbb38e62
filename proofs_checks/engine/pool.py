"""Tasks on several cores: worker processes that are told one task at a time, so that a death is never a hang."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Self

from tangency.proofs_checks.engine.claim import Result, Verdict
from tangency.proofs_checks.engine.registry import Source
from tangency.proofs_checks.engine.runner import Options, Task, run_task

READY = "ready"
# A suite has fewer than a hundred tasks, and every worker loads torch: more processes only cost memory.
MOST_WORKERS = 16


def usable_cores() -> int:
    """How many cores this process may use, and at most :data:`MOST_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def work(connection: Connection, source: Source, options: Options) -> None:
    """The life of a worker: load the suite, then run the tasks that arrive until ``None`` does."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    torch.set_num_threads(1)
    suite = source()
    with suppress(EOFError, BrokenPipeError):  # the parent is gone
        connection.send(READY)
        while (task := connection.recv()) is not None:
            connection.send(run_task(suite, task, options))


class _Worker:
    """A process, its pipe, and the task that it is running; ``ready`` once its suite is loaded."""

    def __init__(self, source: Source, options: Options) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, source, options), daemon=True)
        self.process.start()
        theirs.close()  # so that the death of the worker reads as the end of the pipe
        self.ready = False
        self.task: Task | None = None

    def send(self, task: Task | None) -> None:
        self.task = task
        with suppress(OSError):  # a dead worker is noticed at the end of its pipe
            self.connection.send(task)


class Pool:
    """Worker processes, started at once; use as a context manager, which ends them whatever happens.

    Args:
        source: what every worker builds its suite with; picklable by name.
        jobs: how many processes.
    """

    def __init__(self, source: Source, options: Options, jobs: int) -> None:
        self._source, self._options = source, options
        self._started = [_Worker(source, options) for _ in range(jobs)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._started:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result | None]]:
        """Run tasks in their order, as workers become free: ``(task, None)`` when one starts, then with its result.

        The task of a worker that dies gets :attr:`.Verdict.ERROR`, and another worker takes its place.
        """
        pending = deque(tasks)
        workers = list(self._started)
        while workers:
            for connection in wait([worker.connection for worker in workers]):
                worker = next(worker for worker in workers if worker.connection is connection)
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    workers.remove(worker)
                    if worker.task is not None:
                        yield worker.task, _died(worker.task, worker.process)
                    if worker.ready and pending:
                        workers.append(_Worker(self._source, self._options))
                        self._started.append(workers[-1])
                    continue
                if message == READY:
                    worker.ready = True
                else:
                    assert worker.task is not None
                    yield worker.task, message
                task = pending.popleft() if pending else None
                worker.send(task)
                if task is None:
                    workers.remove(worker)
                else:
                    yield task, None
        for task in pending:
            yield task, Result(task.claim, task.rung, Verdict.ERROR, task.subject, detail="no worker process came up")


def _died(task: Task, process: BaseProcess) -> Result:
    process.join()
    code = process.exitcode or 0
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Result(task.claim, task.rung, Verdict.ERROR, task.subject, detail=f"the worker process died: {how}")
