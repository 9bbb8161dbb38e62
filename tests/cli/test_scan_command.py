"""``tangency scan`` from end to end: exit codes, complaints of one line, files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tangency.cli import main as cli

Call = Callable[..., tuple[int, str, str]]
FACTORIES = """
import torch
from torch import nn

def raises(): raise ValueError("no weights today")
def alone(): return nn.Linear(2, 2)
def no_loss(): return nn.Linear(2, 2), torch.ones(3, 2), 5
def no_model(): return "linear", torch.ones(3, 2)
def wrong_batch(): return nn.Linear(2, 2), torch.ones(3, 5)
def with_loss(): return nn.Linear(2, 2), torch.ones(3, 2), lambda model, batch: model(batch).square().sum()
nothing = None
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """``call(*arguments)``: exit code, standard output and standard error, in a folder with factories."""
    monkeypatch.chdir(tmp_path)
    Path("factories.py").write_text(FACTORIES)
    return lambda *arguments: (cli.run(["scan", *arguments]), *capfd.readouterr())


def test_it_prints_the_share_and_a_table(call: Call) -> None:
    code, output, errors = call("probed_models:two_blocks")
    assert (code, errors) == (0, "")
    assert output.startswith("26.60% of 406 trainable parameters are scale-invariant (108)\n\nweight ")


def test_files_are_written(call: Call) -> None:
    code, output, _ = call("probed_models:two_blocks", "--json", "scan.json", "--groups", "-", "--seed", "3")
    assert code == 0
    assert output.startswith('"""Parameter groups by scale invariance')
    compile(output, "groups.py", "exec")
    assert json.loads(Path("scan.json").read_text())["options"]["seed"] == 3


def test_a_disagreement_without_a_reason_is_1(call: Call) -> None:
    code, output, _ = call("probed_models:wrong_backward")
    assert code == 1
    assert "? gradient: it says none: weight" in output


def test_a_factory_may_give_a_loss(call: Call) -> None:
    assert call("factories.py:with_loss")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing argument 'TARGET'"),
        (("factories",), "TARGET is 'factories'; it must be MODULE:NAME or PATH.py:NAME"),
        (("nowhere.py:net",), "nowhere.py is no file"),
        (("factories.py:Alone",), "factories.py has no Alone; did you mean alone?"),
        (("factories.py:nothing",), "factories.py:nothing is NoneType; it must be a class or a function"),
        (("factories.py:raises",), "factories.py:raises() raised ValueError: no weights today"),
        (("factories.py:alone",), "factories.py:alone() is Linear; it must be (model, batch) or (model, batch, loss)"),
        (("factories.py:no_loss",), "the loss of factories.py:no_loss() is int; it must be a function"),
        (("factories.py:no_model",), "model is str; it must be a torch.nn.Module"),
        (("factories.py:wrong_batch",), "the model cannot be evaluated on the batch in float64: RuntimeError"),
        (("factories.py:with_loss", "--alpha", "2"), "alpha is 2.0; it must lie between 0 and 1"),
        (("factories.py:with_loss", "--json", "-", "--groups", "-"), "only one report can go to standard output"),
        (("factories.py:with_loss", "--json", "factories.py"), "are one file: factories.py"),
        (
            ("factories.py:with_loss", "--groups", "no/such/folder/g.py"),
            "--groups: no/such/folder/g.py cannot be written",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_4(call: Call, arguments: tuple[str, ...], says: str) -> None:
    code, output, errors = call(*arguments)
    assert (code, output) == (4, "")
    assert says in errors
    assert len(errors.splitlines()) == 1
