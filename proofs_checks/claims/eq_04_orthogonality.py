"""Eq. 4: the gradient of a scale-invariant function is tangent, w·∇f(w) = 0, and ∇f(cw) = ∇f(w)/c (§2.3).

An optimizer whose decisions depend neither on the scale of w nor on that of g is homogeneous too: on (cw, g/c), with
the step size rescaled to match, its step is c times the one on (w, g). For c a power of two this holds bitwise, and
catches every ε that clamps a norm.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.generate.invariant_problems import Point

C = sympy.Symbol("c", positive=True)


def proof(degree: int = -1) -> Proof:
    """The derivative of f(w) = φ(w/‖w‖) by the chain rule; ``degree`` is the claimed degree of ∇f."""
    gram = Gram("w h n")
    w, h, n = gram.vectors
    s = sympy.Symbol("s", real=True)

    def along(x: sympy.Expr) -> sympy.Expr:
        return x - gram.dot(w, x) / gram.square(w) * w

    length = sympy.sqrt(gram.square(w))
    moved = (w + s * h) / sympy.sqrt(gram.square(w + s * h))
    gradient = along(n) / length
    scaled = (n - gram.dot(C * w, n) / gram.square(C * w) * C * w) / sympy.sqrt(gram.square(C * w))
    return Proof(
        method="Chain rule and Gram algebra, in any dimension.",
        given=(
            Given("f(cw) = f(w) for every c > 0, so that f(w) = φ(ŵ), ŵ = w/‖w‖; f is differentiable, w ≠ 0"),
            Given("n = ∇φ(ŵ) for any differentiable extension of φ; Π(x) = x − (w·x / w·w) w (Eq. 10)"),
            Given("h any direction"),
        ),
        steps=(
            Identity(
                "the derivative of ŵ along h: d/ds (w + sh)/‖w + sh‖ at s = 0 is Π(h)/‖w‖",
                sympy.diff(moved, s).subs(s, 0),
                along(h) / length,
                theorem=NotApplicable("the kernel differentiates f itself, along w, and needs no φ"),
            ),
            Identity(
                "Π is self-adjoint, n·Π(h) = Π(n)·h, so that ∇f(w) = Π(n)/‖w‖",
                gram.dot(n, along(h)) / length,
                gram.dot(gradient, h),
                theorem=NotApplicable("the kernel differentiates f itself, along w, and needs no φ"),
            ),
            Identity("Eq. 4: w·∇f(w) = 0", gram.dot(w, gradient), 0, theorem="eq_04"),
            Identity(
                "ŵ and with it n ignore the scale of w: ∇f(cw) = ∇f(w)/c",
                scaled,
                C**degree * gradient,
                theorem="homogeneity",
            ),
            Identity(
                "conversely, n now ∇f(cw): d/dc f(cw) = w·∇f(cw) = (cw)·∇f(cw)/c, and 0 where gradients are tangent",
                gram.dot(w, n),
                gram.dot(C * w, n) / C,
                theorem="eq_04_converse",
            ),
        ),
        conclusion="w·∇f(w) = 0 and ∇f(cw) = ∇f(w)/c for every c > 0, and w·∇f = 0 everywhere makes f scale-invariant.",
        without=("eq_04_no_gradient_at_0",),
    )


def values(point: Point) -> Values:
    """A rational objective at a point as the statement's letters."""
    field = GradientField(point.objective)
    return {"f": Gradients(field, [point.w]), "c": point.c, "w": point.w, "g": field(point.w)}


def check_values(point: Point) -> None:
    """The objective itself is scale-invariant."""
    f, w, c = point.objective, point.w, point.c
    require_equal("f(cw)", f.value(EXACT, c * w), f.value(EXACT, w))


def check_ball(point: Point) -> None:
    """The same on objectives with square roots, in balls."""
    f, w, c = point.objective, BALLS.array(point.w), point.c
    with BALLS.context():
        g, g_scaled = f.gradient(BALLS, w), f.gradient(BALLS, c * w)
        slope: Any = w @ g
        require_contains("w·∇f(w)", slope, 0)
        require_contains("f(cw) − f(w)", f.value(BALLS, c * w) - f.value(BALLS, w), 0)
        for a, b in zip(g_scaled, g, strict=True):
            require_contains("c ∇f(cw) − ∇f(w)", c * a - b, 0)
            require("the ball is narrow", bool(b.rad() < 2.0**-128))


