"""Decoupled weight decay against norm growth (§2.3, E.1): where it balances, and how far steps turn there.

For a tangent update q, projected or the gradient of a scale-invariant f, and w' = (1 − ηλ)w − ηq:

    ‖w'‖² = (1 − ηλ)²‖w‖² + η²‖q‖²

Where the norm stands still, λ(2 − ηλ)‖w‖² = η‖q‖², the cosine of the step is 1 − ηλ and its chord √(2ηλ), exactly: η
and λ alone say how far it turns, not the gradient. Updates of one length bring every norm there; so do updates with
‖w‖‖q‖ constant, which is how a gradient scales with w (Eq. 4), if ηλ ≤ 1 − 1/√2.
"""

from collections.abc import Sequence
from typing import Any

import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.generate.tangent_runs import (
    Tangents,
    after,
    in_balls,
    letters,
    of_one_length,
    on_an_orbit,
    schedules,
    standing,
    steps,
    taken,
)
from tangency.proofs_checks.statement.terms import Variable
from tangency.theory.decay_balance import decayed_square, decayed_squares, standing_square

ETA, LAMBDA = sympy.symbols("η λ", positive=True)
SHRINK = 1 - ETA * LAMBDA


def proof(shrink: sympy.Expr = SHRINK, cosine: sympy.Expr = SHRINK) -> Proof:
    """Pythagoras, and what the map of ‖w‖² does.

    Args:
        shrink: the claimed factor of w in the radial part of the step.
        cosine: the claimed cosine of a step that leaves the norm as it is.
    """
    gram = Gram("w q", relations={("w", "q"): 0})
    w, q = gram.vectors
    after = SHRINK * w - ETA * q
    square, update, at_0, total = sympy.symbols("‖w‖² ‖q‖² ‖w_0‖² Σ_t", positive=True)
    sigma, start, y = sympy.symbols("σ_t σ_0 y", positive=True)
    standing, product = sympy.symbols("W G", positive=True)
    x = SHRINK**2
    still = {update: LAMBDA * (2 - ETA * LAMBDA) * square / ETA}
    length = LAMBDA * (2 - ETA * LAMBDA) * standing / ETA
    orbit = LAMBDA * (2 - ETA * LAMBDA) * standing**2 / ETA
    mapped = x * y + ETA**2 * product / y
    return Proof(
        method="Gram algebra, in any dimension; induction on t; a contraction.",
        given=(Given("⟨w, q⟩ = 0; w' = (1 − ηλ)w − ηq", after), Given("σ_{t+1} = (1 − η_tλ_t)σ_t")),
        steps=(
            Identity(
                "‖w'‖² = (1 − ηλ)²‖w‖² + η²‖q‖²",
                gram.square(after),
                shrink**2 * gram.square(w) + ETA**2 * gram.square(q),
                theorem="decay_balance",
            ),
            Identity("⟨w, w'⟩ = (1 − ηλ)‖w‖²", gram.dot(w, after), shrink * gram.square(w), theorem="decay_balance"),
            Identity(
                "‖w‖² − ‖w'‖² = η (λ(2 − ηλ)‖w‖² − η‖q‖²)",
                square - decayed_square(ETA, LAMBDA, square, update),
                ETA * (LAMBDA * (2 - ETA * LAMBDA) * square - ETA * update),
                theorem="decay_balance_stationary",
            ),
            Identity(
                "where that is 0, cos ∠(w, w') = ⟨w, w'⟩/(‖w‖‖w'‖) = 1 − ηλ",
                SHRINK * square / decayed_square(ETA, LAMBDA, square, update).subs(still),
                cosine,
                theorem="decay_balance_angle",
            ),
            Identity(
                "and ‖ŵ' − ŵ‖² = 2(1 − cos ∠(w, w')) = 2ηλ",
                2 * (1 - cosine),
                2 * ETA * LAMBDA,
                theorem="decay_balance_angle",
            ),
            Identity(
                "induction: ‖w_t‖² = (σ_t/σ_0)²‖w_0‖² + Σ_t, Σ_t = Σ_{k<t} (σ_t/σ_{k+1})²η_k²‖q_k‖², and one step more",
                decayed_square(ETA, LAMBDA, (sigma / start) ** 2 * at_0 + total, update),
                (SHRINK * sigma / start) ** 2 * at_0 + (x * total + ETA**2 * update),
                theorem="decay_balance_run",
            ),
            Identity(
                "‖q‖ constant: ‖w'‖² − W = (1 − ηλ)²(‖w‖² − W) for λ(2 − ηλ)W = η‖q‖²",
                decayed_square(ETA, LAMBDA, square, length) - standing,
                x * (square - standing),
                theorem="decay_balance_limit",
            ),
            Identity(
                "‖w‖²‖q‖² = G, y = ‖w‖²: y' − W = (x − (1 − x)W/y)(y − W) for x = (1 − ηλ)², λ(2 − ηλ)W² = ηG",
                mapped.subs(product, orbit) - standing,
                (x - (1 - x) * standing / y) * (y - standing),
                theorem="contracts",
            ),
            Identity(
                "and from the second step on y is far enough from 0 for |x − (1 − x)W/y| ≤ x, for "
                "(y y')² − 4x(1 − x)W²y² is a square",
                (y * mapped.subs(product, orbit)) ** 2 - 4 * x * (1 - x) * standing**2 * y**2,
                (x * y**2 - (1 - x) * standing**2) ** 2,
                theorem="decay_balance_equilibrium",
            ),
        ),
        conclusion="The norm goes to where it stands still, and there every step turns w by arccos(1 − ηλ).",
    )


