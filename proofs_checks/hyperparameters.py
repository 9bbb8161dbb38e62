"""The hyper-parameters of all algorithms, and what an optimizer can do that has them: its capabilities."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tangency.theory import projection as theory

# Capabilities: what a claim may require, and what its trials use.
HEAVY_BALL = "heavy-ball"  # the update is the momentum buffer of Eq. 7
ADAPTIVE = "adaptive"  # the update is Adam's m/(√v + ε)
PROJECTION = "projection"  # updates are projected by Eq. 11; delta = 0 switches that off
NESTEROV = "nesterov"
DAMPENING = "dampening"
WEIGHT_DECAY = "weight-decay"  # decoupled, with wd_ratio
MAXIMIZE = "maximize"
HEADS = "heads"  # views of one's own choice, those of heads among them
# Several parameters and parameter groups, whose options come before the constructor's; lr as a tensor.
GROUPS = "groups"
LARGE = "large"  # parameters of more than 2¹⁸ elements, in good time


@dataclass(frozen=True)
class Hyper:
    """A hyper-parameter.

    Attributes:
        name: in the specification.
        default: the paper's, or where it has none the published package's.
        usual, other: two ordinary values, under which steps differ; ``other`` is no corner.
        corners: values that trials draw: ordinary ones, and those at which something vanishes. Flags have none, nor
            has what depends on the shape.
        invalid: values that a constructor must refuse.
        absent: what an optimizer without the argument does; ``default`` is meant where this is missing.
        synonyms: other names for it.
        parts: names of its two values, where they are arguments of their own.
        capability: what an optimizer that takes it can do.
    """

    name: str
    default: Any
    usual: Any
    other: Any
    corners: tuple[Any, ...] = ()
    invalid: tuple[Any, ...] = ()
    absent: tuple[Any, ...] = ()
    synonyms: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    capability: str = ""


LR = Hyper(
    "lr",
    None,
    usual=0.125,
    other=0.75,
    corners=(0.1, 1.0, 0.0, 1e-3, 0.5, 2.0**-20),
    invalid=(-0.125,),
    synonyms=("learning_rate", "step_size", "eta"),
)
MOMENTUM = Hyper(
    "momentum", 0.0, 0.5, 0.75, corners=(0.9, 0.5, 0.0, 0.99), invalid=(-0.5,), absent=(0.0,), synonyms=("decay",)
)
DAMPENED = Hyper("dampening", 0.0, 0.0, 0.25, corners=(0.0, 0.5, 1.0, 0.1), absent=(0.0,), capability=DAMPENING)
BETAS = Hyper(
    "betas",
    (0.9, 0.999),
    usual=(0.5, 0.75),
    other=(0.75, 0.875),
    corners=((0.9, 0.999), (0.5, 0.75), (0.0, 0.0), (0.0, 0.999), (0.99, 0.5)),
    invalid=((1.0, 0.75), (-0.5, 0.75), (0.5, 1.0), (0.5, -0.5)),
    parts=(("b1", "b2"), ("beta1", "beta2"), ("beta_1", "beta_2")),
)
EPS = Hyper("eps", 1e-8, 1e-8, 0.5, corners=(1e-8, 1e-3, 1.0, 2.0**-40), invalid=(-1e-8,), synonyms=("epsilon",))
DECAY = Hyper(
    "weight_decay",
    0.0,
    usual=0.25,
    other=0.5,
    corners=(0.0, 1e-4, 0.01, 0.1),
    invalid=(-0.25,),
    absent=(0.0,),
    synonyms=("wd",),
    capability=WEIGHT_DECAY,
)
DELTA = Hyper("delta", 0.1, 0.1, 100.0, corners=(0.1, 0.0, 1.0, 0.5, 2.0**-10, 8.0), invalid=(-0.1,))
RATIO = Hyper("wd_ratio", 0.1, 0.25, 0.625, corners=(0.1, 0.0, 1.0, 0.5), invalid=(-0.25,))
VIEWS = Hyper(
    "views",
    theory.VIEWS,
    usual=theory.VIEWS,
    other=("layer",),
    invalid=((), ("rows",), ("layer", "channel"), ("channel", 0)),
    absent=(theory.VIEWS,),
    capability=HEADS,
)
AHEAD = Hyper("nesterov", False, False, True, absent=(False,), capability=NESTEROV)
ASCENT = Hyper("maximize", False, False, True, absent=(False,), capability=MAXIMIZE)
CLIP = Hyper("clip", None, None, 0.25, corners=(None, 0.5), absent=(None,), synonyms=("grad_clip",))
HYPER: Mapping[str, Hyper] = MappingProxyType(
    {one.name: one for one in (LR, MOMENTUM, DAMPENED, BETAS, EPS, DECAY, DELTA, RATIO, VIEWS, AHEAD, ASCENT, CLIP)}
)
DEFAULTS: Mapping[str, Any] = MappingProxyType({one.name: one.default for one in HYPER.values() if one is not LR})


def views_of(hyper: Mapping[str, Any]) -> tuple[theory.View, ...]:
    """The views that hyper-parameters ask for, in turn."""
    return tuple(map(theory.view_of, hyper.get(VIEWS.name, VIEWS.default)))


# Of the projection, of which an algorithm without one knows nothing.
PROJECTING = frozenset({DELTA.name, RATIO.name, VIEWS.name})
