"""The kernels for GPUs against the exact steps of Algorithms 1 and 2: in Triton's interpreter where there is no GPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from gpu_kernels import ADAMP, COMPILED, DEVICE, SGDP, interpreted, kernels, tl
from optim_reference import assert_same_steps

import tangency.optim
from tangency.optim.gpu import decide, tables, update
from tangency.proofs_checks import Claim, Subject, Suite, Verdict, discover, verify
from tangency.proofs_checks.generate.execution import execute
from tangency.proofs_checks.generate.gradients import Rotation
from tangency.proofs_checks.generate.trials import Gradient, Trial
from tangency.proofs_checks.measure.conformance import admissible_views, measure_step
from tangency.theory.formats import FLOAT64
from tangency.theory.projection import View

SUBJECTS = pytest.mark.parametrize("subject", [SGDP, ADAMP], ids=lambda subject: subject.algorithm)
OPTIMIZERS = {
    "SGDP": lambda p, **more: tangency.optim.SGDP(p, **{"lr": 0.25, "momentum": 0.75, "weight_decay": 0.125, **more}),
    "SGDP without momentum": lambda p, **more: tangency.optim.SGDP(p, **{"lr": 0.25, **more}),
    "AdamP": lambda p, **more: tangency.optim.AdamP(p, **{"lr": 0.25, "weight_decay": 0.125, **more}),
}
KERNELS = {"statistics": decide, "decide": decide, "update": update}
DTYPES = ("float16", "bfloat16", "float32", "float64")
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


@pytest.fixture(autouse=True)
def _on_kernels() -> Iterator[None]:
    with kernels():
        yield


@pytest.mark.parametrize("claim", discover(), ids=lambda claim: claim.id)
@SUBJECTS
def test_the_claim_holds(claim: Claim, subject: Subject) -> None:
    report = verify(suite=Suite((claim,), (subject,)), rungs=["implementation"], profile="quick")
    for result in report.results:
        assert result.verdict in (Verdict.HOLDS, Verdict.DOES_NOT_APPLY), f"{result.detail}\n{result.reproducer}"


# Rows that fill a tile of each width, begin inside of vectors, take several tiles or several programs; many rows.
SHAPES = (
    *((3, 16), (130, 9), (9, 1), (3, 64), (5, 61), (40, 62), (2, 256), (6, 250)),
    *((2, 1024), (3, 1023), (12, 300), (2, 2048), (9, 1030), (1, 8192), (1, 17003)),
)
EVERY_DTYPE = ((5, 13), (3, 3, 7, 7), (2, 2500))
SEGMENTS = (2, 8200)
CASES = (
    *((SGDP, shape, "float32") for shape in SHAPES),
    *((SGDP, SEGMENTS, dtype) for dtype in ("bfloat16", "float64")),
    *((s, shape, d) for s in (SGDP, ADAMP) for shape in EVERY_DTYPE for d in DTYPES),
    (ADAMP, SEGMENTS, "float32"),
)
HYPER = {
    "sgdp": {"lr": 0.25, "momentum": 0.9, "weight_decay": 0.01},
    "adamp": {"lr": 0.25, "weight_decay": 0.01},
}


def numbers(shape: tuple[int, ...], exponent: int = 0, seed: int = 0) -> tuple[float, ...]:
    """Positive numbers up to 2^exponent: no row is orthogonal to another."""
    random = np.random.default_rng(seed)
    return tuple(np.ldexp(random.uniform(0.25, 1, math.prod(shape)), exponent).tolist())


def assert_exact(subject: Subject, trial: Trial, views: tuple[View, ...]) -> None:
    """Every step is the one of Algorithm 1 or 2, and decides as the trial says."""
    run = execute(subject, trial)
    assert len(run.records) == len(views)
    for record, view in zip(run.records, views, strict=True):
        # Eq. 11 of a long row in float32 has a wide bound; sums in float64 decide as the exact ones do.
        assert view in admissible_views(run, record)
        weights, *others = measure_step(run, record)
        assert f"({view.value} view)" in weights.what
        for measured in (weights, *others):
            assert measured.ratio <= 1, f"{measured} in {trial.shape} {trial.dtype}"


def case(subject: Subject, shape: tuple[int, ...], dtype: str) -> Any:
    marks = pytest.mark.smoke if shape == EVERY_DTYPE[0] and dtype in ("bfloat16", "float32") else ()
    return pytest.param(subject, shape, dtype, id=f"{subject.algorithm}-{shape}-{dtype}", marks=marks)


@pytest.mark.parametrize(("subject", "shape", "dtype"), [case(*one) for one in CASES])
def test_rows_of_every_length(subject: Subject, shape: tuple[int, ...], dtype: str) -> None:
    # A gradient along w passes in no view, and leaves a radial momentum to project. One row is its own layer.
    kinds: dict[View, Gradient] = {View.NONE: numbers(shape)}
    if shape[1:] != (1,):
        kinds[View.CHANNEL] = Rotation(View.CHANNEL)
    if shape[0] > 1:
        kinds[View.LAYER] = Rotation(View.LAYER, stride=math.prod(shape) // 2)
    trial = Trial(shape, dtype, numbers(shape), tuple(kinds.values()), HYPER[subject.algorithm])
    assert_exact(subject, trial, tuple(kinds))


# Heads of part of a tile, of several tiles, of several programs, and of rows that take several.
HEADS = (((12, 16), 4, "float32"), ((6, 61), 3, "bfloat16"), ((1200, 9), 600, "float64"), ((4, 8200), 2, "float64"))


@pytest.mark.parametrize(("shape", "head", "dtype"), HEADS, ids=str)
def test_heads_of_every_size(shape: tuple[int, int], head: int, dtype: str) -> None:
    # A first gradient that is no multiple of w leaves heads with radial parts of their own.
    kinds: dict[View, Gradient] = {View.NONE: numbers(shape, seed=1)}
    small = math.prod(shape) < 1000
    for view in (View.CHANNEL, View("head", head), View.LAYER) if small else (View("head", head),):
        kinds[view] = Rotation(view, stride=view.rows(np.empty(shape)).shape[1] // 2)
    trial = Trial(
        shape, dtype, numbers(shape), tuple(kinds.values()), {**HYPER["sgdp"], "views": ("channel", head, "layer")}
    )
    assert_exact(SGDP, trial, tuple(kinds))


@pytest.mark.parametrize("exponents", [(0, -1070), (-1060, 1000), (1020, 1000), (1000, -1060, 3)], ids=str)
def test_sums_of_float64_do_not_over_or_underflow(exponents: tuple[int, ...]) -> None:
    # A row of several tiles whose sizes are as far apart as the format allows, and so are the rows.
    tiles = [numbers((2, 1024), exponent, seed) for seed, exponent in enumerate(exponents)]
    w = np.concatenate([np.reshape(tile, (2, 1024)) for tile in tiles], axis=1) * [[1.0], [2.0**-6]]
    gradients = (tuple(w.ravel().tolist()), Rotation(View.CHANNEL), Rotation(View.LAYER, stride=w.shape[1]))
    trial = Trial(w.shape, "float64", tuple(w.ravel().tolist()), gradients, HYPER["sgdp"])
    assert_exact(SGDP, trial, (View.NONE, View.CHANNEL, View.LAYER))


def decided(
    found: np.ndarray, fields: dict[Any, int] | None = None, *, betas: tuple[float, float] | None = None, t: int = 1
) -> list[float]:
    """What `decide` makes of what pieces found out (their columns): the mode, η, √(1 − β₂ᵗ), the factor of decay."""
    counter = torch.tensor(t - 1.0, device=DEVICE)
    table = torch.zeros(tables.FIELDS.value, dtype=torch.int64)
    pieces = len(found)
    cut = {tables.VIEWS: 2, tables.PIECES: pieces, tables.PARTS: pieces, tables.SEGMENTS: 1, tables.COLS: 1}
    cut |= {tables.SIZE: pieces, tables.HEAD: pieces}
    for column, value in {**cut, tables.STEP: counter.data_ptr(), **(fields or {})}.items():
        table[column.value] = value
    result = torch.full((tables.DECIDED.value,), math.nan, dtype=torch.float64, device=DEVICE)
    logs = (math.log(beta) if beta else -math.inf for beta in betas or (0.0, 0.0))
    numbers = (0.25, None, *logs, 0.5, 0.125, 0.1, None)
    room = table.to(DEVICE), torch.from_numpy(found).to(DEVICE), result
    decide.decide[(1,)](*room, *numbers, ADAPTIVE=betas is not None, SCALED=True)
    assert int(counter) == (t if betas else t - 1)
    return result.tolist()


def sums(pieces: int, wg: float, scale: int = 0) -> np.ndarray:
    """Pieces with w·w = g·g = 1 and w·g as given, in a scale of their own."""
    found = np.zeros((pieces, tables.FOUND.value))
    found[:, [tables.WW.value, tables.GG.value]] = math.ldexp(1.0, -2 * scale)
    found[:, tables.WG.value] = math.ldexp(wg, -2 * scale)
    found[:, [tables.KW.value, tables.KG.value]] = scale
    return found


@pytest.mark.parametrize("scale", [0, 3])
@pytest.mark.parametrize("pieces", [2, 1024, 2500])
def test_a_layer_of_many_pieces_is_decided_by_all_of_them(pieces: int, scale: int) -> None:
    # Over the layer, the threshold δ/√dim ‖w‖‖g‖ is 0.1 √pieces; the last piece takes w·g to one side of it.
    found = sums(pieces, 0.0)
    for side, mode in ((0.999, tables.SECOND), (-0.999, tables.SECOND), (1.001, tables.NONE), (-1.001, tables.NONE)):
        found[-1] = sums(1, side * 0.1 * math.sqrt(pieces), scale)
        found[-1, tables.FAILED.value] = 1
        assert decided(found)[0] == mode.value
        found[-1, tables.FAILED.value] = 0
        assert decided(found)[0] == tables.FINEST.value


@pytest.mark.parametrize(("rows", "segments"), [(1, 2), (3, 40), (70, 17), (200, 2)])
def test_a_row_of_many_pieces_is_decided_by_all_of_them(rows: int, segments: int) -> None:
    fields = {tables.SEGMENTS: segments, tables.COLS: 64}
    for row in {0, rows // 2, rows - 1}:
        found = sums(rows * segments, 0.0)
        for side, passes in ((0.999, True), (1.001, False)):
            found[row * segments + segments - 1, tables.WG.value] = side * 0.1 / math.sqrt(64) * segments
            # The layer fails too: with one row it is that row.
            mode = decided(found, {**fields, tables.SIZE: 64 * rows * rows * 10_000 if rows > 1 else 64})[0]
            assert mode == (tables.FINEST if passes else tables.NONE).value


@pytest.mark.parametrize("t", [1, 2, 1000, 10_000_000])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 1 - 2.0**-40, 1 - 2.0**-53])
def test_bias_corrections_lose_nothing_to_cancellation(beta: float, t: int) -> None:
    _, eta, root, kept = decided(sums(1, 1.0), betas=(beta, beta), t=t)
    # log β and y = t log β: 2 roundings, which 1 − e^y damps; 1 − u, log u, quotient and product: 5. As many again in
    # the value to compare with, then η's quotient or the root.
    expected = -math.expm1(t * math.log(beta)) if beta else 1.0
    assert abs(eta * expected / 0.25 - 1) <= FLOAT64.gamma(16)
    assert abs(root * root / expected - 1) <= FLOAT64.gamma(18)
    assert kept == 1 - 0.25 * 0.5 * 0.125


def parameters(dtype: torch.dtype = torch.float32, offset: int = 0) -> list[torch.nn.Parameter]:
    """Of every kind, each in the middle of memory of its own, `offset` elements behind a 16-byte boundary."""
    random = torch.Generator().manual_seed(3)
    out = []
    for shape in ((3, 7), (2, 3, 7, 7), (5,), (), (70, 9), (2, 1030), (1030,), (4, 0)):
        room = torch.full((math.prod(shape) + 64,), 7.0, dtype=dtype, device=DEVICE)
        w, g = torch.rand((2, *shape), generator=random).to(dtype)
        p = torch.nn.Parameter(room[16 + offset : 16 + offset + w.numel()].view(shape))
        p.data.copy_(w)
        p.grad = g.to(DEVICE, copy=True)
        if len(shape) > 1 and w.numel():
            # Orthogonal row by row, or over the layer, or not: in turn.
            across = p.detach().double().cpu().reshape((shape[0], -1) if len(out) % 2 else (1, -1))
            across = across * torch.where(torch.arange(across.shape[1]) % 2 == 0, 1, -1)
            p.grad = across.reshape(shape).to(DEVICE, dtype) if len(out) != 4 else p.detach().clone()
        out.append(p)
    return out


def everything(params: list[torch.nn.Parameter], optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Parameters and state."""
    return [x.detach().clone() for p in params for x in (p, *optimizer.state[p].values())]


