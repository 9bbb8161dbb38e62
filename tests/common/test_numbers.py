"""Every number that a report may meet is printed: what overflows in arithmetic, subnormals, infinities, NaN."""

import io
import json
import math
import sys
from dataclasses import replace

import pytest
import small_claims as small
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from tangency.common.numbers import digits, percent, quotient, share
from tangency.proofs_checks.checks.rungs import rungs
from tangency.proofs_checks.claim import Rung, Severity, Verdict
from tangency.proofs_checks.finding import Check, Curve, Finding, Fit, TargetInfo
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.report.html import to_html
from tangency.proofs_checks.report.junit import to_junit
from tangency.proofs_checks.report.markdown import to_markdown
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.table import print_report
from tangency.proofs_checks.report.terminal import print_reports
from tangency.proofs_checks.report.to_json import NoReport, from_json, to_json
from tangency.proofs_checks.run.baseline import compare, to_text
from tangency.proofs_checks.run.verify import Report

HUGE = sys.float_info.max
ODD = [1.8e305, HUGE, -HUGE, 5e-324, -0.0, math.inf, -math.inf, math.nan]
NUMBER = st.sampled_from(ODD) | st.floats()


@given(NUMBER | st.sampled_from([10**400, -(10**400)]), NUMBER)
def test_any_number_is_printed(x: float, y: float) -> None:
    assert share(x)
    assert digits(x)
    if isinstance(x, float):
        assert percent(x)
        assert isinstance(quotient(x, y), float)


@given(st.floats(0, HUGE))
@example(1.8e305)
@example(0.9999999)
def test_a_share_is_never_rounded_up_to_the_bound(x: float) -> None:
    assert (float(share(x)) < 1) == (x < 1)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(1.0, 0.0, math.inf), (-1.0, 0.0, -math.inf), (1.0, -0.0, -math.inf), (0.0, 0.0, math.nan), (1.0, 4.0, 0.25)],
)
def test_zero_divides_as_floats_have_it(a: float, b: float, expected: float) -> None:
    assert quotient(a, b) == pytest.approx(expected, abs=0, nan_ok=True)


def checked(x: float) -> SubjectReport:
    """A report in which every number is ``x``."""
    check = Check("numbers", "is printed", Severity.BEHAVIOUR, "here", "")
    curve = Curve("a run", {"norm": [x, 1.0, x]}, {"norm": [1.0, x]}, [x])
    besides = {"fit": Fit("sgd", {}, True, x), "curves": (curve,)}
    found = Finding("numbers", Verdict.FAILS, examples=3, error=x, ulps=x, seconds=x, **besides)  # type: ignore[arg-type]
    return SubjectReport(TargetInfo("m:SGD", "sgd", options={"lr": x}), (check,), (found,), seconds=x)


@given(NUMBER)
@example(1.8e305)
@example(HUGE)
def test_every_report_of_a_check_is_written_whatever_its_numbers(x: float) -> None:
    report = checked(x)
    (back,) = from_json(to_json([report]))
    assert repr(back.findings) == repr(report.findings)
    for written in (to_junit([report]), to_markdown([report]), to_html([report])):
        assert "numbers" in written
    page = io.StringIO()
    print_reports(Console(file=page, width=100), [report])
    assert "numbers" in page.getvalue()
    holds = replace(report, findings=(replace(report.findings[0], verdict=Verdict.HOLDS, error=1.0),))
    assert to_text(compare([holds], [report])).startswith("since the baseline")
    assert to_text(compare([report], [report])).startswith("since the baseline")


@given(NUMBER)
def test_every_report_of_verify_is_written_whatever_its_numbers(x: float) -> None:
    (check,) = [check for check in rungs(small.TRUE) if check.rung is Rung.IMPLEMENTATION]
    fails = replace(check.found(Finding("", Verdict.FAILS, error=x, ulps=x), x), subject="m:SGD")
    subject = SubjectReport(TargetInfo("m:SGD", "sgdp"), (check,), (fails,))
    report = Report(small.good(), (subject,), Options(PROFILES["quick"], 1), x)
    page = io.StringIO()
    print_report(Console(file=page, width=100), report, verbose=True)
    assert share(x) in page.getvalue()
    ((one,),) = [each["findings"] for each in json.loads(to_json(report.reports))["reports"]]
    assert one["verdict"] == "fails"


def test_an_integer_beyond_all_floats_is_refused_in_a_report() -> None:
    text = to_json([checked(12345.5)]).replace('"error": 12345.5', f'"error": 1{"0" * 400}')
    with pytest.raises(NoReport, match="no number that a float can hold"):
        from_json(text)
