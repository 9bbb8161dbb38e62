"""The fused step on a CPU where only it can go wrong: numbers in 16 bits, rows of every length, threads, scalers."""

import math
import multiprocessing
import threading
from functools import cache

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optim_reference import spec

from tangency.optim import SGDP, AdamP
from tangency.optim.cpu import launch, memory, team
from tangency.optim.cpu.memory import BFLOAT16, FLOAT16
from tangency.theory.formats import FLOAT32
from tangency.theory.rounded import parts

# As Python can call them.
_narrow, _widen = (numba.njit(helper.py_func) for helper in (memory._narrow, memory._widen))
OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, lr=0.125, momentum=0.75, weight_decay=0.25, **more),
    "SGDP without momentum": lambda p, **more: SGDP(p, lr=0.125, weight_decay=0.25, **more),
    "AdamP": lambda p, **more: AdamP(p, lr=0.125, weight_decay=0.25, **more),
    "AdamP, Nesterov": lambda p, **more: AdamP(p, lr=0.125, nesterov=True, maximize=True, **more),
}
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
MODES = ("channel", "layer", "none")
# Several rows at once, one at a time, one in pieces; a tile or many; a remainder of every loop.
SHAPES = [
    (7, 3),
    (5000, 2),
    (300, 9),
    (64, 3, 7, 7),
    (40, 257),
    (3, 1023),
    (5, 1025),
    (4, 5000),
    (2, 65536),
    (2, 70001),
]


def problem(shape, mode, dtype=torch.float32, scale=1.0):
    """A weight, and a gradient on which Eq. 11 is far from its threshold."""
    generator = torch.Generator().manual_seed(sum(shape))
    w, g = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    rows = (g * w).flatten(1)
    if mode == "channel":
        g -= (rows.sum(1) / (w * w).flatten(1).sum(1)).reshape(-1, *[1] * (w.dim() - 1)) * w
    elif mode == "layer":
        g += w * torch.linspace(-4, 4, shape[0], dtype=torch.float64).reshape(-1, *[1] * (w.dim() - 1))
        g -= (g * w).sum() / (w * w).sum() * w
    else:
        g += 4 * w
    return (w * scale).to(dtype), (g * scale).to(dtype)


def stepped(make, problems, steps=2, **more):
    """Weights and states after some steps."""
    params = []
    for w, g in problems:
        params.append(torch.nn.Parameter(w.clone()))
        params[-1].grad = g.clone()
    optimizer = make(params, **more)
    for _ in range(steps):
        optimizer.step()
    states = [dict(optimizer.state[p]) for p in params]
    return [p.detach() for p in params], states


def numbers_of_16_bits():
    return torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)


@pytest.mark.parametrize(("dtype", "storage"), [(torch.float16, FLOAT16), (torch.bfloat16, BFLOAT16)], ids=str)
def test_every_number_of_16_bits_is_read_and_written_as_torch_does(dtype, storage):
    stored = numbers_of_16_bits().view(dtype)
    x = np.empty(len(stored), np.float32)
    _widen(stored.data_ptr(), storage, x)
    np.testing.assert_array_equal(x, stored.float().numpy())
    back = torch.empty_like(stored)
    _narrow(back.data_ptr(), storage, x)
    assert torch.equal(back.nan_to_num(nan=7.0), stored.nan_to_num(nan=7.0))
    assert torch.equal(back.isnan(), stored.isnan())


@pytest.mark.parametrize(("dtype", "storage"), [(torch.float16, FLOAT16), (torch.bfloat16, BFLOAT16)], ids=str)
def test_rounding_to_16_bits_is_torchs_at_every_tie_and_beside_it(dtype, storage):
    stored = numbers_of_16_bits().view(dtype).float()
    below = stored[stored.isfinite()].sort().values
    ties = (below[1:].double() + below[:-1].double()).mul(0.5).float()
    x = torch.cat(
        [ties, torch.nextafter(ties, ties + 1), torch.nextafter(ties, ties - 1), torch.tensor([65519.9, 65520, 3e38])]
    )
    rounded = torch.empty(len(x), dtype=dtype)
    _narrow(rounded.data_ptr(), storage, x.numpy())
    assert torch.equal(rounded, x.to(dtype))


