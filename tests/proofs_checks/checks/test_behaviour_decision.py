"""The checks of the decision of Eq. 11: they hold on ours, and each finds the optimizer that is wrong in its matter."""

from pathlib import Path

import pytest

from tangency.proofs_checks.checks.decision import CHECKS
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target, load

QUICK = Options(PROFILES["quick"], 1)
HELPERS = Path(__file__).parents[2] / "helpers"
RIGHT = ("tangency.optim:AdamP", "tangency.optim:SGDP", f"{HELPERS / 'bad_inputs.py'}:SGDP")
BAD = {
    "channel-view-is-found": "LayerOnlySGDP",
    "layer-view-is-found": "ChannelOnlySGDP",
    "threshold-inside-is-projected": "NarrowSGDP",
    "threshold-outside-is-kept": "WithoutDimSGDP",
    "one-scale-variant-row-vetoes": "MeanSGDP",
    "delta-zero-projects-nothing": "InclusiveSGDP",
    "huge-delta-projects-everything": "CappedSGDP",
    "vectors-are-never-projected": "VectorSGDP",
    "decision-is-by-the-gradient": "MomentumDecidesSGDP",
    "decision-ignores-weight-decay": "CoupledSGDP",
    "both-signs-are-decided-alike": "SignedSGDP",
    "large-eps-keeps-the-decision": "ClampedSGDP",
    "large-eps-leaves-no-radial-part": "EpsilonSGDP",
    "tiny-gradients-are-decided-as-large-ones": "ClampedSGDP",
    "tiny-weights-are-decided-as-large-ones": "EpsilonSGDP",
}


@pytest.fixture(scope="module", params=RIGHT)
def right(request: pytest.FixtureRequest) -> Target:
    return load(TargetSpec(request.param))


def test_every_check_has_an_optimizer_that_it_finds() -> None:
    assert [check.id for check in CHECKS] == list(BAD)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_holds_on_a_right_optimizer(check, right: Target) -> None:
    found = check.on(right, QUICK)
    assert found.verdict is Verdict.HOLDS, found.detail
    assert not found.detail
    assert found.examples


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_finds_the_optimizer_that_is_wrong_in_this(check) -> None:
    found = check.on(load(TargetSpec(f"{HELPERS / 'bad_inputs.py'}:{BAD[check.id]}")), QUICK)
    assert found.verdict is Verdict.FAILS, found.detail
    assert found.expected
    assert found.got
    compile(found.reproducer, "reproducer", "exec")
    assert "NOT within rounding" in found.reproducer


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_is_not_about_what_does_not_project(check) -> None:
    assert check.on(load(TargetSpec("torch.optim:SGD")), QUICK).verdict is Verdict.DOES_NOT_APPLY
