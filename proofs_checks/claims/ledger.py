"""The ledger: how ‖w‖² grows in any run, term by term, whatever the gradients, the schedule and the weight decay.

Of a step w_{t+1} = s_t w_t − η_t (a_t + b_t + d_t), whose update is made of the current gradient (a), of earlier ones
(b) and, under coupled weight decay, of the current weights (d):

    ‖w_{t+1}‖² − ‖w_t‖² = η_t²‖a_t + b_t + d_t‖²                own
                          − 2s_tη_t w_t·a_t                     fresh
                          − 2s_tη_t w_t·b_t                     memory
                          + (s_t² − 1)‖w_t‖² − 2s_tη_t w_t·d_t  decay

It is an identity. What the paper says of norms are values of its entries: for a scale-invariant f fresh is 0, the
memory of heavy ball is the sum of Lemma 2.2, which decay and schedule discount further, and a projection takes both.
"""

import numpy as np
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.errors.rounding import Bounded
from tangency.proofs_checks.generate.ledger_runs import Kept, Taken, descents, of_run, parts, tensor_runs
from tangency.proofs_checks.measure.conformance import buffer_bound
from tangency.proofs_checks.statement.terms import Term, Variable
from tangency.theory.ledger import MOMENTUM, ledger, next_radial, parts_of

ETA, BETA, TAU, SHRINK = sympy.symbols("η β τ s", positive=True)
RADIAL = sympy.Symbol("⟨w,p⟩", real=True)


def proof(cross: sympy.Expr = -2 * SHRINK * ETA, kept: sympy.Expr = SHRINK) -> Proof:
    """Bilinearity, and one step of each recursion.

    Args:
        cross: the claimed factor of w·a in the fresh entry.
        kept: the claimed factor of w_t·p_t in the next radial component, besides β.
    """
    gram = Gram("w a b d")
    w, a, b, d = gram.vectors
    u = a + b + d
    momentum = Gram("w p u g'", relations={("w", "p"): RADIAL})
    w1, p, along, g = momentum.vectors
    after = SHRINK * w1 - ETA * along
    plane = Gram("w x")
    w2, x = plane.vectors
    q = x - plane.dot(w2, x) / plane.square(w2) * w2
    past = sympy.Symbol("Σ_t", real=True)
    tangent = Gram("w a b", relations={("w", "a"): 0, ("w", "b"): -past})
    w3, a3, b3 = tangent.vectors
    return Proof(
        method="Gram algebra, in any dimension; induction on t.",
        given=(
            Given("w' = s w − ηu, u = a + b + d: of the current gradient, of earlier ones, of the current weights"),
            Given("p_{t+1} = βp_t + (1−τ)g_{t+1}, along any update u: w' = s w − ηu", after),
            Given("Σ_t = Σ_{k<t} β^{t−k} (σ_t/σ_{k+1}) η_k‖p_k‖², σ_{t+1} = s_tσ_t: Σ_{t+1} = β(sΣ_t + η‖p_t‖²)"),
        ),
        steps=(
            Identity(
                "‖w'‖² − ‖w‖² = own + fresh + memory + decay",
                gram.square(SHRINK * w - ETA * u) - gram.square(w),
                ETA**2 * gram.square(u)
                + cross * gram.dot(w, a)
                - 2 * SHRINK * ETA * gram.dot(w, b)
                + (SHRINK**2 - 1) * gram.square(w)
                - 2 * SHRINK * ETA * gram.dot(w, d),
                theorem="ledger",
            ),
            Identity(
                "the radial part of the buffer: ⟨w', p'⟩ = β(s⟨w, p⟩ − η⟨u, p⟩) + (1−τ)⟨w', g'⟩",
                momentum.dot(after, BETA * p + (1 - TAU) * g),
                BETA * (kept * RADIAL - ETA * momentum.dot(along, p)) + (1 - TAU) * momentum.dot(after, g),
                theorem="ledger_momentum",
            ),
            Identity(
                "with ⟨w, g⟩ = 0 and ⟨w_t, b_t⟩ = −Σ_t the next memory is ⟨w', β(a + b)⟩ = −Σ_{t+1}",
                tangent.dot(SHRINK * w3 - ETA * (a3 + b3), BETA * (a3 + b3)),
                -BETA * (SHRINK * past + ETA * tangent.square(a3 + b3)),
                theorem="ledger_scale_invariant",
            ),
            Identity(
                "a projected step has neither: ‖s w − ηΠ_w(x)‖² − ‖w‖² = η²‖Π_w(x)‖² + (s² − 1)‖w‖²",
                plane.square(SHRINK * w2 - ETA * q) - plane.square(w2),
                ETA**2 * plane.square(q) + (SHRINK**2 - 1) * plane.square(w2),
                theorem="ledger_projected",
            ),
            Identity(
                "what it takes: η²(ŵ·x)² of own, and −2sη w·x",
                plane.square(SHRINK * w2 - ETA * x) - plane.square(SHRINK * w2 - ETA * q),
                ETA**2 * plane.dot(w2, x) ** 2 / plane.square(w2) - 2 * SHRINK * ETA * plane.dot(w2, x),
                theorem="ledger_projected",
            ),
        ),
        conclusion="Every step of every run closes: ‖w_{t+1}‖² − ‖w_t‖² = own + fresh + memory + decay.",
    )


