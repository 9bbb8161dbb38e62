"""Symbolic proofs: Gram algebra, and how they are printed."""
