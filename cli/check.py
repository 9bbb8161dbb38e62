"""``tangency check TARGET…``: the command. Nothing heavy is imported before the call is understood."""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tangency.cli import output, reports
from tangency.cli.streams import console
from tangency.common import inputs
from tangency.common.calls import WrongCall, no_such

if TYPE_CHECKING:
    from tangency.proofs_checks.options import Trained
    from tangency.proofs_checks.report.subject_report import SubjectReport
    from tangency.proofs_checks.target.spec import TargetSpec


def check(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET]...", help="MODULE:NAME or PATH.py:NAME; several: a matrix.")
    ] = None,
    algorithm: Annotated[
        str, typer.Option(help="gd, momentum, nesterov, sgd, adam, adamw, sgdp, adamp, sgdg, adamg; else by its name.")
    ] = "",
    kind: Annotated[
        str, typer.Option(help="torch, function, optax, protocol or projection; else by its signature.")
    ] = "",
    base: Annotated[
        str, typer.Option(metavar="TARGET", help="The optimizer whose updates the target projects; no --algorithm.")
    ] = "",
    path: Annotated[str, typer.Option(help="loop, foreach, fused or capturable: only this code path.")] = "",
    compiled: Annotated[bool, typer.Option("--compiled", help="Claims run torch.compile(optimizer.step).")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="Where parameters lie: cuda, cuda:1, mps, …")] = "",
    dtype: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Trials in this dtype alone; may be repeated.")
    ] = None,
    shapes: Annotated[
        list[str] | None, typer.Option(metavar="64x3x3x3,…", help="Trials on parameters of these shapes.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="MODULE:NAME", help="Trials on the shapes of the parameters of NAME().")
    ] = "",
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
    profile: reports.Profile = reports.ProfileName.default,  # type: ignore[attr-defined]
    jobs: reports.Jobs = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeats a run.")] = None,
    time_limit: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", callback=inputs.seconds, help="What hangs longer fails.")
    ] = 120,
    known_failures: reports.KnownFailures = None,
    accept_dialect: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accept every choice found: add it, with its reason, to a --known-failures."),
    ] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option(metavar="w|g=LOW:HIGH", help="Lengths of rows of weights, or gradients, at which one trains."),
    ] = None,
    baseline: reports.Baseline = None,
    json: reports.Json = None,
    junit: reports.Junit = None,
    markdown: reports.Markdown = None,
    html: reports.Html = None,
    reproducers: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the scripts of failures go; else a temporary folder.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="CHECK", help="Say what a check asks and why; of a TARGET, run it alone.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks.")] = False,
) -> int:
    """Say what somebody's optimizer really computes, and which statements it obeys."""
    read = {"--known-failures": known_failures, **{target: target.rpartition(":")[0] for target in targets or ()}}
    files = {**reports.files(json, junit, markdown, html), "--accept-dialect": accept_dialect}
    outputs = output.Outputs(files, ("--reproducers", reproducers), read)
    if list_ or explain is not None:
        _explain(explain)
        if list_ or not targets:
            return 0
        print()
        only = [explain] if explain is not None else only
    if not targets:
        raise WrongCall("no TARGET; name one as MODULE:NAME or PATH.py:NAME, or use --list or --explain CHECK")
    asked = {"algorithm": algorithm, "kind": kind, "base": base, "path": path, "device": device, "model": model}
    of_trials = {"compiled": compiled, "dtypes": tuple(dtype or ()), "shapes": _shapes(shapes or ())}
    specs = _specs(targets, set_ or (), rename or (), **asked, **of_trials)
    pinned, magnitudes = _pinned(dialect or ()), _trained(trained or ())

    from tangency.proofs_checks.options import PROFILES, Options
    from tangency.proofs_checks.report.progress import live_progress
    from tangency.proofs_checks.report.subject_report import exit_code
    from tangency.proofs_checks.report.terminal import print_reports
    from tangency.proofs_checks.run import conformance

    entries = reports.known_failures(known_failures, {one.id for one in conformance.checks()})
    there = accept_dialect is not None and accept_dialect.is_file()
    already = reports.known_failures(accept_dialect if there else None, None, "--accept-dialect")
    before = reports.earlier(baseline)
    conformance.select(only)
    seed = reports.announced(seed)
    with live_progress(console(sys.stderr), lambda cell: cell.check) as watch:
        found = conformance.check(
            specs,
            only=only,
            profile=profile.value,
            jobs=jobs,
            seed=seed,
            limit=time_limit,
            known=[*entries, *already],
            pinned=pinned,
            trained=magnitudes,
            watch=watch,
        )
    if accept_dialect is not None:
        found = _accept(outputs, accept_dialect, found)
    options = Options(PROFILES[profile.value], seed, pinned=pinned, trained=magnitudes)
    reports.write(outputs, found, "tangency check", options)
    scripts = reports.write_scripts(outputs, found)
    page = console(outputs.page)
    print_reports(page, found, scripts)
    return outputs.done(reports.compared(page, before, found, exit_code(found)))


