"""What SGDP and AdamP share: options, the step loop, precision, and state from elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim.optimizer import Optimizer, ParamsT, _default_to_fused_or_foreach

from tangency.optim import _foreach, _fused
from tangency.optim._options import check_decay, check_paths, checked, is_required
from tangency.optim._rule import Rule, real, wide

State = Sequence[Tensor | None]


def step_device(p: Tensor, group: dict[str, Any]) -> torch.device:
    """Where a step counter lies: beside its parameter where the host must not wait for it, else on the CPU."""
    return p.device if group["capturable"] or group["fused"] else torch.device("cpu")


def _chosen(which: list[bool], *lists: list[Any]) -> tuple[list[Any], ...]:
    return tuple(list(compress(some, which)) for some in lists)


class ProjectedOptimizer(Optimizer):
    """Base of the optimizers that project their updates; a subclass says how one tensor moves.

    Args:
        params: parameters, named parameters, or dicts of a parameter group.
        options: default of each option.

    Raises:
        TypeError: an option of the wrong type.
        ValueError: an option out of its range, or a missing one.
        RuntimeError: code paths that exclude each other.
    """

    state_names: ClassVar[tuple[str, ...]]
    renamed_state: ClassVar[dict[str, str]] = {}

    def __init__(self, params: ParamsT, options: dict[str, Any]) -> None:
        super().__init__(params, checked(options))

    @abstractmethod
    def _state_of(self, p: Tensor, group: dict[str, Any]) -> State:
        """The state of one parameter in the order of `state_names`, made if need be; None where it keeps none."""

    @abstractmethod
    def _rule(self, group: dict[str, Any]) -> Rule:
        """The hyper-parameters of a group as numbers, for the paths that treat both optimizers alike."""

    @abstractmethod
    def _update(
        self, group: dict[str, Any], lr: float | Tensor, ndim: int, w: Tensor, g: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """The new weights and the new state: a function of real tensors, without side effects."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; its options are checked as the constructor's are.

        Args:
            param_group: `params`, and the options in which this group differs.

        Raises:
            TypeError: an option of the wrong type, or a group that is no dict.
            ValueError: an option out of its range, or a missing one.
            RuntimeError: code paths that exclude each other.
        """
        if isinstance(param_group, dict):
            options = checked({**self.defaults, **param_group})
            for name, value in options.items():
                if is_required(value):
                    raise ValueError(f"{name} must be given, to {type(self).__name__} or in every parameter group")
            param_group.update({name: options[name] for name in param_group if name in options})
        super().add_param_group(param_group)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Perform one optimization step.

        Args:
            closure: reevaluates the model, with gradients enabled, and returns the loss.

        Returns:
            What the closure returned, or None.

        Raises:
            RuntimeError: a gradient is sparse, or parameters that fused kernels cannot reach.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            with torch.set_grad_enabled(group["differentiable"]):
                params: list[Tensor] = []
                grads: list[Tensor] = []
                states: tuple[list[Tensor | None], ...] = tuple([] for _ in self.state_names)
                self._init_group(group, params, grads, *states)
                if params:
                    self._path(group, params)(group, params, grads, *states)
        return loss

    # Named and called as in torch.optim: torch.compile runs a method of this name as it is, outside the graph.
    def _init_group(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Append the parameters that have a gradient, their gradients and their states to the lists."""
        for p in group["params"]:
            if p.grad is None:
                continue
            if p.grad.layout != torch.strided:
                raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")
            params.append(p)
            grads.append(p.grad)
            for kept, value in zip(states, self._state_of(p, group), strict=True):
                kept.append(value)

    def _path(self, group: dict[str, Any], params: list[Tensor]) -> Callable[..., None]:
        """The code path for a group: the one asked for, or else torch's own choice, whatever lr is.

        (torch.optim keeps a tensor lr without capturable out of its lists, which would read it on the host. Ours do
        not.)
        """
        check_decay(group)
        check_paths(group)
        foreach, fused = group["foreach"], group["fused"]
        if foreach is None and fused is None:
            _, foreach = _default_to_fused_or_foreach(params, group["differentiable"])
        return self._in_kernels if fused else self._in_lists if foreach else self._one_by_one

    def _in_lists(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update all parameters of one device and dtype at once; those that no list takes, one by one."""
        # A subclass of Tensor (DTensor, say) has operations of its own; torch's own choice leaves them out too.
        plain = [type(p) in (Tensor, Parameter) for p in params]
        if not all(plain):
            other = [not taken for taken in plain]
            self._one_by_one(group, *_chosen(other, params, grads, *states))
            params, grads, *kept = _chosen(plain, params, grads, *states)
            states = tuple(kept)
        _foreach.step(self._rule(group), group["lr"], params, grads, states)

    def _in_kernels(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update all parameters in fused kernels."""
        scaler = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)
        _fused.step(self._rule(group), group["lr"], params, grads, states, *scaler)

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Asked by torch.amp.GradScaler: whether a step divides gradients by ``grad_scale`` itself."""
        return all(group["fused"] for group in self.param_groups)

    def _one_by_one(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update the parameters one after the other: widen, compute, round once on store."""
        lr = group["lr"]
        if isinstance(lr, Tensor):
            lr = lr.reshape(())
        for i, param in enumerate(params):
            state = [kept[i] for kept in states]
            stored = real(param)
            dtype = wide(stored)
            w = stored.to(dtype)
            if group["differentiable"]:
                # Autograd keeps w for the backward pass, and the store below writes over the parameter.
                w = w.clone()
            # resolve_conj: a lazily conjugated gradient has no real view.
            g = real(grads[i].resolve_conj()).to(dtype)
            if group["maximize"]:
                g = -g
            wide_state = [None if s is None else real(s).to(dtype) for s in state]
            new_w, new_state = self._update(group, lr, param.dim(), w, g, wide_state)
            stored.copy_(new_w)
            for kept, value in zip(state, new_state, strict=True):
                if kept is not None and value is not None:
                    real(kept).copy_(value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state, from here, from torch.optim or from the published package."""
        defaults = {**getattr(self, "defaults", {}), **state.get("defaults", {})}
        for group in state.get("param_groups", []):
            # A group saved by a package without these options gets those of this optimizer.
            for name, value in defaults.items():
                group.setdefault(name, value)
            check_paths(group)
        super().__setstate__(state)
        for group in self.param_groups:
            for p in group["params"]:
                if p in self.state:
                    self.state[p] = self._converted(p, self.state[p], group)

    def _converted(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
        """One parameter's state under the names, and with the step counter, that are used here."""
        renamed = {self.renamed_state.get(name, name): value for name, value in state.items()}
        if "step" in renamed:
            # float32 whatever the source: an int in the published package, float64 under some defaults in torch.
            place = step_device(p, group)
            renamed["step"] = torch.as_tensor(renamed["step"], dtype=torch.float32).to(place)
        # Cloned: load_state_dict would else share its tensors with the optimizer that they came from.
        return {
            name: value.clone() if isinstance(value, Tensor) else value
            for name, value in renamed.items()
            if value is not None
        }
