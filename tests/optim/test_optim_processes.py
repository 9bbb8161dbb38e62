"""Forks, threads and places that cannot be written to: a step in any of them ends, and steps right."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from tangency.optim import AdamP

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

STEPS = """
import os, sys, threading, time
import numpy as np
import torch
torch.set_num_threads(2)

def optimizer(**path):
    from tangency.optim import AdamP
    # Large enough for torch to share out among threads what it does with it; made by numpy, for torch would hang.
    p = torch.nn.Parameter(torch.from_numpy(np.arange(2.0**19, dtype=np.float32).reshape(512, 1024)))
    p.grad = torch.from_numpy(np.ones((512, 1024), np.float32))
    return AdamP([p], **path)

def step_all():
    for path in ({"fused": True}, {"foreach": True}, {"foreach": False}):
        made = optimizer(**path)
        made.step()
        (p,) = made.param_groups[0]["params"]
        assert made.state[p]["step"].item() == 1 and np.isfinite(p.detach().numpy()).all()

def forever():
    made = optimizer(fused=True)
    while True:
        made.step()
        started.set()

started = threading.Event()
torch.ones(2**20).add(1).sum()  # OpenMP has its threads now
"""

CHILD = """
pid = os.fork()
if pid == 0:
    try:
        step_all()
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(3)
    os._exit(0)
_, status = os.waitpid(pid, 0)
os._exit(os.waitstatus_to_exitcode(status) % 256)
"""

BEFORE = {
    "nothing": "",
    "imported": "import tangency.optim",
    "stepped": "optimizer(fused=True).step()",
    "all paths stepped": "step_all()",
    "a thread that steps": "threading.Thread(target=forever, daemon=True).start(); started.wait()",
    "a thread that compiles": """
from tangency.optim.process import MAKING
threading.Thread(target=forever, daemon=True).start()
while not started.is_set() and MAKING.acquire(blocking=False):
    MAKING.release()
    time.sleep(0.001)
""",
    "a grandchild": "step_all(); os.fork() and os._exit(os.waitstatus_to_exitcode(os.wait()[1]) % 256)",
    "one thread": "torch.set_num_threads(1); step_all()",
}


def run(script, **more):
    ended = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=90,  # a hang
        env={**os.environ, "OMP_NUM_THREADS": "2", **more},
    )
    assert ended.returncode == 0, ended.stderr
    return ended


@needs_fork
@pytest.mark.parametrize("before", BEFORE)
def test_a_forked_child_steps_on_every_path(before):
    run(STEPS + BEFORE[before] + "\n" + CHILD)


@needs_fork
def test_the_default_pool_of_multiprocessing_and_the_workers_of_a_data_loader():
    script = """
import multiprocessing
from torch.utils.data import DataLoader
step_all()
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(lambda_free, range(2))
class Data(torch.utils.data.Dataset):
    def __len__(self): return 4
    def __getitem__(self, i): return torch.ones(2**18).mul(i)
got = [x.sum().item() for x in DataLoader(Data(), num_workers=2, multiprocessing_context="fork")]
assert got == [i * 2**18 for i in range(4)], got
step_all()
"""
    run(STEPS + "def lambda_free(_): step_all()\n" + script)


def test_first_steps_of_many_threads_compile_once(tmp_path):
    script = """
from tangency.optim.cpu import team
made, count = team._compile, []
team._compile = lambda *a, **k: count.append(a) or made(*a, **k)
threads = [threading.Thread(target=lambda: optimizer(fused=True).step()) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(count) == 1, count
"""
    run(STEPS + script)


@pytest.mark.parametrize("failure", ["no locator available", "no space left"])
def test_where_numba_can_keep_nothing_a_step_says_so_once_and_compiles(failure, monkeypatch):
    from tangency.optim.cpu import team

    asked = []

    def compile(compute, *, cached):
        asked.append(cached)
        if cached:
            raise (RuntimeError if "locator" in failure else OSError)(failure)
        return made(compute, cached=True)

    made = team._compile
    monkeypatch.setattr(team, "_compile", compile)
    monkeypatch.setattr(team, "_entries", {})
    p = torch.nn.Parameter(torch.ones(4, 3))
    p.grad = torch.ones(4, 3)
    optimizer = AdamP([p], fused=True)
    with pytest.warns(RuntimeWarning, match=f"NUMBA_CACHE_DIR may name a folder.*{failure}"):
        optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
    assert asked == [True, False]


def test_a_place_that_numba_refuses_is_one_of_those(monkeypatch):
    from numba.core.caching import CacheImpl

    from tangency.optim.cpu import team

    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        team._compile(torch.float32, cached=True)


@pytest.mark.parametrize("fused", [False, True])
def test_the_default_device_plays_no_part(fused):
    try:
        torch.set_default_device("meta")
        p = torch.nn.Parameter(torch.ones(4, 3, device="cpu"))
        p.grad = torch.ones(4, 3, device="cpu")
        optimizer = AdamP([p], weight_decay=0.1, fused=fused, foreach=not fused)
        optimizer.step()
        saved = optimizer.state_dict()
        saved["state"][0]["step"] = 1
        optimizer.load_state_dict(saved)
        optimizer.step()
    finally:
        torch.set_default_device(None)
    assert {x.device.type for x in optimizer.state[p].values()} == {"cpu"}
    assert optimizer.state[p]["step"].item() == 2


def test_what_a_first_step_waits_for_is_said_once(caplog):
    from tangency.optim.cpu import team

    compiling = team._Announcement(np.float32)
    for _ in range(2):
        compiling.on_start(None)
        compiling.on_end(None)
    (said,) = caplog.messages
    assert said.startswith("compiling the CPU kernels of fused=True that compute in float32")
