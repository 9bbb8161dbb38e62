"""The machine of a measurement: processor, versions, threads, caches."""

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("tangency", "torch", "numpy", "numba", "triton", "adamp", "timm", "pytorch_optimizer")


@dataclass(frozen=True)
class Machine:
    """Where and with what a run was measured.

    Attributes:
        processor: its name; of a GPU, that of the device.
        threads: what torch computes with on the CPU.
        cache: bytes of the largest cache; 0 if unknown.
        versions: of Python and of the installed packages that take part.
    """

    processor: str
    system: str
    cores: int
    threads: int
    cache: int
    versions: dict[str, str]


def machine(device: str = "cpu") -> Machine:
    """Describe this machine as a benchmark on ``device`` sees it."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Machine(
        processor=_processor() if device == "cpu" else torch.cuda.get_device_name(device),
        system=platform.platform(terse=True),
        cores=_cores(),
        threads=torch.get_num_threads(),
        cache=_cache() if device == "cpu" else torch.cuda.get_device_properties(device).L2_cache_size,
        versions=versions,
    )


class Neighbours:
    """The share of this machine that other processes use from now on (Linux; elsewhere unknown).

    torch's threads wait for each other in every tensor, so that a single busy neighbour can make its steps
    ten times slower than ours, and no median over rounds takes that away.
    """

    def __init__(self) -> None:
        self._before = self._now()

    def share(self) -> float | None:
        """Of the time of all cores since the beginning."""
        spent = [now - before for now, before in zip(self._now(), self._before, strict=True)]
        total, busy, own = spent
        return min(1.0, max(0.0, busy - own) / total) if total > 0 else None

    @staticmethod
    def _now() -> tuple[float, float, float]:
        """CPU seconds of this machine so far: all, those that were not idle, our own."""
        try:
            fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        except OSError:
            return 0.0, 0.0, 0.0
        # user, nice, system, idle, iowait, irq, softirq, steal
        ticks = [int(field) / os.sysconf("SC_CLK_TCK") for field in fields]
        return sum(ticks), sum(ticks) - sum(ticks[3:5]), time.process_time()


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cache() -> int:
    """Bytes of the largest cache of the first core, from Linux; 0 elsewhere."""
    sizes = [0]
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text(encoding="utf-8").strip()
        unit = {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1:], 1)
        digits = text.rstrip("KMG")
        sizes.append(int(digits) * unit if digits.isdigit() else 0)
    return max(sizes)
