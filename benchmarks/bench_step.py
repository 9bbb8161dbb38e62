"""Whole optimizer steps beside their peers, as ratios within one run: ``pytest benchmarks/bench_step.py -s``.

Needs the extra ``bench``. Every round times one step of every contender in an order that turns from round to round, so
that what the machine does meanwhile hits all of them alike; what is reported is each contender's quantiles, and its
median over that of torch's own optimizer. Nothing is asserted about time. Before anything is timed, the projecting
optimizers must agree with the executable spec (:func:`verified`).
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import Optimizer

from tangency.benchmarks.shapes import MODELS
from tangency.optim import SGDP, AdamP
from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import EXACT, balls
from tangency.theory.projection import View

DEVICES = ("cpu", "cuda")
SGD_OPTIONS = {"lr": 0.125, "momentum": 0.75, "weight_decay": 0.0625}
ADAM_OPTIONS = {"lr": 0.125, "betas": (0.75, 0.875), "eps": 2.0**-20, "weight_decay": 0.0625}


@dataclass(frozen=True)
class Contender:
    """An optimizer under the clock.

    Attributes:
        kind: its class, called with a list of parameters, ``options`` and ``switches``.
        options: hyper-parameters, the same for a whole family.
        algorithm: which algorithm of the executable spec it must agree with; none for torch's own.
        switches: the code path.
    """

    name: str
    kind: Callable[..., Optimizer]
    options: Mapping[str, Any]
    algorithm: str = ""
    switches: Mapping[str, bool] = field(default_factory=dict)

    def make(self, params: list[torch.nn.Parameter]) -> Optimizer:
        """The optimizer of the given parameters."""
        return self.kind(params, **self.options, **self.switches)


def contenders(family: str) -> list[Contender]:
    """The baseline first: torch's own, one tensor after the other, in lists, and fused; ours; the published package."""
    # The weight decay of torch's SGD is coupled: another algorithm, of the same cost.
    families: dict[str, tuple[type[Optimizer], type[Optimizer], Mapping[str, Any]]] = {
        "sgd": (torch.optim.SGD, SGDP, SGD_OPTIONS),
        "adam": (torch.optim.AdamW, AdamP, ADAM_OPTIONS),
    }
    peer, ours, options = families[family]
    name, algorithm = f"torch {peer.__name__}", ours.__name__.lower()
    found = [
        Contender(name, peer, options, switches={"foreach": False, "fused": False}),
        Contender(f"{name} foreach", peer, options, switches={"foreach": True}),
        Contender(f"{name} fused", peer, options, switches={"fused": True}),
        Contender(f"tangency {ours.__name__}", ours, options, algorithm),
    ]
    if find_spec("adamp"):
        published = getattr(import_module("adamp"), ours.__name__)
        found.append(Contender(f"adamp {ours.__name__}", published, options, algorithm))
    return found


def verified(contender: Contender, device: str = "cpu") -> None:
    """One float32 step on a projected weight and on one that is not, against the exact step.

    From a state of zeros nothing cancels before Eq. 10, so the update p has an error of a few u in each element, and Π,
    a sum of d products and a quotient, at most doubles it. All in all n = 2d + 40 roundings on terms whose absolute
    values add up to |w| + η(|p| + ‖p‖·|w|/‖w‖): the bound is γ_n times that. (The published package adds an ε of 1e-8
    to norms; with norms above 1, as here, that is below one rounding.)

    Raises:
        AssertionError: a weight is off by more, or the other decision was taken.
    """
    w = np.add.outer(np.arange(1.0, 5.0), np.arange(0.0, 8.0))
    turned = np.stack([w[:, 1::2], -w[:, ::2]], axis=-1).reshape(w.shape)
    for g, view in ((turned, View.CHANNEL), (turned + w, View.NONE)):
        p = torch.nn.Parameter(torch.tensor(w, dtype=torch.float32, device=device))
        p.grad = torch.tensor(g, dtype=torch.float32, device=device)
        contender.make([p]).step()
        numbers = balls(128) if contender.algorithm == "adamp" else EXACT
        algorithm = ALGORITHMS[contender.algorithm]
        exact = algorithm(numbers, numbers.array(w), numbers.array(g), START, **contender.options)
        assert exact.view is view, f"{contender.name}: the problem was meant for the other decision"
        with numbers.context():
            error = np.abs(_floats(numbers.array(p.detach().cpu().double().numpy()) - exact.w))
        roundings = (2 * w.shape[1] + 40) * 2.0**-24
        update = np.abs(_floats(exact.p))
        length = np.linalg.norm(update, axis=1, keepdims=True) / np.linalg.norm(w, axis=1, keepdims=True)
        terms = np.abs(w) + float(_floats(np.array([exact.lr]))[0]) * (update + length * np.abs(w))
        worst = float((error / (roundings / (1 - roundings) * terms)).max())
        assert worst <= 1, (
            f"{contender.name}: {worst:.3g} times the bound on an error that is rounding ({view.value} view)"
        )


