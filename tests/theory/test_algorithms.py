"""The executable spec against steps that were computed by hand, its switches, and what it does with its arguments."""

from collections.abc import Mapping
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks.claim import require_contains
from tangency.proofs_checks.generate import problems
from tangency.theory.algorithms import (
    ALGORITHMS,
    START,
    Algorithm,
    Step,
    adam,
    adamg,
    adamp,
    adamw,
    gd,
    heavy_ball,
    sgdg,
    sgdp,
)
from tangency.theory.algorithms import nesterov as nesterov_momentum
from tangency.theory.fields import EXACT, FLOAT64, Array, Field, balls, rational
from tangency.theory.projection import UndecidedView, View, turned

BALLS = balls(128)
Q = flint.fmpq
# β₂ = 3/4 makes the first second moments, g²/4, squares of rationals: Adam is exact for a step or two.
ADAM: Mapping[str, Any] = {"lr": 1, "betas": (Q(1, 4), Q(3, 4)), "eps": 1}


def run(algorithm: Algorithm, w: Any, gradients: Any, field: Field = EXACT, **hyper: Any) -> list[Step]:
    """The steps of an algorithm on given gradients."""
    w, state, steps = field.array(w), START, []
    for g in gradients:
        steps.append(algorithm(field, w, field.array(g), state, **hyper))
        w, state = steps[-1].w, steps[-1].state
    return steps


def weights(steps: list[Step]) -> list[Any]:
    return [step.w.tolist() for step in steps]


def test_gd_by_hand() -> None:
    (step,) = run(gd, [3, 4], [[1, -2]], lr=0.5)
    assert step.w.tolist() == [Q(5, 2), 5]
    assert (step.p.tolist(), step.q.tolist(), step.lr, step.view) == ([1, -2], [1, -2], Q(1, 2), View.NONE)
    assert step.state == {}


@pytest.mark.parametrize(
    ("hyper", "expected"),
    [
        ({}, [[-2, 0], [-3, -4]]),
        ({"dampening": 0.25}, [[Q(-3, 2), 0], [Q(-9, 4), -3]]),  # buffers (3, 0), (3/2, 6)
        ({"nesterov": True}, [[-3, 0], [Q(-7, 2), -6]]),  # updates (6, 0), (1, 12)
        ({"nesterov": True, "dampening": 0.25}, [[Q(-11, 4), 0], [Q(-25, 8), Q(-11, 2)]]),  # (11/2, 0), (3/4, 11)
    ],
)
def test_heavy_ball_by_hand(hyper: dict[str, Any], expected: Any) -> None:
    """β = η = ½ on the gradients (4, 0), (0, 8): the dampening applies to the first step too."""
    gradients = [[4, 0], [0, 8]]
    assert weights(run(heavy_ball, [0, 0], gradients, lr=0.5, momentum=0.5, **hyper)) == expected
    if hyper.pop("nesterov", False):
        assert weights(run(nesterov_momentum, [0, 0], gradients, lr=0.5, momentum=0.5, **hyper)) == expected


@pytest.mark.parametrize(
    ("algorithm", "hyper", "expected"),
    [
        (adam, {}, [9, Q(37, 4)]),  # m = 3, −3/4; v = 4, 4; p = 1, −1/4
        (adam, {"nesterov": True}, [Q(35, 4), Q(149, 16)]),  # p = 15/12, −27/48
        (adamw, {"weight_decay": 0.5}, [4, Q(9, 4)]),  # 10/2 − 1, 4/2 + 1/4
        (adamp, {}, [9, Q(37, 4)]),  # a vector is not projected
        (adamp, {"weight_decay": 0.5}, [4, Q(9, 4)]),
    ],
)
def test_adam_as_printed_by_hand(algorithm: Algorithm, hyper: dict[str, Any], expected: Any) -> None:
    """Algorithm 2, lines 2–4, on the gradients 4 and −2 from w = 10."""
    steps = run(algorithm, [10], [[4], [-2]], bias_correction=False, **ADAM, **hyper)
    assert weights(steps) == [[x] for x in expected]
    assert [(step.state["exp_avg"][0], step.state["exp_avg_sq"][0], step.state["step"]) for step in steps] == [
        (3, 4, 1),
        (Q(-3, 4), 4, 2),
    ]


def test_the_first_corrected_step_is_the_sign_of_the_gradient() -> None:
    """w − η g/(|g| + ε), whatever the betas: 10 − 4/5."""
    (step,) = run(adam, [10], [[4]], **ADAM)
    assert (step.w[0], step.p[0], step.lr) == (Q(46, 5), Q(3, 5), Q(4, 3))


