"""A model as a function f of its weights: in float64, in a copy, the same at every evaluation.

Everything but normalisation by batch statistics is in evaluation mode: dropout and what else is random is off, and
running averages are not read. Buffers, random numbers and the default dtype are as before after each evaluation.
"""

import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tangency.common.calls import WrongCall
from tangency.common.text import raised
from tangency.probe.arithmetic import NO_EPS, Float64, Perturbed

EPS_NAME = re.compile(r"(?:.*_)?eps(?:ilon)?")


@dataclass
class Evaluation:
    """f: the model's output, or what ``loss`` makes of it, as a list of float64 tensors.

    Attributes:
        model: the copy.
        weights: its trainable parameters by name; values may be set in place.
        tied: of each, the other names that it has.
        owner: of each, the class of its module.
        replaced: those that were zero, or all of one value, and got random values: no scale is seen at 0, and at a
            special point more may hold than elsewhere.
        eps: the ε of normalisations, by the name of the attribute, as the model has them.
    """

    model: nn.Module
    weights: dict[str, nn.Parameter]
    tied: dict[str, tuple[str, ...]]
    owner: dict[str, str]
    replaced: tuple[str, ...]
    eps: dict[str, float]
    batch: Any
    loss: Callable[..., Any] | None
    _seed: int
    _buffers: dict[str, Tensor] = field(default_factory=dict)
    _no_eps: bool = False

    def __call__(self, perturbed_by: torch.Generator | None = None) -> list[Tensor]:
        """The value of f, detached; with random rounding errors if a generator of them is given."""
        with torch.no_grad():
            return [one.detach() for one in self._evaluated(perturbed_by)]

    def gradients(self, generator: torch.Generator) -> tuple[list[Tensor], list[Tensor | None]]:
        """A random cotangent v, and ∂⟨v, f⟩/∂w for every weight; ``None`` where f does not depend on it."""
        with torch.enable_grad():
            outputs = self._evaluated()
            cotangents = [
                torch.randn(one.shape, dtype=one.dtype, generator=generator).to(one.device) for one in outputs
            ]
            pairs = [(one, v) for one, v in zip(outputs, cotangents, strict=True) if one.requires_grad]
            if not pairs:
                raise WrongCall("the model's output has no gradient: it is detached, or computed without one")
            found = self._differentiated(pairs)
        return cotangents, found

    def _differentiated(self, pairs: list[tuple[Tensor, Tensor]]) -> list[Tensor | None]:
        outputs, cotangents = ([pair[i] for pair in pairs] for i in (0, 1))
        return list(torch.autograd.grad(outputs, list(self.weights.values()), cotangents, allow_unused=True))

    def _evaluated(self, perturbed_by: torch.Generator | None = None) -> list[Tensor]:
        arithmetic = Float64(no_eps=self._no_eps)
        if perturbed_by is not None:
            arithmetic = Perturbed(perturbed_by, no_eps=self._no_eps)
        self._restore()  # before and not after: a backward pass may need what is in them
        with same_random_numbers(self._seed), arithmetic:
            result = _call(self.model, self.batch, self.loss)
        found = [torch.view_as_real(one) if one.is_complex() else one for one in _tensors(result)]
        return [one.double() for one in found if one.is_floating_point() and one.numel() > 0]

    def _restore(self) -> None:
        with torch.no_grad():
            for name, buffer in self.model.named_buffers():
                if name in self._buffers:
                    buffer.copy_(self._buffers[name])

    @contextmanager
    def holding(self, name: str, value: Tensor) -> Iterator[None]:
        """Another value of one weight, for a while."""
        weight = self.weights[name]
        before = weight.detach().clone()
        with torch.no_grad():
            weight.copy_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                weight.copy_(before)

    @contextmanager
    def moved(self, generator: torch.Generator) -> Iterator[None]:
        """Every element of every weight times a random factor in [¾, 5/4], for a while."""
        before = [weight.detach().clone() for weight in self.weights.values()]
        with torch.no_grad():
            for weight in self.weights.values():
                noise = torch.rand(weight.shape, dtype=weight.dtype, generator=generator).to(weight.device)
                weight.mul_(0.75 + noise / 2)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in zip(self.weights.values(), before, strict=True):
                    weight.copy_(value)

    @contextmanager
    def with_eps(self, *, own: bool) -> Iterator[None]:
        """The ε of the model itself, or none."""
        before, self._no_eps = {name: self._eps(name) for name in self.eps}, not own
        for name, value in self.eps.items():
            self._eps(name, value if own else NO_EPS)
        try:
            yield
        finally:
            self._no_eps = False
            for name, value in before.items():
                self._eps(name, value)

    def _eps(self, name: str, value: float | None = None) -> float:
        path, _, attribute = name.rpartition(".")
        module = self.model.get_submodule(path)
        found: float = getattr(module, attribute)
        if value is not None:
            setattr(module, attribute, value)
        return found


