"""Why checks fail, in words, the same in every report: bugs first, then choices with their consequences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tangency.proofs_checks.finding import Departure, Judgement, Where
from tangency.proofs_checks.report import dialect_text
from tangency.proofs_checks.report.facts import Status
from tangency.proofs_checks.report.subject_report import SubjectReport


@dataclass(frozen=True)
class CauseText:
    """One bug or choice, in the words of the reports.

    Attributes:
        status: fails, a choice, or a known failure.
        name: the choice and its value, or the check that tells a bug best.
        says: what to look for in the code, or what the choice does.
        details: how many checks fail because of it, and which; of a choice, where, what it differs from, its effect.
        map: of a choice, the magnitudes at which a statement fails because of it, as lines of text.
    """

    status: Status
    name: str
    says: str
    details: tuple[str, ...]
    map: tuple[str, ...] = ()


def causes(report: SubjectReport) -> Iterator[CauseText]:
    """The bugs of a target, then the choices in which it differs from the paper."""
    for bug in report.bugs:
        also = [one for one in bug.checks if one != bug.name]
        yield CauseText(Status.FAILS, bug.name, bug.says, (_failing(also),) if also else ())
    for choice in report.choices:
        assert choice.departure is not None
        text = dialect_text.departure_text(choice.departure)
        fail = _failing(choice.checks) if choice.checks else "no check fails because of it"
        accepted = f"accepted: {choice.reason}; " * bool(choice.reason)
        places = {f.check: f.where for f in report.findings if f.check in choice.checks and f.where is not None}
        judgement = _judgement(choice.departure, places) or f"{text.judgement}: {text.effect}"
        where = "; ".join(f"{check}: {place.says}" for check, place in places.items())
        details = (f"{accepted}{fail}", *([where] if where else []), f"{text.differs}; {judgement}")
        status = Status.KNOWN if choice.reason else Status.CHOICE
        yield CauseText(status, choice.name, choice.says, details, _drawn(places))


def _failing(checks: Sequence[str]) -> str:
    fail = "check fails" if len(checks) == 1 else "checks fail"
    return f"{len(checks)} {fail} because of it: {', '.join(checks)}"


def _judgement(departure: Departure, places: Mapping[str, Where]) -> str:
    """That no theorem is violated where one trains, if that is what the maps say."""
    if departure.judgement is not Judgement.THEOREM or not places:
        return ""
    inside = [check for check, place in places.items() if place.trained]
    if inside:
        return f"violates a theorem where one trains: {', '.join(inside)}"
    return f"violates no theorem at the magnitudes at which one trains; {departure.effect}"


def _drawn(places: Mapping[str, Where]) -> tuple[str, ...]:
    """A map of where any of some statements fails: the weights grow downwards, the gradients to the right."""
    where = next(iter(places.values()), None)
    if where is None or not any(any(map(any, place.fails)) for place in places.values()):
        return ()
    lines = ["‖w‖, ‖g‖".rjust(10) + "  " + " ".join(f"{g:>6.0e}" for g in where.g)]
    for i, w in enumerate(where.w):
        marks = ("✗" if any(place.fails[i][j] for place in places.values()) else "·" for j in range(len(where.g)))
        lines.append(f"{w:>10.0e}  " + " ".join(f"{mark:>6}" for mark in marks))
    return tuple(lines)
