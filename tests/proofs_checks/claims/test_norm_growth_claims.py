"""The claims on norm growth: wrong statements are rejected, by the proof and by the exact runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flint
import pytest
import sympy

from tangency.proofs_checks.claim import Claim, NotApplicable, Violation
from tangency.proofs_checks.claims import corollary_2_3_asymptotic_ratio as corollary
from tangency.proofs_checks.claims import lemma_2_1_gd_norm_growth as gd_lemma
from tangency.proofs_checks.claims import lemma_2_2_momentum_norm_growth as momentum_lemma
from tangency.proofs_checks.claims import lemma_2_2_nesterov as nesterov_lemma
from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.proof.gram import Proof
from tangency.proofs_checks.statement.evaluate import Evaluation
from tangency.proofs_checks.statement.terms import Apply, Bind
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.theory import norm_growth
from tangency.theory.algorithms import heavy_ball, nesterov, sgdp
from tangency.theory.fields import EXACT

CLAIMS: list[Claim] = [module.CLAIM for module in (gd_lemma, momentum_lemma, nesterov_lemma, corollary)]
EACH = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
ETA, BETA = momentum_lemma.ETA, momentum_lemma.BETA
P2 = sympy.Symbol("⟨p,p⟩", real=True, nonnegative=True)

WRONG: dict[str, Callable[[], Proof]] = {
    "2.1: η for η²": lambda: gd_lemma.proof(ETA * P2),
    "2.1: shrinks": lambda: gd_lemma.proof(-(ETA**2) * P2),
    "2.2: a flipped sign": lambda: momentum_lemma.proof(sign=1),
    "2.2: β^{t−k+1}": lambda: momentum_lemma.proof(next_sum=BETA * (momentum_lemma.SUM + BETA * P2)),
    "2.2: the newest update undiscounted": lambda: momentum_lemma.proof(next_sum=BETA * momentum_lemma.SUM + P2),
    "2.2: the past counts with twice its step size": lambda: momentum_lemma.proof(counted=2 * ETA),
    "Nesterov: the factor of heavy ball": lambda: nesterov_lemma.proof(factor=sympy.Integer(1)),
    "Nesterov: the sum is at least ‖p_t‖²/(1−τ)": lambda: nesterov_lemma.proof(share=1 / nesterov_lemma.FRESH),
    "2.3: the bound has one term too few": lambda: corollary.proof(terms=corollary.T),
    "2.3: the bound has one term too many": lambda: corollary.proof(terms=corollary.T + 2),
    "2.3: the limit of F is 1/(1−β)": lambda: corollary.proof(limit=1 / (1 - BETA)),
    "2.3: the limit of F is 2β/(1−β)": lambda: corollary.proof(limit=2 * BETA / (1 - BETA)),
}


@EACH
def test_the_proof_holds(claim: Claim) -> None:
    assert not isinstance(claim.algebra, NotApplicable)
    assert claim.algebra().check() >= 2


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_statements_are_rejected(build: Callable[[], Proof]) -> None:
    with pytest.raises(Violation, match="residual"):
        build().check()


def test_a_larger_share_of_the_newest_update_is_no_invariant_of_nesterov() -> None:
    _, step = nesterov_lemma.positivity(3 * nesterov_lemma.SHARE)
    with pytest.raises(Violation, match="residual"):
        step.check()


def test_another_limit_for_growing_updates_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corollary, "geometric_limit_ratio", lambda beta, rho: 1 + 2 * beta / rho)
    with pytest.raises(Violation, match="residual"):
        corollary.proof().check()


@EACH
def test_every_hypothesis_is_needed(claim: Claim) -> None:
    for hypothesis in claim.hypotheses:
        if not isinstance(hypothesis.needed, NotApplicable):
            assert refutation_of(claim, hypothesis).refutes, hypothesis.name


DESCENT = problems.Descent(EXACT.array([3, 4, 1]), problems.SkewField(((1, 1),)), 4, {"lr": 0.5, "momentum": 0.5})
PLAIN = problems.Descent(DESCENT.w, DESCENT.gradient, 4, {"lr": 0.5})
UPDATES = corollary.Updates(flint.fmpq(9, 10), (flint.fmpq(1), flint.fmpq(3), flint.fmpq(0), flint.fmpq(2)))
SCHEDULED = problems.ScheduledDescent(**vars(DESCENT), factors=(flint.fmpq(1), flint.fmpq(3, 4), flint.fmpq(1, 2)))
VALUES = {
    "schedule": momentum_lemma.values(SCHEDULED),
    "gd": gd_lemma.values(PLAIN),
    "momentum": momentum_lemma.values(DESCENT),
    "nesterov": nesterov_lemma.values(DESCENT),
    "ratio": corollary.beside_gd(DESCENT),
}
LR, MOMENTUM = EXACT.element(0.5), EXACT.element(0.5)


def squares(run: str, letter: str, count: int) -> list[Any]:
    """‖·‖² of the first vectors of a sequence."""
    return [x @ x for x in VALUES[run][letter][:count]]


def products(count: int) -> list[Any]:
    """u_k·p_k of the Nesterov run."""
    run = VALUES["nesterov"]
    return [u @ p for u, p in zip(run["u"][:count], run["p"][:count], strict=True)]


# A closed form of theory/norm_growth.py, and the right side of an equation that says the same, but for ‖w_t‖²: the run,
# the statement, its theorem, its conclusion.
CLOSED_FORMS: dict[str, tuple[str, Any, int, int, Callable[[int], Any]]] = {
    "gd_growth": ("gd", gd_lemma.STATEMENT, 0, 0, lambda t: norm_growth.gd_growth(LR, squares("gd", "p", t + 1)[-1])),
    "momentum_growth": (
        "momentum",
        momentum_lemma.STATEMENT,
        0,
        0,
        lambda t: norm_growth.momentum_growth(LR, MOMENTUM, squares("momentum", "p", t + 1)),
    ),
    "radial_component": (
        "momentum",
        momentum_lemma.STATEMENT,
        0,
        1,
        lambda t: norm_growth.radial_component(LR, MOMENTUM, squares("momentum", "p", t)),
    ),
    "scheduled_growth": (
        "schedule",
        momentum_lemma.STATEMENT,
        1,
        0,
        lambda t: norm_growth.scheduled_growth(
            VALUES["schedule"]["η_"][: t + 1], MOMENTUM, squares("schedule", "p", t + 1)
        ),
    ),
    "scheduled_radial_component": (
        "schedule",
        momentum_lemma.STATEMENT,
        1,
        1,
        lambda t: norm_growth.scheduled_radial_component(
            VALUES["schedule"]["η_"][:t], MOMENTUM, squares("schedule", "p", t)
        ),
    ),
    "nesterov_growth": (
        "nesterov",
        nesterov_lemma.STATEMENT,
        0,
        0,
        lambda t: norm_growth.nesterov_growth(LR, MOMENTUM, squares("nesterov", "u", t + 1), products(t)),
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("t", range(4))
def test_closed_forms_are_what_the_statements_say(name: str, t: int) -> None:
    run, statement, theorem, conclusion, closed = CLOSED_FORMS[name]
    every_t = statement.theorems[theorem].says[conclusion]
    assert isinstance(every_t, Bind)
    equation = every_t.body
    assert isinstance(equation, Apply)
    evaluation = Evaluation(EXACT, {**VALUES[run], "t": t})
    said = evaluation.of(equation.arguments[1])
    before = VALUES[run]["w"][t] @ VALUES[run]["w"][t] if name.endswith("growth") else 0
    assert said - before == closed(t)


def test_the_ratio_and_its_bounds_are_what_the_corollary_says() -> None:
    run, given = VALUES["ratio"], squares("ratio", "p", 4)
    evaluation = Evaluation(EXACT, {**run, "t": 4})
    assert evaluation.of(corollary.RATIO) == norm_growth.growth_ratio(MOMENTUM, given)
    assert evaluation.of(corollary.LIMIT) == norm_growth.limit_ratio(MOMENTUM)
    bounded = corollary.STATEMENT.theorem("corollary_2_3_at_finite_t").says[0]
    assert isinstance(bounded, Bind)
    assert isinstance(bounded.body, Apply)
    inequality = bounded.body.arguments[1]
    assert isinstance(inequality, Apply)
    assert evaluation.of(inequality.arguments[1]) == 2 * norm_growth.excess_gap_bound(MOMENTUM, given)


def test_the_least_growth_of_nesterov_is_what_the_lemma_says() -> None:
    run = VALUES["nesterov"]
    least = nesterov_lemma.STATEMENT.theorem("nesterov_least_growth").says[0]
    assert isinstance(least, Bind)
    assert isinstance(least.body, Apply)
    said = Evaluation(EXACT, {**run, "t": 1}).of(least.body.arguments[0])
    closed = norm_growth.least_nesterov_growth(LR, MOMENTUM, run["u"][2] @ run["u"][2], run["p"][1] @ run["p"][1])
    assert said == run["w"][2] @ run["w"][2] + closed


@pytest.mark.parametrize(
    ("name", "off"), [("recent_share", 1), ("excess_gap_bound", -10), ("last_share", 1), ("momentum_excess", 1)]
)
def test_the_exact_check_fails_on_a_wrong_formula(name: str, off: int, monkeypatch: pytest.MonkeyPatch) -> None:
    corollary.check_updates(UPDATES)
    right = getattr(corollary, name)
    monkeypatch.setattr(corollary, name, lambda *given: right(*given) + off)
    with pytest.raises(Violation):
        corollary.check_updates(UPDATES)


@pytest.mark.parametrize("given", [{}, {"nesterov": True}, {"dampening": flint.fmpq(1, 2)}])
def test_sgdp_that_never_projects_is_momentum(given: dict[str, Any]) -> None:
    hyper = {"lr": flint.fmpq(1, 2), "momentum": flint.fmpq(9, 10), **given}
    descent = problems.Descent(DESCENT.w, DESCENT.gradient, 20, hyper)
    never = replace(descent, hyper={**hyper, "delta": 0})
    for (_, step), (_, plain) in zip(never.run(sgdp), descent.run(heavy_ball), strict=True):
        assert (step.w == plain.w).all()
        assert (step.state["momentum_buffer"] == plain.state["momentum_buffer"]).all()


def test_the_exact_check_fails_on_a_gradient_that_is_not_orthogonal() -> None:
    radial = problems.Descent(EXACT.array([3, 4]), lambda w: w, 2, {"lr": 0.5, "momentum": 0.5})
    with pytest.raises(Violation):
        momentum_lemma.CLAIM.exact.check(radial)


def test_long_exact_runs_reach_nineteen_from_below() -> None:
    run = problems.Descent(DESCENT.w, DESCENT.gradient, 500, {"lr": flint.fmpq(1, 1000), "momentum": flint.fmpq(9, 10)})
    squares = [step.p @ step.p for _, step in run.run(heavy_ball)]
    ratio = norm_growth.growth_ratio(flint.fmpq(9, 10), squares)
    assert 18 < ratio < 19


def nesterov_products(scales: tuple[flint.fmpq, ...], beta: flint.fmpq) -> list[flint.fmpq]:
    """u_k·p_k along a Nesterov run on gradients s_k S w_k, which are orthogonal to w_k."""
    lengths = iter(scales)
    turned = problems.SkewField(((1, 1),))
    hyper = {"lr": flint.fmpq(1, 1000), "momentum": beta}
    run = problems.Descent(EXACT.array([3, 4]), lambda w: next(lengths) * turned(w), len(scales), hyper).run(nesterov)
    return [step.p @ step.state["momentum_buffer"] for _, step in run]


def test_one_product_can_be_negative_but_not_the_sum() -> None:
    # A gradient of −2/3 of the first: u_1·p_1 = (β − ⅔)(β² − ⅔(1 + β))‖p_0‖² < 0 at β = 0.9, up to O(η).
    beta = flint.fmpq(9, 10)
    products = nesterov_products((flint.fmpq(1), flint.fmpq(-2, 3)), beta)
    assert products[1] < 0
    assert norm_growth.discounted_sum(beta, products) > 0
