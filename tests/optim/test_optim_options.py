"""Arguments: each is checked, in the constructor and in every group, and the error says what would be right."""

import inspect
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from optim_paths import every_path

from tangency.optim import SGDP, AdamP

NAN, INF = float("nan"), float("inf")

SHARED = [
    ("lr", -0.1, ValueError, r"lr must be a finite number >= 0, .*got -0.1"),
    ("lr", NAN, ValueError, r"lr must be .*got nan"),
    ("lr", INF, ValueError, r"lr must be .*got inf"),
    ("lr", True, TypeError, r"lr must be .*got True \(bool\)"),
    ("lr", "0.1", TypeError, r"lr must be .*got '0.1' \(str\)"),
    ("lr", None, TypeError, r"lr must be .*got None \(NoneType\)"),
    ("lr", 1 + 0j, TypeError, r"lr must be .*\(complex\)"),
    ("lr", 10**400, ValueError, r"lr must be "),
    ("lr", Decimal("0.1"), TypeError, r"lr must be .*\(Decimal\)"),
    ("lr", torch.tensor([0.1, 0.2]), ValueError, r"lr must be .*one element, got a tensor of shape \(2,\)"),
    ("lr", torch.tensor(-0.1), ValueError, r"lr must be .*>= 0"),
    ("lr", torch.tensor(NAN), ValueError, r"lr must be .*got nan"),
    ("lr", torch.tensor(1), TypeError, r"lr must be .*got a tensor of torch.int64"),
    ("lr", torch.tensor(1j), TypeError, r"lr must be .*got a tensor of torch.complex64"),
    ("weight_decay", -1, ValueError, r"weight_decay must be a finite number >= 0, got -1"),
    ("weight_decay", torch.tensor(0.1), TypeError, r"weight_decay must be a finite number >= 0, .*\(Tensor\)"),
    ("eps", -1e-8, ValueError, r"eps must be a finite number >= 0, got -1e-08"),
    ("eps", NAN, ValueError, r"eps must be"),
    ("delta", -0.1, ValueError, r"delta must be a finite number >= 0, got -0.1"),
    ("delta", INF, ValueError, r"delta must be"),
    ("delta", False, TypeError, r"delta must be .*got False \(bool\)"),
    ("wd_ratio", 1.5, ValueError, r"wd_ratio must be a number in \[0, 1\], got 1.5"),
    ("wd_ratio", -0.5, ValueError, r"wd_ratio must be"),
    ("views", "layer", TypeError, r"views must be a sequence: any of .*got 'layer' \(str\)"),
    ("views", 4, TypeError, r"views must be a sequence: any of .*got 4 \(int\)"),
    ("views", (), ValueError, r'views must be any of "channel", .* and "layer", in this order, got \(\)'),
    ("views", ("rows",), ValueError, r"views must be any of .*got \('rows',\)"),
    ("views", ("layer", "channel"), ValueError, r"views must be any of .*in this order"),
    ("views", ("channel", 4, 8), ValueError, r"views must be"),
    ("views", ("channel", 1), ValueError, r"views must be any of .*a head \(at least 2\)"),
    ("views", (True, "layer"), ValueError, r"views must be"),
    ("views", (2.0,), ValueError, r"views must be"),
    ("nesterov", 1, TypeError, r"nesterov must be True or False, got 1 \(int\)"),
    ("maximize", None, TypeError, r"maximize must be True or False"),
    ("capturable", "yes", TypeError, r"capturable must be True or False"),
    ("differentiable", 0, TypeError, r"differentiable must be True or False"),
    ("foreach", 0, TypeError, r"foreach must be None, True or False, got 0 \(int\)"),
    ("fused", 1, TypeError, r"fused must be None, True or False, got 1 \(int\)"),
]
CASES = [
    *((SGDP, *case) for case in SHARED),
    *((AdamP, *case) for case in SHARED),
    (SGDP, "momentum", -0.1, ValueError, r"momentum must be a number in \[0, 1\], got -0.1"),
    (SGDP, "momentum", 1.1, ValueError, r"momentum must be"),
    (SGDP, "momentum", NAN, ValueError, r"momentum must be"),
    (SGDP, "momentum", "0.9", TypeError, r"momentum must be"),
    (SGDP, "dampening", INF, ValueError, r"dampening must be a finite number, got inf"),
    (SGDP, "dampening", None, TypeError, r"dampening must be a finite number"),
    (AdamP, "betas", 0.9, TypeError, r"betas must be a pair of numbers in \[0, 1\), got 0.9 \(float\)"),
    (AdamP, "betas", (0.9,), ValueError, r"betas must be a pair .*got 1 values"),
    (AdamP, "betas", (0.9, 0.99, 0.999), ValueError, r"betas must be a pair .*got 3 values"),
    (AdamP, "betas", (1.0, 0.999), ValueError, r"betas\[0\] must be a number in \[0, 1\), got 1.0"),
    (AdamP, "betas", (0.9, -0.1), ValueError, r"betas\[1\] must be a number in \[0, 1\), got -0.1"),
    (AdamP, "betas", (0.9, NAN), ValueError, r"betas\[1\] must be"),
    (AdamP, "betas", ("0.9", 0.999), TypeError, r"betas\[0\] must be"),
]


