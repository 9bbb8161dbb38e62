"""The pool: whatever a task or the start of a worker does, the other tasks get their results and nobody hangs."""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tangency.proofs_checks.run import pool as pools
from tangency.proofs_checks.run.pool import Pool

Do = Callable[[str], str]


def do(task: str) -> Any:
    """A task is the name of what happens."""
    match task:
        case "hang":
            time.sleep(600)
        case "exit":
            os._exit(3)
        case "sys.exit":
            sys.exit(4)
        case "segfault":
            ctypes.string_at(0)
        case "raise":
            raise ValueError("no good")
        case "unpicklable":
            return lambda: None
        case "print":
            print("noise")
    return task.upper()


def ready() -> Do:
    return do


def raising() -> Do:
    raise ImportError("no module named frobnicate")


def leaving() -> Do:
    sys.exit("bye")


def dying() -> Do:
    os._exit(5)


def hanging() -> Do:
    time.sleep(600)
    return do


def once() -> Do:
    """Comes up once and never again."""
    Path(os.environ["POOL_MARKER"]).touch(exist_ok=False)
    return do


def lost(task: str, why: str) -> str:
    return f"{task}: {why}"


def run(make: Callable[[], Do], *tasks: str, jobs: int = 1, limit: Any = None) -> dict[str, str]:
    with Pool(make, jobs, lost, limit) as pool:
        events = list(pool.run(tasks))
    started = [task for task, result in events if result is None]
    assert started == list(tasks)[: len(started)]
    return {task: result for task, result in events if result is not None}


def test_the_rest_is_run_whatever_a_task_does(capfd: pytest.CaptureFixture[str]) -> None:
    found = run(ready, "a", "hang", "exit", "sys.exit", "segfault", "raise", "unpicklable", "print", "z", limit=3)
    assert {task: found.pop(task) for task in ("a", "print", "z")} == {"a": "A", "print": "PRINT", "z": "Z"}
    assert found.pop("hang") == "hang: took longer than 3 s"
    assert found.pop("exit") == "exit: the worker process died: exit code 3"
    assert found.pop("segfault") == "segfault: the worker process died: signal SIGSEGV"
    assert found.pop("sys.exit").startswith("sys.exit: it raised SystemExit: 4 (")
    assert found.pop("raise").startswith("raise: it raised ValueError: no good (")
    assert found.pop("unpicklable").startswith("unpicklable: it raised ")
    assert not found
    assert capfd.readouterr().out == ""  # standard output is for results


def test_a_limit_may_depend_on_the_task_and_does_not_stop_the_others() -> None:
    started = time.monotonic()
    found = run(ready, "hang", "a", "b", jobs=2, limit={"hang": 1.0, "a": 60.0, "b": 60.0}.__getitem__)
    assert found == {"hang": "hang: took longer than 1 s", "a": "A", "b": "B"}
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (raising, "it raised ImportError: no module named frobnicate ("),
        (leaving, "it raised SystemExit: bye ("),
        (dying, "the worker process died: exit code 5"),
    ],
)
def test_why_no_worker_came_up(make: Callable[[], Do], why: str) -> None:
    found = run(make, "a", "b", jobs=2)
    assert set(found) == {"a", "b"}
    for task, result in found.items():
        assert result.startswith(f"{task}: no worker process came up: {why}")


def test_a_worker_that_hangs_at_its_start_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "START_LIMIT", 2.0)
    assert run(hanging, "a") == {"a": "a: no worker process came up: took longer than 2 s to start"}


def test_a_successor_that_does_not_come_up_is_no_endless_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_MARKER", str(tmp_path / "marker"))
    found = run(once, "exit", "a")
    assert found["exit"] == "exit: the worker process died: exit code 3"
    assert found["a"].startswith("a: no worker process came up: it raised FileExistsError: ")


def test_no_tasks_is_no_hang() -> None:
    assert run(ready, jobs=2) == {}


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="jobs is 0"):
        Pool(ready, 0, lost)
    with pytest.raises(ValueError, match="limit is 0"):
        Pool(ready, 1, lost, limit=0)
