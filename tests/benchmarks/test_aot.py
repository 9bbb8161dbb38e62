"""The kernels for GPUs compile for cards that are not there, and what is wrong with machine code is found."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

# Not imported: whoever imports Triton first decides whether it interprets.
if find_spec("triton") is None:
    pytest.skip("triton is not installed: it has no wheel for this platform", allow_module_level=True)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own: in this one Triton may be an interpreter."""
    env = {**os.environ, "TRITON_CACHE_DIR": str(folder)}
    env.pop("TRITON_INTERPRET", None)
    return subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("triton")


@pytest.mark.parametrize(("target", "dtype", "rule"), [("sm_90", "float32", "AdamP"), ("gfx942", "bfloat16", "SGDP")])
def test_kernels_compile_as_they_must(cache: Path, target: str, dtype: str, rule: str) -> None:
    choice = ("--targets", target, "--dtypes", dtype, "--rules", rule)
    done = run(cache, "-m", "tangency.benchmarks.aot", *choice)
    assert done.returncode == 0, done.stdout + done.stderr
    table, estimates = done.stdout.split("\n\n")
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["statistics", "update", "finish", "decide"]
    assert estimates.count(" estimate ") == 1


WRONG = {
    "no promise that addresses are aligned": ("aligned=False", "loads of 128 bits"),
    "too few registers": ("maxnreg=32", "local memory"),
    "no cap on registers, and two vectors a thread": ("maxnreg=255, num_warps=4", "registers, more than 128"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_code_that_is_wrong_is_found(cache: Path, mistake: str) -> None:
    options, found = WRONG[mistake]
    script = (
        "from tangency.benchmarks import aot\n"
        "variant = aot.Variant('update', 'AdamP', 'float32', 'sm_90')\n"
        f"print(*aot.violations(variant, aot.compiled(variant, {options})))\n"
    )
    done = run(cache, "-c", script)
    assert found in done.stdout, done.stdout + done.stderr


def test_a_violation_is_an_exit_code(cache: Path) -> None:
    script = (
        "import sys\n"
        "from tangency.benchmarks import aot\n"
        "aot.KERNELS['statistics'] = aot.Kernel(5, 0)\n"
        "sys.exit(aot.main(['--targets', 'sm_90', '--dtypes', 'float32', '--rules', 'AdamP']))\n"
    )
    done = run(cache, "-c", script)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "8 loads of 128 bits, not 10" in done.stdout


LAUNCHES = """
import torch
from triton.runtime.driver import driver
from tangency.benchmarks import aot
from tangency.optim import AdamP, fused
from tangency.optim.gpu import decide, update


class Absent:
    # A card that is asked for its kind, and never to run anything.
    def get_current_target(self):
        return aot.TARGETS["sm_90"]

    def get_current_device(self):
        return 0

    def get_current_stream(self, device):
        return 0


class Compiled:
    # A kernel that is bound to its arguments and compiled as in a launch, but not launched.
    def __init__(self, kernel):
        self.kernel = kernel

    def __getitem__(self, grid):
        return lambda *args, **options: launched.append(self.kernel.warmup(*args, grid=grid, **options))


launched = []
kernels = {"statistics": decide, "decide": decide, "update": update}
driver.set_active(Absent())
for name, module in kernels.items():
    setattr(module, name, Compiled(getattr(module, name)))
fused.MODULES["cpu"] = "tangency.optim.gpu.launch"
p = torch.nn.Parameter(torch.ones(3, 7))
p.grad = torch.ones(3, 7)
AdamP([p], fused=True).step()
for name, module in kernels.items():
    setattr(module, name, getattr(module, name).kernel)
for name, binary in zip(("statistics", "decide", "update", "finish"), launched, strict=True):
    assert binary.asm["ptx"] == aot.built(aot.Variant(name, "AdamP", "float32", "sm_90")).asm["ptx"], name
print(len(launched))
"""


def test_what_a_step_launches_is_what_the_table_shows(cache: Path) -> None:
    done = run(cache, "-c", LAUNCHES)
    assert done.stdout == "4\n", done.stdout + done.stderr
