"""Eq. 10: Π_w(x) = x − (ŵ·x) ŵ is the orthogonal projection onto the tangent space of w (§3.1).

It is linear, idempotent, self-adjoint and non-expansive, kills w, ignores the scale of w, and needs no square root:
(ŵ·x) ŵ = (w·x / w·w) w. Where w = 0 there is no radial direction, and x stays as it is.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import flint
import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.statement.terms import Term

A, B = sympy.symbols("a b", real=True)
C = sympy.Symbol("c", real=True, nonzero=True)
SQUARE = sympy.Symbol("⟨w,w⟩", positive=True)


def proof(sign: int = -1, degree: int = -1) -> Proof:
    """All properties by bilinearity; the claimed Π is x + ``sign`` · (w·x)(w·w)^``degree`` w."""
    gram = Gram("w x y", relations={("w", "w"): SQUARE})
    w, x, y = gram.vectors

    def along(v: sympy.Expr, w: sympy.Expr = w) -> sympy.Expr:
        return v + sign * gram.dot(w, v) * gram.square(w) ** degree * w

    q, dot = along(x), gram.dot(w, x)
    return Proof(
        method="Gram algebra, in any dimension.",
        given=(Given("w ≠ 0; Π(x) = x − (w·x / w·w) w (Eq. 10), x and y any vectors, a, b, c numbers, c ≠ 0", q),),
        steps=(
            Identity("tangent: ⟨w, Π(x)⟩ = 0", gram.dot(w, q), 0, theorem="project_tangent"),
            Identity("it kills w: Π(w) = 0", along(w), 0, theorem="eq_10"),
            Identity(
                "and leaves tangent vectors alone: if ⟨w, x⟩ = 0 then Π(x) = x",
                q.subs(dot, 0),
                x,
                theorem="keeps_tangent",
            ),
            Identity(
                "linear: Π(ax + by) = aΠ(x) + bΠ(y)", along(A * x + B * y), A * q + B * along(y), theorem="linear"
            ),
            Identity("idempotent: Π(Π(x)) = Π(x)", along(q), q, theorem="eq_10"),
            Identity(
                "self-adjoint: ⟨Π(x), y⟩ = ⟨x, Π(y)⟩", gram.dot(q, y), gram.dot(x, along(y)), theorem="self_adjoint"
            ),
            Identity(
                "Pythagoras: ‖x‖² − ‖Π(x)‖² = ⟨w, x⟩²/‖w‖²",
                gram.square(x) - gram.square(q),
                dot**2 / SQUARE,
                theorem="project_square",
            ),
            NonNegative(
                "so non-expansive: ‖Π(x)‖ ≤ ‖x‖",
                gram.square(x) - gram.square(q),
                [(1 / SQUARE, gram.dot(w, x))],
                theorem="shortens",
            ),
            Identity("it ignores the scale of w: Π_{cw} = Π_w", along(x, C * w), q, theorem="eq_10"),
            Identity(
                "at w = 0 there is no radial direction: Π(x) = x − c0 = x, whatever number c = 0/0 stands for",
                (x + sign * C * w).subs(w, 0),
                x,
                theorem="eq_10_at_zero",
            ),
            Identity(
                "no tangent vector is as close: if ⟨w, y⟩ = 0 then ‖x − y‖² = ‖x − Π(x)‖² + ‖Π(x) − y‖²",
                gram.square(x - y).subs(gram.dot(w, y), 0),
                (gram.square(x - q) + gram.square(q - y)).subs(gram.dot(w, y), 0),
                theorem="eq_10_unique",
            ),
        ),
        conclusion="Π_w is the orthogonal projection onto w's complement: the only linear map with Π² = Π = Πᵀ whose "
        "kernel is the line of w.",
    )


@dataclass(frozen=True)
class Vectors:
    """Weights w, which may be zero, vectors x and y, and numbers."""

    w: Array
    x: Array
    y: Array
    a: flint.fmpq
    b: flint.fmpq
    c: flint.fmpq


@st.composite
def vector_problems(draw: st.DrawFn) -> Vectors:
    """Weights and vectors of 1 to 64 dimensions; x is free, a multiple of w, or tangent."""
    dim = draw(problems.dimensions())
    w, y = draw(problems.vectors(dim)), draw(problems.vectors(dim))
    kind = draw(st.sampled_from(("free", "radial", "tangent")))
    x: Array = draw(problems.rationals()) * w
    if kind == "free":
        x = y[::-1] - draw(problems.rationals())
    if kind == "tangent":
        x = draw(problems.skew_fields(dim))(w) if dim > 1 else 0 * w
    a, b, c = draw(problems.rationals()), draw(problems.rationals()), draw(problems.rationals().filter(bool))
    return Vectors(w, x, y, a, b, c)


def values(problem: Vectors, field: Field = EXACT) -> list[Values]:
    """The vectors as the statement's letters, with y as drawn and as its tangent part; of w = 0, what is said of it."""
    w, x, y = (field.array(v) for v in (problem.w, problem.x, problem.y))
    if not problem.w.any():
        return [{"x": x}]
    with field.context():
        numbers = {name: field.element(getattr(problem, name)) for name in "abc"}
        return [{**numbers, "w": w, "x": x, "y": other, "v": project(w, x)} for other in (y, project(w, y))]


