"""What a study states before it runs, and how its verdicts come out of the runs.

A study names what the paper says, what is compared, and by which margin a difference matters. Runs are paired by seed.
Every optimizer gets the same grid of step sizes; where each is taken at its own best, that is chosen on validation
data, by the mean over seeds, and compared on test data.
"""

import statistics as averages
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.statistics import LEVEL, Paired, holm, paired

# What makes a run: its task and options, as JSON has them. What a run gives: numbers and curves.
Config = dict[str, Any]
Result = dict[str, Any]
Measure = Callable[[Result], float]


def on_test(result: Result) -> float:
    """The score on the test data."""
    return float(result["test"])


class Verdict(StrEnum):
    """What the runs say of a statement of the paper."""

    HOLDS = "holds"
    OPPOSITE = "opposite"
    NO_DIFFERENCE = "no difference within the margin"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Run:
    """A run as it was stored."""

    config: Config
    result: Result


@dataclass(frozen=True)
class Finding:
    """One statement, decided.

    Attributes:
        statement: which.
        here: what came out, in words and numbers.
        evidence: of the differences, if pairs were compared.
        verdict: what that says.
    """

    statement: "Statement"
    here: str
    evidence: Paired | None
    verdict: Verdict


@dataclass(frozen=True)
class Statement:
    """A statement of the paper about some runs.

    Attributes:
        id: unique in its study.
        says: what the paper says, as a sentence.
        paper: its numbers, or "" where it prints none.
    """

    id: str
    says: str
    paper: str

    def evidence(self, runs: Sequence[Run]) -> tuple[Paired | None, str]:
        """The paired differences, and what came out in words."""
        raise NotImplementedError

    def verdict(self, evidence: Paired | None, p: float, p_within: float) -> Verdict:
        """From the evidence and its p-values, adjusted for the other statements of the study."""
        raise NotImplementedError


def matching(runs: Iterable[Run], wanted: Mapping[str, Any]) -> list[Run]:
    """The runs whose options have these values."""
    return [run for run in runs if all(run.config.get(name) == value for name, value in wanted.items())]


def best(runs: Sequence[Run], tuned: Sequence[str]) -> list[Run]:
    """The runs with the values of the tuned options whose mean validation score over seeds is the largest."""
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(run.config.get(name) for name in tuned), []).append(run)
    if not groups:
        return []
    return max(groups.values(), key=lambda group: averages.fmean(run.result["validation"] for run in group))


@dataclass(frozen=True)
class Larger(Statement):
    """``first`` has a larger measure than ``second``, seed by seed.

    Attributes:
        first, second: options of their runs.
        measure: of a result; with ``lower`` a smaller one is better, and differences change their sign.
        margin: below which a difference does not matter, in units of the measure.
        tuned: options that each side has at its own best; the others are the same on both sides.
        unit: of the measure.
    """

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    measure: Measure
    margin: float
    lower: bool = False
    tuned: tuple[str, ...] = ("lr",)
    unit: str = ""

    def evidence(self, runs: Sequence[Run]) -> tuple[Paired | None, str]:
        sides = [best(matching(runs, wanted), self.tuned) for wanted in (self.first, self.second)]
        first, second = ({run.config["seed"]: self.measure(run.result) for run in side} for side in sides)
        seeds = sorted(first.keys() & second.keys())
        if not seeds:
            return None, ""
        sign = -1.0 if self.lower else 1.0
        result = paired([sign * (first[seed] - second[seed]) for seed in seeds], self.margin)
        means = [averages.fmean(side[seed] for seed in seeds) for side in (first, second)]
        return result, f"{means[0]:.4g} against {means[1]:.4g}{self.unit and ' ' + self.unit}"

    def verdict(self, evidence: Paired | None, p: float, p_within: float) -> Verdict:
        if evidence is None:
            return Verdict.NOT_RUN
        if p_within <= LEVEL:
            return Verdict.NO_DIFFERENCE
        if p <= LEVEL:
            return Verdict.HOLDS if evidence.mean > 0 else Verdict.OPPOSITE
        return Verdict.UNDECIDED


