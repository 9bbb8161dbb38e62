"""The checks among a library's own tests: ``pytest --tangency TARGET``, and ``@parametrize_with_claims([...])``.

torch is not imported until a target is named. Checks run in the test process: for a target that may hang or kill its
process, use ``tangency check``, or pytest-timeout and xdist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tangency.common.text import visible

if TYPE_CHECKING:
    from tangency.proofs_checks.finding import Finding
    from tangency.proofs_checks.options import Options
    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.run.known import Known
    from tangency.proofs_checks.target.spec import TargetSpec
    from tangency.proofs_checks.target.target import Target


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("tangency", "optimizers on scale-invariant weights")
    group.addoption(
        "--tangency",
        action="append",
        default=[],
        metavar="TARGET",
        help="Run the conformance checks on MODULE:NAME or PATH.py:NAME; may be repeated.",
    )
    group.addoption("--tangency-algorithm", default="", metavar="NAME", help="What the targets claim to be.")
    group.addoption(
        "--tangency-known-failures", default=None, metavar="FILE", help="TOML of expected failures, with reasons."
    )


class Failed(AssertionError):
    """A check fails on a target; the message is all that a reader needs."""


@dataclass(frozen=True)
class BoundCheck:
    """One check of one target; call it to run it.

    Attributes:
        spec: the target.
        check: the id of the check.
        known: known failures.
    """

    spec: TargetSpec
    check: str
    known: tuple[Known, ...] = ()

    @property
    def id(self) -> str:
        """``adamp:AdamP-eq-04``."""
        return f"{self.spec.target}-{self.check}"

    def __call__(self) -> None:
        """Pass, fail, skip where the check does not apply, or xfail where a failure is known.

        Raises:
            Failed: the check fails, or a known failure holds.
        """
        from tangency.proofs_checks.claim import Verdict
        from tangency.proofs_checks.report.subject_report import ERROR

        report = _run(self)
        if report.problem:
            raise Failed(visible(report.problem))
        (finding,) = report.findings
        expected = report.expected(finding)
        if expected is not None:
            pytest.xfail(visible(f"{expected.reason}: {_first_line(finding)}"))
        if report.stale:
            raise Failed(visible(f"a known failure is stale: {'; '.join(report.stale)}"))
        if finding.verdict is Verdict.DOES_NOT_APPLY:
            pytest.skip(visible(f"does not apply: {finding.detail}"))
        if finding.verdict is not Verdict.HOLDS:
            raise Failed(_message(report, finding, report.exit_code == ERROR))


def parametrize_with_claims(
    targets: Sequence[Any],
    *,
    only: Iterable[str] | None = None,
    algorithm: str = "",
    known_failures: str | Path | None = None,
) -> pytest.MarkDecorator:
    """Parametrise a test by every check of some targets, in the manner of scikit-learn's ``parametrize_with_checks``.

    The test takes one argument, ``check``, and calls it::

        @parametrize_with_claims([AdamP, "my_package.optim:SGDP"], known_failures="known_failures.toml")
        def test_claims(check):
            check()

    A check that does not apply is skipped, with the reason; a known failure is an xfail, and an error once it is stale.
    How many trials a claim gets is ``max_examples`` of the Hypothesis profile in force.

    Args:
        targets: classes or functions, or ``MODULE:NAME`` as on the command line, or :class:`.TargetSpec`.
        only: ids of checks; all if ``None``.
        algorithm: what they claim to be; else by their names.
        known_failures: a TOML file, relative to the current folder.

    Raises:
        ValueError: an unknown check, an unusable file of known failures.
    """
    from tangency.proofs_checks.run import conformance, known

    chosen = conformance.select(only)
    entries = known.load(known_failures, {one.id for one in conformance.checks()}) if known_failures else ()
    bound = [BoundCheck(_spec(target, algorithm), one.id, entries) for target in targets for one in chosen]
    return pytest.mark.parametrize("check", [pytest.param(one, id=one.id) for one in bound])


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add one item a check for each ``--tangency TARGET``, whatever else is collected."""
    targets = config.getoption("--tangency")
    if not targets:
        return
    from tangency.proofs_checks.run import conformance, known

    file = config.getoption("--tangency-known-failures")
    try:
        entries = known.load(file, {one.id for one in conformance.checks()}) if file else ()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    algorithm = config.getoption("--tangency-algorithm")
    for target in dict.fromkeys(targets):
        parent = TargetNode.from_parent(session, name=target, nodeid=target)
        for one in conformance.checks():
            check = BoundCheck(_spec(target, algorithm), one.id, entries)
            items.append(CheckItem.from_parent(parent, name=one.id, check=check))


