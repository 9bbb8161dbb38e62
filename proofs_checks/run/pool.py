"""Tasks on several cores. A worker process gets one task at a time, so that one that dies or hangs stops no other; and
it runs the tasks of one owner only, so that what a task leaves behind reaches no other owner's."""

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, Generic, Self, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# A suite has fewer than a hundred tasks, and every worker loads torch: more processes only cost memory.
MOST_WORKERS = 16
# Importing torch from a cold network disk takes a minute; what takes longer than this hangs.
START_LIMIT = 300.0
# The operating system counts the milliseconds of a wait in 32 bits; longer waits are repeated.
LONGEST_WAIT = 86400.0
_STARTING = threading.Lock()


def usable_cores() -> int:
    """How many cores this process may use, and at most :data:`MOST_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


@dataclass(frozen=True)
class _Ready:
    """A worker has been made and waits for its first task."""


@dataclass(frozen=True)
class _Done:
    """The result of a task.

    Attributes:
        spent: the worker's state has changed, so it takes no further task.
    """

    result: Any
    spent: bool = False


@dataclass(frozen=True)
class _Raised:
    """What making the worker, or running its task, raised."""

    what: str

    def __str__(self) -> str:
        return f"it raised {self.what}"


class Spent(Exception):
    """A task has its result, but the worker's state has changed: it takes no further task."""

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self.result = result