def check_rows(problem: Vectors) -> None:
    """Π without the root, for w = 0 too, and Π of rows."""
    w, x, y = problem.w, problem.x, problem.y
    q = project(w, x)
    require_equal("(‖x‖² − ‖Π(x)‖²) ‖w‖²", (x @ x - q @ q) * (w @ w), (w @ x) * (w @ x))
    require_equal("(x − Π(x)) ‖w‖²", (x - q) * (w @ w), (w @ x) * w)
    if not w.any() or w @ x == 0:
        require_equal("Π(x) of a tangent x", q, x)
    pair = np.stack([w, y]), np.stack([x, x])
    require_equal("Π of rows", project_rows(View.CHANNEL, *pair), np.stack([q, project(y, x)]))
    flat = project(pair[0].reshape(-1), pair[1].reshape(-1))
    require_equal("Π of the layer", project_rows(View.LAYER, *pair).reshape(-1), flat)


@dataclass(frozen=True)
class FreeWhereZero:
    """An orthogonal gradient that is 2^``exponent`` where a row of weights is zero: Eq. 11 passes, and Π_0 = 1."""

    rotation: Rotation
    exponent: int

    def __call__(self, w: Floats) -> Floats:
        g = self.rotation(w)
        g[~w.reshape(len(w), -1).any(axis=1)] = math.ldexp(1.0, self.exponent)
        return g


@st.composite
def zero_row_trials(draw: st.DrawFn, subject: Subject, /) -> Trial:
    """Trials with rows of zeros among the weights, in the channel view."""
    trial = draw(strategies.projected_trials(subject))
    w = np.array(trial.w).reshape(trial.shape[0], -1)
    for dead in draw(st.sets(st.integers(0, trial.shape[0] - 1), min_size=1)):
        w[dead] = 0.0
    exponent = draw(st.integers(-3, 3))
    gradient = FreeWhereZero(Rotation(View.CHANNEL), exponent)
    return replace(trial, w=tuple(w.ravel()), gradients=(gradient, Rotation(View.CHANNEL)))


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Orthogonal gradients after a free one, and rows of zeros."""
    often = strategies.projected_trials(subject)
    return st.one_of(often, often, zero_row_trials(subject))


def check_implementation(run: Run) -> list[Measurement]:
    """Every projected step, and the same run on weights and gradients of another scale."""
    steps = [found for record, view in projected_records(run) for found in measure_projection(run, record, view)]
    return steps + measure_scale(run)


def measure_projection(run: Run, record: Record, view: View) -> list[Measurement]:
    """ηq = w − w' as the optimizer moved, subtracted exactly: it is ηΠ(p), and w·ηq = 0."""
    exact = run.exact(record, view)
    bound = weights_bound(run, exact)
    w, moved = EXACT.array(record.w), EXACT.array(record.w) - EXACT.array(record.w_after)
    measurements = [run.compare("w − ηΠ(p)", record, record.w_after, exact.w, bound)]
    for i, (w_row, moved_row, error) in enumerate(zip(*(view.rows(x) for x in (w, moved, bound)), strict=True)):
        off = inner_product_error(floats(w_row), error)
        measurements.append(measured(f"w·ηq, row {i}", record.index, w_row @ moved_row, EXACT.element(0), off))
    return measurements


def measure_scale(run: Run) -> list[Measurement]:
    """From (cw, cg), c a power of two, SGDP moves by cηq, bitwise; so does AdamP, with cη and cε for η and ε.

    Only where that stays in the range of normal numbers, and of updates whose law is known.
    """
    measurements: list[Measurement] = []
    for exponent in (-3, 5) if run.subject.update.degree is not None else ():
        trial = scaled(run, exponent)
        if trial is None:
            continue
        # Not strict: a run that left the finite numbers has ended, with an infinite error in its last record.
        for record, other in zip(run.records, execute(run.subject, trial).records, strict=False):
            expected = np.ldexp(record.w_after, exponent)
            name = f"w' of (cw, cg), c = 2^{exponent}, "
            measurements.append(run.compare(name, record, other.w_after, EXACT.array(expected), 0 * expected))
    return measurements


