"""What torch promises of every optimizer's step: closures, graphs, in-place writes, gradients that stay as they are."""

from __future__ import annotations

from typing import Any

import torch

from tangency.proofs_checks.checks.experiment import STEP, TORCH, behaviour
from tangency.proofs_checks.checks.tools import BUSY, Make, Wrong, parameter, same, show, steps
from tangency.proofs_checks.generate.spread import spread


@behaviour(
    "closure-with-gradients",
    "a closure runs once, with gradients enabled, also where step is called under no_grad",
    STEP + ": `with torch.enable_grad(): loss = closure()`",
    "step(closure) inside torch.no_grad() is ordinary in training frameworks: backward() then raises, or no gradient "
    "is ever computed.",
    kinds=TORCH,
)
def closure_with_gradients(make: Make) -> Wrong | None:
    p, seen = parameter(spread(2, 3)), []
    optimizer = make([p])

    def closure() -> torch.Tensor:
        seen.append(torch.is_grad_enabled())
        loss = (p * p).sum()
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.no_grad():
        optimizer.step(closure)
    if seen != [True]:
        how = "with gradients disabled" if seen == [False] else f"{len(seen)} times"
        return Wrong(f"the closure runs {how}", "once, with gradients enabled", how, "step(closure) under no_grad")
    return None


@behaviour(
    "closure-loss",
    "step returns the loss of its closure, and nothing without one; the closure's gradient is the one that counts",
    STEP,
    "Training loops log the returned loss. A step that reads the gradient before it calls the closure is one step "
    "late.",
    kinds=TORCH,
)
def closure_loss(make: Make) -> Wrong | None:
    p, twin, g = parameter(spread(2, 3)), parameter(spread(2, 3)), spread(2, 3, start=9)
    optimizer, losses = make([p]), []

    def closure() -> torch.Tensor:
        p.grad = g.clone()
        losses.append((p.detach() * g).sum())
        return losses[-1]

    p.grad = torch.full_like(p, 100.0)
    loss: Any = optimizer.step(closure)
    expected = steps(make([twin]), twin, [g])
    if not losses:
        return Wrong("step(closure) never calls its closure", "one call", "none")
    if loss is not losses[0]:
        return Wrong("step(closure) does not return its loss", losses[0], loss)
    if not same(p.detach(), expected):
        return Wrong("the closure's gradient is not the one that is used", show(expected), show(p.detach()))
    if optimizer.step() is not None:
        return Wrong("step() without a closure returns something", None, "something else")
    return None


@behaviour(
    "step-leaves-no-graph",
    "a step records nothing for autograd, and leaves leaves that require gradients",
    STEP + ": decorated with no_grad",
    "A step in the graph keeps every old weight and gradient alive: memory grows by a model a step until it runs out.",
    kinds=TORCH,
)
def step_leaves_no_graph(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    optimizer = make([p], if_offered=BUSY)
    with torch.enable_grad():
        p.grad = (spread(2, 3, start=9) * p).detach()
        optimizer.step()
    if p.grad_fn is not None or not p.is_leaf or not p.requires_grad:
        return Wrong("a parameter is no leaf any more", "a leaf that requires gradients", f"grad_fn = {p.grad_fn}")
    held = {name: x for name, x in optimizer.state[p].items() if isinstance(x, torch.Tensor) and x.requires_grad}
    if held:
        return Wrong("the state requires gradients", "none", ", ".join(held))
    return None


@behaviour(
    "step-in-place",
    "a step writes into the memory of the parameter",
    STEP + ": parameters are updated in place",
    "Tied weights, flat buffers, CUDA graphs and data-parallel buckets hold the same memory; a step that puts another "
    "tensor in its place leaves them behind.",
    kinds=TORCH,
)
def step_in_place(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    alias, address = p.detach(), p.data_ptr()
    after = steps(make([p]), p, [spread(2, 3, start=9)] * 2)
    if p.data_ptr() != address or not same(alias, after):
        return Wrong("the parameter moves to other memory", show(after), f"{show(alias)} in the old memory")
    return None


@behaviour(
    "version-counter",
    "a step counts as a change: a graph that still needs the old weights refuses to run backward",
    "torch.autograd: in-place correctness checks",
    "A write through p.data is invisible to autograd. backward() on a graph from before the step then computes with "
    "the new weights, and gives wrong gradients in silence instead of an error.",
    kinds=TORCH,
)
def version_counter(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    optimizer = make([p])
    before = p._version
    p.grad = spread(2, 3, start=9)
    optimizer.step()
    if p._version == before:
        return Wrong(
            "the step does not raise the version of its parameter",
            f"a version above {before}",
            p._version,
            "loss = (p ** 2).sum(); optimizer.step(); loss.backward() uses the new p without an error",
        )
    return None


@behaviour(
    "gradient-untouched",
    "p.grad is the same tensor with the same values after a step",
    STEP + ": reads the gradient",
    "Gradients are accumulated, logged and clipped after the step too. Weight decay, maximize or a projection that is "
    "done in place on p.grad changes the next step.",
    alone=True,
)
def gradient_untouched(make: Make) -> Wrong | None:
    for shape in ((3,), (2, 3)):
        for hyper in ({}, BUSY, {"maximize": True}, {"nesterov": True, "momentum": 0.5}, {"delta": 100.0}):
            p, g = parameter(spread(*shape)), spread(*shape, start=9)
            optimizer = make([p], if_offered=hyper)
            given = g.clone()
            p.grad = given
            for number in (1, 2):
                optimizer.step()
                if p.grad is not given or not same(given, g):
                    text = ", ".join(f"{name}={value}" for name, value in hyper.items()) or "usual hyper-parameters"
                    return Wrong(
                        "a step changes p.grad",
                        show(g),
                        "another tensor" if p.grad is not given else show(given),
                        f"shape {shape}, {text}, step {number}",
                    )
    return None


@behaviour(
    "same-gradient-twice",
    "two steps on one gradient tensor are two steps on that gradient",
    STEP + ": reads the gradient",
    "p.grad may be one buffer for ever (CUDA graphs, flat buffers). A momentum that is an alias of it, or a sign that "
    "is flipped in place, goes wrong at the second step.",
)
def same_gradient_twice(make: Make) -> Wrong | None:
    for hyper in ({}, {"maximize": True}, {"delta": 100.0}):
        for shape in ((3,), (2, 3)):
            p, twin, g = parameter(spread(*shape)), parameter(spread(*shape)), spread(*shape, start=9)
            expected = steps(make([twin], if_offered=hyper), twin, [g, g, g * 2])
            optimizer, buffer = make([p], if_offered=hyper), g.clone()
            p.grad = buffer
            optimizer.step()
            optimizer.step()
            buffer.copy_(g * 2)  # as the next backward pass does
            optimizer.step()
            if not same(p.detach(), expected):
                return Wrong(
                    "steps on one gradient tensor differ from steps on copies of it",
                    show(expected),
                    show(p.detach()),
                    f"g, g, 2g in one tensor, shape {shape}, {hyper or 'usual hyper-parameters'}",
                )
    return None


CHECKS = (
    closure_with_gradients,
    closure_loss,
    step_leaves_no_graph,
    step_in_place,
    version_counter,
    gradient_untouched,
    same_gradient_twice,
)
