"""``tangency check``: every check on somebody's optimizers, in worker processes."""

import secrets
import sys
import time
import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import torch

from tangency.common.calls import WrongCall
from tangency.common.text import raised
from tangency.proofs_checks.checks import dialect
from tangency.proofs_checks.checks.every import CHECKS
from tangency.proofs_checks.checks.experiment import usual_hyper
from tangency.proofs_checks.checks.rungs import rungs
from tangency.proofs_checks.claim import NotApplicable, Rung, Verdict
from tangency.proofs_checks.finding import Check, Finding, TargetInfo
from tangency.proofs_checks.fit.attribution import because
from tangency.proofs_checks.options import TRAINED, Options, Trained, profile_of
from tangency.proofs_checks.report.progress import watched
from tangency.proofs_checks.report.subject_report import Reports, SubjectReport
from tangency.proofs_checks.run.known import Known, apply
from tangency.proofs_checks.run.pool import usable_cores
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.run.session import Answer, Cell, Description, Session, Watcher, Workshop, report_of
from tangency.proofs_checks.run.state import SETTINGS, CannotRestore, restored
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import Target, load

LIMIT = 120.0  # seconds a check may take
DESCRIBE = "describe"
# Checks that take about a second, as every claim does.
LONG = frozenset(
    {dialect.CHECK.id, "threshold-inside-is-projected", "threshold-outside-is-kept", "compiled-agrees", "own-shapes"}
)


class UnknownCheck(WrongCall):
    """No check has this id."""


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in the order of reports: the claims on an implementation, the dialect, then the behaviour."""
    claims = [claim for claim in discover() if not isinstance(claim.implementation, NotApplicable)]
    attacks = [check for claim in claims for check in rungs(claim) if check.rung is Rung.IMPLEMENTATION]
    return (*map(_of_target, attacks), dialect.CHECK, *CHECKS)


def _of_target(check: Check) -> Check:
    """The check of an optimizer as the check of the target that it is part of."""
    run = check.run
    assert run is not None
    return replace(check, run=lambda target, options: run(target.subject, options))


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
    pinned: Mapping[str, str] | None = None,
    trained: Trained = TRAINED,
    watch: Watcher = lambda cell, answer, total: None,
    progress: bool | None = None,
) -> list[SubjectReport]:
    """Check targets; one report each, in their order. IPython shows the list as it shows :class:`.Reports`.

    Args:
        only: ids of checks; all if ``None``.
        profile: ``quick``, ``default`` or ``thorough``: how many trials a claim gets.
        jobs: worker processes; all usable cores if ``None``.
        seed: repeats a run.
        limit: seconds that a check may take; a target that hangs fails the check.
        known: known failures, see :mod:`.known`.
        pinned: choices of the dialect that the target must speak; a change fails the check ``dialect``.
        trained: the magnitudes of weights and gradients at which one trains.
        watch: called with every cell that starts and ends.
        progress: whether there is a bar meanwhile: in the output of a notebook's cell, else on standard error if that
            is a terminal; ``None``: in a notebook alone.

    Raises:
        UnknownCheck: there is no such check.
        ValueError: another argument is not what it should be.
    """
    seed = secrets.randbits(32) if seed is None else seed
    options = Options(profile_of(profile), seed, pinned=dict(pinned or {}), trained=trained)
    chosen = select(only)
    asked = [(spec, chosen) for spec in targets]
    with watched(progress, watch) as show:
        reports = run_checks(asked, options, jobs=jobs, limit=limit, attributed=True, watch=show)
    ids = {one.id for one in checks()}
    return Reports(apply(report, [*known, *_pinned(report, options)], ids) for report in reports)


def _pinned(report: SubjectReport, options: Options) -> list[Known]:
    """Pinned choices as known ones; of those that the target does not make the check ``dialect`` tells."""
    spoken = report.fit.dialect if report.fit else options.pinned
    pinned = {name: value for name, value in options.pinned.items() if spoken.get(name) == value}
    return [Known(choice=f"{name} = {value}", reason="pinned") for name, value in pinned.items()]


def run_checks(
    asked: Sequence[tuple[TargetSpec, Sequence[Check]]],
    options: Options,
    *,
    jobs: int | None = None,
    limit: float | None = LIMIT,
    apart: bool = True,
    attributed: bool = False,
    watch: Watcher = lambda cell, answer, total: None,
) -> list[SubjectReport]:
    """Run checks on targets, its own on each; one report each, in their order.

    Args:
        apart: no two targets share a process. Targets of ours may, which saves starting one for each.
        attributed: say of each failure which choices of the target's dialect explain it.
    """
    order = [sorted(chosen, key=_turn) for _, chosen in asked]
    total = len(asked) + sum(map(len, order))

    def then(cell: Cell, answer: Answer) -> list[Cell]:
        """Describe a target first: one that cannot be loaded, or hangs, costs one time limit, not one a check."""
        usable = isinstance(answer, Description) and not answer.problem and cell.check == DESCRIBE
        return [Cell(cell.subject, one.id) for one in order[cell.subject] if usable]

    jobs = min(jobs or usable_cores(), max(1, total))
    specs = tuple(spec for spec, _ in asked)
    source = _Source(specs, attributed, _of_main(specs))
    owner: Callable[[Cell], Hashable] = (lambda cell: cell.subject) if apart else (lambda cell: "")
    session = Session(source, options, jobs, limit, _lost, owner, quiet=True)
    started = time.monotonic()
    answers, interrupted = session.run(
        lambda: [Cell(number, DESCRIBE) for number in range(len(asked))],
        lambda cell, answer: watch(cell, answer, total),
        then,
    )
    of_run: dict[str, Any] = {"seed": options.seed, "seconds": time.monotonic() - started, "interrupted": interrupted}
    reports = []
    for number, (spec, chosen) in enumerate(asked):
        described = answers.get(Cell(number, DESCRIBE))
        assert described is None or isinstance(described, Description)
        info = (described and described.info) or TargetInfo(spec.target, spec.algorithm)
        problem = described.problem if described else ""
        reports.append(report_of(number, info, chosen, answers, problem=problem, **of_run))
    return reports


def _turn(one: Check) -> int:
    """When a check has its turn: first what takes milliseconds, so that a bug shows at once; then the longest."""
    return 1 if one.id in LONG else 2 * (one.rung is not None)


def _lost(cell: Cell, why: str) -> Answer:
    """A check that killed its process, or hung: the target's fault, whatever it was."""
    if cell.check == DESCRIBE:
        return Description(problem=f"loading it: {why}")
    (one,) = select([cell.check])
    return one.found(Finding("", Verdict.FAILS, detail=f"the target stopped the check: {why}"))


