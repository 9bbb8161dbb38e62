"""Theorems for Coq's kernel, and what ties them to the Python beside them; the theorems lie in ``../rocq``."""
