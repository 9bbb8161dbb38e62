"""What changed since an earlier check: new failures, what is fixed, other choices of the dialect, errors that grew."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tangency.common.numbers import digits
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding, Fit
from tangency.proofs_checks.report.subject_report import SubjectReport

# One bit: other problems, or another order of rounding, change the largest error of a run by less.
GROWTH = 2.0
BAD = (Verdict.FAILS, Verdict.UNDECIDED)


class Kind(Enum):
    """What a change is, the most important first."""

    NEW_FAILURE = "new failure"
    FIXED = "fixed"
    CHANGED = "changed"  # another verdict, which is neither
    CHOICE = "dialect"
    ERROR_GREW = "error grew"
    ADDED = "added"
    REMOVED = "removed"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        target: as the caller named it.
        what: the id of a check, a choice of the dialect, or empty if it is the target itself.
        before, after: what it was and is, as text.
        detail: more of it, in a line; may be empty.
    """

    kind: Kind
    target: str
    what: str
    before: str
    after: str
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """What changed between two checks.

    Attributes:
        changes: by target, in the order of the later check; of one target, the most important first.
        versions: of each target whose version changed: it, the earlier and the later one.
        compared: how many targets both have.
    """

    changes: tuple[Change, ...]
    versions: tuple[tuple[str, str, str], ...] = ()
    compared: int = 0

    @property
    def regressed(self) -> bool:
        """Whether there is a new failure."""
        return any(change.kind is Kind.NEW_FAILURE for change in self.changes)


def compare(before: Sequence[SubjectReport], after: Sequence[SubjectReport]) -> Comparison:
    """What changed, matched by target, and then by the id of the check or the choice of the dialect.

    A new failure is a check that fails or is undecided now, that no known failure excuses, and that did not fail
    before (it held, did not apply, or did not exist); and a target that cannot be run any more.
    """
    old, new = _by_target(before), _by_target(after)
    changes: list[Change] = []
    versions = []
    for key, report in new.items():
        earlier = old.get(key)
        found = _of_new_target(report) if earlier is None else _of_target(earlier, report)
        changes += sorted(found, key=lambda change: list(Kind).index(change.kind))
        if earlier is not None and earlier.info.version != report.info.version:
            versions.append((report.info.target, earlier.info.version, report.info.version))
    changes += [
        Change(Kind.REMOVED, target, "", "checked", "not checked") for target, n in old if (target, n) not in new
    ]
    return Comparison(tuple(changes), tuple(versions), len(old.keys() & new.keys()))


def _by_target(reports: Sequence[SubjectReport]) -> dict[tuple[str, int], SubjectReport]:
    """Reports by name and by number within that name: one target may be checked under several options."""
    seen: Counter[str] = Counter()
    found = {}
    for report in reports:
        found[report.info.target, seen[report.info.target]] = report
        seen[report.info.target] += 1
    return found


def _of_new_target(report: SubjectReport) -> Iterator[Change]:
    target = report.info.target
    yield Change(Kind.ADDED, target, "", "not checked", "checked")
    if report.problem:
        yield Change(Kind.NEW_FAILURE, target, "", "not checked", "cannot be run", _line(report.problem))
    for finding in report.failures:
        yield Change(
            Kind.NEW_FAILURE, target, finding.check, "not checked", finding.verdict.value, _line(finding.detail)
        )


def _of_target(before: SubjectReport, after: SubjectReport) -> Iterator[Change]:
    target = after.info.target
    if before.problem or after.problem:
        if not before.problem:
            yield Change(Kind.NEW_FAILURE, target, "", "could be run", "cannot be run", _line(after.problem))
        elif not after.problem:
            yield Change(Kind.FIXED, target, "", "could not be run", "can be run", _line(before.problem))
            yield from (change for change in _of_new_target(after) if change.kind is Kind.NEW_FAILURE)
        return
    old, new = ({finding.check: finding for finding in report.findings} for report in (before, after))
    for id in dict.fromkeys([*old, *new, *(check.id for check in (*before.checks, *after.checks))]):
        yield from _of_check(id, old.get(id), new.get(id), before, after)
    if before.fit is not None and after.fit is not None:
        yield from _of_fit(target, before.fit, after.fit)


