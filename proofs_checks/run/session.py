"""A conformance run: targets × checks, in worker processes that a target may hang, kill or confuse."""

import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import torch

from tangency.common.calls import WrongCall
from tangency.common.text import raised
from tangency.proofs_checks.checks import steps
from tangency.proofs_checks.checks.every import QUESTIONS
from tangency.proofs_checks.claim import Claim, NotApplicable, Result, Rung, Verdict
from tangency.proofs_checks.dialects.choices import PAPER
from tangency.proofs_checks.dialects.curves import curves
from tangency.proofs_checks.dialects.fit import fit
from tangency.proofs_checks.finding import Check, Curve, Finding, Fit, Severity, TargetInfo, TargetReport
from tangency.proofs_checks.run.known import Known, apply
from tangency.proofs_checks.run.pool import Pool, Spent, usable_cores
from tangency.proofs_checks.run.profiles import Profile
from tangency.proofs_checks.run.registry import Suite, discover
from tangency.proofs_checks.run.runner import Options, Task, run_task
from tangency.proofs_checks.run.state import SETTINGS, CannotRestore, restored
from tangency.proofs_checks.target.target import Target, TargetError, TargetSpec, load

# The steps of Algorithms 1 and 2 are no theorems: a departure from them is another algorithm.
ALGORITHMS = frozenset({"algorithm-1", "algorithm-2"})
EXAMPLES = {"quick": 12, "default": 50, "thorough": 500}
LIMIT = 120.0  # seconds a check may take
DESCRIBE, DIALECT = "describe", steps.CHECK.id


class UnknownCheck(WrongCall):
    """No check has this id."""


@dataclass(frozen=True)
class Cell:
    """One task: a check of a target, or its description."""

    target: int
    check: str


@dataclass(frozen=True)
class Answer:
    """What a task gives.

    Attributes:
        finding: of a check.
        info: of the description.
        fit, curves: of the dialect.
        problem: why the target cannot be run.
    """

    finding: Finding | None = None
    info: TargetInfo | None = None
    fit: Fit | None = None
    curves: tuple[Curve, ...] = ()
    problem: str = ""


