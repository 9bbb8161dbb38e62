"""Where a command writes: consoles of at most 100 columns, and files that are refused before any work."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.engine.registry import WrongCall

if TYPE_CHECKING:
    from rich.console import Console


def console(stream: Any) -> "Console":
    """A page of at most 100 columns; plain text where the stream is no terminal."""
    from rich.console import Console

    made = Console(file=stream, highlight=False, markup=False, emoji=False)
    width = min(made.width, 100) if made.is_terminal else 100
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def check_file(option: str, name: str | None) -> None:
    """Refuse a file that cannot be written; ``-`` is standard output.

    Raises:
        WrongCall: naming the option and the reason.
    """
    if name in (None, "-"):
        return
    path = Path(str(name))
    existed = path.exists()
    try:
        path.open("a").close()
    except OSError as error:
        raise WrongCall(f"{option}: {path} cannot be written: {error.strerror}") from None
    if not existed:
        path.unlink()


def check_folder(option: str, path: Path | None) -> None:
    """Make a folder, or refuse it.

    Raises:
        WrongCall: naming the option and the reason.
    """
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".tangency"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise WrongCall(f"{option}: {path} cannot be written: {error.strerror}") from None


def write(name: str, text: str) -> None:
    """Write a file, or standard output for ``-``."""
    if name == "-":
        import sys

        sys.stdout.write(text)
    else:
        Path(name).write_text(text, encoding="utf-8")


def write_script(folder: Path, check: str, target: str, source: str) -> Path:
    """Write a reproducer; its name is the check and the target, with nothing that a file system minds."""
    path = folder / f"{check}--{''.join(c if c.isalnum() or c in '._-' else '.' for c in target)}.py"
    path.write_text(source, encoding="utf-8")
    return path
