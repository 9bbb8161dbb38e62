"""Results for machines: one JSON document a run, with all that is needed to repeat it."""

import platform
import sys
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tangency.common.numbers import json_text
from tangency.proofs_checks.claim import Result
from tangency.proofs_checks.run.verify import Report

SCHEMA = 1
PACKAGES = ("tangency", "torch", "numpy", "python-flint", "sympy", "hypothesis")


def versions() -> dict[str, str]:
    """What ran: the interpreter and the packages whose version can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def to_json(report: Report) -> str:
    """The report as JSON. Numbers that JSON has not (an error without bound is infinite) are strings: ``"inf"``."""
    document = {
        "schema": SCHEMA,
        "versions": versions(),
        "platform": platform.platform(),
        "byteorder": sys.byteorder,
        "profile": asdict(report.options.profile),
        "seed": report.options.seed,
        "database": report.options.database,
        "seconds": round(report.seconds, 3),
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
        "claims": [
            {"id": claim.id, "title": claim.title, "where": claim.where, "statement": claim.statement}
            for claim in report.suite.claims
            if any(result.claim == claim.id for result in report.results)
        ],
        "results": [_result(result) for result in report.results],
    }
    return json_text(document)


def _result(result: Result) -> dict[str, Any]:
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return values | {"rung": result.rung.value, "verdict": result.verdict.value}
