"""The ledger of a sampled step: how ‖w‖² grew, term by term, and what of the step the rule does not explain.

With s = 1 − ηλr (decoupled decay), the update x = a + b + memory (this gradient's part, this step's coupled decay, the
rest) and q = x, or Πx on a projected step (Eq. 10), a step is w' = s w − η q, and

    ‖w'‖² − ‖w‖² = own η²‖q‖² + fresh −2sη⟨w, a⟩ + memory −2sη⟨w, x − a − b⟩ + decay (s² − 1)‖w‖² − 2sη⟨w, b⟩

where a projected step has no fresh and no memory term: ⟨w, q⟩ = 0. What is left over is compared with what rounding can
do: each entry of w' is rounded a few times, so that r = w' − (s w − ηq) is no longer than

    B = u ‖w'‖ + 5u ‖w‖ + η (16u + k u) ‖x‖      and      | left over | ≤ 2‖w'‖B + B²,

u the unit roundoff of the parameter, k the longest chain of additions in the inner products of a projection (a row,
then the rows); a step size that is a tensor rounds what it multiplies in its own dtype. Where more is left
over, a step that is wrong in a known way may explain it, and is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from tangency.optim.monitor.gram import exact
from tangency.optim.monitor.known import PUBLISHED, Known
from tangency.optim.monitor.reading import Reading, Sums

VIEWS = ("channel", "head", "layer", "none")
_CHANNEL, _HEAD, _LAYER, _NONE = range(4)


@dataclass(frozen=True)
class Terms:
    """The ledger of one parameter, or of one of its slices.

    Attributes:
        norm: ‖w‖ before the step.
        effective_step: ‖Δŵ‖ (§2.2).
        angle: between w and w', in radians.
        cosine: cos(w, g).
        growth: ‖w'‖² − ‖w‖².
        own, fresh, memory, decay: its terms; where the optimizer is unknown, ``own`` is ‖w' − w‖² and ``fresh`` and
            ``memory`` are None.
        other: 2⟨w, w' − w⟩ of an unknown optimizer; else None.
        avoided: by how much more ‖w‖² would have grown without the projection; 0 where nothing was projected.
        left_over: growth less the terms.
        bound: on ``left_over``, from rounding alone.
    """

    norm: float
    effective_step: float
    angle: float
    cosine: float
    growth: float
    own: float
    fresh: float | None
    memory: float | None
    decay: float
    other: float | None
    avoided: float
    left_over: float
    bound: float


@dataclass(frozen=True)
class Page:
    """One parameter at one step.

    Attributes:
        terms: of the whole tensor, or of each slice.
        verdict: the view that passes Eq. 11, channel, head, layer or none.
        channel, head, layer: |cos(w, g)| √dim of the view, which Eq. 11 compares with δ, the largest of its rows; None
            where the optimizer has no heads.
        projected: the view in which the step was projected; none by optimizers that do not project.
        closes: whether the step is the rule's to rounding; None if the optimizer is unknown.
        departure: what the step is instead, if it is known; "" if it closes.
    """

    terms: tuple[Terms, ...]
    verdict: str
    channel: float
    head: float | None
    layer: float
    projected: str
    closes: bool | None
    departure: str


class _Sheet:
    """The numbers of one parameter that every formula below uses."""

    def __init__(self, reading: Reading, sums: Sums) -> None:
        self.reading, self.sums, self.known = reading, sums, reading.known
        self.total = total = sums.total
        rule = None if self.known is None else self.known.rule
        lr = float(reading.lr)
        self.decayed = self.reduced = 1.0
        self.eta = 0.0
        if rule is not None:
            correction = (
                -math.expm1(float(reading.step) * math.log(rule.beta1)) if rule.adaptive and rule.beta1 else 1.0
            )
            self.eta = lr / correction
            self.decayed = 1 - lr * rule.weight_decay
            self.reduced = 1 - lr * rule.weight_decay * rule.wd_ratio
        p = reading.watched.p
        self.u = torch.finfo(p.dtype).eps / 2
        self.tiny = torch.finfo(p.dtype).tiny * math.sqrt(p.numel())
        self.own = torch.finfo(exact(p.device)).eps / 2 * (sums.length + sums.rows)
        self.w, self.x, self.after = root(total["ww"]), root(total["xx"]), root(after_of(total))

    def bound(self, projects: bool) -> float:
        """B."""
        chain = self.sums.length + self.sums.rows if projects else 0
        rounded = self.u * (16 + chain) + 4 * self.reading.coarse
        made = self.u * (5 * self.w + self.after) + self.eta * rounded * self.x + self.tiny
        made += 4 * self.reading.coarse * (1 - self.decayed) * self.w
        # ‖r‖² comes out of the Gram matrix, with cancellation.
        seen = math.sqrt(self.own) * (root(self.total["dd"]) + self.eta * self.x + (1 - self.decayed) * self.w)
        return made + seen

    def remainder(self, view: int, s: float, *, sign: float = 1.0, after: bool = False) -> float:
        """‖w' − (s w − η q)‖ with q = x − sign · c w; ``after``: of s (w − η q)."""
        at, eta, lost = self.total, self.eta * (s if after else 1.0), 1 - s
        cwx, cwd = radial(at, view)
        # r = d + α w + η x with α = lost − sign · η c in every row.
        square = (
            at["dd"]
            + lost * lost * at["ww"]
            + eta * eta * (at["xx"] + (sign * sign - 2 * sign) * cwx)
            + 2 * lost * (at["wd"] + (1 - sign * (view != _NONE)) * eta * at["wx"])
            + 2 * eta * (at["dx"] - sign * cwd)
        )
        return root(square)

    def s_of(self, view: int) -> float:
        """The factor of decay of a step that projects in a view."""
        return self.decayed if view == _NONE else self.reduced


