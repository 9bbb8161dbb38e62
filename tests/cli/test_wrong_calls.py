"""Calls that are wrong in ways that nobody thinks of: one line, exit code 4, and never a traceback of ours."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.cli import main as cli
from tangency.common import inputs
from tangency.common.calls import WrongCall
from tangency.proofs_checks.run.known import BadKnownFailures, load
from tangency.proofs_checks.target.signature import RENAMED
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import load as load_target

Call = Callable[..., tuple[int, str, str]]
DEEP = "[" * 150 + "]" * 150
SGD = ("check", "torch.optim:SGD", "--only", "pickle", "--jobs", "1", "--seed", "1")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """``call(*arguments)``: exit code, standard output and standard error, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: (cli.run([*arguments]), *capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*SGD, "--set", "momentum={[]: 1}"), "--set momentum is '{[]: 1}', of which Python makes no value: TypeError"),
        ((*SGD, "--set", f"momentum={'-' * 9999}1"), "of which Python makes no value"),
        ((*SGD, "--set", f"lr=0x{'f' * 9999}"), "an integer too long to be printed"),
        ((*SGD, "--set", "lr=1", "--set", "lr=2"), "--set lr is given twice: '1' and '2'"),
        ((*SGD, "--set", "=1"), "--set is '=1'; it must be NAME=VALUE"),
        ((*SGD, "--rename", "momentun=momentum"), "no hyper-parameter is called 'momentun'; did you mean momentum?"),
        ((*SGD, "--time-limit", "nan"), "--time-limit"),
        ((*SGD, "--time-limit", "0"), "--time-limit"),
        ((*SGD, "--json", "a.txt", "--html", "./a.txt"), "--json and --html are one file: ./a.txt"),
        ((*SGD, "--known-failures", "k.toml", "--json", "k.toml"), "--known-failures and --json are one file: k.toml"),
        (("check", "a.py:X", "--json", "a.py"), "a.py:X and --json are one file: a.py"),
        (("verify", "--time-limit", "nan"), "--time-limit"),
        (("verify", "--json", "a.svg", "--figure", "a.svg"), "--json and --figure are one file"),
        (("verify", "a.py", "--json", "a.py"), "a.py and --json are one file"),
        (("verify", "no\nsuch\x1b[31m"), "no claim is called 'no\\nsuch\\x1b[31m'"),
        (("verify", "half\udc80.py"), "half\\udc80.py cannot be read: No such file or directory"),
        (("claim", "nul\0.py"), "nul\\x00.py cannot be read"),
        (("claims", "x" * 5000 + ".py"), "cannot be read: File name too long"),
    ],
    ids=lambda value: " ".join(value)[-40:].encode("unicode_escape").decode() if isinstance(value, tuple) else "",
)
def test_it_is_one_line_and_4(call: Call, arguments: tuple[str, ...], says: str) -> None:
    code, output, errors = call(*arguments)
    assert code == 4, errors
    assert output == ""
    lines = [said for said in errors.splitlines() if not said.startswith("seed ")]
    assert len(lines) == 1, errors
    assert lines[0].startswith("tangency: ")
    assert says in lines[0]


@pytest.mark.parametrize("seconds", ["2592000", "1e300", "inf"])
def test_a_long_limit_is_no_limit(call: Call, seconds: str) -> None:
    code, output, errors = call(*SGD, "--time-limit", seconds)
    assert code == 0, errors
    assert "conforms to sgd" in output


@pytest.mark.parametrize("text", ["1e999", "{'a': [1]}", "None", "{[", "nul\0", "half\ud800", "'", DEEP])
def test_a_value_is_a_literal_or_itself(text: str) -> None:
    assert repr(inputs.literal("--set x", text))


@given(st.text(st.sampled_from("[](){}'\"\\0x19e-+:,.\n\0 \ud800fTrueN"), max_size=40))
def test_any_value_is_taken_or_refused(text: str) -> None:
    with suppress(WrongCall):
        repr(inputs.literal("--set x", text))


