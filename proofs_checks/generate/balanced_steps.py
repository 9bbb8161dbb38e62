"""Steps with weight decay and momentum as letters, by the executable spec: those that balance, and any others."""

from typing import Any, NamedTuple

import flint
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.generate.trials import BALLS
from tangency.proofs_checks.statement.evaluate import Values
from tangency.theory.algorithms import Step, adamw, heavy_ball, sgdp
from tangency.theory.equilibrium import coupled_cosine, decoupled_cosine, matching_ratio
from tangency.theory.fields import EXACT, Array, Field
from tangency.theory.projection import View, turned


class Balance(NamedTuple):
    """A step from w, and the gradient after it.

    Attributes:
        rule: ``coupled`` (SGD), or of decoupled decay ``sgdp`` or ``adamw``.
        w: the weights before it, of an even dimension if the step is to balance.
        update: what moves them; ``None``: the update with which norm and radial component stand still.
        fresh: how long the tangent gradient after it is, over ‖w'‖.
        lr, decay, momentum, dampening: η, λ as it acts on the step, β, τ.
        ratio: some r.
    """

    rule: str
    w: Array
    update: Array | None
    fresh: Any
    lr: Any
    decay: Any
    momentum: Any
    dampening: Any
    ratio: Any


def letters(one: Balance, field: Field = EXACT) -> list[Values]:
    """The step as letters, and of decoupled decay two wd_ratios, the one that matches it first."""
    with field.context():
        w, lr, decay, beta, tau = field.array(one.w), *map(field.element, one[4:8])
        shrink = 1 - lr * decay
        first = _step(field, one, w, _update(field, one) / (1 - tau), {})
        tangent = field.element(one.fresh) * turned(first.w)
        second = _step(field, one, first.w, tangent + (decay * first.w if one.rule == "coupled" else 0), first.state)
        buffer = second.state["exp_avg" if one.rule == "adamw" else "momentum_buffer"]
        moved: Values = {"η": lr, "β": beta, "τ": tau, "w": w, "g'": tangent, "w'": first.w}
        if one.rule == "coupled":
            return [{**moved, "λ": decay, "p": first.p, "p'": buffer}]
        ratios = matching_ratio(shrink, beta), field.element(one.ratio)
        turns: list[Values] = [{"η": lr, "λ": decay, "β": beta, "r": ratio} for ratio in ratios]
        return [{**moved, "s": shrink, "u": first.q, "u'": buffer}, *turns]


def in_balls(one: Balance) -> list[Values]:
    """The same in balls, where angles and unit vectors are numbers too."""
    return letters(one, BALLS)


def _update(field: Field, one: Balance) -> Array:
    """The update of the step: the given one, or the one that turns w as far as theory/ says."""
    if one.update is not None:
        return field.array(one.update)
    w, lr, decay, beta, tau = field.array(one.w), *map(field.element, one[4:8])
    coupled, shrink = one.rule == "coupled", 1 - lr * decay
    cosine = coupled_cosine(lr, decay, beta, tau) if coupled else decoupled_cosine(shrink, beta)
    sine = field.sqrt(1 - cosine * cosine)
    after = cosine * w + sine * turned(w)
    found: Array = ((w if coupled else shrink * w) - after) / lr
    return found


def _step(field: Field, one: Balance, w: Array, g: Array, state: Any) -> Step:
    """A step of the spec. Adam's denominator is ε = 1 throughout where β₂ = 1 and nothing is corrected."""
    if one.rule == "adamw":
        betas = {"betas": (one.momentum, 1), "eps": 1, "bias_correction": False}
        return adamw(field, w, g, state, lr=one.lr, weight_decay=one.decay, **betas)
    momentum = {"lr": one.lr, "momentum": one.momentum, "dampening": one.dampening}
    if one.rule == "coupled":
        return heavy_ball(field, w, g, state, **momentum)
    return sgdp(field, w, g, state, weight_decay=one.decay * (1 - one.momentum), view=View.NONE, **momentum)


@st.composite
def steps(draw: st.DrawFn, *, balanced: bool, rational: bool = True) -> Balance:
    """Steps of each rule.

    Args:
        balanced: whether norm and radial component stand still.
        rational: whether the sine of the angle has to be rational where they do.
    """
    rule = draw(st.sampled_from(("coupled", "sgdp", "adamw")))
    lr, beta, ratio = draw(problems.step_sizes()), draw(problems.momenta()), draw(problems.positive_rationals(1))
    tau = beta if rule == "adamw" else draw(st.sampled_from([flint.fmpq(p, q) for p, q in ((0, 1), (1, 2), (9, 10))]))
    decay = draw(problems.positive_rationals(1)) / lr
    if balanced and rational:
        slope = draw(st.sampled_from([flint.fmpq(p, q) for p, q in ((1, 1), (1, 2), (2, 1), (5, 1), (10, 1))]))
        if rule == "coupled":
            decay = 2 / (1 + slope**2) * (1 + beta) / (lr * (1 - tau))  # 1 − cos = 2/(1 + slope²)
        else:
            decay = 2 * (1 - beta**2) / (slope**2 + 1 - beta**2) / lr  # (1 − s²)(1 − β²) is a square
    dim = 2 * draw(st.integers(1, 4)) if balanced else draw(problems.dimensions(8))
    w = draw(problems.vectors(dim, nonzero=True))
    update = None if balanced else draw(problems.vectors(dim))
    return Balance(rule, w, update, draw(problems.rationals(-2, 2)), lr, decay, beta, tau, ratio)