@every
@pytest.mark.smoke
def test_together_or_alone_each_parameter_moves_alike(make: Any) -> None:
    together, alone = parameters(), parameters()
    one, many = make(together, fused=True), [make([p], fused=True) for p in alone]
    for _ in range(2):
        one.step()
        for optimizer in many:
            optimizer.step()
    expected = [x for p, optimizer in zip(alone, many, strict=True) for x in everything([p], optimizer)]
    assert all(map(torch.equal, everything(together, one), expected))


@every
@pytest.mark.parametrize("offset", [1, 2])
def test_memory_at_any_address(make: Any, offset: int) -> None:
    # Elements move one by one there. Sums come in another order; the moments do not depend on them.
    aligned, shifted = parameters(), parameters(offset=offset)
    one, other = make(aligned, fused=True), make(shifted, fused=True)
    for optimizer in (one, other):
        optimizer.step()
    for p, q in zip(aligned, shifted, strict=True):
        assert_same_steps(q.detach().cpu(), p.detach().cpu(), 1)
        for name, value in one.state[p].items():
            assert torch.equal(value, other.state[q][name])


@every
@pytest.mark.parametrize("offset", [0, 1])
def test_nothing_outside_of_a_parameter_is_written(make: Any, offset: int) -> None:
    params = parameters(offset=offset)
    optimizer = make(params, fused=True)
    optimizer.step()
    for p in params:
        room = torch.empty(0, device=DEVICE).set_(p.untyped_storage())
        assert (room[: 16 + offset] == 7).all()
        assert (room[16 + offset + p.numel() :] == 7).all()


