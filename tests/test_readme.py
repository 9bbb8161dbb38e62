"""The README is executed.

Python blocks run as they stand, each in a process of its own. Commands run as they stand too, in an empty folder, but
for the two that install: the tests' must be, to the letter, what the gate calls (test_gate.py knows what it calls), and
the other installs the same way and runs a command that is executed here with a profile. The table must have the claims
and the rungs that ``tangency verify`` prints; its numbers are one run's.
"""

import re
from pathlib import Path

import executed_page as pages
import pytest
from executed_page import ROOT, Shown

README = pages.read("README.md")
PYTHON = pages.python_blocks(README)
COMMANDS = pages.commands(README)
INSTALLING = [shown.text for shown in COMMANDS if "pip install" in shown.text]
PRINTS = {"import adamp": "eq-04 fails", "decay-balance": "'holds'"}


def test_there_is_something_to_execute() -> None:
    assert len(PYTHON) == 3
    assert len(INSTALLING) == 2
    assert len(COMMANDS) > len(INSTALLING)


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.text.split("\n")[0])
def test_python_blocks_run(block: Shown, tmp_path: Path) -> None:
    if "import adamp" in block.text:
        pytest.importorskip("adamp", reason="the published package is not installed")
    output = pages.run_python(block, tmp_path)
    for marker, printed in PRINTS.items():
        assert marker not in block.text or printed in output


@pytest.mark.parametrize(
    "command", [shown for shown in COMMANDS if shown.text not in INSTALLING], ids=lambda shown: shown.text
)
def test_commands_run(command: Shown, tmp_path: Path) -> None:
    assert pages.run_command(command, tmp_path).strip()


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
    printed = pages.run_command(Shown("tangency verify --profile quick"), tmp_path)
    assert cells(table) == cells(printed)
    assert len(cells(table)) == 15
