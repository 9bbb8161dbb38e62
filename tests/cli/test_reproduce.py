"""``tangency reproduce`` as it is called: the smoke preset whole, its table and page, and calls that are wrong."""

import json
import re
from pathlib import Path

import pytest
from executed_page import ROOT

from tangency.benchmarks.experiments import page as pages
from tangency.benchmarks.experiments import table_4
from tangency.benchmarks.experiments.preset import Size
from tangency.benchmarks.experiments.store import Store
from tangency.benchmarks.experiments.studies import NAMES
from tangency.cli import reproduce as command
from tangency.cli.main import run


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of every study."""
    out = tmp_path_factory.mktemp("smoke")
    assert run(["reproduce", "--jobs", "1", "--out", str(out), "--page", str(out / "experiments.md")]) == 0
    return out


def test_the_preset_names_are_those_of_the_studies() -> None:
    assert [one.value for one in command.Size] == [size.value for size in Size]


def test_every_study_runs_and_has_its_section(smoke: Path) -> None:
    text = (smoke / "experiments.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^## (\S+): ", text) == list(NAMES)
    for line in (smoke / "smoke.jsonl").read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        assert found.keys() == {"key", "config", "result", "cpu_seconds", "versions", "machine"}
        assert found["result"].get("does_not_close", 0) == 0, found["config"]
    for name in re.findall(r"\]\((experiments/[^)]*)\)", text):
        assert "<svg" in (smoke / name).read_text(encoding="utf-8")


def test_a_page_is_a_function_of_its_runs(smoke: Path) -> None:
    store = Store(smoke / "smoke.jsonl")
    figures = {name: f"experiments/{name}.svg" for name in pages.draw(store, Size.SMOKE)}
    assert pages.page(store, Size.SMOKE, figures) == (smoke / "experiments.md").read_text(encoding="utf-8")
    drawn = pages.draw(store, Size.SMOKE)["table-1"]
    assert drawn == (smoke / "experiments" / "table-1.svg").read_bytes()


def test_runs_that_are_there_are_not_repeated(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (smoke / "smoke.jsonl").read_bytes()
    assert run(["reproduce", "table-1", "--out", str(smoke)]) == 0
    assert (smoke / "smoke.jsonl").read_bytes() == before
    assert "norms grow less" in " ".join(capsys.readouterr().out.split())


def test_the_list_names_every_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", "--list"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:] if not line.startswith(" ")] == list(NAMES)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["table-2"], "no study is called 'table-2'"),
        (["--preset", "paper"], "--data names its folder"),
        (["--preset", "paper", "--data", "nowhere"], "--data: nowhere is no folder"),
        (["--preset", "huge"], "'huge' is not one of 'smoke', 'small', 'paper'"),
        (["--jobs", "0"], "should be greater than or equal to 1"),
    ],
)
def test_wrong_calls(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", *arguments]) == 4
    assert says in capsys.readouterr().err


def test_what_a_study_lacks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soundfile")
    monkeypatch.setattr(table_4, "SOUNDS", tmp_path / "none")
    assert run(["reproduce", "table-4", "--preset", "small", "--out", str(tmp_path)]) == 5
    assert "table-4 is left out: it needs the sounds of Debian's sonic-pi-samples" in capsys.readouterr().err


def test_a_file_that_is_no_store_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "smoke.jsonl").write_text("something\n", encoding="utf-8")
    assert run(["reproduce", "figure-1", "--out", str(tmp_path)]) == 4
    assert "line 1: it is no run" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert run(["reproduce", "figure-1", "--out", str(tmp_path)]) == 4
    assert "pip install 'tangency[experiments]'" in capsys.readouterr().err


def test_the_published_page_is_that_of_the_published_runs() -> None:
    page = ROOT / "docs" / "experiments.md"
    store = Store(ROOT / "docs" / "experiments" / "small.jsonl")
    text = page.read_text(encoding="utf-8")
    figures = {Path(name).stem: name for name in re.findall(r"\]\((experiments/[^)]*\.svg)\)", text)}
    assert all((page.parent / name).is_file() for name in figures.values())
    assert text == pages.page(store, Size.SMALL, figures)
