"""The page on the monitor: its example is run and watched, and looks as the page shows it."""

import re
import sys
from pathlib import Path

import executed_page as pages
from executed_page import ROOT

from tangency.optim.monitor import ledger

PAGE = pages.read("docs/monitor.md")


def shape(text: str) -> list[str]:
    """The lines without their numbers, which other processors round otherwise, and without how columns are filled."""
    return [" ".join(re.sub(r"\d[\d.e-]*", "#", line).split()) for line in text.strip().splitlines()]


def test_the_example_is_run_and_watched(tmp_path: Path) -> None:
    done = pages.run([sys.executable, str(ROOT / "docs" / "examples" / "watched.py")], tmp_path)
    assert done.returncode == 0, done.stderr
    (shown,) = (one for one in pages.commands(PAGE) if one.prints)
    _, *arguments = shown.text.split()
    printed = pages.run([sys.executable, "-m", "tangency.cli.main", *arguments], tmp_path).stdout
    assert shown.prints is not None
    assert shape(printed) == shape(shown.prints)


def test_the_departures_of_the_page_are_those_of_the_code() -> None:
    source = Path(ledger.__file__).read_text(encoding="utf-8")
    table = PAGE.partition("| departure |")[2].partition("\n\n")[0]
    names = [one for row in re.findall(r"(?m)^\| ([a-z][^|]*) \|", table) for one in row.split(", ")]
    assert len(names) >= 8
    assert not [name for name in names if name not in source and not name.startswith(("projected", "or not", "where"))]
