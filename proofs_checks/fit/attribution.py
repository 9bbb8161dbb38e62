"""What explains a failure: the smallest set of choices with which the paper's own algorithm fails in the same way."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, combinations

import numpy as np

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.finding import Again, Check, Departure, Where
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.measure.spoken import UNDECIDED, measure, results_of
from tangency.proofs_checks.measure.where import where
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.target.target import Target

Chosen = tuple[Departure, ...]


def because(target: Target, again: Again, check: Check, options: Options) -> tuple[Chosen, Where | None, str]:
    """The departures of a target that explain one of its failures, at which magnitudes it shows, and its readings."""
    chosen = _explanation(target, again, check, options)
    if not chosen:
        return (), None, ""
    place = None
    if again.at is not None and not any(one.slip for one in chosen):
        # With a slip, the target itself would fail wherever the slip shows.
        slips = any(one.slip for one in fit(target).departures)
        shows = _reference(target.algorithm, chosen, False) if slips else target
        place = where(partial(again.at, shows), options.trained)
    return chosen, place, _readings(again, target.algorithm, chosen)


def _readings(again: Again, algorithm: Algorithm, chosen: Chosen) -> str:
    """The failing step by three formulas: what was computed, what the paper gives, what the choices give."""
    if again.run is None or not again.run.records:
        return ""
    number = min(again.step, len(again.run.records) - 1)
    try:
        right, wrong = (
            list(results_of(partial(step, dialect), again.run))[number][0]
            for dialect in (algorithm.paper, _dialect(algorithm, chosen))
        )
    except UNDECIDED:
        return ""
    got = again.run.records[number].w_after
    place = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(got - right), nan=np.inf))), got.shape)
    what = f"w[{', '.join(map(str, place))}] after step {number + 1}"
    names = ", ".join(one.name for one in chosen)
    computed, due, by_choice = (float(values[place]) for values in (got, right, wrong))
    return f"{what}: {computed!r} was computed; the paper gives {due!r}; with {names}: {by_choice!r}"


def _takes(again: Again, dialect: Dialect) -> bool:
    """Whether the steps that fail are those of a dialect, as far as can be told."""
    try:
        return again.run is not None and all(m.ratio <= 1 for m in measure(partial(step, dialect), again.run))
    except UNDECIDED:
        return True


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
        return again.on(_reference(algorithm, chosen, precise))

    def anywhere(chosen: Chosen) -> bool:
        return check.on(_reference(algorithm, chosen, True), many).verdict is Verdict.FAILS

    try:
        if not departing or here(()):
            return ()
        if here(departing):
            return _smallest(departing, here)
        if not _takes(again, _dialect(algorithm, departing)):
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


def _dialect(algorithm: Algorithm, chosen: Chosen) -> Dialect:
    return algorithm.paper.but(**{one.choice: one.value for one in chosen})


@lru_cache(maxsize=64)
def _reference(algorithm: Algorithm, chosen: Chosen, precise: bool) -> Target:
    return speaker(_dialect(algorithm, chosen), precise=precise)
