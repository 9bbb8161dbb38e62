"""Reports for machines: one JSON document a run, and the way back, for comparing with an earlier one.

The document's schema is ``check_report.schema.json`` beside this file (JSON Schema, draft 2020-12).
"""

import ast
import json
import math
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from tangency.proofs_checks.check.model import (
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
from tangency.proofs_checks.engine.claim import Verdict
from tangency.proofs_checks.engine.json_report import versions

SCHEMA = 1
# What JSON has as it is; any other value of an option travels as the text of a Python literal.
PLAIN = (str, bool, int, type(None))
SURROGATE = re.compile("[\ud800-\udfff]")


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
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    # Half a surrogate pair, as in a file name that is no UTF-8, cannot be encoded; escaped, it can.
    return SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _report(report: TargetReport) -> dict[str, Any]:
    fit = report.fit
    return {
        "info": {
            **{field.name: _plain(getattr(report.info, field.name)) for field in fields(report.info)},
            "options": {name: _option(value) for name, value in report.info.options.items()},
        },
        "verdict_line": report.verdict_line,
        "exit_code": report.exit_code,
        "seed": report.seed,
        "seconds": _plain(report.seconds),
        "interrupted": report.interrupted,
        "problem": report.problem,
        "checks": [{**asdict(check), "severity": check.severity.value} for check in report.checks],
        "findings": [
            {**_plain(asdict(f)), "verdict": f.verdict.value, "excused": report.expected(f) is not None}
            for f in report.findings
        ],
        "fit": None if fit is None else _fit(fit),
        "curves": [
            {field.name: _plain(getattr(curve, field.name)) for field in fields(curve)} for curve in report.curves
        ],
        "known": [asdict(known) for known in report.known],
        "stale": list(report.stale),
    }


def _fit(fit: Fit) -> dict[str, Any]:
    departures = [
        {**asdict(one), "judgement": None if one.judgement is None else one.judgement.value} for one in fit.departures
    ]
    return {field.name: _plain(getattr(fit, field.name)) for field in fields(fit) if field.name != "departures"} | {
        "departures": departures
    }


def _plain(value: Any) -> Any:
    """What JSON has: objects, arrays, and for a float that is not finite its name."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _option(value: Any) -> Any:
    if isinstance(value, PLAIN) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return {"python": repr(value)}


def from_json(text: str) -> list[TargetReport]:
    """The reports that :func:`to_json` wrote. An option that is no Python literal comes back as its ``repr``.

    Raises:
        ValueError: the text is no such document; the message says why.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("kind") != "tangency check":
        raise ValueError("it is no report of tangency check: write one with --json")
    if document.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {document.get('schema')!r}; this version of tangency reads schema {SCHEMA}")
    try:
        return [_read_report(target) for target in document["targets"]]
    except KeyError as error:
        raise ValueError(f"it is no whole report of tangency check: {error} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"it is no whole report of tangency check: {error}") from None


def _read_report(read: Mapping[str, Any]) -> TargetReport:
    info, fit = read["info"], read["fit"]
    return TargetReport(
        info=TargetInfo(
            **{
                **info,
                "capabilities": tuple(info["capabilities"]),
                "options": {name: _read_option(value) for name, value in info["options"].items()},
            }
        ),
        checks=tuple(Check(**{**check, "severity": Severity(check["severity"])}) for check in read["checks"]),
        findings=tuple(_read_finding(finding) for finding in read["findings"]),
        fit=None if fit is None else _read_fit(fit),
        curves=tuple(_read_curve(curve) for curve in read["curves"]),
        known=tuple(Expectation(**known) for known in read["known"]),
        stale=tuple(read["stale"]),
        problem=read["problem"],
        seed=read["seed"],
        seconds=_read_number(read["seconds"]),
        interrupted=read["interrupted"],
    )


def _read_finding(read: Mapping[str, Any]) -> Finding:
    own = {name: value for name, value in read.items() if name != "excused"}
    numbers = {name: _read_number(read[name]) for name in ("error", "ulps", "seconds")}
    return Finding(**{**own, **numbers, "verdict": Verdict(read["verdict"])})


def _read_fit(read: Mapping[str, Any]) -> Fit:
    judged = {
        one["judgement"]: None if one["judgement"] is None else Judgement(one["judgement"])
        for one in read["departures"]
    }
    return Fit(
        **{
            **read,
            "ulps": _read_number(read["ulps"]),
            "open": {choice: tuple(values) for choice, values in read["open"].items()},
            "departures": tuple(
                Departure(**{**one, "judgement": judged[one["judgement"]]}) for one in read["departures"]
            ),
        }
    )


def _read_curve(read: Mapping[str, Any]) -> Curve:
    quantities = {
        side: {name: [_read_number(value) for value in values] for name, values in read[side].items()}
        for side in ("target", "spec")
    }
    return Curve(read["title"], quantities["target"], quantities["spec"], [_read_number(x) for x in read["ulps"]])


def _read_number(value: Any) -> Any:
    """A number, from its name if it is not finite; ``None`` stays."""
    return float(value) if isinstance(value, str) else value


def _read_option(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    text = value["python"]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return float(text) if text in ("inf", "-inf", "nan") else text
