"""The site: it builds without a warning, has a page for every claim and check and an entry for every public name, asks
nothing of another host, and a page of it works in a browser."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from executed_page import ROOT

import tangency.optim
import tangency.probe
from tangency import proofs_checks
from tangency.proofs_checks.run.conformance import checks
from tangency.proofs_checks.run.registry import discover

MISSING = [name for name in ("latex2mathml", "material", "mkdocs", "mkdocstrings") if find_spec(name) is None]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHOWN = "threshold-inside-is-projected"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed; `tox -e docs` has what builds the site")
    made = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(made)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def text(page: Path) -> str:
    """What stands on a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))).split())


def test_text_stands_on_a_page_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-m", "doctest", str(ROOT / "docs" / "site" / "markup.py")], check=False)
    assert done.returncode == 0


def test_every_claim_has_its_page(site: Path) -> None:
    for claim in discover():
        page = site / "theorems" / claim.id / "index.html"
        found = text(page)
        for said in (claim.title, claim.where, claim.text, *(one.text for one in claim.hypotheses)):
            assert " ".join(said.split()) in found, claim.id
        assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page.read_text(encoding="utf-8")
        assert "✗" not in found


def test_every_check_has_its_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    searched = {entry["location"] for entry in index["docs"]}
    for check in checks():
        found = text(site / "checks" / check.id / "index.html")
        for said in (check.title, check.why, check.source, check.severity.value):
            assert " ".join(said.split()) in found, check.id
        assert f"checks/{check.id}/" in searched


def test_the_reference_has_every_public_name(site: Path) -> None:
    for module in (tangency.optim, tangency.probe, proofs_checks):
        page = (site / "api" / module.__name__.rpartition(".")[2] / "index.html").read_text(encoding="utf-8")
        for name in module.__all__:
            assert f'id="{module.__name__}.{name}"' in page
        assert not re.search(r":(?:class|func|attr|meth):<code>", page)


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"?([^\" >]+)", page.read_text("utf-8"))
        assert loaded
        assert [url for url in loaded if re.match(r"(?:https?:)?//", url)] == [], page


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where the site is served, for a page from a file may load no other file."""
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
def test_a_browser_shows_a_page_with_its_search_and_complains_of_nothing(address: str, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path / 'user'}"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", f"{address}/checks/{SHOWN}/"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
    assert re.search(r'<html [^>]*class="[^"]*\bjs\b', done.stdout)  # its scripts ran
    assert f'<h1 id="{SHOWN}">' in done.stdout
    (check,) = (check for check in checks() if check.id == SHOWN)
    assert check.title in unescape(done.stdout)
    (box,) = re.findall(r"<input[^>]*md-search__input[^>]*>", done.stdout)
    assert 'placeholder="Search"' in box
