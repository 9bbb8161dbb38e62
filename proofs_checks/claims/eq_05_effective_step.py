"""Eq. 5, the effective step ‖Δŵ‖ ≈ ‖Δw‖/‖w‖ on the unit sphere (§2.3): its exact value, and both sides of it.

With Δw ⊥ w and θ the angle between w and w' = w + Δw, u = cos θ = ‖w‖/‖w'‖:

    ‖Δw‖²/‖w'‖² = sin²θ  ≤  ‖Δŵ‖² = 2(1 − u)  ≤  tan²θ = ‖Δw‖²/‖w‖²

The left side is Eq. 5 as printed, the right side the form of the introduction; they are θ²/8 and 3θ²/8 off, relatively.
"""

import math
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.statement.terms import Term
from tangency.theory.effective_step import enclosure, slack, squared_effective_step, squared_sine, squared_tangent

ETA, U, THETA = sympy.symbols("η u θ", positive=True)


def proof(upper: sympy.Expr | None = None) -> Proof:
    """The exact value, the enclosure by squares, the order; ``upper`` is the claimed gap on the side of the tangent."""
    gram = Gram("w p", relations={("w", "p"): 0})
    w, p = gram.vectors
    after = w - ETA * p
    cosine = gram.dot(w, after) / sympy.sqrt(gram.square(w) * gram.square(after))
    sine2, step2, tangent2 = enclosure(U)
    gap = slack(U)[1] if upper is None else upper
    a, b, dot = (sympy.Symbol(name, positive=True) for name in ("‖w‖", "‖w'‖", "⟨w,w'⟩"))
    theta_u = {U: sympy.cos(THETA)}
    below, above = (sympy.sqrt(side / step2).subs(theta_u).series(THETA, 0, 4).removeO() for side in (sine2, tangent2))
    return Proof(
        method="Gram algebra, in any dimension, for the three quantities; then algebra in u.",
        given=(
            Given("⟨w, p⟩ = 0 (Eq. 4, or a projected step); w' = w − ηp; ŵ = w/‖w‖", after),
            Given("u = cos θ = ⟨w, w'⟩/(‖w‖‖w'‖), 0 < u ≤ 1"),
        ),
        steps=(
            Identity(
                "⟨w, w'⟩ = ‖w‖², so that u² = ‖w‖²/‖w'‖²",
                cosine**2,
                gram.square(w) / gram.square(after),
                theorem="effective_square",
            ),
            Identity("‖Δŵ‖² = ‖ŵ'‖² + ‖ŵ‖² − 2 ŵ·ŵ' = 2(1 − u)", 1 + 1 - 2 * U, step2, theorem="effective_square"),
            Identity(
                "for every step, tangent or not: ‖Δŵ‖² = (‖Δw‖² − (‖w'‖ − ‖w‖)²)/(‖w‖‖w'‖)",
                2 * (1 - dot / (a * b)),
                (a**2 + b**2 - 2 * dot - (b - a) ** 2) / (a * b),
                theorem=NotApplicable("there it is said of tangent steps alone"),
            ),
            Identity(
                "‖Δw‖²/‖w'‖² = 1 − u² = sin²θ",
                ETA**2 * gram.square(p) / gram.square(after),
                1 - gram.square(w) / gram.square(after),
                theorem="squared_sine",
            ),
            Identity(
                "‖Δw‖²/‖w‖² = (1 − u²)/u² = tan²θ",
                ETA**2 * gram.square(p) / gram.square(w),
                (1 - gram.square(w) / gram.square(after)) / (gram.square(w) / gram.square(after)),
                theorem="squared_tangent",
            ),
            NonNegative(
                "2(1 − u) − sin²θ = (1 − u)² ≥ 0", step2 - sine2, [(sympy.Integer(1), 1 - U)], theorem="eq_05_gaps"
            ),
            Identity("tan²θ − 2(1 − u) = (1 − u)²(1 + 2u)/u²", tangent2 - step2, gap, theorem="eq_05_gaps"),
            NonNegative("and that is ≥ 0", gap, [((1 + 2 * U) / U**2, 1 - U)], theorem="eq_05"),
            Identity(
                "sin²θ = ‖Δŵ‖² cos²(θ/2), for (1 + u)/2 = cos²(θ/2)",
                sine2,
                step2 * (1 + U) / 2,
                theorem=NotApplicable("the angle is a picture: the kernel has u"),
            ),
            Identity(
                "sin θ/‖Δŵ‖ = 1 − θ²/8 + O(θ⁴)", below, 1 - THETA**2 / 8, theorem=NotApplicable("a series at θ = 0")
            ),
            Identity(
                "tan θ/‖Δŵ‖ = 1 + 3θ²/8 + O(θ⁴)",
                above,
                1 + 3 * THETA**2 / 8,
                theorem=NotApplicable("a series at θ = 0"),
            ),
        ),
        conclusion="‖Δw‖/‖w'‖ ≤ ‖Δŵ‖ = 2 sin(θ/2) ≤ ‖Δw‖/‖w‖, with equality for θ = 0 alone.",
    )


