"""The view of a weight by the graph of the model: a layer whose scale a normalisation takes out again (§2.1, Eq. 1).

The graph is traced by ``torch.fx``, and one weight at a time is followed through it. What is answered positively is
proven, for any data, up to ε; a coarser view than the true one may be answered, where a rule says less than is so.
Rules are for common layers and functions.
"""

import inspect
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from tangency.common.text import raised
from tangency.probe.arithmetic import Float64
from tangency.probe.evaluation import Evaluation, same_random_numbers
from tangency.probe.propagation import (
    INDEPENDENT,
    Broken,
    Free,
    Norm,
    Scaled,
    State,
    biased,
    coarser,
    normalised,
    permuted,
    reshaped,
    summed,
    together,
)
from tangency.probe.view import NONE, UNUSED, View, view

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
NORMS = (*BATCH, *INSTANCE, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
# f(cx) = c f(x) for c > 0, element by element or window by window.
HOMOGENEOUS_MODULES = (nn.ReLU, nn.LeakyReLU, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool2d)
POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
NOTHING = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)  # in evaluation mode
HOMOGENEOUS: tuple[Any, ...] = (torch.relu, functional.relu, functional.leaky_relu, torch.abs, functional.max_pool2d)
# Not homogeneous of any degree.
CURVED_MODULES = (nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Softmax, nn.Softplus, nn.ELU, nn.Mish, nn.Hardswish)
CURVED = ("gelu", "silu", "sigmoid", "tanh", "softmax", "softplus", "elu", "mish", "hardswish", "exp")
CALLED_NORMS: tuple[Any, ...] = (functional.batch_norm, functional.layer_norm, functional.rms_norm)
HOMOGENEOUS_METHODS = ("relu", "relu_", "abs")
SUMS: tuple[Any, ...] = (operator.add, operator.iadd, operator.sub, torch.add, torch.sub)
PRODUCTS: tuple[Any, ...] = (operator.mul, operator.imul, torch.mul)
QUOTIENTS: tuple[Any, ...] = (operator.truediv, torch.div)
MATRIX: tuple[Any, ...] = (operator.matmul, torch.matmul, torch.bmm)
RESHAPED: tuple[Any, ...] = ("view", "reshape", "flatten", "unflatten", torch.flatten, torch.reshape)
VIEWS = ("view", "reshape", "flatten", "unflatten", "permute", "transpose", "getitem", "getattr", "chunk", "split")
SAME_METHODS = ("contiguous", "clone", "double", "float", "to", "type_as")


@dataclass(frozen=True)
class Traced:
    """What the graph says: a view, or ``None`` and why not."""

    view: View | None
    reason: str = ""


