"""The page of a check: what it says, that nothing on it acts, and how it looks in a browser."""

import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_examples as examples

from tangency.proofs_checks.check.model import Curve
from tangency.proofs_checks.check.reports.elements import Markup, element, join
from tangency.proofs_checks.check.reports.figures import panels
from tangency.proofs_checks.check.reports.html import POLICY, to_html

VOID = {"meta", "link", "br"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MEASURE = """<script>
  document.body.dataset.width = document.documentElement.scrollWidth;
  document.body.dataset.window = innerWidth;
  document.body.dataset.flat = [...document.querySelectorAll("svg")].filter(
    (svg) => svg.getBoundingClientRect().height < 80).length;
</script>"""


class Page(HTMLParser):
    """The elements, ids, links and text of a page; every element must be closed where it belongs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f"{data} "

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def every() -> str:
    """The page of every example; drawn once, for it takes seconds."""
    return to_html(examples.every())


@pytest.fixture(scope="module")
def one() -> str:
    return to_html([examples.failing()])


def test_one_target_is_told_in_full(one: str) -> None:
    page = Page(one)
    text = " ".join(page.text.split())
    assert page.open == []
    for said in (
        examples.failing().verdict_line,
        "stopped on our own error, so nothing is known: momentum-order",
        "stale known failure: closure: it holds",
        "violates a theorem",
        "paper and published package: free",
        "w = [1.0, 0.0]",
        "0.1482",
        "print('1 < 2')",
        "issue 12 of mylib",
        "1,200",
        "Users who resume a run",
        "seed 7",
    ):
        assert said in text
    assert "matrix" not in page.values("class")
    assert text.index("gd-norm-growth") < text.index("algorithm-step") < text.index("orthogonal-step")


def test_several_targets_are_a_matrix_and_a_section_each(every: str) -> None:
    page = Page(every)
    assert page.open == []
    assert page.values("class").count("matrix") == 1
    assert {f"target{n}" for n in range(8)} <= set(page.values("id"))
    assert "tangency.optim:SGDP (no options) #8" in page.text
    for said in ("no known dialect of adam", "no module named 'nowhere'", "interrupted", "it takes no steps"):
        assert said in page.text


def test_ids_are_unique_and_links_lead_somewhere(every: str) -> None:
    page = Page(every)
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    inner = [link for name in ("href", "xlink:href") for link in page.values(name) if link != "data:,"]
    assert inner
    assert {link for link in inner if link[1:] not in ids or link[0] != "#"} == set()
    assert set(re.findall(r"url\(#([^)]*)\)", every)) <= set(ids)


def test_the_page_asks_nothing_of_the_network_and_runs_nothing(every: str) -> None:
    page = Page(every)
    assert not {"script", "img", "iframe", "object", "embed", "form", "base", "b"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert not re.search(r"url\((?!#)|@import|https?://", every)
    assert POLICY in page.values("content")


def test_text_of_a_target_is_text(every: str) -> None:
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; [bold]&amp;amp; \\x1b[31mred" in every
    assert not {"\x1b", "\x00", "\u202e", "\ud800"} & set(every)
    every.encode("utf-8")


def test_figures_take_the_colours_of_the_page(one: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", one, re.DOTALL)
    assert len(drawings) == 6  # two of the curves have quantities without a finite value
    for drawing in drawings:
        assert "currentColor" in drawing
        assert "var(--target)" in drawing
        assert not re.search(r"#[0-9a-f]{6}|<style|<metadata", drawing)


def test_two_pages_of_one_report_are_alike(one: str) -> None:
    assert to_html([examples.failing()]) == one


def test_no_number_stops_a_figure() -> None:
    extremes = [0.0, 5e-324, 1e-300, 1.0, 1.0 + 2**-52, 1e249, 1e290, 1.7e308, -1.0, -1e300, math.inf, math.nan, None]
    series: list[list[float | None]] = [[a, b] for a in extremes for b in (0.0, 1.0, 1e240, -1e-30, None)]
    for number, values in enumerate([*series[::3], [], extremes]):
        curve = Curve("extreme", {"norm": values}, {"norm": [1.0]}, [])
        (panel,) = panels(curve, f"f{number}")
        assert "nan" not in panel.svg
        assert "inf" not in panel.svg.replace("infinity", "")


def test_markup_is_made_by_elements_alone() -> None:
    made = element("p", "1 < 2", element("br"), Markup("<i>x</i>"), class_="a", data_label='"')
    assert made == '<p class="a" data-label="&quot;">1 &lt; 2<br><i>x</i></p>'
    assert join("<", made).startswith("&lt;<p")


def dom(page: str, folder: Path, width: int) -> str:
    """What a headless browser makes of a copy of the page that measures itself."""
    assert CHROMIUM is not None
    file = folder / "page.html"
    measured = page.replace("default-src", "script-src &#x27;unsafe-inline&#x27;; default-src", 1)
    file.write_text(measured.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={folder / 'user'}"]
    command += [f"--window-size={width},844", "--virtual-time-budget=2000", "--dump-dom", file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("which", ["one", "every"])
def test_a_browser_shows_it_without_scrolling_sideways(
    which: str, width: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page: str = request.getfixturevalue(which)
    shown = dom(page, tmp_path, width)
    measured = {name: int(value) for name, value in re.findall(r' data-(width|window|flat)="(\d+)"', shown)}
    assert measured["width"] <= measured["window"]
    assert measured["flat"] == 0  # every figure has a height
    assert shown.count("<svg") == page.count("<svg") > 0
