"""``tangency check TARGET…``: the command. Nothing heavy is imported before the call is understood."""

import secrets
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tangency.cli import output
from tangency.cli.streams import console
from tangency.common import inputs
from tangency.common.calls import WrongCall, no_such

if TYPE_CHECKING:
    from rich.console import Console

    from tangency.proofs_checks.finding import TargetReport
    from tangency.proofs_checks.target.target import TargetSpec

Profile = Enum("Profile", {name: name for name in ("quick", "default", "thorough")})  # type: ignore[misc]


def check(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET]...", help="MODULE:NAME or PATH.py:NAME; several: a matrix.")
    ] = None,
    algorithm: Annotated[
        str, typer.Option(help="gd, momentum, nesterov, sgd, adam, adamw, sgdp, adamp, sgdg, adamg; else by its name.")
    ] = "",
    kind: Annotated[str, typer.Option(help="torch, function, optax or protocol; else by its signature.")] = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A fixed argument of the target.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="NAME=OWN", help="How the target calls lr, betas (A,B), eps, …")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="Only this check; may be repeated.")] = None,
    dialect: Annotated[
        list[str] | None, typer.Option(metavar="CHOICE=VALUE", help="Pin a choice: a change of dialect fails.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="How much is tried.")] = Profile.default,  # type: ignore[attr-defined]
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all usable cores if not given.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeats a run.")] = None,
    time_limit: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", callback=inputs.seconds, help="What hangs longer fails.")
    ] = 120,
    known_failures: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML of expected failures: check, reason, versions.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier --json: say what changed; new failures fail.")
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write JSON; - is stdout.")] = None,
    junit: Annotated[str | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    markdown: Annotated[str | None, typer.Option(metavar="FILE", help="Write Markdown, for a pull request.")] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write one self-contained page.")] = None,
    reproducers: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the scripts of failures go; else a temporary folder.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="CHECK", help="Say what a check asks, why, and where it stands.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks.")] = False,
) -> int:
    """Say what somebody's optimizer really computes, and which statements it obeys."""
    files = {"--json": json, "--junit": junit, "--markdown": markdown, "--html": html}
    read = {"--known-failures": known_failures, **{target: target.rpartition(":")[0] for target in targets or ()}}
    outputs = output.Outputs(files, ("--reproducers", reproducers), read)
    if list_ or explain is not None:
        _tell(explain)
        return 0
    if not targets:
        raise WrongCall("no TARGET; name one as MODULE:NAME or PATH.py:NAME, or use --list or --explain CHECK")
    specs = _specs(targets, algorithm, kind, set_ or (), rename or ())
    pinned = _pinned(dialect or ())

    from tangency.proofs_checks.finding import exit_code
    from tangency.proofs_checks.report.table import live_progress
    from tangency.proofs_checks.report.terminal import print_reports
    from tangency.proofs_checks.run import known, session

    ids = {one.id for one in session.checks()}
    try:
        entries = known.load(known_failures, ids) if known_failures is not None else ()
    except known.BadKnownFailures as error:
        raise WrongCall(f"--known-failures: {error}") from None
    before = _earlier(baseline)
    session.select(only)
    seed = secrets.randbits(32) if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    with live_progress(console(sys.stderr), lambda cell: cell.check) as watch:
        reports = session.check(
            specs,
            only=only,
            profile=profile.value,
            jobs=jobs,
            seed=seed,
            limit=time_limit,
            known=entries,
            pinned=pinned,
            watch=watch,
        )
    # Files first: whoever reads the rest through a pipe may close it early.
    for option in filter(outputs.wants, files):
        outputs.write(option, _render(option, reports))
    scripts = _write_scripts(outputs, reports)
    page = console(outputs.page)
    print_reports(page, reports, scripts)
    code = exit_code(reports)
    return outputs.done(code if before is None else _compared(page, before, reports, code))


def _specs(
    targets: Sequence[str], algorithm: str, kind: str, set_: Sequence[str], rename: Sequence[str]
) -> "list[TargetSpec]":
    from tangency.proofs_checks.target.target import HYPER, RENAMED, TargetSpec

    if algorithm and algorithm not in HYPER:
        raise WrongCall(f"--algorithm is {algorithm!r}; it must be one of {', '.join(HYPER)}")
    fixed = {name: inputs.literal(f"--set {name}", text) for name, text in inputs.pairs("--set", set_).items()}
    renamed = inputs.pairs("--rename", rename)
    for name in renamed:
        if name not in RENAMED:
            raise WrongCall(f"--rename: {no_such('hyper-parameter', name, RENAMED)}; there are {', '.join(RENAMED)}")
    return [TargetSpec(target, algorithm, kind, fixed, renamed) for target in targets]


def _pinned(given: Sequence[str]) -> dict[str, str]:
    """The choices that a target must speak; a wrong name or value is one that no target ever speaks."""
    from tangency.proofs_checks.dialects.choices import CHOICES

    found = inputs.pairs("--dialect", given)
    for name, value in found.items():
        options = [value for choice in CHOICES if choice.name == name for value in choice.values]
        if not options:
            raise WrongCall(no_such("choice", name, sorted({choice.name for choice in CHOICES})))
        if value not in options:
            raise WrongCall(f"--dialect {name} is {value!r}; it must be one of {', '.join(options)}")
    return found


def _earlier(path: Path | None) -> "list[TargetReport] | None":
    if path is None:
        return None
    from tangency.proofs_checks.report.to_json import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongCall(f"--baseline: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8 either
        raise WrongCall(f"--baseline: {path}: {error}") from None


def _compared(page: "Console", before: "list[TargetReport]", reports: "list[TargetReport]", code: int) -> int:
    """Print what changed; with a baseline, only new failures fail."""
    from tangency.proofs_checks.finding import FAILED, OK
    from tangency.proofs_checks.run.baseline import compare, to_text

    comparison = compare(before, reports)
    page.print()
    page.print(to_text(comparison), soft_wrap=True)
    if code in (OK, FAILED):
        return FAILED if comparison.regressed or any(report.stale for report in reports) else OK
    return code


def _render(option: str, reports: "list[TargetReport]") -> str:
    if option == "--json":
        from tangency.proofs_checks.report.to_json import to_json

        return to_json(reports)
    if option == "--junit":
        from tangency.proofs_checks.report.junit import to_junit

        return to_junit(reports)
    if option == "--markdown":
        from tangency.proofs_checks.report.markdown import to_markdown

        return to_markdown(reports)
    from tangency.proofs_checks.report.html import to_html

    return to_html(reports)


def _write_scripts(outputs: output.Outputs, reports: "list[TargetReport]") -> dict[tuple[str, str], str]:
    """Write the reproducers of what fails; of each (target, check) the path."""
    found = [(r.info.target, f.check, f.reproducer) for r in reports for f in r.findings if f.reproducer]
    written = {(target, id): outputs.write_script(id, target, source) for target, id, source in found}
    return {key: str(path) for key, path in written.items() if path is not None}


def _tell(id: str | None) -> None:
    """Explain one check, or list all."""
    from tangency.proofs_checks.run import session

    if id is not None:
        (one,) = session.select([id])
        print(f"{one.id} · {one.severity.value}\n\n{one.title}\n\nWhy: {one.why}\n\nWhere it stands: {one.source}")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("what holds")
    for one in session.checks():
        table.add_row(one.id, one.severity.value, Text(one.title))
    console(sys.stdout).print(table)
