"""The angle at the balance of weight decay and momentum: a run that stays there, and the closed forms beside others."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from tangency.theory.algorithms import START, Step, adamw, heavy_ball, sgdp
from tangency.theory.decay_balance import standing_cosine, standing_squared_step
from tangency.theory.equilibrium import coupled_cosine, decoupled_cosine, matching_ratio, squared_step
from tangency.theory.fields import EXACT, Array
from tangency.theory.projection import View, turned

LR, BETA, TAU, ONE = map(EXACT.element, (0.5, Fraction(3, 5), 0.5, 1))
# The cosine is 35/37 for all three: 1 − ηλ(1−τ)/(1+β), and (s+β)/(1+βs) at s = 4/5.
COSINE, SINE = map(EXACT.element, (Fraction(35, 37), Fraction(12, 37)))
COUPLED, DECOUPLED = map(EXACT.element, (Fraction(64, 185), Fraction(2, 5)))


def sgd(w: Array, g: Array, state: Any) -> Step:
    """SGD with coupled decay."""
    return heavy_ball(EXACT, w, g + COUPLED * w, state, lr=LR, momentum=BETA, dampening=TAU)


def plain_sgdp(w: Array, g: Array, state: Any) -> Step:
    """SGDP that does not project."""
    decay = DECOUPLED * (1 - BETA)
    return sgdp(EXACT, w, g, state, lr=LR, momentum=BETA, dampening=TAU, weight_decay=decay, view=View.NONE)


def plain_adamw(w: Array, g: Array, state: Any) -> Step:
    """AdamW with 1 for its denominator."""
    rest = {"betas": (BETA, 1), "eps": 1, "bias_correction": False}
    return adamw(EXACT, w, g, state, lr=LR, weight_decay=DECOUPLED, **rest)


@pytest.mark.parametrize(
    ("step", "shrink", "tau", "coupled"),
    [(sgd, ONE, TAU, COUPLED), (plain_sgdp, 1 - LR * DECOUPLED, TAU, 0), (plain_adamw, 1 - LR * DECOUPLED, BETA, 0)],
)
def test_a_run_stays_at_the_balance(step: Callable[..., Step], shrink: Any, tau: Any, coupled: Any) -> None:
    # Every step turns w and its update by one angle; which gradients do that is solved for, and they are tangent.
    cosine = coupled_cosine(LR, COUPLED, BETA, tau) if coupled else decoupled_cosine(shrink, BETA)
    assert cosine == COSINE
    w, state, last = EXACT.array([3, 4, 1, 2]), START, None
    for t in range(5):
        ahead = cosine * w + SINE * turned(w)
        update = (shrink * w - ahead) / LR
        g = (update - (0 if last is None else BETA * last)) / (1 - tau) - coupled * w
        assert t == 0 or w @ g == 0
        taken = step(w, g, state)
        assert (taken.w == ahead).all()
        assert ((taken.w - w) @ (taken.w - w)) / (w @ w) == squared_step(cosine)
        w, state, last = taken.w, taken.state, update


def test_without_momentum_they_are_those_of_a_projected_step() -> None:
    lr, decay = Fraction(1, 10), Fraction(1, 5)
    assert decoupled_cosine(1 - lr * decay, 0) == standing_cosine(lr, decay)
    assert squared_step(coupled_cosine(lr, decay, 0)) == standing_squared_step(lr, decay)


def test_a_projected_step_of_the_matching_ratio_turns_as_far() -> None:
    lr, decay, beta = Fraction(1, 10), Fraction(1, 5), Fraction(9, 10)
    ratio = matching_ratio(1 - lr * decay, beta)
    assert standing_cosine(lr, decay * ratio) == decoupled_cosine(1 - lr * decay, beta)
    assert matching_ratio(1, beta) == Fraction(1, 19)
