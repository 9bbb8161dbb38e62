"""``tangency watch``: a live file, one that ends within a line, and files that are no monitor's."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tangency.cli import watch as command
from tangency.cli.main import run
from tangency.cli.monitored import SCHEMA, Run
from tangency.optim import Monitor
from tangency.optim.monitor import writers


@cache
def real() -> dict[str, Any]:
    """A row as a monitor writes it; not made on import, for the first optimizer of a process imports triton."""
    p = torch.nn.Parameter(torch.ones(2, 2))
    p.grad = torch.ones(2, 2)
    optimizer = torch.optim.SGD([p], lr=0.1)
    monitor = Monitor(optimizer)
    optimizer.step()
    assert monitor.last is not None
    return next(monitor.last.rows())


SHOWN = {
    "norm": 2.0,
    "effective_step": 0.1,
    "angle": 0.1,
    "eq11": "channel",
    "invariant": 1.0,
    "growth_ratio": 3.0,
    "limit_ratio": 19.0,
    "equilibrium": 0.05,
}


def row(name: str = "conv.weight", **more: Any) -> dict[str, Any]:
    """A row with numbers of its own."""
    assert {*SHOWN, *more} <= real().keys()
    return {**real(), **SHOWN, "weight": name, **more}


def sample(step: int, *rows: dict[str, Any], schema: int = SCHEMA) -> str:
    return json.dumps({"monitor": schema, "step": step, "seconds": 0.5, "weights": list(rows)}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_text(sample(0, row(norm=1.0), row("head")) + sample(10, row(), row("head", slice=1)), encoding="utf-8")
    return path


def test_the_schema_is_the_monitors() -> None:
    assert writers.SCHEMA == SCHEMA


def test_the_last_sample_of_every_weight(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", str(file)]) == 0
    out = capsys.readouterr().out
    assert "step 10, 2 samples" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line[:4] in ("conv", "head")}
    assert lines["conv.weight"] == ["2", "2", "0.1", "2", "3", "of", "19", "channel", "100%"]
    assert set(lines) == {"conv.weight", "head", "head[1]"}


def test_weights_are_chosen_by_pattern(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", str(file), "--weight", "head*"]) == 0
    assert "conv" not in capsys.readouterr().out
    assert run(["watch", str(file), "--weight", "nothing"]) == 5
    assert "has no sample of a weight named nothing yet" in capsys.readouterr().err


def test_what_does_not_close_is_told_and_fails(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    early = {"fell_to": 0.25, "by_norm": 1.0, "lr_times": 4.0, "weight_decay": None}
    with file.open("a", encoding="utf-8") as open_file:
        open_file.write(sample(20, row(departure="coupled weight decay", closes=False), row("head", premature=early)))
    assert run(["watch", str(file)]) == 1
    out = capsys.readouterr().out
    assert "conv.weight: coupled weight decay" in out
    assert "head: its steps shrink too early, ×0.25; restored by projection, lr ×4" in out


def test_a_line_that_is_being_written_is_read_when_it_ends(file: Path) -> None:
    read = Run(file)
    whole = sample(20, row())
    with file.open("a", encoding="utf-8") as open_file:
        open_file.write(whole[:40])
    assert read.read_on()
    assert read.steps == [0, 10]
    assert not read.read_on()
    with file.open("a", encoding="utf-8") as open_file:
        open_file.write(whole[40:])
    assert read.read_on()
    assert read.steps == [0, 10, 20]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json\n", "line 3: it is no line of a monitor (JSONDecodeError"),
        ("[1]\n", "line 3: it is no line of a monitor (AttributeError"),
        (sample(1, schema=9), "line 3: it has schema 9 of a monitor's lines; 1 is read here"),
        (sample(1, {"weight": "a"}), "line 3: it is no line of a monitor (KeyError: 'norm')"),
        ("\x1b[2J\n", "line 3: it is no line of a monitor"),
    ],
)
def test_other_lines_are_refused(text: str, says: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with file.open("a", encoding="utf-8") as open_file:
        open_file.write(text)
    assert run(["watch", str(file)]) == 4
    err = capsys.readouterr().err
    assert says in err
    assert "\x1b" not in err


def test_files_that_cannot_be_read_or_drawn(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", str(tmp_path / "missing.jsonl")]) == 4
    assert "missing.jsonl cannot be read" in capsys.readouterr().err
    assert run(["watch", str(file), "--figure", "run.gif"]) == 4
    assert run(["watch", str(file), "--figure", str(tmp_path / "run.svg"), "--follow"]) == 4
    assert run(["watch", str(file), "--figure", str(file)]) == 4
    assert "leave out --follow" in capsys.readouterr().err


def test_the_figure_draws_every_weight(file: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "run.svg"
    assert run(["watch", str(file), "--figure", str(drawn)]) == 0
    text = drawn.read_text(encoding="utf-8")
    assert "<svg" in text
    first = drawn.read_bytes()
    assert run(["watch", str(file), "--figure", str(drawn)]) == 0
    assert drawn.read_bytes() == first


def test_a_live_file_is_followed_until_it_is_interrupted(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = iter(range(2))

    def sleep(seconds: float) -> None:
        if next(waits, None) is None:
            raise KeyboardInterrupt
        with file.open("a", encoding="utf-8") as open_file:
            open_file.write(sample(20, row(norm=7.0)))

    monkeypatch.setattr(command.time, "sleep", sleep)
    assert run(["watch", str(file), "--follow"]) == 2
    assert "7" in capsys.readouterr().out
