"""Tensors of every kind: memory layouts, complex numbers, sparse gradients, views of other tensors."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from tangency.proofs_checks.checks.experiment import TORCH, TORCH_OPTIM, behaviour
from tangency.proofs_checks.checks.tools import Make, Wrong, agree, parameter, same, show, steps
from tangency.proofs_checks.generate.spread import spread


def layouts(x: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """The same values in other memory layouts."""
    yield "transposed", x.transpose(0, -1).contiguous().transpose(0, -1)
    padded = x.new_full((*x.shape[:-1], 2 * x.shape[-1]), 7.0)
    padded[..., ::2] = x
    yield "strided (every other entry)", padded[..., ::2]
    if x.dim() == 4:
        yield "channels_last", x.contiguous(memory_format=torch.channels_last)


def with_layouts(make: Make, of_weights: bool, of_gradients: bool) -> Wrong | None:
    """Three steps in other layouts, against the contiguous ones."""
    for shape in ((2, 3), (3, 2, 2, 2)):
        gradients = [spread(*shape, start=start) for start in (9, 40, 70)]
        plain = parameter(spread(*shape))
        hyper = {"weight_decay": 0.25}
        expected = steps(make([plain], if_offered=hyper), plain, gradients)
        for index, (name, w) in enumerate(layouts(spread(*shape))):
            given = [list(layouts(g))[index][1] for g in gradients] if of_gradients else gradients
            p = torch.nn.Parameter(w if of_weights else spread(*shape))
            optimizer = make([p], if_offered=hyper)
            for g in given:
                p.grad = g
                optimizer.step()
            if not agree(p.detach(), expected, size=16.0, steps=3):
                what = " and ".join(["weights"] * of_weights + ["gradients"] * of_gradients)
                return Wrong(
                    f"{name} {what} step differently from contiguous ones",
                    show(expected),
                    show(p.detach()),
                    f"float64, shape {shape}, three steps",
                )
    return None


@behaviour(
    "parameter-layouts",
    "transposed, strided and channels_last parameters step as contiguous ones do",
    TORCH_OPTIM,
    "channels_last is the recommended layout for convolutions on GPUs, and tied or sharded weights are views. view() "
    "raises on them; a buffer in another layout, read by its memory, mixes up the entries.",
    kinds=TORCH,
    alone=True,
)
def parameter_layouts(make: Make) -> Wrong | None:
    return with_layouts(make, True, True)


@behaviour(
    "gradient-layouts",
    "a gradient may have another memory layout than its parameter",
    TORCH_OPTIM,
    "Users and hooks set p.grad themselves, and a transposed product is not contiguous.",
    kinds=TORCH,
    alone=True,
)
def gradient_layouts(make: Make) -> Wrong | None:
    return with_layouts(make, False, True) or with_layouts(make, True, False)


@behaviour(
    "expanded-gradient",
    "a gradient may be one number, expanded",
    TORCH_OPTIM,
    "The gradient of a sum, set by hand, is an expanded tensor: all its entries share their memory, and in-place "
    "arithmetic on it, or on a buffer that clones its strides, raises or counts twice.",
    kinds=TORCH,
    alone=True,
)
def expanded_gradient(make: Make) -> Wrong | None:
    for shape in ((3,), (2, 3)):
        one = torch.full((), 0.5, dtype=torch.float64)
        p, plain = parameter(spread(*shape)), parameter(spread(*shape))
        optimizer = make([p])
        expected = steps(make([plain]), plain, [torch.full_like(plain, 0.5)] * 2)
        for _ in range(2):
            p.grad = one.expand(shape)
            optimizer.step()
        if not agree(p.detach(), expected, size=16.0, steps=2):
            given = f"shape {shape}, g = 1/2, expanded, two steps"
            return Wrong("an expanded gradient steps differently", show(expected), show(p.detach()), given)
    return None


@behaviour(
    "view-of-a-tensor",
    "a parameter that is a view of a larger tensor is written in place, and nothing beside it",
    TORCH_OPTIM,
    "Flat buffers hold the parameters of a whole model in distributed training. A step that replaces p.data, or writes "
    "past the strides, breaks the others.",
    kinds=TORCH,
)
def view_of_a_tensor(make: Make) -> Wrong | None:
    base = torch.full((2, 6), 7.0, dtype=torch.float64)
    p, plain = base[:, ::2], parameter(spread(2, 3))
    p.copy_(spread(2, 3))
    g = spread(2, 3, start=9)
    expected = steps(make([plain]), plain, [g])
    p.grad = g.clone()
    make([p]).step()
    if not agree(base[:, ::2], expected, size=16.0):
        return Wrong("the tensor behind a view does not follow", show(expected), show(base[:, ::2]))
    if not bool((base[:, 1::2] == 7).all()):
        return Wrong("a step writes beside its parameter", "7.0 everywhere", show(base[:, 1::2]))
    return None


def inside_an_operation(error: Exception) -> bool:
    """Whether an operation of torch refused, not the optimizer: by then the state may have changed."""
    signs = ("Could not run", "not implemented", "not supported for", "backend", "common dtype")
    return any(words in str(error) for words in signs)


@behaviour(
    "complex-parameter",
    "complex parameters move as pairs of reals, or are refused by name",
    "torch.optim: SGD, Adam and AdamW view them as real",
    "g² of a complex gradient is not |g|²: without the real view the second moment is complex, and the steps are wrong "
    "without any error.",
    kinds=TORCH,
    free=True,
)
def complex_parameter(make: Make) -> Wrong | str | None:
    pairs, gradients = spread(3, 2), [spread(3, 2, start=start) for start in (9, 40)]
    # δ = 0: which dimensions a complex weight has for the projection is not asked here.
    quiet = {"delta": 0.0}
    plain = parameter(pairs)
    expected = steps(make([plain], if_offered=quiet), plain, gradients)
    p = parameter(torch.view_as_complex(pairs))
    try:
        got = steps(make([p], if_offered=quiet), p, [torch.view_as_complex(g) for g in gradients])
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if "complex" not in message.lower():
            return Wrong("a complex parameter is refused without its name", "an error that says complex", message)
        if inside_an_operation(error):
            return Wrong("a complex parameter fails inside an operation", "an error of the optimizer", message)
        return f"refused: {message}"
    if not agree(torch.view_as_real(got), expected, size=16.0, steps=2):
        given = "w = (3 complex numbers), two steps; expected: the same numbers as pairs of reals"
        return Wrong("complex parameters do not move as pairs of reals", show(expected), show(got), given)
    return None


@behaviour(
    "sparse-gradient",
    "a sparse gradient is refused by name, or steps as the dense one does",
    "torch.optim: Adam refuses them, SGD takes them",
    "An embedding with sparse=True must not fail deep inside the step, with half of the parameters moved.",
    kinds=TORCH,
)
def sparse_gradient(make: Make) -> Wrong | str | None:
    g = spread(3, 2) * torch.tensor([[1.0], [0.0], [1.0]])
    p, plain = parameter(spread(3, 2)), parameter(spread(3, 2))
    expected = steps(make([plain]), plain, [g])
    optimizer = make([p])
    p.grad = g.to_sparse()
    try:
        optimizer.step()
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if "sparse" not in message.lower():
            return Wrong("a sparse gradient is refused without its name", "an error that says sparse", message)
        if inside_an_operation(error):
            message = message.splitlines()[0]
            return Wrong("a sparse gradient fails inside an operation", "an error of the optimizer", message)
        if not same(p.detach(), spread(3, 2)):
            return Wrong("a refused gradient moves the weights", show(spread(3, 2)), show(p.detach()))
        return f"refused: {message}"
    if not agree(p.detach(), expected, size=16.0):
        return Wrong("a sparse gradient steps differently", show(expected), show(p.detach()), f"g = {show(g)}")
    return None


CHECKS = (
    parameter_layouts,
    gradient_layouts,
    expanded_gradient,
    view_of_a_tensor,
    complex_parameter,
    sparse_gradient,
)
