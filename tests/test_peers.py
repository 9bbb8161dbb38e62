"""The survey of published implementations: its page says of each bug and choice why, at the versions installed."""

import importlib
import re
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest
from executed_page import ROOT, read

from tangency.proofs_checks.broken.zoo import find
from tangency.proofs_checks.report.facts import Status
from tangency.proofs_checks.run import conformance, known
from tangency.proofs_checks.target.spec import TargetSpec

PEERS = ROOT / "docs" / "peers"
PAGE = read("docs/peers.md")
ENTRIES = known.load(PEERS / "known_failures.toml", {check.id for check in conformance.checks()})
Found = set[tuple[str, str, str]]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def plain(text: str) -> str:
    return text.replace("\\", "")


def targets() -> list[list[tuple[str, str]]]:
    """Of each part of the page, the targets with their versions, in the order of the columns."""
    found: list[list[tuple[str, str]]] = []
    for line in PAGE.splitlines():
        if match := re.match(r"\| (\d+) \| `([^`]+)` \| (\S+) \|", line):
            if match[1] == "1":
                found.append([])
            found[-1].append((match[2], "" if match[3] == "here" else match[3]))
    return found


VERSIONS = dict(pair for part in targets() for pair in part)


def failing(status: Status) -> Found:
    """Every check of the page with this mark: check, target, version."""
    found = set()
    parts = PAGE.split("\n| check | severity |")[1:]
    for part, columns in zip(parts, targets(), strict=True):
        for line in takewhile(lambda line: line.startswith("|"), part.splitlines()[2:]):
            id, _, *marks = cells(line)
            assert len(marks) == len(columns)
            found |= {(id, *column) for column, mark in zip(columns, marks, strict=True) if mark == status.mark}
    return found


def choices() -> list[tuple[str, str]]:
    """The sections of the choices: the name of each, and its text."""
    parts = [part.partition("\n<details")[0] for part in PAGE.split("\n### Choices of ")[1:]]
    sections = [section for part in parts for section in part.split("\n#### ")[1:]]
    return [(plain(name), text) for name, _, text in (section.partition("\n") for section in sections)]


def test_every_choice_is_told_once_with_what_follows_whose_it_is_and_why() -> None:
    told = choices()
    assert len(told) > 8
    used = set()
    consequences: Found = set()
    for name, text in told:
        assert "- What it does: " in text
        assert "- What follows: " in text
        made = {
            (one, VERSIONS[one]) for line in re.findall(r"^- (`.*?`): ", text, re.M) for one in line[1:-1].split("`, `")
        }
        assert made
        for target, version in made:
            (entry,) = (entry for entry in ENTRIES if entry.choice == name and entry.applies(target, version))
            assert entry.reason in plain(text)
            used.add(entry)
        ids = set(re.findall(r"^\| ([\w.-]+) \| (?:holds|fails|at the values)", text, re.M))
        assert ids or "No check fails because of it." in text
        consequences |= {(id, *one) for id in ids for one in made}
    assert failing(Status.CHOICE) <= consequences  # a bug may hide one on one target
    slips = {entry for entry in ENTRIES if entry.choice and entry.choice not in dict(told)}
    assert used | slips == {entry for entry in ENTRIES if entry.choice}


def test_every_bug_has_a_reason_and_every_reason_a_bug() -> None:
    assert "## Open" not in PAGE
    bugs, page = failing(Status.FAILS), plain(PAGE)
    assert len(bugs) > 100
    names = {name for name, _ in choices()}
    slips = [entry for entry in ENTRIES if entry.choice and entry.choice not in names]
    used = set()
    for id, target, version in bugs:
        entries = [entry for entry in ENTRIES if entry.check == id and entry.applies(target, version)]
        entries += [
            e for e in slips if e.applies(target, version) and re.search(rf"{re.escape(e.reason)}.*\b{id}\b", page)
        ]
        assert entries, (id, target)
        assert all(entry.reason in page for entry in entries)
        used.update(entries)
    assert {entry for entry in ENTRIES if entry.check} | set(slips) == used


