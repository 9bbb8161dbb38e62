"""Benchmarks in tests: the same code on little memory, for as few rounds as there may be."""

import pytest

from tangency.benchmarks import steps


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bandwidth probe that costs nothing, on a machine that counts as quiet: tests run beside each other."""
    monkeypatch.setattr(steps, "PROBE_ELEMENTS", 2**10)
    monkeypatch.setattr(steps.Neighbours, "share", lambda self: 0.0)
