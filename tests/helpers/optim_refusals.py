"""An optimizer with two named parameters to be spoilt, and the demand that it refuses without a change."""

import pytest
import torch
from optim_paths import on_every_path

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "weight_decay": 0.25, **more}),
}
both = on_every_path(OPTIMIZERS)
adamp = on_every_path({"AdamP": OPTIMIZERS["AdamP"]})
W = torch.tensor([[1.0, 2.0, 2.0], [3.0, -1.0, 0.5], [0.25, 1.0, -2.0], [1.5, 0.5, 1.0]])
G = W.flip(0) - 0.5


def model(make, **more):
    """An optimizer after a step of two named parameters in two groups, the second of them to be spoilt."""
    first, second = torch.nn.Parameter(W.clone()), torch.nn.Parameter(W.clone())
    first.grad, second.grad = G.clone(), G.clone()
    groups = [{"params": [("first.weight", first)]}, {"params": [("second.weight", second)], "lr": 0.25}]
    optimizer = make(groups, **more)
    optimizer.step()
    return optimizer, first, second


def everything(optimizer):
    """Bytes of all parameters and states, and all options."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    tensors = [x for p in params for x in (p, *optimizer.state.get(p, {}).values())]
    held = [
        (tuple(x.shape), x.dtype, bytes(x.untyped_storage().tolist()) if x.device.type == "cpu" else b"")
        for x in tensors
        if isinstance(x, torch.Tensor) and x.layout is torch.strided
    ]
    options = [{k: repr(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    return held, [list(optimizer.state.get(p, {})) for p in params], options


def refuses(optimizer, action, says, kind=RuntimeError):
    """The action raises an error that says so, and leaves parameters, states and options as they are."""
    before = everything(optimizer)
    with pytest.raises(kind, match=says):
        action()
    assert everything(optimizer) == before
