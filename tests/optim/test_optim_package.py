"""The package: what it exports, what it imports, and the examples in its documentation."""

import doctest
import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import tangency.optim

MODULES = ["tangency.optim", *(f"tangency.optim.{m.name}" for m in pkgutil.iter_modules(tangency.optim.__path__))]


def test_exports():
    assert sorted(tangency.optim.__all__) == ["AdamP", "SGDP"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0 or not name.endswith(("sgdp", "adamp"))


def test_it_imports_nothing_of_the_theory_or_the_claims():
    code = "import json, sys, tangency.optim; print(json.dumps([m for m in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = json.loads(run.stdout)
    ours = [name for name in loaded if name.startswith("tangency.") and not name.startswith("tangency.optim")]
    assert ours == []
    assert not {"flint", "hypothesis", "pytest"} & {name.split(".")[0] for name in loaded}
