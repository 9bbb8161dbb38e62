"""The state of a process that foreign code may change, saved before and restored after where that is cheap.

For the rest (a patched library, a thread, a mode that was entered), a foreign optimizer gets a process of its own.
"""

import gc
import locale
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class CannotRestore(Exception):
    """Something is not as it was and cannot be put back; the message says what."""


@dataclass(frozen=True)
class Part:
    """One setting: read before, and written back if it has changed.

    Attributes:
        needs: the module that holds it; skipped unless that is imported.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    needs: str = "sys"


def _torch() -> Any:
    return sys.modules["torch"]


def _numpy() -> Any:
    return sys.modules["numpy"]


def _flushes() -> bool:
    """Whether the processor flushes subnormal numbers to 0; that affects Python's floats too."""
    smallest = sys.float_info.min
    return smallest / 2 == 0


def _set_device(before: Any) -> None:
    _torch().set_default_device(None if before.type == "cpu" else before)


def _set_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _signals() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_signals(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _set_path(before: list[str]) -> None:
    sys.path[:] = before


# How numbers are computed, and where relative paths start: no import may change it for what comes after.
SETTINGS = (
    Part("default dtype", lambda: _torch().get_default_dtype(), lambda x: _torch().set_default_dtype(x), "torch"),
    Part("default device", lambda: _torch().get_default_device(), _set_device, "torch"),
    Part("grad mode", lambda: _torch().is_grad_enabled(), lambda x: _torch().set_grad_enabled(x), "torch"),
    Part(
        "deterministic algorithms",
        lambda: (
            _torch().are_deterministic_algorithms_enabled(),
            _torch().is_deterministic_algorithms_warn_only_enabled(),
        ),
        lambda x: _torch().use_deterministic_algorithms(x[0], warn_only=x[1]),
        "torch",
    ),
    Part("anomaly mode", lambda: _torch().is_anomaly_enabled(), lambda x: _torch().set_anomaly_enabled(x), "torch"),
    Part("threads", lambda: _torch().get_num_threads(), lambda x: _torch().set_num_threads(x), "torch"),
    Part(
        "matmul precision",
        lambda: _torch().get_float32_matmul_precision(),
        lambda x: _torch().set_float32_matmul_precision(x),
        "torch",
    ),
    Part("subnormal numbers", _flushes, lambda x: _torch().set_flush_denormal(x), "torch"),
    Part("floating-point errors", lambda: _numpy().geterr(), lambda x: _numpy().seterr(**x), "numpy"),
    Part("random numbers", random.getstate, random.setstate),
    Part("working directory", os.getcwd, os.chdir),
)
# The environment of the code; an import may change it for the steps that follow.
SURROUNDINGS = (
    Part("environment", lambda: dict(os.environ), _set_environment),
    Part("signal handlers", _signals, _set_signals),
    Part("umask", _umask, os.umask),
    Part("sys.path", lambda: list(sys.path), _set_path),
    Part("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("locale", lambda: locale.setlocale(locale.LC_ALL), lambda x: locale.setlocale(locale.LC_ALL, x)),
    Part("garbage collection", gc.isenabled, lambda x: gc.enable() if x else gc.disable()),
)


@contextmanager
def restored(parts: Sequence[Part] = SETTINGS + SURROUNDINGS) -> Iterator[None]:
    """Leave the parts, the generators of random numbers and the filters of warnings as they were, whatever is done.

    Raises:
        CannotRestore: a part has changed and does not change back.
    """
    before = [(part, part.read()) for part in parts if part.needs in sys.modules]
    drawn = _generators()
    with warnings.catch_warnings():
        try:
            yield
        finally:
            for write, value in drawn:
                write(value)
            for part, value in before:
                _put_back(part, value)


def _generators() -> list[tuple[Callable[[Any], object], Any]]:
    """The random states of torch and numpy: arrays, restored without a comparison."""
    found: list[tuple[Callable[[Any], object], Any]] = []
    if "torch" in sys.modules:
        found.append((_torch().set_rng_state, _torch().get_rng_state()))
    if "numpy" in sys.modules:
        found.append((_numpy().random.set_state, _numpy().random.get_state()))
    return found


def _put_back(part: Part, value: Any) -> None:
    try:
        if part.read() != value:
            part.write(value)
            same = part.read() == value
        else:
            same = True
    except Exception as error:
        raise CannotRestore(f"{part.name}: {error}") from error
    if not same:
        raise CannotRestore(part.name)
