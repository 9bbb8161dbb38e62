"""Lemma 2.2 for Nesterov momentum: the exact form of "also applicable to Nesterov momentum" (§2.4).

With p_t = βp_{t−1} + ∇f(w_t), the update u_t = ∇f(w_t) + βp_t and w_{t+1} = w_t − ηu_t, for a scale-invariant w:

    ‖w_{t+1}‖² = ‖w_t‖² + η²‖u_t‖² + 2η² Σ_{k<t} β^{t−k+1} u_k·p_k,   because   w_t·p_t = −η Σ_{k<t} β^{t−k} u_k·p_k

The products u_k·p_k take the place of ‖p_k‖². Unlike those, one of them can be negative; their discounted sum cannot:

    Σ_{k≤t} β^{t−k} u_k·p_k ≥ ½‖p_t‖²,   so   ‖w_{t+1}‖² ≥ ‖w_t‖² + η²‖u_t‖² + η²β²‖p_{t−1}‖²

for β ≤ 1: Nesterov momentum, too, never grows the norm by less than GD with the same updates. All of it holds for
p_t = βp_{t−1} + (1−τ)∇f(w_t), the inequality for τ < 1 with ‖p‖² divided by 1−τ.
"""

from dataclasses import replace
from functools import partial

import flint
import sympy
from hypothesis import strategies as st

from tangency.proofs_checks.authoring import *
from tangency.proofs_checks.claims import lemma_2_2_momentum_norm_growth as lemma
from tangency.proofs_checks.claims.lemma_2_2_momentum_norm_growth import f, g, k, p, t, w, β, η, τ
from tangency.theory.norm_growth import nesterov_growth, radial_component

ETA, BETA, TAU = sympy.symbols("η β τ", positive=True)
SUM = sympy.Symbol("S_t")
SIGMA, SLACK = sympy.symbols("σ e", nonnegative=True)
FRESH = sympy.Symbol("c", positive=True)
SHARE = 1 / (2 * FRESH)


def positivity(share: sympy.Expr) -> tuple[NonNegative, NonNegative]:
    """T_t ≥ λ‖p_t‖² by induction, completing the square with d = p_t − p_{t+1}; ``share`` is the claimed λ, 1/(2c)."""
    beta, one = 1 / (1 + SIGMA), sympy.Integer(1)
    gram = Gram("d p'")
    d, after = gram.vectors
    before = d + after
    gradient = (after - beta * before) / FRESH
    (first,) = Gram("p").vectors
    start = Gram("p").square(first)
    return (
        NonNegative(
            "base: T_0 − λ‖p_0‖² ≥ 0, as u_0 = (1/c + β)p_0",
            (1 / FRESH + beta) * start - share * start,
            [((1 / (2 * FRESH) + beta) * start, one)],
            theorem="products_from_below",
        ),
        NonNegative(
            "step: if T_t = λ‖p_t‖² + e, e ≥ 0, then βT_t + u_{t+1}·p_{t+1} − λ‖p_{t+1}‖² ≥ 0; d = p_t − p_{t+1}",
            beta * (share * gram.square(before) + SLACK)
            + gram.dot(gradient + beta * after, after)
            - share * gram.square(after),
            [
                (beta * SLACK, one),
                (beta / (2 * FRESH) * gram.square(d), one),
                ((beta * SIGMA / (2 * FRESH) + beta) * gram.square(after), one),
            ],
            theorem="products_from_below",
        ),
    )


