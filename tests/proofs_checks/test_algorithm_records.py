"""The records of algorithms: each is whole, each can be checked, and a new one is one file."""

from pathlib import Path
from typing import Any

import pytest

from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.fit.reference import specification
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.report.subject_report import OK, exit_code
from tangency.proofs_checks.run.conformance import check, checks
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.theory.fields import FLOAT64

every = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda one: one.name)
LIONP = Path(__file__).parents[2] / "docs" / "examples" / "lionp.py"
OF_STEPS = [one for one in checks() if one.claim or one.id in ("dialect", "step-is-right-at-every-magnitude")]


@every
def test_the_record_is_whole(algorithm: Algorithm) -> None:
    made = algorithm.step(FLOAT64, FLOAT64.array([[3, 4]]), FLOAT64.array([[1, 2]]), lr=0.5, **needed(algorithm))
    assert set(algorithm.update.buffers) <= made.state.keys()
    assert algorithm.unspecified <= algorithm.defaults.keys()
    assert algorithm.paper_choices.keys() | algorithm.published_choices.keys() <= algorithm.choices.keys()
    for one in algorithm.hyper:
        assert one.usual != one.other, one.name
        assert one.other not in one.corners, one.name


def needed(algorithm: Algorithm) -> dict[str, Any]:
    """What a step cannot do without."""
    return {one.name: one.usual for one in algorithm.hyper if one.name == "momentum"}


@pytest.mark.parametrize("one", OF_STEPS, ids=lambda one: one.id)
@every
def test_no_check_of_steps_stops_on_an_error_of_ours_or_accuses_the_specification(
    algorithm: Algorithm, one: Any
) -> None:
    found = one.on(specification(algorithm), Options(PROFILES["quick"], 1, shrink=False))
    assert found.verdict not in (Verdict.ERROR, Verdict.FAILS), found.detail


def test_a_new_projected_optimizer_is_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LIONP.parent)  # what is drawn depends on the name of the target
    (report,) = check([TargetSpec("lionp.py:LionP")], profile="quick", seed=1, jobs=2)
    assert exit_code([report]) == OK, report.verdict_line
    assert report.info.algorithm == "lionp"
    held = {finding.check for finding in report.findings if finding.verdict is Verdict.HOLDS}
    assert {"eq-10", "eq-11", "eq-12", "proposition-3.1", "dialect", "defaults", "argument-betas"} <= held


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("beta1 * m + (1 - beta1) * g)", "beta2 * m + (1 - beta2) * g)"),
        (".sign()", ""),
        ("kept - lr * q", "w - lr * q"),
    ],
    ids=["β₂ for β₁", "no sign", "no decay"],
)
def test_a_slip_in_a_new_optimizer_is_found(
    right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = LIONP.read_text(encoding="utf-8")
    assert source.count(right) == 1
    monkeypatch.chdir(tmp_path)
    Path("lionp.py").write_text(source.replace(right, wrong), encoding="utf-8")
    (report,) = check([TargetSpec("lionp.py:LionP")], only=["dialect"], profile="quick", seed=1, jobs=2)
    assert [finding.verdict for finding in report.findings] == [Verdict.FAILS]
    assert report.fit is not None
    assert not report.fit.explained or report.fit.departures
