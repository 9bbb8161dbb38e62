"""A plugin for runs of pytest that may be cut short: each outcome is written when it is known, a line of JSON a test.

``pytest -p gpu_record --record FILE --step NAME --shard K/N`` runs every N-th test, from the K-th on. What a test says
of itself by ``record_property`` is written with its outcome.
"""

import json
from pathlib import Path
from typing import Any

import pytest

# Characters of a failure that are kept; the log has all of it.
DETAIL = 1500


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("record", "outcomes as they come")
    group.addoption("--record", type=Path, metavar="FILE", help="Append a line for each test to this file.")
    group.addoption("--step", default="", metavar="NAME", help="The step that the lines name.")
    group.addoption("--shard", default="0/1", metavar="K/N", help="Run this part of the tests alone.")


def pytest_configure(config: pytest.Config) -> None:
    if (file := config.getoption("--record")) is not None:
        config.pluginmanager.register(Record(file, config.getoption("--step")))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that an option deselects are gone already."""
    k, n = map(int, config.getoption("--shard").split("/"))
    items[:] = items[k::n]


class Record:
    """Writes what becomes of each test, and of each file that cannot be collected."""

    def __init__(self, file: Path, step: str) -> None:
        self._file, self._step = file, step

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A test that passes passes when it is called; it fails and is skipped in any phase.
        if report.when == "call" or not report.passed:
            self._write(report, report.duration, dict(report.user_properties))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(report, 0.0, {})

    def _write(
        self, report: pytest.TestReport | pytest.CollectReport, seconds: float, measured: dict[str, Any]
    ) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        line = {
            "test": report.nodeid,
            "step": self._step,
            "outcome": report.outcome,
            "seconds": round(seconds, 3),
            "detail": reason[-DETAIL:],
            "measured": measured,
        }
        # One write a line: several processes append to the file.
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
