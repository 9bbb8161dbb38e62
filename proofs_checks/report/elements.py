"""HTML, escaped by construction: any string that is not made here is text, and text is never markup."""

from html import escape

from tangency.common.text import visible

VOID = frozenset({"meta", "link", "br"})


class Markup(str):
    """Text that is HTML already; any other text is escaped when it is joined to it."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str) -> Markup:
    """An element. Content that is no ``Markup`` is escaped; ``class_`` and ``http_equiv`` stand for the attributes."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(visible(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>" + ("" if name in VOID else f"{join(*content)}</{name}>"))


def join(*content: str) -> Markup:
    """All parts, one after the other; plain text is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(visible(part)) for part in content))
