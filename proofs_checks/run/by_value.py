"""What worker processes are sent: modules by name; what ``__main__`` defines, and what has no name, by value.

So claims of a notebook, or of a script, need no function that workers can import.
"""

import functools
import io
import sys
import threading
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import cloudpickle

_Cached = type(functools.cache(lambda: None))
# Strategies of Hypothesis hold some; a copy of one starts anew.
_ANEW = {type(make()): make for make in (threading.Lock, threading.RLock, threading.local)}


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle's, which also sends functions that a decorator made."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) in _ANEW:
            return _ANEW[type(value)], ()
        # ``__qualname__`` may be that of a function in the decorator, which nobody finds.
        if isinstance(value, FunctionType | _Cached) and not _is_named(value, value.__qualname__):
            if _is_named(value, value.__name__):
                return getattr, (sys.modules[value.__module__], value.__name__)
            if isinstance(value, _Cached):
                return _cached, (value.__wrapped__, value.cache_parameters())
        return super().reducer_override(value)


def _is_named(value: Any, name: str) -> bool:
    """Whether a worker process that imports the module of the value finds it by that name."""
    return value.__module__ != "__main__" and getattr(sys.modules.get(value.__module__), name, None) is value


def _cached(function: Callable[..., Any], parameters: Mapping[str, Any]) -> Callable[..., Any]:
    copy: Callable[..., Any] = functools.lru_cache(**parameters)(function)
    return copy


def pickled(value: Any) -> bytes:
    """The value, to be read by :func:`pickle.loads` in another process.

    Raises:
        ValueError: it holds what cannot be sent.
    """
    written = io.BytesIO()
    try:
        _Pickler(written).dump(value)
    except Exception as error:
        raise ValueError(
            f"worker processes cannot be sent what they run ({type(error).__name__}: {error}); "
            "a function of a module that they can import is sent by its name alone"
        ) from error
    return written.getvalue()
