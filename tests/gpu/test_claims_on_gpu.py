"""The implementation rung of every claim on every code path, with the parameters on a GPU."""

from dataclasses import replace

import pytest
import torch

from tangency.proofs_checks import Claim, Subject, Suite, Verdict, discover, verify
from tangency.proofs_checks.subjects import PRODUCTION

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: torch.cuda.is_available() is false")

# On a GPU the default is the lists: the loop must be asked for.
LOOP = {"foreach": False, "fused": False}
SUBJECTS = tuple(replace(subject, device="cuda", options=subject.options or LOOP) for subject in PRODUCTION)


@pytest.mark.parametrize("claim", discover(), ids=lambda claim: claim.id)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_the_claim_holds_on_the_gpu(claim: Claim, subject: Subject) -> None:
    report = verify(suite=Suite((claim,), (subject,)), rungs=["implementation"], profile="default")
    for result in report.results:
        assert result.verdict in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY), f"{result.detail}\n{result.reproducer}"
