"""The rungs of a claim, each a check: proof, exact and ball search, the attack on an optimizer, and necessity."""

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import reject, target
from hypothesis.errors import UnsatisfiedAssumption

from tangency.proofs_checks.checks import reproducer
from tangency.proofs_checks.checks.search import Budget, Found, derive_seed, search
from tangency.proofs_checks.claim import (
    Attack,
    Claim,
    NotApplicable,
    NotOffered,
    Rung,
    Search,
    Verdict,
    Violation,
)
from tangency.proofs_checks.finding import Again, Check, Fails, Finding, Skip
from tangency.proofs_checks.generate.execution import Crash, execute
from tangency.proofs_checks.generate.magnitudes import resized
from tangency.proofs_checks.generate.shapes import on_shapes
from tangency.proofs_checks.generate.trials import Measurement, Run, Trial
from tangency.proofs_checks.measure.spoken import UNDECIDED
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.proof import walk
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.proofs_checks.subjects import Subject

RunOf = Callable[[Any, Options], Finding]
ELSEWHERE = NotApplicable("it is about implementations alone")


def rungs(claim: Claim, broken: Collection[str] = ()) -> tuple[Check, ...]:
    """The checks that a claim is made of, in the order of its rungs.

    Args:
        broken: the names of subjects on which the claim has to fail: they get as many trials as a mutant.
    """
    run: dict[Rung, RunOf] = {
        Rung.KERNEL: lambda subject, options: run_kernel(claim),
        Rung.ALGEBRA: lambda subject, options: run_algebra(claim),
        Rung.EXACT: lambda subject, options: run_search(claim, Rung.EXACT, options.profile.exact, options),
        Rung.BALL: lambda subject, options: run_search(claim, Rung.BALL, options.profile.ball, options),
        Rung.IMPLEMENTATION: partial(attack, claim, broken),
        Rung.NECESSITY: lambda subject, options: run_necessity(claim),
    }
    why = f"{claim.text}. {claim.notes}".strip()
    return tuple(
        Check(
            claim.id if rung is Rung.IMPLEMENTATION else f"{claim.id}/{rung.value}",
            claim.title,
            claim.severity,
            claim.where,
            why,
            _unless(getattr(claim, rung.value, None), run[rung]),
            claim.id,
            rung,
        )
        for rung in Rung
    )


def as_claim(check: Check, statement: str, implementation: Attack | NotApplicable = ELSEWHERE) -> Claim:
    """A check as a claim with no rung but that of implementations, to attack with and to write scripts for."""
    return Claim(
        id=check.id,
        title=check.title,
        where=check.source,
        statement=statement,
        latex="",
        hypotheses=(),
        algebra=ELSEWHERE,
        exact=ELSEWHERE,
        ball=ELSEWHERE,
        implementation=implementation,
    )


def _unless(evidence: Any, run: RunOf) -> RunOf:
    """The run of a rung, or the reason that there is none."""

    def skip(subject: Any, options: Options) -> Finding:
        raise Skip(evidence.why)

    return skip if isinstance(evidence, NotApplicable) else run


class Exceeded(Violation):
    """A measurement above its bound."""

    def __init__(self, measurement: Measurement, run: Run) -> None:
        super().__init__(
            f"{measurement.what}, step {measurement.step}",
            measurement.expected,
            f"{measurement.got} ({measurement.error:.3g} off, {measurement.bound:.3g} admissible)",
        )
        self.measurement, self.run = measurement, run


def run_kernel(claim: Claim) -> Finding:
    """Ask Coq's kernel for the theorems of the claim."""
    from tangency.proofs_checks.kernel import rung

    assert not isinstance(claim.kernel, NotApplicable)
    return rung.run_kernel(claim.kernel)


def run_algebra(claim: Claim) -> Finding:
    """Build the proof and check every step, and that it stands for a theorem; the steps are the examples."""
    assert not isinstance(claim.algebra, NotApplicable)
    proof = claim.algebra()
    try:
        proof.check()
        fault = "" if isinstance(claim.kernel, NotApplicable) else walk.astray(proof, claim.kernel)
    except Violation as violation:
        fault = str(violation)
    return _finding(Verdict.FAILS if fault else Verdict.HOLDS, examples=len(proof.steps), detail=fault)


def run_necessity(claim: Claim) -> Finding:
    """Every stored counterexample must refute the claim without its hypothesis."""
    refuted, excused = 0, dict[str, list[str]]()
    for hypothesis in claim.hypotheses:
        if isinstance(hypothesis.needed, NotApplicable):
            excused.setdefault(hypothesis.needed.why, []).append(hypothesis.name)
            continue
        try:
            refutation = refutation_of(claim, hypothesis)
        except Violation as violation:
            detail = f"the counterexample to {hypothesis.name!r} does not meet the other hypotheses: {violation}"
            return _finding(Verdict.FAILS, examples=refuted, detail=detail)
        if not refutation.refutes:
            detail = (
                f"without {hypothesis.name!r} ({hypothesis.text}) the claim still holds in its stored counterexample: "
                f"{refutation.what} is {refutation.actual}, as predicted"
            )
            return _finding(Verdict.FAILS, examples=refuted, detail=detail)
        refuted += 1
    detail = "; ".join(f"{', '.join(names)}: {why}" for why, names in excused.items()) or (
        "" if refuted else "the claim has no hypotheses"
    )
    return _finding(Verdict.HOLDS if refuted else Verdict.DOES_NOT_APPLY, examples=refuted, detail=detail)


