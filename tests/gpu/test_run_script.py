"""``tests/gpu/run.sh``: a dry run of all of it, what it says of steps that fail or take too long, and wrong calls."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import gpu_steps
import pytest
import torch
from gpu_run import ROOT, Run, Step, read_lines

SCRIPT = Path(__file__).with_name("run.sh")
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="it is a bash script")


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    changed = {"PYTHON": sys.executable, **environment}
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, env={**os.environ, **changed}, capture_output=True, text=True, check=False)


def python(code: str) -> tuple[str, ...]:
    return ("-c", code)


def test_a_dry_run_does_every_step_and_passes(tmp_path: Path) -> None:
    pytest.importorskip("triton", reason="triton is not installed: it has no wheel for this platform")
    out = tmp_path / "out"
    done = call(str(out), "--dry", "--installed")
    log = (out / "log.txt").read_text(encoding="utf-8") if out.exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + log
    card, *lines = read_lines(out / "results.jsonl")
    assert card["dry"]
    assert card["versions"]["torch"] == torch.__version__
    names = [step.name for step in gpu_steps.steps(out, dry=True)]
    assert [line["step"] for line in lines if "test" not in line] == names
    assert names == ["smoke", "claims", "kernels", "graphs", "bench-float32"]
    assert all(line["outcome"] == "passed" for line in lines)
    for step in names[:-1]:
        assert [line for line in lines if line["step"] == step and "test" in line]
        assert f"== {step}: " in log
    assert {line["measured"]["verdict"] for line in lines if "claim" in line.get("measured", {})} == {
        "holds",
        "does not apply",
    }
    (timing,) = json.loads((out / "bench-float32.json").read_text(encoding="utf-8"))["timings"]
    assert "tangency fused" in {row["name"] for row in timing["rows"]}
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")] == [f"{n}:" for n in names]


def test_on_a_card_everything_runs_and_the_most_valuable_first(tmp_path: Path) -> None:
    found = gpu_steps.steps(tmp_path, dry=False)
    assert [step.name for step in found][:5] == ["smoke", "claims", "kernels", "graphs", "bench-float32"]
    assert [step.name for step in found][5:] == ["bench-bfloat16", "bench-float16", "bench-float64"]
    assert not [step.name for step in found[1:] if "smoke" in step.arguments]
    assert all(model in found[-1].arguments for model in gpu_steps.MODELS)
    assert gpu_steps.BUDGET < 9 * 60


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_a_line(tmp_path: Path) -> None:
    done = call(str(tmp_path / "out"))
    assert done.returncode == gpu_steps.WRONG_CALL
    assert done.stderr == (
        "tests/gpu/run.sh: no GPU: torch.cuda.is_available() is false; --dry does the steps on the CPU\n"
    )
    assert not (tmp_path / "out").exists()


def test_wrong_calls(tmp_path: Path) -> None:
    for arguments, says in (
        ([], "the following arguments are required: OUT"),
        ([str(tmp_path), str(tmp_path), "--dry"], f"tests/gpu/run.sh: {tmp_path} holds no wheels"),
        ([__file__, "--dry"], f"tests/gpu/run.sh: nothing can be written to {__file__}: File exists"),
        ([str(tmp_path), "--wet"], "unrecognized arguments: --wet"),
    ):
        done = call(*arguments)
        assert done.returncode == gpu_steps.WRONG_CALL
        assert says in done.stderr


def script(monkeypatch: pytest.MonkeyPatch, out: Path, steps: list[Step]) -> int:
    """The exit code with other steps; they need no card."""
    monkeypatch.setattr(gpu_steps, "steps", lambda out, dry: steps)
    return gpu_steps.main([str(out), "--dry", "--installed"])


def test_a_step_that_fails_makes_it_fail_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = Step("wrong", "it raises", 30, python("raise SystemExit('no such kernel')"))
    after = Step("after", "it passes", 30, python("print('still here')"))
    assert script(monkeypatch, tmp_path, [wrong, after]) == 1
    first, *_, last = capfd.readouterr().out.splitlines()
    assert first == "the CPU, in Triton's interpreter"
    assert last == f"not passed: wrong; {tmp_path.resolve() / 'log.txt'} says why"
    _, *lines = read_lines(tmp_path / "results.jsonl")
    assert [(line["step"], line["outcome"]) for line in lines] == [("wrong", "failed with 1"), ("after", "passed")]
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "== wrong: it raises\nno such kernel\n" in log
    assert "== after: it passes\nstill here\n" in log


def test_a_step_beyond_its_limit_is_cut_with_all_that_it_started(tmp_path: Path) -> None:
    run = Run(tmp_path, time.monotonic() + 3600)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    waits = 'exec 3>"$0"; sleep 60; echo alive >&3'
    child = f"import subprocess; subprocess.run(['bash', '-c', {waits!r}, {str(pipe)!r}])"
    run.do(Step("slow", "it waits for what it started", 3.0, python(child)))
    assert run.outcomes["slow"].startswith("cut after ")
    (line,) = run.lines()
    assert (line["step"], line["codes"]) == ("slow", [None])
    os.set_blocking(descriptor, True)
    with open(descriptor, "rb") as end:
        assert end.read() == b""  # it ended before it could say a word
    run.do(Step("next", "it passes", 30, python("pass")))
    assert run.outcomes["next"] == "passed"


def test_without_time_nothing_begins(tmp_path: Path) -> None:
    run = Run(tmp_path, time.monotonic() - 1)
    run.do(Step("late", "it would pass", 30, python("open('x', 'w')")))
    assert run.outcomes == {"late": "not begun: no time was left"}


@pytest.fixture
def tests(tmp_path: Path) -> Run:
    """A run with a file of tests in its folder."""
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(5))\n"
        "def test_n(n, record_property):\n    record_property('square', n * n)\n    assert n != 3\n"
        "def test_skipped():\n    pytest.skip('no card')\n",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(SCRIPT.parent), os.environ.get("PYTHONPATH", "")])
    return Run(tmp_path, time.monotonic() + 3600, {**os.environ, "PYTHONPATH": path})


def of_tests(run: Run, *arguments: str, parts: int = 1) -> Step:
    file = str(run.out / "test_some.py")
    return Step("tests", "", 60, (*gpu_steps.PYTEST, "-p", "no:xdist", *arguments, file), tests=True, parts=parts)


def test_what_becomes_of_each_test_is_written_whatever_part_runs_it(tests: Run) -> None:
    tests.do(of_tests(tests, parts=2))
    assert tests.outcomes == {"tests": "failed with 1"}
    *found, step = tests.lines()
    assert sorted(step["codes"]) == [0, 1]
    outcomes = {line["test"].rpartition("::")[2]: line for line in found}
    assert len(found) == len(outcomes) == 6
    assert [outcomes[f"test_n[{n}]"]["outcome"] == "passed" for n in range(5)] == [n != 3 for n in range(5)]
    assert outcomes["test_n[4]"]["measured"] == {"square": 16}
    assert "assert 3 != 3" in outcomes["test_n[3]"]["detail"]
    assert outcomes["test_skipped"]["detail"] == "Skipped: no card"


def test_tests_that_are_all_skipped_or_none_are_a_failure(tests: Run) -> None:
    tests.do(of_tests(tests, "-k", "skipped"))
    assert tests.outcomes == {"tests": "failed: no test passed"}
    tests.do(of_tests(tests, "-k", "nothing"))
    assert tests.outcomes == {"tests": "failed: no test passed"}
    (tests.out / "test_some.py").write_text("import no_such_module", encoding="utf-8")
    tests.do(of_tests(tests))
    assert tests.outcomes == {"tests": "failed with 2"}
    assert "no_such_module" in tests.lines()[-2]["detail"]


def test_one_of_ours_that_is_left_out_of_the_times_is_a_failure(tmp_path: Path) -> None:
    left = [{"name": "tangency fused", "reason": "no compiler"}, {"name": "timm", "reason": "not installed"}]
    (tmp_path / "bench.json").write_text(json.dumps({"timings": [{"left_out": left}]}), encoding="utf-8")
    run = Run(tmp_path, time.monotonic() + 3600)
    run.do(Step("bench", "", 30, python("pass"), measures="bench.json"))
    assert run.outcomes == {"bench": "failed: left out: tangency fused: no compiler"}


def wheel(folder: Path, name: str) -> None:
    """An empty package, as a wheel in a folder."""
    about = f"{name}-1.0.dist-info"
    with ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")


def test_this_checkout_is_installed_and_of_the_wheels_what_is_not_there(tmp_path: Path) -> None:
    wheels, site, source = (tmp_path / name for name in ("some wheels", "site", "source"))
    wheels.mkdir()
    source.mkdir()
    for name in ("no_such_package", "torch"):
        wheel(wheels, name)
    run = Run(tmp_path, time.monotonic() + 3600, gpu_steps.environment(tmp_path, site, wheels, dry=False))
    for step in gpu_steps.installation(site, source, wheels):
        run.do(step)
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert run.outcomes == {"install": "passed", "install-no_such_package": "passed"}, log
    assert {path.name for path in site.iterdir() if path.suffix != ".dist-info"} >= {"tangency", "no_such_package.py"}
    assert not (site / "torch.py").exists()
    assert (site / "tangency" / "optim" / "adamp.py").is_file()
    # Where that fails, the checkout is next on the path.
    assert run.environment["PYTHONPATH"].split(os.pathsep)[:3] == [str(SCRIPT.parent), str(site), str(ROOT)]


def test_what_claims_need_and_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_steps, "_is_there", lambda name: name not in ("python-flint", "triton"))
    assert gpu_steps.needed() == ["python-flint", "triton"]
