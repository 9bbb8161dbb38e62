"""The table, the proof as text, and the proof as LaTeX."""

import io
import re
from dataclasses import replace

import pytest
import small_claims as small
import sympy
from rich.console import Console

from tangency.proofs_checks import Rung, Verdict, verify
from tangency.proofs_checks.checks.rungs import rungs
from tangency.proofs_checks.claim import Claim
from tangency.proofs_checks.finding import Finding, TargetInfo
from tangency.proofs_checks.proof.latex import claim_latex, formula, mathematics, prose
from tangency.proofs_checks.proof.text import explain, proof_lines, readable
from tangency.proofs_checks.report.progress import live_progress
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.table import closing_line, print_report, result_table
from tangency.proofs_checks.run.registry import discover, production
from tangency.proofs_checks.run.session import Cell
from tangency.proofs_checks.run.verify import Report

CLAIMS = discover()


@pytest.fixture(scope="module")
def report() -> Report:
    return verify(suite=small.everything, profile=small.TINY, seed=3)


def printed(report: Report, *, terminal: bool = False, verbose: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=100, force_terminal=terminal, markup=False, highlight=False)
    print_report(console, report, verbose=verbose)
    return stream.getvalue()


def test_the_table_shows_every_claim_and_rung(report: Report) -> None:
    lines = [line.split() for line in printed(report).splitlines()]
    assert lines[0] == [
        "claim",
        "kernel",
        "algebra",
        "exact",
        "ball",
        "SGDP",
        "AdamP",
        "necessity",
        "error",
        "/",
        "bound",
    ]
    assert lines[1] == ["true", "–", "[1]", "✓", "2", "✓", "30", "✓", "20", "✓", "10", "–", "[2]", "✓", "1", "0"]
    assert lines[2][0:6] == ["false", "–", "[1]", "✗", "2", "✗"]
    assert lines[2][-1] == "inf"
    assert lines[3][:2] == ["undecided", "–"]
    assert lines[3].count("?") == 2
    assert lines[4].count("!") == 1
    assert lines[5] == ["empty", "–", "[1]", *["–", "[3]"] * 5, "–", "[4]"]


def test_nothing_is_skipped_silently(report: Report) -> None:
    text = printed(report)
    assert "[2] tangency.optim:AdamP does not offer what the claim is about: heavy-ball" in text
    assert "[3] not part of this test" in text
    assert "[4] the claim has no hypotheses" in text
    assert "only 0 of 30 problems checked" in text
    assert "ZeroDivisionError" in text


def test_a_pipe_gets_plain_text_and_a_terminal_colour(report: Report) -> None:
    assert "\x1b[" not in printed(report)
    assert "\x1b[" in printed(report, terminal=True)


def test_verbose_says_where_the_worst_error_was(report: Report) -> None:
    text = " ".join(printed(report, verbose=True).split())
    assert "false · implementation · tangency.optim:SGDP: fails, " in text
    assert re.search(r"error inf of its bound \(w\[0\], step 0, float\d\d\)", text)


def test_the_closing_line_counts_claims(report: Report) -> None:
    assert closing_line(report).startswith("5 claims: 1 hold, 1 fail, 1 undecided, 1 broken, 1 not applicable; tiny")
    assert closing_line(report).endswith(f"seed 3, {report.seconds:.0f} s")


def test_the_table_of_the_paper_fits_the_page() -> None:
    suite = production()
    reports = []
    for name in [None, *(subject.name for subject in suite.subjects)]:
        checks = tuple(check for claim in CLAIMS for check in rungs(claim))
        checks = tuple(check for check in checks if (check.rung is Rung.IMPLEMENTATION) == (name is not None))
        found = (check.found(Finding("", Verdict.HOLDS, examples=4000, error=0.123456)) for check in checks)
        info = TargetInfo(name or "the statements", "")
        reports.append(SubjectReport(info, checks, tuple(replace(finding, subject=name) for finding in found)))
    paper = Report(suite, tuple(reports), small.OPTIONS, 1.0)
    stream = io.StringIO()
    Console(file=stream, width=100).print(result_table(paper, {}))
    assert all(claim.id in stream.getvalue() for claim in CLAIMS)
    assert "…" not in stream.getvalue()


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with live_progress(Console(file=stream), lambda cell: cell.check) as watch:
        watch(Cell(0, "true/algebra"), None, 1)
        watch(Cell(0, "true/algebra"), verify(suite=small.good, rungs=["algebra"]).results[0], 1)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("failures", [True, False])
