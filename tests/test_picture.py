"""The picture of the README is a report: it names the bugs that a run finds, and asks nothing of a network."""

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from executed_page import ROOT, read

from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.target.spec import TargetSpec

PICTURE = read("docs/caught.svg")


def letters(text: str) -> str:
    """The text without blanks: lines are broken, and styles change, in the middle of a sentence."""
    return "".join(unescape(text).split())


def test_it_shows_the_bugs_of_its_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs" / "examples")
    (report,) = conformance.check(
        [TargetSpec("two_slips.py:AdamP")], only=["algorithm-2", "dialect"], profile="quick", seed=1, jobs=1
    )
    root = ET.fromstring(PICTURE)
    shown = letters("".join(root.itertext()))
    assert {bug.name for bug in report.bugs} == {"decay_order = after", "threshold = δ/√rows"}
    for bug in report.bugs:
        assert letters(f"✗ {bug.name}: {bug.says}") in shown
    assert letters("does not conform to adamp: 2 bugs") in shown


def test_it_is_whole_and_loads_nothing() -> None:
    assert not re.search(r"@font-face|@import|url\((?!#)|<script|href", PICTURE)
    assert "](docs/caught.svg)" in read("README.md")
