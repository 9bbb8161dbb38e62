"""What a caller asks to be checked: the name of a target and its options; and the class or function of that name."""

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tangency.common.text import raised
from tangency.proofs_checks.target.source_file import run_file


class TargetError(Exception):
    """The target cannot be used; the message says what was asked for, what is there, and what would be right."""


@dataclass(frozen=True)
class TargetSpec:
    """What the caller asked for; it travels to worker processes, which load the target themselves.

    Attributes:
        target: ``module:name``, ``path.py:name``; ``name`` may have dots.
        algorithm: a key of :data:`~tangency.proofs_checks.algorithms.ALGORITHMS`, or empty: by the name of the target.
        kind: ``torch``, ``function``, ``optax``, ``protocol`` or ``projection``; empty: by its signature.
        set: fixed arguments, by the target's own names.
        rename: the spec's name of a hyper-parameter → the target's.
        base: of a target that projects the updates of another optimizer, that optimizer, named as a target is.
        path: ``loop``, ``foreach``, ``fused`` or ``capturable``: the only code path that is taken.
        compiled: claims run ``torch.compile(optimizer.step)``.
        device: where parameters lie.
        dtypes, shapes: of the parameters of trials; empty: all kinds.
        model: a function or class, named as a target is, that makes a module: the shapes of its parameters.
    """

    target: str
    algorithm: str = ""
    kind: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    path: str = ""
    compiled: bool = False
    device: str = ""
    dtypes: tuple[str, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    model: str = ""


def find(target: str) -> Callable[..., Any]:
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"TARGET is {target!r}; it must be MODULE:NAME or PATH.py:NAME")
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = [n for n in dir(found) if n.lower() == part.lower()]
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TargetError(f"{place} has no {name}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise TargetError(f"{target} is {type(found).__name__}; it must be a class or a function")
    callable_found: Callable[..., Any] = found
    return callable_found


def _import_module(name: str) -> ModuleType:
    sys.path.insert(0, "") if "" not in sys.path else None
    try:
        return importlib.import_module(name)
    except BaseException as error:
        raise TargetError(f"{name} cannot be imported: {raised(error)}") from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"{path} is no file")
    try:
        return _run_once(path.resolve(), path.stat().st_mtime_ns)
    except BaseException as error:
        raise TargetError(f"{path} cannot be imported: {raised(error)}") from error


@cache
def _run_once(path: Path, changed: int) -> ModuleType:
    """The module of a file. Several targets of one file share it, for what it defines is pickled by its place there."""
    return run_file(path, "tangency_target")
