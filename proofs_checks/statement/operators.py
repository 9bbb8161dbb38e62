"""The vocabulary of statements: every operator in one line, with its text, LaTeX, kernel text and exact value.

A template holds ``{}`` for each argument. ``level`` says how tightly it binds, ``needs`` how tightly each argument must
for it to stand without brackets; 100 is an atom. The kernel's definitions are in ``rocq/vocabulary.v``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from tangency.proofs_checks.statement.terms import PROP, REAL, SPACE
from tangency.theory.fields import Field, NotInField
from tangency.theory.projection import project

# How wide a ball may be for a comparison to count: half the bits of a double's mantissa beyond float64.
NARROW = 2.0**-64


@dataclass(frozen=True)
class Operator:
    """How an operator is written and what it is.

    Attributes:
        result: its type; ``""``: that of its last argument.
        text, latex, rocq: templates.
        level: how tightly it binds; the kernel's text of a function application binds at 90.
        needs: the least level of each argument, in text and LaTeX; the kernel's needs are the same, or 100 for an
            application.
        value: its exact value in a field; ``None``: it speaks of more than a finite run.
    """

    text: str
    latex: str
    rocq: str
    level: int
    needs: tuple[int, ...]
    value: Callable[..., Any]
    result: str = ""

    @property
    def application(self) -> bool:
        """Whether the kernel's text is a name applied to arguments."""
        return self.rocq[0].isalpha()


def _difference(a: Any, b: Any) -> list[Any]:
    """a − b: one number, or the elements of an array."""
    return np.asarray(a - b, dtype=object).ravel().tolist() if isinstance(a, np.ndarray) else [a - b]


def _equal(field: Field, a: Any, b: Any) -> bool | None:
    """Equality; in balls: the difference contains 0 and is narrow."""
    answers = [is_zero(x) for x in _difference(a, b)]
    return False if False in answers else None if None in answers else True


def is_zero(x: Any) -> bool | None:
    """Whether a number is 0; a ball, whether it contains 0 and is narrow."""
    if not isinstance(x, flint.arb):
        return bool(x == 0)
    if not (x.is_finite() and x.contains(0)):
        return False if x.is_finite() else None
    return True if x.rad() < NARROW else None


def _less(field: Field, a: Any, b: Any) -> bool | None:
    return field.less(a, b)


def _at_most(field: Field, a: Any, b: Any) -> bool | None:
    """a ≤ b; in balls: certain, or equal as far as a narrow ball can tell."""
    above = field.less(b, a)
    if above is not None:
        return not above
    return True if field.less(a, b) or _equal(field, a, b) else None


def negation(answer: bool | None) -> bool | None:
    """Not, of three values."""
    return None if answer is None else not answer


def _implies(field: Field, a: bool | None, b: bool | None) -> bool | None:
    return True if a is False else b if a else (True if b else None)


