"""What two evaluations of the same steps may differ by, against running error analysis."""

import numpy as np
import pytest
import torch

from tangency.proofs_checks.algorithms import ALGORITHMS, Algorithm
from tangency.proofs_checks.checks.tools import rounding
from tangency.proofs_checks.dialects.step import step
from tangency.proofs_checks.generate.spread import spread
from tangency.theory.algorithms import START
from tangency.theory.fields import balls
from tangency.theory.formats import FLOAT32, FLOAT64, Format
from tangency.theory.projection import View
from tangency.theory.rounded import parts, rounded


@pytest.mark.parametrize(("dtype", "fmt"), [(torch.float32, FLOAT32), (torch.float64, FLOAT64)], ids=str)
@pytest.mark.parametrize("view", [View.CHANNEL, View.NONE], ids=str)
@pytest.mark.parametrize("algorithm", [one for one in ALGORITHMS.values() if one.choices], ids=lambda one: one.name)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2, 2)], ids=str)
def test_two_evaluations_of_the_references_differ_by_less(
    algorithm: Algorithm, shape: tuple[int, ...], view: View, dtype: torch.dtype, fmt: Format
) -> None:
    """On the inputs of the experiments, step for step: each of the two is within the bound of the exact steps."""
    numbers = rounded(balls(), fmt)
    hyper = {"lr": 0.125, "weight_decay": 0.25, "momentum": 0.5, "betas": (0.5, 0.75)}
    w, state, size = numbers.array(spread(*shape).numpy()), START, 16.0
    for t in range(3):
        made = step(
            algorithm.paper,
            numbers,
            w,
            numbers.array(spread(*shape, start=9 + 30 * t).numpy()),
            state,
            view=view,
            **hyper,
        )
        w, state = made.w, made.state
        exact, bound = parts(w)
        assert max(abs(float(x)) for x in exact.flat) <= size
        assert 2 * np.max(bound) <= rounding(size, int(np.prod(shape)), dtype, t + 1)
