"""Steps in forked processes, which have lost the threads of their parent.

GNU's OpenMP keeps its threads for the next parallel region. A forked child does not have them, and would wait for them
forever: in torch's own operations, and in any other parallel region.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

# Held while kernels are imported or compiled. A fork waits for it: otherwise a thread that the child does not have
# could hold locks of the import system and of numba.
MAKING = threading.RLock()


def _began_as_fork() -> bool:
    """Whether this process was forked and has run no program of its own since; known on Linux only."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return bool(int(fields[6]) & 0x40)  # PF_FORKNOEXEC
    except (OSError, ValueError, IndexError):
        return False


_forked = _began_as_fork()


def forked() -> bool:
    """Whether there may be an OpenMP runtime that lost its threads in a fork: before or after this was imported."""
    return _forked


def _in_child() -> None:
    global _forked
    _forked = True
    MAKING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=MAKING.acquire, after_in_parent=MAKING.release, after_in_child=_in_child)


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which torch's operations use one thread, and so none of OpenMP's."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
