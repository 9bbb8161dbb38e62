"""Runs of real optimizers, measured against the exact steps."""
