"""``tangency bench`` as it is called: tables, files, exit codes, and calls that are wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tangency.benchmarks import steps
from tangency.benchmarks.contenders import Contender
from tangency.benchmarks.modes import DTYPES, MODES
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.cli import bench as command
from tangency.cli.main import run
from tangency.optim import SGDP

QUICK = ["bench", "--model", "small", "--optimizer", "SGDP", "--mode", "none", "--seconds", "0"]

pytestmark = pytest.mark.usefixtures("quick")


def test_options_name_what_there_is() -> None:
    """Written out there, since torch would have to be imported for them."""
    assert [one.value for one in command.Optimizer] == list(OPTIMIZERS)
    assert [one.value for one in command.Mode] == list(MODES)
    assert [one.value for one in command.Dtype] == list(DTYPES)


def test_it_prints_and_writes_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written, drawn = tmp_path / "run.json", tmp_path / "run.svg"
    assert run([*QUICK, "--peers", "--json", str(written), "--figure", str(drawn)]) == 0
    out = capsys.readouterr().out
    assert "small · SGDP · none: 23,882 parameters in 8 tensors" in out
    assert "small · SGDP · none: what one step does, counted" in out
    names = [row["name"] for row in json.loads(written.read_text(encoding="utf-8"))["timings"][0]["rows"]]
    assert names[:3] == ["torch SGD fused", "torch SGD foreach", "torch SGD loop"]
    assert "tangency loop" in names
    assert "<svg" in drawn.read_text(encoding="utf-8")


def test_a_run_that_is_cut_short_leaves_what_it_has_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tangency.benchmarks.run as runs

    def cut(*of: object, **more: object) -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "counted", cut)
    written = tmp_path / "run.json"
    assert run([*QUICK, "--dtype", "bfloat16", "--dtype", "float32", "--json", str(written)]) == 2
    timings = json.loads(written.read_text(encoding="utf-8"))["timings"]
    assert [(one["mode"], one["dtype"]) for one in timings] == [("none", "bfloat16"), ("none", "float32")]


def test_json_on_standard_output_is_alone_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*QUICK, "--no-counts", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["timings"][0]["what"] == "small"
    assert json.loads(out)["counts"] == []
    assert "small · SGDP · none" in err


def test_other_sections_need_no_model(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import tangency.benchmarks.run as runs

    planned = []
    monkeypatch.setattr(runs, "run", lambda plan, *watches: planned.append(plan) or runs.Results(runs.machine(), "cpu"))
    assert run(["bench", "--scaling", "--peers"]) == 0
    assert run(["bench"]) == 0
    assert run(["bench", "--all", "--model", "ResNet18", "--mode", "layer"]) == 0
    scaling, default, everything = planned
    assert (scaling.models, scaling.scaling, scaling.training, scaling.peers) == ((), True, False, True)
    assert (default.models, default.training, default.modes) == (("resnet-50",), True, MODES)
    assert (everything.models, everything.modes) == (("resnet-18",), ("layer",))
    assert everything.shapes
    assert everything.first_step
    assert not everything.compiled


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "resnet5"], "no model is called 'resnet5'; did you mean resnet-50"),
        (["--optimizer", "Adam"], "'Adam' is not one of"),
        (["--mode", "row"], "'row' is not one of"),
        (["--dtype", "int8"], "'int8' is not one of"),
        (["--json", "{tmp}/no/run.json"], "--json: {tmp}/no/run.json cannot be written: No such file or directory"),
        (["--figure", "{tmp}/no/run.svg"], "--figure: {tmp}/no/run.svg cannot be written: No such file or directory"),
        (["--figure", "run.txt"], "--figure: run.txt must end in .svg, .png or .pdf"),
        (["--device", "abacus"], "--device: abacus: "),
        (["--device", "meta"], "--device: meta is neither a CPU nor a CUDA device"),
        (["--device", "cpu:99"], "--device: cpu:99: there is one CPU, cpu"),
        (["--device", "cuda:x"], "--device: cuda:x: "),
        (["--device", "ä\x1b"], "--device: ä\\x1b: "),
        (["--threads", "0"], "--threads"),
        (["--threads", "99999999999"], "--threads"),
        (["--json", "run.svg", "--figure", "./run.svg"], "--json and --figure are one file: run.svg"),
        (["--gate", "gate.toml", "--json", "gate.toml"], "--gate and --json are one file: gate.toml"),
        (["--seconds", "-1"], "--seconds"),
        (["--gate", "{tmp}/none.toml"], "--gate: {tmp}/none.toml cannot be read: No such file or directory"),
        (["surplus"], "surplus"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *(text.format(tmp=tmp_path) for text in arguments)]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert message.format(tmp=tmp_path) in err
    assert err.count("\n") == 1


def test_a_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = 'what = "small"\noptimizer = "SGDP"\nmode = "none"\ncontender = "tangency loop"\n'
    gate = tmp_path / "gate.toml"
    gate.write_text(f"[[ratio]]\n{case}at_most = 1e9\n", encoding="utf-8")
    assert run(["bench", "--gate", str(gate), "--seconds", "0"]) == 0
    assert "gate.toml: 1 ratios and 0 counts hold" in capsys.readouterr().out
    gate.write_text(f"[[ratio]]\n{case}at_most = 0\n", encoding="utf-8")
    assert run(["bench", "--gate", str(gate), "--seconds", "0"]) == 1
    assert "✗ small · SGDP · none · tangency loop: " in capsys.readouterr().out


def test_what_computes_something_else_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Contender("tangency loop", lambda: SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"nesterov": True}, ours=True)
    monkeypatch.setattr(steps, "contenders", lambda *a, **k: [wrong])
    assert run(QUICK) == 1
    assert "tangency: nothing was timed: tangency loop: " in capsys.readouterr().err


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from tangency.cli.main import run; assert run(['bench', '--help']) == 0;"
        "assert not {'torch', 'numba', 'numpy', 'rich.progress'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--peers" in done.stdout
