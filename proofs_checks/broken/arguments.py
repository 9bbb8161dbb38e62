"""Broken in its arguments: one that does nothing, one of any value, one that does not exist, another default."""

from typing import Any, ClassVar

from tangency.proofs_checks.broken.sound import SGDP, AdamP, Options
from tangency.proofs_checks.broken.zoo import broken

# Of every argument the value that is used whatever is given.
FIXED: Options = {
    "lr": 0.125, "momentum": 0.5, "dampening": 0.0, "nesterov": False, "betas": (0.5, 0.75), "eps": 1e-8,
    "weight_decay": 0.25, "delta": 0.1, "wd_ratio": 0.25,
}  # fmt: skip


def ignores(argument: str, fixed: Any) -> type[SGDP]:
    """An optimizer that takes an argument and uses another value."""
    base = AdamP if argument in ("betas", "eps") else SGDP

    class Ignores(base):  # type: ignore[misc, valid-type]
        def options(self, group: Options) -> Options:
            return {**group, argument: fixed}

    return _named(Ignores, f"Ignores_{argument}", f"{argument} is taken, and {fixed} is used.")


def takes_any(argument: str) -> type[SGDP]:
    """An optimizer that refuses no value of an argument."""
    base = AdamP if argument in ("betas", "eps") else SGDP

    class TakesAny(base):  # type: ignore[misc, valid-type]
        def valid(self, name: str, value: Any) -> bool:
            return name == argument or super().valid(name, value)

    return _named(TakesAny, f"TakesAny_{argument}", f"No value of {argument} is refused.")


def _named(made: type[SGDP], name: str, says: str) -> type[SGDP]:
    made.__name__ = made.__qualname__ = name
    made.__doc__ = says
    globals()[name] = made  # scripts import it from here
    return made


for argument, fixed in FIXED.items():
    words = argument.replace("_", "-")
    broken(f"argument-{words}")(ignores(argument, fixed))
    if argument not in ("dampening", "nesterov"):  # which have no range
        broken(f"invalid-{words}")(takes_any(argument))


@broken("unknown-argument")
class Swallows(SGDP):
    """Arguments that do not exist are dropped."""

    def __init__(self, params: Any, **given: Any) -> None:
        super().__init__(params, **{name: value for name, value in given.items() if name in self.values})


@broken("defaults")
class OtherDelta(SGDP):
    """δ is 0.2 by default."""

    values: ClassVar[Options] = {**SGDP.values, "delta": 0.2}


@broken("defaults", algorithm="sgdp")
def other_ratio(params: Any, lr: float, **options: Any) -> SGDP:
    """A factory whose ``wd_ratio`` is 0.5 by default."""
    return SGDP(params, **{"lr": lr, "wd_ratio": 0.5, **options})


@broken("defaults", algorithm="sgdp")
def fixed_delta(params: Any, lr: float, momentum: float = 0.0) -> SGDP:
    """A factory that fixes δ at 0.2."""
    return SGDP(params, lr=lr, momentum=momentum, delta=0.2)
