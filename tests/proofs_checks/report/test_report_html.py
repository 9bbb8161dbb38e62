"""The page of a check: what it says, that nothing on it acts, and how it looks in a browser."""

import json
import math
import re
import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import Any

import pytest
import report_examples as examples
from parsed_html import Page

from tangency.proofs_checks.finding import Curve
from tangency.proofs_checks.report.elements import Markup, element, join
from tangency.proofs_checks.report.figures import panels
from tangency.proofs_checks.report.html import POLICY, to_html

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (320, 390, 768, 1200)
# Frames, for a window of a browser cannot be as narrow as a phone; the page itself runs no script.
MEASURE = """<script>
  addEventListener("load", () => {
    const found = [...document.querySelectorAll("iframe")].map((frame) => {
      const inner = frame.contentDocument, page = inner.documentElement, look = frame.contentWindow.getComputedStyle;
      const figures = [...inner.querySelectorAll("svg")], labels = [...inner.querySelectorAll("svg text")];
      const colour = look(inner.querySelector("figcaption")).color;
      return {
        window: frame.contentWindow.innerWidth,
        width: page.scrollWidth,
        figures: figures.length,
        flat: figures.filter((figure) => figure.getBoundingClientRect().height < 80).length,
        smallest: Math.min(...figures.map((figure) => 8 * figure.getBoundingClientRect().width / 216)),
        labels: labels.length,
        odd: labels.filter((label) => look(label).fill !== colour).length,
        colour,
      };
    });
    document.body.textContent = JSON.stringify(found);
  });
</script>"""


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
    extremes = [0.0, 5e-324, 1e-149, 1.0, 1.0 + 2**-52, 1e149, 1e151, 1.7e308, -1.0, -1e300, math.inf, math.nan, None]
    series: list[list[float | None]] = [[a, b] for a in extremes for b in (0.0, 1.0, 1e149, -1e-30, None)]
    for number, values in enumerate([*series[::3], [], extremes]):
        curve = Curve("extreme", {"norm": values}, {"norm": [1.0]}, [])
        (panel,) = panels(curve, f"f{number}")
        assert "nan" not in panel.svg
        assert "inf" not in panel.svg.replace("infinity", "")


def test_markup_is_made_by_elements_alone() -> None:
    made = element("p", "1 < 2", element("br"), Markup("<i>x</i>"), class_="a", data_label='"')
    assert made == '<p class="a" data-label="&quot;">1 &lt; 2<br><i>x</i></p>'
    assert join("<", made).startswith("&lt;<p")


def measured(page: str, folder: Path, *options: str) -> list[dict[str, Any]]:
    """What a headless browser makes of the page, at every width."""
    assert CHROMIUM is not None
    frames = "".join(f'<iframe width="{width}" height="844" srcdoc="{escape(page)}"></iframe>' for width in WIDTHS)
    file = folder / "page.html"
    file.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{frames}{MEASURE}</body>', encoding="utf-8")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={folder / 'user'}"]
    command += [*options, "--window-size=1400,900", "--virtual-time-budget=2000", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found: list[dict[str, Any]] = json.loads(shown[shown.index("[{") : shown.rindex("}]") + 2])
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
@pytest.mark.parametrize("which", ["one", "every"])
def test_a_browser_shows_it_without_scrolling_sideways(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page: str = request.getfixturevalue(which)
    found = measured(page, tmp_path)
    assert [each["window"] for each in found] == list(WIDTHS)
    for each in found:
        assert each["width"] <= each["window"]
        assert each["figures"] == page.count("<svg") > 0
        assert each["flat"] == 0  # every figure has a height
        assert each["smallest"] >= 8  # pixels of its text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
def test_figures_are_legible_in_light_and_dark(one: str, tmp_path: Path) -> None:
    colours = set()
    for scheme in (0, 1):
        folder = tmp_path / str(scheme)
        folder.mkdir()
        each = measured(one, folder, f"--blink-settings=preferredColorScheme={scheme}")[0]
        assert each["labels"] > each["odd"] == 0  # the labels of the axes have the colour of the text
        colours.add(each["colour"])
    assert colours == {"rgb(27, 35, 48)", "rgb(228, 233, 241)"}
