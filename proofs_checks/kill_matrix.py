"""Claims and checks against the zoo: who kills whom.

A mutant that lives, a claim or check that kills none, and a sound optimizer that is killed are defects of the gate.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tangency.proofs_checks.broken.zoo import SOUND, Broken, zoo
from tangency.proofs_checks.claim import Rung, Suite, Verdict
from tangency.proofs_checks.finding import Check, Finding
from tangency.proofs_checks.options import Options, profile_of
from tangency.proofs_checks.report.facts import Status, rows
from tangency.proofs_checks.report.subject_report import ERROR, FAILED, INTERRUPTED, NOTHING, OK, SubjectReport
from tangency.proofs_checks.report.terminal import STYLES, print_failure
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.run.pool import usable_cores
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.run.session import Watcher
from tangency.proofs_checks.run.verify import verify

KILLED, SPARED, MISSED = ("✗", "bold green"), ("·", "dim"), ("○", "bold red")
Progress = Callable[[], AbstractContextManager[Watcher]]


def mutants() -> Suite:
    """Every claim, on the optimizers that claims have to catch and on the sound ones that they derive from."""
    claims = discover()
    ids = {claim.id for claim in claims}
    attacked = [one for one in zoo() if one.subject and one.caught_by & ids]
    subjects = tuple(one.subject for one in (*SOUND, *attacked) if one.subject)
    return Suite(claims, subjects, {one.target.target: one.caught_by & ids for one in attacked})


def behaviour() -> tuple[Check, ...]:
    """Every check of a target that is no rung of a claim."""
    return tuple(check for check in conformance.checks() if not check.claim)


def run(
    ids: Sequence[str] | None = None,
    *,
    profile: str = "default",
    jobs: int | None = None,
    seed: int = 0,
    limit: float | None = None,
    progress: Progress = lambda: nullcontext(lambda cell, answer, total: None),
) -> "KillMatrix":
    """Every claim on all that claims have to catch, every check on what names it, and all of them on what is sound.

    Args:
        ids: of claims and checks; all if ``None``.
        progress: a context for each of the two sessions, which gives what watches its cells.

    Raises:
        UnknownClaim: there is no such claim or check.
    """
    jobs, options, started = jobs or usable_cores(), Options(profile_of(profile), seed), time.monotonic()
    checks = [check for check in behaviour() if ids is None or check.id in ids]
    claims = None if ids is None else [id for id in ids if id not in {check.id for check in checks}]
    reports: list[SubjectReport] = []
    if claims is None or claims:
        with progress() as watch:
            reports += verify(
                claims,
                suite=mutants,
                rungs=[Rung.IMPLEMENTATION],
                profile=profile,
                jobs=jobs,
                seed=seed,
                shrink=False,
                limit=limit,
                watch=watch,
            ).reports
    if checks and not any(report.interrupted for report in reports):
        pairs = [(one.target, checks) for one in SOUND]
        pairs += [(one.target, chosen) for one in zoo() if (chosen := _named(one, checks)) and not one.missing]
        with progress() as watch:
            reports += conformance.run_checks(pairs, options, jobs=jobs, limit=limit, apart=False, watch=watch)
    known = frozenset(check.id for check in conformance.checks())
    return KillMatrix(tuple(reports), known, options, time.monotonic() - started)


def _named(one: Broken, checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.id in one.caught_by]


@dataclass(frozen=True)
class KillMatrix:
    """What a run on the zoo says about claims and checks.

    Attributes:
        reports: of every optimizer that was attacked.
        known: the ids that there are.
        options: profile and seed.
        seconds: wall-clock time.
        zoo: the broken optimizers.
    """

    reports: tuple[SubjectReport, ...]
    known: frozenset[str]
    options: Options
    seconds: float
    zoo: tuple[Broken, ...] = zoo()

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Finding]:
        """What was found, by optimizer and claim or check."""
        ours = {one.target.target for one in (*SOUND, *self.zoo)}
        return {(r.info.target, f.check): f for r in self.reports for f in r.findings if r.info.target in ours}

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """The claims that were run and have an implementation rung."""
        return tuple(check.id for check in self._answered if check.claim)

    @cached_property
    def checks(self) -> tuple[str, ...]:
        """The checks of behaviour, and of the dialect, that were run."""
        return tuple(check.id for check in self._answered if not check.claim)

    @cached_property
    def _answered(self) -> tuple[Check, ...]:
        answered = {id for _, id in self.verdicts}
        return tuple({c.id: c for report in self.reports for c in report.checks if c.id in answered}.values())

    def run_on(self, one: Broken, ids: Iterable[str]) -> list[str]:
        """The ids that were run on an optimizer."""
        return [id for id in ids if (one.target.target, id) in self.verdicts]

    def killed(self, one: Broken, id: str) -> bool:
        """Whether a claim or check fails on an optimizer."""
        found = self.verdicts.get((one.target.target, id))
        return found is not None and found.verdict is Verdict.FAILS

    @cached_property
    def defects(self) -> tuple[str, ...]:
        """Every way in which the gate did not do its work."""
        return tuple(self._defects())

    def _defects(self) -> Iterable[str]:
        ids = (*self.claims, *self.checks)
        for id in sorted(frozenset[str]().union(*(one.caught_by for one in self.zoo)) - self.known):
            yield f"{', '.join(one.name for one in self.zoo if id in one.caught_by)}: {id} is no claim and no check"
        for report in self.reports:
            if report.problem:
                yield f"{report.info.target} cannot be run: {report.problem}"
        for one in (one for one in self.zoo if not one.missing):
            named = [id for id in ids if id in one.caught_by]
            for id in named:
                if not self.killed(one, id):
                    yield f"{id} does not kill {one.name}: {one.description}"
            if named and not any(self.killed(one, id) for id in ids):
                yield f"{one.name} lives"
        for id in ids:
            if not any(self.killed(one, id) for one in self.zoo):
                yield f"{id} kills no mutant: it may be unable to fail"
        for sound in SOUND:
            for id in self.run_on(sound, ids):
                found = self.verdicts[sound.target.target, id]
                if found.verdict in (Verdict.FAILS, Verdict.UNDECIDED):
                    yield f"{id} {found.verdict.value} on {sound.target.target}, which is sound: {found.detail}"

    @property
    def exit_code(self) -> int:
        """0 every broken optimizer is killed by all that it names; 1 not so; 2, 3 and 5 as in any run."""
        if any(report.interrupted for report in self.reports):
            return INTERRUPTED
        if any(found.verdict is Verdict.ERROR for found in self.verdicts.values()):
            return ERROR
        if not self.verdicts:
            return NOTHING
        return FAILED if self.defects else OK


def print_matrix(console: Console, matrix: KillMatrix) -> None:
    """Broken optimizer × claim, then the checks that each trips, then what is wrong with it."""
    if matrix.claims:
        _print_claims(console, matrix)
    if matrix.checks:
        _print_checks(console, matrix)
    legend = f"{KILLED[0]} killed   {SPARED[0]} spared, as may be   {MISSED[0]} missed   ! our own error"
    console.print(Text(legend, style="dim"))
    for defect in matrix.defects:
        console.print(Text(f"{MISSED[0]} {defect}", style=MISSED[1]))
    for one in (one for one in matrix.zoo if one.missing):
        console.print(Text(f"left out: {one.name}, which needs {', '.join(one.missing)}", style="dim"))
    for row, name in ((row, report.info.target) for report in matrix.reports for row in rows(report)):
        if row.status is Status.ERROR and row.finding is not None:
            print_failure(console, row, f"{row.check.id} · {name} stopped on our own error", whole=True)
    ids = (*matrix.claims, *matrix.checks)
    attacked = [one for one in matrix.zoo if matrix.run_on(one, ids)]
    dead = sum(any(matrix.killed(one, id) for id in ids) for one in attacked)
    cut = "interrupted; " if any(report.interrupted for report in matrix.reports) else ""
    killers = {"claims": len(matrix.claims), "checks": len(matrix.checks)}
    by = " and ".join(f"{count} {what}" for what, count in killers.items() if count) or "nothing"
    console.print(
        f"\n{cut}{dead} of {len(attacked)} mutants killed by {by}, "
        f"{len(matrix.defects)} defects; {matrix.options.profile.name}, seed {matrix.options.seed}, "
        f"{matrix.seconds:.0f} s"
    )


def _print_claims(console: Console, matrix: KillMatrix) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("mutant", no_wrap=True)
    for number, _ in enumerate(matrix.claims, 1):
        table.add_column(str(number), justify="center")
    table.add_column("killed by", justify="right")
    for one in matrix.zoo:
        if matrix.run_on(one, matrix.claims):
            kills = sum(matrix.killed(one, claim) for claim in matrix.claims)
            table.add_row(one.name, *(_cell(matrix, one, claim) for claim in matrix.claims), str(kills))
    console.print(table)
    legend = ", ".join(f"{number} {claim}" for number, claim in enumerate(matrix.claims, 1))
    console.print(Text(f"{legend}\n", style="dim"))


def _print_checks(console: Console, matrix: KillMatrix) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("mutant", no_wrap=True)
    table.add_column("check")
    for one in matrix.zoo:
        checks = matrix.run_on(one, matrix.checks)
        if checks:
            cells = [Text.assemble(_cell(matrix, one, check), f"\N{NO-BREAK SPACE}{check}") for check in checks]
            table.add_row(one.name, Text(", ").join(cells))
    console.print(table)
    console.print()


def _cell(matrix: KillMatrix, one: Broken, id: str) -> Text:
    found = matrix.verdicts.get((one.target.target, id))
    if found is None:
        return Text("")
    if found.verdict in (Verdict.DOES_NOT_APPLY, Verdict.UNDECIDED, Verdict.ERROR):
        status = Status.ERROR if found.verdict is Verdict.ERROR else Status(found.verdict.value)
        return Text(status.mark, style=STYLES[status])
    if found.verdict is Verdict.FAILS:
        return Text(*KILLED)
    return Text(*(MISSED if id in one.caught_by else SPARED))
