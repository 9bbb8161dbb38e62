"""The time before the second step: imports, compilation and new state, in an interpreter for each contender.

A cold start has no kernels on disk; a warm one finds those that the cold one left (numba, Triton, inductor keep them).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tangency.benchmarks.steps import Competitors

CACHES = {"NUMBA_CACHE_DIR": "numba", "TRITON_CACHE_DIR": "triton", "TORCHINDUCTOR_CACHE_DIR": "inductor"}
TIME_LIMIT = 1800


class BrokenStart(RuntimeError):
    """A contender that was ready did not come up in a new interpreter."""


@dataclass(frozen=True)
class Start:
    """Seconds of a first step: from nothing, with its kernels on disk, and those of the second step."""

    what: str
    optimizer: str
    name: str
    cold: float
    warm: float
    second: float


def starts(
    what: str, competitors: Competitors, *, device: str = "cpu", watch: Callable[[int, int], None]
) -> list[Start]:
    """Start every contender twice.

    Raises:
        BrokenStart: an interpreter gave no result.
    """
    found = []
    for done, contender in enumerate(competitors.ready):
        with tempfile.TemporaryDirectory(prefix="tangency-") as folder:
            runs = [_run(what, competitors.optimizer, contender.name, device, Path(folder)) for _ in range(2)]
        found.append(Start(what, competitors.optimizer, contender.name, runs[0][0], runs[1][0], runs[1][1]))
        watch(done + 1, len(competitors.ready))
    return found


def _run(what: str, optimizer: str, name: str, device: str, folder: Path) -> tuple[float, float]:
    caches = {variable: str(folder / below) for variable, below in CACHES.items()}
    command = [sys.executable, "-m", "tangency.benchmarks.first_step", what, optimizer, name, device]
    done = subprocess.run(
        command, env={**os.environ, **caches}, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    if done.returncode != 0:
        raise BrokenStart(f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no result'}")
    first, second = json.loads(done.stdout.splitlines()[-1])
    return float(first), float(second)


def main(what: str, optimizer: str, name: str, device: str) -> None:
    """Make an optimizer in this new interpreter, and print the seconds of its first and second step."""
    from tangency.benchmarks.contenders import contenders
    from tangency.benchmarks.modes import problem
    from tangency.benchmarks.shapes import MODELS
    from tangency.benchmarks.steps import stepper

    params = problem(MODELS[what](), "trained", device)
    (contender,) = (c for c in contenders(optimizer, peers=True, compiled=True) if c.name == name)
    seconds = []
    step = stepper(contender, params, device)
    for _ in range(2):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
