"""Runs of studies: stored once, resumed after a kill with the same result, and the same in several processes."""

import json
from pathlib import Path

import pytest

from tangency.benchmarks.experiments import runner
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.store import Store, key
from tangency.benchmarks.experiments.studies import study
from tangency.common.calls import WrongCall

TOYS = study("figure-1").plan(Preset(Size.SMOKE))[:3]
TRAINED = {
    "task": "classify", "data": "digits", "width": 2, "depth": 1, "batch": 250, "epochs": 1, "samples": 2,
    "optimizer": "SGDP", "lr": 0.1, "schedule": "cosine", "seed": 3,
}  # fmt: skip


def results(store: Store) -> dict[str, object]:
    return {name: line["result"] for name, line in store.lines.items()}


def test_options_have_one_key_in_any_order() -> None:
    assert key({"a": 1, "b": [0.1, None]}) == key({"b": [0.1, None], "a": 1})
    assert key({"a": 1}) != key({"a": 2})


def test_what_is_there_is_not_done_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.jsonl")
    seen: list[object] = []
    assert runner.run(TOYS, store, 1, lambda config, took, left: seen.append((took, left))) == []
    assert len(seen) == len(TOYS)
    assert seen[-1][1] == 0  # type: ignore[index]
    again = Store(tmp_path / "runs.jsonl")
    assert runner.run(TOYS * 2, again, 1, lambda *_: pytest.fail("it ran")) == []
    assert results(again) == results(store)


def test_a_run_that_was_killed_is_resumed_with_the_same_result(tmp_path: Path) -> None:
    whole = Store(tmp_path / "whole.jsonl")
    runner.run([*TOYS, TRAINED], whole, 1)
    text = (tmp_path / "whole.jsonl").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(lines[:2]) + lines[2][:50], encoding="utf-8")
    resumed = Store(cut)
    assert len(resumed.lines) == 2
    assert runner.run([*TOYS, TRAINED], resumed, 1) == []
    assert results(Store(cut)) == results(whole)


def test_processes_give_the_same_as_one(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "one.jsonl"), Store(tmp_path / "two.jsonl")
    configs = [*TOYS, TRAINED, {**TRAINED, "seed": 4}]
    assert runner.run(configs, one, 1) == []
    assert runner.run(configs, two, 2) == []
    assert results(one) == results(two)
    assert {line["key"] for line in map(json.loads, two.path.read_text().splitlines())} == set(map(key, configs))


def test_a_run_that_raises_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.jsonl")
    problems = runner.run([TOYS[0], {**TRAINED, "optimizer": "Sgd"}, TOYS[1]], store, 1)
    assert len(problems) == 1
    assert problems[0].endswith("KeyError: 'Sgd'")
    assert len(store.lines) == 2


def test_the_estimate_is_of_runs_alike() -> None:
    outlook = runner.Outlook({"slow": 2, "new": 1}, jobs=2)
    assert outlook.seconds() != outlook.seconds()  # nothing is known yet
    outlook.took["slow"] += [10.0, 12.0]
    outlook.took["fast"] += [1.0]
    assert outlook.seconds() == pytest.approx((2 * 11 + 23 / 3) / 2)
    assert runner.Outlook.kind(TRAINED) == runner.Outlook.kind({**TRAINED, "seed": 9, "lr": 1.0, "optimizer": "SGD"})
    assert runner.Outlook.kind(TRAINED) != runner.Outlook.kind({**TRAINED, "epochs": 9})


@pytest.mark.parametrize("text", ["no json\n", '{"other": 1}\n', "[1]\n"])
def test_a_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongCall, match=r"runs.jsonl, line 1: it is no run"):
        Store(path)
