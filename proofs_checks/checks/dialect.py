"""Which dialect a target speaks, and every step of it against that dialect, with running error bounds."""

from dataclasses import replace
from functools import partial

from tangency.proofs_checks.checks.rungs import as_claim, attack
from tangency.proofs_checks.claim import Attack, Severity, Verdict
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Check, Fails, Finding
from tangency.proofs_checks.fit.curves import curves
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.generate import strategies
from tangency.proofs_checks.generate.trials import Run
from tangency.proofs_checks.measure.spoken import StepOf, measure, results_of
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.target.target import Target


def run(target: Target, options: Options) -> Finding:
    """The fit, every step against it, and curves."""
    fitted = fit(target)
    if not target.algorithm.choices:
        return replace(_attack(target, target.algorithm.step, options), fit=fitted)
    whole = target.algorithm.paper.but(**fitted.dialect)
    slips = tuple(one for one in fitted.departures if one.slip)
    changed = {choice: value for choice, value in options.pinned.items() if fitted.dialect.get(choice) != value}
    # Every step against the dialect that it should speak: where it does not, that is the counterexample.
    due = {k: v for k, v in changed.items() if v in target.algorithm.values_of(k)}
    expected = whole.but(**{**{one.choice: one.paper for one in slips}, **due})
    found = _attack(target, partial(step, expected), options)
    if not fitted.explained:
        like = f"it looks like this: {fitted.looks_like} " * bool(fitted.looks_like)
        wrong = f"{like}No known dialect explains it; it leaves the nearest at {fitted.leaves_at}"
        found = replace(found, verdict=Verdict.FAILS, detail=wrong)
    elif changed:
        pinned = [f"{k} is {fitted.dialect.get(k, 'not there')!r}, pinned as {v!r}" for k, v in changed.items()]
        wrong = f"it does not speak the pinned dialect: {'; '.join(pinned)}"
        found = replace(found, verdict=Verdict.FAILS, detail=wrong)
    elif slips:
        more = _attack(target, partial(step, whole), options)
        if more.verdict is not Verdict.FAILS:
            wrong = f"but for a slip, it speaks a known dialect: {'; '.join(one.slip for one in slips)}"
            more = replace(found, verdict=Verdict.FAILS, detail=wrong, because=slips)
        found = more
    return replace(found, fit=fitted, curves=curves(target, whole))


CHECK = Check(
    "dialect",
    "every step is that of one known dialect, in every shape, layout and precision",
    Severity.ALGORITHM,
    "§3.1, Algorithms 1 and 2; the dialects of published implementations",
    "A step that no dialect explains is an error of its own, or an algorithm of its own: nobody who knows the paper "
    "or the published code can predict it.",
    run,
)


def _attack(target: Target, made: StepOf, options: Options) -> Finding:
    """Every step against that of a dialect, or of an algorithm that has none."""
    evidence = Attack(
        frozenset(),
        # Layouts are asked about elsewhere: a target that refuses one has its steps compared all the same.
        lambda subject: strategies.trials(subject, dtypes=strategies.dtypes_of(subject, strategies.COMPUTED)).map(
            lambda trial: replace(trial, layout="contiguous", grad_layout="contiguous")
        ),
        partial(measure, made),
        shown=partial(_shown, made),
    )
    claim = as_claim(CHECK, "w_{t+1} is the dialect's, to within the rounding of its lines", evidence)
    try:
        return attack(claim, (), target.subject, options)
    except Fails as failure:
        return failure.finding


def _shown(made: StepOf, run: Run, step: int) -> tuple[Run, list[tuple[str, Floats, Floats]]]:
    return run, [("the dialect", *list(results_of(made, run))[step])]
