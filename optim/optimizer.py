"""What SGDP and AdamP share: groups and their options, the path of a step, and state from elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from itertools import compress
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim.optimizer import Optimizer, ParamsT, StateDict, _default_to_fused_or_foreach

from tangency.optim import foreach, fused, loop
from tangency.optim.options import checked, is_required
from tangency.optim.process import forked, one_thread
from tangency.optim.rule import Rule, factors, overflow, real, undivided, wide
from tangency.optim.state import State, counter, step_device, unreadable, wrong, wrong_names

_SPARSE = (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def _chosen(which: list[bool], *lists: list[Any]) -> tuple[list[Any], ...]:
    return tuple(list(compress(some, which)) for some in lists)


class ProjectedOptimizer(Optimizer):
    """Base of the optimizers that project their updates; a subclass defines the update of one tensor.

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
        """The state of one parameter in the order of `state_names`, created if missing; None where it keeps none.

        All tensors have been checked before: this does not fail.
        """

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
            RuntimeError: a parameter, its gradient or its state has a wrong shape, dtype, layout or device; the message
                names it. Nothing has changed then.
            TypeError, ValueError: an option of a group is invalid; nothing has changed either.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if forked():
            with one_thread():
                self._step()
        else:
            self._step()
        return loss

    def _step(self) -> None:
        jobs = []
        for group in self.param_groups:
            params: list[Tensor] = []
            grads: list[Tensor] = []
            states: tuple[list[Tensor | None], ...] = tuple([] for _ in self.state_names)
            self._init_group(group, params, grads, *states)
            if params:
                jobs.append((self._path(group, params), group, params, grads, states))
        for path, group, params, grads, states in jobs:
            with torch.set_grad_enabled(group["differentiable"]):
                path(group, params, grads, *states)

    # Named and called as in torch.optim: torch.compile runs a method of this name as it is, outside the graph.
    def _init_group(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Append the parameters that have a gradient, their gradients and their states to the lists."""
        if group is self.param_groups[0]:
            # All groups are checked before the first state is made: a step that raises changes nothing.
            for number in range(len(self.param_groups)):
                self._check(number)
        for p in group["params"]:
            if p.grad is None:
                continue
            params.append(p)
            grads.append(p.grad)
            for kept, value in zip(states, self._state_of(p, group), strict=True):
                kept.append(value)

    def _check(self, number: int) -> None:
        """Raise if the options, parameters, gradients or states of a group are not fit for a step."""
        group = self.param_groups[number]
        checked(group)
        rule = self._rule(group)
        numbers = factors(rule, group["lr"])
        large = max(numbers.values()) > torch.finfo(torch.float32).max
        for i, p in enumerate(group["params"]):
            g = p.grad
            if g is None:
                continue
            if g.layout is not torch.strided and g.layout in _SPARSE:
                raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")
            state = self.state.get(p, {})
            reason = wrong_names(state, self.state_names) or wrong(p, g, state) or self._wrong_place(p, g, group)
            if reason:
                raise RuntimeError(f"{self._called(group, number, i)}: {reason}")
            reason = undivided(p, rule.views) or (overflow(numbers, wide(real(p))) if large else None)
            if reason:
                raise ValueError(f"{self._called(group, number, i)}: {reason}")

    def _called(self, group: dict[str, Any], number: int, i: int) -> str:
        """Parameter i of a group in error messages: its name, if it has one."""
        names = group.get("param_names")
        called = f"parameter {names[i]}" if names else f"parameter {i} of group {number}"
        return f"{type(self).__name__}: {called}"

    def _wrong_place(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> str | None:
        """Why the path of the group cannot step the tensors of a parameter on their device, or None."""
        lr = group["lr"]
        if isinstance(lr, Tensor) and lr.is_meta and not p.is_meta:
            return f"it is on {p.device}, and lr on {lr.device}; lr must be there or on the cpu"
        return fused.wrong_place(p, g, self.state.get(p, {})) if group["fused"] else None

    def _path(self, group: dict[str, Any], params: list[Tensor]) -> Callable[..., None]:
        """The code path for a group: the requested one, or else torch's own choice, whatever lr is.

        (torch.optim keeps a tensor lr without capturable out of its lists, which would read it on the host. Ours do
        not.)
        """
        lists, kernels = group["foreach"], group["fused"]
        if lists is None and kernels is None:
            _, lists = _default_to_fused_or_foreach(params, group["differentiable"])
        return self._in_kernels if kernels else self._in_lists if lists else self._one_by_one

    def _in_lists(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update all parameters of one device and dtype at once; those that lists do not accept, one by one."""
        # A subclass of Tensor (DTensor, say) has operations of its own; torch's own choice leaves them out too.
        plain = [type(p) in (Tensor, Parameter) for p in params]
        if not all(plain):
            other = [not taken for taken in plain]
            self._one_by_one(group, *_chosen(other, params, grads, *states))
            params, grads, *kept = _chosen(plain, params, grads, *states)
            states = tuple(kept)
        foreach.step(self._rule(group), group["lr"], params, grads, states)

    def _in_kernels(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update all parameters in fused kernels."""
        scaler = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)
        fused.step(self._rule(group), group["lr"], params, grads, states, *scaler)

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Read by torch.amp.GradScaler: whether a step divides gradients by ``grad_scale`` itself."""
        return all(group["fused"] for group in self.param_groups)

    def _one_by_one(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], *states: list[Tensor | None]
    ) -> None:
        """Update the parameters one after the other."""
        loop.step(partial(self._update, group), group, params, grads, states)

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Load a state from here, from torch.optim or from the published package.

        Args:
            state_dict: what `state_dict` of such an optimizer returned.

        Raises:
            RuntimeError, TypeError, ValueError: an option, or the state of a parameter, is not what it may be; this
                optimizer is as it was.
        """
        # Checked here, since torch converts tensors, and reads their memory, before it calls __setstate__.
        for number, (group, saved) in enumerate(zip(self.param_groups, state_dict["param_groups"], strict=False)):
            for i, (p, key) in enumerate(zip(group["params"], saved["params"], strict=False)):
                for name, value in state_dict["state"].get(key, {}).items():
                    if isinstance(value, Tensor) and (reason := unreadable(value, p)):
                        raise ValueError(f"{self._called(group, number, i)}: its {name} {reason}")
        super().load_state_dict(state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state, from here, from torch.optim or from the published package.

        Raises:
            RuntimeError, TypeError, ValueError: an option, or the state of a parameter, is not what it may be; this
                optimizer is as it was.
        """
        defaults = {**getattr(self, "defaults", {}), **state.get("defaults", {})}
        old = state.get("state", {})
        new = {}
        for number, group in enumerate(state.get("param_groups", [])):
            # A group saved by a package without these options gets those of this optimizer.
            group.update(checked({**defaults, **group}))
            for i, p in enumerate(group["params"]):
                if p in old:
                    new[p] = self._converted(p, old[p], group, self._called(group, number, i))
        super().__setstate__(state)
        self.state.update(new)

    def _converted(self, p: Tensor, state: Mapping[str, Any], group: dict[str, Any], called: str) -> dict[str, Any]:
        """One parameter's state under the names, and with the step counter, that are used here."""
        renamed = {self.renamed_state.get(name, name): value for name, value in state.items() if value is not None}
        if reason := wrong_names(renamed, self.state_names):
            raise ValueError(f"{called}: {reason}")
        if "step" in renamed:
            renamed["step"] = counter(renamed["step"], step_device(p, group), called)
        if reason := wrong(p, p, renamed):
            raise ValueError(f"{called}: {reason}")
        # Cloned: otherwise both optimizers would share the tensors of the state dict.
        return {name: value.clone() for name, value in renamed.items()}