# Called with a task and ``None`` when it starts, with its answer when it ends; and with the number of all tasks.
Watcher = Callable[[Cell, Answer | None, int], None]


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in the order of reports: the claims, the dialect, then the behaviour."""
    return (*(_of_claim(claim) for claim in _claims()), steps.CHECK, *(question.check for question in QUESTIONS))


@cache
def _claims() -> tuple[Claim, ...]:
    return tuple(claim for claim in discover() if not isinstance(claim.implementation, NotApplicable))


def _of_claim(claim: Claim) -> Check:
    severity = Severity.ALGORITHM if claim.id in ALGORITHMS else Severity.THEOREM
    return Check(claim.id, claim.title, severity, claim.where, f"{claim.statement}. {claim.notes}".strip())


def select(ids: Iterable[str] | None) -> tuple[Check, ...]:
    """The checks with the given ids; all for ``None``.

    Raises:
        UnknownCheck: with the ids that there are.
    """
    if ids is None:
        return checks()
    wanted = list(ids)
    known = {check.id for check in checks()}
    for id in wanted:
        if id not in known:
            raise UnknownCheck(f"no check is called {id!r}; there are {', '.join(check.id for check in checks())}")
    return tuple(check for check in checks() if check.id in wanted)


def check(
    targets: Sequence[TargetSpec],
    *,
    only: Iterable[str] | None = None,
    profile: str = "default",
    jobs: int | None = None,
    seed: int | None = None,
    limit: float = LIMIT,
    known: Sequence[Known] = (),
    pinned: dict[str, str] | None = None,
    watch: Watcher = lambda cell, answer, total: None,
) -> list[TargetReport]:
    """Check targets; one report each, in their order.

    Args:
        only: ids of checks; all if ``None``.
        profile: ``quick``, ``default`` or ``thorough``: how many trials a claim gets.
        jobs: worker processes; all usable cores if ``None``.
        seed: repeats a run.
        limit: seconds that a check may take; a target that hangs fails the check.
        known: known failures, see :mod:`.known`.
        pinned: choices of the dialect that the target must speak; a change fails the check ``dialect``.
        watch: told of every task that starts and ends.

    Raises:
        UnknownCheck: there is no such check.
        ValueError: another argument is not what it should be.
    """
    if profile not in EXAMPLES:
        raise ValueError(f"profile is {profile!r}; it must be one of {', '.join(EXAMPLES)}")
    chosen = select(only)
    seed = secrets.randbits(32) if seed is None else seed
    worker = _Worker(tuple(targets), Effort(EXAMPLES[profile], seed, dict(pinned or {})))
    started = time.monotonic()
    answers: dict[Cell, Answer] = {}
    interrupted = False
    # The dialect first: it takes longest.
    order = sorted(chosen, key=lambda one: one.id != DIALECT)
    total = len(targets) * (1 + len(chosen))

    def then(cell: Cell, answer: Answer) -> list[Cell]:
        """Described first: a target that cannot be loaded, or hangs, costs one limit and not one for each check."""
        usable = cell.check == DESCRIBE and not answer.problem
        return [Cell(cell.target, one.id) for one in order if usable]

    jobs = min(jobs or usable_cores(), max(1, total))
    with Pool(worker, jobs, _lost, limit, owner=lambda cell: cell.target, quiet=True) as pool:
        try:
            for cell, answer in pool.run([Cell(n, DESCRIBE) for n in range(len(targets))], then):
                watch(cell, answer, total)
                if answer is not None:
                    answers[cell] = answer
        except KeyboardInterrupt:
            interrupted = True
    seconds = time.monotonic() - started
    reports = [
        _report(number, spec, chosen, answers, seed, seconds, interrupted) for number, spec in enumerate(targets)
    ]
    return [apply(report, known, {one.id for one in checks()}) if known else report for report in reports]


def _report(
    number: int,
    spec: TargetSpec,
    chosen: Sequence[Check],
    answers: dict[Cell, Answer],
    seed: int,
    seconds: float,
    interrupted: bool,
) -> TargetReport:
    described = answers.get(Cell(number, DESCRIBE), Answer())
    found = [answers[cell] for one in chosen if (cell := Cell(number, one.id)) in answers]
    dialect = answers.get(Cell(number, DIALECT), Answer())
    return TargetReport(
        info=described.info or TargetInfo(spec.target, spec.algorithm),
        checks=tuple(chosen),
        findings=tuple(answer.finding for answer in found if answer.finding is not None),
        fit=dialect.fit,
        curves=dialect.curves,
        problem=described.problem,
        seed=seed,
        seconds=seconds,
        interrupted=interrupted,
    )


def _lost(cell: Cell, why: str) -> Answer:
    """A check that killed its process, or hung: the target's fault, whatever it was."""
    if cell.check == DESCRIBE:
        return Answer(problem=f"loading it: {why}")
    return Answer(finding=Finding(cell.check, Verdict.FAILS, detail=f"the target stopped the check: {why}"))


@dataclass(frozen=True)
class Effort:
    """How much is tried, and from where.

    Attributes:
        examples: trials of each claim.
        seed: of the run.
        pinned: choices of the dialect that a target must speak.
    """

    examples: int
    seed: int
    pinned: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Worker:
    """What a worker process does: load its target once, then answer."""

    specs: tuple[TargetSpec, ...]
    effort: Effort

    def __call__(self) -> Callable[[Cell], Answer]:
        torch.set_num_threads(1)
        warnings.simplefilter("ignore")
        loaded: dict[int, Target] = {}

        def answer(cell: Cell) -> Answer:
            try:
                if cell.target not in loaded:
                    loaded[cell.target] = load_undisturbed(self.specs[cell.target])
            except TargetError as error:
                return Answer(problem=str(error))
            target, found = loaded[cell.target], Answer()
            try:
                with restored():
                    found = describe(target) if cell.check == DESCRIBE else ask(target, cell.check, self.effort)
            except CannotRestore:
                raise Spent(found) from None
            return found

        return answer


