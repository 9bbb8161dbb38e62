"""Statements as data: one tree, from which the text, the LaTeX, the exact evaluation and the kernel's theorem come."""
