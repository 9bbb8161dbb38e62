"""One step of all tensors of a device and dtype at once, in torch's list operations.

Moments and the update are elementwise: one ``torch._foreach_*`` call each, whatever the number of tensors. Sums along
rows are not: torch has no list operation for them. So weights whose rows have one shape are joined along dimension 0,
and the inner products of all their rows are taken at once: a model has few row shapes (ResNet-18: 9 for its 21
matrices). The results, a few numbers a row, are joined for all weights and decided at once.

Joined rows and not one flat buffer with row lengths (``torch.segment_reduce``): broadcasts along a row need no index
for every number, nothing is copied from the host, and all operations are ordinary ones, which compile. Scaled sums in
the dtype of the computation and not float64 sums: those move more memory (8 bytes a number), float64 would need the
scaling all the same, and some devices have none.

Temporary memory: up to three times the weights, and nine times a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor

from tangency.optim.projection import Gram, Scaled, decay, decide, may_project, remove, scaled, statistics
from tangency.optim.rule import Rule, bias_correction, counted, real, wide, write

# Elements of joined weights: enough for a GPU to be busy for longer than a launch takes.
BATCH = 2**22

# A factor for all tensors, or one for each.
Numbers = float | Tensor | list[float] | list[Tensor]


class _Lists(NamedTuple):
    """Parameters of one device and dtype: real tensors in the dtype of the computation, an entry each.

    Attributes:
        w, g: weights and gradients.
        m, v: the moments; empty where the optimizer keeps none.
        steps: the step counters, before this step; empty where the rule is not adaptive.
        projects: whether Eq. 11 is evaluated.
    """

    w: list[Tensor]
    g: list[Tensor]
    m: list[Tensor]
    v: list[Tensor]
    steps: list[Tensor]
    projects: list[bool]


def step(
    rule: Rule,
    lr: float | Tensor,
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    states: Sequence[Sequence[Tensor | None]],
) -> None:
    """Perform one step in place, without waiting for any device.

    Args:
        rule: the hyper-parameters.
        lr: step size, a number or a tensor of one element.
        params: parameters, on any devices and of any dtypes.
        grads: their gradients, which are only read.
        states: a list for each of the optimizer's `state_names`, with one entry a parameter; that of the step counters,
            of an adaptive rule, comes first.
    """
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, p in enumerate(params):
        alike = tuple(None if x is None else (x.device, x.dtype) for x in (p, grads[i], *(kept[i] for kept in states)))
        groups[alike].append(i)
    for members in groups.values():
        stored = [[params[i] for i in members]]
        for kept in states:
            if kept[members[0]] is not None:
                stored.append([cast("Tensor", kept[i]) for i in members])
        steps = stored.pop(1) if rule.adaptive else []
        dtype = wide(real(stored[0][0]))
        wides = [_in_dtype(tensors, dtype) for tensors in stored]
        w, m, v = (*wides, [], [])[:3]
        g = _in_dtype([grads[i] for i in members], dtype)
        projects = [may_project(params[i], params[i].dim(), rule.delta) for i in members]
        _step(rule, lr, _Lists(w, g, m, v, steps, projects))
        for to, computed in zip(stored, wides, strict=True):
            _store(to, computed)


def _lazy(x: Tensor) -> bool:
    """Whether a tensor's memory holds the negative of its numbers, or their conjugates: lists accept neither."""
    return not torch.compiler.is_compiling() and (x.is_neg() or x.is_conj())


