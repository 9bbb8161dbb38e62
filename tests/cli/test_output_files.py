"""Files that a command writes, and its two streams: whole or as they were before, and no failure spoils another."""

import json
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangency.cli.output import Outputs
from tangency.common.calls import WrongCall
from tangency.common.text import as_source, docstring, line, raised, visible

HELPERS = Path(__file__).parents[1] / "helpers"
# A whole command that runs no worker and prints what fails, with all its files.
VERIFY = f"""
import sys
sys.path.insert(0, {str(HELPERS)!r})
import small_claims as small
from tangency.cli import main as cli
from tangency.proofs_checks import options
from tangency.proofs_checks.run import registry
registry.production = small.bad
options.PROFILES["quick"] = small.TINY
sys.exit(cli.run(["verify", "false", "--profile=quick", "--jobs=1", "--time-limit=0", "--no-database", *sys.argv[1:]]))
"""
FAILS = 1
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def verify(tmp_path: Path) -> Run:
    """``verify(*arguments)``: a run in which claims fail; in a folder of its own."""

    def run(*arguments: str, env: Mapping[str, str] = {}, **options: Any) -> subprocess.CompletedProcess[bytes]:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": tmp_path, **options}
        call = [sys.executable, "-c", VERIFY, *arguments]
        return subprocess.run(call, env={**os.environ, **env}, timeout=120, check=False, **options)

    return run


