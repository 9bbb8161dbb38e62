"""Proposition 3.1: the projection changes by how much a step turns the weights, not along which geodesic (§3.1; A.3).

With w° = w − ηp and wᵖ = w − ηΠ_w(p), the point wᵖ/‖wᵖ‖ lies on the geodesic S^{d−1} ∩ span(w, w°). The paper stops
here. With r = ‖w‖, c = ŵ·p and s = ‖Π_w(p)‖ > 0 both steps turn w to the same side, by

    tan∠(w, w°) = ηs/(r − ηc),    tan∠(w, wᵖ) = ηs/r:

further with the projection if c < 0, less far if c > 0. Momentum GD on scale-invariant f has c ≤ 0 (Lemma 2.2), so its
projected steps never turn w by less. Adam's c has either sign. From r ≤ ηc on, w° lies 90° or more away, wᵖ never does.
"""

from dataclasses import replace

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims import lemma_2_2_momentum_norm_growth as lemma
from tangency.proofs_checks.statement.terms import Term, Variable
from tangency.theory.geodesic import Plane, gram_determinant, on_geodesic, signed_squared_cosine

ETA = sympy.Symbol("η", positive=True)
SQUARE, SUM = sympy.Symbol("⟨w,w⟩", positive=True), sympy.Symbol("S_t", nonnegative=True)


def proof(projected_tangent2: sympy.Expr | None = None, sign: int = -1) -> Proof:
    """The projected point lies on the geodesic, on the same side of w, at the stated angle.

    Args:
        projected_tangent2: the claimed tan²∠(w, wᵖ) in ``Plane``'s symbols; η²s²/r² if not given.
        sign: the sign of Eq. 10.
    """
    gram = Gram("w p", relations={("w", "w"): SQUARE})
    w, p = gram.vectors
    dot = gram.dot(w, p)
    q = p + sign * dot / SQUARE * w
    original, after = w - ETA * p, w - ETA * q
    plane = Plane(ETA, SQUARE, dot, gram.square(q))
    claimed = plane.projected_tangent2 if projected_tangent2 is None else projected_tangent2

    def tangent(x: sympy.Expr) -> sympy.Expr:
        return x - gram.dot(w, x) / SQUARE * w

    def tangent2(x: sympy.Expr) -> sympy.Expr:
        return gram.square(tangent(x)) * SQUARE / gram.dot(w, x) ** 2

    triple = sympy.Matrix(3, 3, lambda i, j: gram.dot((w, original, after)[i], (w, original, after)[j]))
    momentum = replace(plane, radial=-ETA * SUM)
    return Proof(
        method="Gram algebra, in any dimension; Lemma 2.2 for momentum GD.",
        given=(
            Given("w ≠ 0; w° = w − ηp", original),
            Given("wᵖ = w − ηq with q = Π_w(p) = p − (w·p / w·w) w (Eq. 10)", after),
            Given("r² = ⟨w,w⟩, rc = ⟨w,p⟩, s² = ‖q‖²; momentum GD has ⟨w,p⟩ = −ηS_t, S_t = Σ β^{t−k}‖p_k‖² ≥ 0"),
        ),
        steps=(
            Identity(
                "wᵖ = w° + η(w·p / w·w) w, in span(w, w°)",
                after,
                original + ETA * dot / SQUARE * w,
                theorem="proposition_3_1_as_printed",
            ),
            Identity(
                "that is, the Gram determinant of w, w°, wᵖ vanishes",
                triple.det(),
                0,
                theorem="proposition_3_1_as_printed",
            ),
            Identity(
                "the projected step keeps what points along w: ⟨w, wᵖ⟩ = r² > 0",
                gram.dot(w, after),
                SQUARE,
                theorem="in_coordinates",
            ),
            Identity(
                "the original one keeps r² − ηrc: 90° from r = ηc on",
                gram.dot(w, original),
                plane.advance,
                theorem="proposition_3_1_overshoot",
            ),
            Identity(
                "both turn to the same side: Π(w°) = Π(wᵖ) = −ηq",
                tangent(original),
                tangent(after),
                theorem="in_coordinates",
            ),
            Identity(
                "so tan²∠(w, w°) = η²s²/(r − ηc)²",
                tangent2(original),
                plane.original_tangent2,
                theorem="proposition_3_1",
            ),
            Identity("and tan²∠(w, wᵖ) = η²s²/r²", tangent2(after), claimed, theorem="proposition_3_1"),
            Identity(
                "their ratio is ((r − ηc)/r)²: further for c < 0, less far for c > 0",
                tangent2(after) / tangent2(original),
                plane.tangent_ratio**2,
                theorem="proposition_3_1",
            ),
            NonNegative(
                "momentum GD: (r − ηc)/r − 1 = η²S_t/r² ≥ 0",
                momentum.tangent_ratio - 1,
                [(ETA**2 * SUM / SQUARE, sympy.Integer(1))],
                theorem="proposition_3_1_momentum",
            ),
        ),
        conclusion="The effective projected step goes along the geodesic of the original one, to the same side; under "
        "momentum GD never less far, and never by 90°.",
    )


