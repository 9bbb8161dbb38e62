"""How far a step turns at the balance of weight decay and momentum: by hyper-parameters alone, exactly.

Where ‖w‖² and ⟨w, buffer⟩ are after a step what they were before, and the gradient is orthogonal to w,

    SGD, coupled decay        w' = w − ηp,  p' = βp + (1−τ)(g' + λw')    ‖ŵ' − ŵ‖² = 2ηλ(1−τ)/(1+β)
    decoupled, s = 1 − ηλ     w' = sw − ηu, u' = βu + (1−τ)g'            cos ∠(w, w') = (s+β)/(1+βs)

Van Laarhoven 2017, Wan et al. 2020 and Kosson et al. 2023 have them to first order in ηλ, in expectation. Where the two
do not stand still, what they miss is linear in their changes. A projected step has cos ∠(w, w') = 1 − ηλr there
(decay-balance): it turns w as decoupled decay without projection does if and only if r = (1−β)/(1+βs).
"""

from itertools import pairwise
from typing import Any

import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.generate.balanced_steps import Balance, in_balls, letters, steps
from tangency.proofs_checks.measure.conformance import buffer_bound
from tangency.proofs_checks.statement.operators import is_zero
from tangency.theory.equilibrium import coupled_cosine, decoupled_cosine, matching_ratio, squared_step

ETA, LAMBDA, BETA, TAU, SHRINK = sympy.symbols("η λ β τ s", positive=True)
COUPLED_COSINE = coupled_cosine(ETA, LAMBDA, BETA, TAU)
DECOUPLED_COSINE = decoupled_cosine(SHRINK, BETA)
RATIO = matching_ratio(SHRINK, BETA)


