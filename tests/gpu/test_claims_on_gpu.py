"""The implementation rung of every claim on every code path, with the parameters on a GPU.

Without one, one claim on the fused path is attacked in Triton's interpreter.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from gpu_kernels import COMPILED, DEVICE, fused, kernels, needs_gpu

from tangency.proofs_checks import Claim, Subject, Suite, Verdict, discover, verify
from tangency.proofs_checks.subjects import SHIPPED, on_path

# On a GPU the default is the lists: the loop must be asked for.
LOOP = {"foreach": False, "fused": False}
SUBJECTS = tuple(
    path
    for subject in SHIPPED
    for path in (
        replace(subject, device=DEVICE, options=LOOP),
        replace(on_path(subject, "foreach"), device=DEVICE),
        fused(subject),
    )
)
CASES = [
    pytest.param(
        claim,
        subject,
        id=f"{claim.id}-{subject.name}",
        marks=pytest.mark.smoke if claim.id == "algorithm-1" and subject.options == {"fused": True} else needs_gpu,
    )
    for claim in discover()
    for subject in SUBJECTS
]


@pytest.fixture(autouse=True)
def _on_kernels() -> Iterator[None]:
    with kernels():
        yield


@pytest.mark.parametrize(("claim", "subject"), CASES)
def test_the_claim_holds_on_the_gpu(
    claim: Claim, subject: Subject, record_property: Callable[[str, object], None]
) -> None:
    profile = "default" if COMPILED else "quick"
    report = verify(suite=Suite((claim,), (subject,)), rungs=["implementation"], profile=profile)
    (result,) = report.results
    found = {"examples": result.examples, "error": result.error, "verdict": result.verdict.value}
    for name, value in {"claim": claim.id, "subject": subject.name, **found}.items():
        record_property(name, value)
    assert result.verdict in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY), f"{result.detail}\n{result.reproducer}"
