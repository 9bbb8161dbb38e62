"""The records that every report is made of: a check, and its finding on a subject."""

import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from tangency.proofs_checks.claim import NotOffered, Rung, Severity, Verdict
from tangency.proofs_checks.options import Options

if TYPE_CHECKING:
    from tangency.proofs_checks.generate.trials import Run

    Number = float
else:

    class Number(float):
        """A float; in JSON, infinities and NaN are written as strings."""


class Judgement(Enum):
    """The effect of a departure from the paper."""

    HARMLESS = "harmless"  # within rounding of the paper's step in ordinary use
    TRAJECTORY = "changes the trajectory"
    THEOREM = "violates a theorem"


class Fails(Exception):
    """The check fails on this subject.

    Args:
        detail: what is wrong, in a line.
        expected, got: the quantity that is wrong.
        counterexample: the smallest input that shows it.
        script: a stand-alone reproducer.
        again: whether the same input shows it of another subject; ``None`` if that cannot be asked.
        measured: more of the finding.
    """

    def __init__(
        self,
        detail: str,
        *,
        expected: object = "",
        got: object = "",
        counterexample: str = "",
        script: str = "",
        again: "Again | None" = None,
        **measured: Any,
    ) -> None:
        super().__init__(detail)
        self.again = again
        self.finding = Finding(
            "",
            Verdict.FAILS,
            detail=detail,
            expected=str(expected),
            got=str(got),
            counterexample=counterexample,
            reproducer=script,
            **measured,
        )


@dataclass(frozen=True)
class Again:
    """A failure that was seen on one subject, to be looked for on another.

    Attributes:
        on: whether the same input shows it on another subject.
        run, step: what the first subject did there, and the step that shows it; ``None`` if it is not known.
        at: whether a subject shows it where its weights have one length and its gradients another.
    """

    on: Callable[[Any], bool]
    run: "Run | None" = None
    step: int = 0
    at: Callable[[Any, float, float], bool] | None = None


class Skip(Exception):
    """The check does not apply to this subject; the message says why."""


class RunOf(Protocol):
    """A function that runs a check on a subject."""

    def __call__(self, subject: Any, options: Options, /) -> "Finding | str | None": ...


@dataclass(frozen=True)
class Check:
    """One thing that is checked of a subject: a rung of a claim, the dialect, or a behaviour.

    Attributes:
        id: stable, unique: a claim's own for its implementation rung, ``claim/rung`` for the others, or a name of words
            joined by hyphens.
        title: the one-line meaning: what holds if the check does.
        severity: what a failure means.
        source: where the requirement is stated: an equation, a section, a page of torch's documentation.
        why: why it matters, and what a failure does to a user; a few sentences.
        run: of a subject and options, gives a note for the report or a whole finding, or raises :class:`Fails`,
            :class:`Skip` or :class:`.NotOffered`; any other exception is our own error. A check that was read from a
            report has none.
        claim, rung: what it is a rung of, if it is.
    """

    id: str
    title: str
    severity: Severity
    source: str
    why: str
    run: RunOf | None = field(default=None, compare=False, repr=False)
    claim: str = ""
    rung: Rung | None = None

    def on(
        self,
        subject: Any,
        options: Options,
        because: "Because | None" = None,
    ) -> "Finding":
        """Run it. Whatever breaks that is not the subject's fault gives :attr:`.Verdict.ERROR`, never a pass.

        Args:
            because: says of a failure which choices explain it.
        """
        assert self.run is not None, f"{self.id} was read from a report"
        started = time.perf_counter()
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results alone
                note = self.run(subject, options)
            found = note if isinstance(note, Finding) else Finding("", Verdict.HOLDS, detail=note or "", examples=1)
        except Fails as failure:
            found = failure.finding
            if because is not None and failure.again is not None:
                with redirect_stdout(sys.stderr):
                    chosen, where, readings = because(subject, failure.again, self, options)
                    found = replace(found, because=chosen, where=where, readings=readings)
        except (Skip, NotOffered) as reason:
            found = Finding("", Verdict.DOES_NOT_APPLY, detail=str(reason))
        except Exception as error:
            if not options.shrink:  # then what Hypothesis notes is no minimal example
                error.__notes__ = []
            found = Finding("", Verdict.ERROR, detail="".join(traceback.format_exception(error)))
        return self.found(found, time.perf_counter() - started)

    def found(self, finding: "Finding", seconds: float = 0.0) -> "Finding":
        """The finding, with the id, claim and rung of this check."""
        return replace(finding, check=self.id, claim=self.claim, rung=self.rung, seconds=seconds)


@dataclass(frozen=True)
class Where:
    """Where a statement fails: a map over the lengths of weights and gradients, by row; of gradients, the longest.

    Attributes:
        w, g: the lengths.
        fails: whether it fails, by length of the weights, then of the gradients.
        trained: it fails somewhere in the range where one trains.
        says: the boundary, in a line.
    """

    w: tuple[Number, ...]
    g: tuple[Number, ...]
    fails: tuple[tuple[bool, ...], ...]
    trained: bool
    says: str


