"""The zoo: all that is checked has something to catch, and each broken optimizer is caught, told and reproduced."""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tangency.proofs_checks import broken, checks, claims
from tangency.proofs_checks.broken.foreign import Object
from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import SOUND, Broken, find, zoo
from tangency.proofs_checks.checks import decision, exact_inputs
from tangency.proofs_checks.claim import Attack, Claim, Verdict
from tangency.proofs_checks.finding import Check, Finding
from tangency.proofs_checks.kill_matrix import behaviour
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.run.registry import ORDER, discover
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import load

QUICK = Options(PROFILES["quick"], 1)
CHECKS = {check.id: check for check in behaviour()}
INSTALLED = [one for one in zoo() if not one.missing]
PAIRS = [pytest.param(one, id, id=f"{one.name}-{id}") for one in INSTALLED for id in CHECKS if id in one.caught_by]


def modules(package: Any) -> list[Any]:
    return [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]


def values(module: Any, kind: type) -> Iterator[Any]:
    """What a module defines of a kind, by name or in a tuple."""
    for value in vars(module).values():
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, kind))


def test_everything_that_is_checked_has_something_to_catch_and_nothing_else_is_named() -> None:
    named = frozenset[str]().union(*(one.caught_by for one in zoo()))
    assert named == {check.id for check in conformance.checks()}


@pytest.mark.parametrize("sound", SOUND, ids=lambda one: one.name)
def test_every_claim_has_something_to_catch_in_each_algorithm_that_it_is_about(sound: Broken) -> None:
    kin = (one for one in zoo() if one.subject and one.target.algorithm == sound.target.algorithm)
    named = frozenset[str]().union(*(one.caught_by for one in kin))
    attacks = {claim.id: claim.implementation for claim in discover() if isinstance(claim.implementation, Attack)}
    assert sound.subject is not None
    assert {id for id, attack in attacks.items() if attack.requires <= sound.subject.capabilities} <= named


def test_no_check_and_no_claim_is_left_out() -> None:
    known = conformance.checks()
    assert {check.id for module in modules(checks) for check in values(module, Check)} <= {one.id for one in known}
    assert {claim.id for module in modules(claims) for claim in values(module, Claim)} == set(ORDER)
    assert [claim.id for claim in discover()] == list(ORDER)
    assert len({check.id for check in known}) == len(known)


def test_no_broken_optimizer_is_left_out_and_each_says_what_is_wrong() -> None:
    defined = {cls for module in modules(broken) for cls in values(module, type) if issubclass(cls, SGDP | Object)}
    assert {cls.__name__ for cls in defined} - {"Object"} == {
        one.name for one in (*zoo(), *SOUND) if isinstance(load(one.target).factory, type)
    }
    assert len({one.name for one in zoo()}) == len(zoo())
    for one in zoo():
        assert one.caught_by
        assert one.description.endswith("."), one.name


def test_ids_are_words_and_every_check_says_what_it_means() -> None:
    for check in CHECKS.values():
        assert all(word.isalnum() and word == word.lower() for word in check.id.split("-"))
        assert check.title
        assert "\n" not in check.title
        assert check.source
        assert len(check.why) > 40


@pytest.fixture(scope="module")
def findings() -> dict[tuple[str, str], Finding]:
    """What each check finds on each optimizer that it must catch."""
    return {(one.name, id): CHECKS[id].on(load(one.target), QUICK) for one, id in (pair.values for pair in PAIRS)}


@pytest.mark.parametrize(("one", "id"), PAIRS)
def test_it_is_caught_and_told(findings: dict[tuple[str, str], Finding], one: Broken, id: str) -> None:
    found = findings[one.name, id]
    assert found.verdict is Verdict.FAILS, found.detail
    assert found.detail
    assert found.reproducer
    if id != "dialect":  # whose attack and fit tell in their own words
        assert found.expected
        assert found.got


