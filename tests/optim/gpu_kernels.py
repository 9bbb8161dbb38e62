"""The kernels for GPUs, run wherever the tests are: on a GPU if there is one, else in Triton's interpreter."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import torch

from tangency.optim import SGDP, AdamP
from tangency.optim._fused import Rows, Rule

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"



def _interpreted() -> bool:
    """Import the kernels for the interpreter: Triton decides when a function is decorated, its own when it is imported."""
    if "triton" in sys.modules:
        return bool(sys.modules["triton"].knobs.runtime.interpret)
    before = os.environ.get("TRITON_INTERPRET")
    os.environ["TRITON_INTERPRET"] = "1"
    import tangency.optim._gpu  # noqa: F401
    return True

