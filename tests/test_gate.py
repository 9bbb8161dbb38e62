"""The gate of a bare checkout: what `.ci/run` calls, in which order, and that no failure of a step goes unseen."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STEPS = [
    "pip install -c constraints.txt tox",
    "tox -e tests",
    "tox run-parallel --parallel 2 --parallel-no-spinner -e lint,docs,verify,aot",
]
# Stands for python3, and for the python and the tox of the environment that it makes; logs, and fails when told to.
STUB = r"""#!/bin/sh
case "$(basename "$0") $*" in
    "python3 -m venv "*) mkdir -p "$3/bin"; for name in python tox; do cp "$0" "$3/bin/$name"; done; exit 0 ;;
    "python -m pip "*) shift; call="$*" ;;
    *) call="$(basename "$0") $*" ;;
esac
echo "$call" >> "$LOG"
case "$TOX_WORK_DIR" in "$TMPDIR"/*) ;; *) exit 9 ;; esac
test "$call" != "$FAILS"
"""


def gate(folder: Path, fails: str) -> tuple[int, list[str]]:
    """The exit status of `.ci/run`, with stubs for whatever installs or runs long, and the calls that they saw."""
    stubs, log, scratch = folder / "bin", folder / "log", folder / "tmp"
    stubs.mkdir()
    scratch.mkdir()
    (stubs / "python3").write_text(STUB, encoding="utf-8")
    (stubs / "python3").chmod(0o755)
    shutil.copy(stubs / "python3", stubs / "coqc")  # it is there: nothing is installed
    changed = {
        "PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(log),
        "FAILS": fails,
        "TMPDIR": str(scratch),
    }
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")],
        cwd=folder,
        env={**os.environ, **changed, "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not list(scratch.iterdir()), "the gate left something behind"
    return done.returncode, log.read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="the gate is a bash script")
@pytest.mark.parametrize("fails", ["", *STEPS])
def test_the_first_step_that_fails_ends_it(fails: str, tmp_path: Path) -> None:
    code, calls = gate(tmp_path, fails)
    assert calls == (STEPS[: STEPS.index(fails) + 1] if fails else STEPS)
    assert (code == 0) == (fails == "")


def test_it_can_be_executed() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_tox_has_the_environments_that_are_named_anywhere() -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    assert settings["tox"]["env_list"] == "tests, lint, verify"
    for name in ("lint", "docs", "verify", "aot", "bench", "gpu"):
        assert settings[f"testenv:{name}"]["description"]
    assert settings["testenv"]["commands"] == "pytest -n 2 -o pythonpath=tests/helpers {posargs}"
    assert settings["testenv:verify"]["commands"].split("\n")[1] == "tangency verify --require kernel {posargs}"
    assert settings["testenv:docs"]["commands"].split("\n")[1] == "mkdocs build --strict"
    assert "mypy --strict" in settings["testenv:lint"]["commands"]
    files = settings["testenv:bench"]["commands"].split() + settings["testenv:gpu"]["commands"].split()
    named = [word for word in files if word.endswith(".py") or word.startswith("tests/")]
    assert named == ["benchmarks/bench_step.py", "tests/gpu/run.sh"]
    assert all((ROOT / name).exists() for name in named)