def _in_dtype(tensors: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """The tensors as real ones, themselves or, where they have another dtype or lazy memory, as copies."""
    pairs = [real(x.resolve_neg()) for x in tensors]
    if pairs[0].dtype == dtype:
        return pairs
    copies = [torch.empty_like(x, dtype=dtype) for x in pairs]
    torch._foreach_copy_(copies, pairs)
    return copies


def _store(tensors: list[Tensor], computed: list[Tensor]) -> None:
    """Write back what was computed in copies."""
    if real(tensors[0]).dtype != computed[0].dtype:
        plain = [i for i, x in enumerate(tensors) if not _lazy(x)]
        if plain:
            torch._foreach_copy_([real(tensors[i]) for i in plain], [computed[i] for i in plain])
    for x, value in zip(tensors, computed, strict=True):
        if _lazy(x):
            write(x, value)


def _step(rule: Rule, lr: float | Tensor, lists: _Lists) -> None:
    """The lines of `Rule`, each for all tensors."""
    w = lists.w
    if rule.maximize:
        lists = lists._replace(g=list(torch._foreach_neg(lists.g)))
    if isinstance(lr, Tensor):
        lr = lr.detach().reshape(())
        # A tensor on the CPU counts as a number on every device, as in all of torch.
        lr = lr if lr.device.type == "cpu" else lr.to(w[0].device, non_blocking=True)
    rate = lr * rule.weight_decay if rule.weight_decay else None
    x, eta = _update(rule, lr, lists)
    q, decayed = _project(rule, rate, lists, x)
    # Computed before the first write to w: x may be g, and g may be w.
    moved = torch._foreach_mul(q, eta)
    if decayed:
        torch._foreach_copy_(w, decayed)
    torch._foreach_sub_(w, moved)


def _update(rule: Rule, lr: float | Tensor, lists: _Lists) -> tuple[list[Tensor], Numbers]:
    """The update x and its step size η, and the new moments in place. x may be the moments or gradients themselves."""
    g, m, v = lists.g, lists.m, lists.v
    if m:
        torch._foreach_mul_(m, rule.beta1)
        torch._foreach_add_(m, g, alpha=rule.fresh)
    else:
        m = g if rule.fresh == 1 else list(torch._foreach_mul(g, rule.fresh))
    x = m
    if rule.nesterov:
        x = list(torch._foreach_mul(m, rule.beta1))
        torch._foreach_add_(x, g, alpha=rule.ahead)
    if not rule.adaptive:
        return x, _number(lr, x)
    torch._foreach_add_(lists.steps, 1)
    t = counted(torch.stack(lists.steps))
    if isinstance(lr, Tensor) and lr.device.type != "cpu":
        t = t.to(lr.device, non_blocking=True)
    torch._foreach_mul_(v, rule.beta2)
    # (1 − β₂) g first: g² alone may overflow.
    torch._foreach_addcmul_(v, torch._foreach_mul(g, 1 - rule.beta2), g)
    denominators = torch._foreach_sqrt(v)
    torch._foreach_div_(denominators, _numbers(bias_correction(rule.beta2, t).sqrt(), x))
    torch._foreach_add_(denominators, rule.eps)
    return list(torch._foreach_div(x, denominators)), _numbers(lr / bias_correction(rule.beta1, t), x)


def _number(value: float | Tensor, like: list[Tensor]) -> float | Tensor:
    """A number for all tensors, in their dtype."""
    return value.to(like[0].dtype) if isinstance(value, Tensor) else value


def _numbers(values: Tensor, like: list[Tensor]) -> list[float] | list[Tensor]:
    """A number for each tensor: a Python number where the host knows it, else a tensor on the device."""
    if values.device.type == "cpu" and type(values) is Tensor and not torch.compiler.is_compiling():
        return cast("list[float]", values.tolist())
    return list(values.to(like[0].device, like[0].dtype, non_blocking=True).unbind())


def _project(
    rule: Rule, rate: float | Tensor | None, lists: _Lists, x: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Updates after Eqs. 10 and 11, and weights after their decay (Appendix E.1; none where there is no decay)."""
    w, q, decayed = lists.w, list(x), [] if rate is None else list(lists.w)
    others = [i for i, projects in enumerate(lists.projects) if not projects]
    if rate is not None and others:
        kept = torch._foreach_mul([w[i] for i in others], _number(1 - rate, w))
        for i, value in zip(others, kept, strict=True):
            decayed[i] = value
    batches = _batches(lists)
    decisions = _decisions(rule, _weighed(batches, w, lists.g, x))
    for batch in batches:
        joined, updates = (torch.cat([some[i] for i in batch]) for some in (w, x))
        radial, projected = (torch.cat(rows) for rows in zip(*(decisions[i] for i in batch), strict=True))
        made = [(q, remove(updates, scaled(joined).unit, radial, projected))]
        if rate is not None:
            made.append((decayed, decay(joined, rate, projected, rule.wd_ratio)))
        for out, rows in made:
            for i, part in zip(batch, torch.split(rows, [w[i].size(0) for i in batch]), strict=True):
                out[i] = part
    return q, decayed


def _batches(lists: _Lists) -> list[list[int]]:
    """The weights to join: those that may be projected, grouped by row shape, about BATCH elements a group."""
    by_shape: dict[torch.Size, list[int]] = defaultdict(list)
    for i, w in enumerate(lists.w):
        if lists.projects[i]:
            by_shape[w.shape[1:]].append(i)
    batches: list[list[int]] = []
    for members in by_shape.values():
        elements = BATCH  # full: the first weight of a shape opens a batch
        for i in members:
            if elements + lists.w[i].numel() > BATCH:
                batches.append([])
                elements = 0
            batches[-1].append(i)
            elements += lists.w[i].numel()
    return batches


def _weighed(batches: list[list[int]], w: list[Tensor], g: list[Tensor], x: list[Tensor]) -> dict[int, Tensor]:
    """The numbers of `Gram` for each weight, (8, rows)."""
    found: dict[int, Tensor] = {}
    for batch in batches:
        joined = torch.cat([some[i] for some in (w, g, x) for i in batch])
        lines = scaled(joined.view(3, -1, *joined.shape[1:]), lead=2)
        rows = torch.stack(statistics(*map(Scaled, lines.unit.unbind(), lines.size.unbind())))
        found |= zip(batch, torch.split(rows, [w[i].size(0) for i in batch], dim=1), strict=True)
    return found


def _decisions(rule: Rule, weighed: dict[int, Tensor]) -> dict[int, tuple[Tensor, Tensor]]:
    """The results of `decide` for each weight, a number for each of its rows."""
    # Padded with rows of zeros, a weight shares a batch with others of up to 16 times as many rows.
    together: dict[int, list[int]] = defaultdict(list)
    for i, rows in weighed.items():
        together[rows.size(1).bit_length() // 4].append(i)
    found: dict[int, tuple[Tensor, Tensor]] = {}
    for members in together.values():
        counts = [weighed[i].size(1) for i in members]
        most = max(counts)
        zeros = weighed[members[0]].new_zeros(8, most)
        filled = torch.cat(
            [part for i, n in zip(members, counts, strict=True) for part in (weighed[i], zeros[:, n:])], 1
        )
        # A head divides the rows of each of them, and so the most.
        radial, projected = decide(Gram(*filled.view(8, -1, most).unbind()), rule.delta, rule.views)
        for i, n, c, yes in zip(members, counts, radial.unbind(), projected.unbind(), strict=True):
            found[i] = c[:n], yes.expand(n)
    return found
