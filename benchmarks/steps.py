"""Whole steps of every contender on the same weights, timed in one interleaved run beside the memory itself."""

import gc
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from tangency.benchmarks import cost_model, modes
from tangency.benchmarks.contenders import Contender, LeftOut, contenders, ready
from tangency.benchmarks.counting import Counts, count, host_peak, state_bytes
from tangency.benchmarks.machine import Neighbours
from tangency.benchmarks.shapes import Weight
from tangency.benchmarks.timing import Spread, Step, interleaved, quotients, rounds_within
from tangency.common.numbers import quotient

# The buffer of the bandwidth probe: far beyond any cache.
PROBE_ELEMENTS = 2**26
# The share of a machine that other processes may use while it counts as quiet.
QUIET = 0.05
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Competitors:
    """The contenders that are timed beside one of our optimizers, and those left out.

    Attributes:
        optimizer: ``SGDP`` or ``AdamP``.
        ready: verified, the baseline first.
    """

    optimizer: str
    ready: tuple[Contender, ...]
    left_out: tuple[LeftOut, ...]


def competitors_of(
    optimizer: str,
    *,
    peers: bool = False,
    compiled: bool = False,
    only: Collection[str] | None = None,
    device: str = "cpu",
    dtypes: Collection[str] = ("float32",),
) -> Competitors:
    """Verify every contender of an optimizer.

    Args:
        only: names of those that are wanted beside the baseline; all, if not given.
        dtypes: those that they are to be timed in.

    Raises:
        WrongStep: one of ours does not compute what it should.
    """
    found: list[Contender] = []
    left: list[LeftOut] = []
    base, *others = contenders(optimizer, peers=peers, compiled=compiled)
    for contender in (base, *(one for one in others if only is None or one.name in only)):
        out = ready(contender, device, dtypes)
        if out is None:
            found.append(contender)
        else:
            left.append(out)
    return Competitors(optimizer, tuple(found), tuple(left))


@dataclass(frozen=True)
class Row:
    """One contender.

    Attributes:
        ratio: of its seconds to the baseline's, round by round.
        share: of the bandwidth that the probe had in the same round, if a step moved no more than its floor; above 1
            where caches hold the weights.
    """

    name: str
    seconds: Spread
    ratio: Spread
    share: Spread


@dataclass(frozen=True)
class Timing:
    """Steps on one set of weights, in one mode.

    Attributes:
        what: the model or the shape.
        cold: whether caches were emptied before each step.
        sampled: what of it was taken, if not all.
        floor: bytes that a step moves at least, whatever it computes (:mod:`.cost_model`).
        fused: bytes that the model expects of the fused path, with the caches of this machine.
        bandwidth: bytes a second of an update in place, ``x.mul_(c)``, beyond the caches.
        rows: the contenders, the baseline first.
        others: share of all cores that other processes used meanwhile; ``None`` if unknown.
        dtype: of weights, gradients and moments.
    """

    what: str
    optimizer: str
    mode: str
    parameters: int
    tensors: int
    rounds: int
    floor: int
    fused: int
    bandwidth: Spread
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]
    cold: bool = False
    sampled: str = ""
    others: float | None = None
    dtype: str = "float32"

    @property
    def disturbed(self) -> bool:
        """Whether other processes used so much of the machine that the times are worth little."""
        return self.others is not None and self.others > QUIET


