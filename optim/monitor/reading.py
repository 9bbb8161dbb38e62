"""One sampled step of the watched weights as numbers a row: copied before it, multiplied after it, brought in once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tangency.optim.monitor.gram import Fill, MadeOf, block_of, exact, gram, rows_of, selection
from tangency.optim.monitor.known import Known
from tangency.optim.rule import bias_correction, counted, real

# What of a reading may be a number on the device.
_NUMBERS = ("lr", "step", "skipped")
# Inner products of: w, the weights before the step; d, their change; g, the gradient as the rule takes it; x, the
# update; a and b, its parts made of this gradient and of this step's coupled decay; m, the buffer after the step.
WANTED = ("ww", "wd", "dd", "gg", "wg", "xx", "wx", "dx", "wa", "wb", "wm", "mm")


@dataclass
class Watched:
    """A watched parameter.

    Attributes:
        name: in the output.
        p: the parameter.
        units: how many equal slices of dimension 0 are reported on their own; 1 for the whole tensor.
        before: room for the weights before a step.
    """

    name: str
    p: Tensor
    units: int = 1
    before: Tensor | None = None


class Sums(NamedTuple):
    """The inner products of one parameter, summed over the rows of each of its slices.

    Attributes:
        slices: by their names: those of `WANTED`; ``wo``, ⟨w, buffer before the step⟩; ``cwx`` and ``cwd``, Σ c ⟨w, x⟩
            and Σ c ⟨w, d⟩ with c = ⟨w, x⟩ / ⟨w, w⟩ a row; where heads are tried, those of `_of_heads`.
        steepest: the largest |cos(w, g)| of a row.
        rows, length: of the channel view.
        head: how many of these rows are a head; 0 where heads are not tried.
        steepest_head: the largest |cos(w, g)| of a head.
    """

    slices: tuple[dict[str, float], ...]
    steepest: float
    rows: int
    length: int
    head: int
    steepest_head: float

    @property
    def total(self) -> dict[str, float]:
        """The sums over the whole tensor."""
        return {name: math.fsum(one[name] for one in self.slices) for name in self.slices[0]}


@dataclass
class Reading:
    """What one parameter showed at a step, on its device until it is brought in.

    Attributes:
        watched: which.
        known: its step; None if the optimizer is unknown.
        first: whether it had no momentum buffer before.
        old: ⟨w, buffer before the step⟩ a row, or None.
        names, made_of: the vectors of the Gram matrix, and what else is made of them.
        gram: (rows, V, V).
        length: of a row.
        lr, step: step size and number of the step; on the device where they are there.
        coarse: unit roundoff of a step size that is a tensor.
        skipped: not 0 if torch.amp.GradScaler had the step left out.
    """

    watched: Watched
    known: Known | None
    first: bool
    old: Tensor | None
    lr: float | Tensor
    names: str = "wdg"
    made_of: dict[str, MadeOf] = field(default_factory=dict)
    gram: Tensor = field(default_factory=lambda: torch.zeros(0))
    length: int = 0
    coarse: float = 0.0
    step: float | Tensor = 0.0
    skipped: float | Tensor = 0.0


def local(x: Tensor) -> Tensor:
    """A tensor with its numbers here, dense: a DTensor is gathered, on all of its ranks."""
    x = x.detach()
    if x.layout is not torch.strided:
        x = x.to_dense()
    return real(x.full_tensor() if hasattr(x, "full_tensor") else x)


def begin(watched: Watched, known: Known | None, state: Mapping[str, Any], lr: float | Tensor) -> Reading:
    """Before the step: copy the weights, and take the product with the momentum buffer."""
    w = local(watched.p)
    if watched.before is None or watched.before.shape != w.shape or watched.before.device != w.device:
        watched.before = torch.empty_like(w)
    watched.before.copy_(w)
    buffer = None if known is None or not known.keeps else known.momentum(state)
    old = None
    if buffer is not None:
        m = local(buffer)

        def fill(out: Tensor, start: int, stop: int) -> None:
            out[0].copy_(block_of(w, start, stop))
            out[1].copy_(block_of(m, start, stop))

        old = gram(w, 2, fill)[:, 0, 1]
    coarse = 0.0
    if isinstance(lr, Tensor):
        lr, coarse = lr.detach().clone(), torch.finfo(lr.dtype).eps / 2  # a schedule may change it in place
    return Reading(watched, known, buffer is None, old, lr, coarse=coarse)


def end(reading: Reading, g: Tensor, state: Mapping[str, Any], scale: Tensor | None) -> None:
    """After the step: the Gram matrix of its vectors.

    Args:
        reading: what `begin` made.
        g: the gradient.
        state: of the parameter, after the step.
        scale: by which the step has divided the gradient as it read it, or None.
    """
    before = reading.watched.before
    assert before is not None
    second = state.get("exp_avg_sq")
    if isinstance(second, Tensor) and second.dtype is torch.float16:
        reading.known = None  # squares underflow there: the state does not hold what the update was made of
    known = reading.known
    after, gradient = local(reading.watched.p), local(g)
    sign = -1.0 if known is not None and known.rule.maximize else 1.0

    def basic(out: Tensor, start: int, stop: int) -> None:
        out[0].copy_(block_of(before, start, stop))
        out[1].copy_(block_of(after, start, stop))
        out[1] -= out[0]
        out[2].copy_(block_of(gradient, start, stop))
        if scale is not None:
            out[2] /= scale
        if sign < 0:
            out[2].neg_()

    fill: Fill = basic
    if known is None:
        reading.made_of = dict.fromkeys("xabm", ())
    elif known.rule.adaptive:
        fill = _adaptive(reading, known, state, basic)
    else:
        fill = _momentum(reading, known, state, basic)
    reading.gram = gram(before, len(reading.names), fill)
    reading.length = before.numel() // rows_of(before)


def _momentum(reading: Reading, known: Known, state: Mapping[str, Any], basic: Fill) -> Fill:
    """x = m, or g + λw + βm with Nesterov momentum: all of them multiples of w, g and m."""
    rule, coupled = known.rule, known.coupled
    buffer = known.momentum(state) if known.keeps else None
    fresh = rule.fresh if not reading.first or known.first is None or not known.keeps else known.first
    part = (rule.ahead + rule.beta1 * fresh) if rule.nesterov else fresh
    reading.made_of = {"a": (("g", part),), "b": (("w", part * coupled),)}
    if buffer is None:
        reading.made_of["m"] = (("g", fresh), ("w", fresh * coupled))
        reading.made_of["x"] = (("g", part), ("w", part * coupled))
        return basic
    reading.names = "wdgm"
    ahead = (("g", rule.ahead), ("w", coupled), ("m", rule.beta1))
    reading.made_of["x"] = ahead if rule.nesterov else (("m", 1.0),)
    m = local(buffer)

    def fill(out: Tensor, start: int, stop: int) -> None:
        basic(out, start, stop)
        out[3].copy_(block_of(m, start, stop))

    return fill


def _adaptive(reading: Reading, known: Known, state: Mapping[str, Any], basic: Fill) -> Fill:
    """x = m / denominator; n, e and f are m, g and w over the denominator."""
    rule, coupled = known.rule, known.coupled
    second = "max_exp_avg_sq" if known.amsgrad else "exp_avg_sq"
    m, v = local(state["exp_avg"]), local(state[second])
    step = state["step"]
    reading.step = step.detach().clone() if isinstance(step, Tensor) else float(step)
    count = counted(step if isinstance(step, Tensor) else torch.tensor(float(step)))
    root = bias_correction(rule.beta2, count).sqrt().to(v.device)
    part = (rule.ahead + rule.beta1 * rule.fresh) if rule.nesterov else rule.fresh
    reading.names = "wdgmnef" if coupled else "wdgmne"
    decay: MadeOf = (("f", part * coupled),) if coupled else ()
    reading.made_of = {
        "a": (("e", part),),
        "b": decay,
        "x": (("n", rule.beta1), ("e", rule.ahead)) if rule.nesterov else (("n", 1.0),),
    }

    def fill(out: Tensor, start: int, stop: int) -> None:
        basic(out, start, stop)
        out[3].copy_(block_of(m, start, stop))
        # The denominator stands where its last user's quotient goes.
        last = out[-1]
        last.copy_(block_of(v, start, stop))
        last.sqrt_().div_(root).add_(rule.eps)
        for place, numerator in ((4, 3), (5, 2), (6, 0))[: len(reading.names) - 4]:
            torch.div(out[numerator], last, out=out[place])

    return fill


def brought_in(readings: Sequence[Reading]) -> list[Sums]:
    """The inner products of every reading on the host, one transfer a device; its lr and step become numbers."""
    with np.errstate(all="ignore"):
        return _brought_in(readings)


def _brought_in(readings: Sequence[Reading]) -> list[Sums]:
    parts: dict[torch.device, list[tuple[int, str, Tensor]]] = {}
    for i, reading in enumerate(readings):
        things = {name: getattr(reading, name) for name in ("gram", "old", *_NUMBERS)}
        for name, x in things.items():
            if isinstance(x, Tensor):
                parts.setdefault(x.device, []).append((i, name, x))
    here: list[dict[str, Any]] = [{} for _ in readings]
    for device, found in parts.items():
        dtype = exact(device)
        whole = torch.cat([x.reshape(-1).to(dtype) for _, _, x in found]).cpu().double().numpy()
        start = 0
        for i, name, x in found:
            here[i][name] = whole[start : start + x.numel()]
            start += x.numel()
    rows = []
    for reading, values in zip(readings, here, strict=True):
        count = len(reading.names)
        chosen = selection(reading.names, WANTED, tuple(reading.made_of.items()))
        flat = values["gram"].reshape(-1, count * count) @ chosen
        old = values["old"] if "old" in values else np.zeros(len(flat))
        rows.append(np.column_stack((flat, old)))
        for name in _NUMBERS:
            if name in values:
                setattr(reading, name, float(values[name][0]))
    return _summed(readings, rows)


def _summed(readings: Sequence[Reading], rows: Sequence[Any]) -> list[Sums]:
    """Sums over the rows of each slice, all readings at once."""
    whole = np.concatenate(rows)
    column = {name: whole[:, i] for i, name in enumerate((*WANTED, "wo"))}
    # Π takes c w away, c = wx / ww a row (Eq. 10); a row with w = 0 stays as it is.
    c = np.divide(column["wx"], column["ww"], out=np.zeros(len(whole)), where=column["ww"] > 0)
    scale = np.sqrt(column["ww"] * column["gg"])
    cosine = np.divide(np.abs(column["wg"]), scale, out=np.zeros(len(whole)), where=scale > 0)
    whole = np.column_stack((whole, c * column["wx"], c * column["wd"]))
    counts = [len(part) for part in rows]
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    steepest = np.maximum.reduceat(cosine, starts).tolist()
    of_slices = [
        start + part * (count // reading.watched.units)
        for reading, start, count in zip(readings, starts, counts, strict=True)
        for part in range(reading.watched.units)
    ]
    slices = iter(np.add.reduceat(whole, of_slices).tolist())
    names = (*WANTED, "wo", "cwx", "cwd")
    found = []
    for i, reading in enumerate(readings):
        units = reading.watched.units
        head = 0 if reading.known is None or reading.watched.p.dim() < 2 else reading.known.head
        more, steepest_head = _of_heads(rows[i], head, units) if head else ([{}] * units, 0.0)
        sums = tuple(dict(zip(names, next(slices), strict=True)) | more[unit] for unit in range(units))
        found.append(Sums(sums, steepest[i], counts[i], reading.length, head, steepest_head))
    return found


def _of_heads(rows: Any, head: int, units: int) -> tuple[list[dict[str, float]], float]:
    """What Π takes away in the head view (Eq. 10), summed over each slice; and the largest |cos(w, g)| of a head.

    With c = ⟨w, y⟩ / ⟨w, w⟩ of a head, ``hwx``, ``hwa`` and ``hwb`` are Σ c ⟨w, w⟩ for y = x, a and b, and for y = x
    ``hcx``, ``hcd`` and ``hcc`` are Σ c ⟨w, x⟩, Σ c ⟨w, d⟩ and Σ c² ⟨w, w⟩.
    """
    column = {name: rows[:, i].reshape(-1, head) for i, name in enumerate(WANTED)}
    whole = {name: values.sum(1, keepdims=True) for name, values in column.items()}
    ww = column["ww"]

    def along(product: str) -> Any:
        return np.divide(whole[product], whole["ww"], out=np.zeros_like(whole["ww"]), where=whole["ww"] > 0)

    c = along("wx")
    parts = {
        **{f"h{product}": along(product) * ww for product in ("wx", "wa", "wb")},
        "hcx": c * column["wx"],
        "hcd": c * column["wd"],
        "hcc": c * c * ww,
    }
    scale = np.sqrt(whole["ww"] * whole["gg"])
    cosine = np.divide(np.abs(whole["wg"]), scale, out=np.zeros_like(scale), where=scale > 0)
    sums = {name: part.reshape(units, -1).sum(1).tolist() for name, part in parts.items()}
    return [{name: values[unit] for name, values in sums.items()} for unit in range(units)], float(cosine.max())
