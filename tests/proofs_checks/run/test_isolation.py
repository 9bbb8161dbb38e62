"""Nothing that one target, or one task, leaves behind spoils the verdict of the next."""

import gc
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from tangency.proofs_checks.checks.search import Budget, search
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.kill_matrix import mutants
from tangency.proofs_checks.report.subject_report import FAILED, USAGE
from tangency.proofs_checks.run import conformance, state
from tangency.proofs_checks.run.claim_files import load
from tangency.proofs_checks.run.pool import Pool, Spent
from tangency.proofs_checks.run.state import CannotRestore, Part, restored
from tangency.proofs_checks.run.verify import _is_ours
from tangency.proofs_checks.subjects import PRODUCTION
from tangency.proofs_checks.target.spec import TargetSpec

Do = Callable[[str], Any]
TARGETS = '''
import os
import random
import signal
import sys
import torch

REAL = torch.Tensor.add_


class Fine(torch.optim.SGD):
    """Nothing is wrong with it."""


class Spoils(torch.optim.SGD):
    """Leaves behind all that it can, at its first step."""

    def step(self, closure=None):
        found = super().step(closure)
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        torch.set_flush_denormal(True)
        torch.manual_seed(1)
        random.seed(1)
        os.chdir("/")
        os.environ.clear()
        os.umask(0o777)
        sys.path.clear()
        sys.setrecursionlimit(200)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        torch.Tensor.add_ = torch.Tensor.sub_
        torch.optim.SGD.step = lambda self, closure=None: None
        return found


class Closes(torch.optim.SGD):
    """Closes what it can be heard by."""

    def step(self, closure=None):
        for number in (0, 1, 2):
            try:
                os.close(number)
            except OSError:
                pass
        for stream in (sys.stdout, sys.stderr):
            stream.close()
        return super().step(closure)


class Floods(torch.optim.SGD):
    """Says more than any pipe holds."""

    def step(self, closure=None):
        for number in (1, 2):
            os.write(number, bytes(2**20))
        print("x" * 2**20, flush=True)
        return super().step(closure)
'''
ASKED = ["eq-04", "global-state", "gradient-untouched", "first-step", "dialect"]


@pytest.fixture
def targets(tmp_path: Path) -> Callable[..., list[TargetSpec]]:
    path = tmp_path / "targets.py"
    path.write_text(TARGETS, encoding="utf-8")
    return lambda *names: [TargetSpec(f"{path}:{name}", "sgd") for name in names]


@pytest.mark.parametrize("spoiler", ["Spoils", "Closes", "Floods"])
def test_a_target_after_one_that_spoils_all_it_can_has_its_own_verdict(
    spoiler: str, targets: Callable[..., list[TargetSpec]], capfd: pytest.CaptureFixture[str]
) -> None:
    only = [one.id for one in conformance.checks() if one.id in ASKED]
    alone, spoils, after = conformance.check(
        targets("Fine", spoiler, "Fine"), only=only, profile="quick", seed=1, jobs=1, limit=60
    )
    told = [[(f.check, f.verdict, f.examples, f.error) for f in report.findings] for report in (alone, after)]
    assert told[0] == told[1]
    assert Verdict.HOLDS in {f.verdict for f in alone.findings}
    assert not {f.verdict for f in alone.findings} & {Verdict.FAILS, Verdict.ERROR}
    if spoiler == "Spoils":
        assert spoils.exit_code in (FAILED, USAGE)
    else:  # to be silent is another check
        assert [f.verdict for f in spoils.findings] == [f.verdict for f in alone.findings]
    assert capfd.readouterr() == ("", "")


def whose(task: str) -> Any:
    """``owner/what``: what happens, and then the process that it happened in."""
    what = task.partition("/")[2]
    if what == "close":
        os.closerange(0, 3)
        sys.stdout = sys.stderr = None  # type: ignore[assignment]
    elif what == "print":
        print("heard")
    elif what == "spent":
        raise Spent(os.getpid())
    elif what == "die":
        os._exit(3)
    return os.getpid()


def made() -> Do:
    return whose


def owner_of(task: str) -> str:
    return task.partition("/")[0]