def _of_check(
    id: str, old: Finding | None, new: Finding | None, before: SubjectReport, after: SubjectReport
) -> Iterator[Change]:
    target = after.info.target
    was = old.verdict.value if old else "not asked"
    if new is None:
        if any(check.id == id for check in after.checks):
            yield Change(Kind.NOT_COMPARED, target, id, was, "cut off")
        else:
            yield Change(Kind.REMOVED, target, id, was, "not asked")
        return
    excuse = after.expected(new)
    detail = _line(f"known: {excuse.reason}" if excuse else new.detail)
    if new.verdict in BAD and excuse is None and (old is None or old.verdict not in BAD):
        yield Change(Kind.NEW_FAILURE, target, id, was, new.verdict.value, detail)
    elif old is None:
        cut = any(check.id == id for check in before.checks)
        yield Change(Kind.NOT_COMPARED if cut else Kind.ADDED, target, id, "cut off" if cut else was, new.verdict.value)
    elif old.verdict in BAD and new.verdict is Verdict.HOLDS:
        yield Change(Kind.FIXED, target, id, was, new.verdict.value)
    elif old.verdict is not new.verdict:
        yield Change(Kind.CHANGED, target, id, was, new.verdict.value, detail)
    elif old.error is not None and new.error is not None and new.error > GROWTH * old.error:
        now = f"{digits(new.error)} of its bound"
        yield Change(Kind.ERROR_GREW, target, id, digits(old.error), now)


def _of_fit(target: str, before: Fit, after: Fit) -> Iterator[Change]:
    """Choices that differ between two fits; values that fit equally well count as the same."""
    if before.family != after.family:
        yield Change(Kind.CHOICE, target, "family", before.family or "none", after.family or "none")
        return
    if before.explained != after.explained:
        was, now = ("explained" if fit.explained else "not explained" for fit in (before, after))
        yield Change(Kind.CHOICE, target, "by the dialect", was, now, _line(after.leaves_at))
    for choice in dict.fromkeys([*before.dialect, *after.dialect]):
        old, new = ({*fit.open.get(choice, ()), *_fitted(fit, choice)} for fit in (before, after))
        if not old & new:
            was, now = (" or ".join(sorted(values)) or "not told" for values in (old, new))
            yield Change(Kind.CHOICE, target, choice, was, now)


def _fitted(fit: Fit, choice: str) -> tuple[str, ...]:
    return (fit.dialect[choice],) if choice in fit.dialect else ()


def _line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def to_text(comparison: Comparison) -> str:
    """The comparison for a terminal or a log: a summary, and each target with its changes; ends with a newline."""
    counts = Counter(change.kind for change in comparison.changes)
    summary = ", ".join(f"{counts[kind]} {_plural(kind, counts[kind])}" for kind in Kind if counts[kind])
    targets = f"{comparison.compared} target{'s' * (comparison.compared != 1)} compared"
    lines = [f"since the baseline: {summary or 'nothing changed'}; {targets}"]
    versions = {target: f" {old or '?'} → {new or '?'}" for target, old, new in comparison.versions}
    for target in dict.fromkeys([change.target for change in comparison.changes] + list(versions)):
        lines += ["", f"{target}{versions.get(target, '')}"]
        for change in comparison.changes:
            if change.target == target:
                what = f"{change.what}: " if change.what else ""
                detail = f"; {change.detail}" if change.detail else ""
                lines.append(f"  {change.kind.value:<12}  {what}{change.before} → {change.after}{detail}")
    return "\n".join(lines) + "\n"


def _plural(kind: Kind, count: int) -> str:
    plurals = {
        Kind.NEW_FAILURE: "new failures",
        Kind.CHANGED: "verdicts changed",
        Kind.CHOICE: "choices of the dialect changed",
        Kind.ERROR_GREW: "errors grew",
    }
    singular = {Kind.CHANGED: "verdict changed", Kind.CHOICE: "choice of the dialect changed"}
    return (singular if count == 1 else plurals).get(kind, kind.value)
