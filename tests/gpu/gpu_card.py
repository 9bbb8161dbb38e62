"""The card that the steps run on, its versions and the day, as one line of JSON: ``python gpu_card.py [--dry]``.

Needs torch alone. Exits with 4 where there is no GPU, and none is to be done without.
"""

import json
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "triton", "numpy", "numba", "hypothesis", "python-flint", "adamp", "timm", "pytorch_optimizer")
NO_GPU = 4


def main(*, dry: bool) -> int:
    """Print the line, or why there is none."""
    import torch

    if not dry and not torch.cuda.is_available():
        print("no GPU: torch.cuda.is_available() is false; --dry does the steps on the CPU", file=sys.stderr)
        return NO_GPU
    found = {"card": "the CPU, in Triton's interpreter", "dry": True} if dry else _card()
    found |= {"versions": _versions(), "system": platform.platform(terse=True)}
    found |= {"commit": _said("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD")}
    found |= {"day": time.strftime("%Y-%m-%d", time.gmtime())}
    print(json.dumps(found))
    return 0


def _card() -> dict[str, object]:
    import torch

    device = torch.cuda.get_device_properties(0)
    return {
        "card": device.name,
        "memory": device.total_memory,
        "capability": f"{device.major}.{device.minor}",
        "processors": device.multi_processor_count,
        "runtime": torch.version.cuda or torch.version.hip,
        "driver": _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
    }


def _said(*command: str) -> str:
    """The first line that a command prints; nothing, where there is no such command or it fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return "" if done.returncode else done.stdout.strip().partition("\n")[0]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    raise SystemExit(main(dry="--dry" in sys.argv[1:]))
