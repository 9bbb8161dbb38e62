"""Runs on tangent updates with weight decay, as letters: projected ones, schedules, and those with a known limit."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple

import flint
import numpy as np
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.generate.trials import BALLS
from tangency.proofs_checks.statement.evaluate import Values
from tangency.theory.algorithms import sgdp
from tangency.theory.decay_balance import standing_square
from tangency.theory.fields import EXACT, Array, Field
from tangency.theory.projection import View, turned


class Tangents(NamedTuple):
    """A run on tangent updates: w_0, …, w_T, of every step q, η and λ, and further letters of the whole run."""

    weights: list[Array]
    updates: list[Array]
    lrs: list[Any]
    decays: list[Any]
    more: Mapping[str, Any] = MappingProxyType({})


def letters(run: Tangents, field: Field = EXACT) -> list[Values]:
    """A run and each of its steps as letters."""
    weights, updates = ([field.array(x) for x in vectors] for vectors in (run.weights, run.updates))
    lrs, decays = ([field.element(x) for x in numbers] for numbers in (run.lrs, run.decays))
    moved = zip(lrs, decays, weights, updates, weights[1:], strict=False)
    found: list[Values] = [{"η": η, "λ": λ, "w": w, "q": q, "w'": after} for η, λ, w, q, after in moved]
    path = {"w_": weights, "q_": updates}
    factors = [1 - η * λ for η, λ in zip(lrs, decays, strict=True)]
    if all(factors):
        sigma = [*accumulate(factors, lambda x, y: x * y, initial=field.element(1))]
        found.append({"η_": lrs, "λ_": decays, "σ_": sigma, **path})
    if run.more:
        found.append({"η": lrs[0], "λ": decays[0], **run.more, **path})
    return found


def in_balls(run: Tangents) -> list[Values]:
    """The same in balls, where angles and unit vectors are numbers too."""
    with BALLS.context():
        return letters(run, BALLS)


def after(w: Array, q: Array, lr: Any, decay: Any) -> Array:
    """(1 − ηλ)w − ηq."""
    moved: Array = (1 - lr * decay) * w - lr * q
    return moved


def taken(w: Array, updates: Sequence[Callable[[Array], Array]], lr: Any, decay: Any, **more: Any) -> Tangents:
    """A run with constant η and λ."""
    weights, found = [w], []
    for update in updates:
        found.append(update(weights[-1]))
        weights.append(after(weights[-1], found[-1], lr, decay))
    return Tangents(weights, found, [lr] * len(found), [decay] * len(found), more)


SLOPES = st.sampled_from([flint.fmpq(1, n) for n in (3, 4, 5, 10)] + [flint.fmpq(2, 5)])


@st.composite
def steps(draw: st.DrawFn) -> Tangents:
    """The rows of projected steps of SGDP with weight decay, one after the other."""
    hyper = st.fixed_dictionaries(
        {
            "lr": problems.step_sizes(),
            "momentum": problems.momenta(),
            "weight_decay": problems.rationals(0, 1),
            "wd_ratio": problems.rationals(0, 1),
            "view": st.just(View.LAYER),
        }
    )
    history = draw(problems.tensor_runs(hyper, max_elements=8)).run(sgdp)
    weights = [*(w.ravel() for w, _ in history), history[-1][1].w.ravel()]
    lrs = [step.lr for _, step in history]
    decays = [(1 - step.shrink) / step.lr for _, step in history]
    return Tangents(weights, [step.q.ravel() for _, step in history], lrs, decays)


@st.composite
def schedules(draw: st.DrawFn) -> Tangents:
    """Gradient descent with decay along skew-symmetric fields, with step sizes that change."""
    decays = st.sampled_from([flint.fmpq(1, 4), flint.fmpq(1, 10), flint.fmpq(0)])
    descents = problems.with_hyper(problems.skew_descents(momentum=False, max_steps=40), weight_decay=decays)
    run = draw(problems.scheduled(descents))
    history = run.run(sgdp)
    weights = [*(w for w, _ in history), history[-1][1].w]
    lrs = [step.lr for _, step in history]
    return Tangents(weights, [step.q for _, step in history], lrs, [run.hyper["weight_decay"]] * len(lrs))


@st.composite
def standing(draw: st.DrawFn) -> Tangents:
    """A step that turns w, by an angle whose cosine and sine are rational, and leaves its norm as it is."""
    slope, lr = draw(SLOPES), draw(problems.step_sizes())
    w = draw(problems.vectors(2 * draw(st.integers(1, 4)), nonzero=True))
    cosine, sine = (1 - slope**2) / (1 + slope**2), 2 * slope / (1 + slope**2)
    return taken(w, [lambda w: sine / lr * turned(w)], lr, (1 - cosine) / lr)


@st.composite
def of_one_length(draw: st.DrawFn) -> Tangents:
    """Updates of one length, each in a direction of its own."""
    count, size = draw(st.integers(1, 6)), draw(problems.positive_rationals())
    lr = draw(problems.step_sizes())
    decay = draw(problems.positive_rationals(1)) / lr
    w = EXACT.zeros((count + 2,))
    w[:2] = draw(problems.vectors(2))
    directions = np.eye(count + 2, dtype=int)[2:]
    updates = [lambda w, one=one: size * EXACT.array(one) for one in directions]
    square = size * size
    return taken(w, updates, lr, decay, Q=square, W=standing_square(lr, decay, square))


@st.composite
def on_an_orbit(draw: st.DrawFn) -> Tangents:
    """Updates with ‖w‖‖q‖ constant, at an η and λ for which the norm that stands still is rational."""
    slope, lr, size = draw(SLOPES), draw(problems.step_sizes()), draw(problems.positive_rationals())
    w = draw(problems.vectors(2 * draw(st.integers(1, 3)), nonzero=True))
    cosine, sine = (1 - slope**2) / (1 + slope**2), 2 * slope / (1 + slope**2)
    updates = [lambda w: size / (w @ w) * turned(w)] * draw(st.integers(1, 4))
    # (1 − (1 − ηλ)²) W² = η²G with 1 − ηλ = cos and √G = size.
    return taken(w, updates, lr, (1 - cosine) / lr, G=size**2, W=lr * size / sine)
