"""A target as the checks see it: built by the names of the specification, whatever its own are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from inspect import getsource, signature
from keyword import iskeyword
from pathlib import Path
from typing import Any

import torch

from tangency.proofs_checks.algorithms import ALGORITHMS, SGD, Algorithm
from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.finding import TargetInfo
from tangency.proofs_checks.hyperparameters import (
    DAMPENING,
    DECAY,
    EPS,
    GROUPS,
    LARGE,
    PROJECTING,
    PROJECTION,
    RATIO,
    WEIGHT_DECAY,
)
from tangency.proofs_checks.subjects import Subject
from tangency.proofs_checks.target.adapters import ADAPTERS, ProjectionOptimizer, source_of
from tangency.proofs_checks.target.base import algorithm_of
from tangency.proofs_checks.target.setting import on_path, require_possible, shapes_of
from tangency.proofs_checks.target.signature import Names, absent, kind_of, names_of
from tangency.proofs_checks.target.spec import TargetError, TargetSpec, find
from tangency.proofs_checks.target.state import dampens_first_step, find_buffers
from tangency.theory.algorithms import gd


@dataclass(frozen=True, eq=False)
class Target:
    """A loaded target.

    Attributes:
        spec: what the caller asked for.
        algorithm, kind: as given, or as inferred; a projection alone is that of sgdp.
        factory: the class or function itself.
        names: of each hyper-parameter that the target offers, its own name (two, for ``betas`` that come apart).
        defaults: of each hyper-parameter that the target offers, its default there; missing if there is none.
        options: the arguments that every construction passes (``--set``).
        base: the optimizer whose updates it projects, if it is checked beside one.
    """

    spec: TargetSpec
    algorithm: Algorithm
    kind: str
    factory: Callable[..., Any]
    names: Names
    defaults: Mapping[str, Any]
    options: Mapping[str, Any]
    base: "Target | None" = None

    def offers(self, name: str) -> bool:
        """Whether the target takes a hyper-parameter of the spec, ``foreach`` and the like included."""
        return name in self.names

    def arguments(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Hyper-parameters of the spec as arguments of the target, every one that it offers set explicitly.

        Raises:
            NotOffered: the target has no such hyper-parameter and the value is not what its absence means.
        """
        wanted = {**self.algorithm.defaults, **hyper}
        if not self.algorithm.projects:
            wanted = {name: value for name, value in wanted.items() if name not in PROJECTING}
        without, found = {**absent(), **self.algorithm.defaults}, dict(self.options)
        for name, value in wanted.items():
            own = self.names.get(name)
            if own is None:
                if name == "lr":
                    raise NotOffered("it takes no lr; name its step size with --rename lr=NAME")
                if value != without.get(name):
                    meant = without.get(name)
                    raise NotOffered(f"it takes no {name}, and without it {name} is {meant!r}, not {value!r}")
            elif isinstance(own, tuple):
                found |= dict(zip(own, value, strict=True))
            elif own in self.options:
                if self.options[own] != value:
                    raise NotOffered(f"{own} is set to {self.options[own]!r}; a trial asks for {value!r}")
            elif value is not None or without.get(name) is not None:
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
            made = self.make(params, **hyper)
            return compiled(made) if self.spec.compiled else made
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
                "import importlib.util\nimport sys\n\n"
                f"_spec = importlib.util.spec_from_file_location('target', {str(Path(place).resolve())!r})\n"
                "_module = importlib.util.module_from_spec(_spec)\n"
                # What a file defines can be pickled, and compiled, only where its module is known.
                "sys.modules[_spec.name] = _module\n_spec.loader.exec_module(_module)\n"
                f"{root} = _module.{root}"
            )
        elif all(part.isidentifier() and not iskeyword(part) for part in place.split(".")):
            imports = f"from {place} import {root}"
        else:
            imports = f"import importlib\n\n{root} = importlib.import_module({place!r}).{root}"
        if self.spec.device:
            imports = f"torch.set_default_device({self.spec.device!r})\n{imports}"
        if self.kind == "torch":
            return imports, name
        return (
            f"{imports}\n\n\n{source_of(self.kind)}",
            f"(lambda params, **hyper: drive({name}, params, **hyper))",
        )

    @cached_property
    def subject(self) -> Subject:
        """The target as the claims see it."""
        imports, expression = self.expression
        if self.spec.compiled:
            imports = f"from typing import Any\n\n{imports}\n\n\n{getsource(compiled)}"
            expression = f"(lambda params, **hyper: compiled({expression}(params, **hyper)))"
        return Subject(
            name=self.spec.target,
            algorithm=self.algorithm.name,
            make=self._make_for_trial,
            capabilities=self.capabilities,
            buffers=self.buffers,
            imports=imports,
            expression=expression,
            arguments=self.arguments,
            foreign=True,
            flushes=self.library == "jax",
            device=self.spec.device or "cpu",
            dtypes=self.spec.dtypes,
            shapes=self.spec.shapes,
            lacks=frozenset(one.name for one in (DECAY, RATIO) if not self.offers(one.name)),
        )

    @cached_property
    def library(self) -> str:
        """Whose arrays it computes with: ``torch``, ``numpy`` or ``jax``."""
        if self.kind != "projection":
            return {"torch": "torch", "optax": "jax"}.get(self.kind, "numpy")
        try:
            self.make([], lr=0.0)  # asks it
        except Exception:  # one that takes no arrays fails where it is described
            return "torch"
        return ProjectionOptimizer.libraries[self.factory]

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What the algorithm promises, as far as the target has the arguments for it."""
        if self.kind == "projection":  # of SGDP the rest is not the target's
            return frozenset({PROJECTION, WEIGHT_DECAY})
        found = {*self.algorithm.capabilities, *({GROUPS, LARGE} if self.kind == "torch" else ())}
        for one in self.algorithm.hyper:
            # Where the first gradient is not dampened, as in torch, dampening is not Eq. 7's: the dialect says so.
            missing = not self.offers(one.name) or (one.capability == DAMPENING and not dampens_first_step(self.make))
            if missing:
                found.discard(one.capability)
        return frozenset(found)

    @cached_property
    def buffers(self) -> Mapping[str, str]:
        """Which entries of ``state[p]`` hold the spec's buffers, found by their values after one known step."""
        return find_buffers(self.algorithm, self.make, self.offers)

    @property
    def info(self) -> TargetInfo:
        """What reports say of the target."""
        offered = {}
        for name, own in self.names.items():
            own_name = own if isinstance(own, str) else ", ".join(own)
            default = f" = {self.defaults[name]!r}" if name in self.defaults else ""
            offered[name] = f"{own_name}{default}"
        given = {f"set {name}": value for name, value in self.spec.set.items()}
        asked = {name: getattr(self.spec, name) for name in ("base", "path", "compiled", "device", "model")}
        asked["dtypes"] = ", ".join(self.spec.dtypes)
        asked["shapes"] = ", ".join("×".join(map(str, shape)) for shape in self.spec.shapes)
        return TargetInfo(
            target=self.spec.target,
            algorithm=self.algorithm.name,
            kind=self.kind,
            version=self.version,
            offers=offered,
            capabilities=tuple(sorted(self.capabilities)),
            options={**given, **self.spec.rename, **{name: value for name, value in asked.items() if value}},
        )

    @property
    def version(self) -> str:
        """The version of the distribution that the target comes from; empty for a file."""
        place = self.spec.target.rpartition(":")[0]
        if place.endswith(".py"):
            return ""
        for distribution in _distributions().get(place.split(".")[0], ()):
            try:
                return version(distribution)
            except PackageNotFoundError:
                continue
        return ""