def scaled(run: Run, exponent: int) -> Trial | None:
    """The trial on (cw, cg) with c = 2^exponent; ``None`` where it could under- or overflow, and so round elsewhere."""
    records = [record for record in run.records if record.g is not None]
    arrays = [x for r in records for x in (r.w, r.w_after, r.g, *r.state_after.values()) if isinstance(x, np.ndarray)]
    sizes = np.abs(np.concatenate([x.ravel() for x in arrays])) if arrays else np.zeros(0)
    sizes = sizes[sizes > 0]
    low, high = math.ldexp(1.0, run.storage.emin // 4), math.ldexp(1.0, run.storage.emax // 4)
    if not len(sizes) or sizes.min() < low or sizes.max() > high or run.storage.emin > -100:
        return None
    gradients: tuple[Gradient, ...] = tuple(
        None if g is None else tuple(np.ldexp(g, exponent).ravel()) for g in map(run.given, run.records)
    )
    hyper = dict(run.trial.hyper)
    if run.subject.update.degree == 0:
        hyper |= {name: math.ldexp(hyper[name], exponent) for name in ("lr", "eps") if name in hyper}
    return replace(run.trial, w=tuple(np.ldexp(run.records[0].w, exponent).ravel()), gradients=gradients, hyper=hyper)


W, X = EXACT.array([3, 4]), EXACT.array([1, 7])


def origin() -> Values:
    """w = 0 has no direction."""
    return {"a": rational(1), "b": rational(1), "c": rational(1), "w": 0 * W, "x": X, "y": X}


def not_tangent() -> Values:
    """x itself is closest to x, and is not tangent."""
    return {"w": W, "x": X, "v": X}


def not_closest() -> Refutation:
    """0 is tangent, and another tangent vector is closer to x."""
    return Refutation("Π_w(x)", (0 * W).tolist(), project(W, X).tolist())


def another_inner_product() -> Refutation:
    """The components of x and w taken in the inner product diag(1, 2), the tangent space in the standard one."""
    weight = EXACT.array([1, 2])
    oblique = X - (W * weight) @ X / ((W * weight) @ W) * W
    again = oblique - (W * weight) @ oblique / ((W * weight) @ W) * W
    require_equal("idempotent all the same", again, oblique)
    return Refutation("w·Π(x)", 0, W @ oblique)


a, b, c = variables("a b c", "R")
w, x, y, z, nearest = variables("w x y z v", "E")
ZERO, NORMAL = function("zero"), function("unit", w)


def tangent(v: Term) -> Term:
    """Π_w(v)"""
    return function("project", w, v)


NONZERO = Hypothesis("nonzero", unequal(w, ZERO), origin)
STATEMENT = Statement(
    "eq_10_projection",
    (
        Theorem(
            "eq_10",
            (a, b, c, w, x, y),
            given=(NONZERO,),
            says=(
                equal(tangent(x), x - dot(NORMAL, x) * NORMAL),
                equal(dot(w, tangent(x)), 0),
                equal(tangent(w), ZERO),
                function("⇒", equal(dot(w, x), 0), equal(tangent(x), x)),
                equal(tangent(a * x + b * y), a * tangent(x) + b * tangent(y)),
                equal(tangent(tangent(x)), tangent(x)),
                equal(dot(tangent(x), y), dot(x, tangent(y))),
                square(tangent(x)) <= square(x),
                function("⇒", unequal(c, 0), equal(function("project", c * w, x), tangent(x))),
                function("⇒", equal(dot(w, y), 0), square(x - tangent(x)) <= square(x - y)),
            ),
        ),
        Theorem(
            "eq_10_unique",
            (w, x, nearest),
            given=(
                NONZERO,
                Hypothesis("tangent", equal(dot(w, nearest), 0), not_tangent),
                Hypothesis(
                    "closest",
                    every(z, function("⇒", equal(dot(w, z), 0), square(x - nearest) <= square(x - z))),
                    not_closest,
                ),
            ),
            says=(equal(nearest, tangent(x)),),
        ),
        Theorem("eq_10_at_zero", (x,), given=(), says=(equal(function("project", ZERO, x), x),)),
    ),
    more=("eq_10_needs_c_nonzero", "eq_10_everywhere", "eq_10_unique_everywhere"),
)

CLAIM = Claim(
    id="eq-10",
    title="The projection onto the tangent space",
    where="§3.1, Eq. 10",
    statement=STATEMENT,
    hypotheses=(Hypothesis("one inner product", "ŵ·x and ‖w‖ are of the inner product of w·q", another_inner_product),),
    algebra=proof,
    exact=Instances(vector_problems(), STATEMENT, values, also=check_rows),
    ball=Instances(vector_problems(), STATEMENT, partial(values, field=BALLS), field=BALLS),
    implementation=Attack(frozenset({PROJECTION}), trials, check_implementation),
    notes=(
        "So Π_w is the orthogonal projection onto the tangent space of w: linear, idempotent, self-adjoint and "
        "non-expansive, whatever the scale of w. The paper leaves Π_0 open; the identity is the choice of the spec and "
        "of the package, and Coq, whose 1/0 is 0, has all of Eq. 10 there too. No ε enters the norm."
    ),
)
