"""Values and shapes of every kind: zeros, huge and tiny ones, NaN, infinity, empty, 0-dim, short dtypes."""

from __future__ import annotations

import math

import torch

from tangency.proofs_checks.checks.experiment import TORCH, TORCH_OPTIM, behaviour
from tangency.proofs_checks.checks.tools import Make, Wrong, agree, parameter, same, show, steps
from tangency.proofs_checks.generate.spread import spread


@behaviour(
    "zero-gradient",
    "a zero gradient moves nothing that has no momentum: no 0/0",
    "Eqs. 2 and 7; Algorithm 2: m/(√v + ε) is 0/ε",
    "A layer that is frozen by a mask, or dead from the start, gets zero gradients. Weights that turn NaN are lost.",
    free=True,
)
def zero_gradient(make: Make) -> Wrong | None:
    for shape in ((3,), (2, 3), (2, 3, 2, 2)):
        w = spread(*shape)
        p = parameter(w)
        after = steps(make([p]), p, [torch.zeros_like(w)] * 2)
        if not same(after, w):
            return Wrong("a zero gradient moves the weights", show(w), show(after), f"w of shape {shape}, g = 0 twice")
    return None


@behaviour(
    "zero-gradient-is-a-step",
    "a zero gradient is a step like any other: momentum and weight decay go on",
    "torch.optim: only p.grad = None is skipped",
    "An optimizer that skips zero gradients forgets the momentum of sparse activations, and stops the decay of unused "
    "embeddings.",
    free=True,
)
def zero_gradient_is_a_step(make: Make) -> Wrong | None:
    w = spread(2, 3)
    if make.momentum:
        p = parameter(w)
        optimizer = make([p])
        before = steps(optimizer, p, [spread(2, 3, start=9)])
        if same(before, steps(optimizer, p, [torch.zeros_like(w)])):
            return Wrong("momentum stops at a zero gradient", "the weights move on", "they stay", "g, then 0")
    if "weight_decay" in make.own:
        p = parameter(w)
        if same(w, steps(make([p], weight_decay=0.5), p, [torch.zeros_like(w)] * 2)):
            return Wrong("weight decay stops at a zero gradient", "the weights decay", "they stay", "g = 0 twice")
    return None


@behaviour(
    "zero-weights",
    "weights that are all zero move against their gradient, like any others",
    "§3.1, Eq. 10: w = 0 has no direction",
    "Zero initialisation is common for the last layer of a block. w·p/‖w‖² is 0/0 there: the weights become NaN, or "
    "never leave zero.",
    free=True,
    alone=True,
)
def zero_weights(make: Make) -> Wrong | None:
    for shape in ((3,), (2, 3), (2, 3, 2, 2)):
        p, g = parameter(torch.zeros(shape, dtype=torch.float64)), spread(*shape)
        after = steps(make([p]), p, [g, g])
        if not bool((after * g < 0).all()):
            return Wrong(
                "zero weights do not move against their gradient",
                f"the signs of {show(-g)}",
                show(after),
                f"w = 0 of shape {shape}, g = {show(g)} twice",
            )
    return None


@behaviour(
    "finite-for-every-gradient",
    "weights stay numbers for every gradient from 1e-30 to 1e30",
    "float32 holds 1e-38 to 3e38",
    "g² leaves the range of float32 on both sides. Where 0/0 or ∞/∞ follows, one outlier batch makes the model NaN.",
    free=True,
    alone=True,
)
def finite_for_every_gradient(make: Make) -> Wrong | None:
    for size in (1e-30, 1e-20, 1e-10, 1.0, 1e10, 1e20, 1e30):
        for shape in ((3,), (2, 3)):
            p, g = parameter(spread(*shape).float()), (spread(*shape, start=9) * size).float()
            after = steps(make([p]), p, [g, g.flip(0)])
            if bool(after.isnan().any()):
                given = f"float32, w of shape {shape} and ordinary size, |g| about {size:g}, two steps"
                return Wrong("weights become NaN by a finite gradient", "numbers", show(after), given)
    return None


def spoiled(make: Make, value: float) -> Wrong | None:
    """One entry of one gradient is not finite: the others must stay numbers."""
    for shape in ((3,), (2, 3), (4, 2, 2, 2)):
        w, g = spread(*shape), spread(*shape, start=9)
        g.reshape(-1)[1] = value
        p = parameter(w)
        after = steps(make([p]), p, [g]).reshape(-1)
        bad = [i for i, x in enumerate(after.tolist()) if i != 1 and not math.isfinite(x)]
        if bad:
            given = f"w of shape {shape}, g[{1}] = {value} (flat index), one step"
            return Wrong(f"{value} spreads", "at most entry 1 is not finite", f"entries {bad} are not, too", given)
    return None


