"""Optimizers that run a step of the number systems: what a fit must find again, and no check may accuse."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target
from tangency.theory.algorithms import START, Step
from tangency.theory.fields import FLOAT64


class Runs(torch.optim.Optimizer):
    """Runs a step on every parameter, in float64 whatever the parameter."""

    take: Callable[..., Step]

    def __init__(self, params: Any, lr: float = 1e-3, **hyper: Any) -> None:
        super().__init__(params, {"lr": lr, **hyper})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            hyper = {name: value for name, value in group.items() if name not in ("params", "maximize")}
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.is_complex():
                    raise TypeError("a complex weight is no matter of the specification")
                w, g = p.double().numpy(), (-p.grad if group.get("maximize") else p.grad).double().numpy()
                with np.errstate(all="ignore"):
                    made = self.take(FLOAT64, w, g, self.state[p].get("kept", START), **hyper)
                self.state[p]["kept"] = made.state
                p.copy_(torch.from_numpy(made.w))


def speaker(dialect: Dialect) -> Target:
    """A target that speaks a dialect and offers every hyper-parameter of its algorithm."""
    return _running(dialect.algorithm, partial(step, dialect))


def specification(algorithm: Algorithm) -> Target:
    """A target that runs the specification and offers the hyper-parameters that it takes."""
    return _running(algorithm, algorithm.step, algorithm.unspecified)


def _running(algorithm: Algorithm, take: Callable[..., Step], without: frozenset[str] = frozenset()) -> Target:
    own = type("Own", (Runs,), {"take": staticmethod(take)})
    names = {name: name for name in ("lr", *algorithm.defaults) if name not in without}
    return Target(TargetSpec("a:speaker", algorithm.name), algorithm, "torch", own, names, {}, {})
