"""What explains a failure: the smallest set of choices with which the paper's own algorithm fails in the same way."""

from functools import lru_cache
from itertools import chain, combinations

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.finding import Again, Departure
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.target.target import Target

Chosen = tuple[Departure, ...]


def because(target: Target, again: Again) -> Chosen:
    """The departures of a target that explain one of its failures; none if it is a bug of its own.

    A failure that the paper's own algorithm shares, or that the target's dialect does not, is explained by no choice.

    Args:
        again: whether the failure shows on another target.
    """
    # Of equal explanations, a slip.
    departing = tuple(sorted((one for one in fit(target).departures if one.differs), key=lambda one: not one.slip))

    def fails(chosen: Chosen) -> bool:
        return again(_reference(target.algorithm, tuple((one.choice, one.value) for one in chosen)))

    try:
        if not departing or fails(()) or not fails(departing):
            return ()
    except Exception:  # what cannot be asked of a reference, as a pickle cannot, is explained by none
        return ()
    for few in chain.from_iterable(combinations(departing, size) for size in (1, 2)):
        if fails(few):
            return few
    needed = departing
    for one in departing:
        without = tuple(other for other in needed if other is not one)
        needed = without if fails(without) else needed
    return needed


@lru_cache(maxsize=64)
def _reference(algorithm: Algorithm, values: tuple[tuple[str, str], ...]) -> Target:
    return speaker(algorithm.paper.but(**dict(values)))