class TargetNode(pytest.Collector):
    """The checks of a target, as a file of tests: xdist's ``loadfile`` and ``loadscope`` give all to one worker."""

    def collect(self) -> list[pytest.Item]:
        """Nothing: its checks are added after whatever else is collected."""
        return []


class CheckItem(pytest.Item):
    """A check as a test of its own."""

    def __init__(self, *, check: BoundCheck, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.check = check

    def runtest(self) -> None:
        """Run the check."""
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message alone: the stack trace shows our code only."""
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the failure is reported."""
        return self.path, None, self.name


def _spec(target: Any, algorithm: str) -> TargetSpec:
    from tangency.proofs_checks.target.spec import TargetSpec

    if isinstance(target, TargetSpec):
        return target
    if isinstance(target, str):
        return TargetSpec(target, algorithm)
    return TargetSpec(f"{target.__module__}:{target.__qualname__}", algorithm)


# Each target is loaded once. A TargetSpec holds dicts and is not hashable, so its repr is the key.
_TARGETS: dict[str, Target] = {}


def _target(spec: TargetSpec) -> Target:
    from tangency.proofs_checks.run.conformance import load_undisturbed

    if repr(spec) not in _TARGETS:
        _TARGETS[repr(spec)] = load_undisturbed(spec)
    return _TARGETS[repr(spec)]


def _run(bound: BoundCheck) -> SubjectReport:
    """Run the check in this process."""
    from tangency.proofs_checks.finding import Finding
    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.run import conformance, known
    from tangency.proofs_checks.run.pool import Spent
    from tangency.proofs_checks.run.session import Cell, Workshop
    from tangency.proofs_checks.run.state import CannotRestore, restored
    from tangency.proofs_checks.target.spec import TargetError

    options = _options()
    (check,) = conformance.select([bound.check])
    try:
        target = _target(bound.spec)
    except TargetError as error:
        raise Failed(visible(str(error))) from None
    try:
        workshop = Workshop({check.id: conformance.explained(check)}, lambda number: target)
        found = workshop.answer(Cell(0, check.id), options)
        with restored():
            info = target.info  # found out by steps
    except (Spent, CannotRestore) as error:
        why = error.__cause__ or error
        raise Failed(f"{target.spec.target} leaves a state that does not change back: {why}") from None
    assert isinstance(found, Finding)
    report = SubjectReport(info, (check,), (found,), seed=options.seed)
    entries = [entry for entry in bound.known if entry.choice or entry.check == bound.check]
    return known.apply(report, entries, {one.id for one in conformance.checks()})


def _options() -> Options:
    """As many examples as the Hypothesis profile in force wants, and its seed where it derandomises."""
    import secrets

    from hypothesis import settings

    from tangency.proofs_checks.options import PROFILES, Options

    profile = settings()
    quick = replace(PROFILES["quick"], foreign=profile.max_examples)
    return Options(quick, 0 if profile.derandomize else secrets.randbits(32))


def _first_line(finding: Finding) -> str:
    return finding.detail.splitlines()[0] if finding.detail else finding.check


def _message(report: SubjectReport, finding: Finding, ours: bool) -> str:
    """Everything known about a failure, the stand-alone script last."""
    (check,) = report.checks
    verdict = "an error of tangency itself" if ours else f"{finding.verdict.value}: {check.severity.value}"
    lines = [
        f"{report.info.target} · {check.id} · {verdict}",
        f"{check.title} ({check.source})",
        finding.detail,
        f"because of {', '.join(one.name for one in finding.because)}" if finding.because else "",
        finding.readings,
        f"counterexample: {finding.counterexample}" if finding.counterexample else "",
        f"expected {finding.expected}, got {finding.got}" if finding.expected else "",
        f"repeat with the seed {report.seed}",
        f"\n# a stand-alone script\n{finding.reproducer}" if finding.reproducer else "",
    ]
    return visible("\n".join(line for line in lines if line))