def _of_main(specs: Iterable[TargetSpec]) -> dict[str, Any]:
    """What the specs name in ``__main__``."""
    named = [name for spec in specs for name in (spec.target, spec.base, spec.model) if name.startswith("__main__:")]
    here = vars(sys.modules["__main__"])
    return {name: here[name] for name in (one[9:].partition(".")[0] for one in named) if name in here}


@dataclass(frozen=True)
class _Source:
    """Makes the workshop of some targets; it travels to worker processes, which load the targets themselves.

    Attributes:
        main: what the targets name in ``__main__``, which is another there.
    """

    specs: tuple[TargetSpec, ...]
    attributed: bool
    main: Mapping[str, Any]

    def __call__(self) -> Workshop:
        vars(sys.modules["__main__"]).update(self.main)
        loaded: dict[int, Target | Description] = {}

        def target(number: int) -> Target | Description:
            if number not in loaded:
                try:
                    loaded[number] = load_undisturbed(self.specs[number])
                except TargetError as error:
                    loaded[number] = Description(problem=str(error))
            return loaded[number]

        warnings.simplefilter("ignore")  # while targets are loaded, too
        answers = {one.id: explained(one) if self.attributed else deaf(one.on) for one in checks()}
        return Workshop({DESCRIBE: deaf(lambda target, options: describe(target)), **answers}, target)


def deaf(answer: Callable[[Target, Options], Answer]) -> Callable[[Target, Options], Answer]:
    """The same on the target's device, with warnings ignored.

    A filter that turns warnings into errors would make a check fail as our own error.
    """

    def run(target: Target, options: Options) -> Answer:
        place = torch.device(target.spec.device) if target.spec.device else nullcontext()
        with warnings.catch_warnings(), place:
            warnings.simplefilter("ignore")
            return answer(target, options)

    return run


def explained(check: Check) -> Callable[[Target, Options], Answer]:
    """A check whose failures are explained by the choices of the target's dialect, with warnings ignored."""
    return deaf(partial(check.on, because=because))


def load_undisturbed(spec: TargetSpec) -> Target:
    """Load a target. Settings of torch and numpy that its import changes are changed back: its verdict is about steps.

    Other changes of the import (paths, environment variables) stay, since the steps may need them.

    Raises:
        TargetError: it cannot be loaded.
    """
    try:
        with restored(SETTINGS):
            return load(spec)
    except CannotRestore as error:
        raise TargetError(f"{spec.target}: its import leaves a setting that does not change back: {error}") from None


def describe(target: Target) -> Description:
    """What the target is; a problem if it cannot be built with ordinary hyper-parameters, or cannot step."""
    p, usual = torch.nn.Parameter(torch.ones(2, 3)), usual_hyper(target)
    try:
        optimizer = target.make([p], **usual)
        if not callable(getattr(optimizer, "step", None)):
            return Description(problem=f"it made {type(optimizer).__name__}, which has no step()")
        p.grad = torch.ones(2, 3)
        optimizer.step()
    except Exception as error:
        given = ", ".join(f"{name} = {value}" for name, value in usual.items())
        return Description(target.info, f"one step with {given} on a float32 matrix raised {raised(error)}")
    return Description(target.info)