@behaviour(
    "nan-spread",
    "a NaN in one entry of a gradient spoils that entry alone",
    "Algorithms 1 and 2 (and Adam) are elementwise where nothing is projected; a NaN never passes Eq. 11",
    "A single NaN that spreads through ‖w‖‖g‖ to the whole layer can no longer be traced or masked.",
    free=True,
    alone=True,
)
def nan_spread(make: Make) -> Wrong | None:
    return spoiled(make, math.nan)


@behaviour(
    "inf-spread",
    "an infinity in one entry of a gradient spoils that entry alone",
    "Algorithms 1 and 2 (and Adam) are elementwise where nothing is projected",
    "Overflow of one entry under mixed precision must not cost the whole layer.",
    free=True,
    alone=True,
)
def inf_spread(make: Make) -> Wrong | None:
    return spoiled(make, math.inf) or spoiled(make, -math.inf)


@behaviour(
    "empty-parameter",
    "a parameter without elements is no error, and does not stop the others",
    TORCH_OPTIM,
    "Pruned layers, sharded models and optional heads have empty parameters; reductions such as max() raise on them.",
    kinds=TORCH,
    alone=True,
)
def empty_parameter(make: Make) -> Wrong | None:
    for shape in ((0,), (0, 3), (3, 0), (2, 0, 2)):
        empty, p = parameter(torch.zeros(shape)), parameter(spread(2, 3))
        empty.grad = torch.zeros(shape)
        optimizer = make([empty, p])
        after = steps(optimizer, p, [spread(2, 3, start=9)])
        if empty.shape != shape or same(after, spread(2, 3)):
            return Wrong("an empty parameter changes shape or stops the others", shape, tuple(empty.shape))
    return None


@behaviour(
    "scalar-parameter",
    "a parameter of no dimension moves as a vector of one entry does",
    TORCH_OPTIM,
    "Temperatures and gains are 0-dim parameters; size(0) raises on them.",
    kinds=TORCH,
    free=True,
    alone=True,
)
def scalar_parameter(make: Make) -> Wrong | None:
    scalar, vector = parameter(torch.tensor(1.5)), parameter(torch.tensor([1.5]))
    gradients = [torch.tensor(0.25), torch.tensor(-2.0)]
    got = steps(make([scalar]), scalar, gradients)
    expected = steps(make([vector]), vector, [g.reshape(1) for g in gradients])[0]
    if not agree(got, expected, size=4.0, steps=2):
        return Wrong("a 0-dim parameter moves differently", show(expected), show(got), "w = 1.5, g = 0.25, then −2")
    return None


@behaviour(
    "short-dtypes",
    "float16 and bfloat16 parameters keep their dtype, and move",
    TORCH_OPTIM,
    "A float32 intermediate that is not cast back raises, or replaces the parameter's data by a tensor twice as large.",
    kinds=TORCH,
    free=True,
)
def short_dtypes(make: Make) -> Wrong | None:
    for dtype in (torch.bfloat16, torch.float16):
        for shape in ((3,), (2, 3)):
            w, g = spread(*shape).to(dtype), spread(*shape, start=9).to(dtype)
            p = parameter(w)
            optimizer = make([p], if_offered={"weight_decay": 0.25})
            given = f"{dtype}, shape {shape}, ordinary size, two steps"
            for _ in range(2):
                after = steps(optimizer, p, [g])
                if p.dtype != dtype:
                    return Wrong("the parameter changes its dtype", dtype, p.dtype, given)
            if not bool(after.isfinite().all()) or bool((after == w).any()):
                return Wrong(
                    "weights do not move, or not to numbers", f"other numbers than {show(w)}", show(after), given
                )
    return None


@behaviour(
    "mixed-dtypes",
    "parameters of several dtypes in one group step as they do alone",
    TORCH_OPTIM,
    "Models with a float32 head on a bfloat16 body are common; a path that batches tensors must group them by dtype.",
    kinds=TORCH,
)
def mixed_dtypes(make: Make) -> Wrong | None:
    dtypes = (torch.float32, torch.bfloat16, torch.float64)
    values, g = [spread(2, 3).to(dtype) for dtype in dtypes], spread(2, 3, start=9)
    together = [parameter(x) for x in values]
    optimizer = make(together)
    for p in together:
        p.grad = g.to(p.dtype)
    optimizer.step()
    for x, p in zip(values, together, strict=True):
        alone = parameter(x)
        expected = steps(make([alone]), alone, [g.to(x.dtype)])
        if not same(p.detach(), expected):
            return Wrong(f"{x.dtype} beside other dtypes steps differently", show(expected), show(p.detach()))
    return None


CHECKS = (
    zero_gradient,
    zero_gradient_is_a_step,
    zero_weights,
    finite_for_every_gradient,
    nan_spread,
    inf_spread,
    empty_parameter,
    scalar_parameter,
    short_dtypes,
    mixed_dtypes,
)