def _floats(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rationals or balls (their midpoints) as float64."""
    rounded = [float(x) if hasattr(x, "mid") else int(x.p) / int(x.q) for x in values.flat]
    return np.array(rounded, dtype=np.float64).reshape(values.shape)


def stepper(contender: Contender, model: str, device: str) -> Callable[[], None]:
    """A function that performs one whole step on a model's weights and waits for the device."""
    generator = torch.Generator().manual_seed(0)
    params = []
    for weight in MODELS[model]():
        p = torch.nn.Parameter(torch.randn(weight.shape, generator=generator).to(device))
        p.grad = torch.randn(weight.shape, generator=generator).to(device)
        params.append(p)
    optimizer = contender.make(params)

    def step() -> None:
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def interleaved(steps: Sequence[Callable[[], None]], rounds: int) -> list[list[float]]:
    """Seconds of each step in each round; the order turns by one from round to round."""
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(rounds):
        for place in range(len(steps)):
            index = (turn + place) % len(steps)
            started = time.perf_counter()
            steps[index]()
            seconds[index].append(time.perf_counter() - started)
    return seconds


def table(names: Sequence[str], seconds: Sequence[Sequence[float]]) -> list[str]:
    """Quantiles in milliseconds, and the ratio of medians to the first contender's."""
    base = statistics.median(seconds[0])
    lines = [f"{'ms a step':24} {'p20':>9} {'p50':>9} {'p80':>9} {'ratio':>7}"]
    for name, times in zip(names, seconds, strict=True):
        p20, _, _, p80 = statistics.quantiles(times, n=5, method="inclusive")
        p50 = statistics.median(times)
        lines.append(f"{name:24} {1e3 * p20:9.3f} {1e3 * p50:9.3f} {1e3 * p80:9.3f} {p50 / base:7.2f}")
    return lines


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("family", ["sgd", "adam"])
@pytest.mark.parametrize("model", MODELS)
def test_step(model: str, family: str, device: str, benchmark: Any) -> None:
    """Time whole rounds with pytest-benchmark, and every contender within them."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    rivals = contenders(family)
    for contender in rivals:
        if contender.algorithm:
            verified(contender, device)
    steps = [stepper(contender, model, device) for contender in rivals]
    rounds = 25 if model == "small" else 10
    interleaved(steps, 2)  # buffers, caches and kernels come into being
    seconds = benchmark.pedantic(interleaved, args=(steps, rounds), rounds=1, iterations=1)
    names = [contender.name for contender in rivals]
    base = statistics.median(seconds[0])
    for name, times in zip(names, seconds, strict=True):
        benchmark.extra_info[f"{name} / {names[0]}"] = statistics.median(times) / base
    missing = "" if find_spec("adamp") else "; the published adamp package is not installed: left out"
    print(f"\n{model}, {device}, {torch.get_num_threads()} threads, {rounds} rounds{missing}")
    print("\n".join(table(names, seconds)))
    assert all(math.isfinite(ratio) for ratio in benchmark.extra_info.values())
