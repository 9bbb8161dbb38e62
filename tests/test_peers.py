"""The survey of published implementations: what its page says fails is what has a reason, at the versions installed."""

import importlib
import re
from functools import partial
from itertools import takewhile

import pytest
from executed_page import ROOT, read

from tangency.proofs_checks.broken.zoo import find
from tangency.proofs_checks.run import conformance, known

PEERS = ROOT / "docs" / "peers"
PAGE = read("docs/peers.md")
ENTRIES = known.load(PEERS / "known_failures.toml", {check.id for check in conformance.checks()})


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def targets() -> list[list[tuple[str, str]]]:
    """Of each part of the page, the targets with their versions, in the order of the columns."""
    found: list[list[tuple[str, str]]] = []
    for line in PAGE.splitlines():
        if match := re.match(r"\| (\d+) \| `([^`]+)` \| (\S+) \|", line):
            if match[1] == "1":
                found.append([])
            found[-1].append((match[2], "" if match[3] == "here" else match[3]))
    return found


def failing() -> set[tuple[str, str, str]]:
    """Every ✗ of the page: check, target, version."""
    found = set()
    parts = PAGE.split("\n| check | severity |")[1:]
    for part, columns in zip(parts, targets(), strict=True):
        for line in takewhile(lambda line: line.startswith("|"), part.splitlines()[2:]):
            id, _, *marks = cells(line)
            assert len(marks) == len(columns)
            found |= {(id, *column) for column, mark in zip(columns, marks, strict=True) if mark == "✗"}
    return found


def test_every_failure_has_a_reason_and_every_reason_a_failure() -> None:
    assert "## Open" not in PAGE
    assert len(failing()) > 100
    reasons = {
        (id, target, version): [entry for entry in ENTRIES if entry.check == id and entry.applies(target, version)]
        for id, target, version in failing()
    }
    assert [failure for failure, entries in reasons.items() if len(entries) != 1] == []
    used = {id(entry) for entries in reasons.values() for entry in entries}
    assert [entry for entry in ENTRIES if id(entry) not in used] == []


def test_a_reason_is_for_the_version_that_was_read_and_says_where() -> None:
    for entry in ENTRIES:
        assert entry.versions.startswith("=="), entry
        assert re.search(r"\.py:\d+", entry.reason), entry


def test_the_page_has_the_versions_that_the_survey_installs() -> None:
    lines = (PEERS / "requirements.txt").read_text() + (PEERS / "unresolved.txt").read_text()
    pinned = {version for name, version in re.findall(r"^([\w-]+)==(\S+)$", lines, flags=re.MULTILINE)}
    assert {version for part in targets() for _, version in part if version} <= pinned


def test_the_survey_runs_scripts_and_says_which_failure_has_no_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one optimizer that prints in every step, and one check."""
    monkeypatch.syspath_prepend(str(PEERS))
    survey = importlib.import_module("survey")
    prints = find("Prints")
    run = partial(conformance.check, only=["silent"], jobs=1)
    monkeypatch.setattr(survey.conformance, "check", run)
    monkeypatch.setattr(survey, "PROJECTING", (prints.target.target,))
    monkeypatch.setattr(survey, "ALGORITHM", {prints.target.target: prints.target.algorithm})
    assert survey.main([prints.name]) == 1
    *_, wrong = capsys.readouterr().out.splitlines()
    assert wrong.startswith(f"{prints.target.target} silent: no reason was looked up: ")


def test_this_project_s_own_fail_nothing() -> None:
    assert not [target for _, target, _ in failing() if target.startswith("tangency")]
