"""One task: one rung of one claim, on one subject where the rung is about implementations."""

import math
import sys
import time
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass, replace

from hypothesis import reject, target

from tangency.proofs_checks.checks import reproducer
from tangency.proofs_checks.claim import Attack, Claim, NotApplicable, Result, Rung, Search, Verdict, Violation
from tangency.proofs_checks.errors.rounding import HALVES
from tangency.proofs_checks.generate.trials import Crash, Measurement, Run, Trial, execute
from tangency.proofs_checks.run.profiles import Profile
from tangency.proofs_checks.run.registry import Suite
from tangency.proofs_checks.run.search import Budget, Found, derive_seed, search
from tangency.proofs_checks.subjects import NotOffered, Subject


@dataclass(frozen=True)
class Task:
    """One cell of the table; names alone, so that it can be sent to another process."""

    claim: str
    rung: Rung
    subject: str | None = None


@dataclass(frozen=True)
class Options:
    """How tasks are run.

    Attributes:
        seed: of the whole run; every task derives its own from it.
        database: whether Hypothesis's example database is read and written.
        shrink: whether counterexamples are made minimal; without, a task stops at its first failure.
    """

    profile: Profile
    seed: int
    database: bool = False
    shrink: bool = True


class Exceeded(Violation):
    """A measurement above its bound."""

    def __init__(self, measurement: Measurement, run: Run) -> None:
        super().__init__(
            f"{measurement.what}, step {measurement.step}",
            measurement.expected,
            f"{measurement.got} ({measurement.error:.3g} off, {measurement.bound:.3g} admissible)",
        )
        self.measurement, self.run = measurement, run


def run_task(suite: Suite, task: Task, options: Options) -> Result:
    """Run one task. Whatever breaks that is not the claim's fault gives :attr:`.Verdict.ERROR`, never a pass."""
    started = time.perf_counter()
    try:
        with redirect_stdout(sys.stderr):  # standard output is for results alone
            result = _run(suite, task, options)
    except Exception as error:
        if not options.shrink:  # then what Hypothesis notes is no minimal example
            error.__notes__ = []
        result = _result(task, Verdict.ERROR, detail="".join(traceback.format_exception(error)))
    return replace(result, seconds=time.perf_counter() - started)


def _run(suite: Suite, task: Task, options: Options) -> Result:
    claim = suite.claim(task.claim)
    if task.rung is Rung.NECESSITY:
        return run_necessity(claim, task)
    evidence = getattr(claim, task.rung.value)
    if isinstance(evidence, NotApplicable):
        return _result(task, Verdict.DOES_NOT_APPLY, detail=evidence.why)
    if task.rung is Rung.PROOF:
        return run_proof(claim, task)
    if task.rung is Rung.IMPLEMENTATION:
        assert task.subject is not None, "the implementation rung needs a subject"
        subject = suite.subject(task.subject)
        profile = options.profile
        broken = claim.id in suite.must_fail.get(subject.name, ())
        return run_attack(claim, subject, task, profile.mutant if broken else profile.implementation, options)
    return run_search(evidence, task, options)


def run_proof(claim: Claim, task: Task) -> Result:
    """Build the proof and check every step; the steps are the examples."""
    assert not isinstance(claim.proof, NotApplicable)
    proof = claim.proof()
    try:
        return _result(task, Verdict.HOLDS, examples=proof.check())
    except Violation as violation:
        return _result(task, Verdict.FAILS, examples=len(proof.steps), detail=str(violation))


def run_necessity(claim: Claim, task: Task) -> Result:
    """Every stored counterexample must refute the claim without its hypothesis."""
    refuted, excused = 0, []
    for hypothesis in claim.hypotheses:
        if isinstance(hypothesis.needed, NotApplicable):
            excused.append(f"{hypothesis.name}: {hypothesis.needed.why}")
            continue
        try:
            refutation = hypothesis.needed()
        except Violation as violation:
            detail = f"the counterexample to {hypothesis.name!r} does not meet the other hypotheses: {violation}"
            return _result(task, Verdict.FAILS, examples=refuted, detail=detail)
        if not refutation.refutes:
            detail = (
                f"without {hypothesis.name!r} ({hypothesis.says}) the claim still holds in its stored counterexample: "
                f"{refutation.what} is {refutation.actual}, as predicted"
            )
            return _result(task, Verdict.FAILS, examples=refuted, detail=detail)
        refuted += 1
    detail = "; ".join(excused) or ("" if refuted else "the claim has no hypotheses")
    return _result(task, Verdict.HOLDS if refuted else Verdict.DOES_NOT_APPLY, examples=refuted, detail=detail)


