"""Known failures: what a file of them may say, what it excuses, and when it is stale."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tangency.proofs_checks.claim import Severity, Verdict
from tangency.proofs_checks.finding import Check, Finding, TargetInfo
from tangency.proofs_checks.report.subject_report import FAILED, OK, SubjectReport
from tangency.proofs_checks.run import known
from tangency.proofs_checks.run.known import BadKnownFailures, Known, apply, load

IDS = ("eq-04", "eq-12", "state-dict")
REASON = "ε in the norm; issue 12"


def write(folder: Path, text: str) -> Path:
    path = folder / "known.toml"
    path.write_text(text, encoding="utf-8")
    return path


def report(version: str = "0.3.0", **verdicts: Verdict) -> SubjectReport:
    """A report on adamp:AdamP; a check whose verdict is not given holds."""
    found = [Finding(id, verdicts.get(id.replace("-", "_"), Verdict.HOLDS), detail="why\nnot") for id in IDS]
    checks = tuple(Check(id, id, Severity.THEOREM, "§0", "because") for id in IDS)
    return SubjectReport(TargetInfo("adamp:AdamP", "adamp", version=version), checks, tuple(found))


def test_a_file_is_read() -> None:
    """The one of the module's docstring."""
    text = (known.__doc__ or "").split("\n\n")[1]
    (table,) = tomllib.loads(text)["known"]
    assert Known(**table) == Known("eq-04", table["reason"], "adamp:*", "<0.4")


def test_optional_keys_and_an_empty_file(tmp_path: Path) -> None:
    text = '[[known]]\ncheck = "eq-04"\nreason = "r"\n\n[[known]]\ncheck = "eq-04"\nreason = "r"\nversions = "<1"\n'
    assert load(write(tmp_path, text), IDS) == (Known("eq-04", "r"), Known("eq-04", "r", versions="<1"))
    assert load(write(tmp_path, "# none yet\n"), IDS) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[known]\n", "is no TOML: Expected ']]' at the end of an array declaration (at line 1, column 8)"),
        ("[[unknown]]\n", "known.toml: unknown key 'unknown'; there are known"),
        ("[known]\ncheck = 'eq-04'\n", "known must be an array of tables; write [[known]] above every entry"),
        ("known = ['eq-04']\n", "known must be an array of tables"),
        ("[[known]]\ncheck = 'eq-04'\n", "known.toml, entry 1: reason is missing"),
        ("[[known]]\nreason = 'r'\n", "entry 1: check is missing"),
        ("[[known]]\ncheck = 'eq-04'\nreason = ' '\n", "entry 1: reason is empty"),
        ("[[known]]\ncheck = 'eq-04'\nreason = 3\n", "entry 1: reason is 3; it must be a string"),
        (
            "[[known]]\ncheck = 'eq-04'\nreason = 'r'\nversion = '<1'\n",
            "entry 1: unknown key 'version'; there are check",
        ),
        ("[[known]]\ncheck = 'eq-4'\nreason = 'r'\n", "entry 1: no check is called 'eq-4'; did you mean eq-04"),
        ("[[known]]\ncheck = 'nothing'\nreason = 'r'\n", "entry 1: no check is called 'nothing'"),
        ("[[known]]\ncheck = 'eq-04'\nreason = 'r'\nversions = '0.4'\n", "versions is '0.4'; it must be a PEP 440"),
        ("[[known]]\ncheck = 'eq-04'\nreason = 'r'\n" * 2, "entry 2: 'eq-04' stands in an earlier entry"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadKnownFailures) as caught:
        load(write(tmp_path, text), IDS)
    assert message in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadKnownFailures, match=r"nowhere\.toml cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(BadKnownFailures, match="is not UTF-8: byte 2"):
        load(tmp_path / "latin.toml")


def test_without_the_ids_every_id_is_taken(tmp_path: Path) -> None:
    assert load(write(tmp_path, "[[known]]\ncheck = 'later'\nreason = 'r'\n")) == (Known("later", "r"),)


@pytest.mark.parametrize(
    ("entry", "version", "applies"),
    [
        (Known("c", "r"), "", True),
        (Known("c", "r", "adamp:*"), "0.3.0", True),
        (Known("c", "r", "timm*"), "0.3.0", False),
        (Known("c", "r", "ADAMP:*"), "0.3.0", False),
        (Known("c", "r", versions="<0.4"), "0.3.0", True),
        (Known("c", "r", versions="<0.4"), "0.4.0", False),
        (Known("c", "r", versions=">=0.2, <0.4"), "0.3.0+cpu", True),
        (Known("c", "r", versions=">=0.4"), "0.5.dev1", True),
        (Known("c", "r", versions="<0.4"), "", False),
        (Known("c", "r", versions="<0.4"), "main", False),
    ],
)
def test_what_an_entry_is_about(entry: Known, version: str, applies: bool) -> None:
    assert entry.applies("adamp:AdamP", version) is applies


def test_a_known_failure_is_excused() -> None:
    found = apply(report(eq_04=Verdict.FAILS), [Known("eq-04", REASON, versions="<0.4")])
    assert [(known.check, known.reason, known.versions) for known in found.known] == [("eq-04", REASON, "<0.4")]
    assert (found.stale, found.failures, found.exit_code) == ((), (), OK)


def test_only_that_failure_is_excused() -> None:
    found = apply(report(eq_04=Verdict.FAILS, eq_12=Verdict.FAILS), [Known("eq-04", REASON)])
    assert [finding.check for finding in found.failures] == ["eq-12"]
    assert found.exit_code == FAILED


@pytest.mark.parametrize(
    ("entry", "verdict", "stale"),
    [
        (Known("eq-04", REASON), Verdict.HOLDS, f"eq-04 holds, and is known to fail: {REASON}"),
        (Known("eq-04", REASON), Verdict.DOES_NOT_APPLY, f"eq-04 does not apply (why), and is known to fail: {REASON}"),
        (Known("eq-05", REASON), Verdict.HOLDS, "eq-05: no check is called 'eq-05'; did you mean eq-04"),
    ],
)
def test_a_wrong_entry_is_stale_and_fails_the_run(entry: Known, verdict: Verdict, stale: str) -> None:
    found = apply(report(eq_04=verdict), [entry])
    (said,) = found.stale
    assert said.startswith(stale)
    assert (found.known, found.exit_code) == ((), FAILED)


@pytest.mark.parametrize("entry", [Known("eq-04", REASON, "timm*"), Known("eq-04", REASON, versions=">=1")])
def test_an_entry_about_something_else_is_inactive(entry: Known) -> None:
    assert apply(report(), [entry]) == report()
    failing = report(eq_04=Verdict.FAILS)
    assert apply(failing, [entry]).exit_code == FAILED


@pytest.mark.parametrize("verdict", [Verdict.UNDECIDED, Verdict.ERROR])
def test_what_is_not_known_to_hold_is_not_stale(verdict: Verdict) -> None:
    found = apply(report(eq_04=verdict), [Known("eq-04", REASON)])
    assert found.stale == ()
    assert found.exit_code != OK


def test_what_was_not_asked_cut_off_or_never_run_is_not_stale() -> None:
    whole, entries = report(), [Known("eq-04", REASON)]
    some = replace(whole, checks=whole.checks[1:], findings=whole.findings[1:])
    assert apply(some, entries, IDS).stale == ()
    assert "no check is called 'eq-04'" in apply(some, entries).stale[0]
    assert apply(replace(whole, findings=whole.findings[1:], interrupted=True), entries).stale == ()
    assert apply(replace(whole, checks=(), findings=(), problem="it cannot be imported"), entries).stale == ()
