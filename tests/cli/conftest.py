"""Benchmarks in tests are quick ones."""

from quick_benchmarks import quick

__all__ = ["quick"]
