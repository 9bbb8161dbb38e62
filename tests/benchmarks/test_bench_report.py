"""What is printed, written and drawn of a run."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from made_up import results, timing
from rich.console import Console

from tangency.benchmarks.contenders import contenders
from tangency.benchmarks.figure import draw
from tangency.benchmarks.machine import PACKAGES, Neighbours, machine
from tangency.benchmarks.report import counts_table, heading, machine_line, print_results, print_timing, sweep_table
from tangency.benchmarks.results import FORMAT, Sweep, to_json


@pytest.fixture(scope="module")
def page() -> list[str]:
    stream = io.StringIO()
    print_results(Console(file=stream, width=100, highlight=False), results())
    return stream.getvalue().splitlines()


def cells(page: list[str], start: str, after: str) -> list[str]:
    """The words of the line that starts so, below a heading."""
    below = page[next(i for i, line in enumerate(page) if line.startswith(after)) :]
    return next(line for line in below if line.startswith(start)).removeprefix(start).split()


def test_times(page: list[str]) -> None:
    after = "resnet-50 · AdamP · trained: 1.0 M parameters in 3 tensors"
    ours = cells(page, "tangency fused", after)
    assert ours == ["4.000", "2.000", "–", "6.000", "2.00", "1.50", "–", "2.25", "7.0", "30%"]
    assert any("7 rounds; memory, updated in place: 10.0 GB/s; a step moves 28.0 MB at least" in line for line in page)


def test_counts(page: list[str]) -> None:
    after = "resnet-50 · AdamP · trained: what one step does"
    assert cells(page, "tangency loop", after) == ["12", "5.0", "4", "6", "6", "kB", "61", "8.00"]
    # What torch does not see is not shown as little.
    assert cells(page, "tangency fused", after) == ["–", "–", "4", "6", "6", "kB", "61", "8.00"]


def test_training(page: list[str]) -> None:
    ours = cells(page, "tangency fused", "training ResNet-20")
    assert ours == ["200.00", "2.0%", "1.0%", "–", "3.0%", "+8.0%", "+7.0%", "–", "+9.0%", "2.250"]


def test_a_sweep_ends_with_its_median_and_its_worst(page: list[str]) -> None:
    after = "shapes · AdamP · channel"
    assert cells(page, "b ", after) == ["*", "2.00", "4.00"]
    assert cells(page, "c ", after) == ["2.00", "3.00"]
    assert cells(page, "median", after) == ["3.00"]
    assert cells(page, "worst", after) == ["4.00"]
    note = "ns: of torch AdamW fused for one parameter; then ratios to it; * others used up to 48%"
    assert any(line.startswith(note) for line in page)


def test_a_sweep_of_everybody_fits_the_page() -> None:
    names = [one.name for one in contenders("AdamP", peers=True, compiled=True)]
    one = timing("convolution 512×512×3×3 *", 123.4)
    wide = dataclasses.replace(one, rows=tuple(dataclasses.replace(one.rows[1], name=name) for name in names))
    stream = io.StringIO()
    Console(file=stream, width=100).print(sweep_table(Sweep("shapes", "AdamP", "layer", (wide,))))
    assert "…" not in stream.getvalue()


def test_first_steps(page: list[str]) -> None:
    assert cells(page, "tangency fused", "small · AdamP: the first step") == ["4,000.0", "500.0", "1.0"]


def test_who_was_left_out_stands_once_with_the_reason(page: list[str]) -> None:
    (line,) = (line for line in page if "left out" in line)
    assert line.split() == ["AdamP,", "timm", "left", "out:", "timm", "is", "not", "installed"]


def test_nothing_is_cut_off(page: list[str]) -> None:
    assert not [line for line in page if "…" in line or len(line) > 100]


def test_counts_of_a_large_step_fit_the_page() -> None:
    (one, *_) = results().counts
    counts = dataclasses.replace(one.counts, operations=10_175, allocations=9_531, peak=511_046_000)
    large = dataclasses.replace(one, name="pytorch_optimizer foreach", counts=counts, rows=27_000)
    stream = io.StringIO()
    Console(file=stream, width=100).print(counts_table([large]))
    assert "…" not in stream.getvalue()


def test_one_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_timing(timing("small"))
    assert heading(timing("small")) in capsys.readouterr().out


def test_the_machine() -> None:
    found = machine()
    assert found.processor in machine_line(found)
    assert found.versions["torch"] in machine_line(found)
    assert set(found.versions) <= {"python", *PACKAGES}
    assert found.threads >= 1
    assert found.cores >= 1


def test_times_of_a_busy_machine_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    print_timing(dataclasses.replace(timing("small"), others=0.48))
    assert "OTHERS USED 48% OF THE MACHINE MEANWHILE" in " ".join(capsys.readouterr().out.split())
    for quiet in (0.02, None):
        print_timing(dataclasses.replace(timing("small"), others=quiet))
        assert "OTHERS" not in capsys.readouterr().out


def test_cold_caches_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    print_timing(dataclasses.replace(timing("small"), cold=True))
    assert "in 3 tensors, caches emptied before each step" in capsys.readouterr().out


def test_neighbours_are_counted_without_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([(100.0, 40.0, 7.0), (110.0, 48.0, 10.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
    monkeypatch.setattr(Neighbours, "_now", staticmethod(lambda: next(readings)))
    assert Neighbours().share() == pytest.approx(0.5)  # busy for 8 of 10 seconds, of which 3 were ours
    assert Neighbours().share() is None  # the system does not tell


def test_neighbours_here() -> None:
    total, busy, own = Neighbours._now()
    assert total >= busy >= 0
    assert own >= 0


def test_json_has_all_of_it() -> None:
    found = json.loads(to_json(results()))
    assert found["format"] == FORMAT
    assert found["timings"][0]["rows"][1]["ratio"] == {"p20": 1.5, "p50": 2.0, "p80": 2.25}
    assert found["timings"][0]["left_out"] == [{"name": "timm", "reason": "timm is not installed"}]
    assert found["counts"][0]["counts"]["operations"] == 12
    assert found["machine"]["versions"]["torch"]
    assert {key for key, value in found.items() if value} == set(found)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_chart(suffix: str) -> None:
    path = Path(f"chart{suffix}")
    drawn = draw(path, results())
    assert len(drawn) > 1000
    if suffix == ".svg":
        assert draw(path, results()) == drawn


@pytest.mark.parametrize("odd", [0.0, 1.7e308, 5e-324, float("inf"), float("nan")])
def test_every_number_is_printed_and_is_json(odd: float) -> None:
    def oddly(value: Any) -> Any:
        """The same with every float in the place of which another may be measured."""
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(
                value, **{f.name: oddly(getattr(value, f.name)) for f in dataclasses.fields(value)}
            )
        if isinstance(value, list | tuple):
            return type(value)(map(oddly, value))
        return odd if isinstance(value, float) else value

    found = oddly(results())
    page = io.StringIO()
    print_results(Console(file=page, width=100), found)
    assert "tangency fused" in page.getvalue()
    strict = json.loads(to_json(found), parse_constant=pytest.fail)
    assert strict["trainings"][0]["rows"][0]["loss"] in (odd, str(odd))
