"""float64 wherever a model asks for less, and how far rounding may carry what it computes.

A model computes some of itself in a format of its own choice: RMSNorm of most language models is float32 by its text.
:class:`Float64` answers every such request with float64. :class:`Perturbed` measures how rounding errors reach the
output, as stochastic arithmetic does (Parker 1997, Monte Carlo arithmetic). Operators are taken to be backward stable:
what one computes is the exact result of operands that differ by a relative γ_n = nu/(1 − nu) at most, with n the length
of its longest sum and u = 2⁻⁵³ (Higham 2002, §3.1, §3.5). So every operand is changed at random by as much, and the
change of the output is what rounding may do. n is known of layers; of other operators it is taken to be the number of
elements of the largest operand, which no sum exceeds.
"""

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

LOW = (torch.float32, torch.float16, torch.bfloat16)
TO_LOW = (Tensor.float, Tensor.half, Tensor.bfloat16)
UNIT = 2.0**-53
# Added to any variance above 2⁻³⁴⁷ it changes no bit; with a variance of exactly 0 it gives 0/√ε = 0, not NaN.
NO_EPS = 2.0**-400
# Functions with an ε, which a model may leave at its default.
WITH_EPS = (
    functional.batch_norm,
    functional.group_norm,
    functional.instance_norm,
    functional.layer_norm,
    functional.normalize,
    functional.rms_norm,
)
LAYERS = ("linear", "conv1d", "conv2d", "conv3d")


class Float64(TorchFunctionMode):
    """A context in which tensors of a lower precision are not made.

    Args:
        no_eps: normalisations of ``torch.nn.functional`` are called with :data:`NO_EPS`.
    """

    def __init__(self, *, no_eps: bool = False) -> None:
        super().__init__()
        self._no_eps = no_eps

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch with float64 in place of every lower dtype."""
        if func in TO_LOW:
            return args[0].double()
        args = tuple(_raised(one) for one in args)
        named = {name: _raised(one) for name, one in (kwargs or {}).items()}
        if self._no_eps and func in WITH_EPS:
            bound = _signature(func).bind(*args, **named)
            bound.arguments["eps"] = NO_EPS
            args, named = bound.args, bound.kwargs
        return self.call(func, args, named)

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call it; a subclass may change the operands."""
        return func(*args, **kwargs)


class Perturbed(Float64):
    """The same with every operand changed by a random relative error of at most γ_n.

    Args:
        generator: of the errors: the model's own random numbers are left alone.
    """

    def __init__(self, generator: torch.Generator, *, no_eps: bool = False) -> None:
        super().__init__(no_eps=no_eps)
        self._generator = generator

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call it with changed operands, unless its result is a view of one of them, or is written into one."""
        result = func(*args, **kwargs)
        operands = [one for one in (*args, *kwargs.values()) if _float(one)]
        if not operands or not _float(result) or _place(result) in map(_place, operands):
            return result
        gamma = gamma_n(longest_sum(getattr(func, "__name__", ""), operands))
        changed = [self._perturbed(one, gamma) for one in args]
        return func(*changed, **{key: self._perturbed(one, gamma) for key, one in kwargs.items()})

    def _perturbed(self, x: Any, gamma: float) -> Any:
        if not _float(x):
            return x
        noise = torch.rand(x.shape, dtype=x.dtype, device="cpu", generator=self._generator).to(x.device)
        return x * (1 + gamma * (2 * noise - 1))


def longest_sum(name: str, operands: list[Tensor]) -> int:
    """How many terms the longest sum of an operator has, at most.

    Of a layer: the elements that one output sees, and the bias; of batch normalisation: those of one channel, and then
    some for the mean, the variance and what follows; of others: the elements of the largest operand.
    """
    if name in LAYERS and len(operands) > 1:
        weight = operands[1]
        return weight.numel() // weight.shape[0] + 1
    if name == "batch_norm":
        return operands[0].numel() // operands[0].shape[1] + 8
    return max(one.numel() for one in operands) + 8


@cache
def _signature(func: Any) -> inspect.Signature:
    return inspect.signature(func)


def gamma_n(n: int) -> float:
    """γ_n = nu / (1 − nu)."""
    return n * UNIT / (1 - n * UNIT)


def _float(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype == torch.float64 and x.numel() > 0


def _place(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _raised(x: Any) -> Any:
    return torch.float64 if isinstance(x, torch.dtype) and x in LOW else x
