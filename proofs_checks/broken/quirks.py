"""Everything that is broken, crossed with what published implementations do on purpose.

A report has to name what is broken in spite of its quirks, and to call none of them a bug.
"""

from functools import cache
from itertools import combinations
from typing import Any

from tangency.proofs_checks.broken.decision import ClampedCosine
from tangency.proofs_checks.broken.moments import EarlyEpsilon
from tangency.proofs_checks.broken.projection import AddedNorm, ProjectedBuffer
from tangency.proofs_checks.broken.sound import SGDP, AdamP
from tangency.proofs_checks.broken.zoo import SOUND, Broken, zoo
from tangency.proofs_checks.subject_report import SubjectReport
from tangency.proofs_checks.target.spec import TargetSpec

QUIRKS: dict[type[SGDP], tuple[type[SGDP], ...]] = {
    SGDP: (AddedNorm, ClampedCosine, ProjectedBuffer),
    AdamP: (AddedNorm, ClampedCosine, EarlyEpsilon),
}


@cache
def __getattr__(name: str) -> Any:
    """``NoSquareRoot__AddedNorm``: an optimizer with quirks; a method that both change is as broken as before."""
    first, *names = name.split("__")
    made = {one.name: one.factory for one in (*SOUND, *zoo())}
    if not names or not all(isinstance(made.get(each), type) for each in (first, *names)):
        raise AttributeError(name)
    bases: Any = tuple(made[each] for each in (first, *names))
    return type(name, bases, {"__module__": __name__})


def quirks_of(one: Broken) -> tuple[type[SGDP], ...]:
    """The quirks that an optimizer can be crossed with: those of its algorithm that it does not have itself."""
    made = one.factory
    if not (isinstance(made, type) and issubclass(made, SGDP)):
        return ()
    kin = QUIRKS[AdamP if issubclass(made, AdamP) else SGDP]
    return tuple(quirk for quirk in kin if not issubclass(made, quirk))


def crossed(one: Broken, *quirks: type[SGDP]) -> TargetSpec:
    """The target that ``tangency check`` finds."""
    name = "__".join((one.name, *(quirk.__name__ for quirk in quirks)))
    return TargetSpec(f"{__name__}:{name}", one.target.algorithm) if quirks else one.target


def sound_with_quirks() -> list[TargetSpec]:
    """The sound optimizers with each of their quirks, each pair, and all."""
    return [crossed(one, *some) for one in SOUND for count in (1, 2, 3) for some in combinations(quirks_of(one), count)]


def names(report: SubjectReport, one: Broken) -> bool:
    """Whether the first line of a report names what is broken: as a dialect, or by a check that has to catch it."""
    line = report.verdict_line
    return any(name in line for name in ({one.slip} if one.slip else one.caught_by))