@every
def test_a_step_after_another_finds_what_moved(make: Any) -> None:
    # Gradients at new addresses, one parameter more, a learning rate in a tensor: as the readable path has it.
    fused, loop = parameters(), parameters()
    rate = torch.tensor(0.5, device=DEVICE)
    optimizers = [make(params[:5], fused=kind, lr=rate) for params, kind in ((fused, True), (loop, False))]
    for t in range(3):
        for params, optimizer in zip((fused, loop), optimizers, strict=True):
            for p in params:
                p.grad = (p.detach() * (t + 1)).clone() if t else p.grad.clone()
            if t == 1:
                optimizer.add_param_group({"params": params[5:], "lr": 0.25})
            optimizer.step()
        rate.mul_(0.5)
    for p, q in zip(fused, loop, strict=True):
        assert_same_steps(p.detach().cpu(), q.detach().cpu(), 3)


@every
def test_a_gradient_that_is_not_finite_stays_in_its_entry(make: Any) -> None:
    params, twins = parameters(), parameters()
    for p, bad in zip(params, (math.nan, math.inf, math.nan, math.inf, math.nan, math.inf, math.nan), strict=False):
        p.grad.view(-1)[-1] = bad
    for some in (params, twins):
        # A NaN vetoes the projection; so that the others do too, gradients along w.
        for p in some:
            p.grad = torch.where(p.grad.isfinite(), p.detach(), p.grad)
        make(some, fused=True).step()
    for p, twin in list(zip(params, twins, strict=True))[:7]:
        assert torch.equal(p.view(-1)[:-1], twin.view(-1)[:-1])
        assert not p.view(-1)[-1].isfinite()


