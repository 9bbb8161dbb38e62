"""``tangency`` with the kernels for GPUs on the CPU, in Triton's interpreter: ``python gpu_dry.py bench …``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from gpu_kernels import kernels

from tangency.benchmarks import steps
from tangency.cli.main import run

if __name__ == "__main__":
    steps.PROBE_ELEMENTS = 2**10
    with kernels():
        raise SystemExit(run(sys.argv[1:]))