def test_sgdp_by_hand() -> None:
    """The second gradient is orthogonal to the weights, the momentum is not: p = (−4, 11/2), w·p / w·w = −1/5."""
    steps = run(sgdp, [[3, 4]], [[[-4, 3]], [[-2, 4]]], lr=0.5, momentum=0.5)
    assert weights(steps) == [[[5, Q(5, 2)]], [[Q(13, 2), Q(-1, 2)]]]
    assert [step.view for step in steps] == [View.CHANNEL] * 2
    assert (steps[1].p.tolist(), steps[1].q.tolist()) == ([[-4, Q(11, 2)]], [[-3, 6]])
    assert steps[1].state["momentum_buffer"].tolist() == [[-4, Q(11, 2)]]  # p, not q


def test_sgdp_decays_a_projected_weight_less() -> None:
    """1 − ηλr/(1−β) = 1 − r/4: r = 1/10 where the update is projected, 1 where it is not."""
    hyper: dict[str, Any] = {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.25, "wd_ratio": Q(1, 10)}
    (projected,) = run(sgdp, [[3, 4]], [[[-4, 3]]], **hyper)
    (free,) = run(sgdp, [[3, 4]], [[[3, 4]]], **hyper)
    assert projected.w.tolist() == [[Q(3 * 39, 40) + 2, Q(4 * 39, 40) - Q(3, 2)]]
    assert free.w.tolist() == [[Q(9, 4) - Q(3, 2), 3 - 2]]
    with pytest.raises(ZeroDivisionError):
        run(sgdp, [[3, 4]], [[[3, 4]]], **{**hyper, "momentum": 1})
    assert run(sgdp, [[3, 4]], [[[3, 4]]], lr=0.5, momentum=1)[0].w.tolist() == [[Q(3, 2), 2]]


def test_adamp_by_hand() -> None:
    """ε = 0: p is the sign of g, (−1, 1), its radial part 1/25 w; the decay is 1 − ηλr = 1 − r/16."""
    hyper: dict[str, Any] = {**ADAM, "lr": 0.25, "eps": 0}
    (step,) = run(adamp, [[3, 4]], [[[-4, 3]]], **hyper)
    assert step.q.tolist() == [[Q(3, 4) * Q(-28, 25), Q(3, 4) * Q(21, 25)]]  # m is not divided by 1 − β₁ᵗ, η is
    assert (step.w.tolist(), step.lr, step.view) == ([[Q(82, 25), Q(379, 100)]], Q(1, 3), View.CHANNEL)
    for gradient, ratio, moved in (([-4, 3], Q(1, 10), step.w - [3, 4]), ([4, 3], 1, Q(-1, 4))):
        (decayed,) = run(adamp, [[3, 4]], [[gradient]], weight_decay=0.25, wd_ratio=Q(1, 10), **hyper)
        assert (decayed.w == (1 - ratio / Q(16)) * EXACT.array([[3, 4]]) + moved).all()


def test_the_layer_view_decays_like_a_projected_weight() -> None:
    """Two rows whose radial gradients cancel, and whose updates do: only the decay, 39/40 and 159/160, tells."""
    w, g = [[3, 4], [3, 4]], [[3, 4], [-3, -4]]
    more = {"weight_decay": 0.25, "wd_ratio": Q(1, 10)}
    (by_sgdp,) = run(sgdp, w, [g], lr=0.5, momentum=0.5, **more)
    (by_adamp,) = run(adamp, w, [g], **{**ADAM, "lr": 0.25, "eps": 0}, **more)
    assert by_sgdp.view is by_adamp.view == View.LAYER
    assert (by_sgdp.w == Q(39, 40) * EXACT.array(w) - EXACT.array(g) / Q(2)).all()
    assert (by_adamp.w == Q(159, 160) * EXACT.array(w) - Q(1, 4) * EXACT.array([[1, 1], [-1, -1]])).all()


