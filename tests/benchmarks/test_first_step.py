"""First steps are those of new interpreters."""

import pytest

from tangency.benchmarks import first_step
from tangency.benchmarks.contenders import Contender, contenders
from tangency.benchmarks.first_step import BrokenStart, starts
from tangency.benchmarks.steps import Field


def test_a_contender_starts_in_interpreters_of_its_own() -> None:
    told: list[tuple[int, int]] = []
    base = contenders("SGDP")[0]
    (start,) = starts("small", Field("SGDP", (base,), ()), watch=lambda *done: told.append(done))
    assert (start.what, start.optimizer, start.name) == ("small", "SGDP", "torch SGD fused")
    assert told == [(1, 1)]
    assert min(start.cold, start.warm, start.second) > 0


def test_one_that_does_not_come_up_is_an_error() -> None:
    nobody = Contender("nobody", lambda: None, {})  # type: ignore[arg-type, return-value]
    with pytest.raises(BrokenStart, match="nobody: ValueError"):
        starts("small", Field("SGDP", (nobody,), ()), watch=lambda *done: None)


def test_caches_lie_in_a_folder_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    seen: list[dict[str, str]] = []

    class Done:
        returncode, stdout, stderr = 0, "noise\n[1.5, 0.5]\n", ""

    monkeypatch.setattr(first_step.subprocess, "run", lambda *a, env, **k: seen.append(env) or Done())
    (start,) = starts("small", Field("SGDP", (contenders("SGDP")[0],), ()), watch=lambda *done: None)
    assert (start.cold, start.warm, start.second) == (1.5, 1.5, 0.5)
    for variable in first_step.CACHES:
        cold, warm = (env[variable] for env in seen)
        assert cold == warm
        assert "tangency-" in cold
