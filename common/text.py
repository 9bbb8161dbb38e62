"""Foreign text, made harmless: characters with an effect on terminals, pages or logs become escapes."""

import math
import re
from typing import Any

# Characters that have an effect: control characters, with which escape sequences begin, halves of surrogate pairs,
# marks that turn the reading direction, and code points that are no characters.
ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)
# What a CI server obeys in a log: GitHub ``::error::`` at the start of a line, and any word may come to stand there
# when lines are wrapped; ``##[error]``, Azure ``##vso[`` and TeamCity ``##teamcity[`` wherever they stand.
COMMAND = re.compile(
    r"(?<!\S):(?=:[a-z])"
    r"|:(?=:(?:add|debug|echo|endgroup|error|group|internal|notice|remove|save|set|stop|warning)[-: ])"
    r"|#(?=#(?:vso|teamcity)?\[)",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """The text with characters that have an effect replaced by escapes; line breaks and tabs stay."""
    return COMMAND.sub(_escape, ACTING.sub(_escape, text.replace("\r\n", "\n")))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def line(text: str) -> str:
    """The text harmless and in one line."""
    return " ".join(visible(text).split())


def raised(error: BaseException) -> str:
    """``ValueError: no such lr``: what was raised, in one line, even where the exception cannot say it."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be read"
    first = message.strip().splitlines()[:1]
    return ": ".join([type(error).__name__, *first])


def docstring(text: str) -> str:
    """The text as what stands between three double quotes in a script."""
    return visible(text).replace("\\", "\\\\").replace('"""', "'''")


def as_source(value: Any) -> str:
    """A value as Python source; that of an infinity or NaN is a call."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_source(key)}: {as_source(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_source, value)) + "]"
    if type(value) is tuple:
        return "(" + "".join(f"{as_source(one)}, " for one in value) + ")" if value else "()"
    return repr(value)
