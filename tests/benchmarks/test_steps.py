"""What is measured of a step, without a word on how long it takes."""

from typing import Any

import pytest
import torch

from tangency.benchmarks import cost_model, modes, steps
from tangency.benchmarks.contenders import Contender, LeftOut, WrongStep, contenders
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.shapes import Weight, small
from tangency.benchmarks.steps import Competitors, competitors_of, counted, measure, stepper
from tangency.optim import SGDP

BASE, LOOP = (contenders("SGDP")[i] for i in (0, 3))
PAIR = Competitors("SGDP", (BASE, LOOP), (LeftOut("a peer", "not installed"),))


@pytest.mark.usefixtures("quick")
def test_every_contender_has_a_row_in_one_run() -> None:
    told: list[tuple[int, int]] = []
    timing = measure("small", small(), "channel", PAIR, budget=0, sampled="all", watch=lambda *done: told.append(done))
    assert [row.name for row in timing.rows] == ["torch SGD fused", "tangency loop"]
    assert timing.rows[0].ratio == steps.Spread(1, 1, 1)
    assert told == [(i, timing.rounds) for i in range(1, timing.rounds + 1)]
    size = sum(weight.size for weight in small())
    assert (timing.parameters, timing.tensors, timing.floor) == (size, len(small()), 20 * size)
    assert timing.fused == cost_model.step("SGDP", small(), "channel", fast=True).bytes()
    assert timing.left_out == (LeftOut("a peer", "not installed"),)
    assert (timing.what, timing.mode, timing.sampled) == ("small", "channel", "all")


@pytest.mark.usefixtures("quick")
def test_caches_are_emptied_by_a_sweep_of_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr(steps, "_probe", lambda device: lambda: swept.append(1))
    warm = measure("small", small(), "none", PAIR, budget=0)
    alone = len(swept)
    assert alone == 3 + warm.rounds  # one of the contenders
    cold = measure("small", small(), "none", PAIR, budget=0, cold=True)
    assert len(swept) - alone == 3 + cold.rounds + 3 * (2 + cold.rounds)
    assert (warm.cold, cold.cold) == (False, True)


@pytest.mark.usefixtures("quick")
def test_half_the_bytes_an_element_are_half_the_traffic() -> None:
    whole, half = (measure("small", small(), "none", PAIR, budget=0, dtype=one) for one in ("float32", "bfloat16"))
    assert (whole.dtype, half.dtype) == ("float32", "bfloat16")
    assert (whole.floor, whole.fused) == (2 * half.floor, 2 * half.fused)


class Turning(torch.optim.SGD):
    """Leaves the problem: its weights become radial."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                assert p.grad is not None
                p.copy_(p.grad)


@pytest.mark.usefixtures("quick")
def test_times_of_another_decision_are_refused() -> None:
    turning = Contender("turning", lambda: Turning, OPTIMIZERS["SGDP"].options)
    with pytest.raises(modes.WrongMode, match=r"Eq\. 11 decides none; meant was channel"):
        measure("small", small(), "channel", Competitors("SGDP", (turning,), ()), budget=0)


def test_the_field_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Any:
        raise ModuleNotFoundError("no such package")

    wrong = Contender("peer", lambda: SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"nesterov": True})
    monkeypatch.setattr(steps, "contenders", lambda *a, **k: [BASE, LOOP, Contender("x", absent, {}), wrong])
    found = competitors_of("SGDP")
    assert found.ready == (BASE, LOOP)
    assert found.left_out[0] == LeftOut("x", "no such package")
    assert "times the bound" in found.left_out[1].reason
    ours = Contender("ours", lambda: SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"nesterov": True}, ours=True)
    monkeypatch.setattr(steps, "contenders", lambda *a, **k: [ours])
    with pytest.raises(WrongStep, match="ours: "):
        competitors_of("SGDP")


def test_a_step_moves_the_state_and_hardly_a_weight() -> None:
    made: list[Any] = []
    params = modes.problem(small(), "channel")
    before = [p.detach().clone() for p in params]

    def kind(*args: Any, **options: Any) -> Any:
        made.append(SGDP(*args, **options))
        return made[0]

    stepper(Contender("ours", lambda: kind, OPTIMIZERS["SGDP"].options), params)()
    assert made[0].param_groups[0]["lr"] == modes.STILL
    for p, old in zip(params, before, strict=True):
        assert torch.equal(made[0].state[p]["momentum_buffer"], p.grad)
        # w is a number of its format: rounding w − d to the next one moves it by no more than |d| again.
        most = 2 * modes.STILL * float(p.grad.norm() + old.norm())
        assert float((p.detach() - old).abs().max()) <= most


def test_counts_of_a_step() -> None:
    weights = [Weight("w", "conv", (3, 4)), Weight("b", "norm", (5,))]
    base, loop = counted("two", weights, "channel", PAIR)
    assert (base.name, base.parameters, base.rows) == ("torch SGD fused", 17, 3)
    # b ← β b + g + λ w, w ← w − η b: three tensors read and two written, the floor of the model.
    assert (base.counts.operations, base.counts.traffic) == (1, (cost_model.floor("SGDP") * 17).bytes())
    assert (base.counts.allocations, base.counts.peak, base.counts.synchronisations) == (0, 0, 0)
    assert base.state == loop.state == 4 * 17
    assert loop.counts.synchronisations == 0
    assert loop.counts.traffic > base.counts.traffic


def test_state_is_what_adam_keeps() -> None:
    base, loop = (contenders("AdamP")[i] for i in (0, 3))
    theirs, ours = counted("small", small(), "none", Competitors("AdamP", (base, loop), ()))
    assert ours.state == theirs.state == 8 * theirs.parameters + 4 * len(small())


def test_what_torch_compiles_is_not_counted() -> None:
    compiled = Contender("compiled", lambda: SGDP, OPTIMIZERS["AdamP"].options, compiled=True)
    assert counted("small", small(), "none", Competitors("SGDP", (compiled,), ())) == []