def test_the_summary_counts_the_bugs_and_the_choices() -> None:
    for line in re.findall(r"^\| \d+ \| `.*", PAGE, re.M):
        _, target, _, steps, use, published, chosen, as_published = cells(line)
        target = target.strip("`")
        package, version = re.split("[.:]", target)[0], VERSIONS[target] or "here"
        own = PAGE.partition(f"\n#### {package}, {version}\n")[2].partition("\n#")[0]
        bugs = re.findall(rf"^- \*\*.*?\*\* \([^;)]*`{target.rpartition(':')[2]}`[^;)]*; (.*?)\)", own, re.M)
        assert int(steps or 0) + int(use or 0) == len(bugs), target
        assert int(published or 0) >= sum("as published" in bug for bug in bugs)
        made = [text for _, text in choices() if f"`{target}`" in text]
        assert int(chosen or 0) == len(made)
        assert int(as_published or 0) == sum("**As published.**" in text for text in made)


def test_the_page_blames_nobody_for_what_was_published() -> None:
    assert "violat" not in PAGE
    for target, _ in targets()[0][:2]:  # the authors' own
        (line,) = re.findall(rf"^\| \d+ \| `{re.escape(target)}`.*", PAGE, re.M)
        *_, steps, use, published, chosen, as_published = cells(line)
        assert (steps, use, chosen) == ("", published, as_published)


def test_a_reason_is_for_the_version_that_was_read_and_says_where() -> None:
    for entry in ENTRIES:
        assert entry.versions.startswith("=="), entry
        assert re.search(r"\.py:\d+", entry.reason), entry


def test_the_page_has_the_versions_that_the_survey_installs() -> None:
    lines = (PEERS / "requirements.txt").read_text() + (PEERS / "unresolved.txt").read_text()
    pinned = {version for name, version in re.findall(r"^([\w-]+)==(\S+)$", lines, flags=re.MULTILINE)}
    assert {version.partition("+")[0] for version in VERSIONS.values() if version} <= pinned


Survey = Callable[[TargetSpec, str], tuple[int, str]]


@pytest.fixture
def survey(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Survey:
    """The survey of one target by one check, with no reason known: its exit code and its output."""
    monkeypatch.syspath_prepend(str(PEERS))
    module = importlib.import_module("survey")
    (tmp_path / "known.toml").write_text("")
    monkeypatch.setattr(module, "KNOWN", tmp_path / "known.toml")

    def run(spec: TargetSpec, check: str) -> tuple[int, str]:
        monkeypatch.setattr(module.conformance, "check", partial(conformance.check, only=[check], jobs=1))
        monkeypatch.setattr(module, "PROJECTING", (spec.target,))
        monkeypatch.setattr(module, "ALGORITHM", {spec.target: spec.algorithm})
        return module.main([spec.target]), capsys.readouterr().out

    return run


def test_the_survey_runs_scripts_and_says_which_bug_has_no_reason(survey: Survey) -> None:
    """On one optimizer that prints in every step."""
    prints = find("Prints").target
    code, out = survey(prints, "silent")
    assert code == 1
    assert "- **silent** (`Prints`; in use): No reason was looked up. Seen: " in out
    assert out.splitlines()[-1].startswith(f"{prints.target} silent: no reason was looked up: ")


def test_the_survey_tells_a_choice_from_a_bug_and_says_that_it_has_no_reason(survey: Survey) -> None:
    code, out = survey(TargetSpec("torch.optim:SGD"), "dialect")
    assert code == 1
    assert "#### first\\_step = undampened" in out
    assert out.splitlines()[-1].startswith("torch.optim:SGD first_step = undampened: no reason was looked up: ")


def test_this_project_s_own_fail_nothing_and_choose_nothing() -> None:
    found = failing(Status.FAILS) | failing(Status.CHOICE)
    assert not [target for _, target, _ in found if target.startswith("tangency")]
    assert not [name for name, text in choices() if "`tangency" in text]