def work(connection: Connection, made_by: bytes, quiet: bool) -> None:
    """The life of a worker: make it, then run the tasks that arrive until the parent is gone or ends it.

    Args:
        made_by: the function that makes it, pickled. It is unpickled here, so that an import that fails is reported
            and no traceback of the interpreter's.
        quiet: what tasks print goes nowhere.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    printed = _open_printed(quiet)
    with suppress(EOFError, BrokenPipeError):  # the parent may be gone
        try:
            _own_streams(printed)
            gc.disable()  # what is imported makes a million objects and no garbage
            run = pickle.loads(made_by)()
            gc.enable()
        except BaseException as error:  # SystemExit too: it would be a silent death
            connection.send(_Raised(_in_a_line(error)))
            return
        connection.send(_Ready())
        while True:
            task = connection.recv()
            _own_streams(printed)
            _answer(connection, run, task)


def _open_printed(quiet: bool) -> int:
    """The destination of what tasks print: nowhere, or a copy of standard error, if the parent has one."""
    if not quiet:
        with suppress(OSError):
            return os.dup(2)
    return os.open(os.devnull, os.O_WRONLY)


def _own_streams(descriptor: int) -> None:
    """Point descriptors 1 and 2 at the destination of prints, whatever closed them; results have their own pipe."""
    for number in (1, 2):
        os.dup2(descriptor, number)
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115


def _answer(connection: Connection, run: Callable[[Any], Any], task: Any) -> None:
    try:
        connection.send(_Done(run(task)))
    except Spent as spent:
        connection.send(_Done(spent.result, spent=True))
    except (EOFError, BrokenPipeError):
        raise
    except BaseException as error:  # of the task, or of a result that does not pickle
        connection.send(_Raised(_in_a_line(error)))


def _in_a_line(error: BaseException) -> str:
    """``ImportError: no such thing (claims.py:3)``: what was raised, and the innermost line that raised it."""
    message = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{message} ({frames[-1].filename}:{frames[-1].lineno})" if frames else message


@contextmanager
def _without_main() -> Iterator[None]:
    """A process that starts here does not run the program of this one, as ``spawn`` has it do otherwise."""
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


class _Worker(Generic[Task]):
    """A process, its pipe, the task that it is running, and the deadline."""

    def __init__(self, made_by: bytes, quiet: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, made_by, quiet), daemon=True)
        with _without_main():
            self.process.start()
        theirs.close()  # so that the death of the worker reads as the end of the pipe
        self.ready = False
        self.owner: Hashable = None  # whose tasks it runs, from the first one on
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
        make_worker: run once in every worker, of which it gets a copy; gives the function that runs a task there.
            Tasks and results must pickle.
        jobs: how many processes.
        lost: makes the result of a task that was not run to its end, from why: its worker died or exceeded the limit,
            it raised, or no worker came up.
        limit: seconds a task may take, one number or a function of the task; ``None``: no limit.
        owner: whose a task is. A worker runs the tasks of one owner alone, and is replaced before it would run
            another's: whatever a task did to it reaches no other owner. By default all tasks have one owner.
        quiet: what tasks print goes nowhere; else all of it goes to standard error.

    Raises:
        ValueError: ``jobs`` or ``limit`` is not positive, or ``make_worker`` cannot be copied.
    """

    def __init__(
        self,
        make_worker: Callable[[], Callable[[Task], Result]],
        jobs: int,
        lost: Callable[[Task, str], Result],
        limit: float | Callable[[Task], float] | None = None,
        *,
        owner: Callable[[Task], Hashable] = lambda task: "",
        quiet: bool = False,
    ) -> None:
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}; it must be at least 1")
        if isinstance(limit, int | float) and not limit > 0:
            raise ValueError(f"limit is {limit}; it must be more than 0 seconds")
        from tangency.proofs_checks.run.by_value import pickled

        self._pickled, self._jobs, self._lost, self._limit = pickled(make_worker), jobs, lost, limit
        self._owner, self._quiet = owner, quiet
        self._workers: list[_Worker[Task]] = []
        for _ in range(jobs):
            self._start()

    def _start(self) -> None:
        self._workers.append(_Worker(self._pickled, self._quiet))

    def _end(self, worker: _Worker[Task]) -> None:
        self._workers.remove(worker)
        worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def run(
        self, tasks: Sequence[Task], then: Callable[[Task, Result], Sequence[Task]] = lambda task, result: ()
    ) -> Iterator[tuple[Task, Result | None]]:
        """Run tasks in their order, as workers become free: ``(task, None)`` when one starts, then with its result.

        Where a worker dies or is killed at the limit, its task is lost and another worker takes its place. Workers then
        wait for the next run, with what they have loaded.

        Args:
            then: the tasks that a result makes possible; they come before all others.
        """
        pending, reason, jobs = list(tasks), "", self._jobs
        while True:
            yield from self._hand_out(pending, jobs)
            busy = [worker for worker in self._workers if worker.task is not None or (pending and not worker.ready)]
            if not busy:
                break
            for worker in self._reported(busy):
                answer, task = self._receive(worker), worker.task
                if task is not None:
                    result = answer.result if isinstance(answer, _Done) else self._lost(task, str(answer))
                    yield task, result
                    worker.task = None
                    pending[:0] = then(task, result)
                elif not isinstance(answer, _Ready):
                    reason = str(answer)
                    jobs -= 1  # one that failed to start would fail again
                made = isinstance(answer, _Ready) or task is not None
                if isinstance(answer, str) or not made or (isinstance(answer, _Done) and answer.spent):
                    self._end(worker)
                worker.ready = True
        for task in pending:
            yield task, self._lost(task, f"no worker process came up: {reason}")

    def _hand_out(self, pending: list[Task], jobs: int) -> Iterator[tuple[Task, None]]:
        """Give a task to every free worker that may have one; replace those of another owner, and those that are gone.

        A worker goes on with its owner's tasks; then with those of the owner that has the fewest workers.
        """
        starting = sum(not worker.ready for worker in self._workers)
        for worker in [worker for worker in self._workers if worker.ready and worker.task is None]:
            task = self._choose(worker, pending)
            if task is None:
                continue
            if worker.owner in (None, self._owner(task)):
                pending.remove(task)
                worker.owner = self._owner(task)
                yield self._give(worker, task), None
            elif starting < len(pending):
                self._end(worker)
                self._start()
                starting += 1
        while len(self._workers) < jobs and starting < len(pending):
            self._start()
            starting += 1

    def _choose(self, worker: _Worker[Task], pending: Sequence[Task]) -> Task | None:
        own = [task for task in pending if self._owner(task) == worker.owner]
        at = Counter(other.owner for other in self._workers if other is not worker)
        return own[0] if own else min(pending, key=lambda task: at[self._owner(task)], default=None)

    def _give(self, worker: _Worker[Task], task: Task) -> Task:
        worker.send(task, self._limit(task) if callable(self._limit) else self._limit)
        return task

    def _reported(self, workers: Sequence[_Worker[Task]]) -> list[_Worker[Task]]:
        """Wait for workers that have sent a message, died, or exceeded their limit; perhaps none yet."""
        soonest = min(worker.deadline for worker in workers) - time.monotonic()
        spoke = wait([worker.connection for worker in workers], min(max(0.0, soonest), LONGEST_WAIT))
        now = time.monotonic()
        return [worker for worker in workers if worker.connection in spoke or worker.deadline <= now]

    def _receive(self, worker: _Worker[Task]) -> _Ready | _Done | _Raised | str:
        """The message of a worker, or how it was lost."""
        try:
            if worker.connection.poll():
                answer: _Ready | _Done | _Raised = worker.connection.recv()
                return answer
        except (EOFError, OSError):
            return f"the worker process died: {worker.how_it_died()}"
        except Exception as error:  # a result that pickles there and does not unpickle here
            return f"its result cannot be read: {_in_a_line(error)}"
        return f"took longer than {worker.seconds:g} s" + (" to start" if not worker.ready else "")
