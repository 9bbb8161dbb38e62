"""``scan`` leaves no trace, refuses what it cannot scan, and its records are printed, written and used."""

import copy
import doctest
import importlib
import io
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import probed_models as models
import pytest
import torch
from probed_models import seeded
from rich.console import Console
from torch import nn

from tangency.common.calls import WrongCall
from tangency.optim import SGDP, AdamP
from tangency.probe import Scan, scan
from tangency.probe.arithmetic import NO_EPS, Float64, gamma_n
from tangency.probe.report import by_views, groups, groups_source, print_scan, to_json

NET, BATCH = models.two_blocks()
FOUND = scan(NET, BATCH)


def everything(model: nn.Module) -> dict[str, Any]:
    """All that a scan could change of a model, byte for byte."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    found = {name: (one.dtype, one.detach().numpy().tobytes(), one.data_ptr()) for name, one in tensors.items()}
    gradients = {f"{name} grad": p.grad.numpy().tobytes() for name, p in model.named_parameters() if p.grad is not None}
    flags = {f"{name} training": one.training for name, one in model.named_modules()}
    return {**found, **gradients, **flags, "eps": [getattr(one, "eps", None) for one in model.modules()]}


def test_nothing_is_changed() -> None:
    random.seed(99)
    np.random.seed(99)
    net = nn.Sequential(seeded(lambda: copy.deepcopy(NET)), nn.Dropout(0.5), nn.Linear(2, 2))
    net[0][1].eval()
    net(BATCH).sum().backward()
    batch = BATCH.clone()
    before = everything(net), torch.get_rng_state(), np.random.get_state(), random.getstate(), torch.get_default_dtype()
    scan(net, batch)
    after = everything(net), torch.get_rng_state(), np.random.get_state(), random.getstate(), torch.get_default_dtype()
    assert before[0] == after[0]
    assert torch.equal(before[1], after[1])
    assert str(before[2]) == str(after[2])
    assert before[3:] == after[3:]
    assert torch.equal(batch, BATCH)


def test_dropout_is_off_and_buffers_are_as_they_were_at_every_evaluation() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return x * self.calls

    net = nn.Sequential(copy.deepcopy(NET), nn.Dropout(1.0), Counts())
    assert [one.view for one in scan(net, BATCH).weights] == [one.view for one in FOUND.weights]
    assert net[2].calls == 0


def test_random_numbers_of_a_model_are_the_same_at_every_evaluation() -> None:
    def noisy(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
        return model(batch) * (torch.rand(()) + random.random() + np.random.random())

    assert [one.view for one in scan(NET, BATCH, noisy).weights] == [one.view for one in FOUND.weights]


def test_a_seed_repeats_a_scan() -> None:
    assert to_json(scan(NET, BATCH, seed=3)) == to_json(scan(NET, BATCH, seed=3)) != to_json(FOUND)


class _Raises(nn.Module):
    def __init__(self, what: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.weight, self._what = nn.Parameter(torch.ones(2)), what

    def forward(self, x: torch.Tensor) -> Any:
        return self._what(self.weight * x)


def _raise(_: torch.Tensor) -> None:
    raise RuntimeError("out of cheese")


CALLS = iter(range(1000))


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        (3, {}, "model is int; it must be a torch.nn.Module"),
        (nn.ReLU(), {}, "the model has no trainable weight"),
        (nn.Linear(2, 2, device="meta"), {}, "weight is on the meta device"),
        (nn.LazyLinear(2), {}, "weight has no shape yet"),
        (_Raises(_raise), {}, "cannot be evaluated on the batch in float64: RuntimeError: out of cheese"),
        (_Raises(lambda x: None), {}, "the model's output holds no floating-point tensor"),
        (_Raises(lambda x: x / 0), {}, "the model's output on the batch is not finite"),
        (_Raises(lambda x: x + next(CALLS)), {}, "two evaluations of the model differ"),
        (_Raises(lambda x: x.detach()), {}, "the model's output has no gradient"),
        (nn.Linear(2, 2, dtype=torch.complex64), {}, "weight is torch.complex64; trainable weights must be real"),
        (nn.Linear(2, 2), {"alpha": 0}, "alpha is 0; it must lie between 0 and 1"),
        (nn.Linear(2, 2), {"beta": float("nan")}, "beta is nan; it must lie between 0 and 1"),
        (nn.Linear(2, 2), {"seed": -1}, "seed is -1; it must lie in"),
    ],
)
def test_what_cannot_be_scanned_is_refused(model: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(WrongCall, match=says.replace("(", "\\(")):
        scan(model, torch.ones(3, 2), **options)


def test_an_unknown_weight_is_named() -> None:
    with pytest.raises(WrongCall, match=r"no weight is called '0\.wieght'; did you mean 0\.weight"):
        FOUND["0.wieght"]


@pytest.mark.parametrize(
    "output",
    [
        lambda x: (x, x.argmax()),
        lambda x: {"logits": x, "nothing": None},
        lambda x: [x.to(torch.complex128)],
        lambda x: x.to(torch.bfloat16),
    ],
)
def test_outputs_may_be_nested(output: Callable[[torch.Tensor], Any]) -> None:
    assert str(scan(_Raises(output), torch.ones(3, 2))["weight"].view) == "none"


def test_arguments_may_have_names() -> None:
    one = scan(nn.Bilinear(2, 3, 4, bias=False), {"input1": torch.randn(5, 2), "input2": torch.randn(5, 3)})["weight"]
    assert str(one.view) == str(one.tested.view) == "none"


def test_no_eps_changes_no_variance_and_hides_zero() -> None:
    assert all(v + NO_EPS == v for v in (1.0, 1e-30, 2.0**-346))
    assert 0.0 / NO_EPS**0.5 == 0.0


def test_float64_wherever_a_model_asks_for_less() -> None:
    x = torch.ones(2, dtype=torch.float64)
    with Float64():
        made = (x.float(), x.half(), x.to(torch.bfloat16), torch.zeros(1, dtype=torch.float32), x.to("cpu"))
    assert {one.dtype for one in made} == {torch.float64}


def test_gamma_is_that_of_higham() -> None:
    assert gamma_n(1) > 2.0**-53
    assert gamma_n(10**6) == pytest.approx(10**6 * 2.0**-53, rel=1e-9)


def test_the_shares_add_up() -> None:
    sizes = {one.name: one.size for one in FOUND.weights}
    assert sizes == {name: p.numel() for name, p in NET.named_parameters()}
    assert FOUND.share == NET[0].weight.numel() / sum(sizes.values())
    assert sum(group.elements for group in FOUND.by_kind().values()) == FOUND.total
    assert sum(group.elements for group in FOUND.by_module().values()) == FOUND.total
    assert FOUND.by_module()["Conv2d", "weight", "channel"].tensors == 1


def test_json_has_every_answer() -> None:
    document = json.loads(to_json(FOUND))
    first = document["weights"][0]
    assert (document["schema"], document["share"]) == (1, FOUND.share)
    assert first["name"] == "0.weight"
    assert {first[way]["view"]["kind"] for way in ("rescaled", "tested", "traced")} == {"channel"}
    assert first["view"] == {"kind": "channel", "parts": 4}
    assert len(document["weights"]) == len(FOUND.weights)


def printed(found: Scan) -> str:
    stream = io.StringIO()
    print_scan(Console(file=stream, width=100), found)
    return stream.getvalue()


def test_the_table_has_a_row_for_weights_of_one_kind() -> None:
    net = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(3)), nn.RMSNorm(4))
    page = printed(scan(net, torch.randn(5, 4)))
    assert "*.weight   Linear    layer      layer      layer         3           48" in page
    assert page.startswith("92.31% of 52 trainable parameters are scale-invariant (48)")


def test_the_table_says_what_has_no_reason() -> None:
    assert "? gradient: it says none: weight" in printed(scan(*models.wrong_backward()))


@pytest.mark.parametrize("optimizer", [AdamP, SGDP])
def test_the_groups_are_those_of_an_optimizer(optimizer: Callable[..., torch.optim.Optimizer]) -> None:
    space: dict[str, Any] = {}
    exec(groups_source(FOUND), space)
    assert (space["PROJECT"], space["DECAY"]) == ({("channel",): ["0.weight"]}, ["3.weight"])
    assert space["PLAIN"] == groups(FOUND)["plain"] == ["1.weight", "1.bias", "3.bias"]
    net = copy.deepcopy(NET)
    made = optimizer(space["parameter_groups"](net, weight_decay=0.1), lr=0.1)
    net(BATCH).square().sum().backward()
    made.step()
    assert [(group["weight_decay"], group["delta"] > 0) for group in made.param_groups] == [
        (0.1, True),
        (0.1, False),
        (0.0, False),
    ]


def test_a_head_is_projected_as_one() -> None:
    found = scan(models.Attention(), torch.randn(3, 5, 24))
    assert by_views(found)[4,] == ["q.weight", "k.weight"]
    space: dict[str, Any] = {}
    exec(groups_source(found), space)
    assert space["PROJECT"] == by_views(found)


@pytest.mark.parametrize("module", ["run", "view"])
def test_examples_in_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"tangency.probe.{module}"))
    assert result.attempted
    assert not result.failed
