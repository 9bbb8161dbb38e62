"""Tensors between protected pages: a kernel that reads or writes past one ends the process."""

from __future__ import annotations

import ctypes
import mmap
import sys

import pytest
import torch
from torch import Tensor

PAGE = mmap.PAGESIZE
CANARY = 0xA5
_PROT_NONE = 0

needs_guards = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="pages are guarded with Linux's mprotect"
)


class Guarded:
    """Tensors in guarded memory, and the bytes of their pages beside them."""

    def __init__(self) -> None:
        self._slack: list[tuple[mmap.mmap, int, int]] = []
        self._libc = ctypes.CDLL(None, use_errno=True)

    def __call__(self, x: Tensor, *, at_end: bool) -> Tensor:
        """A copy of x, of the same strides, that ends where a guarded page begins, or begins where one ends."""
        if not x.numel():
            return x.clone()
        assert x.untyped_storage().nbytes(), "x has no memory to be copied"
        elements = 1 + sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
        size = elements * x.itemsize
        inner = -(-size // PAGE) * PAGE
        pages = mmap.mmap(-1, inner + 2 * PAGE)
        start = PAGE + (inner - size if at_end else 0)
        pages[PAGE : PAGE + inner] = bytes([CANARY]) * inner
        address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        for page in (address, address + PAGE + inner):
            assert self._libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), _PROT_NONE) == 0
        flat = torch.frombuffer(pages, dtype=x.dtype, count=elements, offset=start)
        made = flat.as_strided(x.shape, x.stride())
        made.copy_(x)
        self._slack += [(pages, PAGE, start), (pages, start + size, PAGE + inner)]
        return made

    def intact(self) -> bool:
        """Whether the bytes beside every tensor, up to the end of its pages, are unchanged."""
        return all(pages[start:end].count(CANARY) == end - start for pages, start, end in self._slack)
