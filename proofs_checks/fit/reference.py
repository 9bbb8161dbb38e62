"""The reference of a dialect: an optimizer that runs its step in high precision and keeps the contract of torch.optim.

What fails on the reference of a target's own dialect is a consequence of its choices; what fails on the target alone is
a bug.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.generate.trials import BALLS, EXACT_ELEMENTS
from tangency.proofs_checks.measure.conformance import floats
from tangency.proofs_checks.target.contract import PATHS, Contract, Options
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import Target
from tangency.theory.algorithms import START, Step
from tangency.theory.fields import FLOAT64
from tangency.theory.projection import UndecidedView, View


class Reference(Contract):
    """Runs a step on every parameter."""

    take: Callable[..., Step]
    precise = True

    def after(self, w: Tensor, g: Tensor, state: Options, options: Options, shape: torch.Size) -> Tensor:
        """The weights after the step, in float64."""
        given = {name: float(x) if isinstance(x, Tensor) else x for name, x in options.items()}
        hyper = {name: x for name, x in given.items() if name not in ("params", "initial_lr", "maximize", *PATHS)}
        arrays = {name: _numpy(x, shape) if isinstance(x, Tensor) else x for name, x in state.items()}
        descent = -g if options["maximize"] else g
        made = self._taken(_numpy(w, shape), _numpy(descent, shape), arrays, hyper)
        for name, x in made.state.items():
            state[name] = torch.from_numpy(x).reshape(w.shape) if isinstance(x, np.ndarray) else x
        return torch.from_numpy(made.w).reshape(w.shape)

    def _taken(self, w: Any, g: Any, arrays: Options, hyper: Options) -> Step:
        """The step, rounded to float64; in float64 where balls cannot tell or would take too long."""
        if self.precise and w.size <= EXACT_ELEMENTS and all(np.isfinite(x).all() for x in (w, g, *arrays.values())):
            balls = {name: BALLS.array(x) if isinstance(x, np.ndarray) else x for name, x in arrays.items()}
            try:
                made = self.take(BALLS, BALLS.array(w), BALLS.array(g), balls or START, **hyper)
                kept = {name: floats(x) if isinstance(x, np.ndarray) else x for name, x in made.state.items()}
                return replace(made, w=floats(made.w), state=kept)
            except (UndecidedView, ArithmeticError, ValueError):
                pass
        with np.errstate(all="ignore"):
            try:
                return self.take(FLOAT64, w, g, arrays or START, **hyper)
            except UndecidedView:  # a cosine that is not a number
                return self.take(FLOAT64, w, g, arrays or START, **hyper, view=View.NONE)


def _numpy(x: Tensor, shape: torch.Size) -> Any:
    """A copy in float64, as the specification has it: a scalar, and a vector of pairs, as one vector."""
    values = x.detach().double().cpu().numpy().copy()
    return values.reshape(-1) if len(shape) < 2 else values


def speaker(dialect: Dialect, *, precise: bool = True) -> Target:
    """The reference of a dialect, which takes every hyper-parameter of its algorithm.

    Args:
        precise: it rounds once a step; else after every operation, in float64, as implementations do.
    """
    return _running(dialect.algorithm, partial(step, dialect), precise=precise)


def specification(algorithm: Algorithm) -> Target:
    """The specification as an optimizer that takes its hyper-parameters."""
    return _running(algorithm, algorithm.step, algorithm.unspecified)


def _running(
    algorithm: Algorithm, take: Callable[..., Step], without: frozenset[str] = frozenset(), *, precise: bool = True
) -> Target:
    defaults = {name: value for name, value in algorithm.defaults.items() if name not in without}
    values = {**Contract.values, **defaults}
    own = type("Own", (Reference,), {"take": staticmethod(take), "values": values, "precise": precise})
    names = {name: name for name in ("lr", *defaults)}
    return Target(TargetSpec("a:speaker", algorithm.name), algorithm, "torch", own, names, {}, {})