def test_a_forced_view_replaces_the_decision() -> None:
    """g = 0 on the second row: the channel view, the layer view and none give three different updates."""
    w, hyper = [[3, 4], [5, 12]], {"lr": 1, "momentum": 0.5}
    g = [[-4, 3], [0, 0]]
    state = {"momentum_buffer": EXACT.array([[2, 2], [2, 2]])}  # p = (−3, 4), (1, 1)

    def forced(view: View | None) -> Step:
        return sgdp(EXACT, EXACT.array(w), EXACT.array(g), state, view=view, **hyper)

    free = forced(None)
    assert free.view == View.CHANNEL
    assert (forced(View.CHANNEL).q == free.q).all()
    assert free.q.tolist() == [[Q(-96, 25), Q(72, 25)], [Q(84, 169), Q(-35, 169)]]
    assert forced(View.LAYER).q.tolist() == [[Q(-3) - Q(3 * 24, 194), Q(4) - Q(4 * 24, 194)], [Q(37, 97), Q(-47, 97)]]
    assert forced(View.NONE).q.tolist() == [[-3, 4], [1, 1]]
    every = [View.CHANNEL, View.LAYER, View.NONE]
    assert [forced(view).view for view in every] == every
    # It is taken without asking: the tie that a ball cannot decide, and a gradient that would never pass.
    tie = BALLS.array([[1, 0, 0, 0]]), BALLS.array([[3, 4, 0, 0]])
    with pytest.raises(UndecidedView, match="channel"):
        sgdp(BALLS, *tie, lr=1, delta=Q(6, 5))
    assert sgdp(BALLS, *tie, lr=1, delta=Q(6, 5), view=View.LAYER).q[0, 1] == 4
    assert adamp(EXACT, EXACT.array(w), EXACT.array(w), view=View.CHANNEL, **ADAM).view == View.CHANNEL


HYPER: Mapping[str, Mapping[str, Any]] = {
    name: {"lr": 0.5, "momentum": 0.5} if name in {"momentum", "nesterov", "sgdp", "sgdg"} else {"lr": 0.5}
    for name in ALGORITHMS
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_arguments_are_never_changed(name: str) -> None:
    """Two steps from the same state agree to the last bit, and find everything as it was."""
    w, g = FLOAT64.array([[3, 4], [5, 12]]), FLOAT64.array([[1, 2], [-1, 3]])
    first = ALGORITHMS[name](FLOAT64, w, g, **HYPER[name])
    given: tuple[Any, ...] = (first.w, g + 1, first.state)
    before = [np.copy(x) for x in (*given[:2], *first.state.values())]
    once, again = (ALGORITHMS[name](FLOAT64, *given, **HYPER[name]) for _ in range(2))
    assert all(map(np.array_equal, before, (*given[:2], *first.state.values())))
    assert np.array_equal(once.w, again.w)
    assert once.state.keys() == again.state.keys() == first.state.keys()
    for key in once.state:
        assert np.array_equal(once.state[key], again.state[key])
        assert not np.array_equal(once.state[key], first.state[key])
    assert dict(START) == {}


def test_the_state_is_what_carries_a_run() -> None:
    """From START each step is a first one; from the previous state it is not."""
    g = EXACT.array([[-4, 3]])
    first = sgdp(EXACT, EXACT.array([[3, 4]]), g, lr=0.5, momentum=0.5)
    assert (sgdp(EXACT, first.w, g, START, lr=0.5, momentum=0.5).p == g).all()
    assert (sgdp(EXACT, first.w, g, first.state, lr=0.5, momentum=0.5).p == g + g / Q(2)).all()


def test_hyper_parameters_are_the_numbers_that_they_are() -> None:
    w, g = EXACT.array([[3, 4]]), EXACT.array([[1, 2]])
    assert (sgdp(EXACT, w, g, lr=0.1).w == w - rational(0.1) * g).all()
    assert (sgdp(EXACT, w, g, lr=Q(1, 10)).w == w - g / Q(10)).all()
    assert (sgdp(EXACT, w, g, lr=0.1).w != sgdp(EXACT, w, g, lr=Q(1, 10)).w).all()
    # The default δ too: cos² = 1/500 in dimension 5 is a tie for 1/10, and the float 0.1 is above it.
    tie = EXACT.array([[1, 0, 0, 0, 0]]), EXACT.array([[1, 21, 7, 3, 0]])
    assert sgdp(EXACT, *tie, lr=1).view is adamp(EXACT, *tie, **ADAM).view == View.CHANNEL
    assert sgdp(EXACT, *tie, lr=1, delta=Q(1, 10)).view == View.NONE


@pytest.mark.parametrize("name", ALGORITHMS)
def test_unknown_hyper_parameters_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match="learning_rate"):
        ALGORITHMS[name](FLOAT64, FLOAT64.array([[3, 4]]), FLOAT64.array([[1, 2]]), learning_rate=1, **HYPER[name])
    with pytest.raises(TypeError, match="lr"):
        ALGORITHMS[name](FLOAT64, FLOAT64.array([[3, 4]]), FLOAT64.array([[1, 2]]))


