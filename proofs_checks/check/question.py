"""How a check is written: a function of a target that returns, or says what is wrong, or why it does not apply."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tangency.proofs_checks.check.model import Check, Finding, Severity
from tangency.proofs_checks.check.target import Target
from tangency.proofs_checks.engine.claim import Verdict
from tangency.proofs_checks.engine.subjects import NotOffered


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
            :class:`.NotOffered`. Any other exception is our own error: code of the target is called through
            :func:`attempt`.
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


def question(
    id: str, title: str, severity: Severity, source: str, why: str, kinds: tuple[str, ...] = ()
) -> Callable[[Callable[[Target], Finding | str | None]], Question]:
    """Make a :class:`Question` of a function."""

    def wrap(ask: Callable[[Target], Finding | str | None]) -> Question:
        return Question(Check(id, title, severity, source, why), ask, kinds)

    return wrap


def attempt(what: str, call: Callable[[], object]) -> object:
    """Call code of the target; whatever it raises is its failure.

    Raises:
        Fails: with ``what`` was tried and what was raised.
        NotOffered: the target has no such argument.
    """
    try:
        return call()
    except (NotOffered, Fails, Skip):
        raise
    except Exception as error:
        raise Fails(f"{what} raised {type(error).__name__}: {error}".rstrip(": ")) from error
