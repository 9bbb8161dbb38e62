"""The optimizers that studies compare, by the options of a run; and step-size schedules."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tangency.optim import SGDP, AdamP

BASELINE = {"SGDP": "SGD", "AdamP": "AdamW"}
"""Which optimizer of torch each of ours is compared with."""


def make(config: dict[str, Any], parameters: Iterable[Tensor]) -> Optimizer:
    """The optimizer of a run, from ``optimizer``, ``lr``, ``momentum`` (β or β₁), ``weight_decay`` and ``nesterov``.

    Weight decay is torch's: coupled for SGD and Adam, decoupled for the others. SGDP divides it by 1 − β, as a coupled
    one acts in the long run, so that one number means the same for SGD and SGDP.
    """
    name, lr, decay = config["optimizer"], config["lr"], config.get("weight_decay", 0.0)
    momentum = config.get("momentum", 0.9)
    if name in ("SGD", "SGDP"):
        kind = torch.optim.SGD if name == "SGD" else SGDP
        nesterov = config.get("nesterov", False) and momentum > 0
        return kind(parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    adaptive: dict[str, Callable[..., Optimizer]] = {
        "Adam": torch.optim.Adam,
        "AdamW": torch.optim.AdamW,
        "AdamP": AdamP,
    }
    return adaptive[name](parameters, lr=lr, betas=(momentum, config.get("beta2", 0.999)), weight_decay=decay)


def factor(schedule: str, step: int, steps: int) -> float:
    """The step size at a step over the first one.

    Args:
        schedule: constant, linear, cosine (Loshchilov & Hutter 2016), or step: a tenth after a half and three quarters.
        step: from 0.
        steps: of the whole run.
    """
    if schedule == "linear":
        return 1 - step / steps
    if schedule == "cosine":
        return (1 + math.cos(math.pi * step / steps)) / 2
    if schedule == "step":
        return 0.1 ** ((step >= steps // 2) + (step >= 3 * steps // 4))
    if schedule != "constant":
        raise ValueError(f"schedule must be constant, linear, cosine or step, got {schedule!r}")
    return 1.0
