"""Corollary 2.3, the asymptotic ratio of norm growths (§2.4; proof in Appendix A.2).

With A_k = ‖p_k‖² the same with and without momentum, the growths of ‖w‖² have the ratio 1 + 2F_t (A.8), and exactly

    β/(1−β) − F_t = β/(1−β) · x_t,   x_t = Σ_{k≤t} β^{t−k} A_k / Σ_{k≤t} A_k ≥ 0.

So the ratio approaches 1 + 2β/(1−β), 19 at β = 0.9, from below and never exceeds it, and it is reached if and only if
x_t → 0, which is if and only if a_t = A_t/Σ_{k≤t} A_k → 0. The paper's Σ A_k < ∞ is more than is needed: constant A_k
suffice. Growing updates A_k = ρ^k have the limit 1 + 2β/(ρ−β) instead, and bursts have none.
"""

from dataclasses import dataclass, replace
from itertools import islice

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims.lemma_2_2_momentum_norm_growth import (
    MOMENTUM,
    UPDATE,
    f,
    g,
    k,
    p,
    t,
    w,
    β,
    η,
    τ,
)
from tangency.proofs_checks.statement.terms import Term
from tangency.theory.norm_growth import (
    bursts,
    excess_gap_bound,
    gd_growth,
    geometric_limit_ratio,
    growth_ratio,
    last_share,
    limit_excess,
    limit_ratio,
    momentum_excess,
    recent_share,
)

BETA = sympy.Symbol("β", positive=True)
ONE = sympy.Integer(1)
T = sympy.Symbol("t", integer=True, nonnegative=True)


def identity_steps(limit: sympy.Expr) -> tuple[Identity | NonNegative, ...]:
    """β/(1−β) − F_t = β/(1−β) · x_t ≥ 0, by induction; ``limit`` is the claimed β/(1−β)."""
    recent, new = sympy.symbols("X A'", nonnegative=True)
    total = sympy.Symbol("S", positive=True)
    sigma = sympy.Symbol("σ", positive=True)
    return (
        Identity(
            "N_t = β/(1−β) (S_t − X_t): base N_0 = X_0 − A_0 = 0, S_0 = X_0 = A_0",
            0,
            limit * (new - new),
            theorem="accumulated_closed",
        ),
        Identity(
            "and step: N_{t+1} = N_t + X_{t+1} − A_{t+1} = N_t + βX_t is β/(1−β) (S_{t+1} − X_{t+1})",
            limit * (total - recent) + BETA * recent,
            limit * ((total + new) - (BETA * recent + new)),
            theorem="accumulated_closed",
        ),
        Identity(
            "the identity: β/(1−β) − F_t = β/(1−β) · X_t/S_t",
            limit - limit * (total - recent) / total,
            limit * recent / total,
            theorem="exact_identity",
        ),
        NonNegative(
            "the limit is not exceeded: the gap is ≥ 0, written with β = 1/(1+σ), σ > 0",
            (limit * recent / total).subs(BETA, 1 / (1 + sigma)),
            [(recent / (sigma * total), ONE)],
            theorem="corollary_2_3_from_below",
        ),
    )


