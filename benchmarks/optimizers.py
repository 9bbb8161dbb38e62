"""Our optimizers under the clock: one record each, with torch's optimizer that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch.optim import Optimizer

from tangency.optim import SGDP, AdamP


@dataclass(frozen=True)
class Ours:
    """One of our optimizers.

    Attributes:
        kind: its class.
        base: torch's optimizer without the projection. The weight decay of torch's SGD is coupled: another algorithm,
            of the same cost.
        options: hyper-parameters of the speed runs, exact in binary, which keep the weights still.
        training: ordinary ones, for a small network.
        moments: buffers as large as the weight.
    """

    kind: type[Optimizer]
    base: type[Optimizer]
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    moments: int

    @property
    def adaptive(self) -> bool:
        """Whether the update is divided by the root of a second moment."""
        return self.moments == 2


OPTIMIZERS: Mapping[str, Ours] = MappingProxyType(
    {
        "SGDP": Ours(
            SGDP,
            torch.optim.SGD,
            {"lr": 0.125, "momentum": 0.75, "weight_decay": 0.0625},
            {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4},
            moments=1,
        ),
        "AdamP": Ours(
            AdamP,
            torch.optim.AdamW,
            {"lr": 0.125, "betas": (0.75, 0.875), "eps": 2.0**-20, "weight_decay": 0.0625},
            {"lr": 1e-3, "betas": (0.9, 0.999), "weight_decay": 1e-2, "eps": 1e-8},
            moments=2,
        ),
    }
)
