"""The files that a command writes: checked before any work, and written whole or not at all."""

import errno
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zlib import crc32

from tangency.cli.streams import Stream
from tangency.common.calls import WrongCall
from tangency.common.text import line
from tangency.proofs_checks.report.subject_report import FAILED, NOTHING, OK, USAGE

# Errors after which a file is written in place: no file can be made beside it, or none can replace it (a mount).
NOT_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)


class Outputs:
    """The files of one call. A wrong one is refused before any work; later, one that fails affects no other.

    Args:
        files: by option; ``-`` is standard output.
        folder: an option and the folder that it names, for scripts; created with the first script.
        inputs: what the call reads, by option: no output may take its place.

    Raises:
        WrongCall: a file cannot be written, or two names mean one file.
    """

    def __init__(
        self,
        files: Mapping[str, str | Path | None],
        folder: tuple[str, Path | None] = ("", None),
        inputs: Mapping[str, str | Path | None] = MappingProxyType({}),
    ) -> None:
        self.problems: list[str] = []
        self._files: dict[str, _File] = {}
        self._option, self._folder = folder
        self._scripts: set[str] = set()
        places = {place: option for option, name in inputs.items() if name and (place := _place(name))}
        for option, name in files.items():
            if name is None:
                continue
            with _refused(option, name):
                file = _File(str(name))
            place = "-" if file.stdout else _place(name)
            if place == "-" and place in places:
                raise WrongCall(f"{places[place]} and {option}: only one report can go to standard output")
            if place in places:
                raise WrongCall(f"{places[place]} and {option} are one file: {line(str(name))}")
            if place:
                places[place] = option
            self._files[option] = file
        if self._folder is not None:
            with _refused(self._option, self._folder):
                _check_folder(self._folder)

    @property
    def page(self) -> Any:
        """The stream of what people read: standard output, unless a document goes there."""
        return sys.stderr if any(file.stdout for file in self._files.values()) else sys.stdout

    def wants(self, option: str) -> bool:
        """Whether the option names a file."""
        return option in self._files

    def rewritable(self, option: str) -> bool:
        """Whether the option names a file that can be written anew as a run goes on: no pipe, no standard output."""
        return option in self._files and self._files[option].rewritable

    def write(self, option: str, document: str | bytes) -> None:
        """Write the file of an option; where that fails, :attr:`problems` says why."""
        data = document if isinstance(document, bytes) else document.encode("utf-8", "backslashreplace")
        file = self._files[option]
        try:
            file.write(data)
        except OSError as error:
            self.problems.append(f"{option}: {line(file.name)} cannot be written: {_why(error)}")

    def write_script(self, check: str, target: str, source: str) -> Path | None:
        """Write a reproducer, named after its check and target; the path, or ``None`` if it cannot be written."""
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="tangency-"))
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / self._script_name(check, target)
            _replace(path, source.encode("utf-8", "backslashreplace"))
        except OSError as error:
            place = "" if self._folder is None else f"{line(str(self._folder))} "
            self.problems.append(f"{self._option}: {place}cannot be written: {_why(error)}")
            return None
        return path

    def _script_name(self, check: str, target: str) -> str:
        """A file name that every file system accepts, unique in one call."""
        plain = "".join(c if c.isalnum() or c in "._-" else "." for c in f"{check}--{target}")
        if len(plain.encode()) > 200:
            plain = f"{check[:40]}--{crc32(repr(target).encode()):08x}"
        name, number = f"{plain}.py", 1
        while name in self._scripts:
            number += 1
            name = f"{plain}-{number}.py"
        self._scripts.add(name)
        return name

    def done(self, code: int) -> int:
        """Print what could not be written; return the exit code of the command."""
        for problem in dict.fromkeys(self.problems):
            print(f"tangency: {problem}", file=sys.stderr)
        return USAGE if self.problems and code in (OK, FAILED, NOTHING) else code


class _File:
    """One file to be written: standard output, something that is no regular file, or a path.

    Raises:
        OSError, ValueError: it cannot be written.
    """

    def __init__(self, name: str) -> None:
        self.name, self.stdout = name, name == "-" or _is_stdout(name)
        # A pipe stays open from now on: closed and opened again, its reader would see an end in between.
        self._descriptor: int | None = None
        # A symbolic link stays, even a dangling one: its target is written.
        self._path = Path(os.path.realpath(name))
        if self.stdout:
            return
        try:
            mode = os.stat(name).st_mode
        except FileNotFoundError:
            if not name:
                raise
            _check_folder(self._path.parent)
            if not self._path.parent.is_dir():
                raise
            return
        if not stat.S_ISREG(mode):
            self._descriptor = os.open(name, os.O_WRONLY | os.O_NONBLOCK)  # else it waits until somebody reads
            os.set_blocking(self._descriptor, True)
        else:
            os.close(os.open(name, os.O_WRONLY))

    @property
    def rewritable(self) -> bool:
        return not self.stdout and self._descriptor is None

    def write(self, data: bytes) -> None:
        """Write all of it."""
        if self.stdout:
            stream = sys.stdout if isinstance(sys.stdout, Stream) else Stream(sys.stdout)
            stream.write_bytes(data)
        elif self._descriptor is not None:
            with open(self._descriptor, "wb") as file:
                file.write(data)
        else:
            _replace(self._path, data)


def _replace(path: Path, data: bytes) -> None:
    """Write a file beside it and rename: after any failure the file is whole or unchanged."""
    try:
        descriptor, beside = _beside(path.parent)
    except OSError as error:
        if error.errno not in NOT_BESIDE:
            raise
        path.write_bytes(data)
        return
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        with suppress(FileNotFoundError):
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        try:
            beside.replace(path)
        except OSError as error:
            if error.errno not in NOT_BESIDE:
                raise
            path.write_bytes(data)
    finally:
        beside.unlink(missing_ok=True)


def _beside(folder: Path) -> tuple[int, Path]:
    """A new file with a unique name, open for writing."""
    path = folder / f".tangency-{secrets.token_hex(8)}"
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), path


def _check_folder(folder: Path) -> None:
    """Raise ``OSError`` if no file can be made in a folder, or in its nearest existing parent."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    descriptor, probe = _beside(folder)
    os.close(descriptor)
    probe.unlink()


def _place(name: str | Path) -> Any:
    """The identity of a file; ``None`` for a device, which several outputs may share."""
    try:
        found = os.stat(name)
    except (OSError, ValueError):
        return os.path.realpath(name)
    return None if stat.S_ISCHR(found.st_mode) else (found.st_dev, found.st_ino)


def _is_stdout(name: str) -> bool:
    try:
        found = os.stat(name)
        return not stat.S_ISCHR(found.st_mode) and os.path.samestat(found, os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def _refused(option: str, name: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise WrongCall(f"{option}: {line(str(name)) or repr(str(name))} cannot be written: {_why(error)}") from None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return "nobody reads it" if error.errno == errno.ENXIO else error.strerror or str(error)
    return "its name is none of a file"
