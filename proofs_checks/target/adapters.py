"""What is no torch optimizer, driven as one: numpy functions, optax transformations, projections, anything that steps.

Each class here looks like a ``torch.optim.Optimizer`` with one parameter group: ``step()`` reads ``p.grad`` and writes
``p``, ``state[p]`` holds the buffers. They use torch and numpy alone, so that a reproducer can carry their source.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

NDArray = np.ndarray[Any, np.dtype[Any]]


class Stepper(Protocol):
    """What a library without torch or JAX offers: an object made by ``factory(params, **hyperparameters)``.

    ``params`` is a list of float arrays that the object may keep; a C++ or CUDA library behind ctypes, or another
    process, copies them.
    """

    def step(self, grads: list[NDArray]) -> list[NDArray]:
        """Perform one step; return the new parameters, of the shapes and dtypes of the old ones."""
        ...

    def state(self) -> Mapping[str, list[NDArray]]:
        """The buffers after the step, by name: one array a parameter (a step count may be a number)."""
        ...


def flat_state(state: Any, prefix: str = "") -> dict[str, Any]:
    """The leaves of a nested state by name: ``{"exp_avg": …}``, fields of named tuples, indices where nothing is named.

    One-element lists (one parameter) count as their element.
    """
    if state is None:
        return {}
    if hasattr(state, "_asdict"):
        state = state._asdict()
    if isinstance(state, Mapping):
        items = [(str(name), value) for name, value in state.items()]
    elif isinstance(state, list | tuple):
        if len(state) == 1:
            return flat_state(state[0], prefix)
        items = [(str(index), value) for index, value in enumerate(state)]
    else:
        return {prefix or "state": state}
    found: dict[str, Any] = {}
    for name, value in items:
        found |= flat_state(value, f"{prefix}.{name}" if prefix else name)
    return found


class ArrayOptimizer:
    """The common part: torch parameters in, arrays to the target, its arrays back.

    Args:
        params: the parameters, leaf tensors.
    """

    def __init__(self, params: Any) -> None:
        self.params = list(params)
        self.param_groups: list[dict[str, Any]] = [{"params": self.params}]
        self.state: dict[torch.Tensor, dict[str, Any]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step; without any gradient, none."""
        if all(p.grad is None for p in self.params):
            return
        grads = [np.zeros(p.shape) if p.grad is None else self.array(p.grad) for p in self.params]
        grads = [np.asarray(g, dtype=self.array(p).dtype) for g, p in zip(grads, self.params, strict=True)]
        new = self.advance(grads)
        if not isinstance(new, list | tuple) or len(new) != len(self.params):
            raise TypeError(f"a step returned {type(new).__name__}; expected a list of {len(self.params)} arrays")
        for p, values, g in zip(self.params, new, grads, strict=True):
            array = np.asarray(values)
            if array.shape != tuple(p.shape):
                raise ValueError(f"a step returned an array of shape {array.shape}; expected {tuple(p.shape)}")
            if array.dtype != g.dtype:
                raise TypeError(f"a step returned an array of dtype {array.dtype}; expected {g.dtype}")
            p.copy_(torch.from_numpy(np.array(array)))
            if p.grad is not None:  # whatever the target did to its gradient shows where torch users would look
                p.grad.copy_(torch.from_numpy(np.array(g)))
        for index, p in enumerate(self.params):
            leaves = flat_state(self.buffers(index))
            self.state[p] = {name: torch.as_tensor(np.array(value)) for name, value in leaves.items()}

    def array(self, x: torch.Tensor) -> NDArray:
        """A tensor as an array of its own, in the same memory layout."""
        if x.dtype is torch.bfloat16:
            raise TypeError("numpy has no bfloat16")
        return np.array(x.detach().cpu().numpy(), order="K")

    def jax_array(self, x: torch.Tensor) -> Any:
        """A tensor as a JAX array; bfloat16 by way of float32, which holds it exactly."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call, unused-ignore]
        if x.dtype is torch.bfloat16:
            return jnp.asarray(x.detach().float().numpy()).astype(jnp.bfloat16)
        return jnp.asarray(self.array(x))

    def numpy_array(self, values: Any) -> NDArray:
        """An array of any library as one of numpy of its own; bfloat16 as float32, which holds it exactly."""
        return np.array(values.astype("float32") if str(values.dtype) == "bfloat16" else values)

    def advance(self, grads: list[NDArray]) -> Any:
        """The new parameters."""
        raise NotImplementedError

    def buffers(self, index: int) -> Any:
        """The state of one parameter."""
        raise NotImplementedError


class FunctionOptimizer(ArrayOptimizer):
    """A plain function ``(params, grads, state, **hyperparameters) → (params, state)`` on lists of numpy arrays.

    ``state`` is ``None`` before the first step, and afterwards what the function returned.
    """

    def __init__(self, function: Callable[..., Any], params: Any, **hyper: Any) -> None:
        super().__init__(params)
        self.function, self.hyper, self.kept = function, hyper, None

    def advance(self, grads: list[NDArray]) -> Any:
        """The function's new parameters; its state is kept."""
        params = [self.array(p) for p in self.params]
        result = self.function(params, grads, self.kept, **self.hyper)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"the function returned {type(result).__name__}; expected (params, state)")
        new, self.kept = result
        return new

    def buffers(self, index: int) -> Any:
        """The function's state: where a value is a list with one entry a parameter, the entry."""
        if not isinstance(self.kept, Mapping) or len(self.params) == 1:
            return self.kept
        return {k: v[index] if isinstance(v, list) and len(v) == len(self.params) else v for k, v in self.kept.items()}