RUNS = problems.tensor_runs(
    st.fixed_dictionaries({"lr": problems.step_sizes(), "weight_decay": problems.rationals(0, 1)})
)


@given(RUNS)
def test_sgdp_without_its_additions_is_gradient_descent(run: problems.TensorRun) -> None:
    """β = λ = 0 and either δ = 0 (no |cos| is below it) or no dimension to project."""
    lr = run.hyper["lr"]
    for w, g in ((run.w, g) for g in run.gradients):
        plain = gd(EXACT, w, g, lr=lr).w
        assert (sgdp(EXACT, w, g, lr=lr, delta=0).w == plain).all()
        assert (sgdp(EXACT, w.ravel(), g.ravel(), lr=lr, delta=100).w == plain.ravel()).all()
        assert (sgdp(EXACT, w, g, lr=lr, view=View.NONE).w == plain).all()
        projected = sgdp(EXACT, w, g, lr=lr)
        assert projected.view != View.NONE or (projected.w == plain).all()


@given(RUNS)
def test_adamp_that_never_projects_is_adamw(run: problems.TensorRun) -> None:
    """To the last bit in float64, where both run the same lines; exactly where β₂ = 0."""
    more: dict[str, Any]
    never: dict[str, Any]
    for field, more in ((FLOAT64, {}), (EXACT, {"betas": (0.5, 0), "eps": 0.5})):

        def steps(algorithm: Algorithm, field: Field = field, **hyper: Any) -> list[tuple[Array, Step]]:
            return problems.TensorRun(run.w, run.gradients, {**run.hyper, **hyper}).run(algorithm, field)

        plain = steps(adamw, **more)
        for never in ({"delta": 0}, {"view": View.NONE, "wd_ratio": 0.25}):
            for (_, step), (_, other) in zip(steps(adamp, **more, **never), plain, strict=True):
                assert np.array_equal(step.w, other.w)


def test_bias_correction_matters() -> None:
    """The sum of 20 updates on a constant gradient: 20 η with it; Σ (1 − β₁ᵗ)/√(1 − β₂ᵗ) η, over 100 η, without."""
    w, g, lr = [[3, 4], [5, 12]], [[-4, 3], [24, -10]], Q(1, 10)
    hyper: dict[str, Any] = {"field": BALLS, "lr": lr, "eps": 0, "delta": 0}
    corrected, printed = (run(adamp, w, [g] * 20, bias_correction=switch, **hyper)[-1].w for switch in (True, False))
    signs = np.array([[-1, 1], [1, -1]])
    with BALLS.context():
        beta1, beta2 = map(BALLS.element, (0.9, 0.999))
        travelled = sum((1 - beta1**t) / (1 - beta2**t).sqrt() for t in range(1, 21)) * BALLS.element(lr)
        for index in ((0, 0), (0, 1), (1, 0), (1, 1)):
            require_contains("with bias correction", corrected[index], w[index[0]][index[1]] - 2 * int(signs[index]))
            assert printed[index].overlaps(w[index[0]][index[1]] - int(signs[index]) * travelled)
        assert travelled.rad() < 2.0**-100
        assert all(abs(x) > 2 for x in (printed - corrected).flat)


def test_bias_correction_matters_where_updates_are_projected() -> None:
    """AdamP on gradients that are orthogonal to the weights: after 20 projected steps the two differ by more than 2."""
    finals = []
    for switch in (True, False):
        w, state = BALLS.array([[3, 4], [5, 12]]), START
        for _ in range(20):
            step = adamp(BALLS, w, turned(w), state, lr=Q(1, 10), bias_correction=switch)
            assert step.view == View.CHANNEL
            w, state = step.w, step.state
        finals.append(w)
    with BALLS.context():
        difference = (finals[0] - finals[1]).ravel()
        assert difference @ difference > 4


def on_sphere(what: str, w: Array) -> None:
    """‖row‖² = 1 within what the balls leave open, for every row."""
    with BALLS.context():
        for row in View.CHANNEL.rows(w):
            require_contains(what, row @ row, 1)
            assert (row @ row).rad() < 2.0**-64


def at_angle(what: str, step: Step, angle: flint.arb) -> None:
    """The step ends on the unit circle, at an angle below the first axis."""
    (got,) = step.w.reshape(1, 2)
    for value, expected in zip(got, (angle.cos(), -angle.sin()), strict=True):
        assert value.is_finite(), what
        assert value.overlaps(expected), what
    on_sphere(what, step.w.reshape(1, 2))


