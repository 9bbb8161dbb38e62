"""Ways to run a step: loop, foreach, fused, captured, compiled. Twice the same steps."""

from __future__ import annotations

import logging
from typing import Any

import torch

from tangency.proofs_checks.checks.experiment import TORCH, behaviour
from tangency.proofs_checks.checks.tools import Inapplicable, Make, Wrong, agree, parameter, same, show, steps
from tangency.proofs_checks.finding import Check
from tangency.proofs_checks.generate.spread import spread

# Short averages: 1 − βᵗ does not cancel. Captured and compiled steps count in float32, as torch.optim's do.
SHORT = {"weight_decay": 0.25, "betas": (0.5, 0.75)}
COUNTED = torch.float32
SHAPES = ((2, 3), (3,), (2, 3, 2, 2))


def three_steps(make: Make, dtype: torch.dtype, leaf: bool = True, **hyper: Any) -> list[torch.Tensor]:
    """Parameters of several shapes after three steps."""
    params: list[torch.Tensor] = [parameter(spread(*shape).to(dtype)) for shape in SHAPES]
    if not leaf:
        params = [p.clone() for p in params]
    try:
        optimizer = make(params, if_offered=SHORT, **hyper)
    except Exception as error:
        if True not in hyper.values():
            raise
        arguments = ", ".join(f"{name}=True" for name, value in hyper.items() if value)
        raise Inapplicable(f"it refuses {arguments} here: {type(error).__name__}: {error}") from None
    for t in range(3):
        for index, p in enumerate(params):
            p.grad = spread(*p.shape, start=9 + 7 * index + 30 * t).to(dtype)
        try:
            optimizer.step()
        except Exception as error:
            if not hyper.get("capturable"):
                raise
            raise Inapplicable(f"capturable=True needs an accelerator: {type(error).__name__}: {error}") from None
    return [p.detach().clone() for p in params]


def path(make: Make, name: str) -> Wrong | None:
    """A path against the loop, up to rounding."""
    for dtype in (torch.float64, torch.float32):
        off = {other: False for other in ("foreach", "fused") if other in make.own and other != name}
        expected = three_steps(make, dtype, **({"foreach": False} if "foreach" in make.own else {}))
        got = three_steps(make, dtype, leaf=name != "differentiable", **{**off, name: True})
        for shape, a, b in zip(SHAPES, got, expected, strict=True):
            counted = COUNTED if name in ("capturable", "differentiable") else dtype
            if not agree(a, b, size=16.0, steps=3, precision=counted):
                given = f"{dtype}, shape {shape}, three steps"
                return Wrong(f"{name}=True steps differently from the loop", show(b), show(a), given)
    return None


def agrees(name: str, why: str) -> Check:
    """The check that a way to run a step gives the loop's result."""
    return behaviour(
        f"{name}-agrees",
        f"{name}=True steps as the plain loop does",
        f"torch.optim: {name}",
        why,
        kinds=TORCH,
        needs=(name,),
        extra={"name": name},
    )(path)


PATHS = (
    agrees("foreach", "foreach is what runs on GPUs by default: an error there shows in no test on the CPU."),
    agrees("fused", "The fused kernel is a second implementation of the whole step."),
    agrees("capturable", "With capturable the step count is a tensor: an integer division or a copy then goes wrong."),
    agrees("differentiable", "Meta-learning differentiates through the step; it must be the step that is taken."),
)


@behaviour(
    "compiled-agrees",
    "torch.compile(optimizer.step) steps as it does uncompiled",
    "torch.compile; PyTorch tutorial: Compiling the optimizer",
    "Compiled training traces the step. A step count that is a Python number is frozen or compiled anew at every step; "
    "state that is made inside the graph is lost.",
    kinds=TORCH,
)
def compiled_agrees(make: Make) -> Wrong | None:
    p, twin = parameter(spread(2, 3)), parameter(spread(2, 3))
    gradients = [spread(2, 3, start=start) for start in (9, 40, 70)]
    expected = steps(make([twin], if_offered=SHORT), twin, gradients)
    optimizer = make([p], if_offered=SHORT)
    quiet = logging.root.manager.disable
    torch._dynamo.reset()
    try:
        logging.disable(logging.WARNING)  # dynamo tells of the hooks that it leaves out
        step = torch.compile(optimizer.step, backend="eager")
        for g in gradients:
            p.grad = g.clone()
            step()  # type: ignore[no-untyped-call]
    finally:
        logging.disable(quiet)
        torch._dynamo.reset()
    if not agree(p.detach(), expected, size=16.0, steps=3, precision=COUNTED):
        return Wrong("the compiled step differs", show(expected), show(p.detach()), "shape (2, 3), three steps")
    return None


@behaviour(
    "deterministic",
    "the same steps give the same bits",
    "Algorithms 1 and 2 draw nothing at random",
    "A run that cannot be repeated cannot be debugged.",
    alone=True,
)
def deterministic(make: Make) -> Wrong | None:
    ends = []
    for _ in range(3):
        p = parameter(spread(8, 16).float())
        ends.append(steps(make([p]), p, [spread(8, 16, start=start).float() for start in (9, 40, 70)]))
    if not all(same(end, ends[0]) for end in ends):
        return Wrong("the same steps end at different weights", show(ends[0][0]), show(ends[-1][0]), "run three times")
    return None


CHECKS = (
    *PATHS,
    compiled_agrees,
    deterministic,
)