def check_entries(run: Kept) -> None:
    """The ledger of theory/ closes, is what the parts say, and the recursion of the radial component with it."""
    radial = None
    beta, share = run.moment.shares(EXACT, run.steps[0].hyper)
    for t, one in enumerate(run.steps):
        made, step = parts(run, one), one.step
        entries = ledger(EXACT, one.w, step, made)
        require_equal(f"the ledger, step {t}", (step.w * step.w).sum() - (one.w * one.w).sum(), entries.growth)
        require_equal(f"u, step {t}", made.fresh + made.memory + made.pull, step.q)
        before = run.steps[t - 1].step.state[run.moment.buffer] if t else 0 * one.w
        if step.view == View.NONE and run.moment is MOMENTUM:
            ahead = beta if one.hyper.get("nesterov") else 1
            require_equal(f"b, step {t}", made.memory, ahead * beta * before)
        if step.view != View.NONE:
            require_equal(f"fresh and memory of a projected step {t}", (entries.fresh, entries.memory), (0, 0))
        given = one.g + run.coupled * one.w
        buffer = step.state[run.moment.buffer]
        fresh = share * (one.w * given).sum()
        if radial is None:
            radial = fresh
        else:
            last = run.steps[t - 1].step
            radial = next_radial(beta, last.shrink, last.lr, radial, (last.q * before).sum(), fresh)
        require_equal(f"w·p, step {t}", (one.w * buffer).sum(), radial)


def trials(subject: Subject) -> st.SearchStrategy[Trial]:
    """Runs of every kind: any gradients, projected or not, with and without weight decay.

    Raises:
        NotOffered: the update is neither momentum's nor Adam's, so that its parts are not known.
    """
    if subject.update.moment is None or subject.update.capability not in subject.capabilities:
        raise NotOffered(f"{subject.name}: the ledger knows the parts of momentum's and Adam's updates alone")
    kinds = [strategies.trials(subject, min_dims=1, max_elements=32), strategies.projected_trials(subject)]
    if WEIGHT_DECAY in subject.capabilities:
        kinds.append(strategies.projected_trials(subject, weight_decay=0.1))
    return st.one_of(kinds)


def check_implementation(run: Run) -> list[Measurement]:
    """Every step closes, and the radial part of the stored buffer is what the step before makes of it."""
    found: list[Measurement] = []
    last: tuple[Record, Bounded] | None = None
    for record in run.records:
        if record.g is None or not record.w.size or not np.isfinite(record.w_after).all():
            last = None
            continue
        steps = [run.exact(record, view) for view in admissible_views(run, record)]
        exact = min(steps, key=lambda exact: closing(run, record, exact).ratio)
        found.append(closing(run, record, exact))
        if last is not None:
            found += radial(run, *last, record, exact)
        last = record, exact
    return found


def closing(run: Run, record: Record, exact: Bounded) -> Measurement:
    """‖w'‖² − ‖w‖² of the weights that the optimizer wrote, against the sum of the exact entries."""
    numbers, moment = run.field, run.subject.update.moment
    assert moment is not None
    w, g, after = numbers.array(record.w), numbers.array(record.g), EXACT.array(record.w_after)
    off = squared_norm_error(floats(exact.w), weights_bound(run, exact))
    entries = ledger(numbers, w, exact, parts_of(numbers, moment, w, g, exact, run.hyper))
    with numbers.context():
        growth = (after * after).sum() - (w * w).sum()
        return measured("‖w'‖² − ‖w‖²", record.index, growth, entries.growth, off)


def radial(run: Run, before: Record, step: Bounded, record: Record, exact: Bounded) -> list[Measurement]:
    """w·p of the stored buffer: with w = s w₋ − ηu + e and p = βp₋ + cg + d it is off by βe·p₋ + w·d."""
    numbers, moment = run.field, run.subject.update.moment
    assert moment is not None
    if not all(moment.buffer in state for state in (before.state_after, record.state_after)):
        return []
    kept, buffer = before.state_after[moment.buffer], record.state_after[moment.buffer]
    beta, share = moment.shares(numbers, run.hyper)
    error = buffer_bound(run, exact, moment.buffer)
    off = as_float(beta) * inner_product_error(kept, weights_bound(run, step)) + inner_product_error(record.w, error)
    with numbers.context():
        w, g, p = (numbers.array(x) for x in (record.w, record.g, kept))
        was = (numbers.array(before.w) * p).sum()
        expected = next_radial(beta, step.shrink, step.lr, was, (step.q * p).sum(), share * (w * g).sum())
        got = (w * numbers.array(buffer)).sum()
        return [measured("w·p", record.index, got, expected, off)]


