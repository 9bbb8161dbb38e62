"""What users of torch.optim rely on, around the step of one parameter that a subclass brings."""

from typing import Any, ClassVar

import torch
from torch import Tensor

Options = dict[str, Any]
PATHS: Options = {"foreach": None, "fused": None, "capturable": False, "differentiable": False}  # all of them the loop


class Contract(torch.optim.Optimizer):
    """An optimizer without an algorithm: its arguments, closures, parameter groups and number formats.

    Attributes:
        values: every argument with its default.
    """

    values: ClassVar[Options] = {"lr": 1e-3, "maximize": False, **PATHS}

    def __init__(self, params: Any, **given: Any) -> None:
        for name, value in given.items():
            if name not in self.values:
                raise TypeError(f"there is no argument {name!r}; there are {', '.join(self.values)}")
            if not self.valid(name, value):
                raise ValueError(f"{name} is {value!r}")
        super().__init__(params, {**self.values, **given})

    def valid(self, name: str, value: Any) -> bool:
        """Nothing but the dampening is negative, no β is 1, and views are known, the finest first."""
        if name == "betas":
            return all(0 <= beta < 1 for beta in value)
        if name == "views":
            named = {"channel": 0, "layer": 2}
            ranks = [named.get(one, -1) if isinstance(one, str) else 2 * (one > 1) - 1 for one in value]
            return bool(value) and min(ranks) >= 0 and ranks == sorted(set(ranks))
        return value is None or name == "dampening" or bool(value >= 0)

    def options(self, group: Options) -> Options:
        """What a step knows of its group: all of it, as it is now."""
        return group

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step of every parameter that has a gradient."""
        loss = None if closure is None else self.loss(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, parameter.grad, self.options(group))
        self.finish()
        return loss

    def loss(self, closure: Any) -> Any:
        """The closure's loss, with gradients."""
        return torch.enable_grad()(closure)()

    def finish(self) -> None:
        """What is left to do when every parameter has moved: nothing."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        """One step of one parameter."""
        if grad.layout is not torch.strided:
            raise RuntimeError("sparse gradients are not supported")
        state = self.state[parameter]
        moments = {name: self.wide(x) if isinstance(x, Tensor) else x for name, x in state.items()}
        new = self.after(self.wide(parameter), self.wide(grad), moments, options, parameter.shape)
        for name, moment in moments.items():
            state[name] = moment
            if isinstance(moment, Tensor):
                stored = torch.view_as_complex(moment.contiguous()) if parameter.is_complex() else moment
                state[name] = stored.to(parameter.dtype).clone()
        self.store(parameter, new)

    def after(self, w: Tensor, g: Tensor, state: Options, options: Options, shape: torch.Size) -> Tensor:
        """The weights after a step; ``state`` is changed in place.

        Args:
            w, g: weights and gradient in the format in which steps are computed, complex ones as pairs.
            shape: of the parameter itself.
        """
        raise NotImplementedError

    def wide(self, x: Tensor) -> Tensor:
        """Half precision computes in float32; complex as pairs."""
        x = torch.view_as_real(x) if x.is_complex() else x
        return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

    def store(self, parameter: Tensor, new: Tensor) -> None:
        """In place, rounded once."""
        (torch.view_as_real(parameter) if parameter.is_complex() else parameter).copy_(new)
