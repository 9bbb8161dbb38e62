"""``tangency bench``: the command. Nothing heavy is imported before the call is understood."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tangency.cli.figure import check_path
from tangency.cli.output import Outputs
from tangency.cli.streams import console
from tangency.common.inputs import seconds as duration
from tangency.common.text import raised

if TYPE_CHECKING:
    from rich.console import Console

    from tangency.benchmarks.gate import Gate
    from tangency.benchmarks.results import Results

Optimizer = Enum("Optimizer", {name: name for name in ("SGDP", "AdamP")})  # type: ignore[misc]
Mode = Enum("Mode", {name: name for name in ("trained", "channel", "layer", "none")})  # type: ignore[misc]
Dtype = Enum("Dtype", {name: name for name in ("float32", "bfloat16", "float16", "float64")})  # type: ignore[misc]
WORSE = 1


def bench(
    model: Annotated[
        list[str] | None,
        typer.Option(help="Time steps on its weights; may be repeated. By default resnet-50 and --training."),
    ] = None,
    optimizer: Annotated[list[Optimizer] | None, typer.Option(help="Only SGDP or only AdamP.")] = None,
    mode: Annotated[
        list[Mode] | None,
        typer.Option(help="What Eq. 11 decides: as trained, or one view for all; may be repeated."),
    ] = None,
    dtype: Annotated[
        list[Dtype] | None, typer.Option(help="Of weights, gradients and moments; float32, or several.")
    ] = None,
    peers: Annotated[bool, typer.Option("--peers", help="Also adamp, timm and pytorch_optimizer.")] = False,
    compiled: Annotated[bool, typer.Option("--compiled", help="Also ours under torch.compile: takes minutes.")] = False,
    counts: Annotated[
        bool, typer.Option("--counts/--no-counts", help="Count what a step of a model does, the same on every machine.")
    ] = True,
    training: Annotated[
        bool, typer.Option("--training", help="Time training: the share of the optimizer, and what it adds.")
    ] = False,
    shapes: Annotated[bool, typer.Option("--shapes", help="Time single shapes, each hard in its own way.")] = False,
    scaling: Annotated[bool, typer.Option("--scaling", help="Time by rows, row length, tensors, parameters.")] = False,
    first_step: Annotated[
        bool, typer.Option("--first-step", help="Time first steps, with what is compiled in them.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="resnet-50 and the four above.")] = False,
    seconds: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", callback=duration, help="For the rounds of a table, about.")
    ] = 5.0,
    cold: Annotated[bool, typer.Option("--cold", help="Empty the caches before each step, as training does.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, max=4096, help="Of torch; its own choice if not given.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    gate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only what this TOML file holds: ceilings of ratios, counts.")
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the results as JSON; - is stdout.")] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a chart: .svg, .png or .pdf.")] = None,
) -> int:
    """Time SGDP and AdamP beside torch's optimizers and other implementations.

    Exits with 1 if the gate does not hold or one of ours computes something else.
    """
    if figure is not None:
        check_path(figure)
    outputs = Outputs({"--json": json, "--figure": figure}, inputs={"--gate": gate})

    import torch

    from tangency.benchmarks.contenders import WrongStep
    from tangency.benchmarks.gate import hold
    from tangency.benchmarks.run import Plan, run

    device = _known_device(device)
    sections = {"shapes": shapes, "scaling": scaling, "training": training, "first_step": first_step}
    plan = Plan(
        optimizers=tuple(one.value for one in optimizer or Optimizer),
        modes=tuple(one.value for one in mode or Mode),
        counts=counts,
        peers=peers,
        compiled=compiled,
        budget=seconds,
        cold=cold,
        device=device,
        dtypes=tuple(one.value for one in dtype or [Dtype.float32]),  # type: ignore[attr-defined]
        **_chosen(model or (), {section: wanted or all_ for section, wanted in sections.items()}, all_),
    )
    ceilings = None if gate is None else _load_gate(gate)
    if threads is not None:
        torch.set_num_threads(threads)
    worse: list[str] = []
    try:
        with _progress(console(sys.stderr)) as watch:
            if ceilings is None:
                results = run(plan, watch, partial(_keep, outputs))
            else:
                results, worse = hold(ceilings, budget=seconds, device=device, watch=watch)
    except WrongStep as wrong:
        print(f"tangency: nothing was timed: {wrong}", file=sys.stderr)
        return WORSE
    # Files first: whoever reads the rest through a pipe may close it early.
    _write(outputs, results, figure)
    _print(console(outputs.page), results, worse, gate, ceilings)
    return outputs.done(WORSE if worse else 0)


def _chosen(models: Sequence[str], sections: dict[str, bool], all_: bool) -> dict[str, Any]:
    """Models and sections of the plan; resnet-50 with ``--all``, and with its training where nothing is chosen."""
    from tangency.benchmarks.shapes import UnknownModel, find

    try:
        names = tuple(dict.fromkeys(map(find, models)))
    except UnknownModel as error:
        raise typer.BadParameter(str(error), param_hint="--model") from None
    if not names and (all_ or not any(sections.values())):
        names, sections = ("resnet-50",), {**sections, "training": True}
    return {"models": names, **sections}


def _load_gate(path: Path) -> "Gate":
    from tangency.benchmarks.gate import WrongGate, load

    try:
        return load(path)
    except WrongGate as error:
        raise typer.BadParameter(str(error), param_hint="--gate") from None


def _keep(outputs: Outputs, results: "Results") -> None:
    """Write what there is so far: a run that is cut short leaves it."""
    from tangency.benchmarks.results import to_json

    if outputs.rewritable("--json"):
        outputs.write("--json", to_json(results))


def _write(outputs: Outputs, results: "Results", figure: Path | None) -> None:
    """Write the files that were asked for."""
    from tangency.benchmarks.results import to_json

    if outputs.wants("--json"):
        outputs.write("--json", to_json(results))
    if figure is not None and results.all_timings():
        from tangency.benchmarks.figure import draw

        outputs.write("--figure", draw(figure, results))
    elif figure is not None:
        print(f"--figure: nothing was timed that {figure} could show", file=sys.stderr)


def _print(page: "Console", results: "Results", worse: list[str], path: Path | None, gate: "Gate | None") -> None:
    """Print the tables, and whether the gate holds."""
    from tangency.benchmarks.report import print_results

    print_results(page, results)
    for line in worse:
        page.print(f"✗ {line}", style="bold red", soft_wrap=True)
    if gate is not None and not worse:
        page.print(f"✓ {path}: {len(gate.ratios)} ratios and {len(gate.counts)} counts hold", style="green")


def _known_device(name: str) -> str:
    """The device as torch calls it; ``cpu:0`` is ``cpu``, and there is no other.

    Raises:
        BadParameter: there is no such device.
    """
    import torch

    try:
        device = torch.device(name)
        if device.type == "cuda":
            torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise typer.BadParameter(f"{name}: {raised(error).partition(': ')[2]}", param_hint="--device") from None
    if device.type not in ("cpu", "cuda"):
        raise typer.BadParameter(f"{name} is neither a CPU nor a CUDA device", param_hint="--device")
    if device.type == "cpu" and device.index not in (None, 0):
        raise typer.BadParameter(f"{name}: there is one CPU, cpu", param_hint="--device")
    return "cpu" if device.type == "cpu" else name


@contextmanager
def _progress(page: "Console") -> Iterator[Callable[[str, int, int], None]]:
    """A bar of the table that is being measured, where the console is a terminal."""
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=page, transient=True, disable=not page.is_terminal) as progress:
        bar = progress.add_task("loading", total=None)

        def watch(label: str, done: int, total: int) -> None:
            progress.update(bar, description=escape(label), completed=done, total=total)

        yield watch