def proof(
    coupled: sympy.Expr = COUPLED_COSINE, decoupled: sympy.Expr = DECOUPLED_COSINE, ratio: sympy.Expr = RATIO
) -> Proof:
    """One step of ‖w‖² and of ⟨w, buffer⟩, and where both stand still.

    Args:
        coupled: the claimed cosine under coupled decay.
        decoupled: that under decoupled decay.
        ratio: the claimed wd_ratio with which a projected step has that one too.
    """
    gram = Gram("w p g'", relations={("w", "g'"): ETA * sympy.Symbol("⟨g',p⟩", real=True)})
    w, p, g = gram.vectors
    plain = w - ETA * p
    buffer = BETA * p + (1 - TAU) * (g + LAMBDA * plain)
    shrunk = Gram("w u g'", relations={("w", "g'"): ETA / SHRINK * sympy.Symbol("⟨g',u⟩", real=True)})
    w2, u, g2 = shrunk.vectors
    after = SHRINK * w2 - ETA * u
    moment = BETA * u + (1 - TAU) * g2
    square, length = sympy.symbols("‖w‖² ‖u‖²", positive=True)
    radial = sympy.Symbol("⟨w,p⟩", real=True)
    coupled_length = 2 * LAMBDA * (1 - TAU) * square / ((1 + BETA) * ETA)
    decoupled_length = (1 - SHRINK**2) * (1 - BETA * SHRINK) * square / ((1 + BETA * SHRINK) * ETA**2)
    return Proof(
        method="Gram algebra, in any dimension; two linear equations in ‖p‖² and ⟨w, p⟩.",
        given=(
            Given("coupled: w' = w − ηp, p' = βp + (1−τ)(g' + λw'), ⟨w', g'⟩ = 0", plain),
            Given("decoupled: w' = sw − ηu, u' = βu + (1−τ)g', ⟨w', g'⟩ = 0, s = 1 − ηλ", after),
        ),
        steps=(
            Identity(
                "any coupled step: (1+β)η²‖p‖² = 2ηλ(1−τ)‖w'‖² + (1−β)(‖w'‖² − ‖w‖²) − 2η(⟨w', p'⟩ − ⟨w, p⟩)",
                (1 + BETA) * ETA**2 * gram.square(p),
                2 * ETA * LAMBDA * (1 - TAU) * gram.square(plain)
                + (1 - BETA) * (gram.square(plain) - gram.square(w))
                - 2 * ETA * (gram.dot(plain, buffer) - gram.dot(w, p)),
                theorem="equilibrium_coupled_drift",
            ),
            Identity(
                "(‖w'‖² − ‖w‖²)/η = η‖p‖² − 2⟨w, p⟩: where the norm stands still, ⟨w, p⟩ = η‖p‖²/2",
                (gram.square(plain) - gram.square(w)) / ETA,
                ETA * gram.square(p) - 2 * gram.dot(w, p),
                theorem="equilibrium_coupled",
            ),
            Identity(
                "where the other does too, cos ∠(w, w') = (‖w‖² − η⟨w, p⟩)/‖w‖² = 1 − ηλ(1−τ)/(1+β)",
                ((square - ETA * radial) / square).subs(radial, ETA * coupled_length / 2),
                coupled,
                theorem="equilibrium_coupled",
            ),
            Identity(
                "and ‖ŵ' − ŵ‖² = 2(1 − cos ∠(w, w')) = 2ηλ(1−τ)/(1+β)",
                squared_step(coupled),
                2 * ETA * LAMBDA * (1 - TAU) / (1 + BETA),
                theorem="equilibrium_coupled",
            ),
            Identity(
                "any decoupled step: (1+βs)η²‖u‖² = (1−s²)(1−βs)‖w‖² + (1−βs)(‖w'‖² − ‖w‖²) − 2sη(⟨w', u'⟩ − ⟨w, u⟩)",
                (1 + BETA * SHRINK) * ETA**2 * shrunk.square(u),
                (1 - SHRINK**2) * (1 - BETA * SHRINK) * shrunk.square(w2)
                + (1 - BETA * SHRINK) * (shrunk.square(after) - shrunk.square(w2))
                - 2 * SHRINK * ETA * (shrunk.dot(after, moment) - shrunk.dot(w2, u)),
                theorem="equilibrium_decoupled_drift",
            ),
            Identity(
                "⟨w', u'⟩ = β(s⟨w, u⟩ − η‖u‖²), so where it stands still, (1−βs)η⟨w, u⟩ = −βη²‖u‖²",
                shrunk.dot(after, moment) - shrunk.dot(w2, u),
                -(1 - BETA * SHRINK) * shrunk.dot(w2, u) - BETA * ETA * shrunk.square(u),
                theorem="equilibrium_decoupled",
            ),
            Identity(
                "where the norm does too, cos ∠(w, w') = s − η⟨w, u⟩/‖w‖² = (s+β)/(1+βs)",
                (SHRINK + BETA * ETA**2 * length / (1 - BETA * SHRINK) / square).subs(length, decoupled_length),
                decoupled,
                theorem="equilibrium_decoupled",
            ),
            Identity(
                "and ‖ŵ' − ŵ‖² = 2(1−s)(1−β)/(1+βs)",
                squared_step(decoupled),
                2 * (1 - SHRINK) * (1 - BETA) / (1 + BETA * SHRINK),
                theorem="equilibrium_decoupled",
            ),
            Identity(
                "a projected step with r = (1−β)/(1+βs) turns as far: 1 − (1−s)r is that cosine",
                1 - (1 - SHRINK) * ratio,
                decoupled,
                theorem="equilibrium_ratio",
            ),
            Identity(
                "that r is (1−β)/(1+β) but for β(1−β)(1−s)/((1+β)(1+βs)), and 1−s = ηλ",
                ratio - (1 - BETA) / (1 + BETA),
                BETA * (1 - BETA) * (1 - SHRINK) / ((1 + BETA) * (1 + BETA * SHRINK)),
                theorem=NotApplicable("the difference of two quotients: nothing rests on it"),
            ),
        ),
        conclusion="At the balance no gradient, norm or dimension says how far a step turns w: η, λ, β and τ do.",
    )