def parameter():
    return torch.nn.Parameter(torch.ones(2))


@pytest.mark.parametrize(("cls", "name", "value", "error", "message"), CASES)
def test_a_bad_argument_is_named_and_explained(cls, name, value, error, message):
    with pytest.raises(error, match=message):
        cls([parameter()], **{"lr": 0.1, name: value})
    with pytest.raises(error, match=message):
        cls([{"params": [parameter()], name: value}], lr=0.1)
    optimizer = cls([parameter()], lr=0.1)
    with pytest.raises(error, match=message):
        optimizer.add_param_group({"params": [parameter()], name: value})
    assert len(optimizer.param_groups) == 1


def test_weight_decay_with_momentum_one_is_refused():
    with pytest.raises(ValueError, match="weight_decay must be 0 where momentum is 1"):
        SGDP([parameter()], lr=0.1, momentum=1.0, weight_decay=0.1)
    with pytest.raises(ValueError, match="weight_decay must be 0 where momentum is 1"):
        SGDP([{"params": [parameter()], "momentum": 1}], lr=0.1, weight_decay=0.1)
    SGDP([parameter()], lr=0.1, momentum=1.0)


@pytest.mark.parametrize("cls", [SGDP, AdamP])
def test_unknown_arguments_and_bad_parameters(cls):
    with pytest.raises(TypeError, match="momentun"):
        cls([parameter()], lr=0.1, momentun=0.9)
    with pytest.raises(TypeError):
        cls([parameter()], 0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="empty parameter list"):
        cls([], lr=0.1)
    with pytest.raises(TypeError, match="iterable"):
        cls(parameter(), lr=0.1)
    with pytest.raises(TypeError, match="can only optimize Tensors"):
        cls([1.0], lr=0.1)
    with pytest.raises(ValueError, match="non-leaf"):
        cls([parameter() * 2], lr=0.1)
    with pytest.raises(TypeError, match="must be a dict"):
        cls([parameter()], lr=0.1).add_param_group([parameter()])


def test_lr_is_required_by_sgdp_alone():
    with pytest.raises(ValueError, match="lr must be given, to SGDP or in every parameter group"):
        SGDP([parameter()])
    SGDP([{"params": [parameter()], "lr": 0.1}])
    assert AdamP([parameter()]).defaults["lr"] == 1e-3


@pytest.mark.parametrize(
    ("value", "stored"), [(0.5, 0.5), (1, 1), (np.float32(0.5), 0.5), (np.int64(1), 1.0), (Fraction(1, 4), 0.25)]
)
def test_numbers_of_any_kind_become_plain_ones(value, stored):
    optimizer = SGDP([parameter()], lr=value, momentum=0.5)
    group = optimizer.param_groups[0]
    assert group["lr"] == stored
    assert type(group["lr"]) in (int, float)
    optimizer.add_param_group({"params": [parameter()], "lr": value})
    assert type(optimizer.param_groups[1]["lr"]) in (int, float)
    assert type(AdamP([parameter()], betas=[0.5, np.float64(0.5)]).param_groups[0]["betas"]) is tuple


EXCLUSIVE = [("foreach", "fused"), ("foreach", "differentiable"), ("fused", "differentiable")]


@pytest.mark.parametrize("cls", [SGDP, AdamP])
@pytest.mark.parametrize("names", EXCLUSIVE, ids=" and ".join)
def test_code_paths_exclude_each_other(cls, names):
    both, said = dict.fromkeys(names, True), f"{names[0]} and {names[1]} cannot be True together"
    with pytest.raises(RuntimeError, match=said):
        cls([parameter()], lr=0.1, **both)
    with pytest.raises(RuntimeError, match=said):
        cls([{"params": [parameter()], names[0]: True}], lr=0.1, **{names[1]: True})
    p = parameter()
    p.grad = torch.ones(2)
    optimizer = cls([p], lr=0.1)
    optimizer.param_groups[0].update(both)
    with pytest.raises(RuntimeError, match=said):
        optimizer.step()
    assert torch.equal(p, torch.ones(2))


