"""The factors by which slices are scaled."""

import pytest
import torch

from tangency.probe.rescale import _alone, _powers


@pytest.mark.parametrize("parts", [2, 3, 64])
def test_factors_are_powers_of_two_that_no_coarser_view_has(parts: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        factors = _powers(parts, torch.float64, generator)
        assert bool((factors.log2() == factors.log2().round()).all())
        assert factors[0] != factors[1]
        assert sorted(_alone(parts, torch.float64, generator).tolist()) == [1.0] * (parts - 1) + [8.0]
