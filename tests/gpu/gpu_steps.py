"""The steps of ``tests/gpu/run.sh``, the most valuable first, so that a run that is cut short still tells.

Each step has a limit, which is no more than what is left of the whole; its outcome is written when it ends. OUT gets

- ``results.jsonl``: the card, a line for each test as soon as it is known, and a line for each step;
- ``bench-float32.json`` and the like: what ``tangency bench`` has measured, written as it goes on;
- ``log.txt``: all that the steps print.

Exits with 0 if every step passed, 1 if one did not, 4 if the call is wrong or there is no GPU.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gpu_run import ROOT, Run, Step

HERE = Path(__file__).resolve().parent
BUDGET = 530.0  # seconds for everything; nine minutes have ten more, for the end
START_LIMIT = 180.0  # of torch, from a cold disk, and of the card
WRONG_CALL = 4
MOST_PARTS = 16  # processes that share a card: each takes half a GiB of its memory
PYTEST = ("-P", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-o", "pythonpath=tests/helpers")
KERNELS = "tests/optim/test_optim_gpu_kernels.py"
GRAPHS = "tests/gpu/test_fused_on_gpu.py"
MODELS = ("resnet-50", "transformer-124m", "transformer-1.3b")
# By dtype, the seconds for one model in one mode: a round of every contender takes about a quarter of a second.
SECONDS = {"float32": "3", "bfloat16": "1", "float16": "1", "float64": "1"}
PIP = ("-P", "-m", "pip", "install", "--no-deps", "--no-index", "--disable-pip-version-check", "--no-input", "--quiet")


def steps(out: Path, *, dry: bool) -> list[Step]:
    """All of them but the installation; a dry run has one process, the tests marked ``smoke``, and a tiny model."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parts = 1 if dry else min(cores, MOST_PARTS)
    few = ("-m", "smoke") if dry else ()

    def tests(name: str, says: str, limit: float, *arguments: str, parts: int = 1) -> Step:
        return Step(name, says, limit, (*PYTEST, *arguments), tests=True, parts=parts)

    def bench(dtype: str) -> Step:
        file = f"bench-{dtype}.json"
        models = ("small",) if dry else MODELS
        # The interpreter stands in for the card's kernels there.
        start = (str(HERE / "gpu_dry.py"), "bench", "--optimizer", "SGDP", "--mode", "none", "--seconds", "0")
        if not dry:
            start = ("-P", "-m", "tangency.cli.main", "bench", "--device", "cuda", "--seconds", SECONDS[dtype])
        chosen = [word for model in models for word in ("--model", model)]
        call = (*start, "--peers", "--no-counts", "--dtype", dtype, *chosen, "--json", str(out / file))
        return Step(f"bench-{dtype}", f"steps in {dtype} beside those of others", 150, call, measures=file)

    return [
        tests("smoke", "a few steps of every kernel", 90, "-m", "smoke", KERNELS, GRAPHS),
        tests("claims", "every claim on every path", 180, *few, "tests/gpu/test_claims_on_gpu.py", parts=parts),
        tests("kernels", "the kernels' own tests", 150, *few, KERNELS, parts=parts),
        tests("graphs", "CUDA graphs, scalers, compilers, no waiting", 90, *few, GRAPHS, parts=min(parts, 4)),
        *(bench(dtype) for dtype in (["float32"] if dry else SECONDS)),
    ]


