"""Inner products of the rows of a few vectors, in float64: all that a sampled step reads from large memory.

The ledger, Eqs. 10 and 11 and the angle of a step are functions of the Gram matrix of w, w' − w, the gradient and the
update. It is taken block by block, so that what is converted to float64 stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Elements of one vector in a block: half a megabyte of float64 on a CPU; a GPU wants few and large launches.
_BLOCK = {"cpu": 1 << 16}
_LARGE = 1 << 22

# Fills `out`, (vectors, rows of the block, …), from the rows `start:stop` of the tensors that it knows.
Fill = Callable[[Tensor, int, int], None]
# A vector as a sum of multiples of others: (("g", 1.0), ("w", 0.1)); of none, it is 0.
MadeOf = tuple[tuple[str, float], ...]


def exact(device: torch.device) -> torch.dtype:
    """The dtype of the inner products: float64 wherever the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def rows_of(x: Tensor) -> int:
    """The number of rows of the channel view: the length of dimension 0, or 1 below two dimensions."""
    return x.size(0) if x.dim() >= 2 else 1


def gram(like: Tensor, vectors: int, fill: Fill) -> Tensor:
    """The Gram matrix of every row.

    Args:
        like: a real tensor of the shape and on the device of the vectors, with elements.
        vectors: how many vectors there are, V.
        fill: writes them.

    Returns:
        A tensor (rows, V, V) on the device.
    """
    rows = rows_of(like)
    shape = like.shape[1:] if like.dim() >= 2 else like.reshape(-1).shape
    length = max(1, like.numel() // rows)
    dtype = exact(like.device)
    block = min(rows, max(1, _BLOCK.get(like.device.type, _LARGE) // length))
    space = torch.empty((vectors, block, *shape), dtype=dtype, device=like.device)
    parts = []
    for start in range(0, rows, block):
        stop = min(rows, start + block)
        used = space[:, : stop - start]
        fill(used, start, stop)
        flat = used.reshape(vectors, stop - start, length).transpose(0, 1)
        # Matrix products of float64 are never computed in a shorter format.
        parts.append(torch.bmm(flat, flat.transpose(1, 2)))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def block_of(x: Tensor, start: int, stop: int) -> Tensor:
    """Rows start:stop of a tensor, of any layout; below two dimensions all of it, as one row."""
    return x[start:stop] if x.dim() >= 2 else x.reshape(1, -1)


@lru_cache(256)
def selection(names: str, wanted: tuple[str, ...], made_of: tuple[tuple[str, MadeOf], ...]) -> Any:
    """The matrix that takes a flattened Gram matrix to the wanted inner products.

    Args:
        names: the vectors, a letter each, in their order.
        wanted: pairs of letters: ``"wg"`` is ⟨w, g⟩.
        made_of: letters that stand for sums of multiples of the vectors.

    Returns:
        A float64 array (V², wanted).
    """
    count = len(names)
    matrix = np.zeros((count * count, len(wanted)))
    known = dict(made_of)
    for column, pair in enumerate(wanted):
        left, right = pair[0], pair[1]
        for a, times in known.get(left, ((left, 1.0),)):
            for b, more in known.get(right, ((right, 1.0),)):
                matrix[names.index(a) * count + names.index(b), column] += times * more
    return matrix