def test_a_rename_is_of_something_and_to_one_name() -> None:
    with pytest.raises(TargetError, match="'eta' is no hyper-parameter; there are lr, weight_decay"):
        load_target(TargetSpec("torch.optim:SGD", rename={"eta": "lr"}))
    with pytest.raises(TargetError, match="lr is 'lr,lr'; it must be one name, and two for betas"):
        load_target(TargetSpec("torch.optim:SGD", rename={"lr": "lr,lr"}))
    with pytest.raises(TargetError, match="lr and momentum would both be 'momentum'"):
        load_target(TargetSpec("torch.optim:SGD", rename={"lr": "momentum"}))
    # A matrix has targets of several algorithms: a name of another one is no mistake.
    assert load_target(TargetSpec("torch.optim:SGD", rename={"eps": "momentum"})).names["lr"] == "lr"
    assert {"lr", "betas", "delta", "clip", "foreach"} <= set(RENAMED)


TOML = [
    ("known = 'eq-04'", "known must be an array of tables"),
    ("[known]\ncheck = 'eq-04'", "known must be an array of tables"),
    ("known = [1]", "known must be an array of tables"),
    (f"known = {'[' * 9999}{']' * 9999}", "no TOML"),
    (f"known = {'{a=' * 9999}1{'}' * 9999}", "no TOML"),
    (f"known = 1{'0' * 9999}", "no TOML"),
    (f"known = 0x{'f' * 99}", "an integer of more than 64 bits"),
    ("known = 2020-99-99", "no TOML"),
    ("known = \x00", "no TOML"),
    ("[[known]]\ncheck = {a = 1}\nreason = 'x'", "check is {'a': 1}; it must be a string"),
    ("[[known]]\ncheck = [['eq-04']]\nreason = 'x'", "must be a string"),
    ("[[known]]\ncheck = 'eq-04'\nreason = nan", "must be a string"),
]


@pytest.mark.parametrize(("text", "says"), TOML, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_known_failures_of_any_shape_are_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(BadKnownFailures, match=r"known\.toml") as refused:
        load(path)
    assert says in str(refused.value)


@pytest.mark.parametrize("what", ["folder", "bytes", "missing", "nul\0"])
def test_known_failures_that_cannot_be_read_are_refused(what: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(BadKnownFailures):
        load(tmp_path / what)


TARGET = """
import torch
class SGD(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.mul_(2)
        return super().step(closure)
class Loud(torch.optim.SGD):
    def __init__(self, params, lr=0.1):
        raise ValueError(SAYS)
"""


@pytest.mark.parametrize(
    "name", ["back\\slash.py", "quo'te\".py", '"""\\.py', "new\nline.py", "sn☃w.py", b"half\x80.py"]
)
def test_a_target_of_any_file_name_has_a_script_that_runs(call: Call, name: str | bytes, tmp_path: Path) -> None:
    path = os.fsdecode(name)
    (tmp_path / path).write_text(TARGET, encoding="utf-8")
    asked = ("--only", "gradient-untouched", "--only", "eq-04", "--only", "algorithm-1", "--profile", "quick")
    files = ("--json", "a.json", "--junit", "a.xml", "--markdown", "a.md", "--html", "a.html", "--reproducers", "s")
    code, output, errors = call("check", f"{path}:SGD", *asked, "--jobs", "1", "--algorithm", "sgd", *files)
    assert code == 1, output + errors
    scripts = sorted((tmp_path / "s").iterdir())
    assert scripts
    for script in scripts:
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
    assert all((tmp_path / file).stat().st_size for file in ("a.json", "a.xml", "a.md", "a.html"))


@pytest.mark.parametrize(
    "says", ["::error::boo", "nul\0 esc\x1b[31m bell\a", "half\ud800", "a\n::set-output name=x::y", ""]
)
def test_no_message_of_a_targets_acts(call: Call, says: str, tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(TARGET + f"SAYS = {says!r}\n", encoding="utf-8")
    code, output, errors = call("check", "loud.py:Loud", "--only", "pickle", "--jobs", "1", "--algorithm", "sgd")
    assert code == 4
    assert "ValueError" in output
    for said in (output + errors).splitlines():
        assert said.isprintable()
        assert not said.lstrip().startswith("::")


def test_a_module_of_any_name_has_a_script(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two-words.py").write_text(TARGET, encoding="utf-8")
    imports, _ = load_target(TargetSpec("two-words:SGD")).expression
    scope: dict[str, Any] = {}
    exec(imports, scope)
    assert scope["SGD"].__name__ == "SGD"