def test_an_import_that_changes_folder_and_settings_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else relative paths of files, and of the target in its scripts, would start elsewhere."""
    monkeypatch.chdir(tmp_path)
    moves = "import os\nimport torch\n\nos.chdir('/')\ntorch.set_default_dtype(torch.float16)\n"
    (tmp_path / "moves.py").write_text(f"{moves}\n\nclass SGD(torch.optim.SGD):\n    pass\n")
    target = conformance.load_undisturbed(TargetSpec("moves.py:SGD"))
    assert (Path.cwd(), torch.get_default_dtype()) == (tmp_path, torch.float32)
    assert str(tmp_path / "moves.py") in target.expression[0]
    claims = (
        "from tangency.proofs_checks.claims.eq_12_projected_norm_growth import CLAIM\nfrom dataclasses import replace\n"
    )
    (tmp_path / "claims.py").write_text(f"{moves}{claims}MINE = replace(CLAIM, id='mine')\n")
    assert [claim.id for claim in load("claims.py").claims] == ["mine"]
    assert (Path.cwd(), torch.get_default_dtype()) == (tmp_path, torch.float32)


def test_optimizers_of_this_package_share_processes_and_others_do_not() -> None:
    assert all(_is_ours(subject) for subject in (*PRODUCTION, *mutants().subjects))
    assert not _is_ours(replace(PRODUCTION[0], make=torch.optim.SGD))


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_process_has_one_owner(jobs: int) -> None:
    tasks = [f"{owner}/{number}" for owner in "abc" for number in range(3)]
    with Pool(made, jobs, lambda task, why: why, owner=owner_of) as pool:
        events = [*pool.run(tasks), *pool.run(["b/again", "a/again"])]
    found = {task: result for task, result in events if result is not None}
    assert set(found) == {*tasks, "a/again", "b/again"}
    owners: dict[int, set[str]] = {}
    for task, process in found.items():
        owners.setdefault(process, set()).add(owner_of(task))
    assert all(isinstance(process, int) and len(who) == 1 for process, who in owners.items())


def test_a_result_makes_tasks_possible_and_they_come_first() -> None:
    def then(task: str, result: Any) -> list[str]:
        return [f"{task}.1", f"{task}.2"] if task in ("a/x", "b/x") else []

    with Pool(made, 1, lambda task, why: why, owner=owner_of) as pool:
        started = [task for task, result in pool.run(["a/x", "b/x"], then) if result is None]
    assert started == ["a/x", "a/x.1", "a/x.2", "b/x", "b/x.1", "b/x.2"]


def test_a_spent_worker_takes_no_further_task_and_its_result_counts() -> None:
    with Pool(made, 1, lambda task, why: why) as pool:
        found = {task: result for task, result in pool.run(["a/spent", "a/1", "a/2"]) if result is not None}
    assert isinstance(found["a/spent"], int)
    assert found["a/spent"] != found["a/1"] == found["a/2"]


def test_closed_streams_are_open_for_the_next_task(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(made, 1, lambda task, why: why) as pool:
        found = dict(event for event in pool.run(["a/close", "a/print", "a/1"]) if event[1] is not None)
    assert len(set(found.values())) == 1
    assert capfd.readouterr() == ("", "heard\n")
    with Pool(made, 1, lambda task, why: why, quiet=True) as pool:
        list(pool.run(["a/print"]))
    assert capfd.readouterr() == ("", "")


SPOIL = {
    "default dtype": lambda: torch.set_default_dtype(torch.float64),
    "default device": lambda: torch.set_default_device("meta"),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "deterministic algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "anomaly mode": lambda: torch.autograd.set_detect_anomaly(True),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "matmul precision": lambda: torch.set_float32_matmul_precision("medium"),
    "subnormal numbers": lambda: torch.set_flush_denormal(True),
    "floating-point errors": lambda: np.seterr(all="raise"),
    "random numbers": random.random,
    "working directory": lambda: os.chdir("/"),
    "environment": lambda: os.environ.update(TANGENCY="1", PATH=""),
    "signal handlers": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "umask": lambda: os.umask(0o777),
    "sys.path": lambda: sys.path.append("nowhere"),
    "recursion limit": lambda: sys.setrecursionlimit(5000),
    "garbage collection": gc.disable,
}


@pytest.mark.parametrize("name", SPOIL)
def test_what_is_changed_is_changed_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (part,) = [part for part in state.SETTINGS + state.SURROUNDINGS if part.name == name]
    before = part.read()
    with restored():
        SPOIL[name]()
        assert part.read() != before
    assert part.read() == before


def test_every_part_is_tried() -> None:
    names = {part.name for part in state.SETTINGS + state.SURROUNDINGS}
    assert names - set(SPOIL) == {"locale"}  # which others there are is the machine's matter


def test_random_numbers_and_filters_of_warnings_go_on_as_they_were() -> None:
    filters, states = list(warnings.filters), (torch.get_rng_state(), np.random.get_state()[1])
    with restored():
        torch.rand(3)
        np.random.rand(3)
        warnings.simplefilter("error")
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert warnings.filters == filters


def test_what_cannot_be_changed_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Part("time", time.monotonic, lambda value: None)
    with pytest.raises(CannotRestore, match="time"), restored([stuck]):
        pass
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)

    def leave() -> None:
        with restored():
            os.chdir(tmp_path)
            gone.rmdir()

    with pytest.raises(CannotRestore, match="working directory: "):
        leave()


def test_a_timeout_in_a_search_is_no_counterexample() -> None:
    """Hypothesis takes what ``pytest.fail`` raises for a failure, and would try again what has just hung."""
    tried = []

    def check(problem: int) -> None:
        tried.append(problem)
        pytest.fail("Timeout >1.0s")

    with pytest.raises(pytest.fail.Exception, match="Timeout"):
        search(st.integers(), check, Budget(10, seed=1), "key")
    assert len(tried) == 1
