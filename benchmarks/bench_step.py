"""The harness for pytest-benchmark: ``pytest benchmarks/bench_step.py --benchmark-only -s -k "small and channel"``.

Needs the extra ``bench``; peers take part where they are installed (extra ``peers``). Whole steps on the weights of
every model and on single hard shapes, in every mode, both optimizers, all paths and peers in one interleaved run.
Nothing is asserted about time; ratios are kept with the benchmark, for ``--benchmark-json``.
"""

import math
from functools import cache
from typing import Any

import pytest
import torch

from tangency.benchmarks.machine import machine
from tangency.benchmarks.modes import MODES
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.report import print_timing
from tangency.benchmarks.shapes import MODELS, SAMPLED
from tangency.benchmarks.steps import Competitors, Timing, competitors_of, measure
from tangency.benchmarks.sweeps import SHAPES, single

verified = cache(competitors_of)


@pytest.fixture(params=["cpu", "cuda"])
def device(request: Any) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return str(request.param)


@pytest.fixture(params=OPTIMIZERS)
def competitors(request: Any, device: str) -> Competitors:
    return verified(request.param, peers=True, device=device)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS)
def test_step(model: str, mode: str, competitors: Competitors, device: str, benchmark: Any) -> None:
    """A whole step on the weights of a model."""
    keep(benchmark, model, MODELS[model](), mode, competitors, device=device, sampled=SAMPLED.get(model, ""))


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape: str, mode: str, competitors: Competitors, device: str, benchmark: Any) -> None:
    """A whole step on one weight."""
    keep(benchmark, shape, single(SHAPES[shape]), mode, competitors, device=device)


def keep(benchmark: Any, *args: Any, **kwargs: Any) -> None:
    """Measure under pytest-benchmark, which times the whole of it, and keep the ratios with its results."""
    kwargs["cache"] = machine(kwargs["device"]).cache
    timing: Timing = benchmark.pedantic(measure, args=args, kwargs=kwargs, rounds=1, iterations=1)
    base = timing.rows[0].name
    for row in timing.rows:
        benchmark.extra_info[f"{row.name} / {base}"] = row.ratio.p50
    benchmark.extra_info["left out"] = {out.name: out.reason for out in timing.left_out}
    print_timing(timing)
    assert all(math.isfinite(row.ratio.p50) and row.ratio.p50 > 0 for row in timing.rows)
