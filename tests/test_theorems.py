"""docs/theorems.md is the page that the claims and the kernel make today."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("coqc") is None, reason="the page says what the kernel says: apt install coq")
def test_the_page_is_that_of_today() -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "site" / "kernel.py")], capture_output=True, text=True, encoding="utf-8"
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout == (ROOT / "docs" / "theorems.md").read_text(encoding="utf-8"), (
        "python docs/site/kernel.py > docs/theorems.md writes it anew"
    )
