"""Known failures: checks that are expected to fail on a target, each with its reason, in a file beside the target.

    [[known]]
    check = "eq-04"
    reason = "ε is added to the norms; https://example.org/issues/12"
    target = "adamp:*"      # optional: a glob; every target without it
    versions = "<0.4"       # optional: a PEP 440 specifier; every version without it

    [[known]]
    choice = "norm_epsilon = added"  # in place of a check: accepted, with every check that fails because of it
    reason = "as the published package has it"

``check``, ``choice`` and ``target`` may be lists: one entry then stands for all pairs.

A known failure is excused. An entry is stale if its check holds, does not apply or does not exist, or if the target
does not make its choice. That is an error, so that the file stays true.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tangency.common.calls import WrongCall, no_such
from tangency.common.inputs import read_toml
from tangency.proofs_checks.algorithms import values_of
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Fit
from tangency.proofs_checks.report.subject_report import Expectation, SubjectReport


class BadKnownFailures(WrongCall):
    """A file of known failures cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Known:
    """One entry.

    Attributes:
        check: the id of the check that fails; empty for a choice.
        reason: why, with a link if there is one.
        target: a glob (``*``, ``?``, ``[…]``) of the targets that it is about, as the caller names them.
        versions: a PEP 440 specifier of the target's versions; empty for all of them.
        choice: a choice of the dialect with its value, ``norm_epsilon = added``: whatever fails because of it is known.
    """

    check: str = ""
    reason: str = ""
    target: str = "*"
    versions: str = ""
    choice: str = ""

    @property
    def expectation(self) -> Expectation:
        """What a report says of it."""
        return Expectation(self.check, self.reason, self.versions, self.choice)

    def applies(self, target: str, version: str) -> bool:
        """Whether it is about a version of a target.

        A target without a version, or with one that is not PEP 440, is in no range.
        """
        if not fnmatchcase(target, self.target):
            return False
        if not self.versions:
            return True
        try:
            return SpecifierSet(self.versions).contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


