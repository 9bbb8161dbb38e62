"""The common part of `verify` and `check`: expected failures and baselines as inputs, reports of every kind."""

import secrets
import sys
from collections.abc import Collection, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tangency.cli.output import Outputs
from tangency.common.calls import WrongCall
from tangency.proofs_checks.options import PROFILES

if TYPE_CHECKING:
    from rich.console import Console

    from tangency.proofs_checks.options import Options
    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.run.known import Known

ProfileName = Enum("ProfileName", {name: name for name in PROFILES})  # type: ignore[misc]
Profile = Annotated[ProfileName, typer.Option(help="How much is tried.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; all usable cores if not given.")]
KnownFailures = Annotated[
    Path | None, typer.Option(metavar="FILE", help="TOML of expected failures: check, reason, versions.")
]
Baseline = Annotated[
    Path | None, typer.Option(metavar="FILE", help="An earlier --json: say what changed; new failures fail.")
]
Json = Annotated[str | None, typer.Option(metavar="FILE", help="Write JSON; - is stdout.")]
Junit = Annotated[str | None, typer.Option(metavar="FILE", help="Write JUnit XML.")]
Markdown = Annotated[str | None, typer.Option(metavar="FILE", help="Write Markdown, for a pull request.")]
Html = Annotated[str | None, typer.Option(metavar="FILE", help="Write one self-contained page.")]
FILES = ("--json", "--junit", "--markdown", "--html")


def files(*names: str | None) -> dict[str, str | Path | None]:
    """The files of a call by their options, in the order of :data:`FILES`."""
    return dict(zip(FILES, names, strict=True))


def announced(seed: int | None) -> int:
    """The seed of a run, a random one if none is given; it is printed to standard error, so that it can be repeated."""
    seed = secrets.randbits(32) if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    return seed


def known_failures(
    path: Path | None, ids: Collection[str] | None, option: str = "--known-failures"
) -> "tuple[Known, ...]":
    """The entries of a file of expected failures.

    Raises:
        WrongCall: it cannot be used.
    """
    from tangency.proofs_checks.run.known import BadKnownFailures, load

    try:
        return load(path, ids) if path is not None else ()
    except BadKnownFailures as error:
        raise WrongCall(f"{option}: {error}") from None


def earlier(path: Path | None) -> "list[SubjectReport] | None":
    """The reports of a baseline.

    Raises:
        WrongCall: it cannot be read.
    """
    if path is None:
        return None
    from tangency.proofs_checks.report.to_json import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongCall(f"--baseline: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8 either
        raise WrongCall(f"--baseline: {path}: {error}") from None


def write(outputs: Outputs, reports: "Sequence[SubjectReport]", command: str, options: "Options") -> None:
    """Write the requested files, before anything is printed: the reader of a pipe may close it early."""
    for option in filter(outputs.wants, FILES):
        outputs.write(option, _render(option, reports, command, options))


def _render(option: str, reports: "Sequence[SubjectReport]", command: str, options: "Options") -> str:
    if option == "--json":
        from tangency.proofs_checks.report.to_json import to_json

        return to_json(reports, command=command, options=options)
    if option == "--junit":
        from tangency.proofs_checks.report.junit import to_junit

        return to_junit(reports, command)
    if option == "--markdown":
        from tangency.proofs_checks.report.markdown import to_markdown

        return to_markdown(reports)
    from tangency.proofs_checks.report.html import to_html

    return to_html(reports, command)


def write_scripts(outputs: Outputs, reports: "Sequence[SubjectReport]") -> dict[tuple[str, str], str]:
    """Write the reproducers of failures; (target, check) → path."""
    found = [(r.info.target, f.check, f.reproducer) for r in reports for f in r.findings if f.reproducer]
    written = {(target, id): outputs.write_script(id, target, source) for target, id, source in found}
    return {key: str(path) for key, path in written.items() if path is not None}


def compared(
    page: "Console", before: "list[SubjectReport] | None", reports: "Sequence[SubjectReport]", code: int
) -> int:
    """The exit code. With a baseline, the changes are printed, and only new failures count."""
    if before is None:
        return code
    from tangency.proofs_checks.report.subject_report import FAILED, OK
    from tangency.proofs_checks.run.baseline import compare, to_text

    comparison = compare(before, reports)
    page.print()
    page.print(to_text(comparison), soft_wrap=True)
    if code in (OK, FAILED):
        return FAILED if comparison.regressed or any(report.stale for report in reports) else OK
    return code
