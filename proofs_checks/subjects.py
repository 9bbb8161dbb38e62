"""The optimizers that claims are attacked on, and what each of them can do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch.optim import Optimizer

from tangency.optim import SGDP, AdamP
from tangency.theory.algorithms import ALGORITHMS, Step

# Capabilities: what a claim may require, and what its trials use.
HEAVY_BALL = "heavy-ball"  # the update is the momentum buffer of Eq. 7
ADAPTIVE = "adaptive"  # the update is Adam's m/(√v + ε)
PROJECTION = "projection"  # updates are projected by Eq. 11; delta = 0 switches that off
NESTEROV = "nesterov"
DAMPENING = "dampening"
WEIGHT_DECAY = "weight-decay"  # decoupled, with wd_ratio
MAXIMIZE = "maximize"
GROUPS = (
    "groups"  # several parameters and parameter groups, whose options come before the constructor's; lr as a tensor
)
LARGE = "large"  # parameters of more than 2¹⁸ elements, in good time


@dataclass(frozen=True)
class Subject:
    """An optimizer under test.

    Attributes:
        name: its name in reports: ``module:Class``, followed by the options in parentheses.
        algorithm: which algorithm of the executable spec it claims to be, a key of ``theory.algorithms.ALGORITHMS``, or
            a name for ``spec``.
        make: builds it from parameters and hyper-parameters; :class:`NotOffered` where it cannot.
        capabilities: what it offers.
        buffers: the spec's state names, with the keys of ``optimizer.state[param]`` that hold them. Empty where the
            state cannot be read: then only first steps, which start from nothing, are compared.
        imports, expression: a line of Python that imports it, and the expression that then names it.
        options: arguments that every trial passes: a code path, say.
        device: where its parameters lie.
        arguments: the hyper-parameters under the optimizer's own names, as ``expression`` takes them.
        spec: the executable spec itself, where it is an algorithm of somebody's own.
        foreign: not shipped here. It may compute in the format in which it stores, as torch.optim does; a trial that it
            refuses by raising does not count against a claim, since checks of behaviour cover what it must accept.
        flushes: it rounds subnormal numbers to 0, as code that XLA compiles for CPUs does.
    """

    name: str
    algorithm: str
    make: Callable[..., Optimizer]
    capabilities: frozenset[str]
    buffers: Mapping[str, str]
    imports: str
    expression: str
    options: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    arguments: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    spec: Callable[..., Step] | None = None
    foreign: bool = False
    flushes: bool = False

    @property
    def step(self) -> Callable[..., Step]:
        """The executable spec of one step."""
        return self.spec or ALGORITHMS[self.algorithm]


SGDP_CAPABILITIES = frozenset({HEAVY_BALL, PROJECTION, NESTEROV, DAMPENING, WEIGHT_DECAY, MAXIMIZE, GROUPS, LARGE})
ADAMP_CAPABILITIES = frozenset({ADAPTIVE, PROJECTION, NESTEROV, WEIGHT_DECAY, MAXIMIZE, GROUPS, LARGE})
SGDP_BUFFERS = {"momentum_buffer": "momentum_buffer"}
ADAMP_BUFFERS = {"step": "step", "exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}


SHIPPED: tuple[Subject, ...] = (
    Subject(
        name="tangency.optim:SGDP",
        algorithm="sgdp",
        make=SGDP,
        capabilities=SGDP_CAPABILITIES,
        buffers=SGDP_BUFFERS,
        imports="from tangency.optim import SGDP",
        expression="SGDP",
    ),
    Subject(
        name="tangency.optim:AdamP",
        algorithm="adamp",
        make=AdamP,
        capabilities=ADAMP_CAPABILITIES,
        buffers=ADAMP_BUFFERS,
        imports="from tangency.optim import AdamP",
        expression="AdamP",
    ),
)
PATHS = ("foreach", "fused")


def on_path(subject: Subject, name: str) -> Subject:
    """The subject on a given code path."""
    return replace(subject, name=f"{subject.name}({name}=True)", options={**subject.options, name: True})


# Every optimizer on every path, its own choice first (on CPUs: the loop).
PRODUCTION: tuple[Subject, ...] = tuple(
    path for subject in SHIPPED for path in (subject, *(on_path(subject, name) for name in PATHS))
)