class StepperOptimizer(ArrayOptimizer):
    """An object with the two methods of :class:`Stepper`."""

    def __init__(self, factory: Callable[..., Stepper], params: Any, **hyper: Any) -> None:
        super().__init__(params)
        self.stepper = factory([self.array(p) for p in self.params], **hyper)

    def advance(self, grads: list[NDArray]) -> Any:
        """The stepper's new parameters."""
        return self.stepper.step(grads)

    def buffers(self, index: int) -> Any:
        """The stepper's state of one parameter."""
        state = self.stepper.state()
        return {k: v[index] if isinstance(v, list) and len(v) == len(self.params) else v for k, v in state.items()}


class OptaxOptimizer(ArrayOptimizer):
    """An optax ``GradientTransformation`` with JAX on the CPU, in every dtype that JAX has."""

    def __init__(self, factory: Callable[..., Any], params: Any, **hyper: Any) -> None:
        super().__init__(params)
        self.transformation = factory(**hyper)
        if not (hasattr(self.transformation, "init") and hasattr(self.transformation, "update")):
            raise TypeError(f"the factory made {type(self.transformation).__name__}; expected a GradientTransformation")
        self.kept = self.transformation.init([self.jax_array(p) for p in self.params])

    @torch.no_grad()
    def step(self) -> None:
        """One step; without any gradient, none."""
        import jax

        if all(p.grad is None for p in self.params):
            return
        params = [self.jax_array(p) for p in self.params]
        grads = [self.jax_array(torch.zeros_like(p) if p.grad is None else p.grad) for p in self.params]
        updates, self.kept = self.transformation.update(grads, self.kept, params)
        new = jax.tree_util.tree_map(lambda p, u: (p + u).astype(p.dtype), params, updates)
        for index, (p, values) in enumerate(zip(self.params, new, strict=True)):
            wide = self.numpy_array(values)
            if wide.shape != tuple(p.shape):
                raise ValueError(f"a step returned an array of shape {wide.shape}; expected {tuple(p.shape)}")
            p.copy_(torch.from_numpy(wide))
            leaves = flat_state(jax.tree_util.tree_map(lambda x: x, self.kept))
            one = {n: v for n, v in leaves.items() if not n.rsplit(".", 1)[-1].isdigit() or n.endswith(f".{index}")}
            self.state[p] = {
                name: torch.as_tensor(self.numpy_array(v)) for name, v in one.items() if hasattr(v, "dtype")
            }


