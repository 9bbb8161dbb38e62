"""The claims beyond the paper on whole runs: wrong statements are rejected, and every hypothesis is needed."""

from collections.abc import Callable

import flint
import pytest
import sympy

from tangency.proofs_checks.claim import Claim, NotApplicable, Violation
from tangency.proofs_checks.claims import decay_balance, equilibrium, ledger, trajectory
from tangency.proofs_checks.generate import balanced_steps
from tangency.proofs_checks.proof.gram import Proof
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.theory.equilibrium import coupled_cosine
from tangency.theory.fields import EXACT

CLAIMS: list[Claim] = [ledger.CLAIM, decay_balance.CLAIM, equilibrium.CLAIM, trajectory.CLAIM]
EACH = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
ETA, SHRINK = ledger.ETA, ledger.SHRINK
DECAY = decay_balance.LAMBDA

WRONG: dict[str, Callable[[], Proof]] = {
    "ledger: the cross terms are not shrunk": lambda: ledger.proof(cross=-2 * ETA),
    "ledger: one cross term, not two": lambda: ledger.proof(cross=-SHRINK * ETA),
    "ledger: decay leaves the buffer's radial part alone": lambda: ledger.proof(kept=sympy.Integer(1)),
    "balance: decay after the step": lambda: decay_balance.proof(shrink=1 / (1 + ETA * DECAY)),
    "balance: the cosine is that of √(2ηλ)": lambda: decay_balance.proof(cosine=sympy.cos(sympy.sqrt(2 * ETA * DECAY))),
    "equilibrium: dampening is no matter": lambda: equilibrium.proof(
        coupled=coupled_cosine(ETA, DECAY, equilibrium.BETA, 0)
    ),
    "equilibrium: momentum is no matter": lambda: equilibrium.proof(decoupled=SHRINK),
    "equilibrium: decoupled decay to first order": lambda: equilibrium.proof(
        decoupled=1 - (1 - SHRINK) * (1 - equilibrium.BETA) / (1 + equilibrium.BETA)
    ),
    "equilibrium: the ratio is its limit": lambda: equilibrium.proof(
        ratio=(1 - equilibrium.BETA) / (1 + equilibrium.BETA)
    ),
    "trajectory: η scales as ‖w‖": lambda: trajectory.proof(lr=trajectory.C * trajectory.ETA),
    "trajectory: λ stays": lambda: trajectory.proof(decay=trajectory.LAMBDA),
}


@EACH
def test_the_proof_holds(claim: Claim) -> None:
    assert not isinstance(claim.algebra, NotApplicable)
    assert claim.algebra().check() >= 2


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_statements_are_rejected(build: Callable[[], Proof]) -> None:
    with pytest.raises(Violation, match="residual"):
        build().check()


@EACH
def test_every_hypothesis_is_needed(claim: Claim) -> None:
    for hypothesis in claim.hypotheses:
        if not isinstance(hypothesis.needed, NotApplicable):
            assert refutation_of(claim, hypothesis).refutes, hypothesis.name


@pytest.mark.parametrize("rule", ["coupled", "sgdp", "adamw"])
def test_steps_of_another_angle_do_not_balance(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    w, (third, half) = EXACT.array([3, 4]), (flint.fmpq(1, n) for n in (3, 2))
    step = balanced_steps.Balance(rule, w, None, third, half, third, half, half, half)
    equilibrium.check_ball(step)
    for cosine in ("coupled_cosine", "decoupled_cosine"):
        monkeypatch.setattr(balanced_steps, cosine, lambda *numbers: flint.fmpq(3, 5))
    with pytest.raises(Violation, match="w·buffer stands still"):
        equilibrium.check_balance(step)
