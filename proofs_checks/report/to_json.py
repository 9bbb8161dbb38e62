"""Reports for machines: one JSON document a run, and the way back, for comparing with an earlier one.

The document's schema is ``check_report.schema.json`` beside this file (JSON Schema, draft 2020-12).
"""

import ast
import json
import math
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

from tangency.common.calls import WrongCall
from tangency.common.numbers import json_text
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import (
    Check,
    Curve,
    Departure,
    Expectation,
    Finding,
    Fit,
    Judgement,
    Severity,
    TargetInfo,
    TargetReport,
    exit_code,
)
from tangency.proofs_checks.report.json_report import versions

SCHEMA = 1
# What JSON has as it is; any other value of an option travels as the text of a Python literal.
PLAIN = (str, bool, int, type(None))
NOT_FINITE = ("inf", "-inf", "nan")
Record = TypeVar("Record")


class NoReport(WrongCall):
    """A text is no report of ``tangency check`` that this version can read; the message says why."""


def to_json(reports: Sequence[TargetReport]) -> str:
    """The reports as JSON. Numbers that JSON has not (an error without bound is infinite) are strings: ``"inf"``."""
    document = {
        "schema": SCHEMA,
        "kind": "tangency check",
        "versions": versions(),
        "platform": platform.platform(),
        "byteorder": sys.byteorder,
        "exit_code": exit_code(reports),
        "targets": [_report(report) for report in reports],
    }
    return json_text(document)


def _report(report: TargetReport) -> dict[str, Any]:
    fit = report.fit
    return {
        "info": {
            **{field.name: getattr(report.info, field.name) for field in fields(report.info)},
            "options": {name: _option(value) for name, value in report.info.options.items()},
        },
        "verdict_line": report.verdict_line,
        "exit_code": report.exit_code,
        "seed": report.seed,
        "seconds": report.seconds,
        "interrupted": report.interrupted,
        "problem": report.problem,
        "checks": [{**asdict(check), "severity": check.severity.value} for check in report.checks],
        "findings": [
            {**asdict(f), "verdict": f.verdict.value, "excused": report.expected(f) is not None}
            for f in report.findings
        ],
        "fit": None if fit is None else _fit(fit),
        "curves": [{field.name: getattr(curve, field.name) for field in fields(curve)} for curve in report.curves],
        "known": [asdict(known) for known in report.known],
        "stale": list(report.stale),
    }


def _fit(fit: Fit) -> dict[str, Any]:
    departures = [
        {**asdict(one), "judgement": None if one.judgement is None else one.judgement.value} for one in fit.departures
    ]
    return {field.name: getattr(fit, field.name) for field in fields(fit) if field.name != "departures"} | {
        "departures": departures
    }


def _option(value: Any) -> Any:
    if isinstance(value, PLAIN) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return {"python": repr(value)}


def from_json(text: str) -> list[TargetReport]:
    """The reports that :func:`to_json` wrote. An option that is no Python literal comes back as its ``repr``.

    Properties that this version does not know are passed over: a later one may add some under the same schema.

    Raises:
        NoReport: the text is no such document; the message says why.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # also an integer too long to be read
        raise NoReport(f"it is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("kind") != "tangency check":
        raise NoReport("it is no report of tangency check: write one with --json")
    if document.get("schema") != SCHEMA:
        raise NoReport(f"its schema is {document.get('schema')!r}; this version of tangency reads schema {SCHEMA}")
    try:
        return [_read_report(target) for target in document["targets"]]
    except KeyError as error:
        raise NoReport(f"it is no whole report of tangency check: {error} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise NoReport(f"it is no whole report of tangency check: {error}") from None


def _record(cls: type[Record], read: Mapping[str, Any], **done: Any) -> Record:
    """A record from its object: ``done`` has what is more than text, a number or a truth value.

    The kinds are compared, for a number in place of a text would break a report or a comparison much later.
    """
    found = dict(done)
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name in done:
            continue
        value = read[field.name]
        if field.type in (float, float | None):
            value = _read_number(value)
            fits = isinstance(value, float | int) or (value is None and field.type is not float)
        else:
            fits = type(value) is field.type
        if not fits or (isinstance(value, bool) and field.type is not bool):
            raise TypeError(f"{field.name} is {value!r}")
        found[field.name] = value
    return cls(**found)


def _read_report(read: Mapping[str, Any]) -> TargetReport:
    info = _read_info(read["info"])
    checks = tuple(_record(Check, check, severity=Severity(check["severity"])) for check in read["checks"])
    findings = tuple(_record(Finding, one, verdict=Verdict(one["verdict"])) for one in read["findings"])
    # The verdict on a target asks for the check of every finding.
    if strange := {finding.check for finding in findings} - {check.id for check in checks}:
        raise ValueError(f"nothing says what the checks {', '.join(sorted(strange))} are")
    return _record(
        TargetReport,
        read,
        info=info,
        checks=checks,
        findings=findings,
        fit=None if read["fit"] is None else _read_fit(read["fit"]),
        curves=tuple(_read_curve(curve) for curve in read["curves"]),
        known=tuple(_record(Expectation, known) for known in read["known"]),
        stale=_texts(read["stale"]),
    )


def _read_info(read: Mapping[str, Any]) -> TargetInfo:
    return _record(
        TargetInfo,
        read,
        offers=_text_of_each(read["offers"]),
        capabilities=_texts(read["capabilities"]),
        options={name: _read_option(value) for name, value in read["options"].items()},
    )


def _read_fit(read: Mapping[str, Any]) -> Fit:
    departures = []
    for one in read["departures"]:
        judgement = None if one["judgement"] is None else Judgement(one["judgement"])
        departures.append(_record(Departure, one, judgement=judgement))
    return _record(
        Fit,
        read,
        dialect=_text_of_each(read["dialect"]),
        open={choice: _texts(values) for choice, values in read["open"].items()},
        departures=tuple(departures),
    )


def _read_curve(read: Mapping[str, Any]) -> Curve:
    quantities = {
        side: {name: [_read_number(value) for value in values] for name, values in read[side].items()}
        for side in ("target", "spec")
    }
    return _record(Curve, read, **quantities, ulps=[_read_number(value) for value in read["ulps"]])


def _texts(read: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(read, list) or not all(isinstance(one, str) for one in read):
        raise TypeError(f"{read!r} is no list of texts")
    return tuple(read)


def _text_of_each(read: Mapping[str, Any]) -> dict[str, str]:
    _texts(list(read.values()))
    return dict(read)


def _read_number(value: Any) -> Any:
    """A number, from its name if it is not finite; ``None`` stays."""
    if isinstance(value, str):
        if value not in NOT_FINITE:
            raise ValueError(f"{value!r} is no number")
        return float(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError(f"{value!r} is no number")
    try:
        return None if value is None else float(value)
    except OverflowError:
        raise ValueError("an integer in it is no number that a float can hold") from None


def _read_option(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    text = value["python"]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # the last two: brackets nested too deep
        return float(text) if text in NOT_FINITE else text
