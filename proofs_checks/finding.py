"""What a conformance check finds: plain records, which travel between processes and into every report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tangency.proofs_checks.claim import Verdict

OK, FAILED, INTERRUPTED, ERROR, USAGE, NOTHING = range(6)  # exit codes: pytest's


class Severity(Enum):
    """What a failure means, the worst first."""

    THEOREM = "theorem"  # a statement of the paper is false of this optimizer
    ALGORITHM = "algorithm"  # a step is not the one of the algorithm that it claims to be
    BEHAVIOUR = "behaviour"  # something that users of optimizers rely on


class Judgement(Enum):
    """What a departure from the paper does."""

    HARMLESS = "harmless"  # within rounding of the paper's step in ordinary use
    TRAJECTORY = "changes the trajectory"
    THEOREM = "violates a theorem"


@dataclass(frozen=True)
class Check:
    """One named question about an optimizer.

    Attributes:
        id: stable, unique: the id of a claim, or a name of words joined by hyphens.
        title: the one-line meaning: what holds if the check does.
        severity: what a failure means.
        source: where the demand stands: an equation, a section, a page of torch's documentation.
        why: why it matters, and what a failure does to a user; a few sentences.
    """

    id: str
    title: str
    severity: Severity
    source: str
    why: str


@dataclass(frozen=True)
class Finding:
    """What one check found on one target.

    Attributes:
        check: the check's id.
        verdict: holds, fails, does not apply (``detail`` says why), undecided, or our own error.
        detail: the failure or the reason, in a line or a few.
        counterexample: the smallest failing input; empty if there is none.
        expected, got: the quantity that is wrong, as text.
        reproducer: source of a stand-alone script that shows the failure; empty if there is none.
        examples: how many inputs were tried.
        error: the largest error as a share of its admissible bound; ``None`` where nothing is measured.
        ulps: the largest error in units in the last place.
        seconds: wall-clock time.
    """

    check: str
    verdict: Verdict
    detail: str = ""
    counterexample: str = ""
    expected: str = ""
    got: str = ""
    reproducer: str = ""
    examples: int = 0
    error: float | None = None
    ulps: float | None = None
    seconds: float = 0.0


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
    """

    choice: str
    value: str
    paper: str
    published: str
    says: str
    judgement: Judgement | None
    effect: str


@dataclass(frozen=True)
class Fit:
    """The dialect that reproduces a target, or the nearest one and where the target leaves it.

    Attributes:
        family: ``sgd`` or ``adam``; empty if no step of the target could be run.
        dialect: every choice with its value, fitted or nearest.
        explained: whether the dialect reproduces every probe to the last ulps.
        ulps: the largest distance of an explained target from its dialect.
        open: choices that no probe could tell apart, with the values that fit equally well.
        departures: the choices that differ from the paper or the published package.
        leaves_at: for an unexplained target, the first step and element at which it leaves the nearest dialect.
    """

    family: str
    dialect: Mapping[str, str] = field(default_factory=dict)
    explained: bool = False
    ulps: float | None = None
    open: Mapping[str, Sequence[str]] = field(default_factory=dict)
    departures: tuple[Departure, ...] = ()
    leaves_at: str = ""


@dataclass(frozen=True)
class Curve:
    """One run of target and spec side by side, for figures; one number a step, ``None`` where it is not finite.

    Attributes:
        title: what was run.
        target, spec: of each quantity (``norm`` ‖w‖, ``effective step`` ‖Δŵ‖), the values by step.
        ulps: the largest error of the weights, in ulps of their dtype, by step.
    """

    title: str
    target: Mapping[str, Sequence[float | None]]
    spec: Mapping[str, Sequence[float | None]]
    ulps: Sequence[float | None]


@dataclass(frozen=True)
class TargetInfo:
    """What was checked.

    Attributes:
        target: as the caller named it.
        algorithm: which algorithm it claims to be, a name that ``--algorithm`` takes.
        kind: which adapter drives it: ``torch``, ``function``, ``optax`` or ``protocol``.
        version: of the distribution that it comes from, or empty.
        offers: the hyper-parameters of the algorithm that it takes, with its own names and defaults, as text.
        capabilities: what claims may ask of it.
        options: ``--set`` and ``--rename``, as given.
    """

    target: str
    algorithm: str
    kind: str = ""
    version: str = ""
    offers: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Expectation:
    """A known failure: a check that is expected to fail, and why."""

    check: str
    reason: str
    versions: str = ""


