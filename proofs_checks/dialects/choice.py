"""Choices: the points at which published implementations of an algorithm differ, each option with its function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tangency.proofs_checks.algorithms import Algorithm


@dataclass(frozen=True)
class Option:
    """One value of a choice.

    Attributes:
        value: its name.
        says: what it does, with its formula.
        compute: the function; all options of a choice take the same arguments.
        violates: the statement of the paper that is false of it, and how; empty if none is.
        requires: the other choices without which it is no other than the paper's.
        slip: of what nobody means to write, what to look for in the code; empty for a choice that can be meant.
    """

    value: str
    says: str
    compute: Callable[..., Any]
    violates: str = ""
    requires: Mapping[str, str] = field(default_factory=dict)
    slip: str = ""


def _always(dialect: Mapping[str, str]) -> bool:
    return True


@dataclass(frozen=True)
class Choice:
    """One point at which implementations differ.

    Attributes:
        name: of the choice.
        options: what is found in the wild; the paper's value first where the paper says.
        about: the hyper-parameter without which there is nothing to choose; empty if none.
        hyper: what a training run must switch on for the choice to show.
        matters: whether the choice can show at all, given the others.
    """

    name: str
    options: tuple[Option, ...]
    about: str = ""
    hyper: Mapping[str, Any] = field(default_factory=dict)
    matters: Callable[[Mapping[str, str]], bool] = _always

    @cached_property
    def by_value(self) -> Mapping[str, Option]:
        """The options by their names."""
        return {option.value: option for option in self.options}

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(self.by_value)


class Dialect(Mapping[str, str]):
    """One value for every choice of an algorithm: the names of the options, by the names of the choices.

    Args:
        algorithm: whose choices they are.
        values: of every choice that differs from its first option.

    Raises:
        KeyError: there is no such choice, or it has no such option.
    """

    def __init__(self, algorithm: Algorithm, values: Mapping[str, str]) -> None:
        self.algorithm = algorithm
        self._values = {choice.name: choice.options[0].value for choice in algorithm.choices.values()}
        for name, value in values.items():
            self._values[name] = algorithm.choices[name].by_value[value].value
        self._functions = {
            name: algorithm.choices[name].by_value[value].compute for name, value in self._values.items()
        }

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def but(self, **values: str) -> Dialect:
        """The same with other values of some choices."""
        return Dialect(self.algorithm, {**self._values, **values})

    def compute(self, choice: str, *arguments: Any) -> Any:
        """What the chosen option makes of its arguments."""
        return self._functions[choice](*arguments)
