"""The cost model against the operations that a real step dispatches, and against counts by hand."""

import pytest
import torch

from tangency.benchmarks import cost_model
from tangency.benchmarks.cost_model import Cost
from tangency.benchmarks.counting import Counter
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.shapes import Weight
from tangency.optim import SGDP, AdamP
from tangency.theory.projection import View

MAKE = {
    "SGDP": lambda params, decay, foreach: SGDP(params, lr=0.1, momentum=0.9, weight_decay=decay, foreach=foreach),
    "AdamP": lambda params, decay, foreach: AdamP(params, lr=0.1, weight_decay=decay, foreach=foreach),
}
PATHS = {"readable": cost_model.readable, "lists": cost_model.lists}


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 31), (61,)])
@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("path", PATHS)
def test_a_real_step_makes_the_passes_of_the_model(path: str, name: str, shape: tuple[int, ...], decay: float) -> None:
    p = torch.nn.Parameter(torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape))
    optimizer = MAKE[name]([p], decay, path == "lists")
    p.grad = torch.ones_like(p)
    optimizer.step()
    with Counter(lambda x: x.numel() >= p.numel()) as counter:  # lists join some
        optimizer.step()
    size = 4 * p.numel()
    expected = PATHS[path](name, projected=len(shape) >= 2, decay=decay > 0)
    assert (counter.reads, counter.writes) == (size * expected.reads, size * expected.writes)


def test_the_table_in_the_docstring() -> None:
    lines = (cost_model.__doc__ or "").splitlines()
    rows = [line.split("  ") for line in lines if line.startswith(("readable: ", "lists: ", "fused: "))]
    table = {cells[0].strip(): [cell.strip() for cell in cells if " + " in cell] for cells in rows}
    assert len(table) == 10
    for column, name in enumerate(OPTIMIZERS):
        cells = {row: tuple(map(int, cells[column].split(" + "))) for row, cells in table.items()}
        for path, cost_of in PATHS.items():
            parts = [cell for row, cell in cells.items() if row.startswith(path)]
            whole = cost_of(name, projected=True)
            assert tuple(map(sum, zip(*parts, strict=True))) == (whole.reads, whole.writes)
        update, statistics, layer = (cells[f"fused: {part}"] for part in ("update", "statistics", "layer view"))
        for view, sweeps in (
            (None, [update]),
            (View.NONE, [update, statistics]),
            (View.CHANNEL, [update, statistics]),
            (View.LAYER, [update, statistics, layer]),
        ):
            cost = cost_model.fused(name, view)
            assert (cost.reads, cost.writes) == tuple(map(sum, zip(*sweeps, strict=True)))
            cached = cost_model.fused(name, view, cached=True)
            assert (cached.reads, cached.writes, cached.operations) == (*update, cost.operations)


def test_bytes_of_a_parameter_in_the_docstring() -> None:
    for name, least, most in (("AdamP", 28, 36), ("SGDP", 20, 28)):
        assert cost_model.floor(name).bytes() == least
        assert cost_model.fused(name, View.CHANNEL).bytes() == most
        assert f"{least} to {most}" in (cost_model.__doc__ or "")


def test_a_step_adds_up_its_weights() -> None:
    matrix, vector = cost_model.fused("SGDP", View.CHANNEL), cost_model.fused("SGDP", None)
    assert (matrix, vector) == (Cost(5, 2, 16), Cost(3, 2, 6))
    weights = [Weight("m", "conv", (4, 5)), Weight("v", "norm", (7,))]
    total = cost_model.step("SGDP", weights, fast=True)
    assert total == Cost(5 * 20 + 3 * 7, 2 * 27, 16 * 20 + 6 * 7)
    assert total.bytes() == 4 * (121 + 54)
    assert cost_model.step("AdamP", []) == Cost()


def test_a_weight_that_fits_in_the_cache_is_read_once() -> None:
    weights = [Weight("m", "conv", (4, 5))]
    reads = [cost_model.step("SGDP", weights, fast=True, cache=cache).reads for cache in (0, 8 * 20 - 1, 8 * 20)]
    assert reads == [100, 100, 60]
    layer = [cost_model.step("SGDP", weights, "layer", fast=True, cache=12 * 20 - k).reads for k in (1, 0)]
    assert layer == [160, 60]


def test_it_prints_a_row_for_every_model_and_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    cost_model.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(cost_model.MODELS)
