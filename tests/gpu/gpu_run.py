"""How the steps of ``tests/gpu/run.sh`` are run: each within a limit, its outcome written and printed when it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NO_TESTS = 5  # pytest's exit code; a part of few tests may be empty


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        says: what it does, for people.
        limit: seconds it may take.
        arguments: of Python.
        tests: whether they are those of pytest; then it passes only if a test does.
        parts: processes among which its tests are divided.
        measures: the file that it writes; one of our own optimizers that is left out there is a failure.
    """

    name: str
    says: str
    limit: float
    arguments: tuple[str, ...]
    tests: bool = False
    parts: int = 1
    measures: str = ""


@dataclass
class Run:
    """A run: where it writes, how long it may take, and what became of each step.

    Attributes:
        deadline: on the clock of ``time.monotonic``.
        environment: of the steps.
    """

    out: Path
    deadline: float
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    outcomes: dict[str, str] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.out / "results.jsonl"

    def do(self, step: Step) -> None:
        """One step within its limit; what became of it is printed, and written."""
        started = time.monotonic()
        limit = min(step.limit, self.deadline - started)
        codes = self._codes(step, limit) if limit > 0 else []
        counts = self._counts(step.name)
        outcome = self._outcome(step, codes, counts)
        seconds = time.monotonic() - started
        if outcome == "cut":
            outcome = f"cut after {seconds:.0f} s"
        self.outcomes[step.name] = outcome
        self.write(step=step.name, says=step.says, outcome=outcome, codes=codes, seconds=round(seconds, 1))
        told = ", ".join(f"{n} {what}" for what, n in counts.items())
        mark = "✓" if outcome == "passed" else "✗"
        print(f"{mark} {step.name}: {outcome}{f' ({told})' * bool(told)}, {seconds:.0f} s", flush=True)

    def _codes(self, step: Step, limit: float) -> list[int | None]:
        """The exit codes of its processes; ``None`` for one that was ended at the limit."""
        ends = time.monotonic() + limit
        with (self.out / "log.txt").open("ab") as log:
            log.write(f"\n== {step.name}: {step.says}\n".encode())
            log.flush()
            processes: list[subprocess.Popen[bytes]] = []
            try:
                for part in range(step.parts):
                    # Groups of their own: what a step starts ends with it.
                    processes.append(
                        subprocess.Popen(
                            self._command(step, part),
                            cwd=ROOT,
                            env=self.environment,
                            stdin=subprocess.DEVNULL,
                            stdout=log,
                            stderr=log,
                            process_group=0,
                        )
                    )
                return [_wait(process, ends - time.monotonic()) for process in processes]
            finally:
                _end(processes)

    def _command(self, step: Step, part: int) -> list[str]:
        command = [sys.executable, *step.arguments]
        if step.tests:
            record = ("--record", str(self.results), "--step", step.name, "--shard", f"{part}/{step.parts}")
            command += ["-p", "gpu_record", *record]
        return command

    def _outcome(self, step: Step, codes: Sequence[int | None], counts: Mapping[str, int]) -> str:
        if not codes:
            return "not begun: no time was left"
        if None in codes:
            return "cut"
        wrong = [code for code in codes if code not in ((0, NO_TESTS) if step.tests else (0,))]
        if wrong:
            return f"failed with {', '.join(map(str, dict.fromkeys(wrong)))}"
        if step.tests and not counts.get("passed"):
            return "failed: no test passed"
        left = _left_out(self.out / step.measures) if step.measures else []
        return f"failed: left out: {'; '.join(left)}" if left else "passed"

    def _counts(self, step: str) -> dict[str, int]:
        """Of its tests, by outcome."""
        outcomes = [one["outcome"] for one in self.lines() if one.get("step") == step and "test" in one]
        return {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}

    def lines(self) -> list[dict[str, Any]]:
        """All that was written so far; a line that was cut short is left out."""
        return list(read_lines(self.results)) if self.results.exists() else []

    def write(self, **line: Any) -> None:
        """Add a line to the results."""
        with self.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of results that are whole."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return None


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End those of a step and all that they have started; what a card does not let go is left behind."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    ends = time.monotonic() + 5
    for process in processes:
        _wait(process, ends - time.monotonic())


def _left_out(path: Path) -> list[str]:
    """Our own optimizers that were not timed, each with the reason."""
    timings = json.loads(path.read_text(encoding="utf-8"))["timings"]
    out = {(one["name"], one["reason"]) for timing in timings for one in timing["left_out"]}
    return [f"{name}: {reason}" for name, reason in sorted(out) if name.startswith("tangency")]
