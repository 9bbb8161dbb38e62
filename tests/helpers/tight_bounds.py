"""Exact problems that attain the bounds of the theory, or come within a stated ratio.

Each function takes a bound, and asserts on problems of its own that it holds and how sharp it is. All numbers are
rational, except the pass probability, which is enclosed.
"""

from collections.abc import Callable
from typing import Any

import flint
import sympy

from tangency.theory import detection, effective_step, norm_growth
from tangency.theory.algorithms import START, nesterov
from tangency.theory.convergence import Smoothness
from tangency.theory.fields import EXACT, SYMBOLIC, Array, balls
from tangency.theory.objectives import Cosine, Objective, Rayleigh, SquaredCosine
from tangency.theory.projection import turned

Q = flint.fmpq
BALLS = balls(128)
AXIS = SquaredCosine((1, 0))
GENTLE = Smoothness(Q(2), Q(1), Q(1))  # of AXIS: Δ = 1


def attained(bound: Any, reached: Any, ratio: Any = 1) -> None:
    """bound/ratio ≤ reached ≤ bound."""
    assert reached <= bound, f"{bound} is no bound of {reached}"
    assert bound <= ratio * reached, f"{bound} is more than {ratio} times {reached}"


def curvature(f: Objective, w: tuple[Any, ...], h: tuple[Any, ...]) -> flint.fmpq:
    """|hᵀ∇²f(w)h| ‖w‖²/‖h‖², by differentiating along h."""
    s = sympy.Symbol("s", real=True)
    along = f.value(SYMBOLIC, SYMBOLIC.array(w) + s * SYMBOLIC.array(h))
    second = sympy.nsimplify(sympy.diff(along, s, 2).subs(s, 0))
    return abs(Q(int(second.p), int(second.q))) * sum(x * x for x in w) / sum(x * x for x in h)


def smooth(bound: Callable[[Objective], Smoothness]) -> None:
    """L, G and D of every objective at points that attain them; only the cosine's L = 2/√3 is irrational."""
    rayleigh, ones = Rayleigh(((3, 0, 0), (0, 1, 0), (0, 0, 0))), Rayleigh(((1, 1, 1),) * 3)
    cases: list[tuple[Objective, Any, Any, Any, Any, Any, Any, Any]] = [
        # f, the point and direction of L, the point of G, the two of D, and the ratios of L and of G and D
        (Cosine((3, 4)), (1, 0), (2, 3), (4, -3), (-3, -4), (3, 4), Q(91, 90), 1),
        (AXIS, (1, 0), (0, 1), (1, 1), (0, 1), (1, 0), 1, 1),
        (AXIS, (0, 1), (1, 0), (1, -1), (0, 1), (1, 0), 1, 1),
        (rayleigh, (1, 0, 0), (0, 0, 1), (1, 0, 1), (1, 0, 0), (0, 0, 1), 1, 1),
        (Rayleigh(((1, 2), (0, 1))), (1, 1), (1, -1), (1, 0), (1, 1), (1, -1), 1, 1),
        (ones, (1, 1, 1), (1, -1, 0), None, (1, 1, 1), (1, -1, 0), Q(4, 3), Q(4, 3)),
    ]
    for f, point, along, steep, top, bottom, near, nearer in cases:
        constants = bound(f)
        attained(constants.curvature, curvature(f, point, along), near)
        attained(constants.spread, f.value(EXACT, EXACT.array(top)) - f.value(EXACT, EXACT.array(bottom)), nearer)
        if steep is not None:
            w = EXACT.array(steep)
            g = f.gradient(EXACT, w)
            attained(constants.slope * constants.slope, (g @ g) * (w @ w))


def certified(bound: Callable[[Any, Any, int], Any]) -> None:
    """Steps ηJw/‖w‖², J a quarter turn, have r_t‖Δw_t‖² = η² throughout: r_T − r_0 ≤ Tη²/r_0 leaves a ratio r_T/r_0."""
    lr, steps, w = Q(1, 100), 4, EXACT.array([1, 0])
    r, products = [w @ w], []
    for _ in range(steps):
        moved = lr / r[-1] * EXACT.array([-w[1], w[0]])
        products.append(r[-1] * (moved @ moved))
        w = w + moved
        r.append(w @ w)
    assert set(products) == {lr * lr}
    attained(bound(r[0], r[-1], steps), min(products), r[-1] / r[0])
    assert r[-1] / r[0] < Q(1001, 1000)


