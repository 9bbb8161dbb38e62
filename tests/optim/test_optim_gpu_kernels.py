"""The kernels for GPUs against the exact steps of Algorithms 1 and 2: in Triton's interpreter where there is no GPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from gpu_kernels import ADAMP, COMPILED, DEVICE, SGDP, interpreted, kernels, tl

from tangency.optim import _gpu, _gpu_kernels, _gpu_tiles
from tangency.optim import SGDP as SGDPOptimizer
from tangency.optim import AdamP as AdamPOptimizer
from tangency.proofs_checks import Claim, Subject, Suite, Verdict, discover, verify
from tangency.proofs_checks.engine.conformance import admissible_views, measure_step
from tangency.proofs_checks.engine.generate import Rotation
from tangency.proofs_checks.engine.trials import Gradient, Trial, execute
from tangency.theory.projection import View

SUBJECTS = pytest.mark.parametrize("subject", (SGDP, ADAMP), ids=lambda subject: subject.algorithm)
OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDPOptimizer(p, **{"lr": 0.25, "momentum": 0.75, "weight_decay": 0.125, **more}),
    "SGDP without momentum": lambda p, **more: SGDPOptimizer(p, **{"lr": 0.25, **more}),
    "AdamP": lambda p, **more: AdamPOptimizer(p, **{"lr": 0.25, "weight_decay": 0.125, **more}),
}
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


@pytest.fixture(autouse=True)
def _on_kernels() -> Iterator[None]:
    with kernels():
        yield


@pytest.mark.parametrize("claim", discover(), ids=lambda claim: claim.id)
@SUBJECTS
def test_the_claim_holds(claim: Claim, subject: Subject) -> None:
    report = verify(suite=Suite((claim,), (subject,)), rungs=["implementation"], profile="quick")
    for result in report.results:
        assert result.verdict in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY), f"{result.detail}\n{result.reproducer}"


# Rows that fill a tile of each width, begin inside of vectors, take several tiles, take several programs; many rows.
SHAPES = (
    *((3, 16), (5, 13), (130, 9), (9, 1)),
    *((3, 64), (5, 61), (40, 62)),
    *((2, 256), (3, 3, 7, 7), (6, 250)),
    *((2, 1024), (3, 1023), (12, 300)),
    *((2, 2048), (2, 2500), (9, 1030)),
    *((1, 8192), (2, 8200), (1, 17003)),
)
HYPER = {
    "sgdp": {"lr": 0.25, "momentum": 0.9, "weight_decay": 0.01},
    "adamp": {"lr": 0.25, "weight_decay": 0.01},
}


def mixed(shape: tuple[int, ...], exponent: int = 0, seed: int = 0) -> tuple[float, ...]:
    """Numbers of both signs around 2^exponent."""
    random = np.random.default_rng(seed)
    return tuple(np.ldexp(random.uniform(-1, 1, math.prod(shape)), exponent).tolist())


def assert_exact(subject: Subject, trial: Trial, views: tuple[View, ...]) -> None:
    """Every step is one that Algorithm 1 or 2 allows, and decides as the trial says."""
    run = execute(subject, trial)
    assert len(run.records) == len(views)
    for record, view in zip(run.records, views, strict=True):
        assert admissible_views(run, record) == (view,)
        for measured in measure_step(run, record):
            assert measured.ratio <= 1, f"{measured} in {trial.shape} {trial.dtype}"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64", "float16"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@SUBJECTS
def test_rows_of_every_length(subject: Subject, shape: tuple[int, ...], dtype: str) -> None:
    # A row of one element is never orthogonal to its gradient; one row is a layer, which the channel view takes first.
    views: list[tuple[View, Gradient]] = [(View.NONE, mixed(shape, seed=1))]
    if shape[1:] != (1,):
        views.append((View.CHANNEL, Rotation(View.CHANNEL)))
    if shape[0] > 1:
        views.append((View.LAYER, Rotation(View.LAYER, stride=math.prod(shape) // 2)))
    w = np.array(mixed(shape)).reshape(shape)
    # Gradients along w pass in no view.
    first = tuple((w + np.reshape(views[0][1], shape) / 4).ravel().tolist())
    gradients = (first, *(gradient for _, gradient in views[1:]))
    trial = Trial(shape, dtype, mixed(shape), gradients, HYPER[subject.algorithm])
    assert_exact(subject, trial, tuple(view for view, _ in views))
