"""The search for a counterexample: Hypothesis, seeded, counted, and blind to everything but its seed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.database import ExampleDatabase
from hypothesis.errors import FailedHealthCheck, Flaky, StopTest, Unsatisfiable
from hypothesis.statistics import collector
from hypothesis.strategies import SearchStrategy

from tangency.proofs_checks.claim import NotOffered, Violation
from tangency.proofs_checks.measure.spoken import UNDECIDED

Problem = TypeVar("Problem")

_collector: Any = collector  # typed as one that never holds anything
# The number format cannot tell: such a problem is set aside and counted, neither a pass nor a failure.
# Time is not evidence (a busy machine must not change a verdict), and wide tensors are meant to be large.
NO_CHECK = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


class _Through(BaseException):
    """Carries past Hypothesis what it would take for a failure and try again: a timeout of pytest's, SystemExit."""


@dataclass
class Found:
    """What a search has found so far.

    Attributes:
        checked: problems on which the check passed, up to the first that failed.
        missing: what the subject lacks, where no problem at all could be run for that reason.
        undecided: problems that the number format could not decide, and ``why`` for the last one.
        problem, violation: the last counterexample; after the search, the minimal one.
        flaky: the same problem failed once and passed once.
        exhausted: there are no more problems than those that were checked.
        shortfall: why fewer problems were checked than demanded; empty if enough were.
    """

    checked: int = 0
    undecided: int = 0
    why: str = ""
    missing: str = ""
    problem: Any = None
    violation: Violation | None = None
    flaky: bool = False
    exhausted: bool = False
    shortfall: str = ""


@dataclass(frozen=True)
class Budget:
    """How a search is run.

    Attributes:
        examples: how many problems must be checked.
        seed: decides everything, unless a ``database`` replays earlier failures first.
        database: whether failures are kept, and replayed, in Hypothesis's example database.
        shrink: whether a counterexample is made minimal.
        shrinks: after how many attempts it counts as minimal.
    """

    examples: int
    seed: int
    database: bool = False
    shrink: bool = True
    shrinks: int = 200


def derive_seed(seed: int, *names: str) -> int:
    """A seed for one task of a run: the same wherever and in whatever order the tasks run."""
    return int.from_bytes(sha256("/".join((str(seed), *names)).encode()).digest()[:8])


def search(problems: SearchStrategy[Problem], check: Callable[[Problem], None], budget: Budget, key: str) -> Found:
    """Look for a problem on which ``check`` raises a :class:`Violation`; every other exception passes through.

    Args:
        key: under which the example database keeps the failures.
    """
    found = Found()
    failed: dict[str, Violation] = {}
    since = 0

    def test(problem: Problem) -> None:
        nonlocal since
        since += found.violation is not None
        if found.violation is not None and since > budget.shrinks:
            # Enough: what has failed fails once more, for Hypothesis to confirm its smallest, and all else is let pass.
            if repr(problem) in failed:
                found.problem, found.violation = problem, failed[repr(problem)]
                raise found.violation
            return
        try:
            check(problem)
        except UNDECIDED as error:
            found.undecided, found.why = found.undecided + 1, f"{error}"
            found.missing = found.why if isinstance(error, NotOffered) else found.missing
            reject()
        except Violation as violation:
            found.problem, found.violation = problem, failed.setdefault(repr(problem), violation)
            raise
        except (Exception, StopTest, KeyboardInterrupt):
            raise
        except BaseException as other:
            raise _Through(other) from other
        if found.violation is None:
            found.checked += 1

    run = _settings(budget, key)(seed(budget.seed)(given(problems)(test)))
    statistics: list[Any] = []
    complaint = "the strategy rejects most of what it draws"
    try:
        with _blind(), _collector.with_value(statistics.append):
            run()
    except _Through as through:
        raise through.args[0] from None
    except Violation:
        return found
    except Flaky:
        if found.violation is None:
            raise
        found.flaky = True
        return found
    except (Unsatisfiable, FailedHealthCheck) as error:
        complaint = str(error).splitlines()[0]
    stopped = [record.get("stopped-because") for record in statistics]
    found.exhausted = stopped == ["nothing left to do"] and 0 < found.checked < budget.examples and not found.undecided
    if found.checked < budget.examples and not found.exhausted:
        undecided = f"{found.undecided} undecided ({found.why}); " if found.undecided else ""
        found.shortfall = f"only {found.checked} of {budget.examples} problems checked; {undecided}{complaint}"
    return found


def _settings(budget: Budget, key: str) -> settings:
    """Hypothesis's, whatever profile is in force."""
    kept = settings().database if budget.database else None
    phases = [Phase.generate] + [Phase.reuse] * budget.database
    # Climbing towards the worst error is for what holds; the failures of a broken optimizer are far apart.
    phases += [Phase.target, Phase.shrink] * budget.shrink
    return settings(
        max_examples=budget.examples,
        phases=phases,
        database=None if kept is None else _Keyed(key, kept),
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=NO_CHECK,
        backend="hypothesis",
    )


class _Keyed(ExampleDatabase):
    """Hypothesis's default database, with the keys of one task apart from those of all others."""

    def __init__(self, key: str, inner: ExampleDatabase) -> None:
        self._prefix, self._inner = key.encode() + b"/", inner

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return self._inner.fetch(self._prefix + key)

    def save(self, key: bytes, value: bytes) -> None:
        self._inner.save(self._prefix + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        self._inner.delete(self._prefix + key, value)


@contextmanager
def _blind() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it reads in whatever modules happen to be imported.

    Otherwise one seed gives other problems in another process, in another folder, or after another import.
    """
    # There is no public way, and no such feature before 6.131; where it has moved, seeds repeat less than they should.
    try:
        providers: Any = import_module("hypothesis.internal.conjecture.providers")
        collect, cached = providers._get_local_constants, providers.CONSTANTS_CACHE.cache
    except (ImportError, AttributeError):
        yield
        return
    nothing = type(providers.GLOBAL_CONSTANTS)()
    providers._get_local_constants = lambda: nothing
    cached.clear()
    try:
        yield
    finally:
        providers._get_local_constants = collect
        cached.clear()
