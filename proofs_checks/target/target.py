"""Targets: what ``TARGET`` names, which hyper-parameters it takes under which names, and how it is built."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tangency.common.text import raised
from tangency.proofs_checks import subjects
from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.finding import TargetInfo
from tangency.proofs_checks.generate.trials import PROJECTING
from tangency.proofs_checks.subjects import Subject
from tangency.proofs_checks.target.adapters import ADAPTERS
from tangency.proofs_checks.target.source_file import run_file
from tangency.theory.formats import FLOAT32

# What ``--algorithm`` takes: the algorithm of the spec, and the hyper-parameters that it has, with the spec's defaults.
_SGD: dict[str, Any] = {"momentum": 0.0, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0, "maximize": False}
_ADAM: dict[str, Any] = {
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0.0,
    "nesterov": False,
    "maximize": False,
}
_PROJECTION: dict[str, Any] = {"delta": 0.1, "wd_ratio": 0.1}
HYPER: dict[str, dict[str, Any]] = {
    "gd": {"weight_decay": 0.0, "maximize": False},
    "momentum": _SGD,
    "nesterov": _SGD,
    "sgd": _SGD,
    "adam": _ADAM,
    "adamw": _ADAM,
    "sgdp": _SGD | _PROJECTION | {"eps": 1e-8},
    "adamp": _ADAM | _PROJECTION,
    "sgdg": {"momentum": 0.0, "clip": None},
    "adamg": {"betas": (0.9, 0.99), "eps": 1e-8, "clip": None},
}
# The algorithm of the spec, and the reference that the dialect is measured against, where they have another name.
SPEC = {"sgd": "momentum", "nesterov": "momentum"}
REFERENCE = {"gd": "sgd", "momentum": "sgd", "nesterov": "sgd"}
# What ``--rename`` may name, of whatever algorithm.
PATHS = ("foreach", "fused", "capturable", "differentiable")
RENAMED = ("lr", *dict.fromkeys(name for names in HYPER.values() for name in names), *PATHS)
SYNONYMS = {
    "lr": ("lr", "learning_rate", "step_size", "eta"),
    "momentum": ("momentum", "decay"),
    "eps": ("eps", "epsilon"),
    "weight_decay": ("weight_decay", "wd"),
    "clip": ("clip", "grad_clip"),
}
BETA_PAIRS = (("b1", "b2"), ("beta1", "beta2"), ("beta_1", "beta_2"))
# What an optimizer without an argument does: it has no momentum, it does not ascend.
NEUTRAL: dict[str, Any] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "maximize": False,
    "clip": None,
    "foreach": None,
    "fused": None,
    "capturable": False,
    "differentiable": False,
}


class TargetError(Exception):
    """The target cannot be used; the message says what was asked for, what is there, and what would be right."""


@dataclass(frozen=True)
class TargetSpec:
    """What the caller asked for; it travels to worker processes, which load the target themselves.

    Attributes:
        target: ``module:name``, ``path.py:name``; ``name`` may have dots.
        algorithm: a key of :data:`HYPER`, or empty: by the name of the target.
        kind: ``torch``, ``function``, ``optax`` or ``protocol``; empty: by its signature.
        set: fixed arguments, by the target's own names.
        rename: the spec's name of a hyper-parameter → the target's.
    """

    target: str
    algorithm: str = ""
    kind: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A loaded target.

    Attributes:
        spec: what the caller asked for.
        algorithm, kind: as given, or as inferred.
        factory: the class or function itself.
        names: of each hyper-parameter that the target offers, its own name (two, for ``betas`` that come apart).
        defaults: of each hyper-parameter that the target offers, its default there; missing if there is none.
        options: the arguments that every construction passes (``--set``).
    """

    spec: TargetSpec
    algorithm: str
    kind: str
    factory: Callable[..., Any]
    names: Mapping[str, str | tuple[str, str]]
    defaults: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def family(self) -> str:
        """``adam``, ``sgd`` or ``grassmann``: which dialects may explain it."""
        if self.algorithm in ("sgdg", "adamg"):
            return "grassmann"
        return "adam" if self.algorithm.startswith("adam") else "sgd"

    @property
    def projects(self) -> bool:
        """Whether the algorithm that it claims to be projects."""
        return self.algorithm in ("sgdp", "adamp")

    @property
    def reference(self) -> str:
        """Which dialects it is measured against, a key of ``dialects.PAPER``; there is none of the Grassmann family."""
        return REFERENCE.get(self.algorithm, self.algorithm)

    def offers(self, name: str) -> bool:
        """Whether the target takes a hyper-parameter of the spec, ``foreach`` and the like included."""
        return name in self.names

    def arguments(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Hyper-parameters of the spec as arguments of the target, every one that it offers set explicitly.

        Raises:
            NotOffered: the target has no such hyper-parameter and the value is not what its absence means.
        """
        wanted = {**HYPER[self.algorithm], **hyper}
        if not self.projects:
            wanted = {name: value for name, value in wanted.items() if name not in PROJECTING}
        found = dict(self.options)
        for name, value in wanted.items():
            own = self.names.get(name)
            if own is None:
                if name == "lr":
                    raise NotOffered("it takes no lr; name its step size with --rename lr=NAME")
                absent = {**HYPER[self.algorithm], **NEUTRAL}.get(name)
                if value != absent:
                    raise NotOffered(f"it takes no {name}, and without it {name} is {absent!r}, not {value!r}")
            elif isinstance(own, tuple):
                found |= dict(zip(own, value, strict=True))
            elif own in self.options:
                if self.options[own] != value:
                    raise NotOffered(f"{own} is set to {self.options[own]!r}; a trial asks for {value!r}")
            elif value is None and name in ("foreach", "fused", "clip"):
                continue
            else:
                found[own] = value
        return found

    def make(self, params: Any, **hyper: Any) -> Any:
        """A torch-like optimizer over ``params``.

        Raises:
            NotOffered: see :meth:`arguments`.
        """
        return self.build(params, **self.arguments(hyper))

    def _make_for_trial(self, params: Any, **hyper: Any) -> Any:
        try:
            return self.make(params, **hyper)
        except ValueError as error:  # a combination that it refuses, as torch's SGD refuses nesterov with dampening
            raise NotOffered(f"it refuses such hyper-parameters: {error}") from error

    def build(self, params: Any, **arguments: Any) -> Any:
        """The same with the target's own arguments, nothing added."""
        if self.kind == "torch":
            return self.factory(params, **arguments)
        adapter: Callable[..., Any] = ADAPTERS[self.kind]
        return adapter(self.factory, params, **arguments)

    @property
    def expression(self) -> tuple[str, str]:
        """A line or more of Python that imports the target, and an expression that builds it from parameters."""
        place, _, name = self.spec.target.rpartition(":")
        root = name.split(".")[0]
        if place.endswith(".py"):
            imports = (
                "import importlib.util\n\n"
                f"_spec = importlib.util.spec_from_file_location('target', {str(Path(place).resolve())!r})\n"
                "_module = importlib.util.module_from_spec(_spec)\n_spec.loader.exec_module(_module)\n"
                f"{root} = _module.{root}"
            )
        elif all(part.isidentifier() and not iskeyword(part) for part in place.split(".")):
            imports = f"from {place} import {root}"
        else:
            imports = f"import importlib\n\n{root} = importlib.import_module({place!r}).{root}"
        if self.kind == "torch":
            return imports, name
        return (
            f"{imports}\n\n\n{_adapter_source(self.kind)}",
            f"(lambda params, **hyper: drive({name}, params, **hyper))",
        )

    @cached_property
    def subject(self) -> Subject:
        """The target as the claims see it."""
        imports, expression = self.expression
        return Subject(
            name=self.spec.target,
            algorithm=SPEC.get(self.algorithm, self.algorithm),
            make=self._make_for_trial,
            capabilities=self.capabilities,
            buffers=self.buffers,
            imports=imports,
            expression=expression,
            arguments=self.arguments,
            foreign=True,
            flushes=self.kind == "optax",
        )

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What the algorithm promises, as far as the target has the arguments for it."""
        found = set()
        if self.family == "sgd":
            found.add(subjects.HEAVY_BALL)
        if self.family == "adam":
            found.add(subjects.ADAPTIVE)
        if self.projects:
            found.add(subjects.PROJECTION)
        for name in (subjects.NESTEROV, subjects.MAXIMIZE):
            if self.offers(name):
                found.add(name)
        # Where the first gradient is not dampened, as in torch, dampening is not Eq. 7's: the dialect tells.
        if self.offers("dampening") and _dampens_first_step(self):
            found.add(subjects.DAMPENING)
        # Adam's and SGD's own weight decay is coupled: the dialect tells which.
        if self.offers("weight_decay") and self.algorithm in ("adamw", "sgdp", "adamp"):
            found.add(subjects.WEIGHT_DECAY)
        return frozenset(found)

    @cached_property
    def buffers(self) -> Mapping[str, str]:
        """Which entries of ``state[p]`` hold the spec's buffers, found by their values after one known step."""
        return _find_buffers(self)

    @property
    def info(self) -> TargetInfo:
        """What reports say of the target."""
        offered = {}
        for name, own in self.names.items():
            own_name = own if isinstance(own, str) else ", ".join(own)
            default = f" = {self.defaults[name]!r}" if name in self.defaults else ""
            offered[name] = f"{own_name}{default}"
        return TargetInfo(
            target=self.spec.target,
            algorithm=self.algorithm,
            kind=self.kind,
            version=self.version,
            offers=offered,
            capabilities=tuple(sorted(self.capabilities)),
            options={**{f"set {k}": v for k, v in self.spec.set.items()}, **self.spec.rename},
        )

    @property
    def version(self) -> str:
        """The version of the distribution that the target comes from; empty for a file."""
        place = self.spec.target.rpartition(":")[0]
        if place.endswith(".py"):
            return ""
        for distribution in packages_distributions().get(place.split(".")[0], ()):
            try:
                return version(distribution)
            except PackageNotFoundError:
                continue
        return ""


def load(spec: TargetSpec) -> Target:
    """Import a target and find out what it takes.

    Raises:
        TargetError: it cannot be imported, is not there, or nothing like an optimizer; or an option is wrong.
    """
    factory = _find(spec.target)
    algorithm = spec.algorithm or _infer_algorithm(spec.target)
    if algorithm not in HYPER:
        raise TargetError(f"--algorithm is {algorithm!r}; it must be one of {', '.join(HYPER)}")
    kind = spec.kind or _infer_kind(factory)
    if kind not in ("torch", *ADAPTERS):
        raise TargetError(f"--kind is {kind!r}; it must be one of {', '.join(('torch', *ADAPTERS))}")
    names, defaults = _names(factory, kind, algorithm, spec)
    if algorithm == "nesterov":
        own = names.get("nesterov")
        if isinstance(own, str):
            spec = TargetSpec(spec.target, spec.algorithm, spec.kind, {own: True, **spec.set}, spec.rename)
    return Target(spec, algorithm, kind, factory, names, defaults, dict(spec.set))


def _find(target: str) -> Callable[..., Any]:
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"TARGET is {target!r}; it must be MODULE:NAME or PATH.py:NAME")
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = [n for n in dir(found) if n.lower() == part.lower()]
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TargetError(f"{place} has no {name}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise TargetError(f"{target} is {type(found).__name__}; it must be a class or a function")
    callable_found: Callable[..., Any] = found
    return callable_found


def _import_module(name: str) -> ModuleType:
    sys.path.insert(0, "") if "" not in sys.path else None
    try:
        return importlib.import_module(name)
    except BaseException as error:
        raise TargetError(f"{name} cannot be imported: {raised(error)}") from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"{path} is no file")
    try:
        return _run_once(path.resolve(), path.stat().st_mtime_ns)
    except BaseException as error:
        raise TargetError(f"{path} cannot be imported: {raised(error)}") from error