def require_geodesic(w: Array, p: Array, lr: flint.fmpq) -> Plane:
    """The proposition for one row of weights, w ≠ 0, and its angles against the cosines of their definition."""
    original, after, plane = w - lr * p, w - lr * project(w, p), Plane.of(w, p, lr)
    require("wᵖ on the geodesic of w and w°", on_geodesic(w, original, after))
    require_equal("Π(w°)·Π(wᵖ)", project(w, original) @ project(w, after), lr * lr * plane.tangential2)
    require_equal("90° or more", plane.overshoots, bool(w @ original <= 0))
    cosine = signed_squared_cosine(w, after)
    require("∠(w, wᵖ) < 90°", bool(cosine > 0))
    require_equal("cos²∠(w, wᵖ)", cosine, 1 / (1 + plane.projected_tangent2))
    if original.any():
        other = signed_squared_cosine(w, original)
        require_equal("the larger angle", plane.larger, int(other > cosine) - int(other < cosine))
        if plane.advance:
            require_equal("cos²∠(w, w°)", abs(other), 1 / (1 + plane.original_tangent2))
            require_equal("tan²", plane.projected_tangent2, plane.tangent_ratio**2 * plane.original_tangent2)
    return plane


@st.composite
def momentum_runs(draw: st.DrawFn) -> problems.Descent:
    """Runs of momentum GD, Nesterov and dampening among them, on skew-symmetric fields."""
    tau = draw(st.sampled_from([EXACT.element(0), EXACT.element(0.5)]))
    return draw(problems.skew_descents(momentum=True, max_steps=40, nesterov=draw(st.booleans()), dampening=tau))


@st.composite
def free_steps(draw: st.DrawFn) -> tuple[Array, Array, flint.fmpq]:
    """Weights and updates without any relation, or with p ∥ w, or with w° at 90° exactly."""
    dim = draw(problems.dimensions())
    w, lr = draw(problems.vectors(dim, nonzero=True)), draw(problems.step_sizes())
    p = draw(problems.rationals()) * w if draw(st.integers(0, 4)) == 0 else draw(problems.vectors(dim))
    if w @ p > 0 and draw(st.booleans()):
        lr = (w @ w) / (w @ p)
    return w, p, lr


def check_exact(problem: problems.Descent | tuple[Array, Array, flint.fmpq]) -> None:
    """Free steps, and every step of a momentum run, where the projection never makes the angle smaller."""
    if isinstance(problem, tuple):
        require_geodesic(*problem)
        return
    for t, (w, step) in enumerate(problem.run(heavy_ball)):
        require_equal(f"w_{t}·g_{t}", w @ problem.gradient(w), 0)
        plane = require_geodesic(w, step.p, step.lr)
        if not problem.hyper["nesterov"]:
            require(f"c ≤ 0 at step {t}", bool(plane.radial <= 0), got=plane.radial)
            require("the projected angle is not the smaller one", plane.larger >= 0 and not plane.overshoots)


