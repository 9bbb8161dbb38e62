"""What stands beside the code: how to cite it, how to report a hole, what a version promises."""

import re
import tomllib

import yaml
from executed_page import ROOT, read

from tangency.proofs_checks.report import subject_report

PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
PROMISES = dict(re.findall(r"^\| (?!what|---)(.+?) \| (.+?) \|", read("docs/versioning.md"), flags=re.MULTILINE))


def test_the_citation_is_of_this_version_and_cites_the_paper() -> None:
    cited = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors", "type"} <= set(cited)
    assert (str(cited["version"]), cited["license"]) == (PROJECT["version"], PROJECT["license"])
    assert set(cited["keywords"]) <= set(PROJECT["keywords"])
    (paper,) = cited["references"]
    assert paper["url"] == PROJECT["urls"]["Paper"]
    assert "2021" in str(paper["year"])


def test_no_exit_code_is_without_its_promise() -> None:
    promised = re.findall(r"(\d) ([a-z]+)", PROMISES["exit codes"])
    assert [int(code) for code, _ in promised] == [
        subject_report.OK,
        subject_report.FAILED,
        subject_report.INTERRUPTED,
        subject_report.ERROR,
        subject_report.USAGE,
        subject_report.NOTHING,
    ]


def test_the_policy_names_what_others_build_on() -> None:
    for what in ("ids of claims and checks", "exit codes", "JSON", "`tangency.optim`", "state dicts"):
        assert PROMISES[what].strip()


def test_documents_are_linked() -> None:
    contributing = read("CONTRIBUTING.md")
    for name in ("docs/versioning.md", "SECURITY.md", "CITATION.cff"):
        assert (ROOT / name).is_file()
        assert f"({name})" in contributing
