"""Everything that is broken, crossed with what published implementations do on purpose.

A report has to name what is broken in spite of its quirks, and to call none of them a bug.
"""

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

from tangency.proofs_checks.broken.zoo import SOUND, Broken, find, zoo
from tangency.proofs_checks.target.spec import TargetSpec

# By algorithm; the zoo has each alone, and says which choice of a dialect it is.
QUIRKS = {
    "sgdp": ("AddedNorm", "ClampedCosine", "ProjectedBuffer"),
    "adamp": ("AddedNorm", "ClampedCosine", "EarlyEpsilon"),
}


@cache
def __getattr__(name: str) -> Any:
    """``NoSquareRoot__AddedNorm``: an optimizer with quirks; a method that both change is as broken as before."""
    made: dict[str, type] = {one.name: one.factory for one in (*SOUND, *zoo()) if isinstance(one.factory, type)}
    names = name.split("__")
    if len(names) < 2 or not made.keys() >= set(names):
        raise AttributeError(f"there is no {name}")
    bases = [made[each] for each in names]
    # A sound one is the base of its own quirks.
    least = [base for base in bases if not any(issubclass(other, base) for other in bases if other is not base)]
    return type(name, tuple(least), {"__module__": __name__})


def quirks_of(one: Broken) -> tuple[Broken, ...]:
    """The quirks that an optimizer can be crossed with: those of its algorithm that it does not have itself."""
    kin = map(find, QUIRKS[one.target.algorithm]) if one.subject else ()
    return tuple(quirk for quirk in kin if quirk.slip != one.slip)


def crossed(one: Broken, *quirks: Broken) -> TargetSpec:
    """The target that ``tangency check`` finds."""
    name = "__".join((one.name, *(quirk.name for quirk in quirks)))
    return replace(one.target, target=f"{__name__}:{name}") if quirks else one.target


def sound_with_quirks() -> list[TargetSpec]:
    """The sound optimizers with each of their quirks, and with all."""
    return [crossed(one, *some) for one in SOUND for n in (1, 3) for some in combinations(quirks_of(one), n)]
