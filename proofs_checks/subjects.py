"""The optimizers that claims are attacked on, and what each of them can do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.algorithms import ADAM, ALGORITHMS, SGD, Algorithm, Update
from tangency.proofs_checks.hyperparameters import (
    ADAPTIVE,
    DAMPENING,
    GROUPS,
    HEADS,
    HEAVY_BALL,
    LARGE,
    MAXIMIZE,
    NESTEROV,
    PROJECTION,
    WEIGHT_DECAY,
)
from tangency.theory.algorithms import Step

if TYPE_CHECKING:
    from torch.optim import Optimizer

__all__ = [
    "ADAPTIVE",
    "DAMPENING",
    "GROUPS",
    "HEADS",
    "HEAVY_BALL",
    "LARGE",
    "MAXIMIZE",
    "NESTEROV",
    "PATHS",
    "PRODUCTION",
    "PROJECTION",
    "SHIPPED",
    "WEIGHT_DECAY",
    "Subject",
    "of_class",
    "on_path",
]


@dataclass(frozen=True)
class Subject:
    """An optimizer under test.

    Attributes:
        name: its name in reports: ``module:Class``, followed by the options in parentheses.
        algorithm: which algorithm it claims to be, a key of :data:`.algorithms.ALGORITHMS`, or a name for ``spec``.
        make: builds it from parameters and hyper-parameters; :class:`NotOffered` where it cannot.
        capabilities: what it offers.
        buffers: the spec's state names, with the keys of ``optimizer.state[param]`` that hold them. Empty where the
            state cannot be read: then only first steps, which start from nothing, are compared.
        imports, expression: a line of Python that imports it, and the expression that then names it.
        options: arguments that every trial passes: a code path, say.
        device: where its parameters lie.
        dtypes, shapes: of its trials, if they were asked for.
        lacks: of weight decay and its ratio, what it does not take: trials leave that out.
        arguments: the hyper-parameters under the optimizer's own names, as ``expression`` takes them.
        spec: the executable spec itself, where it is an algorithm of somebody's own.
        foreign: not shipped here. It may compute in the format in which it stores, as torch.optim does; a trial that it
            refuses by raising does not count against a claim, since checks of behaviour cover what it must accept.
        flushes: it rounds subnormal numbers to 0, as code that XLA compiles for CPUs does.
    """

    name: str
    algorithm: str
    make: "Callable[..., Optimizer]"
    capabilities: frozenset[str]
    buffers: Mapping[str, str]
    imports: str
    expression: str
    options: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    dtypes: tuple[str, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    lacks: frozenset[str] = frozenset()
    arguments: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    spec: Callable[..., Step] | None = None
    foreign: bool = False
    flushes: bool = False

    @property
    def step(self) -> Callable[..., Step]:
        """The executable spec of one step."""
        return self.spec or ALGORITHMS[self.algorithm].step

    @property
    def unspecified(self) -> frozenset[str]:
        """Its hyper-parameters that the spec does not take."""
        return frozenset() if self.spec else ALGORITHMS[self.algorithm].unspecified

    @property
    def update(self) -> Update:
        """How its updates are made; of an algorithm of somebody's own, what its capabilities say."""
        if self.spec is None:
            return ALGORITHMS[self.algorithm].update
        return ADAM if ADAPTIVE in self.capabilities else SGD


def of_class(cls: "type[Optimizer]", algorithm: Algorithm, module: str) -> Subject:
    """A torch optimizer that claims all that its algorithm promises, in parameter groups and at any size."""
    return _of_name(cls.__name__, cls, algorithm, module)


def _of_name(name: str, make: "Callable[..., Optimizer]", algorithm: Algorithm, module: str) -> Subject:
    return Subject(
        name=f"{module}:{name}",
        algorithm=algorithm.name,
        make=make,
        capabilities=algorithm.capabilities | {GROUPS, LARGE},
        buffers=algorithm.buffers,
        imports=f"from {module} import {name}",
        expression=name,
    )


@dataclass(frozen=True)
class _Imported:
    """An optimizer of a module that is imported when the first is made: to read the claims, nobody needs torch."""

    module: str
    name: str

    def __call__(self, *args: Any, **options: Any) -> "Optimizer":
        made: Optimizer = getattr(import_module(self.module), self.name)(*args, **options)
        return made


SHIPPED: tuple[Subject, ...] = tuple(
    _of_name(name, _Imported("tangency.optim", name), ALGORITHMS[name.lower()], "tangency.optim")
    for name in ("SGDP", "AdamP")
)
PATHS = ("foreach", "fused")


def on_path(subject: Subject, name: str) -> Subject:
    """The subject on a given code path."""
    return replace(subject, name=f"{subject.name}({name}=True)", options={**subject.options, name: True})


# Every optimizer on every path, its own choice first (on CPUs: the loop).
PRODUCTION: tuple[Subject, ...] = tuple(
    path for subject in SHIPPED for path in (subject, *(on_path(subject, name) for name in PATHS))
)
