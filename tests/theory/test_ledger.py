"""The ledger of a step: it closes in every field, and its entries are what the lemmas say where they apply."""

from fractions import Fraction
from typing import Any

import pytest

from tangency.theory.algorithms import START, Algorithm, adam, adamp, adamw, heavy_ball, sgdp
from tangency.theory.fields import EXACT, FLOAT64, Array, balls
from tangency.theory.ledger import ADAM, MOMENTUM, Ledger, Moment, ledgers, next_radial
from tangency.theory.norm_growth import discounted_sum
from tangency.theory.projection import View, turned

W = [[3, 4], [1, -2]]
HALF = Fraction(1, 2)
QUARTER = EXACT.element(0.25)


def history(
    algorithm: Algorithm, hyper: dict[str, Any], coupled: Any = 0, steps: int = 4, orthogonal: bool = False
) -> list[tuple[Array, Array, Any]]:
    """A run on gradients along and across the weights, or across them alone."""
    w, state, found = EXACT.array(W), START, []
    for t in range(steps):
        g = turned(w) if orthogonal else turned(w) + EXACT.array([[t, 1], [0, 2]])
        step = algorithm(EXACT, w, g + coupled * w, state, **hyper)
        found.append((w, g, step))
        w, state = step.w, step.state
    return found


ADAM_HYPER = {"lr": HALF, "betas": (HALF, 0), "eps": HALF}
RUNS: dict[str, tuple[Algorithm, dict[str, Any], Moment, Any]] = {
    "heavy ball": (heavy_ball, {"lr": HALF, "momentum": HALF, "dampening": HALF}, MOMENTUM, 0),
    "nesterov": (heavy_ball, {"lr": HALF, "momentum": HALF, "nesterov": True}, MOMENTUM, 0),
    "coupled decay": (heavy_ball, {"lr": HALF, "momentum": HALF}, MOMENTUM, QUARTER),
    "sgdp": (sgdp, {"lr": HALF, "momentum": HALF, "weight_decay": HALF, "view": View.CHANNEL}, MOMENTUM, 0),
    "adam": (adam, ADAM_HYPER, ADAM, 0),
    "adam, coupled decay": (adam, ADAM_HYPER, ADAM, QUARTER),
    "nadam": (adam, {**ADAM_HYPER, "nesterov": True}, ADAM, 0),
    "adamw": (adamw, {**ADAM_HYPER, "weight_decay": HALF, "bias_correction": False}, ADAM, 0),
    "adamp": (adamp, {**ADAM_HYPER, "weight_decay": HALF, "view": View.LAYER}, ADAM, 0),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_entries_of_a_run_add_up_to_its_growth(name: str) -> None:
    algorithm, hyper, moment, coupled = RUNS[name]
    run = history(algorithm, hyper, coupled)
    found = list(ledgers(EXACT, moment, run, hyper, coupled))
    total = sum(found[1:], start=found[0])
    first, last = run[0][0], run[-1][2].w
    assert total.growth == (last * last).sum() - (first * first).sum()
    assert found[0].memory == 0
    assert (total.decay == 0) == ("decay" not in name and "weight_decay" not in hyper)
    projected = "view" in hyper
    assert ((total.fresh, total.memory) == (0, 0)) == projected


def test_on_tangent_gradients_nothing_is_fresh_and_the_memory_is_that_of_lemma_2_2() -> None:
    hyper = {"lr": HALF, "momentum": Fraction(1, 3)}
    run = history(heavy_ball, hyper, orthogonal=True)
    squares: list[Any] = []
    beta, lr = EXACT.element(Fraction(1, 3)), EXACT.element(HALF)
    for one, (_, _, step) in zip(ledgers(EXACT, MOMENTUM, run, hyper), run, strict=True):
        assert one == Ledger(
            lr * lr * (step.p * step.p).sum(), 0, 2 * lr * lr * beta * discounted_sum(beta, squares), 0
        )
        squares.append((step.p * step.p).sum())


@pytest.mark.parametrize("name", RUNS)
def test_the_radial_component_by_its_recursion(name: str) -> None:
    algorithm, hyper, moment, coupled = RUNS[name]
    run = history(algorithm, hyper, coupled)
    beta, share = moment.shares(EXACT, hyper)
    buffers = [step.state[moment.buffer] for _, _, step in run]
    radial = (run[0][0] * buffers[0]).sum()
    for t in range(1, len(run)):
        (_, _, last), (w, g, _) = run[t - 1 : t + 1]
        fresh = share * (w * (g + coupled * w)).sum()
        radial = next_radial(beta, last.shrink, last.lr, radial, (last.q * buffers[t - 1]).sum(), fresh)
        assert radial == (w * buffers[t]).sum()


def test_it_closes_in_balls_with_roots_and_in_float64() -> None:
    hyper = {"lr": 0.5, "betas": (0.5, 0.75), "weight_decay": 0.25}
    field = balls(128)
    w, g = field.array(W), field.array([[1, 2], [-1, 3]])
    with field.context():
        step = adamw(field, w, g, START, **hyper)
        second = adamw(field, step.w, g, step.state, **hyper)
        found = list(ledgers(field, ADAM, [(w, g, step), (step.w, g, second)], hyper))
        for one, before, after in ((found[0], w, step.w), (found[1], step.w, second.w)):
            off = (after * after).sum() - (before * before).sum() - one.growth
            assert off.contains(0)
            assert off.rad() < 2**-100
    # Powers of two: nothing is rounded.
    x = FLOAT64.array(W)
    plain = {"lr": 0.5, "momentum": 0.5}
    made = heavy_ball(FLOAT64, x, x, START, **plain)
    (one,) = ledgers(FLOAT64, MOMENTUM, [(x, x, made)], plain)
    assert one == Ledger(7.5, -30.0, 0.0, 0.0)
    assert one.growth == (made.w * made.w).sum() - (x * x).sum()
