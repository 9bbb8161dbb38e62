"""Broken in its arguments: one that does nothing, one of any value, one that does not exist, another default."""

from typing import Any, ClassVar

from tangency.proofs_checks.broken.sound import SGDP, AdamP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.hyperparameters import AHEAD, ASCENT, HYPER
from tangency.proofs_checks.target.contract import Options


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


for hyper in (HYPER[name] for name in HYPER if name in (*SGDP.values, *AdamP.values)):
    words = hyper.name.replace("_", "-")
    if hyper is not ASCENT:  # of which the check "maximize" tells
        slip = "nesterov = ignored" if hyper is AHEAD else ""
        broken(f"argument-{words}", slip=slip)(ignores(hyper.name, hyper.usual))
    if hyper.invalid:
        broken(f"invalid-{words}")(takes_any(hyper.name))


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
