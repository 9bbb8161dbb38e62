"""``docs/gpu.md`` is what the results beside it make, and says so while there are none."""

import json
from pathlib import Path

import gpu_page
import pytest
from made_up import timing

from tangency.benchmarks.machine import machine
from tangency.benchmarks.results import Results, to_json

CARD = {
    "card": "A Card",
    "memory": 80 * 2**30,
    "capability": "9.0",
    "processors": 132,
    "runtime": "13.0",
    "driver": "580.1",
    "versions": {"python": "3.12.3", "torch": "2.11.0"},
    "commit": "0123456789ab",
    "day": "2026-11-27",
}


def claim(name: str, path: str, outcome: str, **more: object) -> dict[str, object]:
    found = {"claim": name, "subject": f"tangency.optim:SGDP{path}", **more}
    test = f"tests/gpu/test_x.py::test[{name}{path}]"
    return {"test": test, "step": "claims", "outcome": outcome, "seconds": 1.0, "detail": "a | b", "measured": found}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What a card could have written, cut in the middle of a line."""
    lines = [
        CARD,
        claim("eq-04", "", "passed", examples=100, error=0.5, verdict="holds"),
        claim("eq-04", "(fused=True)", "failed", examples=7, error="inf", verdict="fails"),
        claim("rate", "", "passed", examples=0, error=None, verdict="does not apply"),
        {"step": "claims", "says": "every claim", "outcome": "failed with 1", "codes": [1], "seconds": 40.2},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"test": "tests/op'
    (tmp_path / "results.jsonl").write_text(text, encoding="utf-8")
    results = Results(machine(), "cuda", [timing("resnet-50", 1.25)])
    (tmp_path / "bench-float32.json").write_text(to_json(results), encoding="utf-8")
    return tmp_path


def test_the_page_is_what_the_results_make() -> None:
    assert gpu_page.PAGE.read_text(encoding="utf-8") == gpu_page.page(gpu_page.RESULTS)


def test_without_results_it_says_that_no_card_has_run_this(tmp_path: Path) -> None:
    assert "No card has run this yet." in gpu_page.page(tmp_path)


def test_with_results_it_shows_the_card_the_claims_the_tests_and_the_times(out: Path) -> None:
    page = gpu_page.page(out)
    assert "No card has run this" not in page
    assert "## A Card" in page
    assert "2026-11-27, commit 0123456789ab: 80 GiB, 132 multiprocessors, capability 9.0" in page
    assert "driver 580.1; python 3.12.3, torch 2.11.0." in page
    for line in (
        "| claims | every claim | failed with 1 | 2 | 1 |  | 40 |",
        "| claim | SGDP(loop) | SGDP(fused) | error / bound |",
        "| eq-04 | ✓ 100 | ✗ 7 | inf |",
        "| rate | – | not run |  |",
        "- a \\| b: `test_x.py::test[eq-04(fused=True)]`",
        "| model | mode | GB/s | ms, torch AdamW fused | ms, ours | of memory | tangency fused |",
        "| resnet-50 | trained | 10 | 2.000 | 4.000 | 30% | 1.25 |",
        "- AdamP, timm: timm is not installed",
    ):
        assert line in page.splitlines(), line


def test_a_dry_run_becomes_no_page(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(json.dumps({"card": "the CPU", "dry": True}), encoding="utf-8")
    with pytest.raises(gpu_page.NoCard, match=r"results.jsonl is not of a card"):
        gpu_page.page(tmp_path)


def test_a_folder_of_results_is_taken_in(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    monkeypatch.setattr(gpu_page, "PAGE", docs / "gpu.md")
    monkeypatch.setattr(gpu_page, "RESULTS", docs / "gpu")
    assert gpu_page.main([str(out)]) == 0
    assert sorted(path.name for path in (docs / "gpu").iterdir()) == ["bench-float32.json", "results.jsonl"]
    assert (docs / "gpu.md").read_text(encoding="utf-8") == gpu_page.page(out)
