"""A scan for people, for machines, and for an optimizer: a table, JSON, parameter groups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tangency.common.numbers import json_text, percent
from tangency.common.text import as_source, line
from tangency.probe.record import Scan, Weight
from tangency.probe.view import View

SCHEMA = 1
NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")
MEASURED = re.compile(r"\d[\d.]*(?:e[+-]?\d+)?")
STYLES = {"channel": "green", "head": "green", "layer": "green", "none": "", "unused": "yellow", "undecided": "yellow"}


def print_scan(console: Console, scan: Scan) -> None:
    """Print the share, a row for all weights of one kind that have the same answers, and the reasons."""
    invariant = sum(one.size for one in scan.weights if one.view.invariant)
    headline = (
        f"{percent(scan.share, '.2%')} of {scan.total:,} trainable parameters are scale-invariant ({invariant:,})"
    )
    console.print(Text(headline, style="bold"))
    console.print()
    console.print(_table(scan))
    console.print()
    console.print(_shares(scan))
    for heading, said in (("", notes(scan.weights, "explained")), ("?", notes(scan.weights, "unexplained"))):
        if said:
            console.print()
        for note, names in said.items():
            console.print(
                Text(f"{heading} {line(note)}: {line(_some(names))}".strip(), style="yellow" if heading else "dim")
            )
    console.print()
    for text in _remarks(scan):
        console.print(Text(text, style="dim"))


@dataclass(frozen=True)
class _Kind:
    """What weights in one row of the table have in common."""

    name: str
    owner: str
    rescaled: str
    tested: str
    traced: str


def _table(scan: Scan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("weight")
    table.add_column("module")
    for name in ("rescaled", "gradient", "graph"):
        table.add_column(name, no_wrap=True)
    table.add_column("tensors", justify="right")
    table.add_column("parameters", justify="right")
    for kind, weights in kinds(scan).items():
        style = STYLES[weights[0].view.kind]
        ways = (Text(kind.rescaled, style=style), kind.tested, kind.traced)
        count, size = len(weights), sum(one.size for one in weights)
        table.add_row(Text(line(kind.name)), Text(line(kind.owner)), *ways, str(count), f"{size:,}")
    return table


def kinds(scan: Scan) -> dict[_Kind, list[Weight]]:
    """Weights by their names without numbers, with equal answers."""
    found: dict[_Kind, list[Weight]] = {}
    for one in scan.weights:
        # Heads differ in number from layer to layer of some models; the kind of the view does not.
        key = _Kind(
            pattern(one.name), one.owner, str(one.view), _said(one.tested.view, "?"), _said(one.traced.view, "–")
        )
        found.setdefault(key, []).append(one)
    return found


def pattern(name: str) -> str:
    """The name with ``*`` for every number that stands between dots: what layers of one kind have in common."""
    return NUMBER.sub("*", name)


def _shares(scan: Scan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("view")
    for name in ("tensors", "parameters", "share"):
        table.add_column(name, justify="right")
    for kind, group in scan.by_kind().items():
        if group.tensors:
            share = percent(group.elements / scan.total, ".2%")
            table.add_row(Text(kind, style=STYLES[kind]), str(group.tensors), f"{group.elements:,}", share)
    return table


def notes(weights: Iterable[Weight], attribute: str) -> dict[str, list[str]]:
    """What is said of weights (``explained``, ``unexplained``), once where it differs in numbers alone: the first text,
    and the names of the weights without numbers."""
    found: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for one in weights:
        for text in getattr(one, attribute):
            names = found.setdefault(first.setdefault(MEASURED.sub("#", text), text), [])
            if pattern(one.name) not in names:
                names.append(pattern(one.name))
    return found


def _remarks(scan: Scan) -> list[str]:
    found = []
    if scan.eps:
        values = ", ".join(f"{value:g}" for value in sorted(set(scan.eps.values())))
        found.append(f"ε → 0 in {len(scan.eps)} modules, where it is {values}; the gradient has it as it is")
    replaced = [one.name for one in scan.weights if one.replaced]
    if replaced:
        names = _some(list(dict.fromkeys(map(pattern, replaced))))
        found.append(f"scanned at random values, for they are 0 or of one value: {names}")
    tied = [f"{one.name} = {', '.join(one.tied)}" for one in scan.weights if one.tied]
    if tied:
        found.append(f"tied: {_some(tied)}")
    if scan.frozen:
        found.append(f"frozen, and not counted: {scan.frozen} tensors")
    found.append(f"gradient: error rates α = {scan.alpha:g}, β = {scan.beta:g}; ?: undecided; graph: –: no answer")
    return [line(one) for one in found]


def _said(view: View | None, nothing: str) -> str:
    return nothing if view is None else str(view)


def _some(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def to_json(scan: Scan) -> str:
    """The scan as a JSON document: shares, views, kinds of module, and every weight with its answers."""
    views = {kind: asdict(group) for kind, group in scan.by_kind().items()}
    modules = [
        {"module": owner, "parameter": name, "view": kind, **asdict(group)}
        for (owner, name, kind), group in scan.by_module().items()
    ]
    document = {
        "schema": SCHEMA,
        "share": scan.share,
        "total": scan.total,
        "frozen": scan.frozen,
        "views": views,
        "modules": modules,
        "options": {"alpha": scan.alpha, "beta": scan.beta, "seed": scan.seed},
        "eps": dict(scan.eps),
        "weights": [_weight(one) for one in scan.weights],
    }
    return json_text(document)


def _weight(one: Weight) -> dict[str, Any]:
    found = asdict(one)
    found["view"] = _view(one.view)
    found["rescaled"]["view"] = _view(one.rescaled.view)
    found["tested"]["view"] = None if one.tested.view is None else _view(one.tested.view)
    found["traced"]["view"] = None if one.traced.view is None else _view(one.traced.view)
    return found


def _view(view: View) -> Mapping[str, Any]:
    return asdict(view)


def groups(scan: Scan) -> dict[str, list[str]]:
    """Names of weights by what an optimizer should do with them.

    Returns:
        ``project``: scale-invariant in some view, of two dimensions or more; ``decay``: other weights of two dimensions
        or more; ``plain``: biases, and scales of normalisations.
    """
    found: dict[str, list[str]] = {"project": [], "decay": [], "plain": []}
    for one in scan.weights:
        found["plain" if len(one.shape) < 2 else "project" if one.view.invariant else "decay"].append(one.name)
    return found


def by_views(scan: Scan) -> dict[tuple[str | int, ...], list[str]]:
    """Names of the weights to project, by the ``views`` of SGDP and AdamP that are theirs: a head by its slices."""
    found: dict[tuple[str | int, ...], list[str]] = {}
    for name in groups(scan)["project"]:
        one = scan[name]
        own = one.shape[0] // one.view.parts if one.view.kind == "head" else one.view.kind
        found.setdefault((own,), []).append(name)
    return found


def groups_source(scan: Scan) -> str:
    """The groups as Python: a function that makes the parameter groups of SGDP or AdamP for a model.

    With δ = 0 nothing is projected (Eq. 11); where a weight is scale-invariant, its own view alone is tried.
    """
    found = groups(scan)
    comments = {
        "project": "Scale-invariant: the radial component of their updates is removed, in the view that was found.",
        "decay": "No scale invariance was found: decayed, and not projected.",
        "plain": "Biases, and scales of normalisations: neither projected nor decayed.",
    }
    lines = ['"""Parameter groups by scale invariance, as `tangency scan` found them."""', ""]
    lines += [f"# {comments['project']}", "PROJECT = {"]
    for views, names in by_views(scan).items():
        lines += [f"    {_tuple(views)}: [", *(f"        {as_source(name)}," for name in names), "    ],"]
    lines += ["}", ""]
    for kind in ("decay", "plain"):
        lines += [f"# {comments[kind]}", f"{kind.upper()} = [", *(f"    {as_source(one)}," for one in found[kind])]
        lines += ["]", ""]
    lines += [
        "",
        "def parameter_groups(model, weight_decay=0.01):",
        '    """The parameters of a model in groups, for tangency.optim.AdamP or SGDP."""',
        "    named = dict(model.named_parameters())",
        "    return [",
        "        *(",
        '            {"params": [named[name] for name in names], "weight_decay": weight_decay, "views": views}',
        "            for views, names in PROJECT.items()",
        "        ),",
        '        {"params": [named[name] for name in DECAY], "weight_decay": weight_decay, "delta": 0.0},',
        '        {"params": [named[name] for name in PLAIN], "weight_decay": 0.0, "delta": 0.0},',
        "    ]",
        "",
    ]
    return "\n".join(lines)


def _tuple(views: tuple[str | int, ...]) -> str:
    return f"({', '.join(as_source(one) if isinstance(one, str) else str(one) for one in views)},)"