def test_progress_names_a_failure_when_it_is_found(failures: bool) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with live_progress(console, lambda cell: cell.check, failures=failures) as watch:
        for cell, verdict in ((Cell(1, "eq-12"), Verdict.FAILS), (Cell(1, "eq-10"), Verdict.HOLDS)):
            watch(cell, None, 2)
            watch(cell, Finding("", verdict), 2)
    assert ("✗ eq-12" in stream.getvalue()) is failures
    assert "✗ eq-10" not in stream.getvalue()


def test_a_proof_reads_as_mathematics() -> None:
    text = "\n".join(proof_lines(small.proof()))
    assert "1. the binomial\n         (x + y)²\n       = x² + 2·x·y + y²\n     ✓" in text
    assert "= (1)·(x - y)²\n       ≥ 0\n     ✓" in text
    wrong = "\n".join(proof_lines(small.proof(3)))
    assert "✗ the binomial: expected residual 0, got residual -x*y" in wrong


def test_an_explanation_names_what_is_missing() -> None:
    text = "\n".join(explain(small.TRUE, small.good().subjects))
    assert "needed: without it, x would be 1, and is 2" in text
    assert "no counterexample: by symmetry" in text
    assert "tangency.optim:AdamP lacks heavy-ball" in text
    text = "\n".join(explain(small.EMPTY, small.everything().subjects))
    assert "Algebra: does not apply. not part of this test" in text
    assert "Hypotheses: none" in text


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_explains_itself_on_the_page(claim: Claim) -> None:
    lines = list(explain(claim, production().subjects))
    assert not [line for line in lines if line.lstrip().startswith("✗")]
    assert not [line for line in lines if "**" in line]
    assert max(map(len, lines)) <= 100 or not [line for line in lines if len(line) > 100 and " " in line.strip()]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_is_well_formed_latex(claim: Claim) -> None:
    require_latex(claim_latex(claim))


def require_latex(text: str) -> None:
    """Pure ASCII; braces, environments, and both kinds of mathematics balanced; no index outside mathematics."""
    assert text.isascii(), sorted({c for c in text if not c.isascii()})
    assert "U+" not in text, "a character without a LaTeX name"
    body = re.sub(r"(?m)^%.*$", "", text)
    bare = re.sub(r"\\[{}]", "", body)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", body):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    assert len(re.findall(r"\\left\b", body)) == len(re.findall(r"\\right\b", body))
    outside = re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]", "", body, flags=re.DOTALL)
    assert not re.search(r"\\[()\[\]]", outside)
    assert not re.search(r"(?<!\\)[_^&#$<>]", outside), outside
    for inside in re.findall(r"\\\((.*?)\\\)", body, flags=re.DOTALL):
        assert not re.search(r"\\[(\[]", inside), inside
    assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_", body), "a double index"


def test_readable_expressions() -> None:
    x, t = sympy.symbols("x t")
    ww, wp = sympy.Symbol("⟨w,w⟩"), sympy.Symbol("⟨w,p⟩")
    assert readable(ww * x ** (t + 1)) == "x^(t + 1)·‖w‖²"
    assert readable(ww**2 + wp**10) == "⟨w,p⟩¹⁰ + ⟨w,w⟩²"
    assert readable(sympy.sqrt(x)) == "√(x)"


def test_latex_of_names_and_sentences() -> None:
    assert formula(sympy.Symbol("⟨p_t,p_t⟩") / sympy.Symbol("β₂")) == r"\frac{{\|p_t\|^{2}}}{{\beta _{2}}}"
    assert mathematics("ŵ·p ≤ ‖p‖²") == r"\hat{w}\cdot p \le \|p\|^{2}"
    assert prose("100% of w_{t+1} & S_t") == r"100\% of \(w_{t+1}\) \& \(S_t\)"
    assert prose("§2.4 – so ‖w‖ grows (see A.1)") == r"\S{}2.4 -- so \(\|w\|\) grows (see A.1)"
