"""``tangency verify``: every rung of the chosen claims, on the statements themselves and on every optimizer."""

import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from tangency.proofs_checks.checks.rungs import rungs as rungs_of
from tangency.proofs_checks.claim import NotApplicable, Rung, Suite, Verdict, select
from tangency.proofs_checks.finding import Check, Finding, TargetInfo
from tangency.proofs_checks.options import Options, Profile, profile_of
from tangency.proofs_checks.report.progress import watched
from tangency.proofs_checks.report.subject_report import SubjectReport, exit_code
from tangency.proofs_checks.run.known import Known, apply
from tangency.proofs_checks.run.registry import Source, production
from tangency.proofs_checks.run.session import Answer, Cell, Session, Watcher, Workshop, report_of
from tangency.proofs_checks.subjects import Subject

STATEMENTS = 0  # the subject number of rungs without an optimizer; optimizers are numbered from 1
# Seconds a rung takes in the default profile, roughly: the longest go first, so that no core waits for a late one.
_COST = {
    Rung.KERNEL: 6.0,
    Rung.IMPLEMENTATION: 5.0,
    Rung.BALL: 3.0,
    Rung.EXACT: 2.0,
    Rung.ALGEBRA: 1.0,
    Rung.NECESSITY: 0.1,
}


@dataclass(frozen=True)
class Report:
    """What a run found. IPython shows it: in a notebook as a table, else as on a terminal.

    Attributes:
        suite: what was run.
        reports: of the statements, then of every optimizer.
        options: profile and seed.
        seconds: wall-clock time.
    """

    suite: Suite
    reports: tuple[SubjectReport, ...]
    options: Options
    seconds: float

    def _repr_html_(self) -> str:
        from tangency.proofs_checks.report import notebook

        return notebook.claims(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from tangency.proofs_checks.report import notebook, table

        printer.text(notebook.text(partial(table.print_report, report=self)))

    @cached_property
    def results(self) -> tuple[Finding, ...]:
        """The findings in the order of the table; those that an interrupt cut off are missing."""
        return tuple(sorted((one for report in self.reports for one in report.findings), key=self.place))

    def place(self, one: Check | Finding) -> int:
        """Where a rung stands in the table; subjects keep their order."""
        return self._places[one.claim, one.rung]

    @cached_property
    def _places(self) -> dict[tuple[str, Rung | None], int]:
        return {(check.claim, check.rung): number for number, check in enumerate(checks_of(self.suite))}

    @property
    def interrupted(self) -> bool:
        """Whether the run was cut off."""
        return any(report.interrupted for report in self.reports)

    @property
    def exit_code(self) -> int:
        """0 all hold; 1 one fails or is undecided; 2 interrupted; 3 our own error; 5 nothing ran."""
        return exit_code(self.reports)


def verify(
    claims: Iterable[str] | None = None,
    *,
    suite: Source | Suite = production,
    rungs: Iterable[Rung | str] | None = None,
    profile: Profile | str = "default",
    jobs: int = 1,
    seed: int | None = None,
    database: bool = False,
    shrink: bool = True,
    limit: float | None = None,
    known: Sequence[Known] = (),
    require: Iterable[Rung | str] = (),
    watch: Watcher = lambda cell, answer, total: None,
    progress: bool | None = None,
) -> Report:
    """Run every rung of the chosen claims.

    Args:
        claims: ids; all claims if ``None``.
        suite: the claims and subjects, or a function that makes them. With more than one job, or a limit, worker
            processes get a copy; of a function that they can import, its name.
        rungs: all if ``None``.
        profile: how much is tried, or the name of one of :data:`.options.PROFILES`.
        jobs: how many processes; 1 runs everything in this one, or with a limit in one worker.
        seed: repeats a run exactly, whatever ``jobs``, as long as ``database`` is off.
        database: replay, and keep, failures in Hypothesis's example database.
        shrink: make counterexamples minimal; without, every search stops at its first failure.
        limit: seconds a task may take; one that takes longer is killed and counts as our own error. ``None``: no limit.
        known: known failures, see :mod:`.known`.
        require: rungs that fail where what they need is not installed: without it, they are not run.
        watch: called with every cell that starts and ends.
        progress: whether there is a bar meanwhile: in the output of a notebook's cell, else on standard error if that
            is a terminal; ``None``: in a notebook alone.

    Raises:
        UnknownClaim: there is no such claim.
        ValueError: another argument is not what it should be.

    >>> report = verify(["eq-12"], rungs=["algebra"], seed=1)
    >>> [(result.claim, result.verdict.value) for result in report.results], report.exit_code
    ([('eq-12', 'holds')], 0)
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; it must be at least 1")
    wanted = list(Rung) if rungs is None else [Rung(rung) for rung in rungs]
    options = Options(profile_of(profile), secrets.randbits(32) if seed is None else seed, database, shrink)
    run = _Run(suite if not isinstance(suite, Suite) else lambda: suite, claims, wanted)
    here = jobs == 1 and limit is None
    session = Session(_Source(run.source), options, 0 if here else jobs, limit, run.lost, run.owner)
    started = time.monotonic()
    with watched(progress, watch) as show:
        answers, interrupted = session.run(run.cells, lambda cell, answer: show(cell, answer, len(run.planned)))
    seconds = time.monotonic() - started
    required = {Rung(rung) for rung in require}
    answers = {
        cell: _required(answer) if run.planned[cell].rung in required else answer for cell, answer in answers.items()
    }
    reports = run.reports(answers, seed=options.seed, seconds=seconds, interrupted=interrupted)
    if known:
        ids = [check.id for check in checks_of(run.suite)]
        reports = [apply(report, known, ids) for report in reports]
    return Report(run.suite, tuple(reports), options, seconds)


class _Run:
    """The parent process's view of a run: the suite, loaded while workers load theirs, and the planned cells."""

    def __init__(self, source: Source, claims: Iterable[str] | None, rungs: Collection[Rung]) -> None:
        self.source, self._claims, self._rungs = source, claims, rungs

    @cached_property
    def suite(self) -> Suite:
        return self.source()

    @cached_property
    def planned(self) -> dict[Cell, Check]:
        """Every cell with its check, in the order of the table."""
        return plan(self.suite, self._claims, self._rungs)

    def cells(self) -> list[Cell]:
        """The longest first."""
        applies = {claim.id: claim for claim in self.suite.claims}

        def cost(cell: Cell) -> float:
            check = self.planned[cell]
            assert check.rung is not None
            evidence = getattr(applies[check.claim], check.rung.value, None)
            return _COST[check.rung] * (not isinstance(evidence, NotApplicable))

        return sorted(self.planned, key=cost, reverse=True)

    def owner(self, cell: Cell) -> str:
        """A foreign subject's name, so that it gets a process of its own; all other cells share one owner."""
        subject = None if cell.subject == STATEMENTS else self.suite.subjects[cell.subject - 1]
        return "" if subject is None or _is_ours(subject) else subject.name

    def lost(self, cell: Cell, why: str) -> Answer:
        return self.planned[cell].found(Finding("", Verdict.ERROR, detail=why))

    def reports(self, answers: Mapping[Cell, Answer], **of_run: object) -> list[SubjectReport]:
        """One for the statements and one for every optimizer of which something was planned."""
        reports = []
        for number in dict.fromkeys(sorted(cell.subject for cell in self.planned)):
            checks = [check for cell, check in self.planned.items() if cell.subject == number]
            subject = None if number == STATEMENTS else self.suite.subjects[number - 1]
            report = report_of(number, _info(subject), checks, answers, **of_run)
            name = None if subject is None else subject.name
            findings = tuple(replace(finding, subject=name) for finding in report.findings)
            reports.append(replace(report, findings=findings))
        return reports


def _required(answer: Answer) -> Answer:
    """What was not run, as a failure."""
    if isinstance(answer, Finding) and answer.verdict is Verdict.NOT_RUN:
        return replace(answer, verdict=Verdict.FAILS, detail=f"it is required, and was not run: {answer.detail}")
    return answer


def _is_ours(subject: Subject) -> bool:
    return str(getattr(subject.make, "__module__", "")).partition(".")[0] == "tangency"


@dataclass(frozen=True)
class _Source:
    """Makes the workshop of a suite; it travels to worker processes."""

    suite: Source

    def __call__(self) -> Workshop:
        suite = self.suite()
        answers = {check.id: check.on for check in checks_of(suite)}
        return Workshop(answers, lambda number: None if number == STATEMENTS else suite.subjects[number - 1])


def checks_of(suite: Suite) -> tuple[Check, ...]:
    """Every rung of every claim, in the order of the table."""
    broken = {claim.id: [name for name, ids in suite.must_fail.items() if claim.id in ids] for claim in suite.claims}
    return tuple(check for claim in suite.claims for check in rungs_of(claim, broken[claim.id]))


def _info(subject: Subject | None) -> TargetInfo:
    if subject is None:
        return TargetInfo("the statements", "")
    return TargetInfo(
        subject.name,
        subject.algorithm,
        capabilities=tuple(sorted(subject.capabilities)),
        options=dict(subject.options),
    )


def plan(suite: Suite, claims: Iterable[str] | None, rungs: Collection[Rung]) -> dict[Cell, Check]:
    """The cells of a run with their checks, in the order of the table."""
    chosen = suite.claims if claims is None else select(suite.claims, claims)
    planned: dict[Cell, Check] = {}
    for claim in chosen:
        for check in rungs_of(claim):
            attacks = check.rung is Rung.IMPLEMENTATION and not isinstance(claim.implementation, NotApplicable)
            numbers = range(1, 1 + len(suite.subjects)) if attacks else [STATEMENTS]
            planned |= {Cell(number, check.id): check for number in numbers if check.rung in rungs}
    return planned
