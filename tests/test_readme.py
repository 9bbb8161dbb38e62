"""The README is executed.

Python blocks run as they stand, each in a process of its own. Commands run as they stand too, in an empty folder, but
for the two that install: the tests' must be, to the letter, what the gate calls (test_gate.py knows what it calls), and
the other installs the same way and runs a command that is executed here with a profile. The table must have the claims
and the rungs that ``tangency verify`` prints; its numbers are one run's.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
INSTALLING = [command for command in COMMANDS if "pip install" in command]
PRINTS = {"import adamp": "eq-04 fails", "decay-balance": "'holds'"}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_there_is_something_to_execute() -> None:
    assert len(PYTHON) == 3
    assert len(INSTALLING) == 2
    assert len(COMMANDS) > len(INSTALLING)


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.split("\n")[0])
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    if "import adamp" in block:
        pytest.importorskip("adamp", reason="the published package is not installed")
    file = tmp_path / "block.py"
    file.write_text(block, encoding="utf-8")
    done = run([sys.executable, str(file)], tmp_path)
    assert done.returncode == 0, done.stderr
    for marker, printed in PRINTS.items():
        assert marker not in block or printed in done.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in INSTALLING])
def test_commands_run(command: str, tmp_path: Path) -> None:
    program, *arguments = command.split()
    assert program == "tangency"
    done = run([sys.executable, "-m", "tangency.proofs_checks.engine.cli", *arguments], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_two_commands_are_those_of_the_gate() -> None:
    (verifying,) = [command for command in INSTALLING if "tox" not in command]
    (testing,) = [command for command in INSTALLING if "tox" in command]
    assert f'step "{testing}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert verifying.endswith("&& tangency verify")
    assert all("-c constraints.txt" in command for command in INSTALLING)
    assert (ROOT / "constraints.txt").is_file()


def cells(table: str) -> dict[str, list[str]]:
    """Claim → the marks of its row, without the counts."""
    rows = {}
    for line in table.splitlines():
        words = line.split()
        if words and re.fullmatch(r"[a-z]+(-[\w.]+)*", words[0]) and {"✓", "–"} & set(words):
            rows[words[0]] = [word for word in words if word in {"✓", "–", "✗", "?", "!"}]
    return rows


def test_the_table_has_the_claims_and_rungs_of_today(tmp_path: Path) -> None:
    (table,) = re.findall(r"<!-- table -->\n```text\n(.*?)```", README, re.DOTALL)
    done = run([sys.executable, "-m", "tangency.proofs_checks.engine.cli", "verify", "--profile", "quick"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cells(table) == cells(done.stdout)
    assert len(cells(table)) == 15