ADAM = st.fixed_dictionaries(
    {
        "lr": problems.step_sizes(),
        "betas": st.tuples(problems.momenta(), problems.momenta()),
        "eps": problems.positive_rationals(1),
    }
)


def check_ball(run: problems.TensorRun) -> None:
    """Adam: the Gram determinant, and the angles from the cosines of their definition."""
    with BALLS.context():
        for t, (w, step) in enumerate(run.run(adam, BALLS)):
            w, p = w.reshape(-1), step.p.reshape(-1)
            if not bool(w @ w > 0):
                continue
            plane, original, after = Plane.of(w, p, step.lr), w - step.lr * p, w - step.lr * project(w, p)
            require_contains(f"det(w, w°, wᵖ) at step {t}", flint.arb(gram_determinant(w, original, after)), 0)
            cosine = flint.arb((w @ after) / BALLS.sqrt((w @ w) * (after @ after)))
            tangent2 = flint.arb(plane.projected_tangent2)
            require_contains("cos²∠(w, wᵖ) − 1/(1 + tan²)", cosine * cosine - 1 / (1 + tangent2), 0)
            require("the ball is narrow", bool((cosine * cosine).rad() < 2.0**-64))


def check_implementation(run: Run) -> list[Measurement]:
    """Where every projected row goes, in the plane of the proposition."""
    return [found for record, view in projected_records(run) for found in measure_plane(run, record, view)]


def measure_plane(run: Run, record: Record, view: View) -> list[Measurement]:
    """w' in the frame (ŵ, −q̂, the rest): it should be (r, ηs, 0), each within the norm of the admissible error."""
    exact = run.exact(record, view)
    errors: Floats = view.rows(weights_bound(run, exact))
    weights, written = run.field.array(record.w), run.field.array(record.w_after)
    measurements = []
    with run.field.context():
        rows = zip(*(view.rows(x) for x in (weights, written, exact.q)), strict=True)
        for i, (w, after, q) in enumerate(rows):
            r2, s2 = w @ w, q @ q
            if not (bool(r2 > 0) and bool(s2 > 0)):
                continue
            r, s = (BALLS.sqrt(BALLS.element(x)) for x in (r2, s2))
            rest = project(q, project(w, after))
            coordinates = (
                ("ŵ·w'", (w @ after) / r, r),
                ("−q̂·w'", -(q @ after) / s, exact.lr * s),
                ("distance of w' to span(w, w°)", BALLS.sqrt(BALLS.element(rest @ rest).abs_upper()), BALLS.element(0)),
            )
            off = norm_error(errors[i])
            measurements += [measured(f"{name}, row {i}", record.index, x, y, off) for name, x, y in coordinates]
    return measurements


W = EXACT.array([2, 1])


def adam_step(sign: int) -> tuple[Array, Step]:
    """The first step of Adam on a gradient g ⊥ w, in rationals: p = g/(2|g| + 2ε), whose c has either sign.

    >>> [int(Plane.of(w, step.p, step.lr).larger) for w, step in map(adam_step, (1, -1))]
    [1, -1]
    """
    g = sign * EXACT.array([-1, 2])
    require_equal("w·g", W @ g, 0)
    return W, adam(EXACT, W, g, lr=0.5, betas=(0.5, 0.75), eps=0.5)


def rows_apart() -> Refutation:
    """Two rows, each projected on its own: every row stays on its geodesic, the tensor as a whole does not."""
    w, p = EXACT.array([[1, 0], [0, 2]]), EXACT.array([[1, 1], [1, 0]])
    after = w - project_rows(View.CHANNEL, w, p)
    for row, p_row, after_row in zip(w, p, after, strict=True):
        require("a row on its own geodesic", on_geodesic(row, row - p_row, after_row))
    whole = on_geodesic(w.reshape(-1), (w - p).reshape(-1), after.reshape(-1))
    return Refutation("wᵖ on the geodesic of the tensor", True, whole)


