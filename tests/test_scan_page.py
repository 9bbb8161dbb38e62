"""The page on ``tangency scan`` is executed."""

import shutil
from pathlib import Path

import executed_page as pages
import pytest
from executed_page import ROOT, Shown

from tangency.probe.view import KINDS

PAGE = pages.read("docs/scan.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "docs" / "examples" / "small_gpt.py", tmp_path)
    return tmp_path


@pytest.mark.parametrize("shown", pages.commands(PAGE), ids=lambda shown: shown.text)
def test_every_command_does_what_the_page_says(shown: Shown, folder: Path) -> None:
    pages.run_command(shown, folder)
    if "--groups" in shown.text:
        assert "block.q.weight" in (folder / "groups.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", pages.python_blocks(PAGE))
def test_every_program_prints_what_the_page_says(block: Shown, folder: Path) -> None:
    assert block.prints
    pages.run_python(block, folder)


def test_every_view_is_explained() -> None:
    for kind in KINDS:
        assert f"| `{kind}" in PAGE