def terms(w, moved):
    """What the entries of a step in rows of w are rounded sums of: |w| + |x| + ‖x‖|w|/‖w‖ (Eq. 10)."""
    return (
        np.abs(w)
        + moved
        + np.linalg.norm(moved, axis=1, keepdims=True) * np.abs(w) / np.linalg.norm(w, axis=1, keepdims=True)
    )


# An inner product is in pieces, so that it loses what one of so many elements may (optim/_cpu_rows.py).
LONGEST = 40


@cache
def admitted(n):
    """The error of a float32 step that rounding admits in rows of n, as a share of the terms."""
    w, g = (x.double().numpy() for x in problem((1, min(n, LONGEST)), "channel"))
    worst = 0.0
    for name, hyper in (("sgdp", {"momentum": 0.75}), ("adamp", {"nesterov": True})):
        (step,) = spec(name, w, [g], FLOAT32, lr=0.125, weight_decay=0.25, **hyper)
        p, error = (np.array(x, dtype=np.float64) for x in (parts(step.p)[0], parts(step.w)[1]))
        worst = max(worst, float((error / terms(w, 0.125 * np.abs(p))).max()))
    return worst


def share_of_terms(make, shape, mode):
    """The error of fused float32 steps against the loop's float64 steps from the same numbers, which adds nothing."""
    w, g = problem(shape, mode)
    (actual,), _ = stepped(make, [(w, g)], 1, fused=True)
    (exact,), _ = stepped(make, [(w.double(), g.double())], 1, foreach=False)
    (unprojected,), _ = stepped(make, [(w.double(), g.double())], 1, foreach=False, delta=0.0)
    assert torch.equal(exact, unprojected) == (mode == "none"), "the problem was meant for the other decision"
    rows = (1, -1) if mode == "layer" else (shape[0], -1)
    moved = (exact - w.double()).abs() + (unprojected - w.double()).abs()
    error, moved, wide = (x.reshape(rows).numpy() for x in ((actual.double() - exact).abs(), moved, w.double()))
    return float((error / terms(wide, moved)).max())


@every
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_every_length(make, mode, shape):
    n = math.prod(shape if mode == "layer" else shape[1:])
    assert share_of_terms(make, shape, mode) <= admitted(n)


