"""The page on ``tangency check`` is executed; test_action.py has its recipes for CI."""

import shutil
import sys
from pathlib import Path

import executed_page as pages
import pytest
from executed_page import ROOT, Shown

PAGE = pages.read("docs/check.md")
PYTHON, COMMANDS = pages.python_blocks(PAGE), pages.commands(PAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("my_sgd.py", "lionp.py", "two_slips.py", "projections.py", "projected_lion.py"):
        shutil.copy(ROOT / "docs" / "examples" / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("shown", COMMANDS, ids=lambda shown: shown.text)
def test_every_command_does_what_the_page_says(shown: Shown, folder: Path) -> None:
    pages.run_command(shown, folder)
    if "--reproducers" in shown.text:
        scripts = sorted((folder / "failures").iterdir())
        assert scripts
        assert {pages.run([sys.executable, str(script)], folder).returncode for script in scripts} == {1}


@pytest.mark.parametrize("block", range(len(PYTHON)))
def test_every_block_is_a_test_file_that_passes(block: int, folder: Path) -> None:
    (folder / "test_block.py").write_text(PYTHON[block].text, encoding="utf-8")
    done = pages.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
