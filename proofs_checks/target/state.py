"""What steps of a target show: where it keeps its buffers, and whether its first gradient is dampened."""

from collections.abc import Callable
from typing import Any

import torch

from tangency.proofs_checks.algorithms import Algorithm
from tangency.theory.fields import FLOAT64
from tangency.theory.formats import FLOAT32

Make = Callable[..., Any]


def find_buffers(algorithm: Algorithm, make: Make, offers: Callable[[str], bool]) -> dict[str, str]:
    """Which entries of ``state[p]`` hold the buffers of the specification: nothing if one of them is not found.

    One step from nothing, w = (1, 2, 4), g = (3, −1/2, 2), and what the specification's buffers are after it.
    """
    if algorithm.update.recognised_by is None:
        return {}
    w, g = torch.nn.Parameter(torch.tensor([1.0, 2.0, 4.0])), torch.tensor([3.0, -0.5, 2.0])
    hyper = {name: value for name, value in algorithm.update.recognised_by.items() if offers(name)}
    try:
        optimizer = make([w], lr=2.0**-10, **hyper)
        w.grad = g.clone()
        optimizer.step()
        state = {name: value for name, value in dict(optimizer.state[w]).items() if value is not None}
    except Exception:
        return {}
    known = {name: value for name, value in algorithm.defaults.items() if name in algorithm.update.recognised_by}
    start = FLOAT64.array([1.0, 2.0, 4.0])
    wanted = algorithm.step(FLOAT64, start, FLOAT64.array(g.tolist()), lr=2.0**-10, **{**known, **hyper}).state
    found: dict[str, str] = {}
    for name in algorithm.update.buffers:
        matches = [key for key, held in state.items() if _holds(held, wanted[name])]
        if not matches:
            return {}
        found[name] = name if name in matches else matches[0]
    return found


def _holds(held: Any, value: Any) -> bool:
    """Whether an entry of the state is a count of steps, or an array to within its rounding."""
    if isinstance(value, int):
        if isinstance(held, torch.Tensor):
            return held.numel() == 1 and float(held) == value
        return isinstance(held, int) and held == value
    expected = torch.tensor(value, dtype=torch.float32)
    if not isinstance(held, torch.Tensor) or held.shape != expected.shape:
        return False
    # (1 − β)g², in float32 on either side: a factor and two products are rounded.
    return bool(((held.to(expected) - expected).abs() <= FLOAT32.gamma(6) * expected.abs()).all())


def dampens_first_step(make: Make) -> bool:
    """Whether one step from nothing with dampening 1/4 moves w by 3/4 of what it moves without."""
    moved = []
    for dampening in (0.0, 0.25):
        w = torch.nn.Parameter(torch.zeros(3, dtype=torch.float32))  # whatever default a step has left behind
        w.grad = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float32)
        try:
            make([w], lr=0.5, momentum=0.5, dampening=dampening).step()
        except Exception:
            return False
        moved.append(w.detach())
    return torch.equal(moved[1], 0.75 * moved[0])  # every number here is exact in binary
