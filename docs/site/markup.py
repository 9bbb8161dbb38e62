"""Text as Markdown: whatever a record says stands on the page as it is."""

SIGNS = frozenset("\\`*_{}[]<>#|~&$")


def plain(text: str) -> str:
    """Text in a paragraph or a cell, none of whose signs mean anything.

    >>> plain("w_t < [1]")
    'w&#95;t &#60; &#91;1&#93;'
    """
    return " ".join("".join(f"&#{ord(sign)};" if sign in SIGNS else sign for sign in text).split())


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """The lines of a table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def page(*parts: str | list[str]) -> str:
    """Blocks, each a text or the lines of one, as a page."""
    return "\n\n".join(part if isinstance(part, str) else "\n".join(part) for part in parts if part) + "\n"