def limit_steps(terms: sympy.Expr) -> tuple[Identity | NonNegative, ...]:
    """x_t → 0 if and only if a_t → 0, and X_t ≤ M(1 − β^terms)/(1−β), ``terms`` is claimed, in t."""
    m = sympy.Symbol("m", integer=True, nonnegative=True)
    recent, new, x, alpha, most = sympy.symbols("X A' x_N α M", nonnegative=True)
    slack, slack_a, slack_x = sympy.symbols("e e_1 e_2", nonnegative=True)
    total = sympy.Symbol("S", positive=True)
    share, following = new / (total + new), (BETA * recent + new) / (total + new)

    def above(m: sympy.Expr) -> sympy.Expr:
        return BETA**m * x + alpha * (1 - BETA**m) / (1 - BETA)

    def largest(t: sympy.Expr) -> sympy.Expr:
        return most * (1 - BETA ** terms.subs(T, t)) / (1 - BETA)

    return (
        Identity(
            "the recursion: x_{t+1} = β(1 − a_{t+1}) x_t + a_{t+1}",
            following,
            BETA * (1 - share) * recent / total + share,
            theorem="recursion",
        ),
        NonNegative(
            "necessary: x_{t+1} ≥ a_{t+1}, so that x_t → 0 forces a_t → 0",
            following - share,
            [(BETA * recent / (total + new), ONE)],
            theorem="corollary_2_3_converse",
        ),
        NonNegative(
            "sufficient: x_{t+1} ≤ βx_t + a_{t+1}",
            BETA * recent / total + share - following,
            [(BETA * recent * new / (total * (total + new)), ONE)],
            theorem="corollary_2_3",
        ),
        Identity(
            "so a_s ≤ α for s > N gives x_{N+m} ≤ β^m x_N + α(1 − β^m)/(1−β): base m = 0",
            above(ONE * 0),
            x,
            theorem="contraction",
        ),
        NonNegative(
            "and step: x_{N+m} short of it by e, a of α by e_1, and x_{N+m+1} of βx + a by e_2",
            above(m + 1) - (BETA * (above(m) - slack) + (alpha - slack_a) - slack_x),
            [(BETA * slack, ONE), (slack_a, ONE), (slack_x, ONE)],
            theorem="contraction",
        ),
        Identity(
            "X_t ≤ M(1 − β^{t+1})/(1−β) if all A_k ≤ M: base M ≥ A_0", largest(ONE * 0), most, theorem="finite_bound"
        ),
        NonNegative(
            "and step: X_t short of it by e, A_{t+1} of M by e_1",
            largest(T + 1) - (BETA * (largest(T) - slack) + (most - slack_a)),
            [(BETA * slack, ONE), (slack_a, ONE)],
            theorem="finite_bound",
        ),
        Identity(
            "at finite t the gap is at most β(1 − β^{t+1})/(1−β)² · M/S",
            limit_excess(BETA) * largest(T) / total,
            BETA * (1 - BETA ** (T + 1)) / (1 - BETA) ** 2 * most / total,
            theorem="corollary_2_3_at_finite_t",
        ),
        Identity(
            "as printed: a_{t+1} = 1 − S_t/S_{t+1}, which tends to 0 if S_t has a limit > 0",
            share,
            1 - total / (total + new),
            theorem="corollary_2_3_as_printed",
        ),
    )


def counterexample_steps() -> tuple[Identity | NonNegative, ...]:
    """The limit of the ratio for A_k = ρ^k, ρ > 1, and for bursts."""
    earlier, excess, slack, recent = sympy.symbols("B z e X", nonnegative=True)
    rho, total = sympy.symbols("ρ S", positive=True)
    t = T

    def geometric(base: sympy.Expr, n: sympy.Expr) -> sympy.Expr:
        """Σ_{k≤n} base^{n−k} ρ^k."""
        return (rho ** (n + 1) - base ** (n + 1)) / (rho - base)

    return (
        Identity(
            "A_k = ρ^k, ρ > 1: X_t = (ρ^{t+1} − β^{t+1})/(ρ − β), base X_0 = 1",
            geometric(BETA, ONE * 0),
            1,
            theorem="corollary_2_3_geometric",
        ),
        Identity(
            "and step",
            geometric(BETA, t + 1),
            BETA * geometric(BETA, t) + rho ** (t + 1),
            theorem="corollary_2_3_geometric",
        ),
        Identity(
            "S_t is the same at β = 1: base S_0 = 1", geometric(ONE, ONE * 0), 1, theorem="corollary_2_3_geometric"
        ),
        Identity(
            "and step", geometric(ONE, t + 1), geometric(ONE, t) + rho ** (t + 1), theorem="corollary_2_3_geometric"
        ),
        Identity(
            "so x_t is (ρ−1)/(ρ−β) and a rest that vanishes with ρ^{−t}",
            geometric(BETA, t) / geometric(ONE, t) - (rho - 1) / (rho - BETA),
            (rho - 1) / (rho - BETA) * (1 - BETA ** (t + 1)) / (rho ** (t + 1) - 1),
            theorem="corollary_2_3_geometric",
        ),
        Identity(
            "and the ratio tends to 1 + 2β/(ρ−β)",
            1 + 2 * limit_excess(BETA) * (1 - (rho - 1) / (rho - BETA)),
            geometric_limit_ratio(BETA, rho),
            theorem="corollary_2_3_geometric",
        ),
        NonNegative(
            "bursts y = 2^k at k = 2^j: the earlier ones sum to B = y − e ≤ y, as B + y ≤ y² for y = 2 + z",
            (2 + excess) ** 2 - ((2 + excess - slack) + (2 + excess)),
            [(excess * (2 + excess), ONE), (slack, ONE)],
            theorem="total_below",
        ),
        NonNegative(
            "so x_t ≥ a_t ≥ ½ at every burst: y ≥ S/2, with y = B + e and S = B + y",
            (earlier + slack) - (earlier + (earlier + slack)) / 2,
            [(slack / 2, ONE)],
            theorem="after_burst",
        ),
        Identity(
            "and between bursts A' = 0: x_{t+1} = βx_t, down to at most β^{2^j−1}; so x_t has no limit",
            (BETA * recent + 0) / (total + 0),
            BETA * (recent / total),
            theorem="decay",
        ),
    )


