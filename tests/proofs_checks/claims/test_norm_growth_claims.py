"""The claims on norm growth: wrong statements are rejected, by the proof and by the exact runs."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
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
WRONG_FORMULAS = [
    (gd_lemma, "gd_growth", PLAIN, 1),
    (momentum_lemma, "gd_growth", DESCENT, 1),
    (momentum_lemma, "radial_component", DESCENT, 1),
    (momentum_lemma, "momentum_growth", DESCENT, 1),
    (nesterov_lemma, "gd_growth", DESCENT, 1),
    (nesterov_lemma, "radial_component", DESCENT, 1),
    (nesterov_lemma, "nesterov_growth", DESCENT, 1),
    (nesterov_lemma, "least_nesterov_growth", DESCENT, 10**6),
    (corollary, "growth_ratio", DESCENT, 1),
    (corollary, "limit_ratio", DESCENT, -3),
    (corollary, "recent_share", UPDATES, 1),
    (corollary, "excess_gap_bound", UPDATES, -10),
    (corollary, "last_share", UPDATES, 1),
]


@pytest.mark.parametrize(("module", "name", "problem", "off"), WRONG_FORMULAS)
def test_the_exact_check_fails_on_a_wrong_formula(
    module: ModuleType, name: str, problem: object, off: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = module.CLAIM.exact.check
    check(problem)
    right = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: right(*given) + off)
    with pytest.raises(Violation):
        check(problem)


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
        momentum_lemma.check_exact(radial)


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