def load(path: str | Path, ids: Collection[str] | None = None) -> tuple[Known, ...]:
    """Read a file of known failures.

    Args:
        ids: the checks that there are; an entry about another is refused. ``None`` if they are not known yet.

    Raises:
        BadKnownFailures: the file cannot be read, is no TOML, or an entry is not as above.
    """
    path = Path(path)
    document = read_toml(path, BadKnownFailures)
    _refuse_unknown(str(path), document, ["known"])
    tables = document.get("known", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadKnownFailures(f"{path}: known must be an array of tables; write [[known]] above every entry")
    entries: list[Known] = []
    for number, table in enumerate(tables, 1):
        where = f"{path}, entry {number}"
        for one in _pairs(where, table):
            entry = _entry(where, one, ids)
            if replace(entry, reason="") in [replace(other, reason="") for other in entries]:
                named = entry.check or entry.choice
                raise BadKnownFailures(f"{where}: {named!r} stands in an earlier entry, for the same versions")
            entries.append(entry)
    return tuple(entries)


def _pairs(where: str, table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table once for each check and each target that it lists."""
    lists = {name: table[name] for name in ("check", "choice", "target") if isinstance(table.get(name), list)}
    for name, values in lists.items():
        if not values:
            raise BadKnownFailures(f"{where}: {name} is an empty list; leave it out, or name at least one")
    for chosen in product(*lists.values()):
        yield table | dict(zip(lists, chosen, strict=True))


def _entry(where: str, table: dict[str, Any], ids: Collection[str] | None) -> Known:
    names = [field.name for field in fields(Known)]
    _refuse_unknown(where, table, names)
    for name, value in table.items():
        if not isinstance(value, str):
            raise BadKnownFailures(f"{where}: {name} is {value!r}; it must be a string")
    if "check" in table and "choice" in table:
        raise BadKnownFailures(f"{where}: it names a check and a choice; write an entry for each")
    for name in ("choice" if "choice" in table else "check", "reason"):
        if not table.get(name, "").strip():
            problem = "is empty" if name in table else "is missing"
            raise BadKnownFailures(f"{where}: {name} {problem}; a known failure names its check and says why it fails")
    entry = Known(**table)
    if entry.choice:
        _refuse_unknown_choice(where, entry.choice)
    elif ids is not None and entry.check not in ids:
        raise BadKnownFailures(f"{where}: {no_such('check', entry.check, ids)}")
    try:
        SpecifierSet(entry.versions)
    except InvalidSpecifier:
        raise BadKnownFailures(
            f"{where}: versions is {entry.versions!r}; it must be a PEP 440 specifier, as in '>=0.2, <0.4'"
        ) from None
    return entry


def _refuse_unknown(where: str, table: dict[str, Any], known: Sequence[str]) -> None:
    for name in table:
        if name not in known:
            raise BadKnownFailures(f"{where}: unknown key {name!r}; there are {', '.join(known)}")


def _refuse_unknown_choice(where: str, choice: str) -> None:
    name, _, value = choice.partition(" = ")
    values = values_of(name)
    if value not in values:
        there_are = f"{name} is one of {', '.join(sorted(values))}" if values else "no choice has such a name"
        raise BadKnownFailures(f"{where}: choice is {choice!r}; it must be 'NAME = VALUE' of a dialect: {there_are}")


def apply(report: SubjectReport, entries: Sequence[Known], ids: Collection[str] | None = None) -> SubjectReport:
    """The report with the entries that are about its target and version: ``known``, or ``stale`` with what is wrong.

    An entry is neither used nor stale if its check was not requested, was cut off, is undecided or broke.

    Args:
        ids: all existing checks, if the report has only some of them; ``None``: those of the report.
    """
    requested = {check.id for check in report.checks}
    existing = requested if ids is None else requested.union(ids)
    findings = {finding.check: finding for finding in report.findings}
    known: list[Expectation] = []
    stale: list[str] = []
    for entry in entries:
        if not entry.applies(report.info.target, report.info.version):
            continue
        if entry.choice:
            done = _otherwise(report.fit, entry)
            stale += [done] if done else []
            known += [] if done else [entry.expectation]
            continue
        finding = findings.get(entry.check)
        if entry.check not in existing and not report.problem:  # a target that could not be run has no checks
            stale.append(f"{entry.check}: {no_such('check', entry.check, sorted(existing))}")
        elif finding is not None and finding.verdict is Verdict.HOLDS:
            stale.append(f"{entry.check} holds, and is known to fail: {entry.reason}")
        elif finding is not None and finding.verdict is Verdict.DOES_NOT_APPLY:
            why = f" ({finding.detail.splitlines()[0]})" if finding.detail else ""
            stale.append(f"{entry.check} does not apply{why}, and is known to fail: {entry.reason}")
        else:
            known.append(entry.expectation)
    return replace(report, known=tuple(known), stale=tuple(stale))


def _otherwise(fit: Fit | None, entry: Known) -> str:
    """What is wrong with an entry about a choice: the target was fitted, and does otherwise."""
    name, _, value = entry.choice.partition(" = ")
    if fit is None or not fit.explained or name not in fit.dialect or fit.dialect[name] == value:
        return ""
    return f"{name} is {fit.dialect[name]!r}, and is known as {value!r}: {entry.reason}"


def accepted(report: SubjectReport) -> list[Known]:
    """An entry for every choice of a target that is not known yet, with what it does and how much fails of it."""
    found = []
    for choice in report.unaccepted:
        if choice.departure is not None:
            differs = f"{choice.says}; the paper: {choice.departure.paper}"
            reason = f"{differs}; {len(choice.checks)} checks failed because of it when it was accepted"
            found.append(Known(choice=choice.name, reason=reason, target=report.info.target))
    return found


def expectations(report: SubjectReport, entries: Sequence[Known]) -> list[Expectation]:
    """The choices among some entries, as far as they are about a target."""
    about = [entry for entry in entries if entry.choice and entry.applies(report.info.target, report.info.version)]
    return [entry.expectation for entry in about]


def to_toml(entries: Sequence[Known]) -> str:
    """Entries as :func:`load` reads them."""
    tables = []
    for entry in entries:
        given = {name: getattr(entry, name) for name in ("check", "choice", "reason", "target", "versions")}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items() if value]
        tables.append("\n".join(["[[known]]", *lines]) + "\n")
    return "\n".join(tables)
