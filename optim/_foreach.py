"""One step of all tensors of a device and dtype at once, in torch's list operations."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from tangency.optim._rule import Rule


def step(
    rule: Rule,
    lr: float | Tensor,
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    states: Sequence[Sequence[Tensor | None]],
) -> None:
    """Perform one step in place.

    Args:
        rule: the hyper-parameters.
        lr: step size, a number or a tensor of one element.
        params: parameters, on any devices and of any dtypes.
        grads: their gradients, which are only read.
        states: a list for each of the optimizer's `state_names`, with one entry a parameter.
    """
    raise NotImplementedError