CHOICES = [
    ({}, "_one_by_one"),
    ({"foreach": False}, "_one_by_one"),
    ({"fused": False}, "_one_by_one"),
    ({"differentiable": True}, "_one_by_one"),
    ({"foreach": True}, "_in_lists"),
    ({"foreach": True, "fused": False}, "_in_lists"),
    ({"fused": True}, "_in_kernels"),
    ({"fused": True, "foreach": False}, "_in_kernels"),
]


@pytest.mark.parametrize("cls", [SGDP, AdamP])
@pytest.mark.parametrize(("options", "path"), CHOICES, ids=str)
def test_options_choose_the_path(cls, options, path, monkeypatch):
    taken = []
    for name in ("_one_by_one", "_in_lists", "_in_kernels"):
        monkeypatch.setattr(cls, name, lambda *_, name=name: taken.append(name))
    p = torch.ones(2)
    p.grad = torch.ones(2)
    cls([p], lr=0.1, **options).step()
    assert taken == [path]


@pytest.mark.parametrize("cls", [SGDP, AdamP])
@pytest.mark.parametrize("lr", [0.1, torch.tensor(0.1)], ids=["number", "tensor"])
def test_on_a_device_with_list_kernels_they_are_the_default(cls, lr, monkeypatch):
    # Torch takes the loop for a tensor lr without capturable, since its lists would read lr on the host. Ours do not.
    monkeypatch.setattr(
        sys.modules[torch.optim.Optimizer.__module__], "_get_foreach_kernels_supported_devices", lambda: ["cpu"]
    )
    taken = []
    monkeypatch.setattr(cls, "_in_lists", lambda *_: taken.append("lists"))
    p = parameter()
    p.grad = torch.ones(2)
    cls([p], lr=lr).step()
    assert taken == ["lists"]


@every_path
@pytest.mark.parametrize("cls", [SGDP, AdamP])
def test_heads_that_do_not_divide_a_parameter_are_refused_before_anything_changes(cls, path):
    fits, odd, vector = (torch.nn.Parameter(torch.ones(*shape)) for shape in ((8, 3), (6, 2), (6,)))
    optimizer = cls([fits, odd, vector], lr=0.1, views=["channel", np.int64(4)], **path)
    assert optimizer.param_groups[0]["views"] == ("channel", 4)
    for p in (fits, vector):
        p.grad = torch.ones_like(p)
    optimizer.step()  # what has no gradient is not cut, nor is what has one dimension
    before = [p.detach().clone() for p in (fits, odd, vector)]
    odd.grad = torch.ones_like(odd)
    with pytest.raises(
        ValueError, match="parameter 1 of group 0: views has heads of 4 slices, which do not divide the 6"
    ):
        optimizer.step()
    assert all(map(torch.equal, before, (fits, odd, vector)))
    assert odd not in optimizer.state


def test_a_state_from_before_there_were_views_has_those_of_the_optimizer():
    p = parameter()
    state = SGDP([p], lr=0.1).state_dict()
    del state["param_groups"][0]["views"]
    optimizer = SGDP([p], lr=0.1, views=("layer",))
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["views"] == ("layer",)


def test_options_unknown_here_stay_in_their_group():
    optimizer = SGDP([{"params": [parameter()], "initial_lr": 0.5, "tag": "head"}], lr=0.1)
    assert optimizer.param_groups[0]["tag"] == "head"


PUBLISHED = {
    SGDP: ["params", "lr", "momentum", "dampening", "weight_decay", "nesterov", "eps", "delta", "wd_ratio"],
    AdamP: ["params", "lr", "betas", "eps", "weight_decay", "delta", "wd_ratio", "nesterov"],
}


@pytest.mark.parametrize("cls", PUBLISHED)
def test_the_signature_is_the_published_one_and_torchs_switches(cls):
    parameters = inspect.signature(cls).parameters
    positional = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    keyword = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert positional == PUBLISHED[cls]
    assert keyword == {
        "maximize": False,
        "foreach": None,
        "fused": None,
        "capturable": False,
        "differentiable": False,
        "views": ("channel", "layer"),
    }
    defaults = {"eps": 1e-8, "weight_decay": 0, "delta": 0.1, "wd_ratio": 0.1, "nesterov": False}
    defaults |= {"momentum": 0, "dampening": 0} if cls is SGDP else {"lr": 1e-3, "betas": (0.9, 0.999)}
    assert {name: parameters[name].default for name in defaults} == defaults