EXPONENTS = (-24, -1, 1, 24)


SHAPES = strategies.shapes(min_dims=1).filter(lambda shape: 0 not in shape)


@st.composite
def homogeneity_trials(draw: st.DrawFn, subject: Subject, /, *, max_steps: int = 3) -> Trial:
    """Trials of any shape whose values stay in the range of normal numbers, also after they are scaled.

    float16 is left out: from 2^−14 on it loses digits, and a scaled run would round elsewhere.
    """
    shape = draw(SHAPES)
    count = math.prod(shape)
    hyper = draw(strategies.hyperparameters(subject))
    w = draw(strategies.values(count, draw(st.integers(-3, 3))))
    gradient = st.one_of(strategies.values(count, 0), strategies.values(count, -6))
    gradients: list[Gradient] = draw(st.lists(gradient, min_size=1, max_size=max_steps))
    if len(shape) >= 2 and draw(st.booleans()):
        gradients[0] = Rotation(draw(st.sampled_from((View.CHANNEL, View.LAYER))), draw(st.integers(-3, 3)))
    dtype = draw(st.sampled_from(strategies.dtypes_of(subject, ("float64", "float32", "bfloat16"))))
    return Trial(shape, dtype, w, tuple(gradients), hyper)


def scaled(run: Run, exponent: int) -> Trial:
    """The trial on (cw, g/c) with c = 2^exponent, and the hyper-parameters under which every step is c times as long.

    SGDP: η c², λ/c², since ηp becomes ηc² p/c. AdamP: ηc, λ/c and ε/c, since p = m/(√v + ε) has no scale.
    """
    gradients = tuple(None if g is None else tuple(np.ldexp(g, -exponent).ravel()) for g in map(run.given, run.records))
    if run.subject.update.degree is None:
        raise NotOffered("how its update scales with the gradient is not known")
    degree = 1 + run.subject.update.degree
    hyper = dict(run.trial.hyper)
    hyper["lr"] = math.ldexp(hyper["lr"], degree * exponent)
    if "weight_decay" in hyper:
        hyper["weight_decay"] = math.ldexp(hyper["weight_decay"], -degree * exponent)
    if degree == 1 and "eps" in hyper:
        hyper["eps"] = math.ldexp(hyper["eps"], -exponent)
    return replace(run.trial, w=tuple(np.ldexp(run.records[0].w, exponent).ravel()), gradients=gradients, hyper=hyper)


def stays_normal(run: Run, record: Record) -> bool:
    """Whether weights that nearly cancel, as w(1 − ηλ) can, are still normal numbers after they are scaled.

    The smallest is kept 2⁶⁰ above the smallest normal number: 2²⁴ for the scale, the rest for the factors of a step.
    """
    size = np.abs(record.w_after)
    return bool((size[size > 0] >= 2.0 ** (run.storage.emin + 60)).all())


def check_implementation(run: Run, exponents: Sequence[int] = EXPONENTS) -> list[Measurement]:
    """The step on (cw, g/c) is c times the step on (w, g), bitwise, for powers of two c."""
    measured = []
    normal = list(takewhile(lambda record: stays_normal(run, record), run.records))
    for exponent in exponents:
        # Not strict: a run that left the finite numbers has ended, with an infinite error in its last record.
        for record, other in zip(normal, execute(run.subject, scaled(run, exponent)).records, strict=False):
            expected = np.ldexp(record.w_after, exponent)
            name = f"w' of (cw, g/c), c = 2^{exponent}, "
            if np.array_equal(other.w_after, expected):
                measured.append(Measurement(name, record.index, 0.0, 0.0, 0.0, 0.0, 0.0))
                continue
            measured.append(run.compare(name, record, other.w_after, EXACT.array(expected), 0 * expected))
    return measured


