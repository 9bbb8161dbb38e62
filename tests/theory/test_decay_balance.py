"""Weight decay against norm growth: the closed forms where the norm stands still, and the way there."""

from fractions import Fraction

from tangency.theory.algorithms import sgdp
from tangency.theory.decay_balance import (
    decayed_square,
    decayed_squares,
    standing_cosine,
    standing_square,
    standing_squared_step,
)
from tangency.theory.fields import EXACT
from tangency.theory.projection import View, turned

LR, DECAY = Fraction(1, 10), Fraction(1, 5)


def test_the_standing_square_stands_still_and_draws_every_other_norm() -> None:
    standing = standing_square(LR, DECAY, Fraction(3))
    assert decayed_square(LR, DECAY, standing, 3) == standing
    first, *_, last = decayed_squares([LR] * 50, [DECAY] * 50, standing + 7, [3] * 50)
    assert (first, last) == (standing + 7, standing + 7 * (1 - LR * DECAY) ** 100)


def test_a_step_that_stands_still_turns_by_its_step_size_and_decay_alone() -> None:
    # 1 − ηλr/(1−β) = 4/5, and ‖ηq‖ = 3/5 ‖w‖.
    w = EXACT.array([[3, 4]])
    hyper = {"lr": 0.5, "weight_decay": Fraction(2, 5), "wd_ratio": 1, "view": View.LAYER}
    step = sgdp(EXACT, w, Fraction(6, 5).numerator * turned(w) / 5, **hyper)
    after = step.w.ravel()
    assert after @ after == 25
    assert (w.ravel() @ after) / 25 == standing_cosine(
        EXACT.element(0.5), step.shrink * 0 + EXACT.element(Fraction(2, 5))
    )
    chord = (after - w.ravel()) / 5
    assert chord @ chord == standing_squared_step(EXACT.element(0.5), EXACT.element(Fraction(2, 5)))


def test_closed_forms_follow_a_run_of_sgdp() -> None:
    hyper = {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.25, "view": View.LAYER}
    w, state, squares, steps = EXACT.array([[3, 4, 1]]), {}, [EXACT.element(26)], []
    for _ in range(3):
        step = sgdp(EXACT, w, turned(w) + 1, state, **hyper)
        w, state = step.w, step.state
        steps.append(step)
        squares.append((w * w).sum())
    decays = [(1 - step.shrink) / step.lr for step in steps]
    updates = [(step.q * step.q).sum() for step in steps]
    assert decayed_squares([step.lr for step in steps], decays, squares[0], updates) == squares
