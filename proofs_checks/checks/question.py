"""How a check is written: a function of a target that returns, or says what is wrong, or why it does not apply."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tangency.proofs_checks.claim import Attack, Claim, NotApplicable, Verdict
from tangency.proofs_checks.finding import Check, Finding
from tangency.proofs_checks.subjects import NotOffered
from tangency.proofs_checks.target.target import Target

ELSEWHERE = NotApplicable("it is about implementations alone")


class Fails(Exception):
    """The check fails on this target.

    Args:
        detail: what is wrong, in a line.
        expected, got: the quantity that is wrong.
        counterexample: the smallest input that shows it.
        script: a stand-alone reproducer.
    """

    def __init__(
        self, detail: str, *, expected: object = "", got: object = "", counterexample: str = "", script: str = ""
    ) -> None:
        super().__init__(detail)
        self.finding = Finding(
            "",
            Verdict.FAILS,
            detail=detail,
            expected=str(expected),
            got=str(got),
            counterexample=counterexample,
            reproducer=script,
        )


class Skip(Exception):
    """The check does not apply to this target; the message says why."""


@dataclass(frozen=True)
class Question:
    """A check with the function that answers it.

    Attributes:
        check: what is asked.
        ask: returns (a note for the report, or a whole finding), or raises :class:`Fails`, :class:`Skip` or
            :class:`.NotOffered`. Any other exception is our own error.
        kinds: the kinds of target that it is about; empty: all.
    """

    check: Check
    ask: Callable[[Target], Finding | str | None]
    kinds: tuple[str, ...] = ()

    def answer(self, target: Target) -> Finding:
        """Ask a target."""
        started = time.perf_counter()
        try:
            if self.kinds and target.kind not in self.kinds:
                raise Skip(f"it is about targets of kind {', '.join(self.kinds)}")
            said = self.ask(target)
            found = said if isinstance(said, Finding) else Finding("", Verdict.HOLDS, detail=said or "", examples=1)
        except Fails as failure:
            found = failure.finding
        except Skip as skip:
            found = Finding("", Verdict.DOES_NOT_APPLY, detail=str(skip))
        except NotOffered as missing:
            found = Finding("", Verdict.DOES_NOT_APPLY, detail=str(missing))
        return replace(found, check=self.check.id, seconds=time.perf_counter() - started)


def as_claim(check: Check, statement: str, implementation: Attack | NotApplicable = ELSEWHERE) -> Claim:
    """A check as a claim with no rung but that of implementations: what the engine attacks and writes scripts for."""
    return Claim(
        id=check.id,
        title=check.title,
        where=check.source,
        statement=statement,
        latex="",
        hypotheses=(),
        proof=ELSEWHERE,
        exact=ELSEWHERE,
        ball=ELSEWHERE,
        implementation=implementation,
    )
