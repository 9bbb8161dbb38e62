"""What the checks know of each algorithm: one record each, and everything that depends on the algorithm reads it.

An algorithm is the step of the executable specification, an update (how p is made of the gradient, which SGD and SGDP,
or Adam and AdamP, share), its hyper-parameters, and whether it projects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from tangency.proofs_checks.dialects.choice import Choice, Dialect
from tangency.proofs_checks.dialects.decision import DECISION_CHOICES
from tangency.proofs_checks.dialects.projection import BUFFER_CHOICE, PROJECTION_CHOICES
from tangency.proofs_checks.dialects.step import ADAM_DECAY, SGD_DECAY, decay_choices
from tangency.proofs_checks.dialects.updates import ADAM_CHOICES, MOMENTUM_CHOICES, adam, momentum
from tangency.proofs_checks.hyperparameters import (
    ADAPTIVE,
    AHEAD,
    ASCENT,
    BETAS,
    CLIP,
    DAMPENED,
    DECAY,
    DELTA,
    EPS,
    HEAVY_BALL,
    MOMENTUM,
    PROJECTION,
    RATIO,
    VIEWS,
    Hyper,
)
from tangency.theory import algorithms as theory
from tangency.theory import ledger


@dataclass(frozen=True)
class VectorProbe:
    """A probe of an update: a few steps of a vector under hyper-parameters that show one of its choices.

    Attributes:
        name: what it shows.
        steps: how many.
        hyper: hyper-parameters beside the base of the update.
        scale: of the gradients.
    """

    name: str
    steps: int
    hyper: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0


@dataclass(frozen=True)
class Update:
    """How the update p is made of the gradient: what algorithms share that differ in projection and weight decay.

    Attributes:
        name: as reports call its dialects.
        capability: what claims about it require; empty if there are none.
        on_sphere: whether a step also normalises the weights.
        degree: of p in the gradient: 1 if twice the gradient doubles the update, 0 if, up to ε, its size is lost. None
            if it is not known.
        buffers: the names of its state in the specification.
        retold: its state is everything that it was given so far, and is told to it, not read from an optimizer.
        hyper: what p is made with besides the gradient and the state.
        rational: whether p is a rational function of all that; else its exact step lives in balls.
        squares: whether a buffer holds squares of gradients, which leave the range of a dtype first.
        compute: the update of a dialect; see :mod:`.dialects.updates`. None: it has no dialects.
        moment: the buffer that keeps earlier gradients, and what the update makes of the current one. None: it is not
            known.
        choices: in which published implementations of it differ.
        scales: options of what decoupled weight decay is scaled by, besides the usual.
        recognised_by: hyper-parameters under which one step from nothing leaves no two buffers alike; None if the state
            of an implementation is not in the form of the specification, and cannot be read.
        moving: hyper-parameters under which the state shows in the weights.
        training: those of an ordinary training run.
        probes: what shows its choices.
    """

    name: str
    capability: str
    degree: int | None
    buffers: tuple[str, ...]
    hyper: tuple[Hyper, ...] = ()
    rational: bool = True
    squares: bool = False
    retold: bool = False
    on_sphere: bool = False
    compute: Callable[..., Any] | None = None
    moment: ledger.Moment | None = None
    choices: tuple[Choice, ...] = ()
    scales: tuple[Any, ...] = ()
    recognised_by: Mapping[str, Any] | None = field(default_factory=dict)
    moving: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    probes: tuple[VectorProbe, ...] = ()


_NAG = {"momentum": 0.5, "nesterov": True}
SGD = Update(
    name="sgd",
    capability=HEAVY_BALL,
    degree=1,
    hyper=(MOMENTUM,),
    buffers=("momentum_buffer",),
    compute=momentum,
    moment=ledger.MOMENTUM,
    choices=MOMENTUM_CHOICES,
    scales=SGD_DECAY,
    recognised_by={"momentum": 0.5},
    moving={"momentum": 0.5},
    training={"lr": 0.1, "momentum": 0.9},
    probes=(
        VectorProbe("momentum", 4, {"momentum": 0.5}),
        VectorProbe("dampening", 4, {"momentum": 0.5, "dampening": 0.25}),
        VectorProbe("nesterov", 4, _NAG),
        VectorProbe("nesterov and dampening", 4, {**_NAG, "dampening": 0.25}),
    ),
)
ADAM = Update(
    name="adam",
    capability=ADAPTIVE,
    degree=0,
    hyper=(BETAS, EPS),
    rational=False,
    buffers=("step", "exp_avg", "exp_avg_sq"),
    squares=True,
    compute=adam,
    moment=ledger.ADAM,
    choices=ADAM_CHOICES,
    scales=ADAM_DECAY,
    recognised_by={"betas": (0.5, 0.75)},
    training={"lr": 0.01},
    probes=(
        VectorProbe("large ε", 4, {"eps": 0.25}),
        VectorProbe("large ε, first gradient small", 3, {"eps": 0.25}, scale=0.1),
        VectorProbe("falling gradients", 9, {"betas": (0.5, 0.25)}),
        VectorProbe("many steps", 9),
        VectorProbe("nesterov", 4, {"nesterov": True}),
    ),
)
# Their steps are compared with the specification itself: no published variants are known.
SGDG = Update(
    "grassmann", "", 1, ("direction",), hyper=(MOMENTUM, CLIP), rational=False, on_sphere=True, recognised_by=None
)
ADAMG = replace(SGDG, hyper=(replace(BETAS, default=(0.9, 0.99)), EPS, CLIP))


@dataclass(frozen=True, eq=False)
class Algorithm:
    """One algorithm.

    Attributes:
        name: as ``--algorithm`` takes it.
        step: one step of it in the executable specification.
        update: how p is made of the gradient.
        hyper: its hyper-parameters besides ``lr``, those of implementations among them.
        projects: whether updates are projected by Eq. 11.
        unspecified: hyper-parameters that implementations have and ``step`` does not.
        paper_choices: the choices of the paper where they are not the first options, with the bias correction and the
            weight decay of the published code (E.1).
        published_choices: besides these, those of the reference implementation: adamp 0.3.0, torch.optim.
        fixed: hyper-parameters that are part of the algorithm.
        in_names: whether a target with this name in its own claims to be it.
    """

    name: str
    step: Callable[..., theory.Step]
    update: Update
    hyper: tuple[Hyper, ...]
    projects: bool = False
    unspecified: frozenset[str] = frozenset()
    paper_choices: Mapping[str, str] = field(default_factory=dict)
    published_choices: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    in_names: bool = True

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The default of every hyper-parameter of its own, by name."""
        return MappingProxyType({**{one.name: one.default for one in self.hyper}, **self.fixed})

    @property
    def capabilities(self) -> frozenset[str]:
        """What an optimizer can do that takes every hyper-parameter of the specification."""
        found = {one.capability for one in self.hyper if one.name not in self.unspecified}
        found |= {self.update.capability, PROJECTION if self.projects else ""}
        return frozenset(found - {""})

    @property
    def buffers(self) -> Mapping[str, str]:
        """The names of the state, as an optimizer has them that follows torch.optim."""
        return {name: name for name in self.update.buffers}

    @cached_property
    def choices(self) -> Mapping[str, Choice]:
        """In what its dialects may differ, by name; nothing if it has none."""
        if self.update.compute is None:
            return {}
        projection = (*DECISION_CHOICES, *PROJECTION_CHOICES) if self.projects else ()
        if self.projects and "momentum_buffer" in self.update.buffers:
            projection = (BUFFER_CHOICE, *projection)
        decay = decay_choices(self.projects, *self.update.scales)
        return MappingProxyType({one.name: one for one in (*self.update.choices, *projection, *decay)})

    def values_of(self, choice: str) -> tuple[str, ...]:
        """The names of a choice's options; none where the algorithm has no such choice."""
        return self.choices[choice].values if choice in self.choices else ()

    @cached_property
    def paper(self) -> Dialect:
        """The dialect of the paper."""
        return Dialect(self, self.paper_choices)

    @cached_property
    def published(self) -> Dialect:
        """The dialect of the reference implementation."""
        return self.paper.but(**self.published_choices)


