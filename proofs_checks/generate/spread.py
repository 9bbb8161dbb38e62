"""Numbers without any pattern, the same in every run and in a script that stands alone."""

import torch


def spread(*shape: int, start: int = 1) -> torch.Tensor:
    """Numbers between 1/4 and 5/4 in size, of mixed signs, none like another: multiples of the golden ratio."""
    count = int(torch.Size(shape).numel())
    k = torch.arange(start, start + count, dtype=torch.float64)
    sign = 1.0 - 2.0 * ((k * k * 0.6180339887498949) % 1.0 < 0.5).double()
    return ((0.25 + (k * 0.6180339887498949) % 1.0) * sign).reshape(shape)