UP, RIGHT = EXACT.array([0, 1]), EXACT.array([1, 0])


def step(
    w: Array = RIGHT,
    p: Array = UP,
    lr: float = 0.5,
    after: Array | None = None,
    original: Array | None = None,
    v: Array | None = None,
) -> Values:
    """A step from w, at right angles and of rational lengths unless it says otherwise, with both points after it."""
    eta, q = rational(lr), project(w, p)
    return {
        "η": eta,
        "w": w,
        "p": p,
        "wp": w - eta * q if after is None else after,
        "wo": w - eta * p if original is None else original,
        "v": -q if v is None else v,
    }


def weight_decay() -> Array:
    """The weights after a projected step of SGDP from ``step`` with weight decay: in the plane, and turned further."""
    after = sgdp(EXACT, RIGHT.reshape(1, 2), UP.reshape(1, 2), lr=0.5, weight_decay=0.5, view=View.LAYER, wd_ratio=1).w
    require("still on the geodesic", on_geodesic(RIGHT, RIGHT - UP / 2, after.reshape(-1)))
    return after.reshape(-1)


def adam_turns_less() -> Refutation:
    """Adam with an orthogonal gradient and c > 0: the projection makes the angle smaller."""
    w, taken = adam_step(-1)
    return Refutation("∠(w, wᵖ) ≥ ∠(w, w°)", True, Plane.of(w, taken.p, taken.lr).larger >= 0)


def backward_first() -> Values:
    """The first step goes up, the second down."""
    return {**lemma.two_steps(lemma.TURNED, lr=(-0.5, 0.5)), "η": rational(0.5)}


def negative_step_size() -> Values:
    """Up a field of tangents."""
    return lemma.two_steps(lemma.TURNED, lr=(-0.5, -0.5))


def negative_momentum() -> Values:
    """β = −½."""
    descent = problems.Descent(lemma.W, lemma.TURNED, 2, {"lr": 0.5, "momentum": -0.5})
    return of_momentum(descent.run(heavy_ball), lemma.TURNED, momentum=-0.5)


(eta,) = variables("η", "R")
first, second = variables("a b", "R")
w, p, v = variables("w p v", "E")
after, original = Variable("wp", "E", "wᵖ", "w^p"), Variable("wo", "E", "w°", r"w^{\circ}")
UPDATE = function("project", w, p)
S, R = function("norm", UPDATE), function("norm", w)
TURN, PLAIN_TURN = function("angle", w, after), function("angle", w, original)
RADIAL = dot(w, p)


def unit(x: Term) -> Term:
    return function("unit", x)


def on_geodesic_at(x: Term, turn: Term) -> Term:
    return equal(unit(x), function("geodesic", unit(w), v, turn))


