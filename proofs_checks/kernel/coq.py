"""Coq (now called Rocq) as a program: found, of a known version, run with a limit; every way to be without it said."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

OLDEST = (8, 16)
LIMIT = 300.0  # seconds for one file; the longest takes about five
_INSTALL = "apt install coq, or see rocq-prover.org"


class NoCoq(Exception):
    """There is no Coq that can be asked; the message says why and what to do."""


class Refused(Exception):
    """Coq does not accept a file; the message is its own."""


class Broken(Exception):
    """Coq gave no answer: it hung, or crashed."""


@cache
def version() -> str:
    """The version of the ``coqc`` on the path.

    Raises:
        NoCoq: there is none, it does not answer, or it is older than 8.16.
    """
    path = shutil.which("coqc")
    if path is None:
        raise NoCoq(f"needs coqc, {_INSTALL}")
    try:
        done = _run([path, "--version"], Path.cwd(), 30.0)
    except (Broken, OSError) as error:
        raise NoCoq(f"{path} does not tell its version: {error}") from None
    found = re.search(r"version (\d+)\.(\d+)\S*", done.stdout)
    if done.returncode or found is None:
        raise NoCoq(f"{path} does not tell its version: {(done.stdout + done.stderr).strip()[:200]!r}")
    if tuple(map(int, found.groups())) < OLDEST:
        raise NoCoq(f"{path} is {found[0]}; it must be at least {'.'.join(map(str, OLDEST))}: {_INSTALL}")
    return found[0].removeprefix("version ")


def compiled(folder: Path, file: str) -> str:
    """Compile a file in a folder of the library ``Tangency``; what Coq printed.

    Raises:
        NoCoq: Coq has no standard library.
        Refused: the kernel does not accept the file.
        Broken: Coq hung or crashed.
    """
    done = _run(["coqc", "-q", "-w", "-all", "-Q", ".", "Tangency", file], folder, LIMIT)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip() or done.stdout.strip()
    if re.search(r"(?:Cannot (?:find|load)|Unable to locate).*\b(?:Coq|Stdlib|Prelude|initial)", said):
        raise NoCoq(f"coqc has no standard library ({said.splitlines()[-1]}): {_INSTALL}")
    if done.returncode == 1 and "Error" in said:
        raise Refused(said)
    raise Broken(f"coqc ended with {done.returncode} on {file}: {said[-400:] or 'it said nothing'}")


def _run(command: list[str], folder: Path, limit: float) -> "subprocess.CompletedProcess[str]":
    """Run in a group of its own, so that nothing of it is left after the limit."""
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=limit)
        except BaseException as error:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Broken(f"{command[0]} took more than {limit:.0f} s on {command[-1]}") from None
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)
