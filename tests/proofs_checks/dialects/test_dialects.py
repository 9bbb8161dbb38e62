"""The dialects contain the specification: the paper's choices give its steps, in every field."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.dialects.choices import CHOICES, PAPER, PUBLISHED, choices, step
from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import EXACT, FLOAT64, balls
from tangency.theory.projection import View

NUMBERS = st.integers(-8, 8).map(lambda n: n / 4)
W = st.lists(NUMBERS, min_size=6, max_size=6).map(lambda x: np.array(x).reshape(2, 3))


@given(w=W, gradients=st.lists(W, min_size=1, max_size=3), nesterov=st.booleans(), decay=st.sampled_from([0.0, 0.25]))
def test_sgdp_is_the_papers_dialect_exactly(w: Any, gradients: list[Any], nesterov: bool, decay: float) -> None:
    """Eq. 11 with roots needs balls; where both decide, the steps are equal."""
    hyper = {"lr": 0.5, "momentum": 0.5, "dampening": 0.25, "nesterov": nesterov, "weight_decay": decay, "delta": 0.75}
    field = balls(256)
    state, other = START, START
    for g in gradients:
        views = [ALGORITHMS["sgdp"](EXACT, EXACT.array(w), EXACT.array(g), **hyper).view]
        with field.context():
            ours = step(PAPER["sgdp"], field, field.array(w), field.array(g), state, view=views[0], **hyper)
            spec = ALGORITHMS["sgdp"](field, field.array(w), field.array(g), other, view=views[0], **hyper)
            assert all(a.overlaps(b) for a, b in zip(ours.w.flat, spec.w.flat, strict=True))
        state, other = ours.state, spec.state


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("name", ["adam", "adamw", "adamp"])
def test_adams_dialects_are_the_specification(name: str, nesterov: bool) -> None:
    w, state, other = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]), START, START
    for k in range(4):
        g = np.array([[2.0, 1.0, 0.0], [-3.0, 0.25, 0.0]]) / (k + 1)
        hyper: dict[str, Any] = {"lr": 0.1, "eps": 0.01, "nesterov": nesterov}
        if name != "adam":
            hyper["weight_decay"] = 0.1
        ours = step(PAPER[name], FLOAT64, w, g, state, **hyper)
        spec = ALGORITHMS[name](FLOAT64, w, g, other, **hyper)
        assert np.max(np.abs(ours.w - spec.w)) <= 8 * np.spacing(np.max(np.abs(w)))
        w, state, other = spec.w, spec.state, spec.state


def test_every_reference_chooses_among_the_options() -> None:
    for name in PAPER:
        family = "adam" if name.startswith("adam") else "sgd"
        allowed = {choice.name: choice.values for choice in choices(family, name.endswith("p"))}
        for dialect in (PAPER[name], PUBLISHED[name]):
            assert set(dialect) == set(allowed)
            assert all(value in allowed[choice] for choice, value in dialect.items())


def test_what_violates_a_theorem_says_which() -> None:
    for choice in CHOICES:
        for option in choice.options:
            assert option.says
            assert not option.violates or ":" in option.violates


def test_a_forced_view_is_obeyed() -> None:
    w, g = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    made = step(PAPER["sgdp"], FLOAT64, w, g, lr=1.0, view=View.CHANNEL)
    assert made.q.tolist() == [[0.0, 1.0], [1.0, 0.0]]
