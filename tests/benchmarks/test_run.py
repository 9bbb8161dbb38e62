"""A plan is carried out whole, and no more than it."""

from functools import partial

import pytest

from tangency.benchmarks import run as runs
from tangency.benchmarks import sweeps, training
from tangency.benchmarks.first_step import Start
from tangency.benchmarks.run import Plan, run
from tangency.benchmarks.steps import Competitors, competitors_of

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two contenders, sweeps of two points, a network of few weights, and no new interpreters."""
    points = [("4×9", sweeps.single((4, 9))), ("8×9", sweeps.single((8, 9)))]
    monkeypatch.setattr(runs, "competitors_of", partial(competitors_of, only={"tangency loop"}))
    monkeypatch.setattr(sweeps, "shapes", lambda: points)
    monkeypatch.setattr(sweeps, "scaling", lambda: {"rows": points})
    monkeypatch.setattr(runs, "train", partial(training.train, batch=2, model=lambda: training.network(2, 1)))

    def starts(what: str, competitors: Competitors, *, device: str, watch: object) -> list[Start]:
        return [Start(what, competitors.optimizer, one.name, 1.0, 1.0, 1.0) for one in competitors.ready]

    monkeypatch.setattr(runs, "starts", starts)


def test_all_of_it() -> None:
    told: list[str] = []
    plan = Plan(
        ("SGDP", "AdamP"),
        ("trained", "channel", "none"),
        models=("small",),
        shapes=True,
        scaling=True,
        training=True,
        first_step=True,
        budget=0,
        cold=True,
    )
    results = run(plan, lambda label, done, total: told.append(label))
    assert [(one.optimizer, one.mode) for one in results.timings] == [
        (o, m) for o in plan.optimizers for m in plan.modes
    ]
    assert [(one.optimizer, one.mode) for one in results.counts[::2]] == [("SGDP", "trained"), ("AdamP", "trained")]
    # A single weight that is trained is one in the channel view: not twice.
    found = [(one.title, one.optimizer, one.mode) for one in results.sweeps if one.optimizer == "AdamP"]
    assert found == [
        ("shapes", "AdamP", "channel"),
        ("shapes", "AdamP", "none"),
        ("cost by rows", "AdamP", "trained"),
    ]
    assert [timing.what for timing in results.sweeps[0].timings] == ["4×9", "8×9"]
    assert all(timing.cold for timing in results.all_timings())
    assert len(results.all_timings()) == 2 * (3 + 3 * 2)
    assert [one.optimizer for one in results.trainings] == ["SGDP", "AdamP"]
    assert {one.optimizer for one in results.starts} == {"SGDP", "AdamP"}
    for label in ("SGDP: verifying", "small, AdamP, none", "8×9, SGDP, channel", "AdamP: training"):
        assert label in told


def test_no_more_than_is_planned() -> None:
    results = run(Plan(("SGDP",), ("trained",), scaling=True, budget=0))
    assert [sweep.title for sweep in results.sweeps] == ["cost by rows"]
    assert not results.timings
    assert not results.counts
    assert not results.trainings
    assert not results.starts


def test_trained_alone_is_the_channel_view_of_a_single_weight() -> None:
    (sweep,) = run(Plan(("SGDP",), ("trained",), shapes=True, budget=0)).sweeps
    assert sweep.mode == "trained"