W, TURNED = EXACT.array([3, 4]), problems.SkewField(((1, 1),))
HALF, ONE = EXACT.element(0.5), EXACT.element(1)


def example(**changed: object) -> Values:
    """Three steps of heavy ball with decoupled decay, s = ½, as the letters of all theorems; some of them changed."""
    hyper = {"lr": HALF, "momentum": HALF, "weight_decay": HALF}
    descent = problems.Descent(W, TURNED, 3, hyper)
    steps = [Taken(w, TURNED(w), step, hyper) for w, step in descent.run(sgdp)]
    _, momentum, tangent = of_run(Kept(steps, MOMENTUM, 0, Gradients(TURNED, [one.w for one in steps])))
    return {**momentum, **tangent, **changed}


def elsewhere() -> Values:
    """Weights that something else moved: from w to w again."""
    return {"s": [ONE], "η": [HALF], "w": [W, W], "a": [W], "b": [W], "d": [W]}


def constant_sigma() -> Values:
    """σ = 1 throughout, though every step halves the weights."""
    return example(σ=[ONE] * 4)


def all_decayed() -> Values:
    """s = 0: nothing is left of w_0, and σ_1/σ_1 = 0/0."""
    w = [W, -HALF * TURNED(W)]
    g = [TURNED(x) for x in w]
    p = [g[0], HALF * g[0] + g[1]]
    one_step = {"s": [0 * ONE], "σ": [ONE, 0 * ONE], "η": [HALF], "a": g, "b": [0 * W, HALF * g[0]]}
    return {**one_step, "β": HALF, "τ": 0 * ONE, "f": Gradients(TURNED, w), "w": w, "g": g, "p": p, "u": p}


def nonzero_start() -> Values:
    """A buffer that holds w before the first step."""
    return example(p=[TURNED(W) + W], w=[W], u=[], g=[TURNED(W)])


def another_buffer() -> Values:
    """A buffer that something else fills after the first step."""
    run = example()
    return {**run, "p": [run["p"][0], W], "u": run["u"][:1], "w": run["w"][:2], "g": run["g"][:2]}


def another_update() -> Values:
    """The weights stay where they are."""
    run = example()
    return {**run, "w": [W, W], "g": [TURNED(W)] * 2, "p": [TURNED(W), HALF * 3 * TURNED(W)], "u": [TURNED(W)]}


def not_invariant() -> Values:
    """Gradients along w."""
    return example(f=Gradients(lambda w: w, [W]), w=[W], g=[W], a=[W], b=[0 * W])


def not_the_gradients() -> Values:
    """What is called the gradient of a constant function lies along w."""
    return example(f=Gradients(lambda w: 0 * w, [W]), w=[W], g=[W], a=[W], b=[0 * W])


def old_gradients() -> Values:
    """The part that is called fresh is not made of the current gradient."""
    return example(a=[W], w=[W], b=[0 * W], g=[TURNED(W)])


def memory_at_the_start() -> Values:
    """The buffer holds w before the first step."""
    return example(b=[W], w=[W], a=[TURNED(W)], g=[TURNED(W)])


def another_memory() -> Values:
    """The buffer is replaced by w after the first step."""
    run = example()
    return {**run, "b": [0 * W, W], "w": run["w"][:2], "g": run["g"][:2], "a": run["a"][:2]}


def not_moved() -> Values:
    """The weights stay where they are, and the buffer at right angles to them."""
    g = TURNED(W)
    return example(w=[W, W], g=[g, g], a=[g, g], b=[0 * W, HALF * g])


def not_projected() -> Values:
    """The plain step."""
    return {"s": [ONE], "η": [HALF], "w": [W, W - HALF * W], "a": [W], "b": [0 * W]}


f, *_ = variables("f", "E -> R")
β, τ = variables("β τ", "R")
s, σ, η = variables("s σ η", "nat -> R")
w, g, p, u, a, b, d = variables("w g p u a b d", "nat -> E")
t, k = variables("t k", "nat")


def entries(k: Variable) -> Term:
    """own + fresh + memory + decay of a step."""
    return (
        η[k] ** 2 * square(a[k] + b[k] + d[k])
        - 2 * s[k] * η[k] * dot(w[k], a[k])
        - 2 * s[k] * η[k] * dot(w[k], b[k])
        + ((s[k] ** 2 - 1) * square(w[k]) - 2 * s[k] * η[k] * dot(w[k], d[k]))
    )


