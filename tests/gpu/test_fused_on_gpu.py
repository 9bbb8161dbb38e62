"""Steps on a GPU: beside torch's fused AdamW, in CUDA graphs, under a GradScaler, compiled, and never waiting.

What needs no GPU runs without one in Triton's interpreter.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from gpu_kernels import COMPILED, DEVICE, kernels, needs_gpu
from optim_paths import every_path
from optim_reference import assert_same_steps

from tangency.optim import SGDP, AdamP

SHAPES = ((64, 3, 7, 7), (64,), (10, 512), (3, 9000), (128, 64, 3, 3), (1030,)) if COMPILED else ((6, 9), (64,))
OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "weight_decay": 0.25, **more}),
}
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


@pytest.fixture(autouse=True)
def _on_kernels() -> Iterator[None]:
    with kernels():
        yield


def parameters(dtype: torch.dtype = torch.float32) -> list[torch.nn.Parameter]:
    """Weights, with gradients of no particular direction."""
    random = torch.Generator().manual_seed(0)
    out = []
    for shape in SHAPES:
        w, g = torch.rand((2, *shape), generator=random).to(DEVICE, dtype)
        out.append(torch.nn.Parameter(w.clone()))
        out[-1].grad = g - 0.5
    return out


def assert_alike(some: list[torch.nn.Parameter], others: list[torch.nn.Parameter], steps: int) -> None:
    for p, q in zip(some, others, strict=True):
        assert_same_steps(p.detach().cpu(), q.detach().cpu(), steps)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("decay", [0.0, 0.25])
@needs_gpu  # on a CPU torch's AdamW in bfloat16 computes in it
def test_without_projection_it_is_torchs_fused_adamw(dtype: torch.dtype, decay: float) -> None:
    ours, theirs = parameters(dtype), parameters(dtype)
    one = AdamP(ours, lr=0.125, weight_decay=decay, delta=0, fused=True)
    other = torch.optim.AdamW(theirs, lr=0.125, weight_decay=decay, fused=True)
    for _ in range(3):
        one.step()
        other.step()
    assert_alike(ours, theirs, 3)


@every
@every_path
@pytest.mark.parametrize("new_gradients", [False, True])
@needs_gpu
def test_a_captured_step_is_replayed(make: Any, path: dict[str, bool], new_gradients: bool) -> None:
    # Gradients made within the graph lie at addresses that no step before it knew.
    params, twins = parameters(), parameters()
    lr = torch.tensor(0.125, device="cuda")
    optimizer, reference = make(params, lr=lr, capturable=True, **path), make(twins, foreach=False, fused=False)
    gradients = [p.grad.clone() for p in params]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        optimizer.step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        if new_gradients:
            for p, g in zip(params, gradients, strict=True):
                p.grad = g * 1
        optimizer.step()
    # Another optimizer's steps do not disturb what the graph reads.
    for _ in range(80):
        make(parameters()[:1], fused=True).step()
    for t in range(3):
        lr.fill_(0.125 / (t + 1))
        graph.replay()
    for rate in (0.125, 0.125, 0.125 / 2, 0.125 / 3):
        reference.param_groups[0]["lr"] = rate
        reference.step()
    assert_alike(params, twins, 4)


@every
@every_path
@pytest.mark.smoke
def test_a_scaler_scales_and_skips(make: Any, path: dict[str, bool]) -> None:
    params, twins = parameters(), parameters()
    optimizer, reference = make(params, **path), make(twins, foreach=False, fused=False)
    scaler = torch.amp.GradScaler(DEVICE, init_scale=1024.0)
    scaler.scale(torch.zeros((), device=DEVICE))
    for p in params:
        p.grad *= 1024
    scaler.step(optimizer)
    scaler.update()
    reference.step()
    assert_alike(params, twins, 1)
    before = copy.deepcopy([*params, *(x for state in optimizer.state.values() for x in state.values())])
    params[0].grad.view(-1)[0] = float("inf")  # others are divided by the scale again, which nothing reads
    scaler.step(optimizer)
    scaler.update()
    after = [*params, *(x for state in optimizer.state.values() for x in state.values())]
    assert all(map(torch.equal, before, after))
    assert scaler.get_scale() == 512


@every
@every_path
@pytest.mark.parametrize("capturable", [False, True])
@needs_gpu
def test_the_host_never_waits(make: Any, path: dict[str, bool], capturable: bool) -> None:
    params = parameters()
    optimizer = make(params, capturable=capturable, **path)
    optimizer.step()
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(2):
            for p in params:
                p.grad = p.grad.clone()
            optimizer.step()
    finally:
        torch.cuda.set_sync_debug_mode(before)


@every
@needs_gpu
def test_a_compiled_step_is_the_step(make: Any) -> None:
    params, twins = parameters(), parameters()
    optimizer, reference = make(params, fused=True), make(twins, fused=True)
    torch.compiler.reset()
    step = torch.compile(optimizer.step, fullgraph=True)
    for _ in range(3):
        step()
        reference.step()
    assert all(torch.equal(p, twin) for p, twin in zip(params, twins, strict=True))


@every
@pytest.mark.smoke
def test_a_step_repeats_itself_to_the_bit(make: Any) -> None:
    runs = []
    for _ in range(2):
        params = parameters()
        optimizer = make(params, fused=True)
        for _ in range(5):
            optimizer.step()
        runs.append(params)
    assert all(map(torch.equal, *runs))


@every
@needs_gpu
def test_what_is_on_another_device_is_refused_or_moved(make: Any) -> None:
    params = parameters()
    optimizer = make(params, fused=True)
    optimizer.step()
    state = optimizer.state[params[0]]
    if "step" in state:
        state["step"] = state["step"].cpu()  # as a group leaves it that was not fused before
        optimizer.step()
        assert (state["step"].device, state["step"].item()) == (params[0].device, 2.0)
    name = list(state)[-1]
    state[name] = state[name].cpu()
    kept = params[0].detach().clone()
    with pytest.raises(RuntimeError, match=rf"its {name} is on cpu; cuda:0 was needed"):
        optimizer.step()
    assert torch.equal(params[0], kept)


@every
@needs_gpu
def test_elements_are_counted_beyond_32_bits(make: Any) -> None:
    size, end = 2**31 + 4096, 4096
    if torch.cuda.mem_get_info()[0] < 10 * size:
        pytest.skip("weight, gradient and moments take 17 GB, which are not free")
    large, small = (torch.nn.Parameter(torch.ones(n, dtype=torch.bfloat16, device=DEVICE)) for n in (size, end))
    for p in (large, small):
        p.grad = torch.full_like(p, 0.5)
        p.grad[-end:] = torch.linspace(-1, 1, end, device=DEVICE)
        make([p], fused=True).step()
    assert torch.equal(large.detach()[-end:], small.detach())


@every
@pytest.mark.parametrize("default", [DEVICE, "meta"])
def test_the_default_device_plays_no_part(make: Any, default: str) -> None:
    params, twins = parameters(), parameters()
    make(twins, fused=True).step()
    try:
        torch.set_default_device(default)
        make(params, fused=True).step()
    finally:
        torch.set_default_device(None)
    assert all(torch.equal(p, twin) for p, twin in zip(params, twins, strict=True))
