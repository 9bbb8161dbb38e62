"""Optimizers that speak a given dialect, made of its specification: what a fit must find again."""

from typing import Any

import torch

from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target
from tangency.theory.algorithms import START
from tangency.theory.fields import FLOAT64


class Speaker(torch.optim.Optimizer):
    """Runs ``dialects.step`` on every parameter, in float64 whatever the parameter."""

    dialect: Dialect

    def __init__(self, params: Any, lr: float = 1e-3, **hyper: Any) -> None:
        super().__init__(params, {"lr": lr, **hyper})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            hyper = {name: value for name, value in group.items() if name not in ("params", "maximize")}
            for p in group["params"]:
                if p.grad is None:
                    continue
                w, g = (x.detach().double().numpy() for x in (p, p.grad))
                made = step(self.dialect, FLOAT64, w, g, self.state[p].get("kept", START), **hyper)
                self.state[p]["kept"] = made.state
                p.copy_(torch.from_numpy(made.w).to(p.dtype))


def speaker(dialect: Dialect) -> Target:
    """A target that speaks a dialect and offers every hyper-parameter of its algorithm."""
    algorithm = dialect.algorithm
    own = type("Own", (Speaker,), {"dialect": dialect})
    names = {name: name for name in ("lr", *algorithm.defaults)}
    return Target(TargetSpec("a:speaker", algorithm.name), algorithm, "torch", own, names, {}, {})