def _and(field: Field, a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _iff(field: Field, a: bool | None, b: bool | None) -> bool | None:
    return None if a is None or b is None else a == b


def _root(field: Field, x: Any) -> Any:
    return field.sqrt(field.element(x))


def _norm(field: Field, x: Any) -> Any:
    return _root(field, x @ x)


def _unit(field: Field, x: Any) -> Any:
    return x / _norm(field, x)


def _project(field: Field, w: Any, x: Any) -> Any:
    return x if isinstance(w, int) else project(w, x)  # an integer is the origin


def _angle(field: Field, x: Any, y: Any) -> Any:
    """∠(x, y) without the square roots of unit vectors: atan2(‖Π_x(y)‖ ‖x‖, x·y)."""
    area = (x @ x) * (y @ y) - (x @ y) * (x @ y)
    root = _root(field, area)
    if not isinstance(root, flint.arb):
        raise NotInField("angles are no rational numbers; use a ball field")
    return flint.arb.atan2(root, field.element(x @ y))


def _centred(field: Field, kappa: Any, e: Any, u: Any) -> Any:
    return u - kappa * ((u @ e) / (e @ e)) * e


def _variance(field: Field, kappa: Any, e: Any, u: Any) -> Any:
    v = _centred(field, kappa, e, u)
    return (v @ v) / (e @ e)


def _normalised(field: Field, kappa: Any, e: Any, eps: Any, u: Any) -> Any:
    return _centred(field, kappa, e, u) / _root(field, _variance(field, kappa, e, u) + eps)


def _power(a: Any, n: int) -> Any:
    """aⁿ. FLINT takes the power of a ball around exactly 0 by its logarithm, which is NaN; a product is not."""
    return math.prod([a] * n) if isinstance(a, flint.arb) and a.mid() == 0 else a**n


def _plain(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that needs no field."""
    return lambda field, *arguments: operation(*arguments)


OPERATORS: dict[str, Operator] = {
    "+": Operator("{} + {}", "{} + {}", "{} + {}", 50, (50, 51), _plain(lambda a, b: a + b)),
    "-": Operator("{} − {}", "{} - {}", "{} - {}", 50, (50, 51), _plain(lambda a, b: a - b)),
    "neg": Operator("−{}", "-{}", "- {}", 60, (61,), _plain(lambda a: -a)),
    "*": Operator("{}{}", "{} {}", "{} * {}", 60, (60, 61), _plain(lambda a, b: a * b)),
    "/": Operator("{}/{}", r"\frac{{{}}}{{{}}}", "{} / {}", 59, (59, 61), _plain(lambda a, b: a / b), REAL),
    "inverse": Operator("1/{}", r"\frac{{1}}{{{}}}", "/ {}", 59, (71,), _plain(lambda a: 1 / a), REAL),
    "^": Operator("{}^{}", "{}^{}", "{}^{}", 70, (71, 100), _plain(_power), REAL),
    "at": Operator("{}({})", "{}({})", "{} {}", 100, (100, 0), _plain(lambda f, x: f(x))),
    "dot": Operator("{}·{}", r"{} \cdot {}", "⟨{}, {}⟩", 62, (71, 71), _plain(lambda x, y: x @ y), REAL),
    "square": Operator("‖{}‖²", r"\|{}\|^2", "‖{}‖²", 100, (0,), _plain(lambda x: x @ x), REAL),
    "norm": Operator("‖{}‖", r"\|{}\|", "norm {}", 100, (0,), _norm, REAL),
    "sqrt": Operator("√({})", r"\sqrt{{{}}}", "sqrt {}", 100, (0,), _root, REAL),
    "abs": Operator("|{}|", r"|{}|", "Rabs {}", 100, (0,), _plain(abs), REAL),
    "real": Operator("{}", "{}", "INR {}", 100, (100,), lambda field, n: field.element(n), REAL),
    "unit": Operator("unit({})", r"\widehat{{{}}}", "unit {}", 100, (0,), _unit),
    "project": Operator("Π_{}({})", r"\Pi_{{{}}}({})", "project {} {}", 100, (0, 0), _project),
    "geodesic": Operator(
        "cos({2}){0} + sin({2}){1}", r"\cos({2})\,{0} + \sin({2})\,{1}", "geodesic {} {} {}", 50, (61, 61, 0),
        lambda field, x, v, angle: field.cos(angle) * x + field.sin(angle) * v, SPACE,
    ),
    "angle": Operator("∠({}, {})", r"\angle({}, {})", "angle {} {}", 100, (0, 0), _angle, REAL),
    "sin": Operator("sin {}", r"\sin {}", "sin {}", 69, (70,), lambda field, x: field.sin(x), REAL),
    "cos": Operator("cos {}", r"\cos {}", "cos {}", 69, (70,), lambda field, x: field.cos(x), REAL),
    "tan": Operator("tan {}", r"\tan {}", "tan {}", 69, (70,), lambda field, x: field.sin(x) / field.cos(x), REAL),
    "π": Operator("π", r"\pi", "PI", 100, (), lambda field: flint.arb.pi(), REAL),
    "zero": Operator("0", "0", "vzero", 100, (), lambda field: 0, SPACE),
    "centred": Operator("centred({2})", r"\mathrm{{centred}}({2})", "centred {} {} {}", 100, (100, 0, 0), _centred),
    "variance": Operator("σ²({2})", r"\sigma^2({2})", "variance {} {} {}", 100, (0, 0, 0), _variance, REAL),
    "normalised": Operator(
        "Norm_{2}({3})", r"\mathrm{{Norm}}_{{{2}}}({3})", "normalised {} {} {} {}", 100, (0, 0, 0, 0), _normalised
    ),
    "=": Operator("{} = {}", "{} = {}", "{} = {}", 20, (21, 21), _equal, PROP),
    "≠": Operator("{} ≠ {}", r"{} \neq {}", "{} <> {}", 20, (21, 21), lambda f, a, b: negation(_equal(f, a, b)), PROP),
    "<": Operator("{} < {}", "{} < {}", "{} < {}", 20, (21, 21), _less, PROP),
    "≤": Operator("{} ≤ {}", r"{} \le {}", "{} <= {}", 20, (21, 21), _at_most, PROP),
    "∧": Operator("{} and {}", r"{} \wedge {}", "{} /\\ {}", 10, (11, 10), _and, PROP),
    "⇒": Operator("{} ⇒ {}", r"{} \Rightarrow {}", "{} -> {}", 6, (7, 6), _implies, PROP),
    "⇔": Operator("{} ⇔ {}", r"{} \Leftrightarrow {}", "{} <-> {}", 5, (7, 7), _iff, PROP),
    "¬": Operator("not {}", r"\neg {}", "~ {}", 15, (100,), lambda field, a: negation(a), PROP),
    "scale_invariant": Operator(
        "{0} is scale-invariant", r"{0}(cw) = {0}(w)\ \forall c > 0", "scale_invariant {}", 20, (100,),
        lambda field, f: f.scale_invariant, PROP,
    ),
    "second derivative": Operator(
        "{3}({1}, {2}) = d/ds ∇f({1} + s{2})·{2}", r"{3}({1}, {2}) = \nabla^2 f({1})({2}, {2})",
        "derivable_pt_lim (fun s => ⟨{0} ({1} + s * {2})%V, {2}⟩) 0 ({3} {1} {2})", 20, (100, 100, 100, 100),
        lambda field, grad, w, u, curvature: None, PROP,
    ),
    "gradient": Operator(
        "{2} = ∇{0}({1})", r"{2} = \nabla {0}({1})", "gradient {} {} {}", 20, (100, 0, 21),
        lambda field, f, w, g: _equal(field, f.gradient(w), g), PROP,
    ),
}  # fmt: skip