def _specs(targets: Sequence[str], set_: Sequence[str], rename: Sequence[str], **asked: Any) -> "list[TargetSpec]":
    from tangency.proofs_checks.algorithms import ALGORITHMS
    from tangency.proofs_checks.target.signature import RENAMED
    from tangency.proofs_checks.target.spec import TargetSpec

    if asked["algorithm"] not in ("", *ALGORITHMS):
        raise WrongCall(f"--algorithm is {asked['algorithm']!r}; it must be one of {', '.join(ALGORITHMS)}")
    fixed = {name: inputs.literal(f"--set {name}", text) for name, text in inputs.pairs("--set", set_).items()}
    renamed = inputs.pairs("--rename", rename)
    for name in renamed:
        if name not in RENAMED:
            raise WrongCall(f"--rename: {no_such('hyper-parameter', name, RENAMED)}; there are {', '.join(RENAMED)}")
    return [TargetSpec(target, set=fixed, rename=renamed, **asked) for target in targets]


def _shapes(given: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """``64x3x3x3,128`` as shapes.

    Raises:
        WrongCall: a side is no number, or less than 1.
    """
    found = []
    for text in (one.strip() for several in given for one in several.split(",")):
        sides = [side.strip() for side in text.replace("×", "x").split("x")]
        if not all(side.isdecimal() and int(side) > 0 for side in sides):
            raise WrongCall(f"--shapes is {text!r}; it must be sides from 1 on with x between them, as in 64x3x3x3")
        found.append(tuple(map(int, sides)))
    return tuple(found)


def _pinned(given: Sequence[str]) -> dict[str, str]:
    """The choices that a target must speak; unknown names and values are refused, since no target could have them."""
    from tangency.proofs_checks.algorithms import ALGORITHMS, values_of

    found = inputs.pairs("--dialect", given)
    for name, value in found.items():
        options = values_of(name)
        if not options:
            raise WrongCall(
                no_such("choice", name, sorted({name for one in ALGORITHMS.values() for name in one.choices}))
            )
        if value not in options:
            raise WrongCall(f"--dialect {name} is {value!r}; it must be one of {', '.join(options)}")
    return found


def _trained(given: Sequence[str]) -> "Trained":
    """The magnitudes at which one trains.

    Raises:
        WrongCall: a range is of neither weights nor gradients, or is none.
    """
    from tangency.proofs_checks.options import Trained

    found = {}
    for name, text in inputs.pairs("--trained", given).items():
        low, _, high = text.partition(":")
        try:
            found[name] = (float(low), float(high))
        except ValueError:
            found[name] = (1.0, 0.0)
        if name not in ("w", "g") or not 0 < found[name][0] <= found[name][1] < math.inf:
            raise WrongCall(f"--trained is {name}={text}; it must be w=LOW:HIGH or g=LOW:HIGH, with 0 < LOW ≤ HIGH")
    return Trained(**found)


def _accept(outputs: output.Outputs, path: Path, found: "list[SubjectReport]") -> "list[SubjectReport]":
    """Add the choices that were found to a file of known failures; the reports, with them accepted."""
    from tangency.proofs_checks.run import known

    entries = [entry for report in found for entry in known.accepted(report)]
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    outputs.write("--accept-dialect", "\n".join(filter(None, (before, known.to_toml(entries)))))
    return [replace(report, known=(*report.known, *known.expectations(report, entries))) for report in found]


def _explain(id: str | None) -> None:
    """Explain one check, or list all."""
    from tangency.proofs_checks.run import conformance

    if id is not None:
        (one,) = conformance.select([id])
        print(f"{one.id} · {one.severity.value}\n\n{one.title}\n\nWhy: {one.why}\n\nWhere it stands: {one.source}")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("what holds")
    for one in conformance.checks():
        table.add_row(one.id, one.severity.value, Text(one.title))
    console(sys.stdout).print(table)