def check_balance(one: Balance, field: Field = EXACT) -> None:
    """The steps that theory/ says balance do: without this the statement would say nothing of them."""
    if one.update is None:
        run = letters(one, field)[0]
        before, after = (run["p"], run["p'"]) if one.rule == "coupled" else (run["u"], run["u'"])
        w, moved = run["w"], run["w'"]
        for what, change in (("‖w‖²", moved @ moved - w @ w), ("w·buffer", moved @ after - w @ before)):
            require(f"{what} stands still", is_zero(change), got=change)


def check_closed_forms(one: Balance) -> None:
    """Those of theory/ at the steps that balance, without roots: w·w' and ‖w' − w‖² over ‖w‖²."""
    if one.update is not None:
        return
    check_balance(one)
    run = letters(one)[0]
    w, after, beta = run["w"], run["w'"], run["β"]
    if one.rule == "coupled":
        cosine = coupled_cosine(run["η"], run["λ"], beta, run["τ"])
    else:
        cosine = decoupled_cosine(run["s"], beta)
    require_equal("w·w'", w @ after, cosine * (w @ w))
    require_equal("‖w' − w‖²", (after - w) @ (after - w), squared_step(cosine) * (w @ w))


def check_ball(one: Balance) -> None:
    """The same in balls."""
    with BALLS.context():
        check_balance(one, BALLS)


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Steps on gradients orthogonal to the weights, with weight decay."""
    decays = st.sampled_from((0.1, 1e-4, 0.5))
    return decays.flatmap(lambda decay: orthogonal_trials(subject, weight_decay=decay, nesterov=False))


def check_implementation(run: Run) -> list[Measurement]:
    """What is missing to the balance, of the weights and buffers that the optimizer wrote: the identity of any step.

    With w' = sw − ηu + e and p' = β(u + a) + (1−τ)g' + d it is off by 2sη(βe·u + w'·(βa + d)), and by what e does to
    ‖w'‖², times 1 − βs.
    """
    found = []
    for record, ahead in pairwise(run.records):
        if record.g is None or ahead.g is None or BUFFER not in ahead.state_after:
            continue
        if EXACT.array(ahead.w).ravel() @ EXACT.array(ahead.g).ravel() != 0:
            continue  # rounded
        found.append(measure_balance(run, record, ahead))
    return found


def measure_balance(run: Run, record: Record, ahead: Record) -> Measurement:
    """The identity of one step, whose u is the exact one."""
    exact, after = run.exact(record, View.NONE), run.exact(ahead, View.NONE)
    e, a, d = weights_bound(run, exact), buffer_bound(run, exact, BUFFER), buffer_bound(run, after, BUFFER)
    with run.field.context():
        beta = run.field.element(run.hyper["momentum"])
        s, lr, u = exact.shrink, exact.lr, exact.q.ravel()
        w, moved, buffer = (run.field.array(x).ravel() for x in (record.w, record.w_after, ahead.state_after[BUFFER]))
        square, kept = w @ w, 1 - beta * s
        changes = kept * (moved @ moved - square) - 2 * s * lr * (moved @ buffer - w @ u)
        off = as_float(beta) * inner_product_error(floats(u), e) + inner_product_error(ahead.w, as_float(beta) * a + d)
        room = abs(as_float(2 * s * lr)) * off + abs(as_float(kept)) * squared_norm_error(floats(exact.w), e)
        length = (1 + beta * s) * lr * lr * (u @ u)
        return measured("(1+βs)η²‖u‖²", record.index, length, (1 - s * s) * kept * square + changes, room)


BUFFER = "momentum_buffer"
W = EXACT.array([1])
ONE, HALF, ZERO = EXACT.element(1), EXACT.element(0.5), EXACT.element(0)
NUMBERS = {"β": ZERO, "τ": ZERO, "η": ONE}


def coupled_step(p: Any, moved: Any, buffer: Any, g: Any = ZERO, decay: Any = ZERO, **more: Any) -> Values:
    """A step on the line from w = 1, with η = 1 and β = τ = 0 unless they are given."""
    return {**NUMBERS, "λ": decay, "w": W, "p": p * W, "g'": g * W, "w'": moved * W, "p'": buffer * W, **more}


def decoupled_step(u: Any, moved: Any, buffer: Any, g: Any = ZERO, s: Any = ONE, **more: Any) -> Values:
    """The same of decoupled decay, s = 1 unless it is given."""
    return {**NUMBERS, "s": s, "w": W, "u": u * W, "g'": g * W, "w'": moved * W, "u'": buffer * W, **more}


# Reflected, w' = −w: norm and radial component stand still at c = 2 with p = 2 and p' = −2, and without an update at 0.
def coupled_reflected() -> Values:
    """Something else reflects w."""
    return coupled_step(0, -1, 0)


def coupled_other_buffer() -> Values:
    """Something else fills the buffer."""
    return coupled_step(2, -1, -2)


def coupled_radial() -> Values:
    """A gradient along w'."""
    return coupled_step(2, -1, -2, -2)


