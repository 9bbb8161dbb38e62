"""What is wrong with a call: the error that a command answers with one line, and what may have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches


class WrongCall(ValueError):
    """What a caller named is not there, or cannot be used; the message says why."""


def no_such(what: str, id: str, known: Iterable[str]) -> str:
    """That nothing has an id, and what is spelt nearly so.

    >>> no_such("claim", "eq-1", ["eq-01", "rate"])
    "no claim is called 'eq-1'; did you mean eq-01?"
    """
    near = get_close_matches(id, list(known), n=3)
    return f"no {what} is called {id!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
