"""The Markdown report of a check: short enough for a comment, in order of importance, and markup of ours alone."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import check_report_samples as samples
import pytest
from check_report_strategies import reports
from hypothesis import given, settings
from markdown_it import MarkdownIt

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.report.markdown import BLOCK, LIMIT, to_markdown
from tangency.proofs_checks.report.subject_report import SubjectReport

OURS = {
    *("p", "strong", "code", "pre", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "br", "a"),
}


class Page(HTMLParser):
    """What a reader of the rendered page gets: its tags, links, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(text))
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href", "class"}, attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(*reports: SubjectReport) -> Page:
    return Page(to_markdown(reports))


@pytest.mark.parametrize("report", samples.all_of_them())
def test_nothing_but_our_own_markup(report: SubjectReport) -> None:
    page = rendered(report)
    assert set(page.tags) <= OURS, set(page.tags) - OURS
    assert set(page.links) <= {"https://example.org/issues/1?a=1&b=2"}


def test_hostile_text_is_told_as_it_is_and_does_nothing() -> None:
    page = rendered(samples.mixed(), samples.nasty_target())
    told = "<script>alert(1)</script> | `a` ````` ]]> **b** @user #1 \\x1b[31mred\\x00\\x08 \\ud800 \\u202eabc \\ufffe"
    assert page.text.count(told) > 5
    text = to_markdown([samples.mixed(), samples.nasty_target()])
    outside = re.sub(r"(?ms)^(`{3,})\w+\n.*?^\1$", "", text)
    assert "<script" not in outside
    assert not re.search(r"@\w|(?<!&)#\d", outside), "a mention, or a reference to an issue"
    assert not [c for c in text if c < " " and c != "\n"]
    text.encode("utf-8")


def test_every_row_has_the_columns_of_its_table() -> None:
    """Bars in the text of a target would make more."""
    width = 0
    for line in to_markdown(samples.all_of_them()).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        width = width or line.count("|")
        assert line.count("|") == width, line
    assert "tr" in rendered(*samples.all_of_them()).tags


def test_verdicts_first_then_what_fails_then_the_dialect_then_the_rest_folded() -> None:
    text = to_markdown([samples.mixed()])
    assert text.startswith("❌ **lib.sub&#58;Mixed does not conform to adamp&#58; ")
    marks = ("- ❌ **algorithm-2**", "- 🔸 **views = layer**", "| check |", "**Dialect of", "<details>")
    bug, choice, table, dialect, folded = (text.index(mark) for mark in marks)
    assert (
        bug
        < choice
        < table
        < dialect
        < folded
        < text.index("Every check of")
        < text.index("Trial(")
        < text.index("Stand-alone script")
    )
    assert "| <code>algorithm-2</code> | algorithm | ❌ fails | w&#91;0&#93;, step 0&#58; 1 ≠ 2 more |" in text
    assert "violates a theorem" in text[choice:table]
    page = rendered(samples.mixed())
    assert page.tags.count("details") == 12, (
        "every choice; every check; what fails, is undecided, broken or known; three scripts"
    )
    for told in (
        "Trial(w=(1.0,))",
        "print(1)",
        "Known failure: upstream: https://example.org/issues/1?a=1&b=2 | later",
    ):
        assert told in page.text


def test_what_holds_is_short() -> None:
    text = to_markdown([samples.good()])
    assert text.startswith("✅ **lib&#58;Good conforms to adamp&#58; 8 checks hold**\n\n**Dialect")
    assert "it does not project&#58; adamw" in text


def test_nothing_is_left_out_silently() -> None:
    page = rendered(*samples.all_of_them())
    assert "not run: algorithm-2, dialect" in page.text
    assert "stopped on our own error, so nothing is known: dialect" in page.text
    assert "stale known failure: eq-04 holds, and is known to fail: <i>old</i>" in page.text
    assert "no module is called 'nowhere'" in page.text
    assert "it leaves the nearest one at step 2, w[0, 1]" in page.text


def test_several_targets_have_a_matrix() -> None:
    text = to_markdown([samples.good(), samples.mixed()])
    assert "| check | <code>Good</code> | <code>Mixed</code> |" in text
    assert "| <code>eq-10</code> | ➖ | ❌ |" in text


def test_a_long_counterexample_says_how_much_is_missing() -> None:
    finding = Finding("eq-04", Verdict.FAILS, counterexample="x" * (BLOCK + 1234))
    assert "… 1,234 more characters" in to_markdown([replace(samples.good(), findings=(finding,))])


def test_a_script_is_whole_or_left_out() -> None:
    for length in (50_000, 70_000):
        finding = Finding("eq-04", Verdict.FAILS, reproducer="x" * length)
        text = to_markdown([replace(samples.good(), findings=(finding,))])
        assert ("x" * length in text) is (length == 50_000)
        assert ("Cut off here: 1 more part would" in text) is (length == 70_000)
        assert "xx" in text or length == 70_000


@pytest.mark.parametrize("targets", [1, 30, 200])
def test_it_fits_a_comment_and_says_what_does_not(targets: int) -> None:
    loud = [
        replace(f, verdict=Verdict.FAILS, counterexample=f"|`{samples.NASTY}`" * 999) for f in samples.good().findings
    ]
    reports = [replace(samples.mixed(f"lib:O{n}"), findings=tuple(loud)) for n in range(targets)]
    text = to_markdown(reports)
    assert len(text) <= LIMIT
    if targets > 1:
        cut = re.search(r"\*\*Cut off here: ([\d,]+) more parts would not fit into 60,000 characters\.\*\* ", text)
        assert cut
        assert text.index("torch ", cut.end()), "the versions still stand at the end"
        Page(text)
    else:
        assert "Cut off here" not in text


def test_no_target_is_no_error() -> None:
    assert "python" in to_markdown([])


@settings(max_examples=60, deadline=None)
@given(reports())
def test_whatever_a_target_says_the_markup_is_ours(found: list[SubjectReport]) -> None:
    text = to_markdown(found)
    text.encode("utf-8")
    assert len(text) <= LIMIT
    assert set(Page(text).tags) <= OURS
