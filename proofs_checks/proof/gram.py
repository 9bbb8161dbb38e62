"""The proof rung: identities that hold for every dimension and every t, checked by exact normal forms.

A proof is a list of steps. Each step states an identity between two sympy expressions, and the step is right exactly
if the normal form of their difference is identically zero. Dimensions never appear: vectors are linear combinations of
generators, and only their Gram matrix is known (:class:`Gram`). Statements for every t are inductions whose base and
step are both such identities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import sympy
from sympy import Expr

from tangency.proofs_checks.claim import NotApplicable, Violation


def normal_form(expression: Expr) -> Expr:
    """The canonical form of a rational expression (powers expanded): zero exactly if it is identically zero."""
    return sympy.cancel(sympy.together(sympy.expand(expression, power_exp=True, power_base=True)))


@dataclass(frozen=True)
class Given:
    """A definition or a hypothesis that later steps use, in words and, where it has one, as a formula."""

    text: str
    formula: Expr | None = None


@dataclass(frozen=True)
class Identity:
    """One identity of a proof.

    Attributes:
        text: what the step says, or why it is the next one.
        left, right: the two sides.
        theorem: the theorem or lemma of the library that the step stands for, or why the kernel has none.
    """

    text: str
    left: Expr
    right: Expr
    theorem: str | NotApplicable = ""

    @cached_property
    def residual(self) -> Expr:
        """The normal form of left − right; the step is right exactly if this is 0."""
        return normal_form(sympy.sympify(self.left) - sympy.sympify(self.right))

    def check(self) -> None:
        """Raise a :class:`Violation` with the residual unless the identity holds."""
        if self.residual != 0:
            raise Violation(self.text, "residual 0", f"residual {self.residual}")


@dataclass(frozen=True)
class NonNegative:
    """One inequality of a proof, shown by a certificate: the expression equals Σ coefficient · square.

    Attributes:
        expression: what is shown to be ≥ 0.
        certificate: pairs (coefficient, base); coefficients are products and sums of symbols that sympy knows to be
            non-negative, and ``expression == Σ coefficient · base²`` identically.
        theorem: as of an :class:`Identity`.
    """

    text: str
    expression: Expr
    certificate: Sequence[tuple[Expr, Expr]]
    theorem: str | NotApplicable = ""

    @cached_property
    def residual(self) -> Expr:
        """The normal form of expression − Σ coefficient · base²."""
        total = sum((c * b**2 for c, b in self.certificate), start=sympy.Integer(0))
        return normal_form(self.expression - total)

    def check(self) -> None:
        """Raise a :class:`Violation` unless the certificate proves the inequality."""
        if self.residual != 0:
            raise Violation(self.text, "residual 0", f"residual {self.residual}")
        for coefficient, base in self.certificate:
            if not sympy.sympify(coefficient).is_nonnegative:
                raise Violation(self.text, "a non-negative coefficient", coefficient)
            if not sympy.sympify(base).is_real:
                raise Violation(self.text, "a real base", base)


@dataclass(frozen=True)
class Proof:
    """A proof that a machine checks and a person reads.

    Attributes:
        method: in a sentence: Gram algebra, induction on t, …
        given: definitions and hypotheses.
        steps: identities and inequalities, in order.
        conclusion: what has been shown.
        without: theorems of the claim that have no algebra to walk through.
    """

    method: str
    given: Sequence[Given]
    steps: Sequence[Identity | NonNegative]
    conclusion: str
    without: tuple[str, ...] = ()

    def check(self) -> int:
        """Check every step and return their number. Raises :class:`Violation` at the first that is wrong."""
        if not self.steps:
            raise Violation("proof", "at least one step", "none")
        for step in self.steps:
            step.check()
        return len(self.steps)


class Gram:
    """Vectors of an inner-product space of any dimension, known only by their inner products.

    >>> gram = Gram("w g")
    >>> w, g = gram.vectors
    >>> gram.dot(w - 2 * g, w)
    -2*⟨g,w⟩ + ⟨w,w⟩
    >>> Gram("w g", relations={("w", "g"): 0}).dot(w - 2 * g, w)
    ⟨w,w⟩

    Args:
        names: names of the generators, separated by spaces.
        relations: known inner products, by pairs of names: the hypotheses of a claim.
    """

    def __init__(self, names: str, relations: Mapping[tuple[str, str], Any] | None = None) -> None:
        self.names = tuple(names.split())
        self.vectors = tuple(sympy.Symbol(name) for name in self.names)
        self._products: dict[frozenset[str], Expr] = {}
        for a, b in combinations_with_replacement(sorted(self.names), 2):
            self._products[frozenset({a, b})] = sympy.Symbol(f"⟨{a},{b}⟩", real=True, nonnegative=a == b or None)
        for (a, b), value in (relations or {}).items():
            if frozenset({a, b}) not in self._products:
                raise ValueError(f"relations has the pair {(a, b)}; the generators are {self.names}")
            self._products[frozenset({a, b})] = sympy.sympify(value)

    def dot(self, a: Expr, b: Expr) -> Expr:
        """The inner product of two linear combinations of the generators, by bilinearity.

        Raises:
            ValueError: an argument is no linear combination of the generators.
        """
        left, right = self._coefficients(a), self._coefficients(b)
        return sympy.expand(sum(left[x] * right[y] * self._products[frozenset({x, y})] for x in left for y in right))

    def square(self, a: Expr) -> Expr:
        """‖a‖²."""
        return self.dot(a, a)

    def _coefficients(self, combination: Expr) -> dict[str, Expr]:
        """The coefficients by generator; a square, a constant or an unknown vector has no inner product: an error."""
        expanded = sympy.expand(combination)
        found = {vector.name: expanded.coeff(vector, 1) for vector in self.vectors}
        rest = expanded - sum(found[vector.name] * vector for vector in self.vectors)
        if normal_form(rest) != 0 or any(c.free_symbols & set(self.vectors) for c in found.values()):
            raise ValueError(f"combination is {combination}; it must be linear in {self.names}")
        return found