def run_search(evidence: Search, task: Task, options: Options) -> Result:
    """The exact or the ball rung on generated problems."""
    examples = options.profile.exact if task.rung is Rung.EXACT else options.profile.ball
    found = search(evidence.problems, evidence.check, _budget(task, examples, options), _key(task))
    result = _judge(task, found)
    if found.violation is None:
        return result
    return replace(result, counterexample=repr(found.problem))


def run_attack(claim: Claim, subject: Subject, task: Task, examples: int, options: Options) -> Result:
    """The implementation rung: trials of a real optimizer, every measurement against its bound."""
    attack = claim.implementation
    assert isinstance(attack, Attack)
    missing = attack.requires - subject.capabilities
    if missing:
        lacks = f"{subject.name} does not offer what the claim is about: {', '.join(sorted(missing))}"
        return _result(task, Verdict.DOES_NOT_APPLY, detail=lacks)
    worst: tuple[float, str] = (0.0, "")
    worst_ulps: float | None = None

    def check(trial: Trial) -> None:
        nonlocal worst, worst_ulps
        run, measured = _measure(attack, subject, trial)
        if not measured:
            reject()
        largest = max(measured, key=_ratio)
        if not _ratio(largest) <= 1:
            raise Exceeded(largest, run)
        worst = max(worst, (largest.ratio, f"{largest.what}, step {largest.step}, {trial.dtype}"))
        ulps = [m.ulps for m in measured if m.ulps is not None and math.isfinite(m.ulps)]
        worst_ulps = max([worst_ulps or 0.0, *ulps]) if ulps else worst_ulps
        target(largest.ratio, label="error/bound")

    found = search(attack.trials(subject), check, _budget(task, examples, options), _key(task))
    if found.missing and not found.checked and found.violation is None:
        return _result(task, Verdict.DOES_NOT_APPLY, detail=f"{subject.name}: {found.missing}")
    result = _judge(task, found)
    if not isinstance(found.violation, Exceeded):
        return replace(result, error=worst[0], error_at=worst[1], ulps=worst_ulps) if found.checked else result
    failure = found.violation
    return replace(
        result,
        error=_ratio(failure.measurement),
        error_at=f"{failure.measurement.what}, step {failure.measurement.step}, {found.problem.dtype}",
        ulps=failure.measurement.ulps,
        counterexample=repr(found.problem),
        reproducer=_script(claim, subject, found.problem, failure) if options.shrink else "",
    )


def _measure(attack: Attack, subject: Subject, trial: Trial) -> tuple[Run, list[Measurement]]:
    """Run and measure; an optimizer that raises is infinitely wrong, unless it is a foreign one."""
    if subject.foreign and trial.dtype in HALVES:
        raise NotOffered(f"{trial.dtype} is computed in a precision of its own: a check of behaviour asks about it")
    try:
        run = execute(subject, trial)
        return run, attack.check(run) if run.records else []
    except Crash as crash:
        if subject.foreign:
            raise NotOffered(str(crash)) from crash
        step = max(0, len(crash.run.records) - 1)
        return crash.run, [Measurement(str(crash), step, math.nan, math.nan, math.inf, 0.0)]


def _ratio(measurement: Measurement) -> float:
    """The measurement's ratio, NaN as infinity: what cannot be told is never a pass."""
    return math.inf if math.isnan(measurement.ratio) else measurement.ratio


def _script(claim: Claim, subject: Subject, trial: Trial, failure: Exceeded) -> str:
    """The reproducer; a failure that happens before the first step has none."""
    if not failure.run.records:
        return ""
    try:
        return reproducer.script(claim, subject, trial, failure.run, failure.measurement)
    except Exception as error:  # the counterexample stands without its script
        return f"# no script could be written for this failure: {error!r}\n"


def _judge(task: Task, found: Found) -> Result:
    if found.violation is not None:
        note = " (not every time: the same problem passed once)" if found.flaky else ""
        return _result(task, Verdict.FAILS, examples=found.checked + 1, detail=f"{found.violation}{note}")
    if found.shortfall:
        return _result(task, Verdict.UNDECIDED, examples=found.checked, detail=found.shortfall)
    notes = [f"these are all {found.checked} problems that there are"] * found.exhausted
    notes += [f"{found.undecided} more problems were undecided: {found.why}"] * bool(found.undecided)
    return _result(task, Verdict.HOLDS, examples=found.checked, detail="; ".join(notes))


def _budget(task: Task, examples: int, options: Options) -> Budget:
    seed = derive_seed(options.seed, task.claim, task.rung.value, task.subject or "")
    return Budget(examples, seed, options.database, options.shrink)


def _key(task: Task) -> str:
    return "/".join(("tangency", task.claim, task.rung.value, task.subject or ""))


def _result(task: Task, verdict: Verdict, *, examples: int = 0, detail: str = "") -> Result:
    return Result(task.claim, task.rung, verdict, task.subject, examples=examples, detail=detail)
