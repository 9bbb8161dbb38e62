"""What a run does, by the name of its task; imported in the process that does it."""

import importlib
import platform
import time
from typing import Any

TASKS = {
    "classify": "classify:classify",
    "causal": "causal:transplanted",
    "toy": "toy:toy",
    "search": "toy:search",
    "share": "resnets:share",
    "language": "language:language",
    "retrieve": "retrieve:retrieve",
    "resist": "resist:resist",
    "listen": "listen:listen",
    "detect": "detect:detect",
}


def perform(config: dict[str, Any]) -> dict[str, Any]:
    """Do a run in this process, on one thread, and give what is stored of it.

    Args:
        config: ``task`` and its options.

    Returns:
        ``config``, ``result``, ``cpu_seconds``, and the ``versions`` and ``machine`` that it ran on.
    """
    import numpy
    import torch

    module, _, name = TASKS[config["task"]].partition(":")
    task = getattr(importlib.import_module(f"tangency.benchmarks.experiments.{module}"), name)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums depend on their number
    try:
        started = time.process_time()
        result = task(config)
    finally:
        torch.set_num_threads(threads)
    return {
        "config": config,
        "result": result,
        "cpu_seconds": round(time.process_time() - started, 2),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
        "machine": f"{platform.machine()}, {platform.system()}",
    }
