"""A session: checks × subjects, in this process, or in workers that a misbehaving subject may hang, kill or change."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tangency.proofs_checks.finding import Check, Finding, TargetInfo
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.run.pool import Pool, Spent
from tangency.proofs_checks.run.state import CannotRestore, restored


@dataclass(frozen=True)
class Cell:
    """One task: a check of a subject, by number and id, so that it can be sent to another process."""

    subject: int
    check: str


@dataclass(frozen=True)
class Description:
    """What a subject is, or why it cannot be run."""

    info: TargetInfo | None = None
    problem: str = ""


Answer = Finding | Description
# Called with a cell and ``None`` when it starts, with its answer when it ends; and with the number of all cells.
Watcher = Callable[[Cell, Answer | None, int], None]


@dataclass(frozen=True)
class Workshop:
    """Everything a process needs to run cells.

    Attributes:
        answers: the function that runs a check on a subject, by the id of the check.
        subject: the subject with a number; a :class:`Description` in place of one that cannot be run.
    """

    answers: Mapping[str, Callable[[Any, Options], Answer]]
    subject: Callable[[int], Any]

    def answer(self, cell: Cell, options: Options) -> Answer:
        """Run one cell; settings of the process that it changed are restored afterwards.

        Raises:
            Spent: they cannot be restored; it carries the answer.
        """
        subject = self.subject(cell.subject)
        if isinstance(subject, Description):
            return subject
        found: Answer = Description(problem="it was not run")
        try:
            with restored():
                found = self.answers[cell.check](subject, options)
        except CannotRestore as error:
            raise Spent(found) from error
        return found


@dataclass(frozen=True)
class _Worker:
    """What a worker process makes once: a workshop of its own."""

    source: Callable[[], Workshop]
    options: Options

    def __call__(self) -> Callable[[Cell], Answer]:
        import torch

        torch.set_num_threads(1)
        return partial(self.source().answer, options=self.options)


@dataclass(frozen=True)
class Session:
    """How cells are answered.

    Attributes:
        source: makes the workshop; workers get it pickled.
        options: how checks are run.
        jobs: worker processes; 0 answers in this process.
        limit: seconds a cell may take; ``None``: no limit.
        lost: the answer of a cell that took its worker with it, or too long.
        owner: whose a cell is: a worker serves one owner alone.
        quiet: what cells print goes nowhere.
    """

    source: Callable[[], Workshop]
    options: Options
    jobs: int
    limit: float | None
    lost: Callable[[Cell, str], Answer]
    owner: Callable[[Cell], Hashable] = lambda cell: ""
    quiet: bool = False

    def run(
        self,
        first: Callable[[], Sequence[Cell]],
        watch: Callable[[Cell, Answer | None], None],
        then: Callable[[Cell, Answer], Sequence[Cell]] = lambda cell, answer: (),
    ) -> tuple[dict[Cell, Answer], bool]:
        """Run the first cells, then those that an answer makes possible.

        Args:
            first: gives the first cells; workers start up meanwhile.

        Returns:
            the answers, and whether Ctrl-C cut them off.
        """
        if not self.jobs:
            return _collect(self._here(list(first())), watch)
        worker = _Worker(self.source, self.options)
        with Pool(worker, self.jobs, self.lost, self.limit, owner=self.owner, quiet=self.quiet) as pool:
            return _collect(pool.run(first(), then), watch)

    def _here(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Answer | None]]:
        workshop = self.source()
        for cell in cells:
            yield cell, None
            try:
                yield cell, workshop.answer(cell, self.options)
            except Spent as spent:  # there is no other process
                yield cell, spent.result


def _collect(
    pairs: Iterator[tuple[Cell, Answer | None]], watch: Callable[[Cell, Answer | None], None]
) -> tuple[dict[Cell, Answer], bool]:
    answers: dict[Cell, Answer] = {}
    try:
        for cell, answer in pairs:
            watch(cell, answer)
            if answer is not None:
                answers[cell] = answer
    except KeyboardInterrupt:
        return answers, True
    return answers, False


def report_of(
    number: int,
    info: TargetInfo,
    checks: Sequence[Check],
    answers: Mapping[Cell, Answer],
    **of_run: Any,
) -> SubjectReport:
    """The findings on one subject, in the order of the checks."""
    found = [answers.get(Cell(number, check.id)) for check in checks]
    findings = tuple(answer for answer in found if isinstance(answer, Finding))
    return SubjectReport(info, tuple(checks), findings, **of_run)
