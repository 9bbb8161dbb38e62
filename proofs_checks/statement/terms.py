"""The trees that statements are made of, and the table of what may stand in them.

A term is a :class:`Variable`, a :class:`Number`, an operator applied to terms (:class:`Apply`), or an operator that
binds a variable (:class:`Bind`): Σ, ∀, ∃, a limit. Types are those of the kernel: ``R``, ``nat`` (steps), ``E`` (a real
inner product space), ``nat -> E`` (vectors at a step), ``E -> R`` (a function of the weights), ``Prop``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PROP, REAL, STEP, SPACE = "Prop", "R", "nat", "E"


class Term:
    """A node of a statement; Python's operators build larger ones."""

    def as_text(self) -> str:
        """As readable text."""
        from tangency.proofs_checks.statement.render import text

        return text(self)

    def __add__(self, other: Term | int) -> Term:
        return Apply("+", (self, term(other)))

    def __radd__(self, other: int) -> Term:
        return Apply("+", (term(other), self))

    def __sub__(self, other: Term | int) -> Term:
        return Apply("-", (self, term(other)))

    def __rsub__(self, other: int) -> Term:
        return Apply("-", (term(other), self))

    def __mul__(self, other: Term | int) -> Term:
        return Apply("*", (self, term(other)))

    def __rmul__(self, other: int) -> Term:
        return Apply("*", (term(other), self))

    def __truediv__(self, other: Term | int) -> Term:
        return Apply("/", (self, term(other)))

    def __rtruediv__(self, other: int) -> Term:
        return Apply("/", (term(other), self))

    def __pow__(self, other: Term | int) -> Term:
        return Apply("^", (self, term(other)))

    def __neg__(self) -> Term:
        return Apply("neg", (self,))

    def __lt__(self, other: Term | int) -> Term:
        return Apply("<", (self, term(other)))

    def __le__(self, other: Term | int) -> Term:
        return Apply("≤", (self, term(other)))

    def __gt__(self, other: Term | int) -> Term:
        return Apply("<", (term(other), self))

    def __ge__(self, other: Term | int) -> Term:
        return Apply("≤", (term(other), self))

    def __getitem__(self, step: Term | int) -> Term:
        """A sequence at a step: ``w[t + 1]``."""
        return Apply("at", (self, term(step)))

    def __call__(self, argument: Term) -> Term:
        """A function of the weights at a point: ``f(w[t])``."""
        return Apply("at", (self, argument))


@dataclass(frozen=True)
class Variable(Term):
    """A letter.

    Attributes:
        name: in the kernel, and on paper unless ``text`` and ``latex`` say otherwise.
        type: one of the types of this module.
    """

    name: str
    type: str
    text: str = ""
    latex: str = ""


@dataclass(frozen=True)
class Number(Term):
    """An integer."""

    value: int


@dataclass(frozen=True)
class Apply(Term):
    """An operator (a key of :data:`.operators.OPERATORS`) and its arguments."""

    operator: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Bind(Term):
    """An operator that binds ``variable`` in ``body``.

    Attributes:
        operator: ``Σ`` (``extra``: its bound, variable < bound), ``∀``, ``∃``, or ``→`` (``extra``: the limit).
    """

    operator: str
    variable: Variable
    body: Term
    extra: Term | None = None


def term(value: Term | int) -> Term:
    """A term, or an integer as one."""
    return value if isinstance(value, Term) else Number(value)


def variables(names: str, type: str) -> tuple[Variable, ...]:
    """Letters of one type: ``variables("η β", "R")``."""
    return tuple(Variable(name, type) for name in names.split())


def equal(left: Term, right: Term | int) -> Term:
    """left = right, of numbers or vectors."""
    return Apply("=", (left, term(right)))


def unequal(left: Term, right: Term | int) -> Term:
    """left ≠ right."""
    return Apply("≠", (left, term(right)))


def dot(x: Term, y: Term) -> Term:
    """⟨x, y⟩"""
    return Apply("dot", (x, y))


def square(x: Term) -> Term:
    """‖x‖²"""
    return Apply("square", (x,))


def function(name: str, *arguments: Term) -> Term:
    """An operator by its name: ``function("norm", w)``."""
    return Apply(name, arguments)


def total(variable: Variable, bound: Term, body: Term) -> Term:
    """Σ of ``body`` over ``variable`` < ``bound``."""
    return Bind("Σ", variable, body, bound)


def every(variable: Variable, body: Term) -> Term:
    """∀ variable."""
    return Bind("∀", variable, body)


def some(variable: Variable, body: Term) -> Term:
    """∃ variable."""
    return Bind("∃", variable, body)


def tends(variable: Variable, body: Term, limit: Term | int) -> Term:
    """``body`` tends to ``limit`` as the step ``variable`` goes to infinity."""
    return Bind("→", variable, body, term(limit))


def parts(one: Term) -> tuple[Term, ...]:
    """The terms directly inside one."""
    if isinstance(one, Apply):
        return one.arguments
    if isinstance(one, Bind):
        return (one.body,) if one.extra is None else (one.extra, one.body)
    return ()


def walk(one: Term) -> Iterator[Term]:
    """A term and all terms inside it."""
    yield one
    for part in parts(one):
        yield from walk(part)
