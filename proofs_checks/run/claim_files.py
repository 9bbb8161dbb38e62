"""Claims in a file outside this package: ``tangency verify my_claims.py``.

Such a file is plain Python. Every variable of it that is a :class:`.Claim`, and every claim of a sequence ``CLAIMS``,
is taken. ``SUBJECTS`` holds the optimizers that the claims are checked on (without it, those shipped here), and
``FIGURE``, a function without arguments, makes a matplotlib figure.
"""

import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from tangency.common.calls import WrongCall
from tangency.proofs_checks.claim import Claim, Suite, select
from tangency.proofs_checks.run.registry import discover, file_and_id
from tangency.proofs_checks.run.state import SETTINGS, restored
from tangency.proofs_checks.subjects import PRODUCTION, Subject
from tangency.proofs_checks.target.source_file import run_file


class BadFile(WrongCall):
    """A file gives no claims; the message says why."""


@dataclass(frozen=True)
class ClaimFile:
    """What a file holds.

    Attributes:
        claims: in the order of the file.
        subjects: its ``SUBJECTS``; empty if it has none.
        figure: its ``FIGURE``, if it has one.
    """

    path: Path
    claims: tuple[Claim, ...]
    subjects: tuple[Subject, ...]
    figure: Callable[[], Any] | None


@dataclass(frozen=True)
class FileSuite(Suite):
    """A suite that was made of files."""

    files: tuple[ClaimFile, ...] = ()


@dataclass(frozen=True)
class FileSource:
    """Makes a suite of what a user named: files, single claims of files, and claims of this package.

    It is what worker processes get, which read the files again.

    Args:
        arguments: ``my_claims.py`` (all its claims), ``my_claims.py::some-id``, or the id of a built-in claim.

    Raises:
        BadFile: when called: a file cannot be read or run, or holds no claim; two claims, or two subjects, have one
            name.
        UnknownClaim: when called: no claim has this id.
    """

    arguments: tuple[str, ...]

    def __call__(self) -> FileSuite:
        chosen = [file_and_id(argument) for argument in self.arguments]
        files = {path: load(path) for path, _ in chosen if path is not None}
        _check_ids(tuple(files.values()))
        claims = list(select(discover(), [id for path, id in chosen if path is None and id is not None]))
        for path, id in chosen:
            if path is not None:
                here = files[path].claims
                claims += select(here, [id]) if id else here
        claims = list({claim.id: claim for claim in claims}.values())  # a file and one of its claims may both be named
        subjects = tuple(chain.from_iterable(file.subjects for file in files.values()))
        return FileSuite(tuple(claims), _distinct(subjects) or PRODUCTION, files=tuple(files.values()))


def load(name: str | Path) -> ClaimFile:
    """Run a file and take what it holds.

    Raises:
        BadFile: there is no such file, it raises, or it holds no claim.
    """
    path = Path(name)
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise BadFile(f"{path} cannot be read: its name is none of a file") from None
    if not path.is_file():
        raise BadFile(f"{path} is no file")
    return _load(path, path.resolve(), changed)


@cache  # by time of change: a file is run once, but a notebook sees it change
def _load(path: Path, resolved: Path, changed: int) -> ClaimFile:
    module = _run(path, resolved)
    found = [value for value in vars(module).values() if isinstance(value, Claim)]
    found += _sequence(path, module, "CLAIMS", Claim)
    # Compared by identity: a second name is no second claim, and an imported built-in claim is not the file's own.
    claims: dict[int, Claim] = {id(claim): claim for claim in found if not any(claim is own for own in discover())}
    if not claims:
        raise BadFile(f"{path} holds no claim: no variable of it is a Claim, and it has no CLAIMS")
    subjects = _sequence(path, module, "SUBJECTS", Subject)
    figure = getattr(module, "FIGURE", None)
    if figure is not None and not callable(figure):
        raise BadFile(f"{path}: FIGURE is {figure!r}; it must be a function that makes a matplotlib figure")
    return ClaimFile(path, tuple(claims.values()), tuple(subjects), figure)


def _run(path: Path, resolved: Path) -> ModuleType:
    """The file as a module."""
    if resolved.suffix != ".py":
        raise BadFile(f"{path} is no Python file: its name does not end in .py")
    try:
        # Standard output is for results alone, and other files and claims come after this one.
        with redirect_stdout(sys.stderr), restored(SETTINGS):
            return run_file(resolved, "tangency_claims")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too
        raise BadFile(f"{path} raises when it is run: {_in_a_line(error, resolved)}") from error


def _in_a_line(error: BaseException, path: Path) -> str:
    """The last line of a traceback, and the innermost line of the file in it."""
    message = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{message} (line {error.lineno}: {(error.text or '').strip()})"
    inside = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{message} (line {inside[-1].lineno}: {inside[-1].line})" if inside else message


def _sequence(path: Path, module: ModuleType, name: str, kind: type[Any]) -> list[Any]:
    found = getattr(module, name, ())
    if not isinstance(found, Sequence) or not all(isinstance(value, kind) for value in found):
        raise BadFile(f"{path}: {name} is {found!r}; it must be a sequence of {kind.__name__}s")
    return list(found)


def _check_ids(files: Sequence[ClaimFile]) -> None:
    """Every id names one claim, here and among the built-in ones."""
    places = {claim.id: "a built-in claim" for claim in discover()}
    for file in files:
        for claim in file.claims:
            if claim.id in places:
                raise BadFile(f"{file.path}: {claim.title!r} has the id {claim.id!r}, and so has {places[claim.id]}")
            places[claim.id] = f"{claim.title!r} of {file.path}"


def _distinct(subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    names = [subject.name for subject in subjects]
    for name in names:
        if names.count(name) > 1:
            raise BadFile(f"two subjects are called {name!r}; each name must be unique")
    return subjects
