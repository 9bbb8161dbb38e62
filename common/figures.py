"""Figures of matplotlib as files; it is imported when one is saved."""

import io
from typing import Any


def saved(figure: Any, kind: str) -> bytes:
    """A figure in a format (svg, png, pdf); two of the same figure are alike."""
    import matplotlib

    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "tangency"}):  # else no two files are alike
        figure.savefig(drawn, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return drawn.getvalue()
