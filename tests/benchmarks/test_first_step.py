"""First steps are those of new interpreters."""

from pathlib import Path

import pytest

from tangency.benchmarks import first_step
from tangency.benchmarks.contenders import Contender, contenders
from tangency.benchmarks.first_step import BrokenStart, starts
from tangency.benchmarks.steps import Competitors


def test_a_contender_starts_in_an_interpreter_of_its_own(tmp_path: Path) -> None:
    first, second = first_step._run("small", "SGDP", "torch SGD fused", "cpu", tmp_path)
    assert min(first, second) > 0


def test_one_that_does_not_come_up_is_an_error() -> None:
    nobody = Contender("nobody", lambda: None, {})  # type: ignore[arg-type, return-value]
    with pytest.raises(BrokenStart, match="nobody: ValueError"):
        starts("small", Competitors("SGDP", (nobody,), ()), watch=lambda *done: None)


def test_caches_lie_in_a_folder_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    class Done:
        returncode, stdout, stderr = 0, "noise\n[1.5, 0.5]\n", ""

    told: list[tuple[int, int]] = []
    monkeypatch.setattr(first_step.subprocess, "run", lambda *a, env, **k: seen.append(env) or Done())
    (start,) = starts("small", Competitors("SGDP", (contenders("SGDP")[0],), ()), watch=lambda *done: told.append(done))
    assert (start.what, start.optimizer, start.name) == ("small", "SGDP", "torch SGD fused")
    assert (start.cold, start.warm, start.second) == (1.5, 1.5, 0.5)
    assert told == [(1, 1)]
    for variable in first_step.CACHES:
        cold, warm = (env[variable] for env in seen)
        assert cold == warm
        assert "tangency-" in cold