def root(x: float) -> float:
    """√x of what is not negative but for rounding."""
    return math.sqrt(max(0.0, x))


def after_of(at: dict[str, float]) -> float:
    """‖w'‖²"""
    return max(0.0, at["ww"] + 2 * at["wd"] + at["dd"])


def radial(total: dict[str, float], view: int) -> tuple[float, float]:
    """Σ c⟨w, x⟩ and Σ c⟨w, d⟩ over all rows, where Π takes c w away: ⟨w, x⟩ / ⟨w, w⟩ of the row, head or layer."""
    if view == _CHANNEL:
        return total["cwx"], total["cwd"]
    if view == _HEAD:
        return total["hcx"], total["hcd"]
    c = total["wx"] / total["ww"] if view == _LAYER and total["ww"] else 0.0
    return c * total["wx"], c * total["wd"]


def tangent(at: dict[str, float], total: dict[str, float], view: int, product: str) -> float:
    """⟨w, Πy⟩ over the rows of a slice, from ⟨w, y⟩; a part of a projected row keeps a component of its own."""
    if view == _CHANNEL:
        return 0.0
    if view == _HEAD:
        return at[product] - at["h" + product]
    c = total[product] / total["ww"] if view == _LAYER and total["ww"] else 0.0
    return at[product] - c * at["ww"]


def _statistics(sums: Sums, total: dict[str, float]) -> tuple[float, float | None, float]:
    """|cos(w, g)| √dim of each view (Eq. 11), the largest of its rows."""
    scale = math.sqrt(total["ww"] * total["gg"])
    layer = abs(total["wg"]) / scale if scale else 0.0
    return (
        sums.steepest * math.sqrt(sums.length),
        sums.steepest_head * math.sqrt(sums.length * sums.head) if sums.head else None,
        layer * math.sqrt(sums.length * sums.rows),
    )


def _tried(known: Known | None) -> list[int]:
    """The views that an optimizer tries, in turn."""
    return [{1: _CHANNEL, 0: _LAYER}.get(count, _HEAD) for count in (PUBLISHED if known is None else known.rule.views)]


def _verdict(sheet: _Sheet, values: tuple[float | None, ...], delta: float) -> tuple[int, set[int]]:
    """The view that Eq. 11 chooses, and those that it may choose within rounding of δ."""
    sums, tried = sheet.sums, _tried(sheet.known)
    if sheet.reading.watched.p.dim() < 2 or delta == 0:
        return _NONE, {_NONE}
    sizes = (1, sums.head, sums.rows)
    judged = [(view, value, sizes[view] * sums.length) for view in tried if (value := values[view]) is not None]
    chosen = next((view for view, value, _ in judged if value < delta), _NONE)
    may, undecided = {chosen}, True
    for view, value, size in judged:
        # A cosine is off by no more than a chain of roundings.
        room = math.sqrt(size) * (sums.length + sums.rows + 8) * sheet.u
        if undecided and value < delta + room:
            may.add(view)
        undecided = undecided and value >= delta - room
    return chosen, may | ({_NONE} if undecided else set())


def page(reading: Reading, sums: Sums, delta: float) -> Page:
    """The ledger of one parameter.

    Args:
        reading: its step.
        sums: its inner products.
        delta: δ with which the weights of an unknown optimizer are judged.
    """
    sheet, known = _Sheet(reading, sums), reading.known
    if not all(map(math.isfinite, sheet.total.values())):
        nothing = Terms(**dict.fromkeys(Terms.__annotations__, math.nan))
        why = "a weight or gradient is not finite"
        return Page((nothing,) * len(sums.slices), VIEWS[_NONE], math.nan, None, math.nan, VIEWS[_NONE], None, why)
    statistics = _statistics(sums, sheet.total)
    verdict, may = _verdict(sheet, statistics, delta if known is None else known.rule.delta)
    if known is None:
        return Page(_terms(sheet, _NONE, 0.0), VIEWS[verdict], *statistics, VIEWS[_NONE], None, "")
    projects = known.projects
    bound = sheet.bound(projects)
    views = [verdict, *sorted(may - {verdict})] if projects else [_NONE]
    view = next((view for view in views if sheet.remainder(view, sheet.s_of(view)) <= bound), None)
    departure = _wrong_memory(sheet)
    if view is None:
        view, stepped = _departed(sheet, verdict, projects, bound)
        departure = departure or stepped
    return Page(_terms(sheet, view, bound), VIEWS[verdict], *statistics, VIEWS[view], not departure, departure)