def prepared(model: nn.Module, batch: Any, loss: Callable[..., Any] | None, seed: int) -> Evaluation:
    """A copy of a model, ready to be evaluated; the model itself stays as it is.

    Raises:
        WrongCall: it is no module, has no trainable weight with values, cannot be copied, or f is no function of them.
    """
    if not isinstance(model, nn.Module):
        raise WrongCall(f"model is {type(model).__name__}; it must be a torch.nn.Module")
    model = getattr(model, "_orig_mod", model)  # of torch.compile, whose graph is that of one dtype
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise WrongCall(f"{name} has no shape yet; call the model once before")
        if parameter.is_meta:
            raise WrongCall(f"{name} is on the meta device and has no values; build the model on a device that has")
        if parameter.requires_grad and not parameter.is_floating_point():
            raise WrongCall(f"{name} is {parameter.dtype}; trainable weights must be real")
    try:
        own = copy.deepcopy(model)
    except Exception as error:
        raise WrongCall(f"the model cannot be copied: {raised(error)}") from error
    for module in own.modules():
        if isinstance(module, nn.RMSNorm) and module.eps is None:  # that of the dtype, which is about to change
            module.eps = torch.finfo(torch.float32 if module.weight is None else module.weight.dtype).eps
    own = own.double().eval()
    for module in own.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase) or hasattr(module, "running_mean"):
            module.train()
    names: dict[int, list[str]] = {}
    for name, parameter in own.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    weights = {name: p for name, p in own.named_parameters() if p.requires_grad and p.numel() > 0}
    if not weights:
        raise WrongCall("the model has no trainable weight")
    made = Evaluation(
        model=own,
        weights=weights,
        tied={name: tuple(one for one in names[id(p)] if one != name) for name, p in weights.items()},
        owner={name: type(own.get_submodule(name.rpartition(".")[0])).__name__ for name in weights},
        replaced=_made_generic(weights, seed),
        eps=dict(_all_eps(own)),
        batch=_double(batch),
        loss=loss,
        _seed=seed,
        _buffers={name: one.detach().clone() for name, one in own.named_buffers()},
    )
    _require_function(made)
    return made


def _require_function(f: Evaluation) -> None:
    try:
        first, again = f(), f()
    except WrongCall:
        raise
    except Exception as error:
        raise WrongCall(f"the model cannot be evaluated on the batch in float64: {raised(error)}") from error
    if not first:
        raise WrongCall(
            "the model's output holds no floating-point tensor (in a tensor, tuple, list, dict or dataclass)"
        )
    if not all(torch.equal(a, b) for a, b in zip(first, again, strict=True)):
        raise WrongCall(
            "two evaluations of the model differ: its output must be a function of its weights and the batch"
        )
    if not all(bool(one.isfinite().all()) for one in first):
        raise WrongCall("the model's output on the batch is not finite")


def _made_generic(weights: Mapping[str, nn.Parameter], seed: int) -> tuple[str, ...]:
    """Give random values to weights that are 0, and ones in [½, 3/2] to those of another value, with its sign."""
    generator, found = torch.Generator().manual_seed(seed), []
    with torch.no_grad():
        for name, weight in weights.items():
            first = weight.reshape(-1)[0]
            if not bool((weight == first).all()) or (weight.numel() == 1 and bool(first != 0)):
                continue
            size = max(1, weight.numel() // max(1, weight.shape[0] if weight.dim() else 1)) ** 0.5
            values = torch.randn(weight.shape, dtype=torch.float64, generator=generator) / size
            if bool(first != 0):
                values = float(first.sign()) * (
                    0.5 + torch.rand(weight.shape, dtype=torch.float64, generator=generator)
                )
            weight.copy_(values)
            found.append(name)
    return tuple(found)


def _all_eps(model: nn.Module) -> Iterator[tuple[str, float]]:
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if EPS_NAME.fullmatch(name) and isinstance(value, float):
                yield f"{path}.{name}".lstrip("."), value


@contextmanager
def same_random_numbers(seed: int) -> Iterator[None]:
    """The same random numbers each time, float64 by default, and all of it as before afterwards."""
    state, numbers, dtype = random.getstate(), np.random.get_state(), torch.get_default_dtype()
    with torch.random.fork_rng():
        try:
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.set_default_dtype(torch.float64)
            yield
        finally:
            torch.set_default_dtype(dtype)
            random.setstate(state)
            np.random.set_state(numbers)


def _call(model: nn.Module, batch: Any, loss: Callable[..., Any] | None) -> Any:
    if loss is not None:
        return loss(model, batch)
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, tuple | list) else model(batch)


def _double(batch: Any) -> Any:
    """A copy of the batch, with float64 for every lower precision."""
    if isinstance(batch, Tensor):
        return batch.detach().double() if batch.is_floating_point() else batch.detach().clone()
    if isinstance(batch, Mapping):
        return {name: _double(one) for name, one in batch.items()}
    return type(batch)(map(_double, batch)) if type(batch) in (tuple, list) else batch


def _tensors(result: Any) -> Iterator[Tensor]:
    """The tensors in a tensor, tuple, list, mapping (as transformers' ModelOutput is) or dataclass."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, Mapping):
        for one in result.values():
            yield from _tensors(one)
    elif isinstance(result, tuple | list):
        for one in result:
            yield from _tensors(one)
    elif hasattr(result, "__dataclass_fields__"):
        for name in result.__dataclass_fields__:
            yield from _tensors(getattr(result, name))
