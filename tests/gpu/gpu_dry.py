"""``tangency`` with the kernels for GPUs on the CPU, in Triton's interpreter: ``python gpu_dry.py bench …``.

The interpreter takes seconds for a step of real weights: the model ``small`` is a tiny one here.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from gpu_kernels import kernels

from tangency.benchmarks import steps
from tangency.benchmarks.shapes import MODELS, Weight
from tangency.cli.main import run

if __name__ == "__main__":
    steps.PROBE_ELEMENTS = 2**10
    MODELS["small"] = lambda: (Weight("conv", "conv", (4, 2, 3, 3)), Weight("norm", "norm", (4,)))
    with kernels():
        raise SystemExit(run(sys.argv[1:]))
