"""The dialects contain the specification: the paper's choices give its steps, in every field."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm
from tangency.proofs_checks.dialects.step import step
from tangency.theory.algorithms import START
from tangency.theory.fields import EXACT, FLOAT64
from tangency.theory.projection import View

SPEAKING = [pytest.param(one, id=one.name) for one in ALGORITHMS.values() if one.choices]
NUMBERS = st.integers(-8, 8).map(lambda n: n / 4)
W = st.lists(NUMBERS, min_size=8, max_size=8).map(lambda x: EXACT.array(np.array(x).reshape(2, 4)))
# β₂ = 0 makes √v = |g| and the correction of v 1: Adam's step is then a rational number, as SGD's always is.
VALUES: dict[str, tuple[Any, ...]] = {
    "momentum": (0, 0.5),
    "dampening": (0, 0.25),
    "betas": ((0.5, 0), (0, 0)),
    "eps": (0.25, 2),
    "nesterov": (False, True),
    "weight_decay": (0, 0.25),
    "delta": (0, 0.75, 2),
    "wd_ratio": (0, 0.25),
}


@pytest.mark.parametrize("algorithm", SPEAKING)
@given(data=st.data(), w=W, gradients=st.lists(W, min_size=1, max_size=3))
def test_the_papers_dialect_is_the_specification_in_exact_arithmetic(
    algorithm: Algorithm, data: st.DataObject, w: Any, gradients: list[Any]
) -> None:
    """Every weight, buffer, update and decision of every step is the same rational number.

    The decision is the specification's here: where norms are irrational, EXACT has no cosine.
    """
    hyper = {name: data.draw(st.sampled_from(VALUES[name]), name) for name in algorithm.defaults if name in VALUES}
    specified = {k: v for k, v in hyper.items() if k not in algorithm.unspecified} | algorithm.fixed
    if "weight_decay" in algorithm.unspecified:
        hyper["weight_decay"] = 0
    state, other = START, START
    for g in gradients:
        spec = algorithm.step(EXACT, w, g, other, lr=0.5, **specified)
        forced = {"view": spec.view} if algorithm.projects else {}
        ours = step(algorithm.paper, EXACT, w, g, state, lr=0.5, **{**hyper, **algorithm.fixed}, **forced)
        for name in ("w", "p", "q"):
            assert (getattr(ours, name) == getattr(spec, name)).all(), name
        assert (ours.lr, ours.view) == (spec.lr, spec.view)
        for name in algorithm.update.buffers:
            assert np.all(ours.state[name] == spec.state[name]), name
        w, state, other = spec.w, ours.state, spec.state


# Four rows of norm 5: the norms of rows and layer, √4 and √16 are rational, and with them every cosine and threshold.
FIVES = st.builds(
    lambda row, signs: [x * sign for x, sign in zip(row, signs, strict=True)],
    st.sampled_from(((5, 0, 0, 0), (3, 4, 0, 0), (1, 2, 2, 4))).flatmap(st.permutations),
    st.lists(st.sampled_from((-1, 1)), min_size=4, max_size=4),
)
SQUARE = st.lists(FIVES, min_size=4, max_size=4).map(EXACT.array)


@given(w=SQUARE, g=SQUARE, delta=st.sampled_from((0.25, 0.75, 2)))
def test_the_papers_decision_is_the_specifications_in_exact_arithmetic(w: Any, g: Any, delta: float) -> None:
    algorithm = ALGORITHMS["sgdp"]
    ours = step(algorithm.paper, EXACT, w, g, lr=0.5, delta=delta)
    assert ours.view is algorithm.step(EXACT, w, g, lr=0.5, momentum=0, delta=delta).view


@pytest.mark.parametrize("algorithm", SPEAKING)
def test_the_papers_dialect_decides_as_the_specification_in_float64(algorithm: Algorithm) -> None:
    w = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
    turned = np.array([[2.0, 1.0, 0.0], [-3.0, 0.25, 0.0]])
    flags = [{"nesterov": ahead} if "nesterov" in algorithm.defaults else {} for ahead in (False, True)]
    for g, flag in product((turned, turned + w, w), flags):
        given = {**flag, **algorithm.fixed}
        ours = step(algorithm.paper, FLOAT64, w, g, lr=0.1, **given)
        needed = {"momentum": 0.0} if "momentum" in algorithm.defaults else {}
        assert ours.view is algorithm.step(FLOAT64, w, g, lr=0.1, **{**needed, **given}).view


def test_every_reference_chooses_among_the_options() -> None:
    for algorithm in ALGORITHMS.values():
        for dialect in (algorithm.paper, algorithm.published):
            assert dialect.keys() == algorithm.choices.keys()
            assert all(value in algorithm.values_of(choice) for choice, value in dialect.items())
        with pytest.raises(KeyError):
            algorithm.paper.but(no_such_choice="none")


def test_what_violates_a_theorem_says_which() -> None:
    for algorithm in ALGORITHMS.values():
        for choice in algorithm.choices.values():
            for option in choice.options:
                assert option.says
                assert not option.violates or ":" in option.violates


def test_a_forced_view_is_obeyed() -> None:
    w, g = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    made = step(ALGORITHMS["sgdp"].paper, FLOAT64, w, g, lr=1.0, view=View.CHANNEL)
    assert made.q.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_hyper_parameter_that_does_not_exist_is_refused() -> None:
    w = np.ones((2, 2))
    with pytest.raises(TypeError, match="there is no hyper-parameter momentun"):
        step(ALGORITHMS["sgdp"].paper, FLOAT64, w, w, lr=1.0, momentun=0.5)
