"""An optimizer beside its base: what the projection has to do is asked of any update, and the base's own is not."""

import projected
import pytest
from executed_page import ROOT

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import load

HERE = projected.__file__
EXAMPLE = str(ROOT / "docs" / "examples" / "projected_lion.py")
THEOREMS = ("eq-01", "eq-02", "eq-05", "eq-10", "eq-11", "eq-12", "proposition-3.1", "rate")


def check(target: str, base: str, *only: str, **asked: object) -> SubjectReport:
    spec = TargetSpec(target, base=base, **asked)  # type: ignore[arg-type]
    (report,) = conformance.check([spec], only=only or None, profile="quick", seed=1, jobs=1)
    assert not report.problem, report.problem
    return report


def failing(report: SubjectReport) -> dict[str, str]:
    return {f.check: f.detail for f in report.findings if f.verdict not in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY)}


def test_the_example_holds_and_its_slip_is_named() -> None:
    sound = check(f"{EXAMPLE}:LionP", f"{EXAMPLE}:Lion")
    assert failing(sound) == {}
    held = {f.check for f in sound.findings if f.verdict is Verdict.HOLDS}
    assert held > {*THEOREMS, "dialect", "channel-view-is-found", "decision-ignores-weight-decay", "state-dict"}
    assert sound.info.algorithm == f"{EXAMPLE}:Lion, projected"
    assert sound.info.options["base"] == f"{EXAMPLE}:Lion"
    asked = ("eq-11", "dialect", "channel-view-is-found")
    wrong = check(f"{EXAMPLE}:AsksTheUpdate", f"{EXAMPLE}:Lion", *asked)
    assert [bug.name for bug in wrong.bugs] == ["cosine_of = update"]
    assert set(failing(wrong)) == {*asked}
    scripts = {finding.check: finding.reproducer for finding in wrong.findings}
    assert "SystemExit" in scripts["eq-11"]
    assert "tangency" not in scripts["eq-11"].replace(EXAMPLE, "")


@pytest.mark.parametrize(
    ("name", "base"),
    [("AdagradP", "Adagrad"), ("MuonP", "Muon"), ("RMSpropP", "RMSprop"), ("SGDMomentumP", "SGD")],
)
def test_any_base_will_do(name: str, base: str) -> None:
    report = check(f"{HERE}:{name}", f"torch.optim:{base}", *THEOREMS, "dialect", "zero-weights", "scalar-parameter")
    assert failing(report) == {}
    held = {f.check for f in report.findings if f.verdict is Verdict.HOLDS}
    assert held >= {*THEOREMS, "dialect"}


def test_what_the_base_does_no_better_is_no_bug_of_the_projection() -> None:
    """torch's Muon takes matrices alone."""
    report = check(f"{HERE}:MuonP", "torch.optim:Muon", "zero-weights", "scalar-parameter", "deterministic")
    found = {f.check: f for f in report.findings}
    assert found["deterministic"].verdict is Verdict.HOLDS
    for id in ("zero-weights", "scalar-parameter"):
        assert found[id].verdict is Verdict.DOES_NOT_APPLY
        assert found[id].detail.startswith("its base does no better: ")


def test_what_is_fixed_is_fixed_of_both() -> None:
    report = check(f"{HERE}:SGDMomentumP", "torch.optim:SGD", "eq-10", "dialect", set={"momentum": 0.75})
    assert failing(report) == {}


def test_a_projection_that_is_wrong_is_told_without_a_specification() -> None:
    report = check(f"{HERE}:AddsBack", "torch.optim:Adagrad", "eq-12", "dialect")
    assert set(failing(report)) == {"eq-12", "dialect"}
    assert "leaves the nearest" in failing(report)["dialect"]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (TargetSpec(f"{HERE}:AdagradP", "adamp", base="torch.optim:Adagrad"), "give one of them"),
        (TargetSpec(f"{HERE}:AdagradP", base="torch.optim:Adagrat"), "--base: torch.optim has no Adagrat"),
        (TargetSpec(f"{HERE}:AdagradP", base="tangency.proofs_checks.broken.foreign:Object"), "is of kind protocol"),
    ],
)
def test_what_cannot_be_a_base_is_refused(spec: TargetSpec, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        load(spec)