@dataclass(frozen=True)
class TangentStep:
    """A step Δw = −ηp with p ⊥ w, and whether √ of ‖w‖²‖w'‖² is rational."""

    w: Array
    p: Array
    lr: flint.fmpq
    rational: bool

    @property
    def after(self) -> Array:
        """w'."""
        result: Array = self.w - self.lr * self.p
        return result


@st.composite
def tangent_steps(draw: st.DrawFn) -> TangentStep:
    """Tangent steps of a skew-symmetric field, of a true gradient, or with rational lengths.

    Rational lengths: p is w turned by 90° in pairs of coordinates, so that ‖p‖ = ‖w‖, and η = 2t/(1 − t²) for t < 1
    gives ‖w'‖ = ‖w‖ (1 + t²)/(1 − t²).
    """
    kind = draw(st.sampled_from(("rational", "skew", "objective")))
    if kind == "objective":
        point = draw(rational_points())
        return TangentStep(point.w, point.objective.gradient(EXACT, point.w), draw(problems.step_sizes()), False)
    if kind == "skew":
        dim = draw(problems.dimensions())
        w, skew = draw(weights(dim)), draw(problems.skew_fields(dim))
        return TangentStep(w, skew(w), draw(problems.step_sizes()), False)
    w = draw(weights(2 * draw(problems.dimensions(32))))
    t = flint.fmpq(draw(st.integers(0, 99)), 100)
    return TangentStep(w, turned(w), 2 * t / (1 - t * t), True)


def check_exact(step: TangentStep) -> None:
    """The squares of all tangent steps, and the effective step itself where it is rational."""
    w, after = step.w, step.after
    require_equal("w·p", w @ step.p, 0)
    u2, moved = (w @ w) / (after @ after), step.lr * step.lr * (step.p @ step.p)
    require_equal("sin²θ", squared_sine(w, after), 1 - u2)
    require_equal("‖Δw‖²/‖w'‖²", moved / (after @ after), 1 - u2)
    require_equal("tan²θ", squared_tangent(w, after), (1 - u2) / u2)
    require_equal("‖Δw‖²/‖w‖²", moved / (w @ w), (1 - u2) / u2)
    if step.rational:
        u = EXACT.sqrt(u2)
        sine2, exact, tangent2 = enclosure(u)
        require_equal("‖Δŵ‖²", squared_effective_step(EXACT, w, after), exact)
        require_equal("both gaps", (exact - sine2, tangent2 - exact), slack(u))
        require("sin²θ ≤ ‖Δŵ‖² ≤ tan²θ", sine2 <= exact <= tangent2, got=(sine2, exact, tangent2))


def check_ball(step: TangentStep) -> None:
    """‖ŵ' − ŵ‖² as it is defined, against 2(1 − u), and the enclosure with certainty, on every tangent step."""
    w, after = BALLS.array(step.w), BALLS.array(step.after)
    with BALLS.context():
        difference = after / BALLS.sqrt(after @ after) - w / BALLS.sqrt(w @ w)
        u = BALLS.sqrt((w @ w) / (after @ after))
        sine2, exact, tangent2 = enclosure(u)
        require_contains("‖ŵ' − ŵ‖² − 2(1 − u)", difference @ difference - exact, 0)
        require_contains("‖Δŵ‖² − 2(1 − u)", squared_effective_step(BALLS, w, after) - exact, 0)
        if np.any(step.after != step.w):
            require("sin²θ < ‖Δŵ‖²", BALLS.less(sine2, exact))
            require("‖Δŵ‖² < tan²θ", BALLS.less(exact, tangent2))


@st.composite
def rotation_trials(draw: st.DrawFn, subject: Subject, /) -> Trial:
    """Trials of any shape and magnitude whose gradients are exactly orthogonal in a view."""
    shape = draw(strategies.matrices())
    dtype = draw(st.sampled_from(strategies.dtypes_of(subject, ("float64", "float32", "bfloat16", "float16"))))
    w = draw(strategies.values(math.prod(shape), draw(st.integers(-4, 4))).filter(any))
    view = draw(st.sampled_from((View.CHANNEL, View.LAYER)))
    rotations = st.builds(Rotation, st.just(view), st.integers(-4, 2))
    hyper = draw(strategies.hyperparameters(subject, weight_decay=0.0, delta=0.1))
    return Trial(shape, dtype, w, tuple(draw(st.lists(rotations, min_size=1, max_size=3))), hyper)


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Orthogonal gradients: exactly so, and those of real layers."""
    return st.one_of(rotation_trials(subject), layer_trials(subject, delta=0.1))


def check_implementation(run: Run) -> list[Measurement]:
    """The effective step of every projected row, against its exact value and against Eq. 5 from both sides."""
    return [found for record, view in projected_records(run) for found in measure_rows(run, record, view)]


def measure_rows(run: Run, record: Record, view: View) -> list[Measurement]:
    """‖Δŵ‖ of rows that are not zero: got from the weights that the optimizer wrote, expected from the exact q."""
    exact = run.exact(record, view)
    bound = weights_bound(run, exact)
    rows = zip(*(view.rows(x) for x in (record.w, record.w_after, exact.q, floats(exact.w), bound)), strict=True)
    measured = []
    for w, after, q, exact_after, error in rows:
        if not (w.any() and after.any()):
            continue
        got, (sine, value, tangent) = effective_step(w, after), exact_steps(run, w, q, exact.lr)
        off = direction_error(exact_after, error)
        outside = max(0.0, sine - got, got - tangent)
        measured += [
            Measurement("‖Δŵ‖", record.index, got, value, abs(got - value), off),
            Measurement("‖Δŵ‖, outside [‖Δw‖/‖w'‖, ‖Δw‖/‖w‖]", record.index, got, value, outside, off),
        ]
    return measured


def effective_step(w: Floats, after: Floats) -> float:
    """‖ŵ' − ŵ‖ of two rows of floats."""
    with BALLS.context():
        squared = squared_effective_step(BALLS, BALLS.array(w), BALLS.array(after))
        return as_float(abs(squared).sqrt())


