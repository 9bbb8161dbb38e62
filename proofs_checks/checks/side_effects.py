"""What a step must leave alone: random numbers, torch's settings, the terminal, memory."""

from __future__ import annotations

import contextlib
import gc
import io
import random
import warnings
import weakref
from typing import Any

import torch

from tangency.proofs_checks.checks.experiment import TORCH, behaviour
from tangency.proofs_checks.checks.tools import BUSY, Make, Wrong, parameter, same, show, steps
from tangency.proofs_checks.generate.spread import spread


@behaviour(
    "random-state",
    "a step draws no random numbers",
    "Algorithms 1 and 2 draw nothing at random",
    "A draw from the global generator changes dropout and the order of the data behind the user's back.",
    alone=True,
)
def random_state(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    before = torch.get_rng_state(), random.getstate()
    steps(make([p], if_offered=BUSY), p, [spread(2, 3, start=9)] * 2)
    if not torch.equal(before[0], torch.get_rng_state()):
        return Wrong("torch's random numbers go on", "the generator as it was", "another state")
    if before[1] != random.getstate():
        return Wrong("Python's random numbers go on", "the generator as it was", "another state")
    return None


def settings_of_torch() -> dict[str, Any]:
    """What a step could change for all other code."""
    return {
        "default dtype": torch.get_default_dtype(),
        "gradients enabled": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "anomaly mode": torch.is_anomaly_enabled(),
        "threads": torch.get_num_threads(),
        "float32 matmul precision": torch.get_float32_matmul_precision(),
    }


@behaviour(
    "global-state",
    "torch's global settings are the same after a step",
    "torch.optim: steps have no side effects",
    "Gradients that stay disabled, or another default dtype, break code that has nothing to do with the optimizer.",
    alone=True,
)
def global_state(make: Make) -> Wrong | None:
    before = settings_of_torch()
    p = parameter(spread(2, 3))
    try:
        steps(make([p], if_offered=BUSY), p, [spread(2, 3, start=9)] * 2)
        after = settings_of_torch()
    finally:
        torch.set_default_dtype(before["default dtype"])
        torch.set_grad_enabled(before["gradients enabled"])
        torch.use_deterministic_algorithms(before["deterministic algorithms"])
        torch.set_anomaly_enabled(before["anomaly mode"])
        torch.set_num_threads(before["threads"])
        torch.set_float32_matmul_precision(before["float32 matmul precision"])
    for name, value in before.items():
        if after[name] != value:
            return Wrong(f"a step changes a global setting: {name}", value, after[name])
    return None


@behaviour(
    "default-dtype",
    "the default dtype of torch does not change a step",
    "torch.optim: a parameter's dtype is its own",
    "A scalar that is made in the default dtype computes float64 training in float32 precision, or fails under a "
    "float16 default.",
    kinds=TORCH,
    alone=True,
)
def default_dtype(make: Make) -> Wrong | None:
    gradients = [spread(2, 3, start=start) for start in (9, 40, 70)]
    twin = parameter(spread(2, 3))
    expected = steps(make([twin], if_offered=BUSY), twin, gradients)
    before = torch.get_default_dtype()
    for dtype in (torch.float64, torch.float16):
        p = parameter(spread(2, 3))
        try:
            torch.set_default_dtype(dtype)
            got = steps(make([p], if_offered=BUSY), p, gradients)
        finally:
            torch.set_default_dtype(before)
        if not same(got, expected):
            given = f"float64 weights under the default dtype {dtype}, three steps"
            return Wrong("the default dtype changes a step", show(expected), show(got), given)
    return None


@behaviour(
    "silent",
    "an ordinary step prints nothing and warns of nothing",
    "torch.optim: steps are silent",
    "A line a step fills the logs of a training run; a deprecated call warns today and fails with the next torch.",
    alone=True,
)
def silent(make: Make) -> Wrong | None:
    torch.optim.SGD([parameter([1.0])], lr=0.1).step()  # torch imports more of itself, and warns, at its first step
    p, out, err = parameter(spread(2, 3)), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        steps(make([p], if_offered=BUSY), p, [spread(2, 3, start=9)] * 3)
    printed = out.getvalue() + err.getvalue() + "".join(f"{warning.message}\n" for warning in seen)
    if printed:
        return Wrong("an ordinary step is not silent", "nothing", printed.splitlines()[0], "three steps")
    return None


def held(x: Any, depth: int = 0) -> int:
    """How many numbers an object keeps, in containers and tensors."""
    if isinstance(x, torch.Tensor):
        return x.numel()
    if isinstance(x, dict):
        return sum(1 + held(value, depth + 1) for value in x.values()) if depth < 8 else 1
    if isinstance(x, list | tuple | set):
        return sum(held(value, depth + 1) for value in x) if depth < 8 else 1
    return 1


@behaviour(
    "memory-does-not-grow",
    "the optimizer keeps as much after nine steps as after three",
    "Algorithms 1 and 2: the state is one buffer, or two and a count",
    "What a step keeps for ever ends a long run with an error that names something else.",
    alone=True,
)
def memory_does_not_grow(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    optimizer = make([p], if_offered=BUSY)
    counts = []
    for count in (3, 6):
        steps(optimizer, p, [spread(2, 3, start=9 + t) for t in range(count)])
        counts.append(held(vars(optimizer)))
    if counts[1] > counts[0]:
        return Wrong(
            "the optimizer keeps more and more", f"{counts[0]} numbers", f"{counts[1]} numbers", "3 and 9 steps"
        )
    return None


@behaviour(
    "gradient-released",
    "no gradient is kept alive after its step",
    "torch.optim.Optimizer.zero_grad(set_to_none=True): frees the gradients",
    "A buffer that is the first gradient itself, or a reference to it, keeps a copy of the model in memory.",
    kinds=TORCH,
    alone=True,
)
def gradient_released(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    optimizer = make([p], if_offered=BUSY)
    alive = []
    for t in range(3):
        g = spread(2, 3, start=9 + t)
        address = g.untyped_storage().data_ptr()
        p.grad = g
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        kept = [x for x in optimizer.state[p].values() if isinstance(x, torch.Tensor)]
        if any(x.untyped_storage().data_ptr() == address for x in kept):
            return Wrong(
                "the state shares the memory of a gradient", "memory of its own", f"the gradient of step {t + 1}"
            )
        alive.append(weakref.ref(g))
        del g
    if any(reference() is not None for reference in alive):
        gc.collect()  # cycles
    count = sum(reference() is not None for reference in alive)
    if count:
        return Wrong("gradients are kept alive after their step", "none", f"{count} of 3")
    return None


CHECKS = (
    random_state,
    global_state,
    default_dtype,
    silent,
    memory_does_not_grow,
    gradient_released,
)
