"""The page on research is executed, and its example is right: the variant's spec, its implementation, its figure."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import executed_page as pages
import pytest
import torch
from executed_page import ROOT, Shown

from tangency.proofs_checks import Suite, Verdict, verify
from tangency.proofs_checks.run.claim_files import load
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, balls
from tangency.theory.projection import View

PAGE = pages.read("docs/research.md")
EXAMPLE = ROOT / "docs" / "examples" / "grow_only_projection.py"
PYTHON, COMMANDS = pages.python_blocks(PAGE), pages.commands(PAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the example and nothing else."""
    found = tmp_path_factory.mktemp("research")
    for path in (EXAMPLE, EXAMPLE.with_suffix(".v")):
        shutil.copy(path, found)
    return found


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    path = list(sys.path)
    (claim, *_) = load(EXAMPLE).claims
    yield sys.modules[claim.algebra.__module__]
    sys.path[:] = path


def test_there_is_something_to_execute() -> None:
    assert len(PYTHON) == sum(shown.prints is not None for shown in PYTHON) == 2
    assert [shown.exits for shown in COMMANDS if shown.prints is not None] == [0, 1]
    assert len(COMMANDS) == 8


@pytest.mark.parametrize("command", COMMANDS, ids=lambda shown: shown.text)
def test_commands_run_and_print_what_the_page_says(command: Shown, folder: Path) -> None:
    if "--figure" not in command.text:
        assert pages.run_command(command, folder).strip()
    elif find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    else:
        pages.run_command(command, folder)
        assert b"<svg" in (folder / command.text.split()[-1]).read_bytes()


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.text.split("\n")[0])
def test_python_blocks_run_and_print_what_the_page_says(block: Shown, folder: Path) -> None:
    pages.run_python(block, folder)


def test_the_counterexample_of_the_page_is_one(example: ModuleType) -> None:
    w, p = EXACT.array([0, 1]), EXACT.array([2, 1])
    step = example.grow_only(EXACT, w, p, lr=1)
    assert (w - p).tolist() == [-2, 0]
    assert step.w.tolist() == [-2, 1]
    assert "w=array([0, 1], dtype=object), gradients=(array([2, 1], dtype=object),), hyper={'lr': 1}" in PAGE


@pytest.mark.parametrize("field", [EXACT, FLOAT64, SYMBOLIC, balls(128)], ids=lambda field: field.name)
def test_the_spec_runs_over_every_field(example: ModuleType, field: Any) -> None:
    w = field.array([3, 4])
    turned, along = (example.grow_only(field, w, field.array(g), lr=0.5) for g in ([-4, 3], [3, 4]))
    assert (turned.view, along.view) == (View.LAYER, View.NONE)
    assert [float(x) for x in turned.w] == [5.0, 2.5]
    assert [float(x) for x in along.w] == [1.5, 2.0]


def test_a_step_that_keeps_the_norm_is_not_projected(example: ModuleType) -> None:
    w = EXACT.array([3, 4])
    assert example.grow_only(EXACT, w, 2 * w, lr=1).w.tolist() == [-3, -4]


class Radial(torch.optim.Optimizer):
    """Broken: it turns the radial component round, in place of removing it."""

    def __init__(self, params: Any, lr: float, momentum: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        (group,) = self.param_groups
        (w,) = group["params"]
        p = group["momentum"] * self.state[w].get("momentum_buffer", torch.zeros_like(w)) + w.grad
        self.state[w]["momentum_buffer"] = p
        w -= group["lr"] * (p - 2 * (w * p).sum() / (w * w).sum().clamp_min(1e-30) * w)


@pytest.mark.parametrize("make", [torch.optim.SGD, Radial])
def test_the_attack_catches_broken_variants(example: ModuleType, make: Any) -> None:
    broken = replace(example.SUBJECTS[0], make=make)
    report = verify(suite=Suite((example.IS_SGDP,), (broken,)), rungs=["implementation"], seed=1, shrink=False)
    assert [result.verdict for result in report.results] == [Verdict.FAILS]


def test_the_figure_has_three_runs_in_each_panel(example: ModuleType) -> None:
    pytest.importorskip("matplotlib")
    left, right = ([list(line.get_ydata()) for line in axes.lines] for axes in example.FIGURE().axes)
    for momentum, sgdp, grow_only in (left, right):
        assert len(momentum) == len(sgdp) == len(grow_only) == 100
    assert left[1] == pytest.approx(left[2])
    assert left[0][-1] > 2 * left[1][-1]
    assert [right[1][-1], right[2][-1]] == pytest.approx([5, 2], abs=0.1)