# What explains a failure, and where it is: of the subject, what shows it elsewhere, the check and its options.
Because = Callable[[Any, Again, Check, Options], "tuple[tuple[Departure, ...], Where | None, str]"]


@dataclass(frozen=True)
class Finding:
    """What one check found on one subject.

    Attributes:
        check: the check's id.
        verdict: holds, fails, does not apply (``detail`` says why), undecided, or our own error.
        detail: the failure or the reason, in a line or a few.
        counterexample: the smallest failing input; empty if there is none.
        expected, got: the quantity that is wrong, as text.
        reproducer: source of a stand-alone script that shows the failure; empty if there is none.
        examples: how many problems, proof steps, trials or counterexamples were tried.
        error: the largest error as a share of its admissible bound; ``None`` where nothing is measured.
        ulps: the largest error in units in the last place.
        seconds: wall-clock time.
        error_at: where the largest error was.
        because: of a failure, the choices of the target's dialect that explain it: with them alone, the paper's own
            algorithm fails in the same way. Empty if none do.
        where: of a failure that choices explain, the magnitudes at which it shows.
        readings: of a failing step, what was computed, what the paper gives, and what these choices give.
        subject: the optimizer's name; ``None`` for what is about no optimizer.
        claim, rung: what the check is a rung of, if it is.
        fit, curves: what the check of the dialect found besides.
    """

    check: str
    verdict: Verdict
    detail: str = ""
    counterexample: str = ""
    expected: str = ""
    got: str = ""
    reproducer: str = ""
    examples: int = 0
    error: Number | None = None
    ulps: Number | None = None
    seconds: Number = 0.0
    error_at: str = ""
    subject: str | None = None
    claim: str = ""
    rung: Rung | None = None
    fit: "Fit | None" = None
    curves: "tuple[Curve, ...]" = ()
    because: "tuple[Departure, ...]" = ()
    where: Where | None = None
    readings: str = ""

    @property
    def by_choice(self) -> bool:
        """Whether choices explain the failure, no slip among them."""
        return bool(self.because) and not any(one.slip for one in self.because)


@dataclass(frozen=True)
class Departure:
    """One choice in which a target differs from the paper, from the published package, or from both.

    Attributes:
        choice: which choice of the dialect (``epsilon``, ``norm_epsilon``, ``views``, …).
        value: what the target does, a value of that choice.
        paper, published: what the paper and the published package do.
        says: the target's choice in a sentence, with its formula.
        judgement: what the difference from the paper does; ``None`` where the target does as the paper says.
        effect: how much, after how many steps, or which theorem; a sentence.
        slip: of what nobody means to write, what to look for in the code; empty for a choice that can be meant.
    """

    choice: str
    value: str
    paper: str
    published: str
    says: str
    judgement: Judgement | None
    effect: str
    slip: str = ""

    @property
    def name(self) -> str:
        """``threshold = δ/dim``."""
        return f"{self.choice} = {self.value}"

    @property
    def differs(self) -> bool:
        """Whether it differs from the paper, not from the published package alone."""
        return self.value != self.paper


@dataclass(frozen=True)
class Fit:
    """The dialect that reproduces a target; or the nearest one, and the first difference from it.

    Attributes:
        family: ``sgd`` or ``adam``; empty if no step of the target could be run.
        dialect: every choice with its value, fitted or nearest.
        explained: whether the dialect reproduces every probe to the last ulps.
        ulps: the largest distance of an explained target from its dialect.
        open: choices that no probe could tell apart, with the values that fit equally well.
        departures: the choices that differ from the paper or the published package.
        leaves_at: for an unexplained target, the first step and element that differ from the nearest dialect.
        looks_like: what is wrong with the broken optimizer that takes the steps of an unexplained target, if one does.
    """

    family: str
    dialect: Mapping[str, str] = field(default_factory=dict)
    explained: bool = False
    ulps: Number | None = None
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    departures: tuple[Departure, ...] = ()
    leaves_at: str = ""
    looks_like: str = ""


@dataclass(frozen=True)
class Curve:
    """One run of target and spec side by side, for figures; one number a step, ``None`` where it is not finite.

    Attributes:
        title: what was run.
        target, spec: of each quantity (``norm`` ‖w‖, ``effective step`` ‖Δŵ‖), the values by step.
        ulps: the largest error of the weights, in ulps of their dtype, by step.
    """

    title: str
    target: Mapping[str, Sequence[Number | None]]
    spec: Mapping[str, Sequence[Number | None]]
    ulps: Sequence[Number | None]


@dataclass(frozen=True)
class TargetInfo:
    """What was checked.

    Attributes:
        target: as the caller named it.
        algorithm: which algorithm it claims to be, a name that ``--algorithm`` takes.
        kind: which adapter drives it: ``torch``, ``function``, ``optax``, ``protocol`` or ``projection``.
        version: of the distribution that it comes from, or empty.
        offers: the hyper-parameters of the algorithm that it takes, with its own names and defaults, as text.
        capabilities: what claims may require of it.
        options: ``--set`` and ``--rename``, as given.
    """

    target: str
    algorithm: str
    kind: str = ""
    version: str = ""
    offers: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
