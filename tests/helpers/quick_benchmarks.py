"""Benchmarks in tests: the same code on little memory, for as few rounds as possible."""

import pytest

from tangency.benchmarks import steps


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bandwidth probe, on a machine that counts as quiet although tests run in parallel."""
    monkeypatch.setattr(steps, "PROBE_ELEMENTS", 2**10)
    monkeypatch.setattr(steps.Neighbours, "share", lambda self: 0.0)
