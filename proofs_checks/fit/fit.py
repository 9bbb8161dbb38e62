"""Which dialect a target speaks: the choices that reproduce its weights to the last ulps, found one at a time."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, islice, product
from typing import Any

import numpy as np

from tangency.proofs_checks.dialects.choice import Choice, Dialect
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.finding import Fit
from tangency.proofs_checks.fit.departures import departures
from tangency.proofs_checks.fit.nearest import COARSE, nearest
from tangency.proofs_checks.fit.probes import Played, play, probes
from tangency.proofs_checks.measure.conformance import floats
from tangency.proofs_checks.target.target import Target
from tangency.theory.algorithms import START
from tangency.theory.fields import FLOAT64 as FLOATS
from tangency.theory.fields import balls
from tangency.theory.formats import FLOAT64
from tangency.theory.projection import UndecidedView
from tangency.theory.rounded import parts, rounded


@dataclass
class Fitter:
    """The search for one target.

    Attributes:
        choices: what can be chosen.
        played: the probes as the target played them.
    """

    choices: Sequence[Choice]
    played: Sequence[Played]
    _scores: dict[tuple[tuple[str, ...], int], float] = field(default_factory=dict)

    def distance(self, dialect: Dialect, number: int) -> float:
        """The largest relative distance of a probe's weights from the dialect's: its steps start where its own end."""
        key = (tuple(dialect.values()), number)
        if key not in self._scores:
            self._scores[key] = max((d for d, *_ in walk(dialect, self.played[number])), default=0.0)
        return self._scores[key]

    def unexplained(self, dialect: Dialect) -> list[int]:
        """The probes that the dialect does not reproduce to within a first, coarse, bound."""
        return [n for n in range(len(self.played)) if not self.distance(dialect, n) <= COARSE]

    def misses_more(self, dialect: Dialect, than: int) -> bool:
        """Whether a dialect leaves more than so many probes unexplained; found without asking the rest."""
        missed = (n for n in range(len(self.played)) if not self.distance(dialect, n) <= COARSE)
        return next(islice(missed, than, None), None) is not None

    def score(self, dialect: Dialect, among: Sequence[int]) -> tuple[int, float]:
        """How badly a dialect does on some probes: how many it misses, and by how many digits altogether."""
        distances = [self.distance(dialect, n) for n in among]
        digits = sum(min(16.0, max(0.0, 16 + math.log10(d))) if d > 0 else 0.0 for d in distances)
        return sum(not d <= COARSE for d in distances), digits

    def search(self, start: Dialect) -> Dialect:
        """Change one choice at a time, or two where one does not help, as long as more is explained."""
        best = start
        everything = range(len(self.played))
        while missed := self.unexplained(best):
            # What is missed tells the promising changes; all probes tell the best of them.
            for count, among in ((1, missed), (2, missed[:4])):
                changes = sorted(_changes(best, self.choices, count), key=lambda d: self.score(d, among))
                better = min(changes[:12], key=lambda d: self.score(d, everything))
                if self.score(better, everything) < self.score(best, everything):
                    best = better
                    break
            else:
                break
        return best

    def open(self, dialect: Dialect, unused: frozenset[str]) -> dict[str, tuple[str, ...]]:
        """The choices whose other values explain as much: nothing tells them apart on this target.

        Args:
            unused: choices about something that the target does not have.
        """
        found = {}
        missed = len(self.unexplained(dialect))
        for choice in self.choices:
            if choice.name in unused or not choice.matters(dialect):
                continue
            fits = [
                option.value
                for option in choice.options
                if option.value == dialect[choice.name]
                or (
                    all(dialect[name] == value for name, value in option.requires.items())
                    and not self.misses_more(dialect.but(**{choice.name: option.value}), missed)
                )
            ]
            if len(fits) > 1:
                found[choice.name] = tuple(fits)
        return found

    def simplest(self, dialect: Dialect, *references: Dialect) -> Dialect:
        """The same explanation with every choice that nothing tells apart as the references have it."""
        best = dialect
        for reference in references:
            for choice in self.choices:
                changed = best.but(**{choice.name: reference[choice.name]})
                if changed != best and not self.misses_more(changed, len(self.unexplained(best))):
                    best = changed
        return best


def _changes(dialect: Dialect, available: Sequence[Choice], count: int) -> Iterator[Dialect]:
    """Every dialect that differs in up to ``count`` choices."""
    for chosen in combinations(available, count):
        others = ([value for value in choice.values if value != dialect[choice.name]] for choice in chosen)
        for values in product(*others):
            yield dialect.but(**dict(zip((choice.name for choice in chosen), values, strict=True)))


def walk(dialect: Dialect, played: Played, *, bounded: bool = False) -> Iterator[tuple[float, Any, Any, Any]]:
    """A dialect beside a played probe: of each step (relative distance, expected, got, admissible error).

    Args:
        bounded: carry error bounds along; without, it runs in plain float64, faster, and no error is known (0).
    """
    numbers = rounded(balls(), FLOAT64) if bounded else FLOATS
    as_array = numbers.array if bounded else np.array
    w: Any = as_array(played.probe.w)
    state: Any = START
    hyper = {k: v for k, v in played.probe.hyper.items() if k != "maximize"}
    for g, got in zip(played.gradients, played.weights, strict=False):
        try:
            with np.errstate(all="ignore"):
                made = step(dialect, numbers, w, as_array(g), state, **hyper)
        except (UndecidedView, ZeroDivisionError, ValueError, OverflowError):
            yield math.inf, None, got, None
            return
        expected, error = made.w, 0 * got
        if bounded:
            exact, error = parts(made.w)
            expected = floats(exact)
        scale = max(np.max(np.abs(played.probe.w), initial=1e-300), np.max(np.abs(expected), initial=0.0))
        size = np.max(np.abs(got - expected), initial=0.0) / scale
        yield float(size) if np.isfinite(size) else math.inf, expected, got, error
        w, state = made.w, made.state
    if played.error:
        yield math.inf, None, None, None


@lru_cache(maxsize=16)
def fit(target: Target) -> Fit:
    """Fit the dialect of a target, and judge its departures from the paper and from the published package."""
    algorithm = target.algorithm
    if not algorithm.choices:
        return Fit(
            "", leaves_at="the Grassmann baselines have no dialects here: their steps are compared with the spec"
        )
    family = algorithm.update.name
    played = [run for probe in probes(algorithm) if (run := play(target, probe)) is not None]
    if not played or all(run.error and not run.weights for run in played):
        why = played[0].error if played else "it offers none of the hyper-parameters that a probe needs"
        return Fit(family, leaves_at=why)
    fitter = Fitter(tuple(algorithm.choices.values()), played)
    references = (algorithm.published, algorithm.paper)
    found = fitter.search(references[0])
    if fitter.unexplained(found):
        found = min((found, fitter.search(references[1])), key=lambda d: fitter.score(d, range(len(played))))
    found = fitter.simplest(found, *references)
    missed = fitter.unexplained(found)
    unused = frozenset(c.name for c in fitter.choices if c.about and not target.offers(c.about))
    open_choices = fitter.open(found, unused)
    shown = {choice: value for choice, value in found.items() if choice not in unused}
    departing = tuple(departures(found, unused))
    if missed:
        promising = [played[n] for n in dict.fromkeys((*missed, *range(len(played))))]
        looks_like = nearest(target, promising)
        leaves_at = _leaves_at(found, played, missed)
        return Fit(family, shown, False, None, open_choices, departing, leaves_at, looks_like)
    ulps, beyond = _last_ulps(found, played)
    return Fit(family, shown, not beyond, ulps, open_choices, departing, beyond)


def _last_ulps(dialect: Dialect, played: Sequence[Played]) -> tuple[float, str]:
    """The largest distance in ulps of the weights, and the first place that is beyond its derived bound."""
    worst, beyond = 0.0, ""
    for run in played:
        for number, (_, expected, got, error) in enumerate(walk(dialect, run, bounded=True)):
            if expected is None:
                beyond = beyond or f"probe “{run.probe.name}”, step {number}: the decision of Eq. 11 is within rounding"
                continue
            off = np.abs(got - expected)
            size = max(np.max(np.abs(run.probe.w)), np.max(np.abs(expected)))
            worst = max(worst, float(np.max(off)) / FLOAT64.ulp(float(size)))
            if not beyond and not (off <= error).all():
                beyond = _element(run, number, expected, got, off - error)
    return worst, beyond


def _leaves_at(dialect: Dialect, played: Sequence[Played], missed: Sequence[int]) -> str:
    """The first step and element at which the target leaves its nearest dialect."""
    run = played[missed[0]]
    if run.error:
        return f"{run.probe.name}: {run.error}"
    for number, (distance, expected, got, _) in enumerate(walk(dialect, run)):
        if not distance <= COARSE:
            if expected is None:
                return f"{run.probe.name}: step {number}: the dialect has no such step"
            return _element(run, number, expected, got, np.abs(got - expected))
    return run.probe.name


def _element(run: Played, number: int, expected: Any, got: Any, off: Any) -> str:
    index = np.unravel_index(int(np.argmax(np.nan_to_num(off, nan=np.inf))), got.shape)
    where = f"w[{', '.join(map(str, index))}]"
    numbers = f"expected {float(expected[index])!r}, got {float(got[index])!r}"
    return f"probe “{run.probe.name}”, step {number}, {where}: {numbers}"