def scaled_step(make: Any, params: list[torch.nn.Parameter], scale: float, found: float) -> torch.optim.Optimizer:
    optimizer = make(params, fused=True)
    for name, value in (("grad_scale", scale), ("found_inf", found)):
        setattr(optimizer, name, torch.tensor(value, device=DEVICE))
    optimizer.step()
    return optimizer


@every
def test_a_scaler_is_obeyed_in_the_kernel(make: Any) -> None:
    params, plain = parameters(), parameters()
    for p in params:
        p.grad = p.grad * 1024
    before = [p.grad.clone() for p in params]
    optimizer = scaled_step(make, params, 1024.0, 0.0)
    twin = make(plain, fused=True)
    twin.step()
    assert all(map(torch.equal, everything(params, optimizer), everything(plain, twin)))
    assert all(map(torch.equal, (p.grad for p in params), before))


@every
def test_a_step_with_infinite_gradients_changes_nothing(make: Any) -> None:
    params = parameters()
    before = [p.detach().clone() for p in params]
    optimizer = scaled_step(make, params, 2.0, 1.0)
    assert all(map(torch.equal, params, before))
    assert all(not value.any() for state in optimizer.state.values() for value in state.values())


class Counted:
    """A kernel that notes its launches."""

    def __init__(self, name: str, launches: list[str]) -> None:
        self.name, self.launches, self.kernel = name, launches, getattr(KERNELS[name], name)

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        self.launches.append(self.name)
        return self.kernel[grid]


