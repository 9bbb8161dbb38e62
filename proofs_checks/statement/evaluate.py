"""The exact value of a statement on a run: of each term, and of each formula as true, false, or not told by a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangency.proofs_checks.claim import Violation, require
from tangency.proofs_checks.statement.operators import OPERATORS, is_zero
from tangency.proofs_checks.statement.render import text
from tangency.proofs_checks.statement.terms import STEP, Apply, Bind, Number, Term, Variable, walk
from tangency.theory.fields import Array, Field, NotInField

# A number, a vector, a step, a sequence of them, a function of the weights: by the letter that names it.
Values = Mapping[str, Any]
# At how many steps of a long run a conclusion is evaluated, whose sums grow with the step: at its start and its end.
_EARLY, _LATE = 4, 2


class Beyond(LookupError):
    """A sequence has no such step: the run ends before."""


@dataclass(frozen=True)
class Gradients:
    """What a run knows of a function f of the weights: its gradients.

    f is scale-invariant if and only if they are tangent everywhere (Eq. 4; ``eq_04_converse``).

    Attributes:
        gradient: w ↦ ∇f(w), or a tangent field in its place.
        points: where it was taken.
    """

    gradient: Callable[[Array], Array]
    points: Sequence[Array]

    @property
    def scale_invariant(self) -> bool:
        """Whether the gradient is tangent at every point of the run; at w = 0 it is 0, or f is not differentiable."""
        pairs = [(w, self.gradient(w)) for w in self.points]
        return all(is_zero(g @ g if is_zero(w @ w) is True else w @ g) is not False for w, g in pairs)


@dataclass(frozen=True)
class Evaluation:
    """Terms evaluated in a field, with the values of their letters."""

    field: Field
    values: Values

    def of(self, one: Term) -> Any:
        """The value of a term; ``None`` for a formula that no finite run can tell.

        Raises:
            Beyond: it needs a step that the run does not have.
            KeyError: a letter has no value.
        """
        if isinstance(one, Variable):
            return self.values[one.name]
        if isinstance(one, Number):
            return one.value
        if isinstance(one, Bind):
            return self._bound(one)
        assert isinstance(one, Apply)
        if one.operator == "at":
            head, argument = (self.of(argument) for argument in one.arguments)
            return self._at(one, head, argument)
        if one.operator in ("∧", "⇒"):
            return self._connected(one)
        return OPERATORS[one.operator].value(self.field, *map(self.of, one.arguments))

    def with_value(self, letter: Variable, value: Any) -> "Evaluation":
        """The same with one more value."""
        return Evaluation(self.field, {**self.values, letter.name: value})

    def _at(self, one: Apply, head: Any, argument: Any) -> Any:
        if callable(head):
            return head(argument)
        if not 0 <= argument < len(head):
            raise Beyond(f"{text(one)}: there is no step {argument}")
        return head[argument]

    def _connected(self, one: Apply) -> bool | None:
        """∧ and ⇒ do not look at their second half where the first decides."""
        first, settled = self.of(one.arguments[0]), one.operator == "⇒"
        if first is False:
            return settled
        answer: bool | None = OPERATORS[one.operator].value(self.field, first, self.of(one.arguments[1]))
        return answer

    def _bound(self, one: Bind) -> Any:
        if one.operator == "→" or one.variable.type != STEP:
            return None
        if one.operator == "Σ":
            assert one.extra is not None
            terms = (self.with_value(one.variable, k).of(one.body) for k in range(self.of(one.extra)))
            return sum(terms, start=self.field.element(0))
        decisive = one.operator == "∃"
        answers = list(self._answers(one))
        if decisive in answers:
            return decisive
        if decisive and None in answers:
            raise Beyond(f"{text(one)}: the run ends before it is found")
        return None if None in answers or not answers else not decisive

    def _answers(self, one: Bind) -> Iterator[bool | None]:
        """The body at every step that the run has."""
        for step in steps(self.values):
            try:
                yield self.with_value(one.variable, step).of(one.body)
            except Beyond:
                if one.operator == "∃":
                    yield None
            except NotInField:
                yield None
            except ZeroDivisionError:
                if one.operator == "∃":
                    raise
                yield None


def _shown(value: Any) -> Any:
    """A value for a message."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def steps(values: Values, sparse: bool = False) -> list[int]:
    """The steps that the sequences of a run have; with ``sparse``, of a long run the first and last ones."""
    longest = max((len(value) for value in values.values() if isinstance(value, list | tuple)), default=0)
    found = range(longest + 1)
    return [*found] if not sparse or longest < _EARLY + _LATE else [*found[:_EARLY], *found[-_LATE - 2 :]]


def finite(one: Term) -> bool:
    """Whether a finite run can tell: no limit, no quantifier over anything but steps, no function at the origin."""
    binds = [part for part in walk(one) if isinstance(part, Bind)]
    origin = Apply("zero", ())
    if any(
        isinstance(part, Apply) and part.operator in ("at", "gradient") and origin in part.arguments
        for part in walk(one)
    ):
        return False
    return all(bind.operator != "→" and bind.variable.type == STEP for bind in binds)


def true(evaluation: Evaluation, formula: Term) -> bool | None:
    """Whether a hypothesis holds on a run; ``None``: not told, or undefined."""
    try:
        return evaluation.of(formula) if finite(formula) else None
    except (Beyond, NotInField, ZeroDivisionError):
        return None


def check(evaluation: Evaluation, formula: Term) -> int:
    """Require a conclusion at every step (of a long run, the first and the last): how often it was evaluated.

    Not where it needs a number that the field lacks, √2 among the rationals: that is left to balls.

    Raises:
        Violation: it is false, with both sides where it is an equation or an inequality, or undefined.
    """
    if isinstance(formula, Bind) and formula.operator == "∀":
        count = 0
        for step in steps(evaluation.values, sparse=True):
            with suppress(Beyond):
                count += check(evaluation.with_value(formula.variable, step), formula.body)
        return count
    if isinstance(formula, Apply) and formula.operator == "⇒":
        return check(evaluation, formula.arguments[1]) if evaluation.of(formula.arguments[0]) else 0
    what = text(formula)
    shown = {name: value for name, value in evaluation.values.items() if isinstance(value, int)}
    if shown:
        what += f" at {', '.join(f'{name} = {value}' for name, value in shown.items())}"
    try:
        if isinstance(formula, Apply) and formula.operator in ("=", "<", "≤"):
            left, right = (evaluation.of(side) for side in formula.arguments)
            answer = OPERATORS[formula.operator].value(evaluation.field, left, right)
            require(what, answer, expected=_shown(right), got=_shown(left))
        else:
            require(what, evaluation.of(formula))
    except NotInField:
        return 0
    except ZeroDivisionError:
        raise Violation(what, "defined", "undefined") from None
    return 1
