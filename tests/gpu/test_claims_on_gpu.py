"""The implementation rung of every claim on every code path, with the parameters on a GPU.

Without one, one claim on the fused path is attacked in Triton's interpreter.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from gpu_kernels import COMPILED, DEVICE, fused, kernels, needs_gpu

from tangency.proofs_checks import Claim, Subject, Suite, Verdict, discover, verify
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.subjects import SHIPPED, on_path
from tangency.proofs_checks.target.spec import TargetSpec

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


@needs_gpu
@pytest.mark.parametrize("path", ["loop", "foreach", "fused"])
@pytest.mark.parametrize("name", ["SGDP", "AdamP"])
def test_check_holds_on_a_device(name: str, path: str) -> None:
    """What ``tangency check --device cuda --path`` asks, behaviour and a size of its own included."""
    spec = TargetSpec(f"tangency.optim:{name}", device=DEVICE, path=path, shapes=((300, 70), (8,)))
    (report,) = conformance.check([spec], profile="quick", seed=1, jobs=1)
    assert not report.problem
    wrong = {f.check: f.detail for f in report.findings if f.verdict not in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY)}
    assert wrong == {}
