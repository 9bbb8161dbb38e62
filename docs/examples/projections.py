"""A projection alone, as kernels are written and reviewed: Eq. 11 decides, Eq. 10 projects, nothing else is done.

    tangency check projections.py:project
    tangency check projections.py:counts_rows

Both get the weights, the gradient, the update and δ, and give the update and whether they projected it.
"""

import math

import torch
from torch import Tensor


def project(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    """Right: the channel view first, then the layer view; vectors are never projected."""
    for rows in (len(w), 1) if w.dim() > 1 and w.numel() else ():
        unit, seen, x = (t.reshape(rows, -1) for t in (w, g, update))
        unit, seen = (t / t.abs().amax(1, keepdim=True).clamp_min(torch.finfo(w.dtype).tiny) for t in (unit, seen))
        dot = (unit * seen).sum(1).abs()
        if bool(((dot * threshold(unit) < delta * unit.norm(dim=1) * seen.norm(dim=1)) | (dot == 0)).all()) and delta:
            square = (unit * unit).sum(1, keepdim=True)
            radial = (unit * x).sum(1, keepdim=True) / square.masked_fill(square == 0, 1)
            return (x - radial * unit).reshape(update.shape), True
    return update, False


def threshold(rows: Tensor) -> float:
    """√dim of Eq. 11."""
    return math.sqrt(rows.shape[1])


def counts_rows(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    """With a slip and a quirk: δ over the root of the number of rows, and ε in both norms."""
    for rows in (len(w), 1) if w.dim() > 1 and w.numel() else ():
        unit, seen, x = (t.reshape(rows, -1) for t in (w, g, update))
        cosines = torch.nn.functional.cosine_similarity(unit, seen, eps=1e-8)
        if bool(cosines.abs().max() < delta / math.sqrt(rows)):
            unit = unit / (unit.norm(dim=1, keepdim=True) + 1e-8)
            return (x - (unit * x).sum(1, keepdim=True) * unit).reshape(update.shape), True
    return update, False
