"""The regression gate: ratios of one run must stay below stored ceilings, and counts must not change.

Times of different machines and days cannot be compared, but ratios within one run can, and counts exactly. A gate is a
TOML file of entries ``[[ratio]]`` (``what``, ``optimizer``, ``mode``, ``contender``, ``at_most``) and ``[[counts]]``
(the same, with some attributes of `Counts` instead of ``at_most``). ``what`` is a model, a shape as a list, or
"shapes" for all of :mod:`.sweeps`; ``mode`` may be a list.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from tangency.benchmarks.contenders import contenders
from tangency.benchmarks.counting import Counts
from tangency.benchmarks.machine import machine
from tangency.benchmarks.modes import MODES
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.results import Results
from tangency.benchmarks.shapes import MODELS, UnknownModel, Weight, find
from tangency.benchmarks.steps import Competitors, Timing, competitors_of, counted, measure
from tangency.benchmarks.sweeps import shapes, single
from tangency.common.inputs import read_toml

COUNTED = tuple(one.name for one in dataclasses.fields(Counts))


class WrongGate(ValueError):
    """A gate cannot be read, or names something unknown."""


@dataclass(frozen=True, order=True)
class Case:
    """A contender on some weights."""

    optimizer: str
    what: str
    mode: str
    contender: str
    weights: tuple[Weight, ...] = dataclasses.field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.what} · {self.optimizer} · {self.mode} · {self.contender}"


@dataclass(frozen=True)
class Gate:
    """Ceilings of ratios to torch's fused optimizer, and exact counts, by case."""

    ratios: Mapping[Case, float]
    counts: Mapping[Case, Mapping[str, int]]


def load(path: Path) -> Gate:
    """Read a gate.

    Raises:
        WrongGate: naming the entry and what is wrong with it.
    """
    entries = read_toml(path, WrongGate)
    _known("section", entries, ("ratio", "counts"), str(path))
    ratios: dict[Case, float] = {}
    counts: dict[Case, Mapping[str, int]] = {}
    for case, values in _entries(path, entries, "ratio", ("at_most",)):
        ratios[case] = float(values["at_most"])
    for case, values in _entries(path, entries, "counts", COUNTED):
        counts[case] = values
    if not ratios and not counts:
        raise WrongGate(f"{path}: no [[ratio]] and no [[counts]]: there is nothing to hold")
    return Gate(ratios, counts)


def hold(
    gate: Gate, *, budget: float = 5.0, device: str = "cpu", watch: Callable[[str, int, int], None]
) -> tuple[Results, list[str]]:
    """Measure and count the cases of a gate.

    Returns:
        The results, and a line for each case that exceeds its ceiling, has other counts, or could not be measured.
    """
    results, found = Results(machine(device), device), []
    competitors: dict[str, Competitors] = {}
    for optimizer, group in groupby(sorted({*gate.ratios, *gate.counts}), lambda case: case.optimizer):
        cases = list(group)
        competitors[optimizer] = competitors_of(
            optimizer, peers=True, only={case.contender for case in cases}, device=device
        )
        reasons = {out.name: out.reason for out in competitors[optimizer].left_out}
        found += [f"{case}: not measured: {reasons[case.contender]}" for case in cases if case.contender in reasons]
    # One interleaved run for all the contenders on the same weights.
    for (optimizer, what, mode), group in groupby(sorted(gate.ratios), lambda c: (c.optimizer, c.what, c.mode)):
        cases = list(group)
        timing = measure(
            what,
            cases[0].weights,
            mode,
            _only(competitors[optimizer], cases),
            budget=budget,
            device=device,
            cache=results.machine.cache,
            watch=partial(watch, f"{what}, {optimizer}, {mode}"),
        )
        results.timings.append(timing)
        found += [f"{case}: {line}" for case in cases for line in _above(gate.ratios[case], case.contender, timing)]
    for case, exact in gate.counts.items():
        for one in counted(case.what, case.weights, case.mode, _only(competitors[case.optimizer], [case]), device):
            if one.name == case.contender:
                results.counts.append(one)
                found += [f"{case}: {line}" for line in differences(exact, one.counts)]
    return results, found