# Whose a module is, is read from the files of all that is installed: half a second, and the same for every target.
_distributions = cache(packages_distributions)


def compiled(optimizer: Any) -> Any:
    """The optimizer with a step that is compiled anew."""
    torch._dynamo.reset()  # else the steps of earlier optimizers fill the cache, and no more are compiled
    optimizer.step = torch.compile(optimizer.step)
    return optimizer


def load(spec: TargetSpec) -> Target:
    """Import a target and find out what it takes.

    Raises:
        TargetError: it cannot be imported, is not there, or nothing like an optimizer; or an option is wrong.
    """
    factory, base = find(spec.target), None
    kind = _kind(factory, spec)
    require_possible(spec, kind)
    if kind == "projection" and (spec.base or spec.algorithm not in ("", "sgdp")):
        given = f"--base is {spec.base!r}" if spec.base else f"--algorithm is {spec.algorithm!r}"
        raise TargetError(f"{given}; a projection alone is checked within sgdp: leave it out")
    if spec.base:
        base = _base(spec, factory, kind)
        algorithm = algorithm_of(base)
        ALGORITHMS[algorithm.name] = algorithm
    else:
        name = "sgdp" if kind == "projection" else spec.algorithm or _algorithm_of(spec.target)
        if name not in ALGORITHMS:
            raise TargetError(f"--algorithm is {name!r}; it must be one of {', '.join(ALGORITHMS)}")
        algorithm = ALGORITHMS[name]
    return replace(_target(spec, factory, kind, algorithm), base=base)


def _kind(factory: Callable[..., Any], spec: TargetSpec) -> str:
    kind = spec.kind or kind_of(factory)
    if kind not in ("torch", *ADAPTERS):
        raise TargetError(f"--kind is {kind!r}; it must be one of {', '.join(('torch', *ADAPTERS))}")
    return kind


def _target(spec: TargetSpec, factory: Callable[..., Any], kind: str, algorithm: Algorithm) -> Target:
    names, defaults = names_of(factory, kind, algorithm, spec)
    spec = replace(spec, set={**on_path(spec, names), **spec.set}, shapes=shapes_of(spec))
    fixed = {own: value for hyper, value in algorithm.fixed.items() if isinstance(own := names.get(hyper), str)}
    spec = replace(spec, set={**fixed, **spec.set})
    return Target(spec, algorithm, kind, factory, names, defaults, dict(spec.set))


def _base(spec: TargetSpec, projecting: Callable[..., Any], kind: str) -> Target:
    """The optimizer whose updates a target projects, with those of its fixed arguments that it takes too."""
    if spec.algorithm:
        raise TargetError(f"--algorithm is {spec.algorithm!r}, and --base is {spec.base!r}; give one of them")
    try:
        factory = find(spec.base)
    except TargetError as error:
        raise TargetError(f"--base: {error}") from None
    own = kind_of(factory)
    if own in ("protocol", "projection"):
        raise TargetError(f"--base {spec.base} is of kind {own}; it must be torch, function or optax")
    taken = {name: value for name, value in spec.set.items() if name in signature(factory).parameters}
    made = _target(TargetSpec(spec.base, set=taken), factory, own, Algorithm(spec.base, gd, SGD, (DECAY, EPS)))
    if EPS.name in names_of(projecting, kind, made.algorithm, spec)[0]:
        return made
    # Where the target takes no ε, its base's is the default.
    return replace(made, names={name: value for name, value in made.names.items() if name != EPS.name})


def _algorithm_of(target: str) -> str:
    name = target.rpartition(":")[2].lower().replace("_", "")
    for algorithm in reversed(ALGORITHMS.values()):
        if algorithm.in_names and algorithm.name in name:
            return algorithm.name
    raise TargetError(f"the name of {target} does not say what it claims to be; use --algorithm")
