"""Reports for machines: one JSON document a session, and the way back, for comparing with an earlier one.

The document's schema, ``report.schema.json`` beside this file, is generated from the records themselves:
``python -m tangency.proofs_checks.report.to_json`` prints it.
"""

import ast
import json
import math
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tangency.common.calls import WrongCall
from tangency.common.numbers import json_text
from tangency.proofs_checks.finding import Number
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.report.subject_report import Cause, SubjectReport, exit_code
from tangency.proofs_checks.report.versions import versions

SCHEMA = 3
# Types that JSON has; an option of any other type is written as the text of a Python literal.
PLAIN = (str, bool, int, type(None))
NOT_FINITE = ("inf", "-inf", "nan")
TEXT = {"type": "string"}
CAUSE = {"name": TEXT, "says": TEXT, "reason": TEXT, "checks": {"type": "array", "items": TEXT}}
CAUSES = {"type": "array", "items": {"type": "object", "properties": CAUSE}}
# Derived values, written so that readers need not know our rules.
DERIVED: dict[str, dict[str, Any]] = {
    "SubjectReport": {
        "verdict_line": TEXT,
        "exit_code": {"type": "integer"},
        "bugs": CAUSES,
        "choices": CAUSES,
    },
    "Finding": {"excused": {"type": "boolean"}},
}


class NoReport(WrongCall):
    """The text is no report that this version can read; the message says why."""


@dataclass(frozen=True)
class Document:
    """A session as it is written.

    Attributes:
        command: ``tangency verify`` or ``tangency check``.
        options: the profile, the seed and the like; ``None`` where they are not known.
    """

    schema: int
    command: str
    versions: Mapping[str, str]
    platform: str
    byteorder: str
    exit_code: int
    options: Options | None
    reports: tuple[SubjectReport, ...]


def to_json(
    reports: Sequence[SubjectReport], *, command: str = "tangency check", options: Options | None = None
) -> str:
    """The reports as JSON. Infinities and NaN, which JSON lacks, are strings: ``"inf"``."""
    session = Document(
        SCHEMA, command, versions(), platform.platform(), sys.byteorder, exit_code(reports), options, tuple(reports)
    )
    # ``Check.run`` is the only attribute that is not data.
    document = msgspec.to_builtins(replace(session, reports=tuple(map(_plain, reports))), enc_hook=lambda value: None)
    for report, written in zip(reports, document["reports"], strict=True):
        written |= {"verdict_line": report.verdict_line, "exit_code": report.exit_code}
        written |= {"bugs": list(map(_cause, report.bugs)), "choices": list(map(_cause, report.choices))}
        for finding, one in zip(report.findings, written["findings"], strict=True):
            one["excused"] = report.expected(finding) is not None
        for check in written["checks"]:
            del check["run"]
    return json_text(document)


def _cause(cause: Cause) -> dict[str, Any]:
    return {name: getattr(cause, name) for name in CAUSE}


def _plain(report: SubjectReport) -> SubjectReport:
    options = {name: _option(value) for name, value in report.info.options.items()}
    return replace(report, info=replace(report.info, options=options))


def _option(value: Any) -> Any:
    if isinstance(value, PLAIN) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return {"python": repr(value)}


def from_json(text: str) -> list[SubjectReport]:
    """The reports that :func:`to_json` wrote. An option that is no Python literal comes back as its ``repr``.

    Unknown properties are ignored: a later version may add some under the same schema.

    Raises:
        NoReport: the text is no such document; the message says why.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # also an integer too long to be read
        raise NoReport(f"it is no JSON: {error}") from None
    if not isinstance(document, dict) or not {"command", "kind", "claims"} & set(document):
        raise NoReport("it is no report of tangency: write one with --json")
    if document.get("schema") != SCHEMA:
        renew = "; write it anew with this version and --json" if document.get("schema") in (1, 2) else ""
        raise NoReport(
            f"its schema is {document.get('schema')!r}; this version of tangency reads schema {SCHEMA}{renew}"
        )
    try:
        found = msgspec.convert(document, Document, dec_hook=_read)
        # The verdict on a subject needs the check of every finding.
        for report in found.reports:
            if strange := {one.check for one in report.findings} - {check.id for check in report.checks}:
                raise ValueError(f"nothing says what the checks {', '.join(sorted(strange))} are")
        return [_as_it_was(report) for report in found.reports]
    except (KeyError, TypeError, ValueError) as error:
        raise NoReport(f"it is no whole report of tangency: {error}") from None


def _read(kind: type, value: Any) -> Any:
    """A number, from its name if it is not finite."""
    if isinstance(value, bool) or not (isinstance(value, int | float) or value in NOT_FINITE):
        raise ValueError(f"{value!r} is no number")
    try:
        return kind(value)
    except OverflowError:
        raise ValueError("an integer in it is no number that a float can hold") from None


def _as_it_was(report: SubjectReport) -> SubjectReport:
    options = {name: _read_option(value) for name, value in report.info.options.items()}
    return replace(report, info=replace(report.info, options=options))


def _read_option(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    text = value["python"]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # the last two: brackets nested too deep
        return float(text) if text in NOT_FINITE else text


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what :func:`to_json` writes: every object closed, every property required."""
    made = json.loads(json.dumps(msgspec.json.schema(Document, schema_hook=_no_record)))
    for name, properties in DERIVED.items():
        made["$defs"][name]["properties"] |= properties
    del made["$defs"]["Check"]["properties"]["run"]
    made["$defs"]["TargetInfo"]["properties"]["options"] = {"type": "object", "additionalProperties": _OPTION}
    for one in _objects(made):
        one.pop("description", None)  # Python versions differ in how they indent it
        one |= {"required": list(one["properties"]), "additionalProperties": False}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _no_record(kind: type) -> dict[str, Any]:
    """The schema of a number; what runs a check is left out below."""
    return {"anyOf": [{"type": "number"}, {"enum": list(NOT_FINITE)}]} if kind is Number else {"type": "null"}


_OPTION: dict[str, Any] = {
    "anyOf": [
        {"type": ["string", "boolean", "number", "null"]},
        {"type": "object", "properties": {"python": {"type": "string"}}},
    ]
}


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a schema that has named properties."""
    if isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
