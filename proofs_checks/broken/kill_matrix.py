"""Mutants against claims: who kills whom. A mutant that lives, or a claim that kills none, is a defect of the gate."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tangency.proofs_checks.broken.mutants import MUTANTS, SOUND, Mutant
from tangency.proofs_checks.claim import NotApplicable, Verdict
from tangency.proofs_checks.finding import ERROR, FAILED, INTERRUPTED, NOTHING, OK, Finding
from tangency.proofs_checks.report.facts import Status, rows
from tangency.proofs_checks.report.terminal import STYLES, print_failure
from tangency.proofs_checks.run.registry import Suite, discover
from tangency.proofs_checks.run.verify import Report

KILLED, SPARED, MISSED = ("✗", "bold green"), ("·", "dim"), ("○", "bold red")


def mutants() -> Suite:
    """Every claim, on the broken optimizers and on the sound ones that they derive from."""
    subjects = (*SOUND, *(mutant.subject for mutant in MUTANTS))
    return Suite(discover(), subjects, {mutant.subject.name: mutant.caught_by for mutant in MUTANTS})


@dataclass(frozen=True)
class KillMatrix:
    """What a run of the claims on :func:`mutants` says about the claims."""

    report: Report
    mutants: tuple[Mutant, ...] = MUTANTS

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Finding]:
        """The results, by subject and claim."""
        return {(r.subject, r.claim): r for r in self.report.results if r.subject is not None}

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """The claims that were run and have an implementation rung."""
        run = {claim for _, claim in self.verdicts}
        return tuple(
            c.id for c in self.report.suite.claims if c.id in run and not isinstance(c.implementation, NotApplicable)
        )

    def killed(self, mutant: Mutant, claim: str) -> bool:
        """Whether a claim fails on a mutant."""
        result = self.verdicts.get((mutant.subject.name, claim))
        return result is not None and result.verdict is Verdict.FAILS

    @cached_property
    def defects(self) -> tuple[str, ...]:
        """Every way in which the gate did not do its work."""
        return tuple(self._defects())

    def _defects(self) -> Iterable[str]:
        named = frozenset[str]().union(*(mutant.caught_by for mutant in self.mutants))
        for claim in sorted(named.difference(claim.id for claim in self.report.suite.claims)):
            yield f"{', '.join(m.name for m in self.mutants if claim in m.caught_by)}: {claim} is no claim"
        for mutant in self.mutants:
            for claim in self.claims:
                if claim in mutant.caught_by and not self.killed(mutant, claim):
                    yield f"{claim} does not kill {mutant.name}: {mutant.description}"
            if not any(self.killed(mutant, claim) for claim in self.claims) and mutant.caught_by & set(self.claims):
                yield f"{mutant.name} lives"
        for claim in self.claims:
            if not any(self.killed(mutant, claim) for mutant in self.mutants):
                yield f"{claim} kills no mutant: its implementation rung may be unable to fail"
        for (subject, claim), result in self.verdicts.items():
            if subject in {sound.name for sound in SOUND} and result.verdict in (Verdict.FAILS, Verdict.UNDECIDED):
                yield f"{claim} {result.verdict.value} on {subject}, which is sound: {result.detail}"

    @property
    def exit_code(self) -> int:
        """0 every mutant is killed by every claim that it names; 1 not so; 2, 3 and 5 as in any run."""
        if self.report.interrupted:
            return INTERRUPTED
        if any(result.verdict is Verdict.ERROR for result in self.report.results):
            return ERROR
        if not self.verdicts or not self.claims:
            return NOTHING
        return FAILED if self.defects else OK


def print_matrix(console: Console, matrix: KillMatrix) -> None:
    """Mutant × claim, then what is wrong with it."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("mutant", no_wrap=True)
    for number, _ in enumerate(matrix.claims, 1):
        table.add_column(str(number), justify="center")
    table.add_column("killed by", justify="right")
    for mutant in matrix.mutants:
        cells = [_cell(matrix, mutant, claim) for claim in matrix.claims]
        kills = sum(matrix.killed(mutant, claim) for claim in matrix.claims)
        table.add_row(mutant.name, *cells, str(kills))
    console.print(table)
    legend = ", ".join(f"{number} {claim}" for number, claim in enumerate(matrix.claims, 1))
    console.print(
        Text(
            f"{legend}\n{KILLED[0]} killed   {SPARED[0]} spared, as may be   {MISSED[0]} missed   ! our own error",
            style="dim",
        )
    )
    for defect in matrix.defects:
        console.print(Text(f"{MISSED[0]} {defect}", style=MISSED[1]))
    for row in (row for report in matrix.report.reports for row in rows(report)):
        if row.status is Status.ERROR and row.finding is not None:
            print_failure(console, row, f"{row.check.id} · {row.finding.subject} stopped on our own error", whole=True)
    dead = sum(any(matrix.killed(mutant, claim) for claim in matrix.claims) for mutant in matrix.mutants)
    options, cut = matrix.report.options, "interrupted; " if matrix.report.interrupted else ""
    console.print(
        f"\n{cut}{dead} of {len(matrix.mutants)} mutants killed by {len(matrix.claims)} claims, "
        f"{len(matrix.defects)} defects; {options.profile.name}, seed {options.seed}, {matrix.report.seconds:.0f} s"
    )


def _cell(matrix: KillMatrix, mutant: Mutant, claim: str) -> Text:
    result = matrix.verdicts.get((mutant.subject.name, claim))
    if result is None:
        return Text("")
    if result.verdict in (Verdict.DOES_NOT_APPLY, Verdict.UNDECIDED, Verdict.ERROR):
        status = Status.ERROR if result.verdict is Verdict.ERROR else Status(result.verdict.value)
        return Text(status.mark, style=STYLES[status])
    if matrix.killed(mutant, claim):
        return Text(*KILLED)
    return Text(*(MISSED if claim in mutant.caught_by else SPARED))
