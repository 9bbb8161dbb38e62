"""What a target's signature says: how it is driven, and which hyper-parameters it takes under which names."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm
from tangency.proofs_checks.hyperparameters import HYPER, LR
from tangency.proofs_checks.target.adapters import ADAPTERS
from tangency.proofs_checks.target.spec import TargetError, TargetSpec

Names = Mapping[str, str | tuple[str, str]]
# Arguments that say how a step is executed, and what an optimizer without them does.
PATHS: Mapping[str, Any] = {"foreach": None, "fused": None, "capturable": False, "differentiable": False}
# What ``--rename`` may name, of whatever algorithm.
RENAMED = tuple(dict.fromkeys(("lr", *(name for one in ALGORITHMS.values() for name in one.defaults), *PATHS)))
# How many arguments come before the hyper-parameters, by kind: params; params, grads, state; w, g, update; none.
_BEFORE = {"torch": 1, "protocol": 1, "function": 3, "projection": 3, "optax": 0}


def kind_of(factory: Callable[..., Any]) -> str:
    """``torch``, ``function``, ``optax``, ``protocol`` or ``projection``."""
    if isinstance(factory, type):
        if issubclass(factory, torch.optim.Optimizer):
            return "torch"
        return "protocol" if hasattr(factory, "step") and hasattr(factory, "state") else "torch"
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return "torch"
    if "GradientTransformation" in str(signature.return_annotation):
        return "optax"
    required = [
        p.name
        for p in signature.parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if required[:3] == ["w", "g", "update"]:
        return "projection"
    if len(required) >= 3 and "grad" in required[1]:
        return "function"
    # What takes its step size first takes no parameters to optimize.
    return "optax" if next(iter(signature.parameters), "") in (LR.name, *LR.synonyms) else "torch"


def names_of(
    factory: Callable[..., Any], kind: str, algorithm: Algorithm, spec: TargetSpec
) -> tuple[Names, dict[str, Any]]:
    """The hyper-parameters that a target takes, under its own names, and their defaults there.

    Raises:
        TargetError: it has no signature, or an option names an argument that it does not take.
    """
    explicit, anything = _arguments(factory, kind, spec)
    names: dict[str, str | tuple[str, str]] = {}
    defaults: dict[str, Any] = {}
    for name in ("lr", *algorithm.defaults, *PATHS):
        own = _own_name(name, explicit, spec)
        if own is None and anything and kind == "torch" and _accepts(factory, spec, name, algorithm):
            own = name
        if own is None:
            continue
        names[name] = own
        parts = (own,) if isinstance(own, str) else own
        values = [explicit[part].default for part in parts if part in explicit]
        if len(values) == len(parts) and inspect.Parameter.empty not in values:
            defaults[name] = values[0] if isinstance(own, str) else tuple(values)
    _require_distinct(names)
    return names, defaults


def _arguments(
    factory: Callable[..., Any], kind: str, spec: TargetSpec
) -> tuple[Mapping[str, inspect.Parameter], bool]:
    """The arguments that may be hyper-parameters, and whether it takes others besides (``**kwargs``)."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise TargetError(f"{spec.target} has no signature that can be read: {error}") from None
    rest = list(parameters.values())[_BEFORE[kind] :]
    explicit = {p.name: p for p in rest if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if kind in ADAPTERS:  # some have arguments of their own
        around = inspect.signature(ADAPTERS[kind]).parameters.values()
        explicit |= {p.name: p for p in around if p.kind is p.KEYWORD_ONLY}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for given in (*spec.set, *spec.rename.values()):
        for part in given.split(","):
            if part not in explicit and not anything:
                raise TargetError(f"{spec.target} takes no argument {part!r}; it takes {', '.join(explicit) or 'none'}")
    for name, given in spec.rename.items():
        if name not in RENAMED:
            raise TargetError(f"rename: {name!r} is no hyper-parameter; there are {', '.join(RENAMED)}")
        if given.count(",") > bool(name in HYPER and HYPER[name].parts):
            raise TargetError(f"rename: {name} is {given!r}; it must be one name, and two for betas")
    return explicit, anything


def _require_distinct(names: Names) -> None:
    taken: dict[str, str] = {}
    for name, own in names.items():
        for part in (own,) if isinstance(own, str) else own:
            if part in taken:
                raise TargetError(f"rename: {taken[part]} and {name} would both be {part!r}")
            taken[part] = name


def _own_name(name: str, explicit: Mapping[str, Any], spec: TargetSpec) -> str | tuple[str, str] | None:
    given = spec.rename.get(name)
    if given is not None:
        first, comma, second = given.partition(",")
        return (first, second) if comma else first
    one = HYPER.get(name)
    for own in (name, *(one.synonyms if one else ())):
        if own in explicit:
            return own
    for pair in one.parts if one else ():
        if all(part in explicit for part in pair):
            return pair
    return None


def _accepts(factory: Callable[..., Any], spec: TargetSpec, name: str, algorithm: Algorithm) -> bool:
    """Whether a target with ``**kwargs`` takes a name: constructed with a tiny parameter."""
    value = {"lr": 0.1, **absent(), **algorithm.defaults}.get(name)
    try:
        made = factory([torch.nn.Parameter(torch.ones(2, 2))], **{"lr": 0.1, **spec.set, name: value})
    except Exception:
        return False
    return name in getattr(made, "defaults", {name: None})


def absent() -> dict[str, Any]:
    """What an optimizer without an argument does, by the argument: it has no momentum, it does not ascend."""
    return {one.name: one.absent[0] for one in HYPER.values() if one.absent} | dict(PATHS)