def shown(run: Run, step: int) -> tuple[Run, list[tuple[str, Floats, Floats]]]:
    """The scaled run that is worst at a step, and what c times the weights of the other would be."""

    def error(other: Run, exponent: int) -> float:
        off = np.abs(other.records[step].w_after - np.ldexp(run.records[step].w_after, exponent))
        return math.inf if np.isnan(off).any() else float(np.ldexp(off.max(), -exponent))

    runs = {exponent: execute(run.subject, scaled(run, exponent)) for exponent in EXPONENTS}
    worst = max(
        (exponent for exponent, other in runs.items() if len(other.records) > step),
        key=lambda exponent: error(runs[exponent], exponent),
    )
    expected = np.ldexp(run.records[step].w_after, worst)
    return runs[worst], [(f"2^{worst} times the weights of the run on (w, g)", expected, 0 * expected)]


W = EXACT.array([3, 4])


def at(field: Callable[[Array], Array], gradient: Array, c: float = 2.0) -> Values:
    """A field of gradients at W, what is called its gradient there, and a scale."""
    return {"f": Gradients(field, [W]), "c": rational(c), "w": W, "g": gradient}


def not_invariant() -> Values:
    """f(w) = w·w: w·∇f(w) = 2 w·w."""
    return at(lambda w: 2 * w, 2 * W)


def not_the_gradient() -> Values:
    """Any other vector than ∇f(w)."""
    return at(lambda w: 0 * w, W)


def negative_scale() -> Values:
    """The cosine is scale-invariant for c > 0; at c = −1 its gradient is ∇f(w), not −∇f(w)."""
    cosine = GradientField(Cosine((0, 1)))
    return at(cosine, cosine(W), c=-1)


f, *_ = variables("f", "E -> R")
grad, *_ = variables("grad", "E -> E")
c, *_ = variables("c", "R")
w, g = variables("w g", "E")
NONZERO = unequal(w, function("zero"))
INVARIANT = Hypothesis("scale_invariant", function("scale_invariant", f), not_invariant)
KERNEL = NotApplicable("it speaks of every w: the kernel has the counterexample")

STATEMENT = Statement(
    "eq_04_orthogonality",
    (
        Theorem(
            "eq_04",
            (f, c, w, g),
            given=(
                INVARIANT,
                Hypothesis("gradient", function("gradient", f, w, g), not_the_gradient),
                Hypothesis("c_positive", c > 0, negative_scale),
            ),
            says=(equal(dot(w, g), 0), function("gradient", f, c * w, function("inverse", c) * g)),
        ),
        Theorem(
            "eq_04_converse",
            (f, grad),
            given=(
                Hypothesis(
                    "gradients",
                    every(w, function("⇒", NONZERO, function("gradient", f, w, grad(w)))),
                    KERNEL,
                ),
                Hypothesis(
                    "tangent",
                    every(w, function("⇒", NONZERO, equal(dot(w, grad(w)), 0))),
                    KERNEL,
                ),
            ),
            says=(every(c, every(w, function("⇒", c > 0, function("⇒", NONZERO, equal(f(c * w), f(w)))))),),
        ),
        Theorem(
            "eq_04_no_gradient_at_0",
            (f, g),
            given=(
                INVARIANT,
                Hypothesis(
                    "gradient",
                    function("gradient", f, function("zero"), g),
                    KERNEL,
                ),
            ),
            says=(every(w, equal(f(w), f(function("zero")))),),
        ),
    ),
    shown=2,
)

CLAIM = Claim(
    id="eq-04",
    title="Gradients of scale-invariant weights are tangent",
    where="§2.3, Eq. 4",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(rational_points(), STATEMENT, values, also=check_values),
    ball=Search(irrational_points(), check_ball),
    implementation=Attack(frozenset({PROJECTION}), homogeneity_trials, check_implementation, shown),
    notes=(
        "The paper derives w·∇f(w) = 0; the degree −1 of ∇f is what makes effective steps shrink like 1/‖w‖². The "
        "implementation rung attacks the counterpart in optimizers: homogeneity in (w, g), with no ε in the way."
    ),
)
