"""Runs whose updates are told apart into their parts, as the ledger's letters: any gradients, schedule and decay."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import flint
import numpy as np
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.generate.invariant_problems import objective_descents
from tangency.proofs_checks.statement.evaluate import Gradients, Values
from tangency.theory.algorithms import Algorithm, Step, adam, adamp, adamw, sgdp
from tangency.theory.fields import EXACT, Array
from tangency.theory.ledger import ADAM, MOMENTUM, Moment, Parts, parts_of
from tangency.theory.projection import View


class Taken(NamedTuple):
    """One step of a run: the weights and the gradient of the loss before it, the step, and its hyper-parameters."""

    w: Array
    g: Array
    step: Step
    hyper: dict[str, Any]


class Kept(NamedTuple):
    """A run, the moment of its algorithm, and λ of coupled weight decay; f, where its gradients are of one."""

    steps: Sequence[Taken]
    moment: Moment
    coupled: Any = 0
    f: Gradients | None = None


ADAMS: dict[str, Algorithm] = {"adam": adam, "adamw": adamw, "adamp": adamp}


def parts(run: Kept, one: Taken) -> Parts:
    """What the update of a step is made of."""
    return parts_of(EXACT, run.moment, one.w, one.g, one.step, one.hyper, run.coupled)


def of_run(run: Kept) -> list[Values]:
    """A run as the letters of each theorem."""
    steps = [one.step for one in run.steps]
    made = [parts(run, one) for one in run.steps]
    beta, share = run.moment.shares(EXACT, run.steps[0].hyper)
    schedule = {"s": [step.shrink for step in steps], "η": [step.lr for step in steps]}
    weights = [one.w for one in run.steps] + [steps[-1].w]
    found: list[Values] = [
        {
            **schedule,
            "w": flat(weights),
            "a": flat(part.fresh for part in made),
            "b": flat(part.memory for part in made),
            "d": flat(part.pull for part in made),
        }
    ]
    found += projected_rows(run, schedule, weights)
    if not all(schedule["s"]):
        return found
    kept = {**schedule, "σ": [*accumulate(schedule["s"], lambda x, y: x * y, initial=EXACT.element(1))]}
    momentum = {**kept, "β": beta, "τ": 1 - share, "w": flat(weights)}
    given = [one.g + run.coupled * one.w for one in run.steps]
    buffers = [step.state[run.moment.buffer] for step in steps]
    found.append({**momentum, "g": flat(given), "p": flat(buffers), "u": flat(step.q for step in steps)})
    if run.f is not None and not run.steps[0].hyper.get("nesterov"):
        found.append({**momentum, "f": run.f, "g": flat(given), "a": found[0]["a"], "b": found[0]["b"]})
    return found


def flat(arrays: Iterable[Array]) -> list[Array]:
    """Every array as one row."""
    return [np.asarray(x).ravel() for x in arrays]


def projected_rows(run: Kept, schedule: Values, weights: list[Array]) -> list[Values]:
    """The rows of a run that is projected in one view throughout, with the parts as they were before."""
    views = {one.step.view for one in run.steps}
    if len(views) > 1 or View.NONE in views:
        return []
    (view,) = views
    plain = [
        parts(run, one._replace(step=Step(one.step.w, one.step.state, one.step.p, one.step.p, one.step.lr)))
        for one in run.steps
    ]
    rows = [view.rows(w) for w in weights]
    fresh, memory = ([view.rows(getattr(part, name)) for part in plain] for name in ("fresh", "memory"))
    return [
        {**schedule, "w": [w[i] for w in rows], "a": [a[i] for a in fresh], "b": [b[i] for b in memory]}
        for i in range(len(rows[0]))
    ]


DECAYS = st.sampled_from([flint.fmpq(0), flint.fmpq(0), flint.fmpq(1, 4), flint.fmpq(1, 100)])


@st.composite
def descents(draw: st.DrawFn) -> Kept:
    """Momentum with every schedule, dampening, Nesterov and both kinds of weight decay, down fields and objectives."""
    runs = st.one_of(problems.skew_descents(momentum=True, max_steps=30), objective_descents(momentum=True))
    hyper = {"dampening": st.sampled_from([flint.fmpq(0), flint.fmpq(1, 2)]), "nesterov": st.booleans()}
    descent = draw(problems.scheduled(problems.with_hyper(runs, weight_decay=DECAYS, **hyper)))
    coupled = draw(DECAYS)
    field = descent.gradient
    pulled = problems.ScheduledDescent(
        descent.w, lambda w: field(w) + coupled * w, descent.steps, descent.hyper, descent.factors
    )
    history = [Taken(w, field(w), step, descent.hyper) for w, step in pulled.run(sgdp)]
    f = None if coupled else Gradients(field, [one.w for one in history])
    return Kept(history, MOMENTUM, coupled, f)


@st.composite
def tensor_runs(draw: st.DrawFn) -> Kept:
    """A few steps of SGDP, and of Adam and its relatives at β₂ = 0, where they are rational: gradients at any angle."""
    name = draw(st.sampled_from(("sgdp", *ADAMS)))
    hyper = {"lr": problems.step_sizes(), "nesterov": st.booleans()}
    if name != "adam":
        hyper["weight_decay"] = DECAYS
    if name in ("sgdp", "adamp"):
        hyper |= {"view": st.sampled_from((View.CHANNEL, View.LAYER, None)), "wd_ratio": problems.rationals(0, 1)}
    if name == "sgdp":
        hyper["momentum"] = problems.momenta()
    else:
        hyper |= {
            "betas": st.tuples(problems.momenta(), st.just(EXACT.element(0))),
            "eps": problems.positive_rationals(1),
        }
    run = draw(problems.tensor_runs(st.fixed_dictionaries(hyper), max_elements=12))
    history = run.run(sgdp if name == "sgdp" else ADAMS[name])
    steps = [Taken(w, g, step, run.hyper) for (w, step), g in zip(history, run.gradients, strict=True)]
    return Kept(steps, MOMENTUM if name == "sgdp" else ADAM)
