"""``tangency check`` from end to end: exit codes, one-line complaints, files, scripts, known failures, baselines."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from tangency.cli import main as cli
from tangency.proofs_checks import report as reports

SLIPS = '''
import sys
import time
import torch


class Fine(torch.optim.SGD):
    """Nothing is wrong with it, but that it talks."""

    def step(self, closure=None):
        print("stepping")
        return super().step(closure)


class Writes(torch.optim.SGD):
    """Doubles the gradient in place."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.mul_(2)
        return super().step(closure)


class Sleeps(torch.optim.SGD):
    """Hangs in closures."""

    def step(self, closure=None):
        if closure is not None:
            time.sleep(3600)
        return super().step()


def quits(params, lr=0.1):
    sys.exit(3)
'''
SGD = ("--algorithm", "sgd", "--seed", "1", "--jobs", "1")
ASKED = ("--only", "gradient-untouched", "--only", "pickle")


@dataclass(frozen=True)
class Done:
    """What a call of the command left."""

    returncode: int
    stdout: str
    stderr: str


Check = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "slips.py").write_text(SLIPS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(folder: Path, capfd: pytest.CaptureFixture[str]) -> Check:
    """``check(*arguments)``: the command, run in the folder of the slips."""
    return lambda *arguments: Done(cli.run(["check", *arguments]), *capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no TARGET; name one as MODULE:NAME or PATH.py:NAME"),
        (["torch.optim:SGD", "--algorithm", "sdg"], "--algorithm is 'sdg'; it must be one of gd,"),
        (["torch.optim:SGD", "--set", "lr"], "--set is 'lr'; it must be NAME=VALUE"),
        (["torch.optim:SGD", "--only", "pickl"], "no check is called 'pickl'"),
        (["--explain", "pickl"], "no check is called 'pickl'"),
        (["torch.optim:SGD", "--known-failures", "no.toml"], "no.toml cannot be read"),
        (["torch.optim:SGD", "--baseline", "no.json"], "--baseline: no.json cannot be read"),
        (["torch.optim:SGD", "--json", "no/such.json"], "--json"),
        (["torch.optim:SGD", "--json", "-", "--junit", "-"], "only one report can go to standard output"),
        (["torch.optim:SGD", "--dialect", "first_step"], "--dialect is 'first_step'; it must be NAME=VALUE"),
        (
            ["torch.optim:SGD", "--dialect", "first_stop=dampened"],
            "no choice is called 'first_stop'; did you mean first",
        ),
        (["torch.optim:SGD", "--dialect", "first_step=damp"], "--dialect first_step is 'damp'; it must be one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_ends_with_4_and_one_line(check: Check, arguments: list[str], says: str) -> None:
    done = check(*arguments)
    assert done.returncode == 4
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("no_such_module:AdamP", "no_such_module cannot be imported"),
        ("slips.py:Fien", "slips.py has no Fien"),
        ("slips.py:quits", "SystemExit"),
    ],
)
def test_a_target_that_cannot_be_used_ends_with_4_and_says_why(
    check: Check, folder: Path, target: str, says: str
) -> None:
    done = check(target, *SGD, *ASKED)
    assert done.returncode == 4
    assert says in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_conforms_ends_with_0_and_what_it_prints_is_not_seen(check: Check) -> None:
    done = check("slips.py:Fine", *SGD, *ASKED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("✓ slips.py:Fine conforms to sgd: 2 checks hold\n")
    assert "stepping" not in done.stdout + done.stderr
    assert done.stderr == "seed 1\n"


def test_a_failure_has_a_script_files_tell_it_and_known_failures_excuse_it(check: Check, folder: Path) -> None:
    files = ["--json", "a.json", "--junit", "a.xml", "--markdown", "a.md", "--html", "a.html"]
    done = check("slips.py:Writes", *SGD, *ASKED, *files, "--reproducers", "scripts")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(
        "✗ slips.py:Writes does not conform to sgd: 1 bug (gradient-untouched); 1 check holds"
    )
    (script,) = (folder / "scripts").iterdir()
    assert f"reproducer: scripts/{script.name}" in done.stdout
    shown = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)
    assert shown.returncode == 1, shown.stderr
    assert "expected" in shown.stdout

    report = json.loads((folder / "a.json").read_text())
    schema = Path(reports.__file__ or reports.__path__[0]).parent / "report.schema.json"
    jsonschema.validate(report, json.loads(schema.read_text()))
    assert ElementTree.parse(folder / "a.xml").getroot().find(".//failure") is not None
    assert "gradient-untouched" in (folder / "a.md").read_text()
    assert "gradient-untouched" in (folder / "a.html").read_text()

    known = '[[known]]\ncheck = ["gradient-untouched"]\nreason = "it does, on purpose"\n'
    (folder / "known.toml").write_text(known, encoding="utf-8")
    done = check("slips.py:Writes", *SGD, *ASKED, "--known-failures", "known.toml")
    assert done.returncode == 0, done.stdout
    assert "1 known failure" in done.stdout
    assert "it does, on purpose" in done.stdout
    done = check("slips.py:Fine", *SGD, *ASKED, "--known-failures", "known.toml")
    assert done.returncode == 1
    assert "stale known failure: gradient-untouched holds, and is known to fail: it does, on purpose" in done.stdout


def test_with_a_baseline_only_what_is_new_fails(check: Check, folder: Path) -> None:
    done = check("slips.py:Writes", *SGD, *ASKED, "--json", "-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reports"][0]["info"]["target"] == "slips.py:Writes"
    assert "does not conform" in done.stderr
    (folder / "before.json").write_text(done.stdout, encoding="utf-8")
    assert check("slips.py:Writes", *SGD, *ASKED, "--baseline", "before.json").returncode == 0
    before = json.loads((folder / "before.json").read_text())
    for finding in before["reports"][0]["findings"]:
        finding["verdict"] = "holds"
    (folder / "before.json").write_text(json.dumps(before), encoding="utf-8")
    done = check("slips.py:Writes", *SGD, *ASKED, "--baseline", "before.json")
    assert done.returncode == 1, done.stdout


def test_a_filter_that_makes_errors_of_warnings_makes_no_failure(
    check: Check, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slips = (folder / "slips.py").read_text(encoding="utf-8")
    warns = 'import warnings\n\nwarnings.warn("so many")\n'
    (folder / "warns.py").write_text(f"{slips}\n{warns}", encoding="utf-8")
    monkeypatch.setenv("PYTHONWARNINGS", "error:so many")
    done = check("warns.py:Fine", *SGD, *ASKED)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pinned_dialect_that_changes_fails(check: Check) -> None:
    asked = ("--only", "dialect", "--profile", "quick")
    assert check("slips.py:Fine", *SGD, *asked, "--dialect", "first_step=undampened").returncode == 0
    done = check("slips.py:Fine", *SGD, *asked, "--dialect", "first_step=dampened")
    assert done.returncode == 1
    assert "first_step is 'undampened', pinned as 'dampened'" in " ".join(done.stdout.split())


def test_several_targets_are_one_matrix_and_one_that_hangs_costs_one_check(check: Check) -> None:
    done = check("slips.py:Fine", "slips.py:Sleeps", *SGD, *ASKED, "--only", "closure-loss", "--time-limit", "30")
    assert done.returncode == 1, done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line[:1].islower()}
    assert rows["closure-loss"] == ["✓", "✗"]
    assert rows["pickle"] == ["✓", "✓"]
    assert "the target stopped the check: took longer than 30 s" in " ".join(done.stdout.split())


def test_checks_are_listed_and_explained(check: Check) -> None:
    listed = check("--list").stdout
    assert "momentum-unprojected" in listed
    told = check("--explain", "momentum-unprojected").stdout
    assert told.startswith("momentum-unprojected · ")
    assert "Why: " in told
    assert "Where it stands: " in told
