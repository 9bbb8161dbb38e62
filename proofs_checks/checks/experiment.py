"""How a behaviour check is written: an experiment with an optimizer, as a function that a reproducer can carry."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from tangency.common.text import raised
from tangency.proofs_checks.checks.experiment_script import script
from tangency.proofs_checks.checks.tools import Inapplicable, Make, Wrong
from tangency.proofs_checks.claim import NotOffered, Severity
from tangency.proofs_checks.finding import Again, Check, Fails, Skip
from tangency.proofs_checks.hyperparameters import LR, MOMENTUM, PROJECTION
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.target.target import Target

Experiment = Callable[..., Wrong | str | None]
HERE = os.path.dirname(os.path.abspath(__file__))
TORCH = ("torch",)
# Sources.
TORCH_OPTIM = "torch.optim: SGD, Adam and AdamW do so"
STEP = "torch.optim.Optimizer.step"


def behaviour(
    id: str,
    title: str,
    source: str,
    why: str,
    *,
    severity: Severity = Severity.BEHAVIOUR,
    kinds: tuple[str, ...] = (),
    alone: bool = False,
    free: bool = False,
    capability: str = "",
    needs: tuple[str, ...] = (),
    extra: Mapping[str, Any] | None = None,
) -> Callable[[Experiment], Check]:
    """Make a check of an experiment.

    The experiment gets a :class:`.Make` (and ``extra`` as keyword arguments) and returns a :class:`.Wrong`, a note, or
    nothing. What it raises inside the target, or inside a library that the target's objects are handed to, is a failure
    of the target; what it raises itself is our own error.

    Args:
        id, title, source, why, severity: of the check.
        kinds: of targets that it is about; empty: all optimizers.
        alone: it is about a projection alone too, which has no state, no groups and no arguments but its own.
        free: it is about algorithms that leave the weights free, not those that keep them on the sphere.
        capability: of targets that it is about; empty: any.
        needs: hyper-parameters without which it has nothing to ask.
        extra: keyword arguments of the experiment.
    """

    def wrap(experiment: Experiment) -> Check:
        def run(target: Target, options: Options) -> str | None:
            _applies(target, kinds, alone, free, capability, needs)
            make = make_of(target)
            wrong = _ask(experiment, make, extra)
            if not isinstance(wrong, Wrong):
                return wrong
            if target.base is not None and _goes_wrong(experiment, target.base, extra):
                raise Skip(f"its base does no better: {wrong.detail}")
            found = f"{wrong.detail}. Expected: {wrong.expected}. Got: {wrong.got}."
            more: dict[str, Any] = {"extra": extra or {}, "needs": (Make, Wrong)}
            raise Fails(
                wrong.detail,
                expected=wrong.expected,
                got=wrong.got,
                counterexample=wrong.input,
                script=script(target, make, experiment, title=title, why=why, found=found, **more),
                again=Again(lambda other: _goes_wrong(experiment, other, extra)),
            )

        return Check(id, title, severity, source, why, run)

    return wrap


def make_of(target: Target) -> Make:
    """What an experiment gets."""
    usual = usual_hyper(target)
    momentum, defaults = carries_momentum(target, usual), target.algorithm.defaults
    return Make(target.build, target.arguments, target.names, usual, momentum, defaults)


def _ask(experiment: Experiment, make: Make, extra: Mapping[str, Any] | None) -> Wrong | str | None:
    try:
        return experiment(make, **(extra or {}))
    except Inapplicable as reason:
        raise Skip(str(reason)) from None
    except (NotOffered, Fails, Skip):
        raise
    except Exception as error:
        return _blame(error)


def _goes_wrong(experiment: Experiment, target: Target, extra: Mapping[str, Any] | None) -> bool:
    try:
        return isinstance(_ask(experiment, make_of(target), extra), Wrong)
    except (Skip, NotOffered):
        return False


def usual_hyper(target: Target) -> dict[str, Any]:
    """Ordinary hyper-parameters: a step size, momentum where there is one, and what ``--set`` has fixed."""
    usual = {one.name: one.usual for one in (LR, MOMENTUM) if one is LR or target.offers(one.name)}
    for name, own in target.names.items():
        if isinstance(own, str) and own in target.options:
            usual[name] = target.options[own]
        elif isinstance(own, tuple) and all(part in target.options for part in own):
            usual[name] = tuple(target.options[part] for part in own)
    return usual


def carries_momentum(target: Target, usual: Mapping[str, Any]) -> bool:
    """Whether the update goes on without a gradient."""
    given = {**target.algorithm.defaults, **usual}
    return bool(target.algorithm.update.buffers and given.get("momentum", True))


def _applies(
    target: Target, kinds: tuple[str, ...], alone: bool, free: bool, capability: str, needs: tuple[str, ...]
) -> None:
    if target.kind == "projection":
        if not alone:
            raise Skip("it is about optimizers, not about a projection alone")
    elif kinds and target.kind not in kinds:
        raise Skip(f"it is about targets of kind {', '.join(kinds)}")
    if free and target.algorithm.update.on_sphere:
        raise Skip(f"{target.algorithm.name} keeps its weights on the sphere")
    if capability and capability not in target.capabilities:
        missing = "does not project" if capability == PROJECTION else f"has no {capability} update"
        raise Skip(f"{target.algorithm.name} {missing}")
    for name in needs:
        if not target.offers(name):
            raise Skip(f"it takes no {name}")


def _blame(error: Exception) -> Wrong:
    """What the target raised, at which of our lines; our own error is raised again."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if os.path.dirname(os.path.abspath(frame.filename)) == HERE]
    missing = isinstance(error, AttributeError) and not hasattr(type(error.obj), "__torch_function__")
    # In tools.py it is what the target made of a parameter that does not bear the next step.
    if frames[-1] is ours[-1] and not missing and not ours[-1].filename.endswith("tools.py"):
        raise error
    lines = [frame for frame in ours if not frame.filename.endswith(("experiment.py", "tools.py"))] or ours
    what = raised(error)
    return Wrong(f"{lines[-1].line} raised {what}", "no exception", what)