def coupled_from_nowhere() -> Values:
    """w = 0 stands still; it has no direction."""
    return coupled_step(0, 0, 0, decay=ONE, w=0 * W)


def coupled_shorter() -> Values:
    """From 1 to 1/2, where the buffer goes from 1/2 to 1."""
    return coupled_step(HALF, HALF, 1, decay=ONE, β=ONE)


def coupled_falling() -> Values:
    """Without decay and momentum nothing is left of the buffer."""
    return coupled_step(2, -1, 0)


def coupled_undamped() -> Values:
    """β = −1 balances at any angle."""
    return coupled_step(2, -1, -2, β=-ONE)


def decoupled_reflected() -> Values:
    """Something else reflects w."""
    return decoupled_step(0, -1, 0)


def decoupled_other_buffer() -> Values:
    """Something else fills the buffer."""
    return decoupled_step(2, -1, -2)


def decoupled_radial() -> Values:
    """A gradient along w'."""
    return decoupled_step(2, -1, -2, -2)


def decoupled_from_nowhere() -> Values:
    """w = 0 stands still; it has no direction."""
    return decoupled_step(0, 0, 0, s=ZERO, w=0 * W)


def decoupled_shorter() -> Values:
    """Decay alone does not turn w."""
    return decoupled_step(0, HALF, 0, s=HALF)


def decoupled_falling() -> Values:
    """Without momentum nothing is left of the buffer."""
    return decoupled_step(2, -1, 0)


def decoupled_undamped() -> Values:
    """β = −1 without decay balances at any angle."""
    return decoupled_step(2, -1, -2, β=-ONE)


def ratio_undamped() -> Values:
    """βs = −1: there is no angle to match."""
    return {"η": ONE, "λ": EXACT.element(1.5), "β": 2 * ONE, "r": EXACT.element(2) / 3}


def ratio_undecayed() -> Values:
    """Without decay no step turns, whatever r."""
    return {"η": ONE, "λ": ZERO, "β": HALF, "r": ONE}


β, τ, s, η, λ, r = variables("β τ s η λ r", "R")
w, p, u, g, moved, p_next, u_next = variables("w p u g' w' p' u'", "E")


def moves(update: Any, buffer: Any, tangent: Any) -> tuple[Hypothesis, ...]:
    """The step: update, buffer and gradient, each with its counterexample."""
    return (
        Hypothesis("update", *update),
        Hypothesis("buffer", *buffer),
        Hypothesis("tangent", equal(dot(moved, g), 0), tangent),
    )


