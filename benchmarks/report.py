"""Tables of the results, for people; every figure is a median, with the 20th and 80th percentile beside it."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tangency.benchmarks.contenders import LeftOut
from tangency.benchmarks.first_step import Start
from tangency.benchmarks.machine import Machine
from tangency.benchmarks.results import Results, Sweep
from tangency.benchmarks.steps import Counted, Timing
from tangency.benchmarks.timing import Spread
from tangency.benchmarks.training import Training
from tangency.common.numbers import percent, quotient


def print_results(page: Console, results: Results) -> None:
    """All tables of a run, and who was left out of them."""
    page.print(Text(machine_line(results.machine)))
    for timing in results.timings:
        print_timing(timing, page)
    for _, group in groupby(results.counts, lambda one: (one.what, one.optimizer, one.mode)):
        counted = list(group)
        first = counted[0]
        title = f"{first.what} · {first.optimizer} · {first.mode}: what one step does, counted"
        _section(page, title, counts_table(counted), COUNTS_NOTE)
    for training in results.trainings:
        title = f"training {training.what} · {training.optimizer}: {_millions(training.parameters)} parameters"
        note = f"{training.steps} steps of {training.batch} pictures each, interleaved; {TRAINING_NOTE}"
        _section(page, title, training_table(training), note)
    for sweep in results.sweeps:
        title = f"{sweep.title} · {sweep.optimizer} · {sweep.mode}{' · cold' * sweep.timings[0].cold}"
        _section(page, title, sweep_table(sweep), sweep_notes(sweep))
    for _, starting in groupby(results.starts, lambda one: (one.what, one.optimizer)):
        these = list(starting)
        _section(page, f"{these[0].what} · {these[0].optimizer}: the first step", starts_table(these), STARTS_NOTE)
    _print_left_out(page, left_out(results))


def print_timing(timing: Timing, page: Console | None = None) -> None:
    """One table of times; on standard output if no page is given."""
    _section(page or Console(width=100), heading(timing), timing_table(timing), timing_notes(timing))


COUNTS_NOTE = (
    "operations and traffic as torch dispatches them (it does not see into our fused kernels: – ); waits: numbers read "
    "back to Python; temporaries: most that lives at one time, in torch, Python and numpy, and that by the rows of "
    "weights that project"
)
TRAINING_NOTE = (
    "optimizer: its share of a training step; overhead: of a training step over the baseline's, with the same forward "
    "and backward pass; loss: mean of the last five"
)
STARTS_NOTE = (
    "cold: no compiled kernel on disk; warm: they are; each in a new interpreter, imports of compilers included"
)


def machine_line(machine: Machine) -> str:
    """The machine on one line."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    cache = f", {machine.cache / 2**20:.0f} MiB of cache" if machine.cache else ""
    where = f"{machine.processor}: {machine.threads} threads on {machine.cores} cores{cache}; {machine.system}"
    return f"{where}\n{versions}"


def heading(timing: Timing) -> str:
    """What a table of times is about."""
    sampled = f" ({timing.sampled})" if timing.sampled else ""
    size = f"{_millions(timing.parameters)} parameters in {timing.tensors} tensors"
    cold = ", caches emptied before each step" if timing.cold else ""
    dtype = "" if timing.dtype == "float32" else f" · {timing.dtype}"
    return f"{timing.what}{sampled} · {timing.optimizer} · {timing.mode}{dtype}: {size}{cold}"


def timing_table(timing: Timing) -> Table:
    """Contenders with their milliseconds, ratios and bandwidths."""
    table = _table("contender", "ms", "p20 – p80", "ratio", "p20 – p80", "GB/s", "of memory")
    for row in timing.rows:
        speed = quotient(timing.floor, row.seconds.p50)
        table.add_row(
            row.name,
            f"{1e3 * row.seconds.p50:.3f}",
            _between(row.seconds, "{:.3f}", 1e3),
            f"{row.ratio.p50:.2f}",
            _between(row.ratio, "{:.2f}"),
            f"{1e-9 * speed:.1f}",
            percent(row.share.p50),
        )
    return table


def timing_notes(timing: Timing) -> str:
    """Rounds, the traffic behind the last two columns, and who else was there."""
    disturbed = f"; OTHERS USED {percent(timing.others or 0.0)} OF THE MACHINE MEANWHILE" if timing.disturbed else ""
    return (
        f"{timing.rounds} rounds; memory, updated in place: {1e-9 * timing.bandwidth.p50:.1f} GB/s; a step moves "
        f"{1e-6 * timing.floor:.1f} MB at least (the last columns), fused {1e-6 * timing.fused:.1f} MB by the model"
        f"{disturbed}"
    )


