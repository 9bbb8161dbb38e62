"""The zoo: optimizers that are broken on purpose. Each is a sound one with one thing wrong, and names what catches it.

A check that cannot fail is a defect. ``tangency verify --mutants`` runs claims and checks of behaviour on what they
have to catch, and on the sound optimizers, which must pass, so that a broken one fails for its own defect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

from tangency.proofs_checks.algorithms import ALGORITHMS
from tangency.proofs_checks.broken.sound import SGDP, AdamP
from tangency.proofs_checks.subjects import Subject, of_class
from tangency.proofs_checks.target.spec import TargetSpec

Made = TypeVar("Made", bound=Callable[..., object])
# The modules beside this one that hold them: the algorithm as the paper goes, then what any user relies on.
SUBJECTS = (
    *("decision", "projection", "moments", "decay", "step", "inputs", "contract", "state", "arguments", "paths"),
    *("side_effects", "foreign"),
)
_FOUND: list["Broken"] = []


@dataclass(frozen=True)
class Broken:
    """An optimizer that is broken, or one of the sound ones.

    Attributes:
        name: of the class or function.
        description: what is wrong with it.
        target: how ``tangency check`` finds it.
        caught_by: ids of the claims and checks that must fail on it.
        subject: the optimizer as the claims see it, with the capabilities that it claims to have; ``None`` of what does
            not derive from the sound ones.
        needs: packages without which it cannot be run.
        slip: what it is as a dialect, a choice with its value; empty if none says it.
        factory: the class or function itself.
    """

    name: str
    description: str
    target: TargetSpec
    caught_by: frozenset[str]
    subject: Subject | None = None
    needs: tuple[str, ...] = ()
    slip: str = ""
    factory: Callable[..., object] | None = field(default=None, repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that it needs and that are not installed."""
        return tuple(name for name in self.needs if find_spec(name) is None)


def broken(
    *caught_by: str,
    algorithm: str = "",
    needs: tuple[str, ...] = (),
    slip: str = "",
    shapes: tuple[tuple[int, ...], ...] = (),
) -> Callable[[Made], Made]:
    """Register a broken optimizer, whose docstring says what is wrong.

    Args:
        caught_by: ids of the claims and checks that must fail on it.
        algorithm: what it claims to be, where it does not derive from a sound optimizer.
        needs: packages without which it cannot be run.
        slip: what it is as a dialect, as a report must name it.
        shapes: of parameters that show it.
    """

    def register(made: Made) -> Made:
        _FOUND.append(_record(made, caught_by, algorithm, needs, slip, shapes))
        return made

    return register


def _record(
    made: Callable[..., object],
    caught_by: tuple[str, ...] = (),
    algorithm: str = "",
    needs: tuple[str, ...] = (),
    slip: str = "",
    shapes: tuple[tuple[int, ...], ...] = (),
) -> Broken:
    module, name = made.__module__, made.__qualname__
    subject = None
    if isinstance(made, type) and issubclass(made, SGDP):
        subject = of_class(made, ALGORITHMS["adamp" if issubclass(made, AdamP) else "sgdp"], module)
        algorithm = subject.algorithm
    description = " ".join((made.__doc__ or "").split())
    target = TargetSpec(f"{module}:{name}", algorithm, shapes=shapes)
    return Broken(name, description, target, frozenset(caught_by), subject, needs, slip, made)


SOUND: tuple[Broken, ...] = (_record(SGDP), _record(AdamP))


@cache
def zoo() -> tuple[Broken, ...]:
    """Every broken optimizer, in the order of :data:`SUBJECTS`."""
    modules = [f"{__package__}.{subject}" for subject in SUBJECTS]
    for module in modules:
        import_module(module)
    return tuple(sorted(_FOUND, key=lambda one: modules.index(one.target.target.partition(":")[0])))


def find(name: str) -> Broken:
    """The broken optimizer with a name."""
    return next(one for one in zoo() if one.name == name)