@pytest.mark.parametrize("scale", [2.0**-70, 2.0**-50, 2.0**50, 2.0**62], ids=str)
@pytest.mark.parametrize("shape", [(300, 9), (3, 1025), (2, 70001)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_rows_whose_squares_leave_float32(scale, shape, mode):
    # SGDP is homogeneous in w and g together: so are its steps, to the bit, where the scale is a power of two.
    make = OPTIMIZERS["SGDP"]
    w, g = problem(shape, mode)
    (plain,), _ = stepped(make, [(w, g)], fused=True)
    (scaled,), _ = stepped(make, [(w * scale, g * scale)], fused=True)
    error = (scaled.double() / scale - plain.double()).abs().max()
    # The sums of the one are float32 in pieces, of the other float64.
    assert error <= admitted(LONGEST) * 8 * (w.abs().max() + g.abs().max())


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_the_number_of_threads_changes_no_bit(make, dtype, monkeypatch):
    if team._openmp() is None:
        pytest.skip("torch has no OpenMP runtime with GNU's interface: steps have one thread")
    monkeypatch.setattr(launch, "SHARE", 1)
    monkeypatch.setattr(launch, "SMALL", 1000)
    monkeypatch.setattr(launch, "BATCH", 1 << 16)
    shapes = [(2, 3), (300, 9), (40, 257), (5, 1025), (2, 70001), (9, 5000), (130, 200)]
    problems = [problem(shape, mode, dtype) for shape in shapes for mode in MODES]
    problems += [(torch.ones(n, dtype=dtype), torch.arange(n).to(dtype)) for n in (1, 70000)]
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(stepped(make, problems, fused=True))
    finally:
        torch.set_num_threads(before)
    for weights, states in found[1:]:
        assert all(torch.equal(x, y) for x, y in zip(weights, found[0][0], strict=True))
        for state, expected in zip(states, found[0][1], strict=True):
            assert all(torch.equal(value, expected[name]) for name, value in state.items())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_child_steps_too(monkeypatch):
    monkeypatch.setattr(launch, "SHARE", 1)
    # So small that torch makes its state in one thread: with more, its own operations hang in a fork.
    w, g = problem((40, 500), "channel")
    p, twin = (torch.nn.Parameter(w.clone()) for _ in range(2))
    p.grad, twin.grad = g, g
    optimizer, other = (OPTIMIZERS["AdamP"]([x], fused=True) for x in (p, twin))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        optimizer.step()
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()

        def step():
            other.step()
            theirs.send(twin.detach().numpy().tobytes())

        child = context.Process(target=step, daemon=True)
        child.start()
        assert ours.poll(60), "the child hangs"
        assert ours.recv() == p.detach().numpy().tobytes()
        child.join(timeout=60)
        assert child.exitcode == 0
    finally:
        torch.set_num_threads(before)


def test_steps_of_two_optimizers_may_run_at_once(monkeypatch):
    monkeypatch.setattr(launch, "SHARE", 1)
    problems = [problem((300, 9), "channel"), problem((9, 5000), "layer")]
    expected, _ = stepped(OPTIMIZERS["AdamP"], problems, 5, fused=True)
    found = [[], []]

    def run(place):
        found[place] = stepped(OPTIMIZERS["AdamP"], problems, 5, fused=True)[0]

    workers = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for weights in found:
        assert all(torch.equal(x, y) for x, y in zip(weights, expected, strict=True))


@every
def test_a_gradient_scaler_is_obeyed_in_the_kernel(make):
    problems = [problem((4, 6), mode) for mode in MODES]
    params = [torch.nn.Parameter(w.clone()) for w, _ in problems]
    optimizer = make(params, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for infinite in (False, True, False):
        scale = scaler.scale(torch.ones(())).item()
        for p, (_, g) in zip(params, problems, strict=True):
            p.grad = g * scale
        if infinite:
            params[0].grad[0, 0] = float("inf")
        kept = [p.detach().clone() for p in params]
        given = [p.grad.clone() for p in params]
        scaler.step(optimizer)
        assert all(torch.equal(p, k) for p, k in zip(params, kept, strict=True)) == infinite
        assert all(torch.equal(p.grad, g) for p, g in zip(params, given, strict=True))
        scaler.update()
    # Powers of two: dividing by them changes no bit; the step in the middle did not happen.
    expected, states = stepped(make, problems, fused=True)
    assert all(torch.equal(p, q) for p, q in zip(params, expected, strict=True))
    for p, state in zip(params, states, strict=True):
        assert all(torch.equal(value, optimizer.state[p][name]) for name, value in state.items())


@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 5), st.sampled_from([1, 2, 3, 31, 255, 256, 257, 1024, 1030])),
    place=st.integers(0, 2**20),
    value=st.sampled_from([float("nan"), float("inf"), -float("inf")]),
)
def test_what_is_not_finite_stays_in_its_own_entry(shape, place, value):
    w, g = problem(shape, "channel")
    index = place % w.numel()
    g.view(-1)[index] = value
    for make in OPTIMIZERS.values():
        (actual,), _ = stepped(make, [(w, g)], 1, fused=True)
        (expected,), _ = stepped(make, [(w, g)], 1, foreach=False)
        assert torch.equal(actual.isnan(), expected.isnan())
        assert torch.equal(actual.isinf(), expected.isinf())
        others = torch.arange(w.numel()).reshape(shape) != index
        assert actual[others].isfinite().all()