@dataclass(frozen=True)
class TargetReport:
    """Everything that was found on one target.

    Attributes:
        info: the target; with a ``problem``, as far as it was understood.
        checks: what was asked, in the order of reports.
        findings: one a check, in the same order; those that an interrupt cut off are missing.
        fit: the dialect; ``None`` if it was not fitted.
        curves: for figures.
        known: the known failures that apply to this version of the target.
        stale: known failures that are wrong, each with what is wrong: the check holds, or is none.
        problem: why the target could not be run at all; empty if it could.
        seed, seconds: of the run.
        interrupted: the run was cut off.
    """

    info: TargetInfo
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    fit: Fit | None = None
    curves: tuple[Curve, ...] = ()
    known: tuple[Expectation, ...] = ()
    stale: tuple[str, ...] = ()
    problem: str = ""
    seed: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    def check(self, id: str) -> Check:
        """The check with an id."""
        return next(check for check in self.checks if check.id == id)

    def expected(self, finding: Finding) -> Expectation | None:
        """The known failure that excuses a finding, if it fails and there is one."""
        if finding.verdict is not Verdict.FAILS:
            return None
        return next((known for known in self.known if known.check == finding.check), None)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that fail or are undecided and that no known failure excuses, the worst severity first."""
        bad = [f for f in self.findings if f.verdict in (Verdict.FAILS, Verdict.UNDECIDED) and not self.expected(f)]
        order = list(Severity)
        return tuple(sorted(bad, key=lambda finding: order.index(self.check(finding.check).severity)))

    @property
    def exit_code(self) -> int:
        """0 all hold; 1 a check fails or a known failure is stale; 2 interrupted; 3 our own error; 4 the target is
        wrong; 5 nothing ran."""
        verdicts = {finding.verdict for finding in self.findings}
        if self.interrupted:
            return INTERRUPTED
        if self.problem:
            return USAGE
        if Verdict.ERROR in verdicts:
            return ERROR
        if self.failures or self.stale:
            return FAILED
        return OK if verdicts & {Verdict.HOLDS, Verdict.FAILS} else NOTHING

    @property
    def verdict_line(self) -> str:
        """The verdict in one line, for terminals, job summaries and titles."""
        if self.problem:
            return f"{self.info.target} could not be checked: {self.problem.splitlines()[0]}"
        held = sum(finding.verdict is Verdict.HOLDS for finding in self.findings)
        failing = [finding for finding in self.failures if finding.verdict is Verdict.FAILS]
        excused = sum(self.expected(finding) is not None for finding in self.findings)
        counts = Counter(self.check(finding.check).severity for finding in failing)
        conforms = "does not conform to" if failing else "conforms to" if held else "was not tried as"
        said = [
            f"{_count(len(failing), 'check')} fail{'s' * (len(failing) == 1)} "
            f"({', '.join(f'{counts[one]} {one.value}' for one in Severity if counts[one])})"
        ] * bool(failing)
        said += [f"{_count(held, 'check')} hold{'s' * (held == 1)}" if held else "no check holds"]
        said += [f"{len(self.failures) - len(failing)} undecided"] * (len(failing) < len(self.failures))
        said += [_count(excused, "known failure")] * bool(excused)
        said += [_count(len(self.stale), "stale known failure")] * bool(self.stale)
        said += ["interrupted"] * self.interrupted
        return f"{self.info.target} {conforms} {self.info.algorithm}: {'; '.join(said)}"


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'s' * (number != 1)}"


def exit_code(reports: Sequence[TargetReport]) -> int:
    """The exit code of several targets: the first that applies of interrupted, our error, wrong target, failed, ok."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (INTERRUPTED, ERROR, USAGE, FAILED, OK) if code in codes), NOTHING)