class Structure:
    """The graph of a model with the shapes of its values; where there is none, ``problem`` says why."""

    def __init__(self, f: Evaluation) -> None:
        self._f, self.problem = f, ""
        self._shapes: dict[fx.Node, tuple[int, ...]] = {}
        try:
            self._graph = self._traced()
        except Exception as error:
            self.problem = f"not traceable: {raised(error)}"

    def _traced(self) -> fx.Graph:
        model, batch = self._f.model, self._f.batch
        named = dict(batch) if isinstance(batch, Mapping) else {}
        given = list(named.values() if named else batch if isinstance(batch, tuple | list) else (batch,))
        if self._f.loss is not None and not named:  # the rest of the batch is the loss's
            given = given[: max(1, _positional(model))]
        root = _Called(model, list(named), given)
        with same_random_numbers(0):
            graph = fx.Tracer().trace(root)
            interpreter = _Shapes(fx.GraphModule(root, graph))
            with torch.no_grad(), Float64():
                interpreter.run([one for one in given if isinstance(one, Tensor)])
        self._shapes = {node: interpreter.shapes[node.name] for node in graph.nodes if node.name in interpreter.shapes}
        return graph

    def __call__(self, name: str) -> Traced:
        """Follow one weight."""
        if self.problem:
            return Traced(None, self.problem)
        shape = tuple(self._f.weights[name].shape)
        states: dict[fx.Node, State] = {}
        for node in self._graph.nodes:
            states[node] = self._state(node, states, name, shape)
            if self._overwrites(node) and any(states[one] != INDEPENDENT for one in node.all_input_nodes):
                return Traced(None, "a value is written into that is used elsewhere")
            if node.op == "output":
                return _answer(states[node], shape)
        return Traced(None, "the graph has no output")

    def _state(self, node: fx.Node, states: dict[fx.Node, State], name: str, shape: tuple[int, ...]) -> State:
        if node.op == "placeholder":
            return INDEPENDENT
        if node.op == "get_attr":
            if _inside(node) not in (name, *self._f.tied[name]):
                return INDEPENDENT
            return Scaled(shape[0] if shape else 1, 0 if shape else None)
        inputs = [states[one] for one in node.all_input_nodes]
        broken = next((one for one in inputs if isinstance(one, Broken)), None)
        if broken is not None:
            return broken
        if node.op == "output":
            return _output(inputs)
        if node.op == "call_module":
            module = self._f.model.get_submodule(_inside(node))
            own = {f"{_inside(node)}.{one}".lstrip("."): one for one, _ in module.named_parameters()}
            mine = next((one for one in (name, *self._f.tied[name]) if one in own), "")
            if mine:
                return self._layer(node, module, own[mine], inputs, shape)
            if not any(isinstance(one, Scaled) for one in inputs):
                return together(inputs)
            return self._through(node, module, inputs)
        if not any(isinstance(one, Scaled) for one in inputs):
            return together(inputs)
        return self._function(node, states)

    def _overwrites(self, node: fx.Node) -> bool:
        """Whether a call writes into its first operand, of which something else may see it: states would be stale."""
        if node.op not in ("call_function", "call_method", "call_module") or not node.all_input_nodes:
            return False
        if node.op == "call_module":
            inside = bool(getattr(self._f.model.get_submodule(_inside(node)), "inplace", False))
        else:
            inside = bool(node.kwargs.get("inplace")) or "out" in node.kwargs or node.target is operator.setitem
            inside = inside or (_name(node).endswith("_") and not _name(node).endswith("__"))
        operand = node.all_input_nodes[0]
        alone = len(operand.users) == 1 and bool(node.users) and _name(operand) not in VIEWS
        return inside and not alone

    def _layer(
        self, node: fx.Node, module: nn.Module, attribute: str, inputs: list[State], shape: tuple[int, ...]
    ) -> State:
        """A layer that holds the weight itself."""
        out = len(self._shapes.get(node, ()))
        if any(one != INDEPENDENT for one in inputs):
            return Broken(f"{_inside(node)}: the weight is used twice in a row", known=False)
        if attribute == "bias":
            return Broken("biases are not followed", known=False)
        if isinstance(module, NORMS) and len(shape) == 1:
            axis = out - 1 if isinstance(module, nn.LayerNorm | nn.RMSNorm) else 1
            return Scaled(shape[0], axis, None if getattr(module, "bias", None) is None else axis)
        if attribute != "weight":
            return Broken(f"no rule for {_inside(node)}.{attribute}", known=False)
        if isinstance(module, nn.Embedding):
            return Scaled(1, None)
        if isinstance(module, (nn.Linear, *CONV)):
            axis = _channel_axis(module, out)
            return Scaled(shape[0], axis, None if module.bias is None else axis)
        if isinstance(module, TRANSPOSED):
            return Scaled(1, None, None if module.bias is None else _channel_axis(module, out))
        return Broken(f"{_inside(node)}: no rule for {type(module).__name__}", known=False)

    def _through(self, node: fx.Node, module: nn.Module, inputs: list[State]) -> State:
        """Another module that gets what is scaled."""
        scaled = [one for one in inputs if isinstance(one, Scaled)]
        x, where, out = scaled[0], _inside(node), len(self._shapes.get(node, ()))
        if len(inputs) > 1:
            return Broken(f"no rule for {where}, which has several inputs", known=False)
        if isinstance(module, NOTHING):
            return x
        if isinstance(module, NORMS):
            norm = _norm(module, where, out)
            return norm if isinstance(norm, Broken) else normalised(x, norm, where)
        if isinstance(module, (nn.Linear, *CONV, *TRANSPOSED)):
            if x.shift is not None:
                return biased(where)
            axis = _channel_axis(module, out)
            shift = None if module.bias is None else axis
            depthwise = isinstance(module, CONV) and module.groups == module.in_channels == module.out_channels
            return replace(x, shift=shift) if depthwise and x.axis == axis else Scaled(1, None, shift)
        if isinstance(module, nn.ReLU | nn.LeakyReLU) and x.shift is not None:
            return Broken(f"a bias is added before {where}")
        if isinstance(module, (*HOMOGENEOUS_MODULES, *POOLS)):
            return x if x.shift is None else biased(where)
        if isinstance(module, nn.Flatten):
            return reshaped(x, where, self._shapes.get(node.all_input_nodes[0], ()), self._shapes.get(node, ()))
        if isinstance(module, CURVED_MODULES):
            return Broken(f"{where} ({type(module).__name__}) is not homogeneous")
        return Broken(f"no rule for {type(module).__name__} ({where})", known=False)

    def _function(self, node: fx.Node, states: dict[fx.Node, State]) -> State:
        """A function or method that gets what is scaled."""
        pairs = [(one, states[one]) for one in node.all_input_nodes]
        scaled = [(one, state) for one, state in pairs if isinstance(state, Scaled)]
        source, x = scaled[0]
        target: Any = node.target
        called = _name(node)
        where, before, after = called, self._shapes.get(source, ()), self._shapes.get(node, ())
        if (target is getattr and node.args[1] in ("shape", "dtype", "device", "ndim")) or called in ("size", "dim"):
            return INDEPENDENT
        if not node.args or node.args[0] is not source:
            return self._second(node, scaled, len(after))
        if called in SAME_METHODS:
            return x
        if called in RESHAPED or target in RESHAPED:
            return reshaped(x, where, before, after)
        if called in ("permute", "transpose"):
            return permuted(x, where, node.args[1:], len(before))
        if target in SUMS:
            if not all(isinstance(one, fx.Node) for one in node.args):
                return Broken(f"{where} adds it to what does not scale")
            shapes = {len(self._shapes.get(one, ())) for one, _ in pairs}
            return summed([state for _, state in pairs], where, alike=len(shapes) == 1)
        norm = _called_norm(node, where, len(before))
        if norm is not None:
            return norm if isinstance(norm, Broken) else normalised(x, norm, where)
        if x.shift is not None:
            return biased(where)
        if target in HOMOGENEOUS or called in HOMOGENEOUS_METHODS:
            return x
        if (target in PRODUCTS and len(scaled) == 1) or (target in QUOTIENTS and scaled == [(node.args[0], x)]):
            axis = None if x.axis is None else x.axis + len(after) - len(before)
            return Scaled(coarser(x.parts, *(s.parts for _, s in pairs if isinstance(s, Free))), axis)
        if target in MATRIX and len(scaled) == 1:
            return Scaled(1, None)
        if target is functional.linear and len(scaled) == 1:
            return Scaled(1, None, len(after) - 1 if _has_bias(node) else None)
        if called in CURVED or target is functional.scaled_dot_product_attention:
            return Broken(f"{where} is not homogeneous")
        return Broken(f"no rule for {where}", known=False)

    def _second(self, node: fx.Node, scaled: list[tuple[fx.Node, Scaled]], out: int) -> State:
        """A function whose first argument does not scale."""
        target: Any = node.target
        where = _name(node)
        source, x = scaled[0]
        if target in SUMS:
            return Broken(f"{where} adds it to what does not scale")
        if len(scaled) > 1 or x.shift is not None:
            return Broken(f"no rule for {where}", known=False)
        if target in PRODUCTS:
            axis = None if x.axis is None else x.axis + out - len(self._shapes.get(source, ()))
            return Scaled(x.parts, axis) if isinstance(node.args[0], int | float) else Scaled(1, None)
        if target is functional.linear and node.args[1] is source and x.axis == 0:
            return Scaled(x.parts, out - 1, out - 1 if _has_bias(node) else None)
        if target in MATRIX:
            return Scaled(1, None)
        if target is functional.scaled_dot_product_attention:
            values = len(node.args) > 2 and node.args[2] is source
            return Scaled(1, None) if values else Broken(f"{where}: a softmax of it")
        return Broken(f"no rule for {where}", known=False)