def complaints(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """What ``tangency`` says of the call; there is never a traceback."""
    errors = done.stderr.decode()
    assert "Traceback" not in errors, errors
    return [said for said in errors.splitlines() if said.startswith("tangency: ")]


def test_what_stood_there_survives_a_write_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("precious")
    outputs = Outputs({"--json": str(path)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        outputs.write("--json", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.json"]
    assert outputs.problems == [f"--json: {path} cannot be written: File too large"]
    assert outputs.done(0) == 4


def test_a_full_disk_loses_one_report_and_not_the_others(verify: Run, tmp_path: Path) -> None:
    done = verify("--json", "/dev/full", "--reproducers", "scripts")
    assert done.returncode == 4
    assert complaints(done) == ["tangency: --json: /dev/full cannot be written: No space left on device"]
    assert "counterexample" in done.stdout.decode()
    assert len(list((tmp_path / "scripts").iterdir())) == 1


def test_a_full_standard_output_is_one_line_and_files_are_written(verify: Run, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = verify("--json", "a.json", stdout=full)
    assert done.returncode == 4
    assert complaints(done) == ["tangency: standard output cannot be written: No space left on device"]
    assert json.loads((tmp_path / "a.json").read_text())["exit_code"] == FAILS


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_closed_streams_change_no_verdict_and_no_file(closed: tuple[int, ...], verify: Run, tmp_path: Path) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    done = verify("--json", "a.json", preexec_fn=close)
    assert done.returncode == FAILS
    assert json.loads((tmp_path / "a.json").read_text())["exit_code"] == FAILS
    assert b"Traceback" not in done.stderr
    assert not done.stdout.startswith(b"seed")


def test_json_on_a_closed_standard_output_is_refused_by_4(verify: Run) -> None:
    done = verify("--json", "-", preexec_fn=lambda: os.close(1))
    assert done.returncode == 4
    assert complaints(done) == ["tangency: standard output cannot be written: Bad file descriptor"]


def test_a_reader_that_leaves_changes_no_verdict(verify: Run, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = verify("--json", "a.json", stdout=writing)
    os.close(writing)
    assert done.returncode == FAILS
    assert complaints(done) == []
    assert (tmp_path / "a.json").exists()


def test_a_terminal_without_the_letters_tells_marks_apart(verify: Run) -> None:
    done = verify(env={"PYTHONIOENCODING": "ascii"})
    page = done.stdout.decode("ascii")
    assert "x false" in page
    assert (
        "+ holds, in how many cases   x fails   ? undecided   ! our own error   ... not run   - does not apply" in page
    )


def test_json_keeps_its_letters_on_any_terminal(verify: Run) -> None:
    done = verify("--json", "-", env={"PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout.decode("utf-8"))["reports"][0]["checks"][0]["source"] == "§0"


def test_a_dangling_link_stays_a_link(tmp_path: Path) -> None:
    link, path = tmp_path / "link.json", tmp_path / "real.json"
    link.symlink_to(path)
    outputs = Outputs({"--json": str(link)})
    assert not path.exists()
    outputs.write("--json", "{}")
    assert link.is_symlink()
    assert path.read_text() == "{}"


def test_a_pipe_gets_the_report_once_somebody_reads(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(WrongCall, match="pipe cannot be written: nobody reads it"):
        Outputs({"--json": str(pipe)})
    read: list[bytes] = []
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    outputs = Outputs({"--json": str(pipe)})
    thread = threading.Thread(target=lambda: read.append(os.read(reader, 100)))
    thread.start()
    outputs.write("--json", "{}")
    thread.join()
    os.close(reader)
    assert read == [b"{}"]


def test_rights_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o640)
    Outputs({"--json": str(path)}).write("--json", "{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o440)
    with pytest.raises(WrongCall, match="cannot be written: Permission denied"):
        Outputs({"--json": str(path)})


def test_what_cannot_be_replaced_is_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def busy(self: Path, target: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    Outputs({"--json": str(path)}).write("--json", "{}")
    assert path.read_text() == "{}"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("name", ["", "a/b.json", ".", "x" * 300, "nul\0.json", "half\ud800.json", "loop"])
def test_a_file_that_cannot_be_is_refused_and_nothing_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(WrongCall, match=r"--json: .*cannot be written: "):
        Outputs({"--json": name})
    assert os.listdir(tmp_path) == ["loop"]


@pytest.mark.parametrize("second", ["a.json", "./a.json", "sub/../a.json", "link", "hard"])
def test_two_outputs_to_one_file_are_refused(second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("a.json")
    if second == "hard":
        (tmp_path / "a.json").touch()
        os.link("a.json", "hard")
    with pytest.raises(WrongCall, match="--json and --html are one file"):
        Outputs({"--json": "a.json", "--html": second})
    with pytest.raises(WrongCall, match="--gate and --json are one file"):
        Outputs({"--json": second}, inputs={"--gate": "a.json"})


def test_a_device_may_be_shared() -> None:
    outputs = Outputs({"--json": os.devnull, "--html": os.devnull})
    outputs.write("--json", "{}")
    outputs.write("--html", "<p>")
    assert outputs.done(0) == 0


def test_nothing_of_a_users_is_touched_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / ".tangency").write_text("mine")
    outputs = Outputs({}, ("--reproducers", tmp_path))
    assert os.listdir(tmp_path) == [".tangency"]
    assert (tmp_path / ".tangency").read_text() == "mine"
    Outputs({}, ("--reproducers", tmp_path / "new" / "deep"))
    assert not (tmp_path / "new").exists()
    path = outputs.write_script("eq-04", "m:SGD", "pass\n")
    assert path is not None
    assert path.read_text() == "pass\n"


def test_scripts_of_targets_that_are_spelt_alike_are_two(tmp_path: Path) -> None:
    outputs = Outputs({}, ("--reproducers", tmp_path))
    targets = ["a/b.py:X", "a.b.py:X", 'sn☃w\\"\n.py:X', "half\udc80.py:X", f"{'é' * 300}.py:X"]
    paths = [outputs.write_script("eq-04", target, f"# {n}\n") for n, target in enumerate(targets)]
    assert [path and path.read_text() for path in paths] == [f"# {n}\n" for n in range(len(targets))]


def test_a_deleted_working_directory_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    call = [sys.executable, "-m", "tangency.cli.main", "verify", "eq-12"]
    done = subprocess.run(call, capture_output=True, check=False, cwd=gone, preexec_fn=lambda: os.rmdir(gone))
    assert done.returncode == 4
    (said,) = complaints(done)
    assert said.startswith("tangency: the current folder cannot be used: No such file or directory")


@given(st.text(st.characters() | st.sampled_from("\0\x1b\r\n\t\ud800\udcff\u202e:#[\\\"'"), max_size=30))
def test_any_text_is_harmless_and_can_be_written(text: str) -> None:
    visible(text).encode()
    assert "\n" not in line(text)
    assert "\n" not in raised(ValueError(text))
    assert compile(f'"""{docstring(text)}.\n"""', "script", "exec") is not None


@pytest.mark.parametrize(
    "said",
    ["::error::boo", "  ::error file=a.py,line=1::boo", "x\n::set-output name=a::b", "a ::stop-commands::tok", "::x::"],
)
def test_no_line_is_a_command_of_a_ci_server(said: str) -> None:
    for folded in (visible(said), line(said), *(visible(said).split())):
        assert not any(part.lstrip().startswith("::") for part in folded.splitlines())
    assert "##[" not in visible("a ##[error]b")
    assert "##vso[" not in visible("##vso[task.complete]")
    assert visible("a.py::mine x[::2] x[..., ::2] a::b") == "a.py::mine x[::2] x[..., ::2] a::b"


def test_an_exception_that_cannot_say_itself_is_named() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert raised(Mute()) == "Mute: its message cannot be read"
    assert raised(ValueError("a\nb")) == "ValueError: a"
    assert raised(ValueError()) == "ValueError"


@pytest.mark.parametrize("value", [1.5, float("inf"), {"a": [float("-inf"), (1e999,)]}, (), (1,), "x", None])
def test_a_value_reads_back_from_its_source(value: Any) -> None:
    assert eval(as_source(value)) == value


@pytest.mark.parametrize(
    "arguments", [("check", "--list"), ("check", "--explain", "pickle"), ("claims",), ("claim", "eq-12"), ("--help",)]
)
def test_what_is_only_told_is_told_to_any_reader(arguments: tuple[str, ...]) -> None:
    call = [sys.executable, "-m", "tangency.cli.main", *arguments]
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "wb") as full, open(writing, "wb", buffering=0) as left:
        for stream, code in ((left, 0), (full, 4)):
            done = subprocess.run(call, stdout=stream, stderr=subprocess.PIPE, check=False)
            assert done.returncode == code
            assert b"Traceback" not in done.stderr
            assert b"Exception ignored" not in done.stderr
