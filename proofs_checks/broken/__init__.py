"""Optimizers that are broken on purpose, and which claims catch them."""