ORIGIN = function("zero")
SAME_NORM = equal(square(moved), square(w))
COUPLED = moves(
    (equal(moved, w - η * p), coupled_reflected),
    (equal(p_next, β * p + (1 - τ) * (g + λ * moved)), coupled_other_buffer),
    coupled_radial,
)
DECOUPLED = moves(
    (equal(moved, s * w - η * u), decoupled_reflected),
    (equal(u_next, β * u + (1 - τ) * g), decoupled_other_buffer),
    decoupled_radial,
)
SHRUNK = 1 - η * λ
COSINE = function("cos", function("angle", w, moved))
CHORD = square(function("unit", moved) - function("unit", w))
STATEMENT = Statement(
    "equilibrium",
    (
        Theorem(
            "equilibrium_coupled",
            (β, τ, η, λ, w, p, g, moved, p_next),
            given=(
                *COUPLED,
                Hypothesis("nonzero", unequal(w, ORIGIN), coupled_from_nowhere),
                Hypothesis("norm", SAME_NORM, coupled_shorter),
                Hypothesis("radial", equal(dot(moved, p_next), dot(w, p)), coupled_falling),
                Hypothesis("damped", unequal(1 + β, 0), coupled_undamped),
            ),
            says=(
                equal(COSINE, 1 - η * λ * (1 - τ) / (1 + β)),
                equal(CHORD, 2 * η * λ * (1 - τ) / (1 + β)),
            ),
        ),
        Theorem(
            "equilibrium_decoupled",
            (β, τ, s, η, w, u, g, moved, u_next),
            given=(
                *DECOUPLED,
                Hypothesis("nonzero", unequal(w, ORIGIN), decoupled_from_nowhere),
                Hypothesis("norm", SAME_NORM, decoupled_shorter),
                Hypothesis("radial", equal(dot(moved, u_next), dot(w, u)), decoupled_falling),
                Hypothesis("damped", unequal(1 + β * s, 0), decoupled_undamped),
            ),
            says=(
                equal(COSINE, (s + β) / (1 + β * s)),
                equal(CHORD, 2 * (1 - s) * (1 - β) / (1 + β * s)),
            ),
        ),
        Theorem(
            "equilibrium_ratio",
            (η, λ, β, r),
            given=(
                Hypothesis("damped", unequal(1 + β * SHRUNK, 0), ratio_undamped),
                Hypothesis("decayed", unequal(η * λ, 0), ratio_undecayed),
            ),
            says=(
                function(
                    "⇔",
                    equal(1 - η * λ * r, (SHRUNK + β) / (1 + β * SHRUNK)),
                    equal(r * (1 + β * SHRUNK), 1 - β),
                ),
            ),
        ),
        Theorem(
            "equilibrium_coupled_drift",
            (β, τ, η, λ, w, p, g, moved, p_next),
            given=COUPLED,
            says=(
                equal(
                    (1 + β) * η**2 * square(p),
                    2 * η * λ * (1 - τ) * square(moved)
                    + (1 - β) * (square(moved) - square(w))
                    - 2 * η * (dot(moved, p_next) - dot(w, p)),
                ),
            ),
        ),
        Theorem(
            "equilibrium_decoupled_drift",
            (β, τ, s, η, w, u, g, moved, u_next),
            given=DECOUPLED,
            says=(
                equal(
                    (1 + β * s) * η**2 * square(u),
                    (1 - s**2) * (1 - β * s) * square(w)
                    + (1 - β * s) * (square(moved) - square(w))
                    - 2 * s * η * (dot(moved, u_next) - dot(w, u)),
                ),
            ),
        ),
    ),
    shown=2,
)

CLAIM = Claim(
    id="equilibrium",
    title="How far steps turn where decay and momentum balance",
    where="beyond the paper; §2.3, E.1",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(
        st.one_of(steps(balanced=True), steps(balanced=False)), STATEMENT, letters, also=check_closed_forms
    ),
    ball=Instances(steps(balanced=True, rational=False), STATEMENT, in_balls, also=check_ball, field=BALLS),
    implementation=Attack(frozenset({HEAVY_BALL, WEIGHT_DECAY}), trials, check_implementation),
    notes=(
        "s = 1 − ηλ, λ over 1 − β in SGDP. AdamW is of the second kind with β = τ = β₁ where its denominator is one "
        "number for all entries, u its moment over that number. To first order in ηλ the angles are √(2ηλ(1−τ)/(1+β)) "
        "and √(2ηλ(1−β)/(1+β)). One step balances or not: no theorem here says that a run comes there."
    ),
)