def proof(limit: sympy.Expr | None = None, terms: sympy.Expr | None = None) -> Proof:
    """The exact identity by induction, and what follows from it.

    The machine checks every identity and inequality; that they say x_t → 0 (choose α, then N, then m) is the definition
    of a limit, and stays in words.

    Args:
        limit: the claimed limit of F_t, in β.
        terms: the claimed exponent of the bound at finite t; t + 1 is right.
    """
    top = limit_excess(BETA) if limit is None else limit
    return Proof(
        method="Induction on t for the exact identity and the bounds; then one line of algebra each.",
        given=(
            Given("A_k = ‖p_k‖² ≥ 0; S_t = Σ_{k≤t} A_k > 0; X_t = Σ_{k≤t} β^{t−k} A_k, so X_{t+1} = βX_t + A_{t+1}"),
            Given("N_t = Σ_{k≤t} Σ_{j<k} β^{k−j} A_j = Σ_{k≤t} (X_k − A_k), and F_t = N_t/S_t (A.8)"),
            Given("x_t = X_t/S_t ≤ 1, a_t = A_t/S_t; 0 < β < 1; a prime marks the next step"),
        ),
        steps=(*identity_steps(top), *limit_steps(T + 1 if terms is None else terms), *counterexample_steps()),
        conclusion=(
            "1 + 2F_t = 1 + 2β/(1−β) · (1 − x_t) ≤ 1 + 2β/(1−β), with equality in the limit if and only if "
            "A_t/Σ_{k≤t} A_k → 0; the gap of F_t is at most β(1−β^{t+1})/(1−β)² · max A/ΣA."
        ),
    )


@dataclass(frozen=True)
class Updates:
    """A momentum coefficient and squared update norms, not all zero."""

    beta: flint.fmpq
    squares: tuple[flint.fmpq, ...]


