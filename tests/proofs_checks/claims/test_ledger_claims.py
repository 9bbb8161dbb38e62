"""The claims beyond the paper on whole runs: wrong statements are rejected, and every hypothesis is needed."""

from collections.abc import Callable

import pytest
import sympy

from tangency.proofs_checks.claim import Claim, NotApplicable, Violation
from tangency.proofs_checks.claims import decay_balance, ledger, trajectory
from tangency.proofs_checks.proof.gram import Proof
from tangency.proofs_checks.statement.theorem import refutation_of

CLAIMS: list[Claim] = [ledger.CLAIM, decay_balance.CLAIM, trajectory.CLAIM]
EACH = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
ETA, SHRINK = ledger.ETA, ledger.SHRINK
DECAY = decay_balance.LAMBDA

WRONG: dict[str, Callable[[], Proof]] = {
    "ledger: the cross terms are not shrunk": lambda: ledger.proof(cross=-2 * ETA),
    "ledger: one cross term, not two": lambda: ledger.proof(cross=-SHRINK * ETA),
    "ledger: decay leaves the buffer's radial part alone": lambda: ledger.proof(kept=sympy.Integer(1)),
    "balance: decay after the step": lambda: decay_balance.proof(shrink=1 / (1 + ETA * DECAY)),
    "balance: the cosine is that of √(2ηλ)": lambda: decay_balance.proof(cosine=sympy.cos(sympy.sqrt(2 * ETA * DECAY))),
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
