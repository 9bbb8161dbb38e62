"""How a check of steps is written: trials with a known answer, run on the target and compared with the exact step."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tangency.proofs_checks.checks import reproducer
from tangency.proofs_checks.checks.comparisons import Comparison, Miss, step_is_right
from tangency.proofs_checks.checks.experiment import usual_hyper
from tangency.proofs_checks.checks.rungs import as_claim
from tangency.proofs_checks.claim import Severity, Verdict
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Again, Check, Fails, Finding, Skip
from tangency.proofs_checks.generate.execution import Crash, execute
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.generate.trials import Gradient, Measurement, Run, Trial
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.target.target import Target

# With it ε is out of play where a check is about something else: far below every norm that the check uses.
NO_EPS = {"eps": 2.0**-100}


@dataclass(frozen=True)
class Case:
    """A trial and how its last step is judged.

    Attributes:
        says: the input, in words.
        trial: what is run.
        judge: looks at the last step of the run.
        control: the same in ordinary circumstances: where the target's step is not the algorithm's there either, the
            case tells nothing, since whatever is wrong has nothing to do with the input that the check is about. If
            there is none, one step along the weights under the same hyper-parameters.
    """

    says: str
    trial: Trial
    compare: Comparison
    control: Trial | None = None


def against_spec(
    id: str,
    title: str,
    source: str,
    why: str,
    *,
    severity: Severity = Severity.ALGORITHM,
    projects: bool = False,
) -> Callable[[Callable[[Target], Iterable[Case]]], Check]:
    """Make a check of a function that lists cases for a target.

    Args:
        id, title, source, why, severity: of the check.
        projects: it is about targets that project.
    """
    facts = Check(id, title, severity, source, why)

    def wrap(cases: Callable[[Target], Iterable[Case]]) -> Check:
        def run(target: Target, options: Options) -> Finding:
            if projects and not target.algorithm.projects:
                raise Skip(f"{target.algorithm.name} does not project")
            if target.algorithm.update.on_sphere:
                raise Skip("it is about the steps of SGD, Adam and what projects them")
            return _run_cases(facts, target, cases(target))

        return replace(facts, run=run)

    return wrap


def _run_cases(check: Check, target: Target, cases: Iterable[Case]) -> Finding:
    """Run the cases; the first that misses is the failure."""
    count, measurements = 0, []
    off: str = ""
    for case in cases:
        count += 1
        run = _run(check, target, case)
        at = len(case.trial.gradients) - 1
        if len(run.records) <= at:
            _require_finite(check, run, case)
            raise Skip("its state cannot be read, so that nothing but its first step can be compared")
        _require_finite(check, run, case)
        found = case.compare(run, at)
        if isinstance(found, Miss):
            if _is_off(target, case.control or _ordinary(case.trial)):
                off = (
                    "finite, but neither this step nor an ordinary one is the algorithm's: that is no matter of inputs"
                )
                continue
            raise _failure(check, run, case, found)
        measurements.append(found)
    if not count:
        raise Skip("there is no case of it for this target")
    ratio = max((m.ratio for m in measurements), default=None)
    ulps = max((m.ulps or 0.0 for m in measurements), default=None)
    return Finding("", Verdict.HOLDS, detail=off, examples=count, error=ratio, ulps=ulps)


def _run(check: Check, target: Target, case: Case) -> Run:
    try:
        return execute(target.subject, case.trial)
    except Crash as crash:
        raised = f"{type(crash.error).__name__}: {crash.error}"
        nothing = Measurement("w", len(crash.run.records) - 1, math.nan, math.nan, math.nan, 0.0)
        miss = Miss(f"raised {raised}", "no exception", raised, nothing)
        raise _failure(check, crash.run, case, miss) from crash


def _ordinary(made: Trial) -> Trial:
    # With δ as it is by default: where it is extreme, it is what the check is about.
    given = {name: value for name, value in made.hyper.items() if name != "delta"}
    return trial((3, 4), weights(3, 4), (radial,), given)


def _is_off(target: Target, control: Trial) -> bool:
    try:
        run = execute(target.subject, control)
    except Crash:
        return True
    at = len(control.gradients) - 1
    return len(run.records) <= at or isinstance(step_is_right(run, at), Miss)


def _require_finite(check: Check, run: Run, case: Case) -> None:
    for record in run.records:
        for name, values in {"the weights": record.w_after, **record.state_after}.items():
            if not np.isfinite(values).all():
                bad = float(np.ravel(values)[~np.isfinite(np.ravel(values))][0])
                worst = Measurement(name, record.index, bad, math.nan, math.inf, 0.0)
                miss = Miss(f"{name} are not finite after step {record.index + 1}", "finite", str(bad), worst)
                raise _failure(check, run, case, miss)


def _failure(check: Check, run: Run, case: Case, miss: Miss) -> Fails:
    claim = as_claim(check, check.why)
    script = reproducer.script(claim, run.subject, run.trial, run, miss.worst) if run.records else ""
    return Fails(
        f"{case.says}: {miss.detail}",
        again=Again(lambda other: _misses(check, other, case)),
        expected=miss.expected,
        got=miss.got,
        counterexample=shown(run.trial, run),
        script=script,
    )


def _misses(check: Check, target: Target, case: Case) -> bool:
    """Whether a case is a failure of a target."""
    try:
        _run_cases(check, target, [case])
    except Fails:
        return True
    except Skip:
        return False
    return False


def shown(trial: Trial, run: Run) -> str:
    """A trial as text, its gradients as they were; long ones shortened."""

    def short(values: Any) -> str:
        text = ", ".join(f"{x:.9g}" for x in np.ravel(values)[:12])
        return f"[{text}{', …' if np.size(values) > 12 else ''}]"

    gradients = ["none" if g is None else short(g) for g in map(run.given, run.records)]
    hyper = ", ".join(f"{name}={value!r}" for name, value in trial.hyper.items())
    return f"shape {trial.shape}, {trial.dtype}, w = {short(trial.w)}, g = {'; '.join(gradients)}, {hyper}"


def hyper(target: Target, if_offered: Mapping[str, Any] | None = None, **fixed: Any) -> dict[str, Any]:
    """Ordinary hyper-parameters of a trial; those ``if_offered`` that the target takes; then ``fixed``."""
    found = usual_hyper(target)
    if "momentum" in target.algorithm.defaults:
        found = {"momentum": 0.0, **found}
    if target.offers("weight_decay"):
        found = {"weight_decay": 0.0, **found}  # AdamW's own default is another
    found |= {k: v for k, v in (if_offered or {}).items() if target.offers(k) and target.names[k] not in target.options}
    return {**found, **fixed}


def for_gradients_of(target: Target, exponent: int, if_offered: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Hyper-parameters with a step size under which gradients around 2^``exponent`` make steps of ordinary length."""
    given, degree, grows = hyper(target, if_offered), target.algorithm.update.degree, 0
    if degree == 1:
        grows = -exponent
    elif degree == 0:  # g/(|g| + ε) is small where ε is the larger
        eps = {**target.algorithm.defaults, **given}.get("eps")
        grows = max(0, math.ceil(math.log2(eps)) - exponent) if eps else 0
    return {**given, "lr": 2.0 ** (grows - 3)}