def proof(factor: sympy.Expr = BETA, share: sympy.Expr = SHARE) -> Proof:
    """The induction of A.1 with u in place of p, and the sign of its sum.

    Args:
        factor: the claimed factor of the sum in the growth, β.
        share: the claimed λ of T_t ≥ λ‖p_t‖².
    """
    pg, wp = sympy.Symbol("⟨p,g'⟩", real=True), -ETA * SUM
    # ⟨w', g'⟩ = 0 says ⟨w, g'⟩ = η⟨u, g'⟩, and ⟨w, g⟩ = 0 says ⟨w, u⟩ = β⟨w, p⟩.
    ug = sympy.Symbol("⟨u,g'⟩", real=True)
    relations = {("w", "p"): wp, ("w", "u"): BETA * wp, ("w", "g'"): ETA * ug, ("u", "g'"): ug, ("p", "g'"): pg}
    gram = Gram("w p u g'", relations=relations)
    w, p, u, g = gram.vectors
    after = w - ETA * u
    before = Gram("w g p", relations={("w", "g"): 0})
    w0, g0, p0 = before.vectors
    return Proof(
        method="Induction on t; Gram algebra, in any dimension.",
        given=(
            Given("⟨w_t, g_t⟩ = 0 at every t, since f is scale-invariant (Eq. 4)"),
            Given("p_t = βp_{t−1} + (1−τ)g_t, p_{−1} = 0; u_t = g_t + βp_t; w_{t+1} = w_t − ηu_t"),
            Given("S_t = Σ_{k<t} β^{t−k} u_k·p_k, so that S_0 = 0 and S_{t+1} = β(S_t + u_t·p_t)"),
            Given("for the inequality: c = 1−τ > 0, and β = 1/(1+σ) with σ ≥ 0, which is 0 < β ≤ 1 (β = 0: S_t = 0)"),
            Given("T_t = Σ_{k≤t} β^{t−k} u_k·p_k, so that S_{t+1} = βT_t; u_t = (p_t − βp_{t−1})/c + βp_t; λ = 1/(2c)"),
        ),
        steps=(
            Identity(
                "base: ⟨w_0, p_0⟩ = (1−τ)⟨w_0, g_0⟩ = 0 = −ηS_0",
                before.dot(w0, (1 - TAU) * g0),
                0,
                theorem="nesterov_radial_component",
            ),
            Identity(
                "⟨w, u⟩ = ⟨w, g + βp⟩ = β⟨w, p⟩",
                before.dot(w0, g0 + BETA * p0),
                BETA * before.dot(w0, p0),
                theorem="nesterov_growth",
            ),
            Identity("w' is orthogonal to its own gradient", gram.dot(after, g), 0, theorem="orthogonality"),
            Identity(
                "step: if ⟨w_t, p_t⟩ = −ηS_t then ⟨w_{t+1}, p_{t+1}⟩ = −ηS_{t+1}",
                gram.dot(after, BETA * p + (1 - TAU) * g),
                -ETA * BETA * (SUM + gram.dot(u, p)),
                theorem="nesterov_radial_component",
            ),
            Identity(
                "the growth: ‖w_{t+1}‖² = ‖w_t‖² + η²‖u_t‖² + 2η²βS_t",
                gram.square(after),
                gram.square(w) + ETA**2 * gram.square(u) + 2 * ETA**2 * factor * SUM,
                theorem="lemma_2_2_nesterov",
            ),
            *positivity(share),
            NonNegative(
                "so 2η²βS_{t+1} = 2η²β²T_t ≥ η²β²‖p_t‖²/c for T_t = λ‖p_t‖² + e, e ≥ 0",
                2 * ETA**2 * BETA**2 * (share * gram.square(p) + SLACK) - ETA**2 * BETA**2 * gram.square(p) / FRESH,
                [(2 * ETA**2 * BETA**2 * SLACK, sympy.Integer(1))],
                theorem="nesterov_least_growth",
            ),
        ),
        conclusion=(
            "‖w_{t+1}‖² = ‖w_t‖² + η²‖u_t‖² + 2η² Σ_{k<t} β^{t−k+1} u_k·p_k ≥ ‖w_t‖² + η²‖u_t‖² + "
            "η²β²/(1−τ) ‖p_{t−1}‖², in every dimension, at every t; the inequality for β ≤ 1, τ < 1."
        ),
    )


def values(descent: problems.Descent) -> Values:
    """A run of Nesterov momentum as the statement's letters."""
    return of_momentum(descent.run(nesterov), descent.gradient, **descent.hyper)


def check_implementation(run: Run) -> list[Measurement]:
    """The radial component and the growth along an unprojected Nesterov run of SGDP, from its stored buffers."""
    lr, beta = rational(run.hyper["lr"]), rational(run.hyper["momentum"])
    squares: list[object] = []
    products: list[object] = []
    measurements = []
    for step in norm_steps(run):
        t = step.record.index
        measurements.append(
            measured("w·p", t, step.w @ step.p, radial_component(lr, beta, products), step.radial_bound)
        )
        squares.append(step.u @ step.u)
        growth = step.after @ step.after - step.w @ step.w
        expected = nesterov_growth(lr, beta, squares, products)
        measurements.append(measured("‖w'‖² − ‖w‖²", t, growth, expected, step.growth_bound))
        products.append(step.u @ step.p)
    return measurements


