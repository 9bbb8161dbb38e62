"""Where and on what a target is checked, as its spec asks: a device, a code path, dtypes, shapes."""

import math
from typing import Any

import torch

from tangency.common.text import raised
from tangency.proofs_checks.errors.rounding import FORMATS
from tangency.proofs_checks.target.signature import Names
from tangency.proofs_checks.target.spec import TargetError, TargetSpec, find

PATHS = ("loop", "foreach", "fused", "capturable")


def require_possible(spec: TargetSpec, kind: str) -> None:
    """Refuse what cannot be.

    Raises:
        TargetError: a name is unknown, torch has no such device, or the kind of target has none of it.
    """
    for dtype in spec.dtypes:
        if dtype not in FORMATS:
            raise TargetError(f"--dtype is {dtype!r}; it must be one of {', '.join(FORMATS)}")
    if spec.path not in ("", *PATHS):
        raise TargetError(f"--path is {spec.path!r}; it must be one of {', '.join(PATHS)}")
    for name, given in (("--device", spec.device not in ("", "cpu")), ("--compiled", spec.compiled)):
        if given and kind != "torch" and not (name == "--device" and kind == "projection"):
            raise TargetError(f"{name} is about targets of kind torch; {spec.target} is of kind {kind}")
    if spec.device:
        try:
            torch.zeros(1, device=spec.device).sum().item()
        except Exception as error:
            raise TargetError(f"--device is {spec.device!r}; torch cannot use it: {raised(error)}") from None


def on_path(spec: TargetSpec, names: Names) -> dict[str, Any]:
    """The arguments, by the target's own names, that leave one code path.

    Raises:
        TargetError: the target has no such path.
    """
    if not spec.path:
        return {}
    offered = {name: names[name] for name in PATHS if isinstance(names.get(name), str)}
    if spec.path != "loop" and spec.path not in offered:
        raise TargetError(f"--path is {spec.path!r}; {spec.target} takes {', '.join(offered) or 'no such argument'}")
    return {str(own): name == spec.path for name, own in offered.items()}


def shapes_of(spec: TargetSpec) -> tuple[tuple[int, ...], ...]:
    """The shapes that were asked for, and those of the parameters of a model; each once.

    Raises:
        TargetError: a shape has no elements, or there is no such model.
    """
    for shape in spec.shapes:
        if math.prod(shape) < 1:
            raise TargetError(f"--shapes has {'x'.join(map(str, shape))}; every side must be at least 1")
    return tuple(dict.fromkeys((*spec.shapes, *_of_model(spec.model)))) if spec.model else spec.shapes


def _of_model(name: str) -> list[tuple[int, ...]]:
    try:
        made = find(name)()
    except TargetError as error:
        raise TargetError(f"--model: {error}") from None
    except Exception as error:
        raise TargetError(f"--model {name}() raised {raised(error)}") from error
    if not isinstance(made, torch.nn.Module):
        raise TargetError(f"--model {name}() is {type(made).__name__}; it must be a torch.nn.Module")
    return [tuple(p.shape) for p in made.parameters()]