def trial(
    shape: tuple[int, ...], w: Any, gradients: Iterable[Gradient | Floats], given: Mapping[str, Any], **more: Any
) -> Trial:
    """A trial in float64 unless ``more`` says otherwise; arrays count as flat tuples."""
    taken = tuple(tuple(np.ravel(g).tolist()) if isinstance(g, np.ndarray) else g for g in gradients)
    return Trial(shape, more.pop("dtype", "float64"), tuple(np.ravel(w).tolist()), taken, dict(given), **more)


def weights(*shape: int) -> Floats:
    """Weights without any symmetry, all rows at an angle to each other."""
    values: Floats = np.abs(spread(*shape).cpu().numpy()) * (
        1 - 2 * (np.arange(math.prod(shape)) % 5 == 0).reshape(shape)
    )
    return values


def radial(w: Floats) -> Floats:
    """A gradient along the weights of each channel, which is never projected and leaves a radial part in the momentum.

    Its length differs by channel, so that no two views take the same part away.
    """
    if w.ndim < 2:
        return w / 2
    scales = (1 + np.arange(len(w)).reshape(-1, *(1,) * (w.ndim - 1))) / 2
    along: Floats = w * scales
    return along


def delta_of(given: dict[str, Any]) -> float:
    """δ of a trial."""
    return float(given.get("delta", 0.1))


def after_radial(target: Target, gradient: Gradient, first: Gradient = radial) -> tuple[Gradient, ...]:
    """A gradient that follows one along the weights, so that the update has a radial part whatever the gradient is.

    An update that is no multiple of the gradient has one in any case: where the state cannot be read, one step will do.
    """
    return (gradient,) if target.algorithm.update.degree == 0 and not target.buffers else (first, gradient)
