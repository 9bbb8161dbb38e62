"""Bounds on the rounding errors of computations."""