def _wrong_memory(sheet: _Sheet) -> str:
    """What was done to the momentum buffer, if ⟨w, m⟩ is not β⟨w, m before⟩ + fresh ⟨w, g + λw⟩; else ""."""
    known, total = sheet.known, sheet.total
    if known is None or not known.keeps:
        return ""
    rule = known.rule
    fresh = known.first if sheet.reading.first and known.first is not None else rule.fresh
    past = rule.beta1 * total["wo"] + fresh * total["wg"]
    size = root(total["mm"]) + 2 * abs(fresh) * (root(total["gg"]) + known.coupled * sheet.w)
    room = sheet.w * (size * (4 * sheet.u + 2 * sheet.own) + sheet.tiny)

    def is_(value: float) -> bool:
        return abs(total["wm"] - value) <= room

    if is_(past + fresh * known.coupled * total["ww"]):
        return ""
    group = rule.weight_decay * (1.0 if rule.adaptive else 1 - rule.beta1)
    if group and is_(past + fresh * group * total["ww"]):
        return "coupled weight decay: λw is in the gradient"
    if is_(0.0):
        return "momentum buffer projected: it is orthogonal to w"
    if is_(past):
        return "weight decay missing from the gradient"
    return "momentum buffer changed: it is not β · buffer + gradient"


def _departed(sheet: _Sheet, verdict: int, projects: bool, bound: float) -> tuple[int, str]:
    """The view and the name of a step that is not the rule's."""
    views = (*_tried(sheet.known), _NONE) if projects else (_NONE,)
    for view in views:
        s = sheet.s_of(view)
        if sheet.remainder(view, s) <= bound:
            done = f"projected in the {VIEWS[view]} view" if view != _NONE else "not projected"
            holds = f"in the {VIEWS[verdict]} view" if verdict != _NONE else "in no view"
            return view, f"{done}, where Eq. 11 holds {holds}"
        if view != _NONE and sheet.remainder(view, s, sign=-1.0) <= bound:
            return view, "projection with the wrong sign: the radial component is doubled"
        if sheet.remainder(view, 1.0) <= bound:
            return view, "no weight decay"
        other = sheet.reduced if view == _NONE else sheet.decayed
        if sheet.remainder(view, other) <= bound:
            return view, "wd_ratio without projection" if view == _NONE else "projection without wd_ratio"
        if sheet.remainder(view, s, after=True) <= bound:
            return view, "weight decay after the step"
    return min(views, key=lambda view: sheet.remainder(view, sheet.s_of(view))), "a term that is not the rule's"


def _terms(sheet: _Sheet, view: int, bound: float) -> tuple[Terms, ...]:
    """The terms of the whole tensor, or of its slices."""
    return tuple(_of_slice(sheet, at, view, bound) for at in sheet.sums.slices)


def _of_slice(sheet: _Sheet, at: dict[str, float], view: int, bound: float) -> Terms:
    eta, s, total = sheet.eta, sheet.s_of(view), sheet.total
    ww, after = at["ww"], after_of(at)
    angle = math.atan2(root(ww * at["dd"] - at["wd"] ** 2), ww + at["wd"]) if ww and after else 0.0
    scale = math.sqrt(ww * at["gg"])
    growth = 2 * at["wd"] + at["dd"]
    if sheet.known is None:
        own, fresh, memory, decay, other, avoided = at["dd"], None, None, 0.0, 2 * at["wd"], 0.0
        explained = own + other
    else:
        wq, wa, wb = (tangent(at, total, view, product) for product in ("wx", "wa", "wb"))
        # ‖q‖² = ‖x‖² − 2c⟨w, x⟩ + c²‖w‖² in every row.
        if view == _CHANNEL:
            qq = at["xx"] - at["cwx"]
        elif view == _HEAD:
            qq = at["xx"] - 2 * at["hcx"] + at["hcc"]
        else:
            c = total["wx"] / total["ww"] if view == _LAYER and total["ww"] else 0.0
            qq = at["xx"] - c * (at["wx"] + wq)
        # + 0.0: a zero has no sign here.
        own, fresh, memory = eta * eta * qq, -2 * s * eta * wa + 0.0, -2 * s * eta * (wq - wa - wb) + 0.0
        decay, other = (s * s - 1) * ww - 2 * s * eta * wb, None
        avoided = eta * eta * (at["xx"] - qq) - 2 * s * eta * (at["wx"] - wq)
        explained = own + fresh + memory + decay
    return Terms(
        norm=math.sqrt(ww),
        effective_step=2 * math.sin(angle / 2),
        angle=angle,
        cosine=at["wg"] / scale if scale else 0.0,
        growth=growth,
        own=own,
        fresh=fresh,
        memory=memory,
        decay=decay,
        other=other,
        avoided=avoided,
        left_over=growth - explained,
        bound=2 * math.sqrt(after) * bound + bound * bound,
    )
