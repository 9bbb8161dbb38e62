"""Everything that was found on one subject, and the verdict: what is a bug, what a choice, and the exit code."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from tangency.proofs_checks.claim import Severity, Verdict
from tangency.proofs_checks.finding import Check, Curve, Departure, Finding, Fit, Judgement, Number, TargetInfo

OK, FAILED, INTERRUPTED, ERROR, USAGE, NOTHING = range(6)  # exit codes: pytest's


@dataclass(frozen=True)
class Expectation:
    """A known failure: a check that is expected to fail, or a choice that is accepted with all its consequences.

    Attributes:
        check: the check; empty for a choice.
        reason: why.
        versions: of the subject that it is about; empty for all.
        choice: the choice and its value, as :attr:`.Departure.name` has them; empty for a check.
    """

    check: str
    reason: str
    versions: str = ""
    choice: str = ""


@dataclass(frozen=True)
class Cause:
    """Why checks fail: a bug, or a choice that differs from the paper.

    Attributes:
        name: the choice and its value, or the check that tells it best.
        says: a bug: what to look for in the code, or what was seen; a choice: what it does. In a line.
        checks: what fails because of it.
        departure: what it is in the dialect; ``None`` of a bug that is no step of a known formula.
        reason: why the choice is accepted; empty if it is not.
    """

    name: str
    says: str
    checks: tuple[str, ...]
    departure: Departure | None = None
    reason: str = ""


@dataclass(frozen=True)
class SubjectReport:
    """Everything that was found on one subject: an optimizer, or the statements themselves.

    Attributes:
        info: the subject; with a ``problem``, as far as it was understood.
        checks: what was checked, in the order of reports.
        findings: one a check, in the same order; those that an interrupt cut off are missing.
        known: the known failures that apply to this version of the subject.
        stale: known failures that are wrong, each with what is wrong: the check holds, or is none.
        problem: why the subject could not be run at all; empty if it could.
        seed, seconds: of the run.
        interrupted: the run was cut off.
    """

    info: TargetInfo
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    known: tuple[Expectation, ...] = ()
    stale: tuple[str, ...] = ()
    problem: str = ""
    seed: int = 0
    seconds: Number = 0.0
    interrupted: bool = False

    def _repr_html_(self) -> str:
        return Reports([self])._repr_html_()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        Reports([self])._repr_pretty_(printer, cycle)

    def pairs(self) -> Iterator[tuple[Check, Finding | None]]:
        """Every check with its finding; ``None`` where an interrupt cut it off."""
        findings = {finding.check: finding for finding in self.findings}
        return ((check, findings.get(check.id)) for check in self.checks)

    @property
    def fit(self) -> Fit | None:
        """The dialect; ``None`` if it was not fitted."""
        return next((finding.fit for finding in self.findings if finding.fit is not None), None)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """For figures."""
        return tuple(curve for finding in self.findings for curve in finding.curves)

    def expected(self, finding: Finding) -> Expectation | None:
        """The known failure, or the accepted choice, that excuses a finding, if it fails and there is one."""
        if finding.verdict is not Verdict.FAILS:
            return None
        accepted = [self._accepted(departure) for departure in finding.because]
        if accepted and None not in accepted:
            return accepted[0]
        return next((known for known in self.known if known.check == finding.check), None)

    def _accepted(self, departure: Departure) -> Expectation | None:
        return next((known for known in self.known if known.choice == departure.name), None)

    @cached_property
    def bugs(self) -> tuple[Cause, ...]:
        """What fails for another reason than a choice: slips first, then what no dialect explains, then behaviour.

        A claim, or the dialect, that fails beside a check that says what is wrong is a consequence of the same bug.
        """
        failing = [(check, finding) for check, finding in self._failures() if finding.verdict is Verdict.FAILS]
        slips = {one.name: one for _, finding in failing for one in finding.because if one.slip}
        found = [
            Cause(name, slip.slip, tuple(f.check for _, f in failing if slip in f.because), slip)
            for name, slip in slips.items()
        ]
        own = [(check, finding) for check, finding in failing if not finding.because]
        telling = [(check, finding) for check, finding in own if not check.claim and finding.fit is None]
        general = [finding for check, finding in own if check.claim or finding.fit is not None]
        if general and all(check.severity is Severity.BEHAVIOUR for check, _ in telling):
            general.sort(key=lambda finding: finding.fit is None)  # the dialect says it best
            found.append(Cause(general[0].check, _first_line(general[0]), tuple(one.check for one in general)))
            general = []
        for _, finding in telling:
            found.append(Cause(finding.check, _first_line(finding), (finding.check, *(one.check for one in general))))
            general = []
        return tuple(found)

    @cached_property
    def choices(self) -> tuple[Cause, ...]:
        """The choices that differ from the paper, those with the most consequences first, then the gravest."""
        failing = [finding for finding in self.findings if finding.verdict is Verdict.FAILS]
        fitted = self.fit.departures if self.fit and self.fit.explained else ()
        every = {one.name: one for one in (*fitted, *(one for f in failing for one in f.because))}
        found = []
        for name, one in every.items():
            if one.differs and not one.slip:
                alone = [f.check for f in failing if one in f.because and f.by_choice]
                accepted = self._accepted(one)
                found.append(Cause(name, one.says, tuple(alone), one, accepted.reason if accepted else ""))
        gravest = [None, *Judgement]
        return tuple(
            sorted(
                found, key=lambda c: (len(c.checks), gravest.index(c.departure and c.departure.judgement)), reverse=True
            )
        )

    @property
    def unaccepted(self) -> tuple[Cause, ...]:
        """The choices that differ from the paper and that nobody has accepted."""
        return tuple(choice for choice in self.choices if not choice.reason)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that fail or are undecided and that no known failure excuses, the worst severity first."""
        return tuple(finding for _, finding in self._failures())

    def _failures(self) -> list[tuple[Check, Finding]]:
        bad = (Verdict.FAILS, Verdict.UNDECIDED)
        found = [(check, f) for check, f in self.pairs() if f and f.verdict in bad and not self.expected(f)]
        order = list(Severity)
        return sorted(found, key=lambda pair: order.index(pair[0].severity))

    @property
    def exit_code(self) -> int:
        """0 all hold; 1 a check fails, a choice is not accepted, or a known failure is stale; 2 interrupted;
        3 our own error; 4 the subject is wrong; 5 nothing ran."""
        verdicts = {finding.verdict for finding in self.findings}
        if self.interrupted:
            return INTERRUPTED
        if self.problem:
            return USAGE
        if Verdict.ERROR in verdicts:
            return ERROR
        if self.failures or self.stale or self.unaccepted:
            return FAILED
        return OK if verdicts & {Verdict.HOLDS, Verdict.FAILS} else NOTHING

    @property
    def verdict_line(self) -> str:
        """The verdict in one line, for terminals, job summaries and titles."""
        if self.problem:
            return f"{self.info.target} could not be checked: {self.problem.splitlines()[0]}"
        held = sum(finding.verdict is Verdict.HOLDS for finding in self.findings)
        failures = self._failures()
        failing = [check for check, finding in failures if finding.verdict is Verdict.FAILS]
        excused = sum(self.expected(finding) is not None for finding in self.findings)
        parts = self._causes() if self.info.kind else _by_severity(failing)
        blamed = self.bugs if self.info.kind else failing
        conforms = "does not conform to" if blamed else "conforms to" if held else "was not tried as"
        parts += [f"{_count(held, 'check')} hold{'s' * (held == 1)}" if held else "no check holds"]
        parts += [f"{len(failures) - len(failing)} undecided"] * (len(failing) < len(failures))
        parts += [_count(excused, "known failure")] * bool(excused)
        parts += [_count(len(self.stale), "stale known failure")] * bool(self.stale)
        parts += ["interrupted"] * self.interrupted
        claimed = "Eqs. 10 and 11" if self.info.kind == "projection" else self.info.algorithm
        whose = f"{self.info.target} {conforms} {claimed}" if claimed else self.info.target
        return f"{whose}: {'; '.join(parts)}"

    def _causes(self) -> list[str]:
        """The bugs and the choices of a target, with their names."""
        parts = [f"{_count(len(self.bugs), 'bug')} ({_few([bug.name for bug in self.bugs])})"] * bool(self.bugs)
        if choices := self.unaccepted:
            consequences = len({check for one in choices for check in one.checks})
            differ = f"{_count(len(choices), 'choice')} that differ{'s' * (len(choices) == 1)} from the paper"
            names = _few([one.name for one in choices])
            parts.append(f"{differ} ({names}: {_count(consequences, 'consequence')})")
        return parts


