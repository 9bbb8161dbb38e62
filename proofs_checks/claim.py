"""A claim: one statement of the paper, and the evidence that a machine produces for it. Suites of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from tangency.common.calls import WrongCall, no_such

if TYPE_CHECKING:
    import flint
    from hypothesis.strategies import SearchStrategy

    from tangency.proofs_checks.errors.rounding import Floats
    from tangency.proofs_checks.generate.trials import Measurement, Run, Trial
    from tangency.proofs_checks.proof.gram import Proof
    from tangency.proofs_checks.statement.terms import Term
    from tangency.proofs_checks.statement.theorem import Statement
    from tangency.proofs_checks.subjects import Subject


class Rung(Enum):
    """The kinds of evidence, from the strongest (DESIGN: the evidence rungs)."""

    KERNEL = "kernel"
    ALGEBRA = "algebra"
    EXACT = "exact"
    BALL = "ball"
    IMPLEMENTATION = "implementation"
    NECESSITY = "necessity"

    @classmethod
    def _missing_(cls, value: object) -> "Rung | None":
        """Reports of earlier versions call the algebra a proof."""
        return cls.ALGEBRA if value == "proof" else None


class Verdict(Enum):
    """The result of a rung. ``NOT_RUN``: what it needs is not installed; ``ERROR``: the check itself broke."""

    HOLDS = "holds"
    FAILS = "fails"
    DOES_NOT_APPLY = "does not apply"
    NOT_RUN = "not run"
    UNDECIDED = "undecided"
    ERROR = "error"


class Severity(Enum):
    """What a failure means, the worst first."""

    THEOREM = "theorem"  # a statement of the paper is false of this optimizer
    ALGORITHM = "algorithm"  # a step is not the one of the algorithm that it claims to be
    BEHAVIOUR = "behaviour"  # something that users of optimizers rely on


class NotOffered(Exception):
    """A trial needs an argument, a value of it or a dtype that the optimizer does not offer; the message names it."""


class Violation(AssertionError):
    """The statement is false on this problem.

    Args:
        what: the quantity that the statement is about.
        expected: what the statement says it is.
        got: what it is.
    """

    def __init__(self, what: str, expected: Any, got: Any) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")
        self.what, self.expected, self.got = what, expected, got


def require_equal(what: str, got: Any, expected: Any) -> None:
    """Exact equality (``==``, of every element of arrays), or a :class:`Violation`."""
    same = got == expected
    if not (same if isinstance(same, bool) else bool(getattr(same, "all", lambda: same)())):
        raise Violation(what, expected, got)


def require(what: str, condition: bool | None, *, expected: Any = "true", got: Any = "false") -> None:
    """A condition that must be certain: neither false nor undecided (``None``)."""
    if condition is not True:
        raise Violation(what, expected, "undecided" if condition is None else got)


def require_contains(what: str, ball: "flint.arb", value: Any) -> None:
    """The ball is finite (NaN contains everything) and contains the value, exact or a ball, or a :class:`Violation`."""
    import flint

    # A rational becomes a ball of 4096 bits, small enough to be contained whenever the rational is.
    with flint.ctx.workprec(4096):
        if not (ball.is_finite() and ball.contains(value)):
            raise Violation(what, value, ball)


@dataclass(frozen=True)
class NotApplicable:
    """Why a rung does not apply to a claim, or a hypothesis has no counterexample."""

    why: str

    def __post_init__(self) -> None:
        if not self.why.strip():
            raise ValueError("why is empty; a rung that does not apply says why")


@dataclass(frozen=True)
class Search:
    """The exact and the ball rung: problems drawn by Hypothesis, and a check of one of them.

    Attributes:
        problems: a strategy; what it draws must have a readable ``repr``, which is printed as the counterexample.
        check: raises :class:`Violation` (see :func:`require_equal`, :func:`require_contains`) where the claim is false.
    """

    problems: "SearchStrategy[Any]"
    check: Callable[[Any], None]


@dataclass(frozen=True)
class Attack:
    """The implementation rung: trials of a real optimizer, and what is measured on each run.

    Attributes:
        requires: the capabilities (:class:`.subjects.Capability` values) that an optimizer must have for the claim to
            be about it.
        trials: the strategy of trials for one subject.
        check: makes the measurements of a run; one with an error above its bound is a counterexample.
        shown: for the script that reproduces a failure at a step: the run to repeat, and the right results of that
            step, each as (name, weights, largest admissible error). ``None``: the run itself, and the exact steps of
            the subject's algorithm.
    """

    requires: frozenset[str]
    trials: "Callable[[Subject], SearchStrategy[Trial]]"
    check: "Callable[[Run], list[Measurement]]"
    shown: "Callable[[Run, int], tuple[Run, list[tuple[str, Floats, Floats]]]] | None" = None


@dataclass(frozen=True)
class Refutation:
    """A stored counterexample: without one hypothesis, the claim predicts ``predicted`` and the truth is ``actual``."""

    what: str
    predicted: Any
    actual: Any

    @property
    def refutes(self) -> bool:
        """Whether the prediction is really wrong."""
        return bool(self.predicted != self.actual)


@dataclass(frozen=True)
class Hypothesis:
    """One condition under which a claim holds.

    Attributes:
        name: a short name, unique in the claim.
        says: the condition, as a formula of the claim's statement or as text.
        needed: the stored counterexample that breaks the claim when this condition alone is dropped: of a formula, the
            values of the statement's letters in it.
    """

    name: str
    says: "Term | str"
    needed: Callable[[], "Refutation | Mapping[str, Any]"] | NotApplicable

    @property
    def text(self) -> str:
        """The condition as readable text."""
        return self.says if isinstance(self.says, str) else self.says.as_text()

    @property
    def formula(self) -> "Term":
        """The condition as a formula."""
        assert not isinstance(self.says, str)
        return self.says


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement and its evidence; every rung is given, or says why it does not apply.

    Attributes:
        id: stable identifier (``lemma-2.2``).
        title: a name for tables.
        where: where the statement stands in the paper.
        statement: what it says, as data; of an algorithm or a figure, as text.
        latex: in LaTeX, a statement that is text.
        hypotheses: the conditions, each with its stored counterexample; those of a statement that is data come first,
            from there.
        kernel: the theorems that a proof kernel checks: those of the statement, unless it says otherwise.
        algebra: the key identities of the proof, as a readable walk.
        exact, ball: searches over generated problems.
        implementation: attacks on real optimizers, run on each subject that has what they require.
        notes: what the paper does not say, or says differently.
        severity: what it means for an optimizer that the claim is false of it.
    """

    id: str
    title: str
    where: str
    statement: "Statement | str"
    latex: str = ""
    hypotheses: tuple[Hypothesis, ...] = ()
    kernel: "Statement | NotApplicable" = NotApplicable("its statement is prose, which no kernel reads")
    algebra: "Callable[[], Proof] | NotApplicable"
    exact: Search | NotApplicable
    ball: Search | NotApplicable
    implementation: Attack | NotApplicable
    notes: str = ""
    severity: Severity = Severity.THEOREM

    def __post_init__(self) -> None:
        stated = () if isinstance(self.statement, str) else self.statement.hypotheses
        further = tuple(hypothesis for hypothesis in self.hypotheses if hypothesis not in stated)
        names = [hypothesis.name for hypothesis in further]
        if len(set(names)) != len(names):
            raise ValueError(f"hypotheses of {self.id} are named {names}; each name must be unique")
        if not isinstance(self.statement, str):
            object.__setattr__(self, "kernel", self.statement)
            object.__setattr__(self, "latex", self.statement.latex())
            object.__setattr__(self, "hypotheses", (*stated, *further))

    @property
    def text(self) -> str:
        """What it says, as readable text."""
        return self.statement if isinstance(self.statement, str) else self.statement.text()


class UnknownClaim(WrongCall):
    """No claim has this id."""


@dataclass(frozen=True)
class Suite:
    """Claims, and the optimizers that they are attacked on.

    Attributes:
        must_fail: of subjects that are broken on purpose, by name: the ids of the claims that have to fail on them.
    """

    claims: tuple[Claim, ...]
    subjects: "tuple[Subject, ...]"
    must_fail: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def claim(self, id: str) -> Claim:
        """The claim with an id."""
        return select(self.claims, [id])[0]

    def subject(self, name: str) -> "Subject":
        """The optimizer with a name."""
        return next(subject for subject in self.subjects if subject.name == name)


def select(claims: Sequence[Claim], ids: Iterable[str]) -> tuple[Claim, ...]:
    """The claims with the given ids, in the order of ``claims``.

    Raises:
        UnknownClaim: with the ids that are spelt nearly so.
    """
    wanted, known = set(ids), [claim.id for claim in claims]
    for id in sorted(wanted.difference(known)):
        message = no_such("claim", id, known)
        raise UnknownClaim(message if message.endswith("?") else f"{message}; there are {', '.join(known) or 'none'}")
    return tuple(claim for claim in claims if claim.id in wanted)