def descend(w: Array, lr: Any, steps: int) -> tuple[list[Any], list[Any], list[Any]]:
    """r_t, ‖g_t‖² and f(w_t) of GD on the squared cosine to the first axis; r and f have one more."""
    r, squares, values = [w @ w], [], [AXIS.value(EXACT, w)]
    for _ in range(steps):
        g = AXIS.gradient(EXACT, w)
        w = w - lr * g
        r, squares, values = [*r, w @ w], [*squares, g @ g], [*values, AXIS.value(EXACT, w)]
    return r, squares, values


def descended(bound: Callable[..., Any]) -> None:
    """From w = (1, ε) the step η = r²/2 ends at the minimum, and the promise is 1 − ε² of the fall ε²/r."""
    eps = Q(1, 100)
    r0 = 1 + eps * eps
    (_, r1), (square,), (before, after) = descend(EXACT.array([1, eps]), r0 * r0 / 2, 1)
    assert (r1, after) == (r0 * r0, -1)
    promised, fall = bound(square, r0, r0 * r0 / 2, GENTLE.curvature), before - after
    assert (1 - eps * eps) * fall <= promised <= fall


def logarithmic(bound: Callable[..., Any]) -> None:
    """One short step from w = (1, ε): K is at most 1 + M, M = η²G²/r_0², times what this run needs, but for O(ε²).

    With x = r_1/r_0 − 1, x/(1 + x) ≤ ln(1 + x) ≤ x. The run has (r_1 − r_0 − η(f_0 − f_1))/x = (ηL/2) times
    (1 − (1 − 2k)ε²)/((1 + ε²)(1 + k²ε²)), η = kr_0²/2, which is more than 1/(1 + 2ε²) at k = 1/10.
    """
    eps, k = Q(1, 100), Q(1, 10)
    lr = k * (1 + eps * eps) ** 2 / 2
    r, _, values = descend(EXACT.array([1, eps]), lr, 1)
    excess, x = r[1] - r[0] - lr * (values[0] - values[1]), r[1] / r[0] - 1
    weight = bound(r[0], lr, GENTLE)
    assert excess <= weight * x / (1 + x)
    assert weight <= (1 + lr * lr / (r[0] * r[0])) * (1 + 2 * eps * eps) * excess / x


def bounded(bound: Callable[..., Any]) -> None:
    """R is within 4/3 of r_4 from (3/10, 1) at η = 2r_0/5, near K = r_0/2; it is at least 2r_0 − O(η) for η → 0."""
    w = EXACT.array([Q(3, 10), 1])
    lr = Q(2, 5) * (w @ w)
    attained(bound(w @ w, lr, GENTLE), descend(w, lr, 4)[0][-1], Q(4, 3))


def rated(bound: Callable[..., Any]) -> None:
    """Two steps from (2/3, 1) at η = 3r_0/7: the bound is within 41/8 of min ‖∇f(ŵ_t)‖²."""
    w = EXACT.array([Q(2, 3), 1])
    lr = Q(3, 7) * (w @ w)
    r, squares, _ = descend(w, lr, 2)
    attained(bound(w @ w, lr, GENTLE, 2), min(a * b for a, b in zip(r, squares, strict=False)), Q(41, 8))


def nesterov_growth(bound: Callable[..., Any]) -> None:
    """β²/(1−τ) is the best that holds for all β ≤ 1 and τ < 1: c = 1 − τ → 0 attains it at β = 1.

    A run on gradients s_k Jw_k with buffers of given lengths, turned by next to nothing (η = 2^−80). The best constant
    of one pair is (1 + βc + √((1 + βc)² − β)) β²/c: the ratios are 1 + 1/100, 1 + √(1 − β), near 2 + √3 for no
    dampening, and 2(1 + βc) for one step, all but for terms linear in c, which the last factor bounds.
    """
    tiny, lr = Q(1, 10**6), Q(1, 2**80)
    cases = [
        (Q(1), tiny, [Q(k) for k in range(1, 101)], 1 + Q(1, 100) + 100 * tiny),
        (Q(24, 25), tiny, [Q(6, 5) ** k for k in range(40)], Q(6, 5) * (1 + 10 * tiny)),
        (Q(1), Q(1), [Q(15, 4) ** k for k in range(12)], Q(780, 209) * (1 + tiny)),
        (Q(1, 4), Q(1, 100), [Q(1)], 2 * (1 + Q(1, 400))),
    ]
    for beta, fresh, buffers, ratio in cases:
        w, state, before = EXACT.array([1, 0]), START, Q(0)
        hyper = {"lr": lr, "momentum": beta, "dampening": 1 - fresh}
        for length in buffers:
            step = nesterov(EXACT, w, (length - beta * before) / fresh * turned(w), state, **hyper)
            w, state, before = step.w, step.state, length
        buffer = state["momentum_buffer"]
        last = nesterov(EXACT, w, 0 * w, state, **hyper)
        square = last.p @ last.p
        least = bound(lr, beta, square, buffer @ buffer, 1 - fresh) - lr * lr * square
        grown = last.w @ last.w - w @ w - lr * lr * square
        assert least <= grown <= ratio * least


