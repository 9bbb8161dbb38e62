"""The programs and commands of a Markdown page, and how they are run."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What one run has and the next has not: how long it took, and errors, which other processors round otherwise.
VARYING = re.compile(r"(?m) \d+ s$| \d+\.\d+$")


@dataclass(frozen=True)
class Shown:
    """A program, and its results by the page.

    Attributes:
        text: Python, or a command.
        prints: its standard output; ``None`` if the page does not show it.
        exits: its exit code.
    """

    text: str
    prints: str | None = None
    exits: int = 0


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def python_blocks(page: str) -> list[Shown]:
    """Every block of Python; where ``prints`` and a text block follow, that is its output."""
    found = re.findall(
        r"^```python\n(.*?)^```\n(?:\nprints\n\n```text\n(.*?)^```)?", page, flags=re.MULTILINE | re.DOTALL
    )
    return [Shown(block, prints or None) for block, prints in found]


def commands(page: str) -> list[Shown]:
    """Every line of a console block; in one with prompts, the lines after ``$ `` are commands and others are output.

    ``$ echo $?`` after a command shows its exit code.
    """
    found: list[Shown] = []
    for block in re.findall(r"^```console\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        if not block.startswith("$ "):
            found += [Shown(line) for line in block.splitlines()]
            continue
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, output = part.partition("\n")
            if command == "echo $?":
                found[-1] = Shown(found[-1].text, found[-1].prints, int(output))
            else:
                found.append(Shown(command, output))
    return found


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def run_python(shown: Shown, folder: Path) -> str:
    """Run a block, check its exit code and the output that the page shows. Returns what it prints."""
    file = folder / "block.py"
    file.write_text(shown.text, encoding="utf-8")
    return _checked(shown, run([sys.executable, str(file)], folder))


def run_command(shown: Shown, folder: Path) -> str:
    """Run a command of ``tangency`` or ``pytest`` in a folder, and check it likewise."""
    program, *arguments = shlex.split(shown.text)
    module = {"tangency": "tangency.cli.main", "pytest": "pytest"}[program]
    return _checked(shown, run([sys.executable, "-m", module, *arguments], folder))


def _checked(shown: Shown, done: subprocess.CompletedProcess[str]) -> str:
    if shutil.which("coqc") is None and "kernel" in (shown.prints or ""):
        pytest.skip("the page shows what the kernel says, which needs coqc: apt install coq")
    assert done.returncode == shown.exits, done.stdout + done.stderr
    if shown.prints is not None:
        assert same(done.stdout) == same(shown.prints), done.stdout
    return done.stdout


def same(output: str) -> list[str]:
    """The lines of an output without varying parts, blanks at their ends, and blank lines around."""
    return [
        line.rstrip() for line in VARYING.sub(" …", "\n".join(map(str.rstrip, output.strip().split("\n")))).split("\n")
    ]
