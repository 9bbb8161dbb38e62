"""The reference of a dialect is sound: what fails on it is the dialect's doing."""

import pytest
from examined import QUICK

from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.run.state import restored

SPEAKING = [pytest.param(one, id=one.name) for one in ALGORITHMS.values() if one.projects]


@pytest.mark.parametrize("algorithm", SPEAKING)
def test_the_papers_reference_passes_every_check(algorithm: Algorithm) -> None:
    target = speaker(algorithm.paper)
    for check in conformance.checks():
        with restored():
            found = check.on(target, QUICK)
        told = "cannot be pickled" if check.id == "pickle" else ""  # its class is made as it is asked for
        assert told or found.verdict in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY), f"{check.id}: {found.detail}"
