"""The README is executed, and so are the pages of docs/ that it leads to and that have no test of their own.

Python blocks run as they stand, each in a process of its own. Commands run as they stand too, in a folder that holds
the examples of docs/, but for the two that install: the tests' must be, to the letter, what the gate calls
(test_gate.py knows what it calls), and the other installs the same way and runs a command that is executed here with a
profile. The table must have the claims and the rungs that ``tangency verify`` prints; its numbers are one run's.
"""

import re
import shutil
from pathlib import Path

import executed_page as pages
import pytest
from executed_page import ROOT, Shown

PAGES = {name: pages.read(name) for name in ("README.md", "docs/start.md", "docs/optim.md", "docs/verify.md")}
PYTHON = [(name, shown) for name, page in PAGES.items() for shown in pages.python_blocks(page)]
COMMANDS = [(name, shown) for name, page in PAGES.items() for shown in pages.commands(page)]
INSTALLING = [shown.text for name, shown in COMMANDS if "pip install" in shown.text]
EVERYTHING = Shown("tangency verify --profile quick --json results.json --reproducers failures")
PRINTS = {"import adamp": "eq-04 fails", "decay-length": "'holds'"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for example in (ROOT / "docs" / "examples").glob("*.[pv]*"):
        shutil.copy(example, tmp_path)
    return tmp_path


def test_there_is_something_to_execute() -> None:
    assert len(PYTHON) == 5
    assert len(INSTALLING) == 2
    assert len(COMMANDS) > len(INSTALLING)
    assert {name for name, _ in PYTHON + COMMANDS} == set(PAGES)


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=lambda one: str(getattr(one, "text", one)).split("\n")[0])
def test_python_blocks_run(page: str, block: Shown, folder: Path) -> None:
    if "import adamp" in block.text:
        pytest.importorskip("adamp", reason="the published package is not installed")
    output = pages.run_python(block, folder)
    for marker, printed in PRINTS.items():
        assert marker not in block.text or printed in output


@pytest.mark.parametrize(
    ("page", "command"),
    [(page, shown) for page, shown in COMMANDS if shown.text not in INSTALLING and shown != EVERYTHING],
    ids=lambda one: getattr(one, "text", one),
)
def test_commands_run(page: str, command: Shown, folder: Path) -> None:
    if "adamp:" in command.text:
        pytest.importorskip("adamp", reason="the published package is not installed")
    assert pages.run_command(command, folder).strip()


def test_the_two_commands_are_those_of_the_gate() -> None:
    (verifying,) = [command for command in INSTALLING if "tox" not in command]
    (testing,) = [command for command in INSTALLING if "tox" in command]
    assert all(command in PAGES["README.md"] for command in INSTALLING)
    assert f'step "{testing}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert verifying.endswith("&& tangency verify")
    assert all("-c constraints.txt" in command for command in INSTALLING)
    assert (ROOT / "constraints.txt").is_file()


def cells(table: str) -> dict[str, list[str]]:
    """Claim → the marks of its row; the counts of theorems and of steps, which are the same in every run, with them."""
    rows = {}
    for line in table.splitlines():
        words = line.split()
        if words and re.fullmatch(r"[a-z]+(-[\w.]+)*", words[0]) and {"✓", "–"} & set(words):
            marks = [word for word in words if word in {"✓", "–", "✗", "?", "!", "…"}]
            rows[words[0]] = [*marks, f"{words[2]} theorems", f"{words[4]} steps"]
    return rows


def test_the_table_has_the_claims_and_rungs_of_today(folder: Path) -> None:
    (table,) = re.findall(r"<!-- table -->\n```text\n(.*?)```", PAGES["docs/start.md"], re.DOTALL)
    assert ("docs/verify.md", EVERYTHING) in COMMANDS
    if shutil.which("coqc") is None:
        pytest.skip("the kernel's column needs coqc: apt install coq")
    printed = pages.run_command(EVERYTHING, folder)
    assert cells(table) == cells(printed)
    assert len(cells(table)) == 19


def test_links_lead_somewhere() -> None:
    """Of every page in the repository, as it stands; the site's build looks at their anchors."""
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"