@dataclass(frozen=True)
class Near(Statement):
    """A measure of single runs is what the paper predicts, within a margin.

    Attributes:
        of: options of the runs.
        measure: less its prediction, of a result.
        margin: by which it may be off.
        show: the measure itself, in words.
    """

    of: Mapping[str, Any]
    measure: Measure
    margin: float
    show: Callable[[Sequence[Result]], str]

    def evidence(self, runs: Sequence[Run]) -> tuple[Paired | None, str]:
        found = matching(runs, self.of)
        if not found:
            return None, ""
        results = [run.result for run in found]
        return paired([self.measure(result) for result in results], self.margin), self.show(results)

    def verdict(self, evidence: Paired | None, p: float, p_within: float) -> Verdict:
        if evidence is None:
            return Verdict.NOT_RUN
        if p_within <= LEVEL:
            return Verdict.HOLDS
        outside = evidence.low > self.margin or evidence.high < -self.margin
        return Verdict.OPPOSITE if outside else Verdict.UNDECIDED


@dataclass(frozen=True)
class Checked(Statement):
    """Something of runs without randomness, or of many together, that is so or is not.

    Attributes:
        check: gives what came out in words, and whether it is as the paper says; None where a run is missing.
    """

    check: Callable[[Sequence[Run]], tuple[str, bool] | None]

    def evidence(self, runs: Sequence[Run]) -> tuple[Paired | None, str]:
        found = self.check(runs)
        return None, "" if found is None else found[0]

    def outcome(self, runs: Sequence[Run]) -> Verdict:
        """Whether it is so."""
        found = self.check(runs)
        return Verdict.NOT_RUN if found is None else Verdict.HOLDS if found[1] else Verdict.OPPOSITE


def printed(id: str, says: str, paper: str, of: Mapping[str, Any], measure: Measure) -> Checked:
    """A number that the paper prints comes out of a run without randomness, to the digits that are printed.

    Args:
        id, says, paper: as of any statement; ``paper`` is the number.
        of: options of the run.
        measure: of its result.
    """
    places = len(paper.partition(".")[2])

    def check(runs: Sequence[Run]) -> tuple[str, bool] | None:
        found = matching(runs, of)
        if not found:
            return None
        here = measure(found[0].result)
        return f"{here:.{places + 1}f}", f"{here:.{places}f}" == paper

    return Checked(id, says, paper, check)


@dataclass(frozen=True)
class Study:
    """A figure, table or experiment of the paper.

    Attributes:
        id: its name on the command line.
        title: what it is about.
        where: it stands in the paper.
        question: what is asked here, and how it differs from the paper's own experiment.
        plan: the runs that a preset needs.
        statements: what is decided.
        notes: what was found that no statement asks, from the runs.
        figure: draws the runs, or None.
        needs: what must be there for a preset, as a message, or "" where nothing is missing.
    """

    id: str
    title: str
    where: str
    question: str
    plan: Callable[[Preset], list[Config]]
    statements: tuple[Statement, ...]
    notes: Callable[[Sequence[Run]], list[str]] = field(default=lambda runs: [])
    figure: Callable[[Sequence[Run]], Any] | None = None
    needs: Callable[[Preset], str] = field(default=lambda preset: "")


def findings(study: Study, runs: Sequence[Run]) -> list[Finding]:
    """The statements of a study, decided together: p-values are Holm's."""
    found = [statement.evidence(runs) for statement in study.statements]
    compared = [i for i, (evidence, _) in enumerate(found) if evidence is not None]
    p = dict(zip(compared, holm([_of(found[i][0]).p for i in compared]), strict=True))
    within = dict(zip(compared, holm([_of(found[i][0]).p_within for i in compared]), strict=True))
    decided = []
    for i, (statement, (evidence, here)) in enumerate(zip(study.statements, found, strict=True)):
        if isinstance(statement, Checked):
            verdict = statement.outcome(runs)
        else:
            verdict = statement.verdict(evidence, p.get(i, 1.0), within.get(i, 1.0))
        decided.append(Finding(statement, here, evidence, verdict))
    return decided


def _of(evidence: Paired | None) -> Paired:
    assert evidence is not None
    return evidence