RUN = """
import contextlib, io, json, runpy, sys
codes = {}
for path in sys.argv[1:]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(path)
        codes[path] = (0, said.getvalue())
    except SystemExit as left:
        codes[path] = (left.code, said.getvalue())
    except BaseException as error:
        codes[path] = (repr(error), said.getvalue())
json.dump(codes, sys.stdout)
"""
# Their scripts hold the exact step from the weights and buffers that the broken one had left: they need its history.
JUDGED = {"dialect", "own-shapes", *(check.id for check in (*decision.CHECKS, *exact_inputs.CHECKS))}
REPAIRED = {
    "ascends": "momentum",
    "always_says_so": "project",
    "SquaredBeta": "Object",
    "OtherShape": "Object",
    "optax_ascends": "heavy_ball",
}


def run_all(scripts: dict[str, str], folder: Path) -> dict[str, tuple[Any, str]]:
    """Exit code and output of each script, all of them in one process."""
    for name, source in scripts.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    paths = [str(folder / f"{name}.py") for name in scripts]
    done = subprocess.run([sys.executable, "-c", RUN, *paths], capture_output=True, text=True, timeout=300, check=True)
    return {Path(path).stem: tuple(found) for path, found in json.loads(done.stdout.splitlines()[-1]).items()}


def test_its_script_shows_the_failure_while_it_is_there_and_only_then(
    findings: dict[tuple[str, str], Finding], tmp_path: Path
) -> None:
    scripts, repaired = {}, {}
    for (name, id), found in findings.items():
        one = find(name)
        module = one.target.target.partition(":")[0]
        line = f"from {module} import {name}\n"
        assert found.reproducer.count(line) == 1
        # But for the optimizer, it names nothing of this project.
        assert "tangency" not in found.reproducer.replace(line, "").replace(one.target.target, ""), (name, id)
        sound = "AdamP" if one.target.algorithm == "adamp" else "SGDP"
        good = f"from {SGDP.__module__} import {sound} as {name}\n"
        if name in REPAIRED:
            good = f"from {module} import {REPAIRED[name]} as {name}\n"
        scripts[f"{name}--{id}"] = found.reproducer
        if id not in JUDGED:
            repaired[f"{name}--{id}"] = found.reproducer.replace(line, good)
    for name, (code, said) in run_all(scripts, tmp_path).items():
        assert code == 1, (name, code, said)
        assert "expected" in said
        assert "got" in said
    for name, (code, said) in run_all(repaired, tmp_path).items():
        assert code == 0, (name, code, said)


def test_a_script_stands_alone(findings: dict[tuple[str, str], Finding], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(findings["NoLoss", "closure-loss"].reproducer, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "step(closure) does not return its loss" in done.stdout


ELSEWHERE = '''
import torch


class Own(torch.optim.SGD):
    """Prints, grows, and divides by zero where the gradient is."""

    @torch.no_grad()
    def step(self, closure=None):
        print("step")
        super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                p.mul_(1.5).div_(p.grad.any())
'''


@pytest.mark.parametrize("id", ["silent", "zero-gradient-step-is-right", "dialect", "lemma-2.2"])
def test_the_script_of_somebody_elses_optimizer_names_nothing_of_this_project(id: str, tmp_path: Path) -> None:
    (tmp_path / "slips.py").write_text(ELSEWHERE, encoding="utf-8")
    (check,) = conformance.select([id])
    found = check.on(load(TargetSpec(f"{tmp_path / 'slips.py'}:Own", "sgd")), QUICK)
    assert found.verdict is Verdict.FAILS
    assert found.reproducer
    assert "tangency" not in found.reproducer


@pytest.mark.parametrize(("name", "expected"), [("other_ratio", "wd_ratio = 0.1"), ("fixed_delta", "delta = 0.1")])
def test_defaults_are_found_behind_a_factory(
    findings: dict[tuple[str, str], Finding], name: str, expected: str
) -> None:
    found = findings[name, "defaults"]
    assert found.expected == expected
    assert "0.5" in found.got or "0.2" in found.got
