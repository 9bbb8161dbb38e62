"""Probes: short runs, each built so that one choice of a dialect shows in the weights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tangency.proofs_checks.algorithms import Algorithm
from tangency.proofs_checks.claim import NotOffered
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate import spread as numbers
from tangency.proofs_checks.generate.gradients import AtCosine, Rotation, Tilted
from tangency.proofs_checks.target.target import Target
from tangency.theory.projection import View

Gradient = Floats | Callable[[Floats], Floats]


@dataclass(frozen=True)
class Probe:
    """One run.

    Attributes:
        name: what it shows.
        w: the initial weights.
        gradients: one a step, or a function of the weights as they are then.
        hyper: hyper-parameters, by the spec's names.
    """

    name: str
    w: Floats
    gradients: tuple[Gradient, ...]
    hyper: Mapping[str, Any]


@dataclass(frozen=True)
class Played:
    """A probe as a target played it, in float64.

    Attributes:
        gradients: those that it was given.
        weights: after each step.
        error: what stopped it, if something did.
    """

    probe: Probe
    gradients: tuple[Floats, ...]
    weights: tuple[Floats, ...]
    error: str = ""


def spread(shape: tuple[int, ...], start: int = 1, scale: float = 1.0) -> Floats:
    """Numbers between 1/4 and 5/4 of ``scale`` with mixed signs, none like another."""
    values: Floats = numbers.spread(*shape, start=start).cpu().numpy() * scale
    return values


def probes(algorithm: Algorithm) -> Iterator[Probe]:
    """Every probe of an algorithm, in float64."""
    update = algorithm.update
    base = {"lr": 0.125}
    moving = {**base, **update.moving}
    vector, free = spread((5,)), tuple(spread((5,), 7 * k + 3, 2.0**-k) for k in range(9))
    yield Probe("plain", vector, free[:3], base)
    for one in update.probes:
        yield Probe(one.name, vector, tuple(one.scale * g for g in free[: one.steps]), {**base, **one.hyper})
    yield Probe("weight decay", vector, free[:3], {**moving, "weight_decay": 0.25})
    if algorithm.projects:
        yield from _projecting(moving)
    else:
        matrix = spread((3, 4))
        yield Probe("a matrix", matrix, (spread((3, 4), 5), spread((3, 4), 40)), moving)


def _projecting(base: Mapping[str, Any]) -> Iterator[Probe]:
    matrix, conv = spread((3, 6)), spread((2, 3, 2, 2))
    first = (spread((3, 6), 31), spread((3, 6), 77))
    channel, layer = Rotation(View.CHANNEL), Rotation(View.LAYER, 0, 9)
    decay = {"weight_decay": 0.25, "wd_ratio": 0.125}
    ordinary = {**base, "delta": 0.5}
    yield Probe("nothing to project", matrix, first, {**base, "delta": 2.0**-10})
    yield Probe("nothing to project, weight decay", matrix, first, {**base, **decay, "delta": 2.0**-10})
    for name, extra in (("", {}), (", weight decay", decay), (", nesterov", {"nesterov": True})):
        yield Probe(f"channel view{name}", matrix, (AtCosine((0.9,)), channel, channel), {**ordinary, **extra})
        yield Probe(f"layer view{name}", matrix, (AtCosine((0.9,)), layer, layer), {**ordinary, **extra})
    yield Probe("a convolution", conv, (spread((2, 3, 2, 2), 50), channel, channel), ordinary)
    yield Probe("one row is invariant", matrix, (AtCosine((0.9,)), AtCosine((0.0, 0.8, 0.8))), ordinary)
    yield Probe("the mean passes", matrix, (AtCosine((0.9,)), AtCosine((0.0, 0.0, 0.35))), ordinary)
    yield Probe("against the weights", matrix, (AtCosine((0.9,)), AtCosine((-0.8,))), ordinary)
    # δ/√6 = 0.204, δ/6 = 0.083.
    for cosine in (0.12, 0.15, 0.3):
        probe = (AtCosine((0.9,)), AtCosine((cosine,)))
        yield Probe(f"cos = {cosine}", matrix, probe, ordinary)
    yield Probe("update radial, gradient not", matrix, (AtCosine((0.9,)), AtCosine((0.0,)), AtCosine((0.0,))), ordinary)
    yield Probe("gradient radial, update hardly", matrix, (AtCosine((0.0,), 32.0), AtCosine((0.7,), 0.25)), ordinary)
    yield Probe("decay hides invariance", matrix, (AtCosine((0.9,)), AtCosine((0.0,), 0.25)), {**ordinary, **decay})
    yield Probe("a vector", spread((6,)), (spread((6,), 9), Rotation(View.LAYER), Rotation(View.LAYER)), ordinary)
    large = {**ordinary, "eps": 0.25}
    small = matrix * 2.0**-5
    yield Probe("large ε, projected", matrix, (AtCosine((0.9,)), channel, channel), large)
    yield Probe("large ε, small weights", small, (AtCosine((0.9,)), channel, channel), large)
    for size in (0.25, 2.0**-4, 2.0**-5, 2.0**-8):
        yield Probe(f"large ε, ‖g‖ = {size}", matrix, (AtCosine((0.9,)), AtCosine((0.6,), size)), large)
        yield Probe(f"large ε, ‖g‖ = {size}, cos = 0.25", matrix, (AtCosine((0.9,)), AtCosine((0.25,), size)), large)
    tiny = {**base, "eps": 2.0**-50, "delta": 0.5}
    faint = (AtCosine((0.9,), 2.0**-36), AtCosine((0.6,), 2.0**-36))
    yield Probe("tiny gradient, tiny ε", matrix * 2.0**-36, faint, tiny)
    yield Probe("tiny gradient, ε = 1e-8", matrix * 2.0**-36, faint, {**ordinary, "eps": 1e-8})
    yield Probe("at the threshold", matrix, (AtCosine((0.9,)), Tilted(View.CHANNEL, 0.99, 0.5)), ordinary)


def play(target: Target, probe: Probe) -> Played | None:
    """Run a probe on a target; ``None`` where the target does not offer what it asks for.

    The gradients follow the target's own weights.
    """
    parameter = torch.nn.Parameter(torch.tensor(probe.w, dtype=torch.float64))
    given: list[Floats] = []
    weights: list[Floats] = []
    try:
        optimizer = target.make([parameter], **probe.hyper)
    except (NotOffered, ValueError, TypeError):  # no such argument, or a combination that it refuses
        return None
    except Exception as error:
        return Played(probe, (), (), f"the constructor raised {type(error).__name__}: {error}")
    try:
        for gradient in probe.gradients:
            before = parameter.detach().cpu().numpy().copy()
            g = gradient(before) if callable(gradient) else gradient
            given.append(np.array(g, dtype=np.float64))
            parameter.grad = torch.tensor(given[-1])
            optimizer.step()
            weights.append(parameter.detach().cpu().numpy().astype(np.float64).reshape(probe.w.shape).copy())
            if not np.isfinite(weights[-1]).all():
                return Played(probe, tuple(given), tuple(weights), "the weights are not finite")
    except NotOffered:
        return None
    except Exception as error:
        return Played(
            probe, tuple(given), tuple(weights), f"step {len(weights)} raised {type(error).__name__}: {error}"
        )
    return Played(probe, tuple(given), tuple(weights))
