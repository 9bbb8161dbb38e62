"""What explains a failure: the smallest set of choices with which the paper's own algorithm fails in the same way."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, combinations

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.finding import Again, Check, Departure, Where
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.measure.where import where
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.target import Target

Chosen = tuple[Departure, ...]


def because(target: Target, again: Again, check: Check, options: Options) -> tuple[Chosen, Where | None]:
    """The departures of a target that explain one of its failures, and at which magnitudes it shows."""
    chosen = _explanation(target, again, check, options)
    mapped = chosen and again.at is not None and not any(one.slip for one in chosen)
    return chosen, where(again.at, options.trained) if mapped and again.at is not None else None


def _explanation(target: Target, again: Again, check: Check, options: Options) -> Chosen:
    """The departures of a target that explain one of its failures; none if it is a bug of its own.

    A failure that the paper's own algorithm shares, or that the target's dialect does not, is explained by no choice.
    The dialect shares it if it fails on the same input; or, if the target takes the dialect's own steps there to within
    rounding, if it does so when every operation is rounded, or on any input.
    """
    # Of equal explanations, a slip.
    departing = tuple(sorted((one for one in fit(target).departures if one.differs), key=lambda one: not one.slip))
    algorithm, many = target.algorithm, replace(options, profile=PROFILES["default"], shrink=False)

    def here(chosen: Chosen, precise: bool = True) -> bool:
        return again.on(_reference(algorithm, _values(chosen), precise))

    def anywhere(chosen: Chosen) -> bool:
        return check.on(_reference(algorithm, _values(chosen), True), many).verdict is Verdict.FAILS

    try:
        if not departing or here(()):
            return ()
        if here(departing):
            return _smallest(departing, here)
        if again.takes is None or not again.takes(partial(step, algorithm.paper.but(**dict(_values(departing))))):
            return ()
        if here(departing, False) and not here((), False):
            return _smallest(departing, partial(here, precise=False))
        return _smallest(departing, anywhere) if anywhere(departing) else ()
    except Exception:  # what cannot be asked of a reference, as a pickle cannot, is explained by none
        return ()


def _smallest(departing: Chosen, fails: Callable[[Chosen], bool]) -> Chosen:
    """The smallest part that fails: one or two, else what is left when all that can go is gone."""
    for few in chain.from_iterable(combinations(departing, size) for size in (1, 2)):
        if fails(few):
            return few
    needed = departing
    for one in departing:
        without = tuple(other for other in needed if other is not one)
        needed = without if fails(without) else needed
    return needed


def _values(chosen: Chosen) -> tuple[tuple[str, str], ...]:
    return tuple((one.choice, one.value) for one in chosen)


@lru_cache(maxsize=64)
def _reference(algorithm: Algorithm, values: tuple[tuple[str, str], ...], precise: bool) -> Target:
    return speaker(algorithm.paper.but(**dict(values)), precise=precise)