@st.composite
def updates(draw: st.DrawFn) -> Updates:
    """Up to 500 squared norms: a short drawn pattern, repeated, each time scaled by ρ."""
    pattern = draw(st.lists(problems.rationals(0), min_size=1, max_size=8).filter(any))
    rho = draw(st.sampled_from([flint.fmpq(1), flint.fmpq(1, 2), flint.fmpq(2), flint.fmpq(9, 10)]))
    count = draw(st.integers(1, problems.MAX_STEPS))
    squares = tuple(pattern[k % len(pattern)] * rho ** (k // len(pattern)) for k in range(count))
    return Updates(draw(problems.momenta()), squares if any(squares) else (*squares, flint.fmpq(1)))


def check_updates(given: Updates) -> None:
    """The identity, the bound from above and the bound at finite t, for squared norms of any kind."""
    beta, squares = given.beta, given.squares
    excess, share = momentum_excess(beta, squares), recent_share(beta, squares)
    gap = limit_excess(beta) - excess
    require_equal("β/(1−β) − F_t", gap, limit_excess(beta) * share)
    require("F_t ≤ β/(1−β)", bool(gap >= 0), got=excess)
    require("the gap ≤ its bound", bool(gap <= excess_gap_bound(beta, squares)), got=gap)
    require("x_t ≥ a_t", bool(share >= last_share(squares)), got=share)


def values(problem: Updates | problems.Descent) -> list[Values]:
    """A run with momentum and a run of GD whose updates have the same lengths."""
    return [] if isinstance(problem, Updates) else [beside_gd(problem)]


def beside_gd(descent: problems.Descent) -> Values:
    """The letters of both runs: GD goes along the updates of the other, each in coordinates of its own.

    So its gradients have the lengths of the other's updates, and are orthogonal to its weights.
    """
    run = of_momentum(descent.run(heavy_ball), descent.gradient, **descent.hyper)
    size, count = len(descent.w), len(run["p"])
    path, updates = [EXACT.zeros((size * (count + 1),))], []
    path[0][:size] = descent.w
    for step, update in enumerate(run["p"], 1):
        updates.append(EXACT.zeros(path[0].shape))
        updates[-1][size * step : size * (step + 1)] = update
        path.append(path[-1] - run["η"] * updates[-1])
    gradients = {tuple(point): update for point, update in zip(path, updates, strict=False)}
    largest = max(update @ update for update in run["p"])
    return {**run, "f'": Gradients(lambda w: gradients[tuple(w)], path[:-1]), "w'": path, "p'": updates, "M": largest}


def check_sequences(problem: Updates | problems.Descent) -> None:
    """Squared norms of any kind."""
    if isinstance(problem, Updates):
        check_updates(problem)


def check_implementation(run: Run) -> list[Measurement]:
    """The growth of ‖w‖² over a whole unprojected run of SGDP: its ratio to GD's, and that it stays below the limit."""
    steps = list(norm_steps(run))
    lr, beta = rational(run.hyper["lr"]), rational(run.hyper["momentum"])
    squares = [step.p @ step.p for step in steps]
    without = sum((gd_growth(lr, square) for square in squares), start=flint.fmpq(0))
    if without == 0:
        return []
    grown = steps[-1].after @ steps[-1].after - steps[0].w @ steps[0].w
    bound, last = sum(step.growth_bound for step in steps), steps[-1].record.index
    above = max(0.0, as_float(grown - limit_ratio(beta) * without))
    limit = as_float(limit_ratio(beta) * without)
    return [
        measured("‖w_T‖² − ‖w_0‖²", last, grown, growth_ratio(beta, squares) * without, bound),
        Measurement("‖w_T‖² − ‖w_0‖², above the limit", last, as_float(grown), limit, above, bound),
    ]


NINE_TENTHS = flint.fmpq(9, 10)


def growing() -> Refutation:
    """A_k = 2^k at β = 0.9: after 500 steps within 2^−400 of 29/11, where 19 is predicted."""
    squares = [flint.fmpq(2) ** k for k in range(500)]
    ratio, limit = growth_ratio(NINE_TENTHS, squares), geometric_limit_ratio(NINE_TENTHS, flint.fmpq(2))
    require("the ratio is near its own limit", bool(abs(ratio - limit) < flint.fmpq(1, 2**400)), got=ratio)
    return Refutation("the limit of the ratio", limit_ratio(NINE_TENTHS), limit)


def bursting() -> Refutation:
    """Bursts 2^k at k = 2^j: the ratio is close to 1 after every burst, and above 18 just before the next."""
    squares = [flint.fmpq(square) for square in islice(bursts(), 512)]
    after, before = growth_ratio(NINE_TENTHS, squares[:257]), growth_ratio(NINE_TENTHS, squares)
    require("near 1 after a burst", bool(after < flint.fmpq(11, 10)), got=after)
    require("near 19 before the next", bool(before > 18), got=before)
    return Refutation("ratios a burst apart lie within 1 of each other", True, bool(abs(after - before) < 1))


def other_updates() -> Refutation:
    """GD and momentum on one field, each with the updates it really makes: their ratio is not 1 + 2F_t."""
    turned, hyper = problems.SkewField(((1, 1),)), {"lr": flint.fmpq(1, 2)}
    w = EXACT.array([3, 4])
    plain = problems.Descent(w, turned, 4, hyper).run(gd)
    heavy = problems.Descent(w, turned, 4, {**hyper, "momentum": flint.fmpq(1, 2)}).run(heavy_ball)
    growths = [run[-1][1].w @ run[-1][1].w - w @ w for run in (heavy, plain)]
    predicted = growth_ratio(flint.fmpq(1, 2), [step.p @ step.p for _, step in heavy])
    return Refutation("ratio of growths", predicted, growths[0] / growths[1])


def no_updates() -> Refutation:
    """A_k = 0 throughout: the ratio is 0/0."""
    try:
        return Refutation("ratio of growths", "defined", growth_ratio(NINE_TENTHS, [flint.fmpq(0)]))
    except ZeroDivisionError:
        return Refutation("ratio of growths", "defined", "undefined")


w_, p_ = variables("w' p'", "nat -> E'")
f_, *_ = variables("f'", "E' -> R")
M, s = variables("M s", "R")
(j,) = variables("j", "nat")
(ρ,) = variables("ρ", "R")
SUM = total(k, t, square(p[k]))
RATIO = (square(w[t]) - square(w[0])) / (square(w_[t]) - square(w_[0]))
LIMIT = 1 + 2 * β / (1 - β)
SHARE = square(p[t]) / total(k, t + 1, square(p[k]))
TWO_RUNS = (f, f_, η, β, τ, w, g, p, w_, p_)
BOTH = NotApplicable("a counterexample would be two infinite runs of a function that is not constant")


def of_gd(name: str, formula: Term) -> Hypothesis:
    """A hypothesis on the run of GD."""
    return Hypothesis(name, formula, BOTH)


GIVEN = (
    *(replace(one, needed=BOTH) for one in (*MOMENTUM, UPDATE)),
    of_gd("scale_invariant'", function("scale_invariant", f_)),
    of_gd("gradients'", every(t, function("gradient", f_, w_[t], p_[t]))),
    of_gd("update'", every(t, equal(w_[t + 1], w_[t] - η * p_[t]))),
    of_gd("η_nonzero", unequal(η, 0)),
    of_gd("β_positive", β > 0),
    of_gd("β_below_1", β < 1),
    Hypothesis("same_norms", every(t, equal(square(p[t]), square(p_[t]))), other_updates),
)
AN_UPDATE = Hypothesis("an_update", some(k, square(p[k]) > 0), no_updates)
A_SUM = SUM > 0

STATEMENT = Statement(
    "corollary_2_3_asymptotic_ratio",
    (
        Theorem(
            "corollary_2_3",
            TWO_RUNS,
            given=(*GIVEN, AN_UPDATE, Hypothesis("vanishing_share", tends(t, SHARE, 0), growing)),
            says=(tends(t, RATIO, LIMIT),),
        ),
        Theorem(
            "corollary_2_3_as_printed",
            (*TWO_RUNS, s),
            given=(*GIVEN, Hypothesis("summable", tends(t, SUM, s), growing), of_gd("some_sum", s > 0)),
            says=(tends(t, RATIO, LIMIT),),
        ),
        Theorem(
            "corollary_2_3_converse",
            TWO_RUNS,
            given=(*GIVEN, AN_UPDATE, of_gd("limit", tends(t, RATIO, LIMIT))),
            says=(tends(t, SHARE, 0),),
        ),
        Theorem(
            "corollary_2_3_from_below", TWO_RUNS, given=GIVEN, says=(every(t, function("⇒", A_SUM, RATIO <= LIMIT)),)
        ),
        Theorem(
            "corollary_2_3_at_finite_t",
            (*TWO_RUNS, M),
            given=(*GIVEN, of_gd("bounded", every(t, square(p[t]) <= M))),
            says=(
                every(
                    t,
                    function("⇒", A_SUM, 2 * β * (1 - β**t) / (1 - β) ** 2 * (M / SUM) >= LIMIT - RATIO),
                ),
            ),
        ),
        Theorem(
            "corollary_2_3_geometric",
            (β, ρ),
            given=(of_gd("β_positive", β > 0), of_gd("β_below_1", β < 1), of_gd("growing", ρ > 1)),
            says=(
                tends(
                    t,
                    total(k, t, ρ**k + 2 * total(j, k, β ** (k - j) * ρ**j)) / total(k, t, ρ**k),
                    1 + 2 * β / (ρ - β),
                ),
            ),
        ),
    ),
    more=("corollary_2_3_bursts", "corollary_2_3_η_nonzero"),
)

CLAIM = Claim(
    id="corollary-2.3",
    title="Asymptotic ratio of norm growths",
    where="§2.4, Corollary 2.3; A.2",
    statement=STATEMENT,
    hypotheses=(Hypothesis("for every t", "the share stays small, and does not return", bursting),),
    algebra=proof,
    exact=Instances(
        st.one_of(
            updates(),
            updates(),
            problems.with_hyper(
                st.one_of(problems.skew_descents(momentum=True, max_steps=40), objective_descents(momentum=True)),
                momentum=problems.momenta(zero=False),
            ),
        ),
        STATEMENT,
        values,
        also=check_sequences,
    ),
    ball=NotApplicable("F_t is a rational function of β and the squared norms: the exact rung covers it"),
    implementation=Attack(
        frozenset({HEAVY_BALL}), lambda subject: orthogonal_trials(subject, nesterov=False), check_implementation
    ),
    notes=(
        "19 at β = 0.9. The paper assumes Σ‖p_k‖² < ∞; that ‖p_t‖²/Σ_{k≤t}‖p_k‖² vanishes is enough, and necessary. "
        "A.14 bounds |r₁| with one term too few and treats a single t; the statement survives, by the identity."
    ),
)
