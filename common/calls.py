"""Wrong calls: the error that a command reports in one line, and suggestions of similar names."""

from collections.abc import Iterable
from difflib import get_close_matches


class WrongCall(ValueError):
    """Something that the caller named does not exist or cannot be used; the message says why."""


def no_such(what: str, id: str, known: Iterable[str]) -> str:
    """The message that nothing has an id, with ids of similar spelling.

    >>> no_such("claim", "eq-1", ["eq-01", "rate"])
    "no claim is called 'eq-1'; did you mean eq-01?"
    """
    near = get_close_matches(id, list(known), n=3)
    return f"no {what} is called {id!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
