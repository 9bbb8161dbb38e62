"""The GitHub Action and the pre-commit hook: run as a runner and pre-commit would, and called as docs/check.md says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import executed_page as pages
import pytest
import yaml
from executed_page import ROOT, Shown

ACTION = yaml.safe_load(pages.read("action.yml"))
INSTALL, CHECK, UPLOAD = ACTION["runs"]["steps"]
(HOOK,) = yaml.safe_load(pages.read(".pre-commit-hooks.yaml"))
JOB, HOOKS = (
    yaml.safe_load(recipe)
    for recipe in re.findall(r"^```yaml\n(.*?)^```", pages.read("docs/check.md"), flags=re.MULTILINE | re.DOTALL)
)
CALLED = {"tangency": f'exec "{sys.executable}" -m tangency.cli.main "$@"', "python": f'exec "{sys.executable}" "$@"'}
# `averaged` is no SGD: each new gradient counts 1 − momentum.
FEW = {"algorithm": "sgd", "profile": "quick", "options": "--only dialect --only lemma-2.2", "install": "false"}

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the action is a bash script")


class Runner:
    """A job in an empty folder: which steps run, with which inputs, and what they leave behind.

    Attributes:
        given: the inputs by the caller; the others have their defaults.
        programs: name → body of the programs that come first on the path.
    """

    def __init__(self, folder: Path, given: dict[str, str], programs: dict[str, str]) -> None:
        self.folder, self.given = folder, given
        self.summary, self.output = folder / "summary", folder / "output"
        (folder / "bin").mkdir()
        for name, body in programs.items():
            (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)

    def value(self, name: str) -> str:
        declared = ACTION["inputs"][name]
        assert name in self.given or not declared.get("required")
        return self.given.get(name, declared.get("default", ""))

    def filled(self, text: str) -> str:
        """The text with its expressions replaced; one that a runner would not know is an error."""
        known = {"github.action_path": str(ROOT), **{f"inputs.{name}": self.value(name) for name in ACTION["inputs"]}}
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)

    def applies(self, step: dict[str, Any]) -> bool:
        """Whether the condition of a step holds: ``inputs.NAME == 'VALUE'`` or ``!=``, after ``always() &&`` maybe."""
        if "if" not in step:
            return True
        condition = re.fullmatch(r"(?:always\(\) && )?inputs\.([\w-]+) ([!=]=) '(.*)'", step["if"])
        assert condition is not None, step["if"]
        return (self.value(condition[1]) == condition[3]) == (condition[2] == "==")

    def run(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run a step as `shell: bash` runs it."""
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        script = self.folder / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        changed = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.output),
            **{name: self.filled(text) for name, text in step["env"].items()},
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder,
            env={**os.environ, **changed},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "docs" / "examples" / "my_sgd.py", tmp_path)
    return tmp_path


@bash
@pytest.mark.parametrize(("targets", "code"), [("my_sgd.py:sgd", 0), ("my_sgd.py:sgd\nmy_sgd.py:averaged\n", 1)])
def test_the_action_reports_and_fails_where_the_command_does(targets: str, code: int, folder: Path) -> None:
    runner = Runner(folder, {"target": targets, **FEW}, CALLED)
    assert not runner.applies(INSTALL)
    done = runner.run(CHECK)
    assert done.returncode == code, done.stdout + done.stderr
    assert runner.output.read_text(encoding="utf-8") == f"exit-code={code}\n"
    assert ACTION["outputs"]["exit-code"]["value"] == f"${{{{ steps.{CHECK['id']}.outputs.exit-code }}}}"
    kept = folder / runner.filled(UPLOAD["with"]["path"])
    assert runner.summary.read_text(encoding="utf-8") == (kept / "summary.md").read_text(encoding="utf-8")
    assert json.loads((kept / "report.json").read_text(encoding="utf-8"))["options"]["seed"] == 1
    assert (kept / "report.xml").read_text(encoding="utf-8").count("<testsuite ") == len(targets.split())
    assert (kept / "report.html").is_file()
    assert len(list(kept.glob("failures/*.py"))) == 2 * code
    annotations = re.findall(r"^::error title=tangency check::(.*)$", done.stdout, flags=re.MULTILINE)
    assert [said.partition(" ")[0] for said in annotations] == ["my_sgd.py:averaged"] * code
    assert runner.applies(UPLOAD)


@bash
def test_the_action_hands_on_what_it_is_given(folder: Path) -> None:
    told = {
        "target": "a:B  c:D",
        "algorithm": "sgd",
        "profile": "quick",
        "seed": "",
        "known-failures": "known failures.toml",
        "baseline": "before.json",
        "options": "--dialect 'epsilon=before correction' --set \"a=$(touch broken)\"",
    }
    runner = Runner(folder, told, {"tangency": 'printf "%s\\n" "$@" > call; exit 4'})
    assert runner.run(CHECK).returncode == 4
    call = (folder / "call").read_text(encoding="utf-8").splitlines()
    known = ["--known-failures", "known failures.toml", "--baseline", "before.json"]
    options = ["--dialect", "epsilon=before correction", "--set", "a=$(touch broken)"]
    told_first = ["check", "a:B", "c:D", "--profile", "quick", "--algorithm", "sgd", *known, *options]
    assert call[: len(told_first)] == told_first
    assert not (folder / "broken").exists()
    assert not runner.summary.exists()  # a wrong call writes no report, and what is said of it is on the log


@bash
def test_the_action_installs_itself(folder: Path) -> None:
    runner = Runner(folder, {"target": "my_sgd.py:sgd"}, {"python": 'echo "$@"'})
    assert runner.applies(INSTALL)
    assert runner.run(INSTALL).stdout == f"-m pip install {ROOT}[check]\n"


@pytest.mark.parametrize(("name", "code"), [("sgd", 0), ("averaged", 1)])
def test_the_hook_judges_the_target_of_its_arguments(name: str, code: int, folder: Path) -> None:
    assert {"id", "name", "entry", "language"} <= set(HOOK)  # what pre-commit asks of a hook
    assert not HOOK["pass_filenames"]
    arguments = f"my_sgd.py:{name} --algorithm sgd --only dialect --only lemma-2.2"
    pages.run_command(Shown(f"{HOOK['entry']} {arguments}", exits=code), folder)


def test_the_page_calls_both_as_they_are() -> None:
    *_, ours = JOB["jobs"]["tangency"]["steps"]
    assert re.fullmatch(r"OWNER/tangency@v[\d.]+", ours["uses"])
    assert set(ours["with"]) <= set(ACTION["inputs"])
    required = {name for name, declared in ACTION["inputs"].items() if declared.get("required")}
    assert required <= set(ours["with"])
    (called,) = HOOKS["repos"][0]["hooks"]
    assert called["id"] == HOOK["id"]
    assert set(HOOK["additional_dependencies"]) < set(called["additional_dependencies"])
    page = pages.read("docs/check.md")
    assert all(f"`{name}`" in page for name in (*ACTION["inputs"], *ACTION["outputs"]))
    help_ = pages.run_command(Shown("tangency check --help"), ROOT)
    passed = (CHECK["run"], HOOK["entry"], *called["args"])
    assert all(option in help_ for text in passed for option in re.findall(r"(?<= )--[a-z-]+|^--[a-z-]+", text))