def _above(ceiling: float, contender: str, timing: Timing) -> list[str]:
    """Why a ratio is not under its ceiling; nothing if it is, or where the contender was left out."""
    if timing.disturbed:
        return [f"not measured: others used {timing.others:.0%} of the machine meanwhile"]
    return [
        f"{row.ratio.p50:.3f} times {timing.rows[0].name} ({row.ratio.p20:.3f} – {row.ratio.p80:.3f}),"
        f" may be {ceiling:g}"
        for row in timing.rows
        if row.name == contender and row.ratio.p50 > ceiling
    ]


def differences(exact: Mapping[str, int], counts: Counts) -> list[str]:
    """What differs from the numbers that were stored: fewer is a change too, to be stored."""
    return [
        f"{name} {getattr(counts, name):,}, stored is {value:,}"
        for name, value in exact.items()
        if getattr(counts, name) != value
    ]


LARGEST = 2**30  # elements of a shape: 4 GiB
_CASE = ("what", "optimizer", "mode", "contender")


def _only(everybody: Competitors, cases: list[Case]) -> Competitors:
    """The baseline, and those that the cases name."""
    named = {case.contender for case in cases}
    first, *others = everybody.ready
    return Competitors(everybody.optimizer, (first, *(c for c in others if c.name in named)), ())


def _entries(
    path: Path, entries: Mapping[str, Any], section: str, wanted: tuple[str, ...]
) -> Iterator[tuple[Case, dict[str, int]]]:
    """The cases of a section, with the numbers that each holds."""
    tables = entries.get(section, [])
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        raise WrongGate(f"{path}: {section} must be an array of tables; write [[{section}]] above every entry")
    for number, entry in enumerate(tables, 1):
        place = f"{path}: [[{section}]] {number}"
        values = {key: value for key, value in entry.items() if key not in _CASE}
        cases = list(_cases(place, entry))
        _known("key", values, wanted, place)
        if not values or not all(
            isinstance(x, int | float) and not isinstance(x, bool) and x >= 0 for x in values.values()
        ):
            raise WrongGate(f"{place}: needs a number for {' or '.join(wanted)}")
        yield from ((case, values) for case in cases)


def _cases(place: str, entry: Mapping[str, Any]) -> Iterator[Case]:
    """Those of one entry, which may name several modes, and all shapes of the sweep as one."""
    missing = [name for name in _CASE if name not in entry]
    if missing:
        raise WrongGate(f"{place}: {' and '.join(missing)} missing")
    what, optimizer, modes, contender = (entry[name] for name in _CASE)
    modes = modes if isinstance(modes, list) else [modes]
    _known("optimizer", [optimizer], OPTIMIZERS, place)
    _known("mode", modes, MODES, place)
    _known("contender", [contender], [one.name for one in contenders(optimizer, peers=True)], place)
    if what == "shapes":
        points = shapes()
    elif isinstance(what, list):
        whole = what and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in what)
        if not whole or math.prod(what) > LARGEST:
            raise WrongGate(f"{place}: what is {what!r}; a shape must be of at most {LARGEST:,} elements")
        points = [("×".join(map(str, what)), single(what))]
    else:
        try:
            points = [(find(str(what)), MODELS[find(str(what))]())]
        except UnknownModel as error:
            raise WrongGate(f"{place}: {error}") from None
    for name, weights in points:
        for mode in modes:
            yield Case(optimizer, name, mode, contender, weights)


def _known(what: str, names: Any, known: Any, place: str) -> None:
    for name in names:
        if name not in list(known):  # a list in its place is in no dictionary
            near = get_close_matches(str(name), list(known))
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise WrongGate(f"{place}: no {what} is called {name!r}; {hint}")
