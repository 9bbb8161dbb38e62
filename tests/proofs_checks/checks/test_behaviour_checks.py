"""The behaviour checks: each fails on an optimizer made for it, with a script, and holds on good ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bad_behaviour import BAD

from tangency.proofs_checks.checks import arguments, contract, inputs, paths, side_effects, state, tensors, updates
from tangency.proofs_checks.checks import every as behaviour
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import load

MODULES = (inputs, tensors, contract, updates, state, arguments, paths, side_effects)
CHECKS = {check.id: check for module in MODULES for check in module.CHECKS}
QUICK = Options(PROFILES["quick"], 1)
HELPERS = Path(__file__).parents[2] / "helpers"
BAD_FILE = HELPERS / "bad_behaviour.py"
ALGORITHM = dict.fromkeys(("OneCount", "Ignores_betas", "Ignores_eps", "Lenient_betas", "Lenient_eps"), "adamp")


def bad(name):
    return load(TargetSpec(f"{BAD_FILE}:{name}", algorithm=ALGORITHM.get(name, "sgdp")))


def test_every_check_has_its_bad_optimizer():
    assert set(BAD) == set(CHECKS)
    assert set(CHECKS.values()) <= set(behaviour.CHECKS)


def test_ids_are_unique_words_and_every_check_says_what_it_means():
    checks = behaviour.CHECKS
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert all(word.isalnum() and word == word.lower() for word in check.id.split("-"))
        assert check.title
        assert "\n" not in check.title
        assert check.source
        assert len(check.why) > 40


@pytest.fixture(scope="module")
def findings():
    """Of each check, what it finds on the optimizer that is made for it."""
    return {id: CHECKS[id].on(bad(name), QUICK) for id, name in BAD.items()}


@pytest.mark.parametrize("id", BAD)
def test_it_fails_on_the_optimizer_made_for_it(findings, id):
    found = findings[id]
    assert found.verdict is Verdict.FAILS
    assert found.detail
    assert found.expected
    assert found.got
    assert found.reproducer


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


def run_all(scripts, folder):
    """Exit code and output of each script, all of them in one process."""
    for id, source in scripts.items():
        (folder / f"{id}.py").write_text(source)
    paths = [str(folder / f"{id}.py") for id in scripts]
    done = subprocess.run([sys.executable, "-c", RUN, *paths], capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {Path(path).stem: tuple(result) for path, result in found.items()}


def test_its_script_shows_the_failure_while_it_is_there_and_only_then(findings, tmp_path):
    scripts = {id: found.reproducer for id, found in findings.items()}
    for id, source in scripts.items():
        assert "tangency" not in source.replace("tangency_", ""), id
    for id, (code, said) in run_all(scripts, tmp_path).items():
        assert code == 1, (id, code, said)
        assert "expected" in said
        assert "got" in said
    # The same scripts with a good optimizer in the place of the bad one.
    repaired = {}
    for id, source in scripts.items():
        name = BAD[id]
        line = f"{name} = _module.{name}"
        assert line in source
        base = "Adamp" if name in ALGORITHM else "Sgdp"
        repaired[id] = source.replace(line, f"{name} = _module.{base}")
    for id, (code, said) in run_all(repaired, tmp_path).items():
        assert code == 0, (id, code, said)


def test_a_script_stands_alone(findings, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(findings["closure-loss"].reproducer)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "step(closure) does not return its loss" in done.stdout


SGD_ONLY = {"momentum-unprojected", "argument-momentum", "argument-dampening", "invalid-momentum"}
ADAM_ONLY = {"argument-betas", "invalid-betas", "argument-eps"}
PROJECTED = {
    "momentum-unprojected",
    "argument-delta",
    "argument-wd-ratio",
    "invalid-delta",
    "invalid-wd-ratio",
    "defaults",
}
NOT_APPLICABLE = {
    "tangency.optim:SGDP": ADAM_ONLY,
    "tangency.optim:AdamP": SGD_ONLY,
    "torch.optim:SGD": ADAM_ONLY | PROJECTED | {"invalid-eps", "capturable-agrees"},
    "torch.optim:Adam": SGD_ONLY | PROJECTED | {"argument-nesterov", "capturable-agrees"},
    "torch.optim:AdamW": SGD_ONLY | PROJECTED | {"argument-nesterov", "capturable-agrees"},
}


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_good_optimizers_pass(name):
    target = load(TargetSpec(name))
    found = {id: check.on(target, QUICK) for id, check in CHECKS.items()}
    assert {id: f.detail for id, f in found.items() if f.verdict is Verdict.FAILS} == {}
    assert {id for id, f in found.items() if f.verdict is Verdict.DOES_NOT_APPLY} == NOT_APPLICABLE[name]
    assert all(f.detail for f in found.values() if f.verdict is Verdict.DOES_NOT_APPLY)


@pytest.mark.parametrize("name", ["factory_of_sgdp", "factory_of_sgdp_with_fixed_delta"])
def test_defaults_are_found_behind_a_factory(name):
    found = CHECKS["defaults"].on(bad(name), QUICK)
    assert found.verdict is Verdict.FAILS
    assert found.expected == ("wd_ratio = 0.1" if name == "factory_of_sgdp" else "delta = 0.1")
    assert "0.5" in found.got or "0.2" in found.got


@pytest.mark.parametrize(("id", "name"), [("random-state", "DrawsInPython"), ("gradient-released", "Hoards")])
def test_other_ways_to_fail(id, name):
    assert CHECKS[id].on(bad(name), QUICK).verdict is Verdict.FAILS
