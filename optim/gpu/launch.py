"""The fused step on a GPU: its kernels, launched once for all parameters of one dtype.

The kernels find the parameters through a table of addresses in device memory. It is sent again only when an address has
changed, from page-locked memory; nothing is read back, and the host never waits.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import triton.language as tl
from torch import Tensor

from tangency.optim.gpu import decide, tables, tiles, update
from tangency.optim.rows import Rows
from tangency.optim.rule import Rule

TILE, SPAN = tiles.TILE.value, tiles.SPAN.value
_LANES = (16, 64, 256, TILE)  # row lengths of tiles, of which a row takes the least that holds it
_VECTOR_BYTES = 16
# Registers of a thread, by bytes of the dtype: a multiprocessor holds 3 blocks of 128 threads, 2 of 256, or 1 of 512.
REGISTERS = {2: 168, 4: 128, 8: 128}
_KEPT_PLANS = 64

DTYPES = {torch.float16: tl.float16, torch.bfloat16: tl.bfloat16, torch.float32: tl.float32, torch.float64: tl.float64}


@lru_cache(maxsize=4096)
def _cut(rows: int, cols: int, head: int, views: int, vector: int) -> tuple[int, ...]:
    """How a parameter is cut into pieces: its line from COLS on; FIRST is not known yet."""
    size = rows * cols
    if size == 0:
        return 1, 0, _LANES[0], 1, 1, 1, 1, 1, 0, 0, views
    if views == 0:
        # It is never projected, so its rows may be chosen to fit.
        rows = head = -(-size // TILE)
        cols = TILE
    # A row may begin anywhere in the first vector of its window.
    window = cols if cols % vector == 0 else cols + vector - 1
    lanes = next((n for n in _LANES if window <= n), TILE)
    blocks = -(-window // lanes)
    segments = -(-blocks // SPAN)
    tiles = -(-head // (TILE // lanes))
    blocks, groups = min(blocks, SPAN), min(max(1, SPAN // blocks), tiles)
    parts = -(-tiles // groups) * segments
    return cols, size, lanes, blocks, groups, segments, head, parts, 0, rows // head * parts, views


def _line(row: Rows, vector: int) -> list[int]:
    """The line of one parameter in the table, without its first piece."""
    return [*row.addresses, *_cut(row.rows, row.cols, row.head, row.views, vector)]


@dataclass
class _Plan:
    """The memory of a launch: the lines, the table on host and device, and space for results of the kernels."""

    lines: list[list[int]]
    host: Tensor
    device: Tensor
    found: Tensor
    decided: Tensor
    captured: bool = False

    @property
    def table(self) -> Tensor:
        return self.device

    @property
    def owners(self) -> Tensor:
        return self.device[len(self.lines) * tables.FIELDS.value :]


# Plans by device, stream, number and first address of their parameters; the latest used comes last.
_plans: OrderedDict[tuple[Any, ...], _Plan] = OrderedDict()
# A captured graph reads its plan at every replay, and does not report its own end.
_captured: list[_Plan] = []


def _capturing(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def _plan(lines: list[list[int]], device: torch.device) -> _Plan:
    """The plan for these lines: the previous one, if no address has changed."""
    # By stream: what one stream still reads, another must not write or free.
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    key = (device, stream, len(lines), lines[0][0])
    old = _plans.pop(key, None)
    plan = old if old is not None and old.lines == lines else _new_plan(lines, device, old)
    _plans[key] = plan
    if len(_plans) > _KEPT_PLANS:
        _plans.popitem(last=False)
    if _capturing(device) and not plan.captured:
        plan.captured = True
        _captured.append(plan)
    return plan


def _new_plan(lines: list[list[int]], device: torch.device, old: _Plan | None) -> _Plan:
    """A plan, in the memory of an old one of the same sizes unless a graph reads that."""
    table = np.array(lines)
    pieces = table[:, tables.PIECES.value]
    table[:, tables.FIRST.value] = np.cumsum(pieces) - pieces
    numbers = torch.from_numpy(np.concatenate([table.ravel(), np.repeat(np.arange(len(lines)), pieces)]))
    fits = old is not None and not old.captured and old.host.numel() == numbers.numel()
    # During capture no earlier copy is pending, so the host table can be reused; and no memory should be page-locked.
    if old is not None and fits and _capturing(device):
        host = old.host
    else:
        # "cpu" is given, since the default device may be another.
        host = torch.empty(numbers.shape, dtype=torch.int64, device="cpu", pin_memory=device.type == "cuda")
    host.copy_(numbers)
    if old is not None and fits:
        old.device.copy_(host, non_blocking=True)
        return _Plan(lines, host, old.device, old.found, old.decided)
    found = torch.empty(int(pieces.sum()) * tables.FOUND.value, dtype=torch.float64, device=device)
    decided = torch.empty(len(lines) * tables.DECIDED.value, dtype=torch.float64, device=device)
    return _Plan(lines, host, host.to(device, non_blocking=True), found, decided)


def vector(dtype: torch.dtype) -> int:
    """Elements that move together."""
    return _VECTOR_BYTES // dtype.itemsize


def options(dtype: torch.dtype, *, hip: bool) -> dict[str, Any]:
    """How kernels are compiled: one vector a thread; a product and a sum round twice, and subnormal numbers stay."""
    threads = TILE // vector(dtype)
    common: dict[str, Any] = {"num_stages": 1, "enable_fp_fusion": False}
    if hip:
        return {**common, "num_warps": threads // 64, "allow_flush_denorm": False}
    return {**common, "num_warps": threads // 32, "enable_reflect_ftz": False, "maxnreg": REGISTERS[dtype.itemsize]}


def _log(beta: float) -> float:
    return math.log(beta) if beta > 0 else -math.inf


def _aligned(row: Rows) -> bool:
    return all(x.data_ptr() % _VECTOR_BYTES == 0 for x in (row.w, row.g, *row.state))


def step(
    rule: Rule,
    weights: Sequence[Rows],
    lr: float | Tensor,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
) -> None:
    """Perform one step in place; see `rows.Kernels`. Step counters are on the device."""
    device = weights[0].w.device
    with torch.cuda.device(device if device.type == "cuda" else -1):
        for aligned in (True, False):
            part = [row for row in weights if _aligned(row) is aligned]
            if part:
                _launch(rule, part, lr, grad_scale, found_inf, aligned=aligned)


def _launch(
    rule: Rule,
    weights: Sequence[Rows],
    lr: float | Tensor,
    grad_scale: Tensor | None,
    found_inf: Tensor | None,
    *,
    aligned: bool,
) -> None:
    """The launches for parameters that begin at 16-byte boundaries, or for those that do not."""
    device, dtype = weights[0].w.device, weights[0].w.dtype
    width = vector(dtype) if aligned else 1
    plan = _plan([_line(row, width) for row in weights], device)
    projects = any(row.views for row in weights)
    on_device = isinstance(lr, Tensor) and lr.device == device
    hip = torch.version.hip is not None
    how = options(dtype, hip=hip)
    kind = {"DTYPE": DTYPES[dtype], "VECTOR": width}
    pieces = (plan.found.numel() // tables.FOUND.value,)
    places = plan.table, plan.owners, plan.found
    # Launches on one stream run in order: a kernel starts when those before it have read and written everything.
    if projects:
        decide.statistics[pieces](*places, rule.delta, grad_scale, **kind, **how)
    # A parameter is decided from the sums of all its pieces.
    decide.decide[(len(weights),)](
        plan.table,
        plan.found,
        plan.decided,
        0.0 if on_device else float(lr),
        lr if on_device else None,
        _log(rule.beta1),
        _log(rule.beta2),
        rule.weight_decay,
        rule.wd_ratio,
        rule.delta,
        found_inf,
        ADAPTIVE=rule.adaptive,
        SCALED=dtype is torch.float64,
        **options(torch.float32, hip=hip),
    )
    numbers = rule.beta1, rule.fresh, rule.ahead, rule.beta2, 1 - rule.beta2, rule.eps
    flags = rule.adaptive, bool(weights[0].state), rule.nesterov, rule.maximize  # as `update` names them
    # A piece is updated by the decision for its parameter, after all have read w; it is finished with the sums of
    # all pieces of its row, of which none has been written yet.
    for finish in (False, True) if projects else (False,):
        update.update[pieces](*places, plan.decided, *numbers, grad_scale, FINISH=finish, RULE=flags, **kind, **how)