W, TURNED = EXACT.array([3, 4]), problems.SkewField(((1, 1),))
HALF = EXACT.element(0.5)


def descents() -> st.SearchStrategy[problems.Descent]:
    """Runs with momentum and dampening."""
    either = st.one_of(problems.skew_descents(momentum=True), objective_descents(momentum=True))
    return problems.with_hyper(either, dampening=st.sampled_from([flint.fmpq(p, 10) for p in (0, 5, 9)]))


def wrong_look_ahead() -> Values:
    """The first update is along w, which no gradient and no buffer are."""
    run = lemma.two_steps(TURNED, algorithm=nesterov)
    after = W - run["η"] * W
    return {**run, "w": [W, after], "u": [W], "p": run["p"][:1], "g": run["g"][:1]}


def least_growth(scales: tuple[int, ...], **hyper: float) -> Values:
    """A run on orthogonal gradients s_t S w_t, at a small step size."""
    lengths, taken = iter(scales), {}

    def field(w: Array) -> Array:
        key = tuple(w)
        if key not in taken:
            taken[key] = next(lengths) * TURNED(w)
        return taken[key]

    descent = problems.Descent(W, field, len(scales), {"lr": 2.0**-12, **hyper})
    return of_momentum(descent.run(nesterov), field, **hyper)


u, *_ = variables("u", "nat -> E")
PAST = total(k, t, β ** (t - k) * dot(u[k], p[k]))
RUN = (
    *(
        replace(one, needed=partial(broken, nesterov))
        for one, broken in zip(
            lemma.MOMENTUM,
            (lemma.not_invariant, lemma.no_gradients, lemma.nonzero_start, lemma.another_buffer),
            strict=True,
        )
    ),
    Hypothesis("look_ahead", every(t, equal(u[t], g[t] + β * p[t])), wrong_look_ahead),
    Hypothesis(
        "update", every(t, equal(w[t + 1], w[t] - η * u[t])), partial(lemma.changing_step_size, algorithm=nesterov)
    ),
)

STATEMENT = Statement(
    "lemma_2_2_nesterov",
    (
        Theorem(
            "lemma_2_2_nesterov",
            (f, η, β, τ, w, g, p, u),
            given=RUN,
            says=(
                every(
                    t,
                    equal(
                        square(w[t + 1]),
                        square(w[t]) + η**2 * square(u[t]) + 2 * η**2 * total(k, t, β ** (t - k + 1) * dot(u[k], p[k])),
                    ),
                ),
                every(t, equal(dot(w[t], p[t]), -η * PAST)),
            ),
        ),
        Theorem(
            "nesterov_least_growth",
            (f, η, β, τ, w, g, p, u),
            given=(
                *RUN,
                Hypothesis("β_nonneg", β >= 0, lambda: least_growth((1, 0), momentum=-1, dampening=-1)),
                Hypothesis(
                    "β_at_most_1", β <= 1, lambda: least_growth((8, -8, -56, -136, 0), momentum=4, dampening=0.875)
                ),
                Hypothesis("τ_below_1", τ < 1, lambda: least_growth((1, 0), momentum=0.25, dampening=2)),
            ),
            says=(
                every(
                    t,
                    square(w[t + 1]) + η**2 * square(u[t + 1]) + η**2 * β**2 * square(p[t]) / (1 - τ)
                    <= square(w[t + 2]),
                ),
            ),
        ),
    ),
    shown=2,
)

CLAIM = Claim(
    id="lemma-2.2-nesterov",
    title="Norm growth by Nesterov momentum",
    where="§2.4 (the paper: “also applicable”)",
    statement=STATEMENT,
    algebra=proof,
    exact=Instances(descents(), STATEMENT, values),
    ball=NotApplicable("both sides are rational functions of w, η, β and the gradients: the exact rung covers them"),
    implementation=Attack(
        frozenset({HEAVY_BALL, NESTEROV}),
        lambda subject: orthogonal_trials(subject, nesterov=True),
        check_implementation,
    ),
    notes="Beyond the paper. A single u_k·p_k can be negative; the discounted sum is not, so growth is at least GD's.",
)