def counts_table(counted: Sequence[Counted]) -> Table:
    """Contenders with what their step does and keeps."""
    table = _table(
        "contender", "operations", "B/param", "allocations", "waits", "temporary", "B/row", "state B/param", gap=1
    )
    for one in counted:
        counts, temporary = one.counts, one.counts.peak + one.host_peak
        hidden = one.name.startswith("tangency fused")
        table.add_row(
            one.name,
            "–" if hidden else f"{counts.operations:,}",
            "–" if hidden else f"{quotient(counts.traffic, one.parameters):.1f}",
            f"{counts.allocations:,}",
            f"{counts.synchronisations:,}",
            f"{1e-3 * temporary:,.0f} kB",
            f"{temporary / max(1, one.rows):,.0f}",
            f"{quotient(one.state, one.parameters):.2f}",
        )
    return table


def training_table(training: Training) -> Table:
    """Contenders with their training steps."""
    table = _table("contender", "ms", "optimizer", "p20 – p80", "overhead", "p20 – p80", "loss")
    for row in training.rows:
        table.add_row(
            row.name,
            f"{1e3 * row.seconds.p50:.2f}",
            percent(row.share.p50, ".1%"),
            f"{percent(row.share.p20, '.1%')} – {percent(row.share.p80, '.1%')}",
            percent(row.overhead.p50 - 1, "+.1%"),
            f"{percent(row.overhead.p20 - 1, '+.1%')} – {percent(row.overhead.p80 - 1, '+.1%')}",
            f"{row.loss:.3f}",
        )
    return table


def sweep_table(sweep: Sweep) -> Table:
    """Points with the ratios of those that project; below them the middle and the worst of each."""
    projecting = [i for i, row in enumerate(sweep.timings[0].rows) if i > 0 and not row.name.startswith("torch")]
    headings = (_stacked(sweep.timings[0].rows[i].name) for i in projecting)
    table = _table("", "ns", *headings, gap=1)
    for timing in sweep.timings:
        cost = quotient(1e9 * timing.rows[0].seconds.p50, timing.parameters)
        ratios = (timing.rows[i].ratio.p50 for i in projecting)
        table.add_row(timing.what + " *" * timing.disturbed, *map(_three_digits, (cost, *ratios)))
    table.add_section()
    columns = [[timing.rows[i].ratio.p50 for timing in sweep.timings] for i in projecting]
    table.add_row("median", "", *(_three_digits(Spread.of(column).p50) for column in columns))
    table.add_row("worst", "", *(_three_digits(max(column)) for column in columns))
    return table


def sweep_notes(sweep: Sweep) -> str:
    """What the columns are, and which lines are worth little."""
    disturbed = [timing.others for timing in sweep.timings if timing.disturbed and timing.others is not None]
    note = f"ns: of {sweep.timings[0].rows[0].name} for one parameter; then ratios to it"
    return f"{note}; * others used up to {percent(max(disturbed))} of the machine meanwhile" if disturbed else note


def starts_table(starts: Sequence[Start]) -> Table:
    """Contenders with their first steps."""
    table = _table("contender", "cold, ms", "warm, ms", "second step, ms")
    for start in starts:
        table.add_row(start.name, *(f"{1e3 * x:,.1f}" for x in (start.cold, start.warm, start.second)))
    return table


def left_out(results: Results) -> list[tuple[str, LeftOut]]:
    """Optimizer and contender of all that were not timed, once each."""
    found = {(timing.optimizer, out) for timing in results.all_timings() for out in timing.left_out}
    found |= {(training.optimizer, out) for training in results.trainings for out in training.left_out}
    return sorted(found, key=lambda pair: (pair[0], pair[1].name))


def _print_left_out(page: Console, pairs: Iterable[tuple[str, LeftOut]]) -> None:
    table = Table.grid(padding=(0, 1))
    for optimizer, out in pairs:
        table.add_row(Text(f"{optimizer}, {out.name}"), Text(f"left out: {out.reason}"))
    if table.row_count:
        page.print()
        page.print(table)


def _section(page: Console, title: str, table: Table, note: str) -> None:
    page.print()
    page.print(Text(title, style="bold"))
    page.print(table)
    page.print(Text(note, style="dim"))


def _table(first: str, *others: str, gap: int = 2) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    table.add_column(first, no_wrap=True)
    for heading_ in others:
        table.add_column(heading_, justify="right", no_wrap=True)
    return table


def _between(spread: Spread, pattern: str, factor: float = 1.0) -> str:
    return f"{pattern.format(factor * spread.p20)} – {pattern.format(factor * spread.p80)}"


def _stacked(name: str) -> str:
    """A heading of one word a line."""
    return name.replace("tangency", "ours").replace("_", "_\n").replace(" ", "\n", 1).replace(", ", "\n")


def _three_digits(x: float) -> str:
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def _millions(n: int) -> str:
    return f"{n / 1e6:.1f} M" if n >= 1e6 else f"{n:,}"