def missing(wheels: Path | None) -> list[str]:
    """The packages of a folder of wheels that are not installed."""
    names = sorted({wheel.name.partition("-")[0] for wheel in wheels.glob("*.whl")} if wheels else ())
    return [name for name in names if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def installation(site: Path, source: Path, wheels: Path | None) -> list[Step]:
    """This checkout, built in a copy since building writes beside its sources, and what is missing of the wheels."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "tangency"):
        _copy(ROOT / name, source / name)
    for link in sorted((ROOT / "tangency").iterdir()):
        _copy(ROOT / link.name, source / link.name)
    pip = (*PIP, "--target", str(site))
    found = [Step("install", "this checkout", 90, (*pip, "--no-build-isolation", str(source)))]
    if names := missing(wheels):
        # Beside each other: a wheel that does not fit this Python stops no other.
        found += [Step(f"install-{name}", f"from {wheels}", 60, (*pip, name)) for name in names]
    return found


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, to, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(path, to)


def needed() -> list[str]:
    """What claims and benchmarks need by pyproject.toml, and is not there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = [*project["dependencies"], *project["optional-dependencies"]["verify"], "pytest", "triton"]
    names = (re.split(r"[<>=\[ ]", one)[0] for one in stated)
    return [name for name in names if not _is_there(name)]


def environment(scratch: Path, site: Path | None, wheels: Path | None, *, dry: bool) -> dict[str, str]:
    """That of the steps: their own caches, and what was installed before this checkout."""
    # Where the installation failed, the checkout itself is imported: a card is rare.
    path = [HERE, *((site, ROOT) if site else ())]
    inherited = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), *inherited])}
    found.setdefault("TRITON_CACHE_DIR", str(scratch / "triton"))
    found |= {"HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"), "PYTHONUNBUFFERED": "1"}
    if wheels is not None:
        found["PIP_FIND_LINKS"] = wheels.as_uri()  # pip splits a plain path at blanks
    if dry:
        found |= {"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""}
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of our own, removed at the end, also where the run is ended by a signal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="tangency-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do all steps; the exit code."""
    deadline = time.monotonic() + BUDGET
    parser = argparse.ArgumentParser(prog="tests/gpu/run.sh", description="Everything that a GPU can tell.")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder for results and logs")
    parser.add_argument(
        "wheels", type=Path, nargs="?", metavar="WHEELS", help="a folder with wheels of what is missing"
    )
    parser.add_argument("--dry", action="store_true", help="on the CPU, in a much smaller version")
    parser.add_argument("--installed", action="store_true", help="test the tangency that is installed already")
    try:
        call = parser.parse_args(arguments)
    except SystemExit as wrong:
        return WRONG_CALL if wrong.code else 0
    if call.wheels is not None and not any(call.wheels.glob("*.whl")):
        return _refused(f"{call.wheels} holds no wheels")
    card = [sys.executable, str(HERE / "gpu_card.py"), *["--dry"] * call.dry]
    try:
        found = subprocess.run(card, capture_output=True, text=True, timeout=START_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return _refused(f"torch does not start within {START_LIMIT:.0f} s")
    if found.returncode:
        return _refused((found.stderr.strip() or "torch does not start").splitlines()[-1])
    try:
        call.out.mkdir(parents=True, exist_ok=True)
        (call.out / "log.txt").touch()
    except OSError as error:
        return _refused(f"nothing can be written to {call.out}: {error.strerror}")
    for old in (*call.out.glob("bench-*.json"), call.out / "results.jsonl", call.out / "log.txt"):
        old.unlink(missing_ok=True)
    with _folder() as scratch:
        return _all(call, scratch, deadline, json.loads(found.stdout.splitlines()[-1]))


def _refused(why: str) -> int:
    print(f"tests/gpu/run.sh: {why}", file=sys.stderr)
    return WRONG_CALL


def _all(call: argparse.Namespace, scratch: Path, deadline: float, card: Mapping[str, Any]) -> int:
    out, wheels = call.out.resolve(), call.wheels and call.wheels.resolve()
    site = None if call.installed else scratch / "site"
    run = Run(out, deadline, environment(scratch, site, wheels, dry=call.dry))
    run.write(**card)
    print(card["card"], flush=True)
    if site is not None:
        sys.path.insert(0, str(site))  # what is installed counts as there
        (scratch / "source").mkdir()
        for step in installation(site, scratch / "source", wheels):
            run.do(step)
    if lacks := needed():
        print(f"not there: {', '.join(lacks)}; what needs it will fail", flush=True)
    for step in steps(out, dry=call.dry):
        run.do(step)
    wrong = [name for name, outcome in run.outcomes.items() if outcome != "passed"]
    print(f"not passed: {', '.join(wrong)}; {out / 'log.txt'} says why" if wrong else "all passed", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
