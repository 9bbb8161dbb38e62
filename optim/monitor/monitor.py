"""The monitor: hooks on an optimizer's step that read what happens to the norms of its weights, and change nothing."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tangency.optim.monitor.known import known
from tangency.optim.monitor.ledger import Page, page
from tangency.optim.monitor.outlook import Story, equilibrium, limit_ratio
from tangency.optim.monitor.reading import Reading, Watched, begin, brought_in, end
from tangency.optim.monitor.writers import Lines, Record, Weight, Writer
from tangency.optim.optimizer import ProjectedOptimizer


class Monitor:
    """Watch how the norms of an optimizer's weights grow, term by term, while it trains.

    A sampled step gives, for every weight of two or more dimensions, or for each of its slices: the norm, the effective
    step ‖Δŵ‖ and its angle, the terms of the growth of ‖w‖² (`tangency.optim.monitor.ledger` has the formulas),
    cos(w, g), the view that passes Eq. 11, the share of samples that were judged scale-invariant, how much faster the
    norm grew than by the steps' own lengths (Corollary 2.3), the angle of equilibrium, and a flag where the effective
    step decays too early (`tangency.optim.monitor.outlook` defines both).

    It works through the step hooks that every torch optimizer has, and reads only: weights, gradients, state and random
    numbers are bit for bit what they are without it. An error inside it is told once as a warning, and ends the
    watching, never the training. It keeps a copy of the watched weights; a sampled step brings its numbers to the host
    once.

    Args:
        optimizer: any torch optimizer. The terms are told apart for SGD, Adam, AdamW, SGDP and AdamP, by whatever
            package; of another optimizer only the step's own part and the rest.
        every: sample one step in so many; the first is a sample.
        out: where samples go: a path for JSON lines, to which they are appended, or writers (see
            `tangency.optim.monitor.writers`), each called with a `Record`.
        names: named parameters, as `model.named_parameters()`; an optimizer that was given named parameters has them.
        per: slices that are reported on their own: ``"channel"``, a number of heads, or a dict of these by name.
        watch: which parameters, by name and tensor; those with at least two dimensions by default.
        delta: δ with which the weights of an optimizer without one are judged.
        steps: how many steps were taken before, in a run that is resumed.

    Raises:
        TypeError, ValueError: an argument is not what it may be; the message says what it may.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
        >>> optimizer = torch.optim.SGD([w], lr=0.5, momentum=0.5)
        >>> monitor = Monitor(optimizer, every=1, names=[("w", w)])
        >>> for g in ([-4.0, 3.0], [-2.0, 4.0]):
        ...     w.grad = torch.tensor([g], dtype=torch.float64)
        ...     optimizer.step()
        ...     terms = monitor.last.weights["w"].page.terms[0]
        ...     print(terms.growth, terms.own, terms.fresh, terms.memory)
        6.25 6.25 0.0 0.0
        17.8125 11.5625 0.0 6.25
    """

    def __init__(
        self,
        optimizer: Optimizer,
        every: int = 10,
        *,
        out: str | Path | Writer | Iterable[Writer] | None = None,
        names: Iterable[tuple[str, Tensor]] | None = None,
        per: str | int | Mapping[str, str | int] = 1,
        watch: Callable[[str, Tensor], bool] | None = None,
        delta: float = 0.1,
        steps: int = 0,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}")
        for name, value, least in (("every", every, 1), ("steps", steps, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
        for one in per.values() if isinstance(per, Mapping) else (per,):
            if one != "channel" and (isinstance(one, bool) or not isinstance(one, int) or one < 1):
                raise ValueError(f'per must be "channel" or a number of slices >= 1, or a dict of these, got {one!r}')
        if not delta >= 0:
            raise ValueError(f"delta must be >= 0, got {delta!r}")
        self._optimizer, self._every, self._delta = optimizer, every, delta
        self._per, self._watch = per, watch or (lambda name, p: p.dim() >= 2)
        self._names = {} if names is None else {p: name for name, p in names}
        self._writers = _writers(out)
        self._steps = steps
        self._watched: dict[Tensor, Watched | None] = {}
        self._stories: dict[str, list[Story]] = {}
        self._readings: list[Reading] = []
        self._spent = 0.0
        self.last: Record | None = None
        self.failure: str | None = None
        # Outside of compiled graphs: what a hook reads is not part of the step.
        before, after = (torch.compiler.disable(hook) for hook in (self._before, self._after))  # type: ignore[no-untyped-call]
        self._hooks = [optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)]

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching, and close what was opened."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        for watched in self._watched.values():
            if watched is not None:
                watched.before = None
        for writer in self._writers:
            if isinstance(writer, Lines):
                writer.close()

    def _before(self, *call: object) -> None:
        self._guarded(self._begin)

    def _after(self, *call: object) -> None:
        self._guarded(self._end)

    def _guarded(self, act: Callable[[], None]) -> None:
        """Training goes on, whatever happens in here."""
        started = time.perf_counter()
        try:
            with torch.no_grad():
                act()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            self._readings = []
            warnings.warn(f"the monitor stops at step {self._steps}: {self.failure}", stacklevel=4)
            try:
                self.close()
            except Exception as again:
                self.failure += f"; and closing it, {type(again).__name__}: {again}"
        self._spent += time.perf_counter() - started

    def _begin(self) -> None:
        self._readings = []
        if self._steps % self._every or _capturing():
            return
        for watched, group, state in self._parameters():
            self._readings.append(begin(watched, known(group, self._delta), state, group.get("lr", 0.0)))

    def _end(self) -> None:
        self._steps += 1
        readings, self._readings = self._readings, []
        taken = []
        for reading in readings:
            p = reading.watched.p
            if p.grad is not None:  # a closure may have given it one, or none
                end(reading, p.grad, self._optimizer.state.get(p, {}), self._scale())
                reading.skipped = getattr(self._optimizer, "found_inf", 0.0)
                taken.append(reading)
        if not taken:
            return
        sums = brought_in(taken)
        weights = {
            reading.watched.name: self._weight(reading, page(reading, one, self._delta))
            for reading, one in zip(taken, sums, strict=True)
            if not reading.skipped
        }
        if not weights:
            return
        self.last = Record(self._steps - 1, weights, self._spent)
        for writer in self._writers:
            writer(self.last)

    def _weight(self, reading: Reading, found: Page) -> Weight:
        lr = float(reading.lr)
        stories = self._stories.setdefault(reading.watched.name, [Story() for _ in found.terms])
        for story, terms in zip(stories, found.terms, strict=True):
            story.add(terms, found, lr)
        return Weight(
            found,
            lr,
            stories[0].share,
            limit_ratio(reading.known),
            equilibrium(reading.known, lr, found.projected != "none"),
            tuple(story.growth_ratio for story in stories),
            tuple(story.premature(reading.known) for story in stories),
        )

    def _parameters(self) -> Iterator[tuple[Watched, dict[str, Any], Mapping[str, Any]]]:
        """The watched parameters that train, those of new groups among them."""
        for number, group in enumerate(self._optimizer.param_groups):
            called = group.get("param_names") or []
            for i, p in enumerate(group["params"]):
                if p not in self._watched:
                    name = self._names.get(p) or (called[i] if i < len(called) else f"group{number}.{i}")
                    self._watched[p] = self._new(name, p)
                watched = self._watched[p]
                if watched is not None and p.requires_grad:
                    yield watched, group, self._optimizer.state.get(p, {})

    def _new(self, name: str, p: Tensor) -> Watched | None:
        if not (p.numel() and (p.is_floating_point() or p.is_complex()) and self._watch(name, p)):
            return None
        per = self._per.get(name, 1) if isinstance(self._per, Mapping) else self._per
        rows = p.size(0) if p.dim() >= 2 else 1
        units = rows if per == "channel" else int(per)
        if rows % units:
            raise ValueError(f"per: {name} has {rows} rows, which are not {units} equal slices")
        return Watched(name, p, units)

    def _scale(self) -> Tensor | None:
        """What our fused steps divide gradients by as they read them; torch's write back what they divide."""
        return getattr(self._optimizer, "grad_scale", None) if isinstance(self._optimizer, ProjectedOptimizer) else None


def _capturing() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def _writers(out: str | Path | Writer | Iterable[Writer] | None) -> list[Writer]:
    if out is None:
        return []
    if isinstance(out, str | Path):
        return [Lines(Path(out))]
    found = [out] if callable(out) else list(out) if isinstance(out, Iterable) else [out]
    for one in found:
        if not callable(one):
            raise TypeError(f"out must be a path, or writers that are called with a record, got {one!r}")
    return found