def _by_severity(failing: Sequence[Check]) -> list[str]:
    counts = Counter(check.severity for check in failing)
    fail = f"{_count(len(failing), 'check')} fail{'s' * (len(failing) == 1)}"
    return [f"{fail} ({', '.join(f'{counts[one]} {one.value}' for one in Severity if counts[one])})"] * bool(failing)


def _few(names: Sequence[str]) -> str:
    return ", ".join([*names[:4], *["…"] * (len(names) > 4)])


def _first_line(finding: Finding) -> str:
    return finding.detail.splitlines()[0] if finding.detail else ""


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'s' * (number != 1)}"


class Reports(list[SubjectReport]):
    """Reports of several subjects. IPython shows them: in a notebook as on the page, else as on a terminal."""

    def _repr_html_(self) -> str:
        from tangency.proofs_checks.report import notebook

        return notebook.subjects(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from tangency.proofs_checks.report import notebook
        from tangency.proofs_checks.report.terminal import print_reports

        printer.text(notebook.text(partial(print_reports, reports=self)))


def exit_code(reports: Sequence[SubjectReport]) -> int:
    """The exit code of a session: the first that applies of interrupted, our error, wrong target, failed, ok."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (INTERRUPTED, ERROR, USAGE, FAILED, OK) if code in codes), NOTHING)
