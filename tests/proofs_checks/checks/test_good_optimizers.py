"""Good optimizers pass every check of behaviour, and what is not about them says so."""

import pytest

from tangency.proofs_checks.broken.zoo import SOUND
from tangency.proofs_checks.checks import decision, exact_inputs
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.kill_matrix import behaviour
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import load

TRIED = {check.id for check in (*decision.CHECKS, *exact_inputs.CHECKS)}
SGD_ONLY = {"momentum-unprojected", "argument-momentum", "argument-dampening", "invalid-momentum"}
ADAM_ONLY = {"argument-betas", "invalid-betas", "argument-eps"}
ALONE = {"decided-is-what-was-done", "own-shapes"}
PROJECTED = {
    *(check.id for check in decision.CHECKS),
    *("dead-channels-do-not-veto", "zero-channels-do-not-veto", "antiparallel-gradients-are-kept"),
    *("momentum-unprojected", "argument-delta", "argument-wd-ratio", "invalid-delta", "invalid-wd-ratio", "defaults"),
    *("argument-views", "invalid-views"),
}
TORCHS_SGD = ADAM_ONLY | PROJECTED | ALONE | {"invalid-eps", "capturable-agrees"}
TORCHS_ADAM = SGD_ONLY | PROJECTED | ALONE | {"argument-nesterov", "capturable-agrees"}
NOT_APPLICABLE = {
    "tangency.optim:SGDP": ADAM_ONLY | ALONE,
    "tangency.optim:AdamP": SGD_ONLY | ALONE,
    **{one.target.target: (SGD_ONLY if one.target.algorithm == "adamp" else ADAM_ONLY) | ALONE for one in SOUND},
    "torch.optim:SGD": TORCHS_SGD,
    "torch.optim:Adam": TORCHS_ADAM,
    "torch.optim:AdamW": TORCHS_ADAM,
}


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_good_optimizers_pass(name: str) -> None:
    target = load(TargetSpec(name))
    found = {check.id: check.on(target, Options(PROFILES["quick"], 1)) for check in behaviour()}
    assert {id: f.detail for id, f in found.items() if f.verdict not in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY)} == {}
    assert {id for id, f in found.items() if f.verdict is Verdict.DOES_NOT_APPLY} == NOT_APPLICABLE[name]
    assert all(f.detail for f in found.values() if f.verdict is Verdict.DOES_NOT_APPLY)
    assert all(f.detail.endswith("does not project") for id, f in found.items() if id in TRIED & NOT_APPLICABLE[name])
    tried = {id: f for id, f in found.items() if id in TRIED - NOT_APPLICABLE[name]}
    assert {id: f.detail for id, f in tried.items() if f.detail} == {}
    assert all(f.examples for f in tried.values())