@pytest.mark.parametrize("copies", [1, 3])
def test_four_launches_whatever_the_number_of_parameters(copies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    launches: list[str] = []
    for name, module in KERNELS.items():
        monkeypatch.setattr(module, name, Counted(name, launches))
    tangency.optim.AdamP([p for _ in range(copies) for p in parameters()], fused=True).step()
    assert launches == ["statistics", "decide", "update", "update"]


# Slips that an engineer could make; each has to be found by a claim.


def no_root(ww, wg, gg, threshold):  # type: ignore[no-untyped-def]
    return (tl.abs(wg) < threshold * (ww * gg)) | (wg == 0)


def dead_row_vetoes(ww, wg, gg, threshold):  # type: ignore[no-untyped-def]
    return tl.abs(wg) < threshold * (tl.sqrt(ww) * tl.sqrt(gg))


def one_side(ww, wg, gg, threshold):  # type: ignore[no-untyped-def]
    return wg < threshold * (tl.sqrt(ww) * tl.sqrt(gg))


def dimension(delta, dim):  # type: ignore[no-untyped-def]
    return delta / dim.to(tl.float64)


def late(log_beta, t):  # type: ignore[no-untyped-def]
    return 1 - tl.exp((t + 1) * log_beta)


def truncated(base, x):  # type: ignore[no-untyped-def]
    return x.to(tl.float16).to(base.dtype.element_ty)


def edges_left_out(base, spot, x):  # type: ignore[no-untyped-def]
    return x


MUTANTS = {
    "no root in the threshold": ("_passes", no_root, SGDP, "algorithm-1"),
    "a dead row vetoes": ("_passes", dead_row_vetoes, SGDP, "algorithm-1"),
    "cos without its sign taken off": ("_passes", one_side, SGDP, "algorithm-1"),
    "dim for its root": ("_threshold", dimension, ADAMP, "eq-11"),
    "t counted twice": ("_bias_correction", late, ADAMP, "algorithm-2"),
    "stored too short": ("narrow", truncated, ADAMP, "algorithm-2"),
    "edges of rows not read": ("load_edges", edges_left_out, SGDP, "algorithm-1"),
}


@pytest.mark.skipif(COMPILED, reason="a compiled kernel cannot be changed from outside")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_slip_in_a_kernel_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wrong, subject, claim = MUTANTS[mutant]
    for module in {module for module in KERNELS.values() if hasattr(module, name)}:
        monkeypatch.setattr(module, name, interpreted(wrong))
    report = verify([claim], suite=Suite(discover(), (subject,)), rungs=["implementation"], shrink=False)
    assert [result.verdict for result in report.results] == [Verdict.FAILS]


@every
def test_the_default_device_plays_no_part(make: Any) -> None:
    found = []
    for default in (None, "meta"):
        p = torch.nn.Parameter(torch.linspace(1, 2, 12, device=DEVICE).reshape(4, 3))
        p.grad = torch.ones(4, 3, device=DEVICE)
        optimizer = make([p], fused=True)
        try:
            torch.set_default_device(default)
            optimizer.step()
        finally:
            torch.set_default_device(None)
        found.append(p.detach())
    assert torch.equal(*found)
