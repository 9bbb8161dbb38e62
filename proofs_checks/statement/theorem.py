"""Theorems and statements: hypotheses and conclusions as data, and all that is made of them."""

from dataclasses import dataclass
from itertools import groupby

from tangency.proofs_checks.claim import Claim, Hypothesis, NotApplicable, Refutation, Violation
from tangency.proofs_checks.statement import render
from tangency.proofs_checks.statement.evaluate import Evaluation, Values, check, finite, true
from tangency.proofs_checks.statement.terms import PROP, REAL, STEP, Term, Variable
from tangency.theory.fields import EXACT, Field, balls


class NotAnInstance(Exception):
    """A run does not meet a hypothesis; the message names it."""


@dataclass(frozen=True)
class Theorem:
    """One theorem: for all ``over``, if all of ``given`` then all of ``says``.

    Attributes:
        name: of the theorem in the kernel.
        over: its letters, in the order in which the kernel binds them.
        given: its hypotheses.
        says: its conclusions.
    """

    name: str
    over: tuple[Variable, ...]
    given: tuple[Hypothesis, ...]
    says: tuple[Term, ...]

    def __post_init__(self) -> None:
        names = [hypothesis.name for hypothesis in self.given]
        if len(set(names)) != len(names):
            raise ValueError(f"hypotheses of {self.name} are named {names}; each name must be unique")

    def text(self) -> str:
        """The conclusions as readable text."""
        return ", ".join(map(render.text, self.says))

    def latex(self) -> str:
        """The conclusions in LaTeX."""
        return r",\quad ".join(map(render.latex, self.says))

    def rocq(self) -> str:
        """The whole theorem in the kernel's language."""
        premises = "".join(f"  {_premise(one.formula)} ->\n" for one in self.given)
        says = " /\\\n  ".join(_premise(one) for one in self.says)
        return f"forall {self._binders()},\n{premises}  {says}"

    def needs(self, hypothesis: Hypothesis) -> str:
        """That the theorem is false without a hypothesis, in the kernel's language."""
        return f"~ ({self.without(hypothesis).rocq()})"

    def without(self, hypothesis: Hypothesis) -> "Theorem":
        """The theorem that drops a hypothesis."""
        rest = tuple(one for one in self.given if one is not hypothesis)
        return Theorem(self.name, self.over, rest, self.says)

    @property
    def told_by_runs(self) -> bool:
        """Whether a finite run can refute it."""
        return any(map(finite, self.says))

    def check(self, values: Values, field: Field = EXACT) -> int:
        """Evaluate it on a run: how many conclusions were evaluated.

        Raises:
            NotAnInstance: the run does not meet a hypothesis.
            Violation: a conclusion is false.
        """
        with field.context():
            evaluation = Evaluation(field, values)
            for one in self.given:
                if true(evaluation, one.formula) is False:
                    raise NotAnInstance(f"{one.name}: {one.text}")
            return sum(check(evaluation, formula) for formula in self.says if finite(formula))

    def refutation(self, hypothesis: Hypothesis, values: Values) -> Refutation:
        """What is wrong with the conclusions on a run that breaks one hypothesis alone; of roots, in balls.

        Raises:
            Violation: the run meets the hypothesis, or breaks another.
        """
        evaluation = Evaluation(EXACT, values)
        if true(evaluation, hypothesis.formula) is not False:
            raise Violation(hypothesis.name, "broken", "met")
        for field in (EXACT, balls()):
            try:
                self.without(hypothesis).check(values, field)
            except NotAnInstance as broken:
                raise Violation("the other hypotheses", "met", str(broken)) from None
            except Violation as false:
                if not (isinstance(false.got, str) and false.got == "undecided"):
                    found = Refutation(false.what, false.expected, false.got)
                    return found if found.refutes else Refutation(false.what, True, False)
        return Refutation(self.text(), True, True)

    def _binders(self) -> str:
        kinds = [letter.type for letter in self.over]
        spaces = dict.fromkeys(
            word for kind in kinds for word in kind.split(" ") if word not in ("->", REAL, STEP, PROP)
        )
        groups = [f"({' '.join(spaces)} : space)"] if spaces else []
        for kind, letters in groupby(self.over, key=lambda letter: letter.type):
            groups.append(f"({' '.join(letter.name for letter in letters)} : {kind})")
        return " ".join(groups)


def _premise(formula: Term) -> str:
    """A formula where an arrow or a conjunction follows."""
    written = render.rocq(formula)
    connective = getattr(formula, "operator", "") in ("⇒", "⇔", "∧")
    return f"({written})" if connective else written


@dataclass(frozen=True)
class Statement:
    """What a claim says: its theorems, the paper's own first, in one file of the kernel.

    Attributes:
        file: of the kernel, named as the claim's own.
        theorems: the claim's text is that of the first ``shown`` ones.
        more: names of further theorems of the file, on which the kernel is asked too.
    """

    file: str
    theorems: tuple[Theorem, ...]
    shown: int = 1
    more: tuple[str, ...] = ()

    def text(self) -> str:
        """As readable text."""
        return "; ".join(theorem.text() for theorem in self.theorems[: self.shown])

    def latex(self) -> str:
        """In LaTeX."""
        return r";\quad ".join(theorem.latex() for theorem in self.theorems[: self.shown])

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Those of all theorems, each once."""
        return tuple(dict.fromkeys(one for theorem in self.theorems for one in theorem.given))

    def theorem(self, name: str) -> Theorem:
        """The theorem with a name."""
        return next(theorem for theorem in self.theorems if theorem.name == name)

    def check(self, values: Values, field: Field = EXACT) -> dict[str, int]:
        """Evaluate on a run every theorem whose letters have values there: how often, by name.

        At least one of them must apply; another whose hypotheses the run does not meet says nothing of it.
        """
        evaluated: dict[str, int] = {}
        broken = ""
        for theorem in self.theorems:
            if theorem.told_by_runs and all(letter.name in values for letter in theorem.over):
                try:
                    evaluated[theorem.name] = theorem.check(values, field)
                except NotAnInstance as error:
                    broken = broken or str(error)
        if not evaluated:
            raise Violation("a hypothesis", "met", broken or "no theorem has values for all its letters")
        return evaluated

    def refutation(self, hypothesis: Hypothesis, values: Values) -> Refutation:
        """What is wrong without a hypothesis, on a run that breaks it alone."""
        return next(one for one in self.theorems if hypothesis in one.given).refutation(hypothesis, values)


def refutation_of(claim: Claim, hypothesis: Hypothesis) -> Refutation:
    """The stored counterexample: as it is, or the claim's own statement evaluated on it."""
    assert not isinstance(hypothesis.needed, NotApplicable)
    found = hypothesis.needed()
    if isinstance(found, Refutation):
        return found
    assert not isinstance(claim.statement, str)
    return claim.statement.refutation(hypothesis, found)
