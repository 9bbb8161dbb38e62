"""The package: what it exports, what it imports and in which direction, and the examples in its documentation."""

import ast
import doctest
import importlib
import json
import pkgutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tangency.optim
from tangency.optim import fused

MODULES = sorted(m.name for m in pkgutil.walk_packages(tangency.optim.__path__, "tangency.optim."))


def test_exports():
    assert sorted(tangency.optim.__all__) == ["AdamP", "Monitor", "SGDP"]


@pytest.mark.parametrize("name", ["tangency.optim", *MODULES])
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0 or not name.endswith((".sgdp", ".adamp"))


def test_it_imports_nothing_of_the_theory_or_the_claims_and_no_compiler():
    code = "import json, sys, tangency.optim; print(json.dumps([m for m in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = json.loads(run.stdout)
    packages = {name.split(".")[0] for name in loaded}
    ours = [name for name in loaded if name.startswith("tangency.") and not name.startswith("tangency.optim")]
    assert ours == []
    assert not packages & {"flint", "hypothesis", "pytest", "numba", "llvmlite", "triton"}
    assert not {"tangency.optim.cpu", "tangency.optim.gpu"} & set(loaded)


def imported(name):
    """The modules of the package that one of them imports, and those that it says it will."""
    path = Path(tangency.optim.__file__).parent.joinpath(*name.split(".")[2:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set(fused.MODULES.values()) if name == fused.__name__ else set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & set(MODULES)


def test_imports_run_one_way():
    order = list(TopologicalSorter({name: imported(name) for name in MODULES}).static_order())
    assert sorted(order) == MODULES