def test_sgdg_by_hand() -> None:
    """On the circle from (1, 0), h = (0, 1) turns by π/6; then half of that again, and as far as the gradient says."""
    with BALLS.context():
        angle = flint.arb.pi() / 6
        hyper: dict[str, Any] = {"lr": angle, "momentum": 0.5}
        first = sgdg(BALLS, BALLS.array([[2, 0]]), BALLS.array([[5, 1]]), **hyper)
        at_angle("h = (0, 1)", first, angle)
        ahead = np.stack([-first.w[:, 1], first.w[:, 0]], axis=-1)  # (0, 1), carried along the circle
        for slope in (0, 1, -2):
            second = sgdg(BALLS, first.w, slope * ahead, first.state, **hyper)
            at_angle(f"then {slope} times it", second, angle + angle / 2 + slope * angle)
        for h, moved in ((2, 0.5), (-2, -0.5), (0.25, 0.25)):
            clipped = sgdg(BALLS, BALLS.array([2, 0]), BALLS.array([5, h]), lr=angle, clip=0.5)
            at_angle(f"h = {h}, clipped to ½", clipped, angle * BALLS.element(moved))


def test_adamg_by_hand() -> None:
    """ε = 0: the first step is an angle of η against the gradient, and so is the next one on the same gradient.

    With ε = 4: √(1−β₂) ‖h‖/√((1−β₂)‖h‖² + ε) = ½ · 3/√(9/4 + 4) = 3/5 of it.
    """
    with BALLS.context():
        angle = flint.arb.pi() / 6
        hyper: dict[str, Any] = {"lr": angle, "betas": (0.5, 0.75)}
        start = BALLS.array([[2, 0]]), BALLS.array([[5, 3]])
        first = adamg(BALLS, *start, eps=0, **hyper)
        at_angle("one step", first, angle)
        ahead = np.stack([-first.w[:, 1], first.w[:, 0]], axis=-1) * 3  # (0, 3), carried along the circle
        second = adamg(BALLS, first.w, ahead, first.state, eps=0, **hyper)
        at_angle("two steps", second, 2 * angle)
        require_contains("v_1", first.state["second_moments"][0], Q(9, 4))
        require_contains("v_2", second.state["second_moments"][0], Q(63, 16))
        at_angle("ε = 4", adamg(BALLS, *start, eps=4, **hyper), angle * 3 / 5)


@st.composite
def grassmann_problems(draw: st.DrawFn) -> tuple[Array, list[Array]]:
    """Weights without a zero row, and gradients whose rows are zero or not parallel to those of the weights.

    (A tangent gradient that is zero, but not known to be, has no direction in balls; the angle of a step is algebraic,
    so that from the second one on no rational gradient is parallel to the weights.)
    """
    shape = draw(st.tuples(st.integers(1, 3), st.integers(2, 5)))
    numbers = st.lists(st.integers(-9, 9), min_size=shape[1], max_size=shape[1]).map(EXACT.array)
    w = [draw(numbers.filter(any)) for _ in range(shape[0])]

    def turning(row: Array) -> st.SearchStrategy[Array]:
        return numbers.filter(lambda g: not any(g) or bool((g @ row) ** 2 < (g @ g) * (row @ row)))

    steps = range(draw(st.integers(1, 4)))
    gradients = [[draw(turning(row)) for row in w] for _ in steps]
    return np.array(w), [np.array(g) for g in gradients]


@pytest.mark.parametrize(("algorithm", "more"), [(sgdg, {"momentum": 0.75}), (adamg, {"eps": 2.0**-20})])
@given(problem=grassmann_problems(), lr=problems.step_sizes(), clip=st.sampled_from([None, 2]))
def test_the_grassmann_baselines_stay_on_the_sphere(
    algorithm: Algorithm, more: dict[str, Any], problem: tuple[Array, list[Array]], lr: flint.fmpq, clip: int | None
) -> None:
    """Rows of the weights are unit vectors after every step, and every update is tangent to where it starts."""
    w, state = BALLS.array(problem[0]), START
    for g in problem[1]:
        step = algorithm(BALLS, w, BALLS.array(g), state, lr=lr, clip=clip, **more)
        on_sphere("‖y‖²", step.w)
        with BALLS.context():
            for before, q in zip(w, step.q, strict=True):
                require_contains("y·q", before @ q, 0)
        w, state = step.w, step.state