def check_closed_forms(run: Tangents) -> None:
    """Those of theory/ along the run."""
    updates = [q @ q for q in run.updates]
    squares = decayed_squares(run.lrs, run.decays, run.weights[0] @ run.weights[0], updates)
    require_equal("‖w_t‖²", [w @ w for w in run.weights], squares)


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Projected steps with weight decay."""
    decays = st.sampled_from((0.1, 1e-4, 0.5))
    return decays.flatmap(lambda decay: strategies.projected_trials(subject, weight_decay=decay))


def check_implementation(run: Run) -> list[Measurement]:
    """The norm of every projected row after a step, and its product with the row before."""
    return [found for record, view in projected_records(run) for found in measure_rows(run, record, view)]


def measure_rows(run: Run, record: Record, view: View) -> list[Measurement]:
    """‖w'‖² and w·w' of the weights that the optimizer wrote, with the exact q and the exact factor 1 − ηλ."""
    exact = run.exact(record, view)
    errors, expected = view.rows(weights_bound(run, exact)), view.rows(floats(exact.w))
    before, got = view.rows(record.w), view.rows(EXACT.array(record.w_after))
    found = []
    with run.field.context():
        rows = zip(view.rows(run.field.array(record.w)), view.rows(exact.q), got, strict=True)
        for i, (w, q, after) in enumerate(rows):
            square = exact.shrink * exact.shrink * (w @ w) + exact.lr * exact.lr * (q @ q)
            turned_by, off = exact.shrink * (w @ w), inner_product_error(before[i], errors[i])
            found += [
                measured(
                    f"‖w'‖², row {i}", record.index, after @ after, square, squared_norm_error(expected[i], errors[i])
                ),
                measured(f"w·w', row {i}", record.index, w @ after, turned_by, off),
            ]
    return found


W, Q = EXACT.array([3, 4]), EXACT.array([4, -3])
HALF, ONE, ZERO = EXACT.element(0.5), EXACT.element(1), EXACT.element(0)


def one_step(q: Array = Q, moved: Array | None = None, lr: Any = HALF, decay: Any = ONE) -> Values:
    """A step from W."""
    return {"η": lr, "λ": decay, "w": W, "q": q, "w'": after(W, q, lr, decay) if moved is None else moved}


def along() -> Values:
    """An update along w."""
    return one_step(W)


def not_decayed() -> Values:
    """The plain step: the decay is left out."""
    return one_step(moved=W - HALF * Q)


def no_step() -> Values:
    """η = 0: the norm stands still, whatever λ and q."""
    return one_step(lr=ZERO)


def shorter() -> Values:
    """A step that shortens w."""
    return one_step(0 * W)


def from_nowhere() -> Values:
    """w = 0 stands still without an update; it has no direction."""
    return {**one_step(0 * W), "w": 0 * W, "w'": 0 * W}


def a_run(weights: Sequence[Array], updates: Sequence[Array], lr: Any = HALF, decay: Any = ONE, **more: Any) -> Values:
    """A run as the letters of all theorems on runs, with σ of its own factor unless it is given."""
    count = len(updates)
    sigma = {"σ_": [(1 - lr * decay) ** t for t in range(count + 1)]}
    schedule = {"η_": [lr] * count, "λ_": [decay] * count}
    return {"η": lr, "λ": decay, **sigma, **schedule, "w_": [*weights], "q_": [*updates], **more}


def radial_run() -> Values:
    """Updates along w."""
    return a_run([W, after(W, W, HALF, ONE)], [W])


def undecayed_run() -> Values:
    """The plain step."""
    return a_run([W, W - HALF * Q], [Q])


def constant_sigma() -> Values:
    """σ = 1, though every step halves the weights."""
    return a_run([W, W / 2], [0 * W], σ_=[ONE, ONE])


def all_decayed() -> Values:
    """ηλ = 1: nothing is left of w, and σ_1/σ_1 = 0/0."""
    return a_run([W, 0 * W], [0 * W], lr=ONE)


def undecayed_to_a_limit() -> Values:
    """The plain step, where the square of the updates and W are as they should be."""
    return a_run([W, W - HALF * Q], [Q], Q=Q @ Q, W=standing_square(HALF, ONE, Q @ Q))


def another_length() -> Values:
    """Updates of another length than Q says."""
    return a_run([W, after(W, Q, HALF, ONE)], [Q], Q=ONE, W=standing_square(HALF, ONE, ONE))


def another_limit() -> Values:
    """W = 0, where no norm stands still."""
    return a_run([W, after(W, Q, HALF, ONE)], [Q], Q=Q @ Q, W=ZERO)


def orbit(lr: Any = HALF, decay: Any = HALF * 4 / 5, size: Any = 30 * ONE, **more: Any) -> Values:
    """Two steps with ‖w‖‖q‖ constant; those at η = ½, λ = ⅖ and ‖w‖‖q‖ = 30 leave the norm as it is."""
    run = taken(W, [lambda w: size / (w @ w) * turned(w)] * 2, lr, decay)
    return a_run(run.weights, run.updates, lr, decay, **{"G": size * size, "W": W @ W, **more})


def no_updates() -> Values:
    """No updates, whatever G says: the weights shrink towards 0, away from W."""
    return orbit(size=ZERO, G=900 * ONE)


def negative_limit() -> Values:
    """−W, which solves the same equation."""
    return orbit(W=-(W @ W))


def nearby_limit() -> Values:
    """A W at which the norm does not stand still."""
    return orbit(W=W @ W + 1)


def far_steps() -> Values:
    """ηλ = 1: ‖w‖² goes from y to W²/y and back."""
    return orbit(ONE, ONE, ONE, W=ONE)


UNTOLD = NotApplicable("no finite run tells a limit; the kernel has that it is needed")
η, λ, q_square, product, limit = variables("η λ Q G W", "R")
w, q, moved = variables("w q w'", "E")
lrs, decays, sigma = (
    Variable(f"{name}_", "nat -> R", text=name, latex=latex)
    for name, latex in (("η", r"\eta"), ("λ", r"\lambda"), ("σ", r"\sigma"))
)
path, updates = (Variable(f"{name}_", "nat -> E", text=name, latex=name) for name in "wq")
t, k = variables("t k", "nat")

TANGENT = Hypothesis("tangent", equal(dot(w, q), 0), along)
UPDATE = Hypothesis("update", equal(moved, (1 - η * λ) * w - η * q), not_decayed)
STEP = (TANGENT, UPDATE)
TANGENTS = Hypothesis("tangent", every(t, equal(dot(path[t], updates[t]), 0)), radial_run)
STEPS = (
    TANGENTS,
    Hypothesis("update", every(t, equal(path[t + 1], (1 - η * λ) * path[t] - η * updates[t])), undecayed_to_a_limit),
)
FACTOR = (1 - η * λ) ** 2
CONTRACTING = Hypothesis("contracting", FACTOR < 1, UNTOLD)
STATEMENT = Statement(
    "decay_balance",
    (
        Theorem(
            "decay_balance",
            (η, λ, w, q, moved),
            given=STEP,
            says=(
                equal(square(moved), FACTOR * square(w) + η**2 * square(q)),
                equal(dot(w, moved), (1 - η * λ) * square(w)),
            ),
        ),
        Theorem(
            "decay_balance_angle",
            (η, λ, w, q, moved),
            given=(
                *STEP,
                Hypothesis("nonzero", unequal(w, function("zero")), from_nowhere),
                Hypothesis("stationary", equal(square(moved), square(w)), shorter),
            ),
            says=(
                equal(function("cos", function("angle", w, moved)), 1 - η * λ),
                equal(square(function("unit", moved) - function("unit", w)), 2 * η * λ),
            ),
        ),
        Theorem(
            "decay_balance_stationary",
            (η, λ, w, q, moved),
            given=(*STEP, Hypothesis("η_nonzero", unequal(η, 0), no_step)),
            says=(function("⇔", equal(square(moved), square(w)), equal(λ * (2 - η * λ) * square(w), η * square(q))),),
        ),
        Theorem(
            "decay_balance_run",
            (lrs, decays, sigma, path, updates),
            given=(
                TANGENTS,
                Hypothesis(
                    "update",
                    every(t, equal(path[t + 1], (1 - lrs[t] * decays[t]) * path[t] - lrs[t] * updates[t])),
                    undecayed_run,
                ),
                Hypothesis(
                    "shrunk", every(t, equal(sigma[t + 1], (1 - lrs[t] * decays[t]) * sigma[t])), constant_sigma
                ),
                Hypothesis("not_to_0", every(t, unequal(sigma[t], 0)), all_decayed),
            ),
            says=(
                every(
                    t,
                    equal(
                        square(path[t]),
                        (sigma[t] / sigma[0]) ** 2 * square(path[0])
                        + total(k, t, (sigma[t] / sigma[k + 1] * lrs[k]) ** 2 * square(updates[k])),
                    ),
                ),
            ),
        ),
        Theorem(
            "decay_balance_limit",
            (η, λ, q_square, limit, path, updates),
            given=(
                *STEPS,
                Hypothesis("one_length", every(t, equal(square(updates[t]), q_square)), another_length),
                Hypothesis("standing", equal(λ * (2 - η * λ) * limit, η * q_square), another_limit),
                CONTRACTING,
            ),
            says=(
                every(t, equal(square(path[t]) - limit, (1 - η * λ) ** (2 * t) * (square(path[0]) - limit))),
                tends(t, square(path[t]), limit),
            ),
        ),
        Theorem(
            "decay_balance_equilibrium",
            (η, λ, product, limit, path, updates),
            given=(
                *STEPS,
                Hypothesis("product", every(t, equal(square(path[t]) * square(updates[t]), product)), no_updates),
                Hypothesis("W_positive", limit > 0, negative_limit),
                Hypothesis("standing", equal(λ * (2 - η * λ) * limit**2, η * product), nearby_limit),
                Hypothesis("short", 2 * FACTOR >= 1, far_steps),
                CONTRACTING,
            ),
            says=(
                every(
                    t,
                    function("abs", square(path[t + 2]) - limit)
                    <= FACTOR * function("abs", square(path[t + 1]) - limit),
                ),
                tends(t, square(path[t]), limit),
                tends(t, dot(function("unit", path[t]), function("unit", path[t + 1])), 1 - η * λ),
            ),
        ),
    ),
    shown=2,
)

PROBLEMS = st.one_of(steps(), schedules(), standing(), of_one_length(), on_an_orbit())
CLAIM = Claim(
    id="decay-balance",
    title="Weight decay against norm growth",
    where="beyond the paper; §2.3, E.1",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(PROBLEMS, STATEMENT, letters, also=check_closed_forms),
    ball=Instances(standing(), STATEMENT, in_balls, field=BALLS),
    implementation=Attack(frozenset({PROJECTION, WEIGHT_DECAY}), trials, check_implementation),
    notes=(
        "λ is the decay as it acts on the step: λr where the update is projected, over 1 − β in SGDP. The angle is "
        "that of one step: momentum changes q, and so where the norm stands still, but not how far a step turns there. "
        "ηλ ≤ 1 − 1/√2 keeps the second limit from oscillating; at ηλ = 1 it does."
    ),
)
