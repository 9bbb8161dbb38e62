"""The gate: every rung of the chosen claims on every subject, and what came of it."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tangency.proofs_checks.claim import NotApplicable, Result, Rung, Verdict
from tangency.proofs_checks.run.pool import Pool, Spent
from tangency.proofs_checks.run.profiles import PROFILES, Profile
from tangency.proofs_checks.run.registry import Source, Suite, production, select
from tangency.proofs_checks.run.runner import Options, Task, run_task
from tangency.proofs_checks.run.state import CannotRestore, restored
from tangency.proofs_checks.subjects import Subject

# Called with a task and ``None`` when it starts, and with its result when it ends; and with the number of all tasks.
Watcher = Callable[[Task, Result | None, int], None]

OK, FAILED, INTERRUPTED, ERROR, USAGE, NOTHING = range(6)  # exit codes: pytest's

# Seconds a task takes in the default profile, roughly: the longest go first, so that no core waits for a late one.
_COST = {Rung.IMPLEMENTATION: 5.0, Rung.BALL: 3.0, Rung.EXACT: 2.0, Rung.PROOF: 1.0, Rung.NECESSITY: 0.1}


@dataclass(frozen=True)
class Report:
    """What a run found.

    Attributes:
        suite: what was run.
        results: one a task, in the order of the table; tasks that an interrupt cut off are missing.
        options: profile and seed.
        seconds: wall-clock time.
        interrupted: the run was cut off.
    """

    suite: Suite
    results: tuple[Result, ...]
    options: Options
    seconds: float
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 all hold; 1 one fails or is undecided; 2 interrupted; 3 our own error; 5 nothing ran."""
        verdicts = {result.verdict for result in self.results}
        if self.interrupted:
            return INTERRUPTED
        if Verdict.ERROR in verdicts:
            return ERROR
        if verdicts & {Verdict.FAILS, Verdict.UNDECIDED}:
            return FAILED
        return OK if Verdict.HOLDS in verdicts else NOTHING


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
    watch: Watcher = lambda task, result, total: None,
) -> Report:
    """Run every rung of the chosen claims.

    Args:
        claims: ids; all claims if ``None``.
        suite: the claims and subjects, or a function that makes them. With more than one job, or a limit, it must be
            a function that a worker process can import.
        rungs: all if ``None``.
        profile: how much is tried, or the name of one of :data:`.profiles.PROFILES`.
        jobs: how many processes; 1 runs everything in this one, or with a limit in one worker.
        seed: repeats a run exactly, whatever ``jobs``, as long as ``database`` is off.
        database: replay, and keep, failures in Hypothesis's example database.
        shrink: make counterexamples minimal; without, every task stops at its first failure.
        limit: seconds a task may take; one that takes longer is killed and counts as our own error. ``None``: no limit.
        watch: told of every task that starts and ends.

    Raises:
        UnknownClaim: there is no such claim.
        ValueError: another argument is not what it should be.

    >>> report = verify(["eq-12"], rungs=["proof"], seed=1)
    >>> [(result.claim, result.verdict.value) for result in report.results], report.exit_code
    ([('eq-12', 'holds')], 0)
    """
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise ValueError(f"profile is {profile!r}; it must be one of {', '.join(PROFILES)}")
        profile = PROFILES[profile]
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; it must be at least 1")
    wanted = list(Rung) if rungs is None else [Rung(rung) for rung in rungs]
    options = Options(profile, secrets.randbits(32) if seed is None else seed, database, shrink)
    started = time.monotonic()
    if jobs == 1 and limit is None:
        loaded = suite if isinstance(suite, Suite) else suite()
        tasks = plan(loaded, claims, wanted)
        pairs = _in_this_process(loaded, tasks, options)
        results, interrupted = _collect(pairs, len(tasks), watch)
    else:
        if isinstance(suite, Suite):
            what = "more than one job" if limit is None else "a limit"
            raise ValueError(f"suite is a Suite; with {what} it must be a function that makes one")
        # Workers load their suite while this process loads its own.
        foreign: set[str | None] = set()

        def owner(task: Task) -> str | None:
            return task.subject if task.subject in foreign else ""

        with Pool(_Runner(suite, options), jobs, _lost, limit, owner=owner) as pool:
            loaded = suite()
            foreign.update(subject.name for subject in loaded.subjects if not _is_ours(subject))
            tasks = plan(loaded, claims, wanted)
            results, interrupted = _collect(pool.run(_longest_first(loaded, tasks)), len(tasks), watch)
    found = tuple(results[task] for task in tasks if task in results)
    return Report(loaded, found, options, time.monotonic() - started, interrupted)


@dataclass(frozen=True)
class _Runner:
    """What a worker does: load the suite once, then run its tasks."""

    source: Source
    options: Options

    def __call__(self) -> Callable[[Task], Result]:
        import torch

        torch.set_num_threads(1)
        return partial(_undisturbed, self.source(), options=self.options)


def _undisturbed(suite: Suite, task: Task, options: Options) -> Result:
    """The result of a task; what it has changed for the next one is changed back.

    Raises:
        Spent: with the result, where that cannot be done.
    """
    result = _lost(task, "it was not run")
    try:
        with restored():
            result = run_task(suite, task, options)
    except CannotRestore:
        raise Spent(result) from None
    return result


def _is_ours(subject: Subject) -> bool:
    """Whether an optimizer is one of this package, which keeps to itself; others get processes of their own."""
    return str(getattr(subject.make, "__module__", "")).partition(".")[0] == "tangency"


def _lost(task: Task, why: str) -> Result:
    return Result(task.claim, task.rung, Verdict.ERROR, task.subject, detail=why)


def plan(suite: Suite, claims: Iterable[str] | None, rungs: Sequence[Rung]) -> list[Task]:
    """The tasks of a run, in the order of the table."""
    chosen = suite.claims if claims is None else select(suite.claims, claims)
    return [
        Task(claim.id, rung, subject)
        for claim in chosen
        for rung in Rung
        if rung in rungs
        for subject in _subjects(suite, rung, claim.implementation)
    ]


def _subjects(suite: Suite, rung: Rung, attack: object) -> list[str | None]:
    """The subjects of a rung: one without a name, but for the implementation rung where it applies."""
    if rung is not Rung.IMPLEMENTATION or isinstance(attack, NotApplicable):
        return [None]
    return [subject.name for subject in suite.subjects]


def _longest_first(suite: Suite, tasks: Sequence[Task]) -> list[Task]:
    def cost(task: Task) -> float:
        applies = not isinstance(getattr(suite.claim(task.claim), task.rung.value, None), NotApplicable)
        return _COST[task.rung] * applies

    return sorted(tasks, key=cost, reverse=True)


def _in_this_process(suite: Suite, tasks: Sequence[Task], options: Options) -> Iterator[tuple[Task, Result | None]]:
    for task in tasks:
        yield task, None
        try:
            yield task, _undisturbed(suite, task, options)
        except Spent as spent:  # there is no other process
            yield task, spent.result


def _collect(
    pairs: Iterator[tuple[Task, Result | None]], total: int, watch: Watcher
) -> tuple[dict[Task, Result], bool]:
    """The results by task, and whether Ctrl-C cut them off."""
    results: dict[Task, Result] = {}
    try:
        for task, result in pairs:
            watch(task, result, total)
            if result is not None:
                results[task] = result
    except KeyboardInterrupt:
        return results, True
    return results, False