class ProjectionOptimizer(ArrayOptimizer):
    """SGDP (Algorithm 1) around a projection alone, ``(w, g, update, delta) → (update, decided)``.

    The projection gets tensors of torch, numpy or JAX: those of its annotations, else the first of them that it takes
    and gives back. ``decided`` says whether it projected: a truth value, or the name of the view, or ``"none"``.

    Attributes:
        decided: of the last step, whether each parameter was projected.
    """

    libraries: ClassVar[dict[Any, str]] = {}  # what each projection takes

    def __init__(
        self,
        projection: Callable[..., Any],
        params: Any,
        *,
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        wd_ratio: float = 0.1,
        **own: Any,
    ) -> None:
        super().__init__(params)
        self.projection, self.own, self.decided = projection, own, [False] * len(self.params)
        self.lr, self.momentum, self.weight_decay, self.wd_ratio = lr, momentum, weight_decay, wd_ratio
        if projection not in self.libraries:
            self.libraries[projection] = self.library()

    @torch.no_grad()
    def step(self) -> None:
        """One step of every parameter that has a gradient."""
        for index, p in enumerate(self.params):
            if p.grad is None:
                continue
            kept = self.state.setdefault(p, {})
            kept["momentum_buffer"] = self.momentum * kept.get("momentum_buffer", torch.zeros_like(p)) + p.grad
            given = (p.detach(), p.grad, kept["momentum_buffer"].clone())
            q, self.decided[index] = self.project(self.libraries[self.projection], *given)
            ratio = self.wd_ratio if self.decided[index] else 1.0
            p.copy_((1 - self.lr * self.weight_decay * ratio / (1 - self.momentum)) * p - self.lr * q)

    def project(self, library: str, *tensors: torch.Tensor) -> tuple[torch.Tensor, bool]:
        """What the projection makes of weights, gradient and update, and whether it says that it projected."""
        # numpy shares the memory, so that what is written into weights or gradient shows.
        to = {"torch": lambda x: x, "numpy": lambda x: x.numpy(), "jax": self.jax_array}[library]
        given = [to(x) for x in tensors]
        result = self.projection(*given, **self.own)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"the projection returned {type(result).__name__}; expected (update, decided)")
        q, decided = result
        if type(q) is not type(given[2]) or q.dtype != given[2].dtype:
            found = f"{type(q).__name__} of dtype {getattr(q, 'dtype', None)}"
            raise TypeError(f"the projection returned {found}; expected {type(given[2]).__name__} of {given[2].dtype}")
        if tuple(q.shape) != tuple(tensors[2].shape):
            raise ValueError(f"the projection returned shape {tuple(q.shape)}; expected {tuple(tensors[2].shape)}")
        if library != "torch":
            q = torch.from_numpy(self.numpy_array(q))
        name = getattr(decided, "value", decided)  # of an enum
        return q, name != "none" if isinstance(name, str) else bool(decided)

    def library(self) -> str:
        """Whose arrays the projection takes."""
        first = next(iter(inspect.signature(self.projection).parameters.values()), None)
        for library, says in (("torch", "Tensor"), ("jax", "jax"), ("numpy", "ndarray"), ("numpy", "NDArray")):
            if says in str(getattr(first, "annotation", "")):
                return library
        w, g, update = torch.tensor(
            [[[1.0, 2.0, 4.0], [3.0, 1.0, 1.0]], [[2.0, -1.0, 0.0], [1.0, -3.0, 0.0]], [[1.0, 1.0, 0.0]] * 2]
        )
        refused = []
        for library in ("torch", "numpy", "jax"):
            try:
                self.project(library, w.clone(), g.clone(), update.clone())
            except Exception as error:
                refused.append(f"of {library}: {type(error).__name__}: {error}")
            else:
                return library
        raise TypeError(f"the projection takes no arrays, {'; '.join(refused)}")


ADAPTERS: dict[str, type[ArrayOptimizer]] = {
    "function": FunctionOptimizer,
    "protocol": StepperOptimizer,
    "optax": OptaxOptimizer,
    "projection": ProjectionOptimizer,
}


def source_of(kind: str) -> str:
    """The source of an adapter, for a script that needs torch and the target alone."""
    parts = [inspect.getsource(thing) for thing in (flat_state, ArrayOptimizer, ADAPTERS[kind])]
    imports = "import inspect\nfrom collections.abc import Callable, Mapping\nfrom typing import Any, ClassVar\n"
    head = f"{imports}\nimport numpy as np\n\nNDArray = np.ndarray\nStepper = Any"
    return "\n\n".join((head, *parts, f"drive = {ADAPTERS[kind].__name__}"))