class _Called(nn.Module):
    """The call of a model as a function of one list of tensors; what else it is called with is fixed.

    Args:
        names: of the arguments; none: they go by their places.
        given: the arguments.
    """

    def __init__(self, model: nn.Module, names: list[str], given: list[Any]) -> None:
        super().__init__()
        self.model, self._names, self._given = model, names, given

    def forward(self, tensors: Any) -> Any:
        """Call it."""
        places = iter(range(len(self._given)))
        arguments = [tensors[next(places)] if isinstance(one, Tensor) else one for one in self._given]
        if self._names:
            return self.model(**dict(zip(self._names, arguments, strict=True)))
        return self.model(*arguments)


class _Shapes(fx.Interpreter):
    """Runs a graph and keeps the shapes of its values."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: dict[str, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.shapes[n.name] = tuple(result.shape)
        return result


def _name(node: fx.Node) -> str:
    """The name of the function or method that a node calls."""
    return node.target if isinstance(node.target, str) else str(getattr(node.target, "__name__", node.target))


def _positional(model: nn.Module) -> int:
    """How many arguments a model takes at most."""
    kinds = [one.kind for one in inspect.signature(model.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 1
    return sum(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)


def _inside(node: fx.Node) -> str:
    """The name of a module or a parameter in the model itself."""
    return str(node.target).removeprefix("model").removeprefix(".")


def _channel_axis(module: nn.Module, dimensions: int) -> int:
    """Where a layer puts its output channels: last, or before the places of a convolution."""
    if isinstance(module, nn.Linear):
        return dimensions - 1
    kernel: Any = module.kernel_size
    return dimensions - 1 - len(kernel)


def _norm(module: nn.Module, where: str, dimensions: int) -> Norm | Broken:
    if isinstance(module, nn.LayerNorm | nn.RMSNorm):
        return Norm(dimensions, len(module.normalized_shape), centred=isinstance(module, nn.LayerNorm))
    if isinstance(module, nn.GroupNorm):
        return Norm(dimensions, groups=module.num_groups, channels=module.num_channels)
    if dimensions == 3 and not isinstance(module, nn.BatchNorm1d | nn.InstanceNorm1d):
        return Broken(f"no rule for {where} without a batch", known=False)
    return Norm(dimensions)


def _called_norm(node: fx.Node, where: str, dimensions: int) -> Norm | Broken | None:
    """A normalisation that is called as a function, of its first argument; ``None`` if it is none."""
    target: Any = node.target
    if target not in CALLED_NORMS:
        return None
    given = inspect.signature(target).bind(*node.args, **node.kwargs)
    given.apply_defaults()
    if target is functional.batch_norm:
        return Norm(dimensions) if given.arguments["training"] is True else Broken(f"no rule for {where}", known=False)
    shape = given.arguments["normalized_shape"]
    if not isinstance(shape, tuple | list):
        return Broken(f"no rule for {where}", known=False)
    return Norm(dimensions, len(shape), centred=target is functional.layer_norm)


def _has_bias(node: fx.Node) -> bool:
    return len(node.args) > 2 or node.kwargs.get("bias") is not None


def _output(states: list[State]) -> State:
    if any(isinstance(one, Scaled) for one in states):
        return Broken("the output is scaled by it")
    return together(states)


def _answer(state: State, shape: tuple[int, ...]) -> Traced:
    if isinstance(state, Broken):
        return Traced(NONE if state.known else None, state.reason)
    assert isinstance(state, Free)
    return Traced(view(state.parts, shape) if state.parts else UNUSED)