def load_undisturbed(spec: TargetSpec) -> Target:
    """Load a target. Settings of torch and numpy that its import changes are changed back: its verdict is about steps.

    What else the import sets up (paths, variables of the environment) may be there for the steps, and stays.

    Raises:
        TargetError: it cannot be loaded.
    """
    try:
        with restored(SETTINGS):
            return load(spec)
    except CannotRestore as error:
        raise TargetError(f"{spec.target}: its import leaves a setting that does not change back: {error}") from None


def ask(target: Target, id: str, effort: Effort) -> Answer:
    """Answer one check of a loaded target, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a filter that makes errors of them would make errors of ours
        return _ask(target, id, effort)


def _ask(target: Target, id: str, effort: Effort) -> Answer:
    started = time.perf_counter()
    if id == DIALECT:
        made = _dialect(target, effort)
        assert made.finding is not None
        return replace(made, finding=replace(made.finding, seconds=time.perf_counter() - started))
    for question in QUESTIONS:
        if question.check.id == id:
            return Answer(finding=question.answer(target))
    return Answer(finding=_attack(next(claim for claim in _claims() if claim.id == id), target, effort))


def _attack(claim: Claim, target: Target, effort: Effort) -> Finding:
    task = Task(claim.id, Rung.IMPLEMENTATION, target.subject.name)
    profile = Profile("check", 1, 1, effort.examples, 1)
    return _finding(run_task(Suite((claim,), (target.subject,)), task, Options(profile, effort.seed)))


def _dialect(target: Target, effort: Effort) -> Answer:
    """The fit, every step against it, and curves."""
    fitted = fit(target)
    if target.family == "grassmann":
        return Answer(finding=_attack(steps.claim(target, {}), target, effort), fit=fitted)
    whole = {**PAPER[target.reference], **fitted.dialect}
    drawn = curves(target, whole)
    changed = {choice: value for choice, value in effort.pinned.items() if fitted.dialect.get(choice) != value}
    # Every step against the dialect that it should speak: where it does not, that is the counterexample.
    finding = _attack(steps.claim(target, whole | {k: v for k, v in changed.items() if k in whole}), target, effort)
    wrong = ""
    if not fitted.explained:
        wrong = f"no known dialect explains it; it leaves the nearest at {fitted.leaves_at}"
    elif changed:
        said = [f"{k} is {fitted.dialect.get(k, 'not there')!r}, pinned as {v!r}" for k, v in changed.items()]
        wrong = f"it does not speak the pinned dialect: {'; '.join(said)}"
    if wrong:
        finding = replace(finding, verdict=Verdict.FAILS, detail=wrong)
    return Answer(finding=finding, fit=fitted, curves=drawn)


def describe(target: Target) -> Answer:
    """What the target is; a problem if it cannot be built with ordinary hyper-parameters, or cannot step."""
    p = torch.nn.Parameter(torch.ones(2, 3))
    try:
        optimizer = target.make([p], lr=0.125)
        if not callable(getattr(optimizer, "step", None)):
            return Answer(problem=f"it made {type(optimizer).__name__}, which has no step()")
        p.grad = torch.ones(2, 3)
        optimizer.step()
    except Exception as error:
        return Answer(info=target.info, problem=f"one step with lr = 0.125 on a float32 matrix raised {raised(error)}")
    return Answer(info=target.info)


def _finding(result: Result) -> Finding:
    """A result of the engine, as a finding."""
    return Finding(
        result.claim,
        result.verdict,
        detail=result.detail,
        counterexample=result.counterexample,
        reproducer=result.reproducer,
        examples=result.examples,
        error=result.error,
        ulps=result.ulps,
        seconds=result.seconds,
    )