_SGD = (*SGD.hyper, DAMPENED, AHEAD, DECAY, ASCENT)
_ADAM = (*ADAM.hyper, DECAY, AHEAD, ASCENT)
_PROJECTION = (DELTA, RATIO, VIEWS)
_COUPLED, _UNDAMPENED = {"decay": "coupled"}, {"first_step": "undampened"}
_BY_MOMENTUM = {"decay_scale": "lr/(1−momentum)"}
# Where ε stands in the published projection.
PUBLISHED_EPS = {"cosine_epsilon": "clamped at ε", "norm_epsilon": "added"}
_NO_DECAY = frozenset({"weight_decay"})


def _sgd(name: str, hyper: tuple[Hyper, ...] = _SGD, **more: Any) -> Algorithm:
    """Momentum SGD under one of its names, as torch.optim has it: weight decay is coupled, no matter of Eq. 7."""
    made = Algorithm(name, theory.heavy_ball, SGD, hyper, unspecified=_NO_DECAY)
    return replace(made, paper_choices=_COUPLED, published_choices=_UNDAMPENED, **more)


# In the order of ``--algorithm``. A name says the last of them that it contains: “adamw” says AdamW, not Adam.
ALGORITHMS: dict[str, Algorithm] = {
    one.name: one
    for one in (
        _sgd(
            "gd",
            (DECAY, ASCENT),
            step=partial(theory.heavy_ball, momentum=0),  # what is true of momentum is true of it at β = 0
            update=replace(SGD, buffers=()),
            in_names=False,
        ),
        _sgd("momentum"),
        _sgd("nesterov", step=partial(theory.heavy_ball, nesterov=True), fixed={"nesterov": True}),
        _sgd("sgd"),
        Algorithm("adam", theory.adam, ADAM, _ADAM, unspecified=_NO_DECAY, paper_choices=_COUPLED),
        Algorithm("adamw", theory.adamw, ADAM, _ADAM),
        Algorithm(
            "sgdp",
            theory.sgdp,
            SGD,
            (*_SGD, *_PROJECTION, EPS),
            projects=True,
            unspecified=frozenset({"eps"}),  # that of the published package is in its cosine and its norm
            paper_choices=_BY_MOMENTUM,
            published_choices={**PUBLISHED_EPS, "buffer": "projected"},
        ),
        Algorithm(
            "adamp",
            theory.adamp,
            ADAM,
            (*_ADAM, *_PROJECTION),
            projects=True,
            published_choices=PUBLISHED_EPS,
        ),
        Algorithm("sgdg", theory.sgdg, SGDG, SGDG.hyper),
        Algorithm("adamg", theory.adamg, ADAMG, ADAMG.hyper),
    )
}


def values_of(choice: str) -> list[str]:
    """The names of a choice's options in any algorithm; none where no algorithm has such a choice."""
    return list(dict.fromkeys(value for one in ALGORITHMS.values() for value in one.values_of(choice)))