def exact_steps(run: Run, w: Floats, q: Array, lr: Any) -> tuple[float, float, float]:
    """sin θ, ‖Δŵ‖ and tan θ of the exact step."""
    with BALLS.context():
        row, moved = BALLS.array(w), BALLS.array(q) * lr
        square = row @ row
        u = BALLS.sqrt(square / (square + moved @ moved))
        sine, step, tangent = (as_float(abs(x).sqrt()) for x in enclosure(u))
    return sine, step, tangent


W = EXACT.array([3, 4])


def step(w: Array, p: Array, after: Array) -> Values:
    """A step with η = 1."""
    return {"η": rational(1), "w": w, "p": p, "w'": after}


def radial_step() -> Values:
    """Δw = w is a step of length ‖w‖ that leaves the direction as it is."""
    return step(W, -W, 2 * W)


def origin() -> Values:
    """w = 0 has no direction."""
    return step(0 * W, -W, W)


def another_update() -> Values:
    """p = 0, and yet the weights move."""
    return step(W, 0 * W, 2 * W)


(eta,) = variables("η", "R")
w, p, after = variables("w p w'", "E")


def norm(x: Term) -> Term:
    return function("norm", x)


def unit(x: Term) -> Term:
    return function("unit", x)


COSINE = norm(w) / norm(after)
EFFECTIVE, MOVED = unit(after) - unit(w), after - w
INVERSES = function("inverse", norm(w)) - function("inverse", norm(after))
GIVEN = (
    Hypothesis("nonzero", unequal(w, function("zero")), origin),
    Hypothesis("tangent", equal(dot(w, p), 0), radial_step),
    Hypothesis("update", equal(after, w - eta * p), another_update),
)
STATEMENT = Statement(
    "eq_05_effective_step",
    (
        Theorem(
            "eq_05",
            (eta, w, p, after),
            given=GIVEN,
            says=(
                equal(norm(EFFECTIVE), function("sqrt", 2 * (1 - COSINE))),
                norm(MOVED) / norm(after) <= norm(EFFECTIVE),
                norm(EFFECTIVE) <= norm(MOVED) / norm(w),
                INVERSES >= 0,
                eta**2 * (square(p) / (2 * norm(w) ** 3)) >= INVERSES,
            ),
        ),
        Theorem(
            "eq_05_gaps",
            (eta, w, p, after),
            given=GIVEN,
            says=(
                equal(square(EFFECTIVE) - square(MOVED) / square(after), (1 - COSINE) ** 2),
                equal(
                    square(MOVED) / square(w) - square(EFFECTIVE),
                    (1 - COSINE) ** 2 * (1 + 2 * norm(w) / norm(after)) / COSINE**2,
                ),
            ),
        ),
    ),
)


def values(step: TangentStep) -> list[Values]:
    """A step of rational lengths as the statement's letters."""
    return values_in_balls(step, EXACT) if step.rational else []


def values_in_balls(step: TangentStep, field: Field = BALLS) -> list[Values]:
    """A step that moves: else ‖Δŵ‖ is the root of a ball around 0, and there is none."""
    if not np.any(step.after != step.w):
        return []
    return [{"η": step.lr, **{name: field.array(x) for name, x in (("w", step.w), ("p", step.p), ("w'", step.after))}}]


CLAIM = Claim(
    id="eq-05",
    title="Effective steps are steps over the norm",
    where="§2.3, Eq. 5",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(tangent_steps(), STATEMENT, values, also=check_exact),
    ball=Instances(tangent_steps(), STATEMENT, values_in_balls, also=check_ball, field=BALLS),
    implementation=Attack(frozenset({PROJECTION}), trials, check_implementation),
    notes=(
        "Both sides have relative errors of θ²/8 and 3θ²/8. The paper has ≈ and assumes 1/‖w'‖ − 1/‖w‖ = o(η), which "
        "for tangent steps is O(η²). Without Δw ⊥ w only the upper side survives, as ‖Δŵ‖ ≤ ‖Δw‖/√(‖w‖‖w'‖)."
    ),
)
