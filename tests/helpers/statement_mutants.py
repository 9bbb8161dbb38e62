"""Every single-token change of a theorem: what its evaluation or the kernel must tell from the theorem itself."""

from collections.abc import Iterator
from dataclasses import replace

from tangency.proofs_checks.statement.render import is_vector, text, type_of
from tangency.proofs_checks.statement.terms import REAL, STEP, Apply, Bind, Number, Term, Variable, term
from tangency.proofs_checks.statement.theorem import Theorem

_OTHER = {"+": "-", "-": "+", "≤": "<", "<": "≤"}


def theorems(one: Theorem) -> Iterator[tuple[str, Theorem, bool]]:
    """The changes of a theorem: what was changed, the result, and whether only its conclusions were."""
    for place, conclusion in enumerate(one.says):
        for changed in terms(conclusion):
            says = (*one.says[:place], changed, *one.says[place + 1 :])
            yield f"says {text(changed)}", replace(one, says=says), True
    for hypothesis in one.given:
        yield f"without {hypothesis.name}", one.without(hypothesis), False
        for changed in terms(hypothesis.formula):
            given = tuple(replace(h, says=changed) if h is hypothesis else h for h in one.given)
            yield f"given {text(changed)}", replace(one, given=given), False


def terms(one: Term, place: str = "") -> Iterator[Term]:
    """The changes of a term; ``place`` says what it is of its parent: a step, an exponent, a summand, or the rest."""
    if isinstance(one, Number):
        yield Number(one.value + 1)
        if one.value > 0:
            yield Number(one.value - 1)
        return
    if place in ("step", "exponent") and isinstance(one, Variable):
        yield one + 1
    if place == "summand" and (type_of(one) == REAL or is_vector(one)):
        yield term(2) * one
    if isinstance(one, Apply):
        yield from _of_operator(one)
    elif isinstance(one, Bind):
        for changed in terms(one.body):
            yield replace(one, body=changed)
        if one.extra is not None:
            for changed in terms(one.extra, "step" if one.operator == "Σ" else "summand"):
                yield replace(one, extra=changed)


def _of_operator(one: Apply) -> Iterator[Term]:
    if one.operator == "neg":
        yield one.arguments[0]
    steps = any(type_of(argument) == STEP for argument in one.arguments)
    if one.operator in _OTHER and not (steps and one.operator in "+-"):
        yield replace(one, operator=_OTHER[one.operator])
    for number, argument in enumerate(one.arguments):
        place = ""
        if one.operator == "at" and number == 1 and type_of(argument) == STEP:
            place = "step"
        elif one.operator == "^" and number == 1:
            place = "exponent"
        elif one.operator in ("+", "-", "=", "≤", "<") and not steps:
            place = "summand"
        for changed in terms(argument, place):
            yield replace(one, arguments=(*one.arguments[:number], changed, *one.arguments[number + 1 :]))


def same(one: Theorem, other: Theorem) -> bool:
    """Whether two theorems are one to the kernel's eye."""
    return one.rocq() == other.rocq()