def measure(
    what: str,
    weights: Sequence[Weight],
    mode: str,
    competitors: Competitors,
    *,
    budget: float = 5.0,
    cold: bool = False,
    device: str = "cpu",
    dtype: str = "float32",
    cache: int = 0,
    sampled: str = "",
    watch: Watch | None = None,
) -> Timing:
    """Time one step of every contender in every round.

    All share the weights and gradients, which stay where they are, and have a state of their own.

    Args:
        budget: seconds to spend on rounds, about.
        cold: empty the caches before each step, as the passes of a large network do; else what is small stays there.
        cache: bytes of cache, for the model.
        watch: called with the rounds done and the rounds in all.

    Raises:
        WrongMode: Eq. 11 does not decide what the mode says, before or after.
    """
    params = modes.problem(weights, mode, device, dtype)
    steps = [stepper(contender, params, device) for contender in competitors.ready]
    steps.append(_probe(device))
    before = steps[-1] if cold else None
    interleaved(steps, 1)  # state and kernels come into being
    started = time.perf_counter()
    interleaved(steps, 2, before=before)
    rounds = rounds_within(budget, (time.perf_counter() - started) / 2)
    neighbours = Neighbours()
    tell = None if watch is None else lambda done: watch(done, rounds)
    *seconds, probe = interleaved(steps, rounds, tell, before)
    others = neighbours.share()
    modes.check(weights, params, mode)
    size = sum(weight.size for weight in weights)
    itemsize = getattr(torch, dtype).itemsize
    floor = (cost_model.floor(competitors.optimizer) * size).bytes(itemsize)
    sweeps = cost_model.step(competitors.optimizer, weights, mode, fast=True, cache=cache, itemsize=itemsize)
    moved = 8 * PROBE_ELEMENTS  # by the probe: float32, read and written
    del steps, params
    gc.collect()
    return Timing(
        what=what,
        optimizer=competitors.optimizer,
        mode=mode,
        parameters=size,
        tensors=len(weights),
        rounds=rounds,
        floor=floor,
        fused=sweeps.bytes(itemsize),
        bandwidth=Spread.of([quotient(moved, other) for other in probe]),
        rows=_rows(competitors.ready, seconds, probe, floor, moved),
        left_out=competitors.left_out,
        cold=cold,
        sampled=sampled,
        others=others,
        dtype=dtype,
    )


def _rows(
    ready: Sequence[Contender], seconds: Sequence[Sequence[float]], probe: Sequence[float], floor: int, moved: int
) -> tuple[Row, ...]:
    """A row for each contender, from its seconds in every round, the baseline's first, and those of the probe.

    ``floor`` and ``moved`` are the bytes that a step and the probe move at least.
    """
    return tuple(
        Row(
            contender.name,
            Spread.of(times),
            Spread.of(quotients(times, seconds[0])),
            Spread.of([quotient(floor * other, mine * moved) for mine, other in zip(times, probe, strict=True)]),
        )
        for contender, times in zip(ready, seconds, strict=True)
    )


def stepper(contender: Contender, params: list[torch.nn.Parameter], device: str = "cpu") -> Step:
    """A function that performs one whole step, so small that no weight moves, and waits for the device."""
    step = contender.step(contender.make(params, lr=modes.STILL))
    return _waiting(step, device)


def _waiting(step: Callable[[], object], device: str) -> Step:
    def run() -> None:
        step()
        if device != "cpu":
            torch.cuda.synchronize(device)

    return run


def _probe(device: str) -> Step:
    """An update in place; not a copy, which may write without reading what it writes over."""
    x = torch.ones(PROBE_ELEMENTS, device=device)
    return _waiting(lambda: x.mul_(-1.0), device)


@dataclass(frozen=True)
class Counted:
    """What one step of one contender does, exactly, and what it keeps."""

    what: str
    optimizer: str
    mode: str
    name: str
    parameters: int
    rows: int
    counts: Counts
    host_peak: int
    state: int


def counted(
    what: str, weights: Sequence[Weight], mode: str, competitors: Competitors, device: str = "cpu"
) -> list[Counted]:
    """Count the second step of every contender except compiled ones, whose kernels torch does not dispatch."""
    found = []
    for contender in competitors.ready:
        if contender.compiled:
            continue
        optimizer = contender.make(modes.problem(weights, mode, device), lr=modes.STILL)
        optimizer.step()
        counts = count(optimizer.step)
        found.append(
            Counted(
                what,
                competitors.optimizer,
                mode,
                contender.name,
                sum(weight.size for weight in weights),
                sum(weight.shape[0] for weight in weights if len(weight.shape) > 1),
                counts,
                host_peak(optimizer.step),
                state_bytes(optimizer),
            )
        )
    return found