NONZERO = Hypothesis("nonzero", unequal(w, function("zero")), lambda: step(w=0 * RIGHT))
PROJECTED = Hypothesis("projected", equal(after, w - eta * UPDATE), lambda: step(after=weight_decay()))
ORIGINAL = Hypothesis("original", equal(original, w - eta * p), lambda: step(original=weight_decay()))
STATEMENT = Statement(
    "proposition_3_1_geodesic",
    (
        Theorem(
            "proposition_3_1",
            (eta, w, p, after, original, v),
            given=(
                NONZERO,
                Hypothesis("turning", unequal(UPDATE, function("zero")), lambda: step(p=3 * RIGHT)),
                Hypothesis("η_positive", eta > 0, lambda: step(lr=0)),
                PROJECTED,
                ORIGINAL,
                Hypothesis("direction", equal(v, -unit(UPDATE)), lambda: step(v=UP)),
            ),
            says=(
                on_geodesic_at(after, TURN),
                on_geodesic_at(original, PLAIN_TURN),
                TURN > 0,
                function("π") / 2 > TURN,
                PLAIN_TURN > 0,
                function("π") > PLAIN_TURN,
                equal(function("tan", TURN), eta * S / R),
                equal((R - eta * dot(unit(w), p)) * function("sin", PLAIN_TURN), eta * S * function("cos", PLAIN_TURN)),
                function("⇒", RADIAL <= 0, PLAIN_TURN <= TURN),
                function("⇒", RADIAL >= 0, TURN <= PLAIN_TURN),
            ),
        ),
        Theorem(
            "proposition_3_1_as_printed",
            (eta, w, p, after, original),
            given=(NONZERO, PROJECTED, ORIGINAL),
            says=(
                some(
                    first,
                    some(
                        second,
                        function("∧", second >= 0, equal(unit(after), first * unit(w) + second * unit(original))),
                    ),
                ),
            ),
        ),
        Theorem(
            "proposition_3_1_momentum",
            (lemma.f, lemma.η, lemma.β, lemma.τ, lemma.w, lemma.g, lemma.p),
            given=(
                *lemma.MOMENTUM,
                replace(lemma.UPDATE, needed=backward_first),
                Hypothesis("η_nonneg", lemma.η >= 0, negative_step_size),
                Hypothesis("β_nonneg", lemma.β >= 0, negative_momentum),
            ),
            says=(every(lemma.t, dot(lemma.w[lemma.t], lemma.p[lemma.t]) <= 0),),
        ),
        Theorem(
            "proposition_3_1_overshoot",
            (eta, w, p, original),
            given=(NONZERO, ORIGINAL),
            says=(function("⇔", dot(w, original) <= 0, eta * dot(unit(w), p) >= R),),
        ),
    ),
    more=("proposition_3_1_adam_turns_less", "proposition_3_1_as_printed_everywhere"),
)


def momentum_values(problem: problems.Descent | tuple[Array, Array, flint.fmpq]) -> list[Values]:
    """Runs of heavy-ball momentum; what is said of free steps needs roots, and so balls."""
    if isinstance(problem, tuple) or problem.hyper["nesterov"]:
        return []
    return [of_momentum(problem.run(heavy_ball), problem.gradient, **problem.hyper)]


def step_values(problem: problems.TensorRun | tuple[Array, Array, flint.fmpq]) -> list[Values]:
    """Free steps, and those of Adam, that turn w; in balls."""
    with BALLS.context():
        if isinstance(problem, tuple):
            steps = [(*map(BALLS.array, problem[:2]), BALLS.element(problem[2]))]
        else:
            steps = [(w.reshape(-1), step.p.reshape(-1), step.lr) for w, step in problem.run(adam, BALLS)]
        found: list[Values] = []
        for w, p, lr in steps:
            q = project(w, p) if bool(w @ w > 0) else 0 * w
            if bool(q @ q > 0):
                run = {"η": lr, "w": w, "p": p, "wp": w - lr * q, "wo": w - lr * p}
                found.append({**run, "v": -q / BALLS.sqrt(q @ q)})
        return found


def check_adam(problem: problems.TensorRun | tuple[Array, Array, flint.fmpq]) -> None:
    """Every step of Adam, in the plane of the proposition."""
    if not isinstance(problem, tuple):
        check_ball(problem)


CLAIM = Claim(
    id="proposition-3.1",
    title="Projected steps stay on the geodesic",
    where="§3.1, Proposition 3.1; A.3",
    statement=STATEMENT,
    hypotheses=(
        Hypothesis("one row", "the geodesic is that of a row of the view that was projected", rows_apart),
        Hypothesis("no Adam", "for the order of the angles: p is the momentum of Eq. 7", adam_turns_less),
    ),
    algebra=proof,
    exact=Instances(st.one_of(momentum_runs(), free_steps()), STATEMENT, momentum_values, also=check_exact),
    ball=Instances(
        st.one_of(free_steps(), problems.tensor_runs(ADAM)), STATEMENT, step_values, also=check_adam, field=BALLS
    ),
    implementation=Attack(frozenset({PROJECTION}), strategies.projected_trials, check_implementation),
    notes=(
        "Membership alone says little: w' = w lies on every geodesic. What the projection changes is the angle, and "
        "for Adam it can shrink it."
    ),
)