@cache
def _run_once(path: Path, changed: int) -> ModuleType:
    """The module of a file. Several targets of one file share it, for what it defines is pickled by its place there."""
    return run_file(path, "tangency_target")


def _infer_algorithm(target: str) -> str:
    name = target.rpartition(":")[2].lower().replace("_", "")
    for algorithm in ("adamp", "sgdp", "adamg", "sgdg", "adamw", "adam", "sgd", "nesterov", "momentum"):
        if algorithm in name:
            return algorithm
    raise TargetError(f"the name of {target} does not say what it claims to be; use --algorithm")


def _infer_kind(factory: Callable[..., Any]) -> str:
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
    if len(required) >= 3 and "grad" in required[1]:
        return "function"
    # What takes its step size first takes no parameters to optimize.
    return "optax" if next(iter(signature.parameters), "") in SYNONYMS["lr"] else "torch"


def _names(
    factory: Callable[..., Any], kind: str, algorithm: str, spec: TargetSpec
) -> tuple[dict[str, str | tuple[str, str]], dict[str, Any]]:
    """The hyper-parameters that a target takes, under its own names, and their defaults there."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise TargetError(f"{spec.target} has no signature that can be read: {error}") from None
    skip = {"torch": 1, "protocol": 1, "function": 3, "optax": 0}[kind]
    explicit = {p.name: p for p in list(parameters.values())[skip:] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for given in (*spec.set, *spec.rename.values()):
        for part in given.split(","):
            if part not in explicit and not anything:
                raise TargetError(f"{spec.target} takes no argument {part!r}; it takes {', '.join(explicit) or 'none'}")
    for name, given in spec.rename.items():
        if name not in RENAMED:
            raise TargetError(f"rename: {name!r} is no hyper-parameter; there are {', '.join(RENAMED)}")
        if given.count(",") > (name == "betas"):
            raise TargetError(f"rename: {name} is {given!r}; it must be one name, and two for betas")
    names: dict[str, str | tuple[str, str]] = {}
    defaults: dict[str, Any] = {}
    for name in ("lr", *HYPER[algorithm], *PATHS):
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
    taken: dict[str, str] = {}
    for name, own in names.items():
        for part in (own,) if isinstance(own, str) else own:
            if part in taken:
                raise TargetError(f"rename: {taken[part]} and {name} would both be {part!r}")
            taken[part] = name
    return names, defaults


def _own_name(name: str, explicit: Mapping[str, Any], spec: TargetSpec) -> str | tuple[str, str] | None:
    given = spec.rename.get(name)
    if given is not None:
        first, comma, second = given.partition(",")
        return (first, second) if comma else first
    for own in SYNONYMS.get(name, (name,)):
        if own in explicit:
            return own
    if name == "betas":
        for pair in BETA_PAIRS:
            if all(part in explicit for part in pair):
                return pair
    return None


def _accepts(factory: Callable[..., Any], spec: TargetSpec, name: str, algorithm: str) -> bool:
    """Whether a target with ``**kwargs`` takes a name: tried on a tiny parameter."""
    value = {"lr": 0.1, **HYPER[algorithm], **NEUTRAL}.get(name)
    try:
        made = factory([torch.nn.Parameter(torch.ones(2, 2))], **{"lr": 0.1, **spec.set, name: value})
    except Exception:
        return False
    return name in getattr(made, "defaults", {name: None})


def _find_buffers(target: Target) -> dict[str, str]:
    """Match the state after one step from nothing, w = (1, 2, 4), g = (3, −1/2, 2), with what the buffers must hold."""
    w, g = torch.nn.Parameter(torch.tensor([1.0, 2.0, 4.0])), torch.tensor([3.0, -0.5, 2.0])
    betas = HYPER[target.algorithm].get("betas", (0.9, 0.999))
    hyper: dict[str, Any] = {"lr": 2.0**-10}
    if target.family == "sgd" and target.offers("momentum"):
        hyper["momentum"] = 0.5
    elif target.family == "adam" and target.offers("betas"):
        betas = (0.5, 0.75)
        hyper["betas"] = betas
    try:
        optimizer = target.make([w], **hyper)
        w.grad = g.clone()
        optimizer.step()
        state = {name: value for name, value in dict(optimizer.state[w]).items() if value is not None}
    except Exception:
        return {}
    if target.family == "adam":
        wanted = {"exp_avg": (1 - betas[0]) * g, "exp_avg_sq": (1 - betas[1]) * g * g}
    elif target.family == "sgd":
        wanted = {"momentum_buffer": g}
    else:
        return {}
    found: dict[str, str] = {}
    for name, value in wanted.items():
        matches = [key for key, held in state.items() if _is_close(held, value)]
        named = [key for key in matches if key == name]
        if matches:
            found[name] = (named or matches)[0]
    if target.family == "adam":
        counts = [key for key, held in state.items() if _is_count(held)]
        if counts:
            found["step"] = "step" if "step" in counts else counts[0]
        if set(found) != {"exp_avg", "exp_avg_sq", "step"}:
            return {}
    return found


def _dampens_first_step(target: Target) -> bool:
    """Whether one step from nothing with dampening 1/4 moves w by 3/4 of what it moves without."""
    moved = []
    for dampening in (0.0, 0.25):
        w = torch.nn.Parameter(torch.zeros(3, dtype=torch.float32))  # whatever default a step has left behind
        w.grad = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float32)
        try:
            target.make([w], lr=0.5, momentum=0.5, dampening=dampening).step()
        except Exception:
            return False
        moved.append(w.detach())
    return torch.equal(moved[1], 0.75 * moved[0])  # every number here is exact in binary


def _is_close(held: Any, value: torch.Tensor) -> bool:
    if not isinstance(held, torch.Tensor) or held.shape != value.shape:
        return False
    # (1 − β)g², in float32 on either side: a factor and two products are rounded.
    return bool(((held.to(value) - value).abs() <= FLOAT32.gamma(6) * value.abs()).all())


def _is_count(held: Any) -> bool:
    if isinstance(held, torch.Tensor):
        return held.numel() == 1 and float(held) == 1
    return isinstance(held, int) and held == 1


def _adapter_source(kind: str) -> str:
    """The source of an adapter, for a reproducer that needs torch and the target alone."""
    from tangency.proofs_checks.target import adapters

    parts = [inspect.getsource(adapters.flat_state), inspect.getsource(adapters.ArrayOptimizer)]
    parts.append(inspect.getsource(ADAPTERS[kind]))
    imports = "from collections.abc import Callable, Mapping\nfrom typing import Any\n\nimport numpy as np\n"
    head = f"{imports}\nNDArray = np.ndarray\nStepper = Any"
    return "\n\n".join((head, *parts, f"drive = {ADAPTERS[kind].__name__}"))