def run_search(claim: Claim, rung: Rung, examples: int, options: Options) -> Finding:
    """The exact or the ball rung on generated problems."""
    evidence: Search = getattr(claim, rung.value)
    names = (claim.id, rung.value, "")
    found = search(evidence.problems, evidence.check, _budget(names, examples, options), _key(names))
    result = _judge(found)
    return result if found.violation is None else replace(result, counterexample=repr(found.problem))


def attack(claim: Claim, broken: Collection[str], subject: Subject, options: Options) -> Finding:
    """The implementation rung: trials of a real optimizer, every measurement against its bound.

    Raises:
        Fails: a measurement is above its bound; with what shows the same trial on another target.
    """
    evidence = claim.implementation
    assert isinstance(evidence, Attack)
    missing = evidence.requires - subject.capabilities
    if missing:
        raise Skip(f"{subject.name} does not offer what the claim is about: {', '.join(sorted(missing))}")
    worst: tuple[float, str] = (0.0, "")
    worst_ulps: float | None = None

    def check(trial: Trial) -> None:
        nonlocal worst, worst_ulps
        if subject.dtypes and trial.dtype not in subject.dtypes:
            raise NotOffered(f"it says nothing of {', '.join(subject.dtypes)}")
        run, measured = _measure(evidence, subject, trial)
        if not measured:
            reject()
        largest = max(measured, key=_ratio)
        if not _ratio(largest) <= 1:
            raise Exceeded(largest, run)
        worst = max(worst, (largest.ratio, f"{largest.what}, step {largest.step}, {trial.dtype}"))
        ulps = [m.ulps for m in measured if m.ulps is not None and math.isfinite(m.ulps)]
        worst_ulps = max([worst_ulps or 0.0, *ulps]) if ulps else worst_ulps
        target(largest.ratio, label="error/bound")

    profile = options.profile
    usual = profile.foreign if subject.foreign else profile.implementation
    names = (claim.id, Rung.IMPLEMENTATION.value, subject.name)
    budget = _budget(names, profile.mutant if subject.name in broken else usual, options)
    found = search(on_shapes(evidence.trials(subject), subject.shapes), check, budget, _key(names))
    if found.missing and not found.checked and found.violation is None:
        raise Skip(f"{subject.name}: {found.missing}")
    result = _judge(found)
    if not isinstance(found.violation, Exceeded):
        return replace(result, error=worst[0], error_at=worst[1], ulps=worst_ulps) if found.checked else result
    failure = found.violation
    raise Fails(
        result.detail,
        counterexample=repr(found.problem),
        script=_script(claim, subject, found.problem, failure) if options.shrink else "",
        again=Again(
            lambda other: _exceeds(evidence, other.subject, found.problem),
            failure.run,
            failure.measurement.step,
            lambda other, w, g: _exceeds(evidence, other.subject, resized(subject, found.problem, w, g)),
        ),
        examples=result.examples,
        error=_ratio(failure.measurement),
        error_at=f"{failure.measurement.what}, step {failure.measurement.step}, {found.problem.dtype}",
        ulps=failure.measurement.ulps,
    )


def _exceeds(evidence: Attack, subject: Subject, trial: Trial) -> bool:
    """Whether a trial of a subject has a measurement above its bound; one that says nothing has none."""
    try:
        return any(not _ratio(measurement) <= 1 for measurement in _measure(evidence, subject, trial)[1])
    except (*UNDECIDED, UnsatisfiedAssumption):
        return False


def _measure(attack: Attack, subject: Subject, trial: Trial) -> tuple[Run, list[Measurement]]:
    """Run and measure; an optimizer that raises is infinitely wrong, unless it is a foreign one."""
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


def _judge(found: Found) -> Finding:
    if found.violation is not None:
        note = " (not every time: the same problem passed once)" if found.flaky else ""
        return _finding(Verdict.FAILS, examples=found.checked + 1, detail=f"{found.violation}{note}")
    if found.shortfall:
        return _finding(Verdict.UNDECIDED, examples=found.checked, detail=found.shortfall)
    notes = [f"these are all {found.checked} problems that there are"] * found.exhausted
    notes += [f"{found.undecided} more problems were undecided: {found.why}"] * bool(found.undecided)
    return _finding(Verdict.HOLDS, examples=found.checked, detail="; ".join(notes))


def _budget(names: tuple[str, ...], examples: int, options: Options) -> Budget:
    return Budget(examples, derive_seed(options.seed, *names), options.database, options.shrink)


def _key(names: tuple[str, ...]) -> str:
    return "/".join(("tangency", *names))


def _finding(verdict: Verdict, *, examples: int = 0, detail: str = "") -> Finding:
    return Finding("", verdict, examples=examples, detail=detail)
