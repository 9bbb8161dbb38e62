"""The cost model against the operations that a real step dispatches, and against counts by hand."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tangency.benchmarks import cost_model
from tangency.benchmarks.cost_model import Cost
from tangency.optim import SGDP, AdamP

MAKE = {
    "SGDP": lambda params, decay: SGDP(params, lr=0.1, momentum=0.9, weight_decay=decay),
    "AdamP": lambda params, decay: AdamP(params, lr=0.1, weight_decay=decay),
}


class Passes(TorchDispatchMode):
    """Counts reads and writes of tensors of one size: what an operation is given, once each, and what it makes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.reads, self.writes = size, 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            # copy_ does not read what it writes over; new_full reads only a dtype.
            name = func.overloadpacket.__name__
            given = {"copy_": args[1:], "new_full": ()}.get(name, args)
            self.reads += len({x.data_ptr() for x in self._large(given)})
            self.writes += len(self._large(result))
        return result

    def _large(self, tree: Any) -> list[torch.Tensor]:
        return [x for x in tree_leaves(tree) if isinstance(x, torch.Tensor) and x.numel() == self.size]


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 31), (61,)])
@pytest.mark.parametrize("name", MAKE)
def test_a_real_step_makes_the_passes_of_the_model(name: str, shape: tuple[int, ...], decay: float) -> None:
    p = torch.nn.Parameter(torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape))
    optimizer = MAKE[name]([p], decay)
    p.grad = torch.ones_like(p)
    optimizer.step()
    with Passes(p.numel()) as passes:
        optimizer.step()
    expected = cost_model.readable(name, projected=len(shape) >= 2, decay=decay > 0)
    assert (passes.reads, passes.writes) == (expected.reads, expected.writes)


def test_the_table_in_the_docstring() -> None:
    rows = [line.split("  ") for line in (cost_model.__doc__ or "").splitlines() if " + " in line and "  " in line]
    table = {cells[0].strip(): [cell.strip() for cell in cells if " + " in cell] for cells in rows if len(cells) > 2}
    for column, name in enumerate(("SGDP", "AdamP")):
        parts = [tuple(int(number) for number in table[row][column].split(" + ")) for row in table if "readable" in row]
        whole = cost_model.readable(name, projected=True)
        assert (sum(reads for reads, _ in parts), sum(writes for _, writes in parts)) == (whole.reads, whole.writes)
        for row, projected in (("fused, projected", True), ("fused, never projected", False)):
            cost = cost_model.fused(name, projected=projected)
            assert table[row][column] == f"{cost.reads} + {cost.writes}"


def test_a_step_adds_up_its_weights() -> None:
    matrix, vector = cost_model.fused("SGDP", projected=True), cost_model.fused("SGDP", projected=False)
    assert (matrix, vector) == (Cost(5, 2, 16), Cost(3, 2, 6))
    total = cost_model.step("SGDP", [(4, 5), (7,)], fast=True)
    assert total == Cost(5 * 20 + 3 * 7, 2 * 27, 16 * 20 + 6 * 7)
    assert total.bytes() == 4 * (121 + 54)
    assert cost_model.step("AdamP", []) == Cost()


def test_it_prints_a_row_for_every_model_and_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    cost_model.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(cost_model.MODELS)
