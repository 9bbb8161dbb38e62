"""Options of the optimizers: the admissible values of each, and errors that state them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor
from torch.optim.optimizer import required

from tangency.optim.state import plain

Check = Callable[[str, Any], Any]


def _described(value: Any) -> str:
    return f"got {value!r} ({type(value).__name__})"


def _number(low: float, high: float, wanted: str, *, open_high: bool = False) -> Check:
    """A check for one real number in an interval; it returns an int or a float."""

    def check(name: str, value: Any) -> int | float:
        # bool is an int to Python, and True as a learning rate is a slip.
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{name} must be {wanted}, {_described(value)}")
        try:
            as_float = float(value)
        except OverflowError:
            as_float = math.inf
        inside = low <= as_float < high if open_high else low <= as_float <= high
        if not (math.isfinite(as_float) and inside):
            raise ValueError(f"{name} must be {wanted}, got {value!r}")
        # numpy scalars and fractions become plain floats, so that state dicts stay plain.
        return int(value) if isinstance(value, int) else as_float

    return check


def _learning_rate(name: str, value: Any) -> Any:
    """A number, or a real floating tensor of one element (kept as it is: it may be scheduled in place)."""
    wanted = "a finite number >= 0, or a real floating-point tensor of one element"
    number = _number(0.0, math.inf, wanted)
    if not isinstance(value, Tensor):
        return number(name, value)
    if not value.is_floating_point():
        raise TypeError(f"{name} must be {wanted}, got a tensor of {value.dtype}")
    if value.numel() != 1:
        raise ValueError(f"{name} must be {wanted}, got a tensor of shape {tuple(value.shape)}")
    # Its value is checked only where the host need not wait for it: this runs at every step.
    if value.device.type == "cpu" and plain(value):
        number(name, value.detach().item())
    return value


def _betas(name: str, value: Any) -> tuple[int | float, int | float]:
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} must be a pair of numbers in [0, 1), {_described(value)}")
    if len(value) != 2:
        raise ValueError(f"{name} must be a pair of numbers in [0, 1), got {len(value)} values: {value!r}")
    number = _number(0.0, 1.0, "a number in [0, 1)", open_high=True)
    return number(f"{name}[0]", value[0]), number(f"{name}[1]", value[1])


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, {_described(value)}")
    return value


def _path(name: str, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} must be None, True or False, {_described(value)}")
    return value


def _views(name: str, value: Any) -> tuple[str | int, ...]:
    wanted = 'any of "channel", the number of slices in a head (at least 2) and "layer", in this order'
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{name} must be a sequence: {wanted}, {_described(value)}")
    ranks = [-1, *map(_rank, value)]
    if not value or any(a >= b for a, b in pairwise(ranks)):
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return tuple(view if isinstance(view, str) else int(view) for view in value)


def _rank(view: Any) -> int:
    """Where a view comes among others; -1 for what is none."""
    if isinstance(view, numbers.Integral) and not isinstance(view, bool):
        return 1 if int(view) >= 2 else -1
    return {"channel": 0, "layer": 2}.get(view, -1) if isinstance(view, str) else -1


_NOT_NEGATIVE = _number(0.0, math.inf, "a finite number >= 0")

CHECKS: dict[str, Check] = {
    "lr": _learning_rate,
    "betas": _betas,
    "momentum": _number(0.0, 1.0, "a number in [0, 1]"),
    "dampening": _number(-math.inf, math.inf, "a finite number"),
    "weight_decay": _NOT_NEGATIVE,
    "eps": _NOT_NEGATIVE,
    "delta": _NOT_NEGATIVE,
    "wd_ratio": _number(0.0, 1.0, "a number in [0, 1]"),
    "views": _views,
    "nesterov": _flag,
    "maximize": _flag,
    "capturable": _flag,
    "differentiable": _flag,
    "foreach": _path,
    "fused": _path,
}


def is_required(value: Any) -> bool:
    """Whether an option has no value yet (compared by type: a pickled default is not the same object any more)."""
    return isinstance(value, type(required))


def check_decay(options: dict[str, Any]) -> None:
    """Refuse momentum = 1 with weight decay, which is divided by 1 − momentum.

    Raises:
        ValueError: on that combination.
    """
    if options.get("momentum") == 1 and options.get("weight_decay"):
        raise ValueError(
            f"weight_decay must be 0 where momentum is 1 (it is divided by 1 - momentum), "
            f"got weight_decay={options['weight_decay']!r}"
        )


def check_paths(options: dict[str, Any]) -> None:
    """Refuse code paths that exclude each other, as torch.optim does.

    Raises:
        RuntimeError: on foreach with fused, or one of them with differentiable.
    """
    chosen = [name for name in ("foreach", "fused", "differentiable") if options.get(name)]
    if len(chosen) > 1:
        raise RuntimeError(f"{' and '.join(chosen)} cannot be True together: each is a code path of its own")


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """The known options among `options`, each of them checked.

    Args:
        options: names and values; names that no optimizer here knows are left out.

    Returns:
        Name to value, with numbers as int or float and betas as a tuple.

    Raises:
        TypeError: a value of the wrong type.
        ValueError: a value out of its range.
        RuntimeError: code paths that exclude each other.
    """
    known = {
        name: value if is_required(value) else CHECKS[name](name, value)
        for name, value in options.items()
        if name in CHECKS
    }
    check_decay(known)
    check_paths(known)
    return known
