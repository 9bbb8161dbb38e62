"""Why checks fail, in words, the same in every report: bugs first, then choices with their consequences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tangency.proofs_checks.report import dialect_text
from tangency.proofs_checks.report.facts import Status
from tangency.proofs_checks.subject_report import SubjectReport


@dataclass(frozen=True)
class CauseText:
    """One bug or choice, in the words of the reports.

    Attributes:
        status: fails, a choice, or a known failure.
        name: the choice and its value, or the check that tells a bug best.
        says: what to look for in the code, or what the choice does.
        consequences: how many checks fail because of it, and which; why it is accepted.
        more: of a choice, what it differs from, and its effect.
    """

    status: Status
    name: str
    says: str
    consequences: str
    more: str = ""


def causes(report: SubjectReport) -> Iterator[CauseText]:
    """The bugs of a target, then the choices in which it differs from the paper."""
    for bug in report.bugs:
        yield CauseText(Status.FAILS, bug.name, bug.says, _failing([one for one in bug.checks if one != bug.name]))
    for choice in report.choices:
        assert choice.departure is not None
        text = dialect_text.departure_text(choice.departure)
        fail = _failing(choice.checks) or "no check fails because of it"
        accepted = f"accepted: {choice.reason}; " * bool(choice.reason)
        status = Status.KNOWN if choice.reason else Status.CHOICE
        more = f"{text.differs}; {text.judgement}: {text.effect}"
        yield CauseText(status, choice.name, choice.says, accepted + fail, more)


def _failing(checks: Sequence[str]) -> str:
    if not checks:
        return ""
    fail = "check fails" if len(checks) == 1 else "checks fail"
    return f"{len(checks)} {fail} because of it: {', '.join(checks)}"
