"""Benchmarks in tests: the same code on little memory, for as few rounds as there may be."""

import pytest

from tangency.benchmarks import steps


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bandwidth probe that costs nothing."""
    monkeypatch.setattr(steps, "PROBE_ELEMENTS", 2**10)
