"""The claims on norm growth: wrong statements are rejected, by the proof and by the exact runs."""

from collections.abc import Callable

import flint
import pytest
import sympy

from tangency.proofs_checks import corollary_2_3_asymptotic_ratio as corollary
from tangency.proofs_checks import lemma_2_1_gd_norm_growth as gd_lemma
from tangency.proofs_checks import lemma_2_2_momentum_norm_growth as momentum_lemma
from tangency.proofs_checks import lemma_2_2_nesterov as nesterov_lemma
from tangency.proofs_checks.engine import problems
from tangency.proofs_checks.engine.claim import Claim, NotApplicable, Search, Violation
from tangency.proofs_checks.engine.symbolic import Proof
from tangency.theory import norm_growth
from tangency.theory.algorithms import heavy_ball
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
    "2.3: the limit of F is 1/(1−β)": lambda: corollary.proof(limit=1 / (1 - BETA)),
    "2.3: the limit of F is 2β/(1−β)": lambda: corollary.proof(limit=2 * BETA / (1 - BETA)),
}


@EACH
def test_the_proof_holds(claim: Claim) -> None:
    assert not isinstance(claim.proof, NotApplicable)
    assert claim.proof().check() >= 2


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_statements_are_rejected(build: Callable[[], Proof]) -> None:
    with pytest.raises(Violation, match="residual"):
        build().check()


@EACH
def test_every_hypothesis_is_needed(claim: Claim) -> None:
    for hypothesis in claim.hypotheses:
        assert not isinstance(hypothesis.needed, NotApplicable)
        assert hypothesis.needed().refutes, hypothesis.name


DESCENT = problems.Descent(EXACT.array([3, 4, 1]), problems.SkewField(((1, 1),)), 4, {"lr": 0.5, "momentum": 0.5})
CHECKS = {
    "lemma-2.1": (gd_lemma, "gd_growth", problems.Descent(DESCENT.w, DESCENT.gradient, 4, {"lr": 0.5})),
    "lemma-2.2": (momentum_lemma, "radial_component", DESCENT),
    "lemma-2.2-nesterov": (nesterov_lemma, "nesterov_growth", DESCENT),
    "corollary-2.3": (corollary, "growth_ratio", DESCENT),
}


@EACH
def test_the_exact_check_fails_on_a_wrong_formula(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, descent = CHECKS[claim.id]
    assert isinstance(claim.exact, Search)
    claim.exact.check(descent)
    right = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: right(*given) + 1)
    with pytest.raises(Violation):
        claim.exact.check(descent)


def test_the_exact_check_fails_on_a_gradient_that_is_not_orthogonal() -> None:
    radial = problems.Descent(EXACT.array([3, 4]), lambda w: w, 2, {"lr": 0.5, "momentum": 0.5})
    with pytest.raises(Violation):
        momentum_lemma.check_exact(radial)


def test_long_exact_runs_reach_nineteen_from_below() -> None:
    run = problems.Descent(DESCENT.w, DESCENT.gradient, 500, {"lr": flint.fmpq(1, 1000), "momentum": flint.fmpq(9, 10)})
    squares = [step.p @ step.p for _, step in run.run(heavy_ball)]
    ratio = norm_growth.growth_ratio(flint.fmpq(9, 10), squares)
    assert 18 < ratio < 19


def test_nesterov_can_grow_the_norm_by_less_than_gd() -> None:
    # g_1 = −¾ p_0 makes u_1·p_1 = (g_1 + βp_1)·p_1 < 0 at β = 0.9; both are orthogonal to w.
    beta, p0 = flint.fmpq(9, 10), EXACT.array([4, -3])
    g1 = -p0 * 3 / 4
    p1 = beta * p0 + g1
    product = (g1 + beta * p1) @ p1
    assert product < 0
    growth = norm_growth.nesterov_growth(flint.fmpq(1), beta, [flint.fmpq(1)], [product])
    assert growth < norm_growth.gd_growth(flint.fmpq(1), flint.fmpq(1))
