"""The facts that all reports of a check share: statuses, labels and order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tangency.common.numbers import digits, share
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Check, Finding
from tangency.proofs_checks.report.subject_report import SubjectReport


class Status(Enum):
    """The outcome of a check, the worst first; the value is its name in reports."""

    FAILS = "fails"
    CHOICE = "a choice"
    UNDECIDED = "undecided"
    ERROR = "our own error"
    KNOWN = "known failure"
    NOT_RUN = "not run"
    HOLDS = "holds"
    DOES_NOT_APPLY = "does not apply"

    @property
    def mark(self) -> str:
        """A character for it, distinguishable without colour."""
        return _MARKS[self]

    @property
    def bad(self) -> bool:
        """Whether it needs a reader's attention; a failure that a choice explains is told once, with the choice."""
        return self in (Status.FAILS, Status.UNDECIDED, Status.ERROR)


_MARKS = {
    Status.FAILS: "✗",
    Status.CHOICE: "≠",
    Status.UNDECIDED: "?",
    Status.ERROR: "!",
    Status.KNOWN: "~",
    Status.NOT_RUN: "…",
    Status.HOLDS: "✓",
    Status.DOES_NOT_APPLY: "–",
}
LEGEND = "   ".join(f"{status.mark} {status.value}" for status in Status)


@dataclass(frozen=True)
class Row:
    """One check and its outcome.

    Attributes:
        finding: ``None`` if an interrupt cut it off.
        status: the verdict, or that it is excused or missing.
        reason: why it is excused; empty otherwise.
    """

    check: Check
    finding: Finding | None
    status: Status
    reason: str = ""

    @property
    def note(self) -> str:
        """Its footnote: why it is excused, does not apply or was not run, which choice explains it; or empty."""
        if self.status is Status.CHOICE and self.finding is not None:
            return "; ".join(departure.name for departure in self.finding.because)
        if self.status in (Status.DOES_NOT_APPLY, Status.NOT_RUN) and self.finding is not None:
            return self.finding.detail
        return self.reason


def rows(report: SubjectReport) -> list[Row]:
    """Every check with its outcome, in the order of the report."""
    return [] if report.problem else [row_of(report, check, finding) for check, finding in report.pairs()]


def row_of(report: SubjectReport, check: Check, finding: Finding | None) -> Row:
    """One check with its outcome."""
    if finding is None:
        return Row(check, None, Status.NOT_RUN)
    excuse = report.expected(finding)
    if excuse is not None:
        return Row(check, finding, Status.KNOWN, excuse.reason)
    if finding.verdict is Verdict.FAILS and finding.by_choice:
        return Row(check, finding, Status.CHOICE)
    return Row(check, finding, Status.ERROR if finding.verdict is Verdict.ERROR else Status(finding.verdict.value))


def worst_first(report: SubjectReport) -> list[Row]:
    """The rows by status; those of one status that need a look, by severity; else in the order of the report."""
    statuses = list(Status)
    return sorted(rows(report), key=lambda row: (statuses.index(row.status), _severity(row)))


def _severity(row: Row) -> int:
    return list(type(row.check.severity)).index(row.check.severity) if row.status.bad else 0


def overall(report: SubjectReport) -> Status:
    """The verdict on the target: the worst status among its checks, excused failures aside."""
    statuses = {row.status for row in rows(report)}
    if report.problem:
        return Status.ERROR
    if report.stale:
        return Status.FAILS
    order = (Status.FAILS, Status.CHOICE, Status.UNDECIDED, Status.ERROR, Status.NOT_RUN, Status.KNOWN, Status.HOLDS)
    if report.unaccepted:
        statuses.add(Status.CHOICE)
    worst = next((status for status in order if status in statuses), Status.DOES_NOT_APPLY)
    return Status.HOLDS if worst is Status.KNOWN else worst


def remarks(report: SubjectReport) -> Iterator[str]:
    """What the verdict line leaves out: the rest of the problem, our own errors, what did not run, what is stale."""
    if more := "\n".join(report.problem.splitlines()[1:]):
        yield more
    broken = [row.check.id for row in rows(report) if row.status is Status.ERROR]
    if broken:
        yield f"stopped on our own error, so nothing is known: {', '.join(broken)}"
    missing = [row.check.id for row in rows(report) if row.status is Status.NOT_RUN]
    if missing:
        yield f"not run: {', '.join(missing)}"
    for wrong in report.stale:
        yield f"stale known failure: {wrong}"


def labels(reports: Sequence[SubjectReport]) -> list[str]:
    """The targets as they were named; equal names are distinguished by their options, then by numbers."""
    return _apart([r.info.target for r in reports], [f"{r.info.target} ({_options(r)})" for r in reports])


def short_labels(reports: Sequence[SubjectReport]) -> list[str]:
    """The labels without their modules, for the headings of a matrix."""
    names = [report.info.target.rpartition(":")[2] or report.info.target for report in reports]
    return _apart(names, labels(reports))


def _apart(names: list[str], longer: list[str]) -> list[str]:
    """The names; the longer one where a name repeats; numbered where that repeats too."""
    seen = Counter(names)
    distinct = [long if seen[name] > 1 else name for name, long in zip(names, longer, strict=True)]
    again = Counter(distinct)
    return [f"{name} #{n}" if again[name] > 1 else name for n, name in enumerate(distinct, 1)]


def _options(report: SubjectReport) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in report.info.options.items()) or "no options"


def measured(finding: Finding) -> str:
    """The number of examples and the largest error, as text; empty if there are neither."""
    parts = [f"{finding.examples:,} tried"] if finding.examples else []
    if finding.error is not None:
        parts.append(f"error {share(finding.error)} of its bound")
    if finding.ulps is not None:
        parts.append(f"at most {digits(finding.ulps)} ulps")
    return ", ".join(parts)