def moved(update: Term) -> Term:
    """w_{t+1} = s_t w_t − η_t u."""
    return every(t, equal(w[t + 1], s[t] * w[t] - η[t] * update))


SHRUNK = (
    Hypothesis("shrunk", every(t, equal(σ[t + 1], s[t] * σ[t])), constant_sigma),
    Hypothesis("not_to_0", every(t, unequal(σ[t], 0)), all_decayed),
)
PROJECTED = function("project", w[t], a[t]) + function("project", w[t], b[t])
LOST = dot(w[t], a[t] + b[t])
STATEMENT = Statement(
    "ledger",
    (
        Theorem(
            "ledger",
            (s, η, w, a, b, d),
            given=(Hypothesis("update", moved(a[t] + b[t] + d[t]), elsewhere),),
            says=(
                every(t, equal(square(w[t + 1]) - square(w[t]), entries(t))),
                every(t, equal(square(w[t]) - square(w[0]), total(k, t, entries(k)))),
            ),
        ),
        Theorem(
            "ledger_momentum",
            (β, τ, s, σ, η, w, g, p, u),
            given=(
                *SHRUNK,
                Hypothesis("zero_start", equal(p[0], (1 - τ) * g[0]), nonzero_start),
                Hypothesis("momentum", every(t, equal(p[t + 1], β * p[t] + (1 - τ) * g[t + 1])), another_buffer),
                Hypothesis("update", moved(u[t]), another_update),
            ),
            says=(
                every(
                    t,
                    equal(
                        dot(w[t + 1], p[t + 1]),
                        β * (s[t] * dot(w[t], p[t]) - η[t] * dot(u[t], p[t])) + (1 - τ) * dot(w[t + 1], g[t + 1]),
                    ),
                ),
                every(
                    t,
                    equal(
                        dot(w[t], p[t]),
                        (1 - τ) * total(k, t + 1, β ** (t - k) * σ[t] / σ[k] * dot(w[k], g[k]))
                        - total(k, t, β ** (t - k) * σ[t] / σ[k + 1] * (η[k] * dot(u[k], p[k]))),
                    ),
                ),
            ),
        ),
        Theorem(
            "ledger_scale_invariant",
            (f, β, τ, s, σ, η, w, g, a, b),
            given=(
                Hypothesis("scale_invariant", function("scale_invariant", f), not_invariant),
                Hypothesis("gradients", every(t, function("gradient", f, w[t], g[t])), not_the_gradients),
                *SHRUNK,
                Hypothesis("fresh", every(t, equal(a[t], (1 - τ) * g[t])), old_gradients),
                Hypothesis("no_memory", equal(b[0], function("zero")), memory_at_the_start),
                Hypothesis("memory", every(t, equal(b[t + 1], β * (a[t] + b[t]))), another_memory),
                Hypothesis("update", moved(a[t] + b[t]), not_moved),
            ),
            says=(
                every(t, equal(dot(w[t], a[t]), 0)),
                every(
                    t,
                    equal(
                        -(2 * s[t] * η[t] * dot(w[t], b[t])),
                        2 * s[t] * η[t] * total(k, t, β ** (t - k) * σ[t] / σ[k + 1] * (η[k] * square(a[k] + b[k]))),
                    ),
                ),
            ),
        ),
        Theorem(
            "ledger_projected",
            (s, η, w, a, b),
            given=(Hypothesis("update", moved(PROJECTED), not_projected),),
            says=(
                every(
                    t,
                    equal(
                        square(w[t + 1]) - square(w[t]), η[t] ** 2 * square(PROJECTED) + (s[t] ** 2 - 1) * square(w[t])
                    ),
                ),
                every(
                    t,
                    equal(
                        square(w[t]) * (square(s[t] * w[t] - η[t] * (a[t] + b[t])) - square(w[t + 1])),
                        η[t] ** 2 * LOST**2 - 2 * s[t] * η[t] * LOST * square(w[t]),
                    ),
                ),
            ),
        ),
    ),
)

CLAIM = Claim(
    id="ledger",
    title="Where norm growth comes from",
    where="beyond the paper",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(st.one_of(descents(), tensor_runs()), STATEMENT, of_run, also=check_entries),
    ball=NotApplicable("every entry is a rational function of the step's numbers: the exact rung covers them"),
    implementation=Attack(frozenset(), trials, check_implementation),
    notes=(
        "No hypothesis on f. s_t is 1 − η_tλr, for SGDP 1 − η_tλr/(1−β), and σ the product of its values so far. "
        "Coupled decay has its current share in the entry of the decay, its earlier ones in the memory, and all of it "
        "in own. Of Adam a and b are (1−β₁)g_t and β₁m_{t−1} over the denominators of the step."
    ),
)
