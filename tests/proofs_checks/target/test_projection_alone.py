"""A projection alone is a target: whatever arrays it takes, all that is about it is asked of it, and nothing else."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import projections
import pytest
from executed_page import ROOT

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import load

HERE = projections.__file__
EXAMPLE = str(ROOT / "docs" / "examples" / "projections.py")
SOUND = "tangency.proofs_checks.broken.foreign:project"
# Each asks for something else of what drives it: bounds, decisions, dialects, layouts, empty tensors, memory.
ASKED = (
    *("eq-10", "eq-11", "eq-12", "dialect", "threshold-outside-is-kept", "decided-is-what-was-done", "silent"),
    *(
        "parameter-layouts",
        "gradient-layouts",
        "empty-parameter",
        "gradient-untouched",
        "half-precision-steps-are-right",
    ),
)


def check(target: str, *only: str) -> SubjectReport:
    (report,) = conformance.check([TargetSpec(target)], only=only or None, profile="quick", seed=1, jobs=1)
    return report


def failing(report: SubjectReport) -> dict[str, str]:
    assert not report.problem, report.problem
    return {f.check: f.detail for f in report.findings if f.verdict not in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY)}


# Of what is compiled or interpreted at every shape anew: what shows that it is given its own arrays.
FEW = ("eq-11", "decided-is-what-was-done", "half-precision-steps-are-right")


@pytest.mark.parametrize("name", ["in_numpy", "in_jax", "in_c", "in_triton"])
def test_a_right_one_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "in_jax":
        pytest.importorskip("jax", reason="jax is not installed, in which this projection is written")
    if name == "in_triton":
        if find_spec("triton") is None:
            pytest.skip("triton is not installed, in which this projection is written")
        monkeypatch.setenv("TRITON_INTERPRET", "1")  # workers inherit it
    if name == "in_c" and shutil.which("cc") is None:
        pytest.skip("no C compiler is installed, which this projection needs")
    asked = FEW if name in ("in_jax", "in_triton") else ASKED
    report = check(f"{HERE}:{name}", *asked)
    assert failing(report) == {}
    assert report.info.kind == "projection"
    assert [f.check for f in report.findings if f.verdict is Verdict.HOLDS] == [f.check for f in report.findings]
    assert len(report.findings) == len(asked)
    assert report.fit is None or report.fit.explained
    assert report.verdict_line.startswith(f"{HERE}:{name} conforms to Eqs. 10 and 11")


def test_every_check_is_either_asked_or_about_optimizers() -> None:
    report = check(SOUND)
    assert failing(report) == {}
    held = {f.check for f in report.findings if f.verdict is Verdict.HOLDS}
    assert held > {
        *ASKED,
        "eq-01",
        "eq-02",
        "eq-04",
        "eq-05",
        "proposition-3.1",
        "rate",
        "argument-delta",
        "nan-spread",
    }
    why = {f.check: f.detail for f in report.findings if f.verdict is Verdict.DOES_NOT_APPLY}
    assert why["state-dict"] == why["closure-loss"] == why["invalid-delta"]
    assert why["state-dict"] == "it is about optimizers, not about a projection alone"
    assert why["lemma-2.2"].endswith("does not offer what the claim is about: heavy-ball")
    assert why["own-shapes"].startswith("no shapes were asked for")


def test_a_slip_is_named_and_a_quirk_is_a_choice() -> None:
    report = check(f"{EXAMPLE}:counts_rows", "dialect", "eq-05", "threshold-outside-is-kept")
    assert [bug.name for bug in report.bugs] == ["threshold = δ/√rows"]
    assert [choice.name for choice in report.choices] == ["norm_epsilon = added", "cosine_epsilon = clamped at ε"]
    assert failing(check(f"{EXAMPLE}:project", *ASKED)) == {}


def test_memory_that_is_not_contiguous_is_asked_about() -> None:
    report = check(f"{HERE}:asks_for_contiguous", "parameter-layouts", "deterministic")
    assert [bug.name for bug in report.bugs] == ["parameter-layouts"]


def test_a_script_stands_alone(tmp_path: Path) -> None:
    report = check("tangency.proofs_checks.broken.foreign:always_says_so", "decided-is-what-was-done")
    (bug,) = report.findings
    assert "class ProjectionOptimizer(ArrayOptimizer)" in bug.reproducer
    assert (bug.expected, bug.got) == ("decided: False", "True")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("returns_one", "the projection returned Tensor; expected (update, decided)"),
        ("widens", "the projection returned Tensor of dtype torch.float64; expected Tensor of torch.float32"),
        ("flattens", "the projection returned shape (6,); expected (2, 3)"),
        ("takes_nothing", "the projection takes no arrays, of torch: TypeError: no arrays, please; of numpy:"),
    ],
)
def test_what_is_no_projection_is_told(name: str, says: str) -> None:
    assert says in check(f"{HERE}:{name}", "silent").problem


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (TargetSpec(SOUND, "adamp"), "a projection alone is checked within sgdp"),
        (TargetSpec(SOUND, base="torch.optim:SGD"), "a projection alone is checked within sgdp"),
        (TargetSpec(SOUND, compiled=True), "--compiled is about targets of kind torch"),
        (TargetSpec("torch.optim:SGD", kind="projecting"), "it must be one of torch, function"),
    ],
)
def test_what_cannot_be_asked_is_refused(spec: TargetSpec, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        load(spec)
