"""The JSON report of a check: it obeys the published schema, loses nothing, and refuses what it did not write."""

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import Any

import check_report_samples as samples
import jsonschema
import pytest
from check_report_strategies import reports
from hypothesis import given, settings

from tangency.common.calls import WrongCall
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.to_json import NoReport, from_json, schema, to_json

SCHEMA: dict[str, Any] = json.loads(
    files("tangency.proofs_checks.report").joinpath("report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def written(*reports: SubjectReport) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        to_json(reports), parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    return document


def test_the_schema_is_that_of_the_records() -> None:
    """``python -m tangency.proofs_checks.report.to_json > proofs_checks/report/report.schema.json`` renews it."""
    assert schema() == SCHEMA


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("report", samples.all_of_them())
def test_every_report_obeys_the_schema(report: SubjectReport) -> None:
    VALIDATOR.validate(written(report))


def test_no_and_several_reports_obey_it_too() -> None:
    VALIDATOR.validate(written())
    VALIDATOR.validate(written(*samples.all_of_them()))


def test_the_schema_allows_nothing_else() -> None:
    """Every object of the document is closed, and every property that it has is required."""
    document = written(samples.mixed())
    objects = [document, *objects_in(document["reports"][0])]
    assert len(objects) > 20
    for one in objects:
        one["surprise"] = [{}]  # no mapping with free names takes it either
        assert not VALIDATOR.is_valid(document), sorted(one)
        del one["surprise"]
    for name in list(document):
        value = document.pop(name)
        assert not VALIDATOR.is_valid(document), name
        document[name] = value
    VALIDATOR.validate(document)


def objects_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in objects_in(inner)] + [value]
    return [one for inner in value for one in objects_in(inner)] if isinstance(value, list) else []


def same(report: SubjectReport) -> str:
    """A text that is the same for the same report: NaN, which equals nothing, too."""
    return repr(report)


@pytest.mark.parametrize("report", samples.all_of_them())
def test_nothing_is_lost_on_the_way(report: SubjectReport) -> None:
    (back,) = from_json(to_json([report]))
    assert same(back) == same(report)
    if "nan" not in same(report):
        assert back == report


def test_several_reports_keep_their_order() -> None:
    back = from_json(to_json(samples.all_of_them()))
    assert [one.info.target for one in back] == [one.info.target for one in samples.all_of_them()]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_has_not_is_a_string(value: float) -> None:
    curve = replace(samples.CURVE, ulps=[value, None])
    report = replace(
        samples.good(), findings=(Finding("eq-04", Verdict.FAILS, error=value, ulps=value, curves=(curve,)),)
    )
    ((finding,),) = [one["findings"] for one in written(report)["reports"]]
    assert finding["error"] == finding["ulps"] == str(value)
    assert finding["curves"][0]["ulps"] == [str(value), None]
    VALIDATOR.validate(written(report))
    assert same(from_json(to_json([report]))[0]) == same(report)


def test_an_option_that_is_no_literal_comes_back_as_its_text() -> None:
    info = replace(samples.good().info, options={"f": object, "betas": (0.9, 0.99), "eps": 1e-8, "s": {"x": {1}}})
    report = replace(samples.good(), info=info)
    VALIDATOR.validate(written(report))
    (back,) = from_json(to_json([report]))
    assert back.info.options == {"f": "<class 'object'>", "betas": (0.9, 0.99), "eps": 1e-8, "s": {"x": {1}}}


def test_any_text_can_be_written_to_a_file() -> None:
    text = to_json(samples.all_of_them())
    text.encode("utf-8")
    assert "‖ŵ‖²" in text


def test_a_reader_needs_no_rules_of_ours() -> None:
    document = written(samples.mixed(), samples.good())
    mixed, good = document["reports"]
    assert document["exit_code"] == mixed["exit_code"] == 3
    assert good["exit_code"] == 0
    assert good["verdict_line"] == "lib:Good conforms to adamp: 8 checks hold"
    assert [one["check"] for one in mixed["findings"] if one["excused"]] == ["complex-parameter"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("[" * 200_000, "it is no JSON"),
        ("1" * 5_000, "it is no JSON"),
        ("[]", "no report of tangency"),
        ('{"schema": 2, "targets": []}', "no report of tangency"),
        ('{"schema": 1, "kind": "tangency check", "targets": []}', "its schema is 1; .* reads schema 3; write it anew"),
        ('{"schema": 1, "claims": [], "results": []}', "its schema is 1; .* reads schema 3; write it anew"),
        ('{"schema": 4, "command": "tangency check", "reports": []}', "its schema is 4; .* reads schema 3"),
        ('{"schema": 3, "command": "tangency check"}', "missing required field `versions`"),
        ('{"schema": 3, "command": "tangency check", "reports": 3}', "no whole report"),
    ],
)
def test_another_document_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoReport, match=why):
        from_json(text)


def test_a_report_that_was_meddled_with_is_refused() -> None:
    for old, new in (
        ('"verdict": "fails"', '"verdict": "maybe"'),
        ('"error": null', '"error": "much"'),
        ('"why"', '"y"'),
        ('"error": null', '"error": true'),
        ('"detail": "undecided within rounding"', '"detail": null'),
        ('"check": "lemma-2.1"', '"check": "lemma-9.9"'),
        ('"seed": 1', '"seed": "1"'),
        ('"explained": true', '"explained": 1'),
        ('"epsilon": "inside the root"', '"epsilon": 3'),
    ):
        text = to_json([samples.mixed()])
        assert old in text
        with pytest.raises(NoReport, match="no whole report"):
            from_json(text.replace(old, new))


def test_what_a_later_version_adds_is_passed_over() -> None:
    text = to_json([samples.mixed()])
    text = text.replace('"why": ', '"since": "0.2", "why": ').replace('"seed": ', '"host": {}, "seed": ')
    assert same(from_json(text)[0]) == same(samples.mixed())


def test_a_report_that_cannot_be_read_is_a_wrong_call() -> None:
    """So the command says why in a line, as of any other wrong argument."""
    assert issubclass(NoReport, WrongCall)


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_reports_survive_the_way_and_obey_the_schema(found: list[SubjectReport]) -> None:
    text = to_json(found)
    text.encode("utf-8")
    assert from_json(text) == found
    VALIDATOR.validate(json.loads(text))
