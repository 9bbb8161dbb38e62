"""What experiments are made of. Everything here needs torch alone: reproducers carry its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch


class Wrong(NamedTuple):
    """What an experiment found wrong: in a line, what was expected, what came, and from which input."""

    detail: str
    expected: object = ""
    got: object = ""
    input: str = ""


# Hyper-parameters that an ordinary step has, where the optimizer takes them.
BUSY = {"weight_decay": 0.25}


class Inapplicable(Exception):
    """The experiment has nothing to say about this optimizer; the message says why."""


class Make:
    """Builds the optimizer under test, by the names of the algorithm's hyper-parameters.

    Args:
        build: takes parameters and the optimizer's own arguments.
        arguments: translates hyper-parameters to the optimizer's own arguments.
        own: the optimizer's own name of each hyper-parameter that it takes.
        usual: hyper-parameters unless an experiment says otherwise.
        momentum: whether under these the update goes on without a gradient.
        defaults: the paper's, of what its algorithm takes.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        arguments: Callable[[Mapping[str, Any]], dict[str, Any]],
        own: Mapping[str, Any],
        usual: Mapping[str, Any],
        momentum: bool,
        defaults: Mapping[str, Any],
    ) -> None:
        self.build, self.arguments, self.own, self.usual = build, arguments, own, usual
        self.momentum, self.defaults = momentum, defaults

    def __call__(self, params: Any, if_offered: Mapping[str, Any] | None = None, **hyper: Any) -> Any:
        """An optimizer with the usual hyper-parameters, those ``if_offered`` that it takes, and ``hyper``."""
        offered = {name: value for name, value in (if_offered or {}).items() if name in self.own}
        return self.build(params, **self.arguments({**self.usual, **offered, **hyper}))

    def options(self, **hyper: Any) -> dict[str, Any]:
        """Hyper-parameters as entries of a parameter group of the optimizer."""
        found: dict[str, Any] = {}
        for name, value in hyper.items():
            own = self.own[name]
            found |= dict(zip(own, value, strict=True)) if isinstance(own, tuple) else {own: value}
        return found


def parameter(values: Any, dtype: torch.dtype = torch.float64) -> torch.nn.Parameter:
    """A leaf tensor of its own; of a tensor, the memory layout is kept."""
    data = values.detach().clone() if isinstance(values, torch.Tensor) else torch.tensor(values, dtype=dtype)
    return torch.nn.Parameter(data)


def steps(optimizer: Any, p: torch.Tensor, gradients: Any) -> torch.Tensor:
    """One step for each gradient (``None``: a step without one); the weights after the last."""
    for g in gradients:
        p.grad = None if g is None else g.clone() if isinstance(g, torch.Tensor) else torch.tensor(g, dtype=p.dtype)
        optimizer.step()
    return p.detach().clone()


def show(x: Any) -> str:
    """A tensor as text, shortened."""
    text = str(x.tolist() if isinstance(x, torch.Tensor) else x)
    return text if len(text) <= 300 else f"{text[:300]}…"


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Bitwise equality of values; NaN equals NaN."""
    return a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())


def rounding(size: float, terms: int, dtype: torch.dtype, steps: int = 1) -> float:
    """How far two evaluations of the same steps may differ by rounding alone.

    Of somebody's algorithm there is no formula to run an error analysis on. This holds for any step that is no more
    than two sums of ``terms`` products and 64 other roundings of quantities no larger than ``size``, and whose errors
    enter the next step no more than twice. The references of both families are such steps: a test holds their running
    error analysis against it.
    """
    k = (2 * terms + 64) * torch.finfo(dtype).eps / 2
    return 2 * size * k / (1 - k) * float(2**steps - 1)


def agree(a: torch.Tensor, b: torch.Tensor, size: float, steps: int = 1, precision: torch.dtype | None = None) -> bool:
    """Whether two results of the same steps are the same up to rounding, in their dtype or in ``precision``."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    far = (a - b).abs().max().item() if a.numel() else 0.0
    return far <= rounding(size, a.numel(), precision or a.dtype, steps)


def tilted(w: torch.Tensor, cosines: list[float]) -> torch.Tensor:
    """A gradient at given cosines to the rows of w, of the length of the row: pairs of weights, turned, and w."""
    rows = w.reshape(w.shape[0], -1)
    side, even = torch.zeros_like(rows), rows.shape[1] // 2 * 2
    side[:, 0:even:2], side[:, 1:even:2] = rows[:, 1:even:2], -rows[:, 0:even:2]
    side = side * (rows.norm(dim=1, keepdim=True) / side.norm(dim=1, keepdim=True))
    c = torch.tensor(cosines, dtype=w.dtype).reshape(-1, 1)
    result: torch.Tensor = (c * rows + (1 - c * c).sqrt() * side).reshape(w.shape)
    return result
