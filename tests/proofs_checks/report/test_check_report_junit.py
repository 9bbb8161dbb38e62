"""The JUnit report of a check: well formed whatever a target says, and red exactly where the exit code is."""

from xml.etree import ElementTree as ET

import check_report_samples as samples
import pytest
from check_report_strategies import reports
from hypothesis import given, settings

from tangency.common.text import line
from tangency.proofs_checks.report.junit import _odd, to_junit
from tangency.proofs_checks.report.subject_report import FAILED, NOTHING, OK, SubjectReport


def parsed(*reports: SubjectReport) -> ET.Element:
    text = to_junit(reports)
    return ET.fromstring(text.encode("utf-8"))


def cases(suite: ET.Element) -> dict[str, tuple[str, str, str]]:
    """Of each case, what came of it, its type and message."""
    found = {}
    for case in suite.findall("testcase"):
        outcome = next((one for one in case if one.tag != "system-out"), None)
        found[case.attrib["name"]] = (
            ("passed", "", "") if outcome is None else (outcome.tag, outcome.get("type", ""), outcome.attrib["message"])
        )
    return found


def test_one_suite_a_target_and_one_case_a_check() -> None:
    (suite,) = parsed(samples.mixed())
    assert suite.attrib["name"] == "lib.sub:Mixed"
    assert {case.get("classname") for case in suite.findall("testcase")} == {"lib.sub:Mixed"}
    found = cases(suite)
    assert found["eq-04"] == ("passed", "", "")
    assert found["eq-10"] == ("failure", "theorem", "Π(w) ≠ 0")
    assert found["algorithm-2"] == ("failure", "algorithm", "w[0], step 0: 1 ≠ 2 more")
    assert found["closure-once"][:2] == ("failure", "behaviour")
    assert found["lemma-2.1"] == ("failure", "theorem", "undecided: undecided within rounding")
    assert found["dialect"][:2] == ("error", "our own error")
    assert found["sparse-gradient"] == ("skipped", "", "does not apply: no sparse gradients here")
    assert found["complex-parameter"][0] == "skipped"
    assert found["complex-parameter"][2].startswith("known failure: upstream: https://example.org/issues/1?a=1&b=2 |")
    assert found["stale known failure 1"][:2] == ("failure", "stale")
    counts = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "10", "failures": "6", "errors": "1", "skipped": "2"}


def test_a_failure_holds_all_that_is_known_of_it() -> None:
    (suite,) = parsed(samples.mixed())
    text = suite.find("testcase[@name='algorithm-2']/failure").text  # type: ignore[union-attr]
    assert text == (
        "AdamP, step for step (§3.1, Algorithm 2)\n\nw[0], step 0: 1 ≠ 2\nmore\n\n"
        "expected:\n1\n\ngot:\n2\n\ncounterexample:\nTrial(w=(1.0,))\n\nstand-alone script:\nprint(1)\n"
    )


def test_properties_tell_the_dialect_and_the_versions() -> None:
    (suite,) = parsed(samples.mixed())
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.findall("properties/property")}
    assert properties["dialect epsilon"] == "inside the root"
    assert properties["dialect rank"] == "any or two or more"
    assert properties["departure views"].startswith(
        "layer (paper: channel, layer; published package: channel): violates"
    )
    assert properties["option pair"] == "(1, None)"
    assert properties["seed"] == "1"
    assert "version of torch" in properties


@pytest.mark.parametrize("report", samples.all_of_them())
def test_a_suite_is_red_exactly_where_the_exit_code_is(report: SubjectReport) -> None:
    root = parsed(report)
    (suite,) = root
    red = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    assert (red > 0) is (report.exit_code != OK)
    assert [root.attrib[name] for name in ("failures", "errors")] == [suite.attrib[n] for n in ("failures", "errors")]


def test_what_could_not_be_run_is_an_error_and_what_was_cut_off_is_skipped() -> None:
    (suite,) = parsed(samples.broken())
    assert cases(suite)["target"] == ("error", "target", "no module is called 'nowhere' Second <line> | of it")
    found = cases(parsed(samples.interrupted())[0])
    assert found["run"][:2] == ("error", "interrupted")
    assert found["dialect"] == ("skipped", "", "an interrupt cut it off")


def test_text_that_xml_forbids_is_told_and_breaks_nothing() -> None:
    (suite,) = parsed(samples.mixed())
    failure = suite.find("testcase[@name='nasty']/failure")
    assert failure is not None
    assert failure.text is not None
    assert "<script>alert(1)</script> | `a` ````` ]]>" in failure.text
    assert "\\x1b[31mred\\x00\\x08 \\ud800 \\u202eabc \\ufffe ‖ŵ‖² $x &amp; 😀" in failure.text
    assert len(parsed(*samples.all_of_them())) == len(samples.all_of_them())


def test_suites_of_targets_named_alike_have_names_of_their_own() -> None:
    names = [suite.attrib["name"] for suite in parsed(*samples.all_of_them())]
    assert len(set(names)) == len(names)


def test_no_target_is_no_error() -> None:
    assert parsed().attrib["tests"] == "0"


def test_a_choice_that_fails_no_check_is_red_where_nobody_has_accepted_it() -> None:
    report = samples.fitted(samples.good(), samples.mixed().fit)
    assert report.unaccepted
    assert report.exit_code == FAILED
    (suite,) = parsed(report)
    red = {name: found for name, found in cases(suite).items() if found[0] == "failure"}
    assert red == {choice.name: ("failure", "choice", line(choice.says)) for choice in report.unaccepted}


@settings(max_examples=60, deadline=None)
@given(reports())
def test_whatever_a_target_says_the_document_can_be_parsed(found: list[SubjectReport]) -> None:
    root = parsed(*found)
    assert len(root) == len(found)
    for suite, report in zip(root, found, strict=True):
        red = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        assert red > 0 or report.exit_code in (OK, NOTHING)


def test_a_choice_of_any_name_is_a_case() -> None:
    """Names of choices are the target's words too."""
    case = ET.fromstring(ET.tostring(_odd("target", "= \x1f\ud800", "failure", "choice", "says")))
    assert case.get("name")