def gap(bound: Callable[..., Any]) -> None:
    """Equal updates attain the bound at every t; the gap is taken from the sums of A.8."""
    for beta in (Q(1, 2), Q(9, 10)):
        for squares in ([Q(3)], [Q(3)] * 2, [Q(1, 2)] * 9):
            attained(bound(beta, squares), beta / (1 - beta) - norm_growth.momentum_excess(beta, squares))


BETA, IMPULSE = Q(9, 10), [Q(1)] + [Q(0)] * 50


def excess_limit(bound: Callable[[Any], Any]) -> None:
    """One update and then none: F_t = β/(1−β) · (1 − β^t)."""
    attained(bound(BETA), norm_growth.momentum_excess(BETA, IMPULSE), 1 / (1 - BETA**50))


def ratio_limit(bound: Callable[[Any], Any]) -> None:
    """The same of the ratio less 1, whose limit is 2β/(1−β)."""
    attained(bound(BETA) - 1, norm_growth.growth_ratio(BETA, IMPULSE) - 1, 1 / (1 - BETA**50))


def share(bound: Callable[..., Any]) -> None:
    """x_t ≥ a_t, with equality where nothing but the last update counts."""
    squares = [Q(0), Q(0), Q(5)]
    assert bound(squares) == norm_growth.recent_share(BETA, squares)


def enclosed(bound: Callable[[Any], tuple[Any, Any, Any]]) -> None:
    """A step (n² − 1, 0) → (n² − 1, 2n): sin² and tan² are (1 + u)/2 and (1 + u)/(2u²) times the squared step."""
    for n in (2, 40):
        u = Q(n * n - 1, n * n + 1)
        low, exact, high = bound(u)
        w, after = EXACT.array([n * n - 1, 0]), EXACT.array([n * n - 1, 2 * n])
        assert exact == effective_step.squared_effective_step(EXACT, w, after)
        attained(exact, low, 2 / (1 + u))
        attained(high, exact, (1 + u) / (2 * u * u))


def passed(bound: Callable[..., flint.arb]) -> None:
    """Areas of the circle, the sphere and its like in d = 4, on both sides of x = δ²/d = 1, at 2, 4 and 5."""
    cases = [(d, delta) for d in (2, 3, 4) for delta in (Q(1, 10), Q(7, 5), Q(173, 100), Q(199, 100))]
    cases += [(4, Q(2)), (2, Q(2)), (4, Q(3)), (3, Q(3)), (4, Q(4)), (5, Q(5)), (9, Q(3)), (10**6, Q(1001))]
    for d, delta in cases:
        got, both = bound(BALLS, delta, d), bound(BALLS, delta, d, 2)
        with BALLS.context():
            s = flint.arb(delta) / BALLS.sqrt(flint.arb(d))
            expected = flint.arb(1)
            if delta * delta < d:
                half, root = 2 * s.asin() / flint.arb.pi(), BALLS.sqrt(1 - s * s)
                expected = {2: half, 3: s, 4: half + 2 * s * root / flint.arb.pi()}[d]
            assert got.overlaps(expected)
            assert both.overlaps(expected * expected)
        assert max(float(got.rad()), float(expected.rad()), float(both.rad())) < 2.0**-100
    # On a line |cos| = 1, which is below δ from above 1 on.
    for delta, expected in ((Q(99, 100), 0), (Q(1), 0), (Q(101, 100), 1), (Q(3, 2), 1), (Q(2), 1), (Q(3), 1)):
        assert bound(BALLS, delta, 1) == expected


def normal(bound: Callable[..., flint.arb]) -> None:
    """The limit for d → ∞ is above the probability at d, by less than 1/d of it."""
    d, delta = 10**6, Q(1, 10)
    with BALLS.context():
        attained(bound(BALLS, delta), detection.pass_probability(BALLS, delta, d), 1 + flint.arb(1) / d)
