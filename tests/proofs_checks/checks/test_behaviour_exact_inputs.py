"""The checks of inputs at the edge: they hold on ours and on torch's, and each finds an optimizer that breaks there."""

from pathlib import Path

import pytest

from tangency.proofs_checks.checks.exact_inputs import CHECKS
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target, load

QUICK = Options(PROFILES["quick"], 1)
HELPERS = Path(__file__).parents[2] / "helpers"
OURS = ("tangency.optim:AdamP", "tangency.optim:SGDP", f"{HELPERS / 'bad_inputs.py'}:SGDP")
TORCH = ("torch.optim:SGD", "torch.optim:Adam", "torch.optim:AdamW")
BAD = {
    "step-is-right-at-every-magnitude": "VetoSGDP",
    "zero-gradient-step-is-right": "NormalisedSGDP",
    "dead-channels-do-not-veto": "VetoSGDP",
    "zero-channels-do-not-veto": "VetoSGDP",
    "zero-weights-step-is-right": "ScaledByWeightsSGDP",
    "antiparallel-gradients-are-kept": "SignedSGDP",
    "half-precision-steps-are-right": "FrozenHalfSGDP",
}


@pytest.fixture(scope="module", params=OURS + TORCH)
def right(request: pytest.FixtureRequest) -> Target:
    return load(TargetSpec(request.param))


def test_every_check_has_an_optimizer_that_it_finds() -> None:
    assert [check.id for check in CHECKS] == list(BAD)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_holds_on_a_right_optimizer(check, right: Target) -> None:
    found = check.on(right, QUICK)
    if right.algorithm.projects or found.verdict is not Verdict.DOES_NOT_APPLY:
        assert found.verdict is Verdict.HOLDS, found.detail
        assert not found.detail
    else:
        assert found.detail.endswith("does not project")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_finds_the_optimizer_that_breaks_there(check) -> None:
    found = check.on(load(TargetSpec(f"{HELPERS / 'bad_inputs.py'}:{BAD[check.id]}")), QUICK)
    assert found.verdict is Verdict.FAILS, found.detail
    assert found.counterexample
    compile(found.reproducer, "reproducer", "exec")
