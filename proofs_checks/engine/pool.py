"""Tasks on several cores: worker processes that are told one task at a time, so that neither a death nor a hang of one
stops the others."""

import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Self, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# A suite has fewer than a hundred tasks, and every worker loads torch: more processes only cost memory.
MOST_WORKERS = 16
# Importing torch from a cold network disk takes a minute; what takes longer than this hangs.
START_LIMIT = 300.0
# The operating system counts the milliseconds of a wait in 32 bits; who waits longer waits again.
LONGEST_WAIT = 86400.0


def usable_cores() -> int:
    """How many cores this process may use, and at most :data:`MOST_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


@dataclass(frozen=True)
class _Ready:
    """A worker has been made and waits for its first task."""


@dataclass(frozen=True)
class _Done:
    """The result of a task."""

    result: Any


@dataclass(frozen=True)
class _Raised:
    """What making the worker, or running its task, raised."""

    what: str

    def __str__(self) -> str:
        return f"it raised {self.what}"


def work(connection: Connection, pickled: bytes) -> None:
    """The life of a worker: make it, then run the tasks that arrive until the parent is gone or ends it.

    Args:
        pickled: the function that makes it. It is unpickled here, so that an import that fails is reported and no
            traceback of the interpreter's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    # The parent may be gone; standard output is for its results alone.
    with suppress(EOFError, BrokenPipeError), redirect_stdout(sys.stderr):
        try:
            run = pickle.loads(pickled)()
        except BaseException as error:  # SystemExit too: it would be a silent death
            connection.send(_Raised(_says(error)))
            return
        connection.send(_Ready())
        while True:
            _answer(connection, run, connection.recv())


def _answer(connection: Connection, run: Callable[[Any], Any], task: Any) -> None:
    try:
        connection.send(_Done(run(task)))
    except (EOFError, BrokenPipeError):
        raise
    except BaseException as error:  # of the task, or of a result that does not pickle
        connection.send(_Raised(_says(error)))


def _says(error: BaseException) -> str:
    """``ImportError: no such thing (claims.py:3)``: what was raised, and the innermost line that raised it."""
    said = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{said} ({frames[-1].filename}:{frames[-1].lineno})" if frames else said


class _Worker(Generic[Task]):
    """A process, its pipe, the task that it is running, and until when it may."""

    def __init__(self, pickled: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, pickled), daemon=True)
        self.process.start()
        theirs.close()  # so that the death of the worker reads as the end of the pipe
        self.ready = False
        self.task: Task | None = None
        self.seconds: float | None = START_LIMIT
        self.deadline = time.monotonic() + START_LIMIT

    def send(self, task: Task, seconds: float | None) -> None:
        """Give it a task and its limit."""
        self.task, self.seconds = task, seconds
        self.deadline = float("inf") if seconds is None else time.monotonic() + seconds
        with suppress(OSError):  # a dead worker is noticed at the end of its pipe
            self.connection.send(task)

    def end(self) -> None:
        """Kill it, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def how_it_died(self) -> str:
        """``signal SIGSEGV`` or ``exit code 3``."""
        self.process.join(5)  # the pipe may be closed and the process alive
        code = self.process.exitcode
        if code is None:
            return "it closed its pipe"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Pool(Generic[Task, Result]):
    """Worker processes, started at once; use as a context manager, which ends them whatever happens.

    Args:
        make_worker: run once in every worker; gives the function that runs a task there. It must pickle; what it
            gives need not. Tasks and results must pickle.
        jobs: how many processes.
        lost: makes the result of a task that was not run to its end, from why: its worker died or exceeded the limit,
            it raised, or no worker came up.
        limit: seconds a task may take, one number or a function of the task; ``None`` for as long as it wants.

    Raises:
        ValueError: ``jobs`` or ``limit`` is not positive.
    """

    def __init__(
        self,
        make_worker: Callable[[], Callable[[Task], Result]],
        jobs: int,
        lost: Callable[[Task, str], Result],
        limit: float | Callable[[Task], float] | None = None,
    ) -> None:
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}; it must be at least 1")
        if isinstance(limit, int | float) and not limit > 0:
            raise ValueError(f"limit is {limit}; it must be more than 0 seconds")
        self._pickled, self._jobs, self._lost, self._limit = pickle.dumps(make_worker), jobs, lost, limit
        self._workers: list[_Worker[Task]] = []
        self._fill()

    def _fill(self) -> None:
        """Start as many workers as are missing."""
        while len(self._workers) < self._jobs:
            self._workers.append(_Worker(self._pickled))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result | None]]:
        """Run tasks in their order, as workers become free: ``(task, None)`` when one starts, then with its result.

        Where a worker dies or is killed at the limit, its task is lost and another worker takes its place. Workers then
        wait for the next run, with what they have loaded.
        """
        pending, reason = deque(tasks), ""
        self._fill()  # some may have been lost at the end of an earlier run
        for worker in [worker for worker in self._workers if worker.ready][: len(pending)]:
            yield self._give(worker, pending.popleft()), None
        while busy := [worker for worker in self._workers if worker.task is not None or (pending and not worker.ready)]:
            for worker in self._reported(busy):
                answer, task = self._receive(worker), worker.task
                if task is not None:
                    yield task, answer.result if isinstance(answer, _Done) else self._lost(task, str(answer))
                    worker.task = None
                elif not isinstance(answer, _Ready):
                    reason = str(answer)
                if isinstance(answer, str) or (isinstance(answer, _Raised) and not worker.ready):
                    self._workers.remove(worker)
                    worker.end()
                    # One that never came up would not come up the second time.
                    if worker.ready and pending:
                        self._workers.append(_Worker(self._pickled))
                    continue
                worker.ready = True
                if pending:
                    yield self._give(worker, pending.popleft()), None
        for task in pending:
            yield task, self._lost(task, f"no worker process came up: {reason}")

    def _give(self, worker: _Worker[Task], task: Task) -> Task:
        worker.send(task, self._limit(task) if callable(self._limit) else self._limit)
        return task

    def _reported(self, workers: Sequence[_Worker[Task]]) -> list[_Worker[Task]]:
        """Wait for those that have something to say, that died, or whose time is over; there may be none yet."""
        soonest = min(worker.deadline for worker in workers) - time.monotonic()
        spoke = wait([worker.connection for worker in workers], min(max(0.0, soonest), LONGEST_WAIT))
        now = time.monotonic()
        return [worker for worker in workers if worker.connection in spoke or worker.deadline <= now]

    def _receive(self, worker: _Worker[Task]) -> _Ready | _Done | _Raised | str:
        """What a worker says, or how it was lost."""
        try:
            if worker.connection.poll():
                answer: _Ready | _Done | _Raised = worker.connection.recv()
                return answer
        except (EOFError, OSError):
            return f"the worker process died: {worker.how_it_died()}"
        except Exception as error:  # a result that pickles there and does not unpickle here
            return f"its result cannot be read: {_says(error)}"
        return f"took longer than {worker.seconds:g} s" + (" to start" if not worker.ready else "")
