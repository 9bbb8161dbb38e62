"""The inputs of a call: numbers, values, TOML files. Wrong ones are refused with a message of one line."""

import ast
import math
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from tangency.common.calls import WrongCall
from tangency.common.text import raised


def seconds(value: float) -> float:
    """A callback of options that refuses NaN, which passes the lower and upper limits of an option."""
    if math.isnan(value):
        raise typer.BadParameter("nan is no number of seconds")
    return value


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` of an option that may be repeated.

    Raises:
        WrongCall: one has no name or no ``=``, or two have one name.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongCall(f"{option} is {text!r}; it must be NAME=VALUE")
        if name in found:
            raise WrongCall(f"{option} {name} is given twice: {found[name]!r} and {value!r}")
        found[name] = value
    return found


def literal(option: str, text: str) -> Any:
    """A Python literal where it is one, else the text itself.

    Raises:
        WrongCall: it looks like a literal, but Python cannot evaluate it or cannot print its value.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash that escapes nothing
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    except (TypeError, MemoryError, RecursionError) as error:  # a list as a key; nested too deep
        raise WrongCall(f"{option} is {_short(text)}, of which Python makes no value: {raised(error)}") from None
    try:
        repr(value)
    except ValueError:
        raise WrongCall(f"{option} is {_short(text)}, an integer too long to be printed") from None
    return value


def read_toml(path: Path, wrong: type[ValueError]) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        wrong: it cannot be read, is no TOML, or holds an integer of more than 64 bits, which is none of TOML's.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise wrong(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise wrong(f"{path} is not UTF-8: byte {error.start}") from None
    except RecursionError:
        raise wrong(f"{path} is no TOML that can be read: it is nested too deep") from None
    except ValueError as error:  # TOML's own, and an integer with more digits than Python reads
        raise wrong(f"{path} is no TOML: {error}") from None
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in _leaves(document)):
        raise wrong(f"{path} is no TOML: it holds an integer of more than 64 bits")
    return document


def _leaves(value: Any) -> Iterator[Any]:
    """The values in nested tables and arrays."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
        else:
            yield value


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
