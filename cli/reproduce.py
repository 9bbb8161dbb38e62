"""``tangency reproduce``: the paper's experiments on live runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tangency.cli.start import EXPERIMENTS
from tangency.cli.streams import console
from tangency.common.calls import WrongCall
from tangency.common.text import line
from tangency.proofs_checks.report.subject_report import ERROR, NOTHING, OK, USAGE

if TYPE_CHECKING:
    from tangency.benchmarks.experiments.preset import Size as Sizes
    from tangency.benchmarks.experiments.runner import Watch
    from tangency.benchmarks.experiments.store import Store
    from tangency.benchmarks.experiments.study import Study

_TOLD = 5
Size = Enum("Size", {name: name for name in ("smoke", "small", "paper")})  # type: ignore[misc]


def reproduce(
    named: Annotated[list[str] | None, typer.Argument(metavar="[STUDY]...", help="Studies; all if none.")] = None,
    preset: Annotated[Size, typer.Option(help="How large the runs are.")] = Size.smoke,  # type: ignore[attr-defined]
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Your data, for --preset paper.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Where runs go, a JSON line each; those that are there are not repeated."),
    ] = Path("tangency-runs"),
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was found as Markdown, with figures beside it.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the studies, and end.")] = False,
) -> int:
    """Reproduce the paper's figures and tables, or refute them. The exit code does not depend on what is found."""
    for package in EXPERIMENTS:  # workers would miss them one by one
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    from tangency.benchmarks.experiments.preset import Preset
    from tangency.benchmarks.experiments.preset import Size as Sizes
    from tangency.benchmarks.experiments.studies import studies

    chosen = studies(named or ())
    if list_:
        _list(chosen)
        return OK
    if preset.value == "paper" and data is None:
        raise WrongCall("--preset paper trains on data of your own; --data names its folder")
    if data is not None and not data.is_dir():
        raise WrongCall(f"--data: {line(str(data))} is no folder")

    from tangency.benchmarks.experiments import runner
    from tangency.benchmarks.experiments.store import Store
    from tangency.benchmarks.experiments.study import findings
    from tangency.benchmarks.experiments.table import table
    from tangency.proofs_checks.run.pool import usable_cores

    wanted = Preset(Sizes(preset.value), data)
    store = Store(out / f"{preset.value}.jsonl")
    ready = []
    for study in chosen:
        if reason := study.needs(wanted):
            print(f"tangency: {study.id} is left out: {reason}", file=sys.stderr)
        else:
            ready.append(study)
    plans = {study.id: study.plan(wanted) for study in ready}
    with _progress(sum(config not in store for plan in plans.values() for config in plan)) as watch:
        problems = runner.run(
            (config for plan in plans.values() for config in plan), store, jobs or usable_cores(), watch
        )
    found = [(study, findings(study, list(store.runs(plans[study.id])))) for study in ready]
    console(sys.stdout).print(table(found))
    for problem in problems[:_TOLD]:
        print(f"tangency: {line(problem)}", file=sys.stderr)
    if len(problems) > _TOLD:
        print(f"tangency: and {len(problems) - _TOLD} more runs went wrong", file=sys.stderr)
    wrote = OK if page is None else _write(page, store, Sizes(preset.value))
    return ERROR if problems else wrote or (OK if found else NOTHING)


def _list(chosen: "list[Study]") -> None:
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("study", "title", "where"):
        made.add_column(heading)
    for study in chosen:
        made.add_row(study.id, study.title, study.where)
    console(sys.stdout).print(made)


def _write(page: Path, store: "Store", size: "Sizes") -> int:
    from tangency.benchmarks.experiments import page as pages

    folder = page.parent / page.stem
    try:
        figures = pages.draw(store, size)
        for name, drawn in figures.items():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.svg").write_bytes(drawn)
        page.write_text(
            pages.page(store, size, {name: f"{page.stem}/{name}.svg" for name in figures}), encoding="utf-8"
        )
    except OSError as error:
        print(f"tangency: --page: {error}", file=sys.stderr)
        return USAGE
    print(f"wrote {line(str(page))}", file=sys.stderr)
    return OK


@contextmanager
def _progress(total: int) -> "Iterator[Watch]":
    """A bar with an estimate of what is left, from the runs that are done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    shown = console(sys.stderr)
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=shown,
        transient=True, disable=not shown.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=total)

        def watch(config: dict[str, object], took: float | str, left: float) -> None:
            minutes = f"about {left / 60:.0f} min left" if left >= 60 else f"about {left:.0f} s left"
            bar.update(task, advance=1, description=minutes if left == left else "")

        yield watch
