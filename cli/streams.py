"""Standard output and standard error: at most 100 columns; a stream may lack characters, be closed, or full."""

import codecs
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# Replacements where the encoding lacks a character; the marks of tables stay distinct.
ASCII = {
    "✓": "+",
    "✗": "x",
    "–": "-",
    "−": "-",
    "·": ".",
    "○": "o",
    "×": "x",
    "…": "...",
    "→": "->",
    "‖": "||",
    "²": "^2",
    "≤": "<=",
    "≥": ">=",
}


def console(stream: Any) -> "Console":
    """A page of at most 100 columns; plain text where the stream is no terminal."""
    from rich.console import Console

    made = Console(file=stream, highlight=False, markup=False, emoji=False)
    width = min(made.width, 100) if made.is_terminal else 100
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _spelt(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    found = error.object[error.start : error.end]
    spelt = (ASCII.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in found)
    return "".join(spelt), error.end


codecs.register_error("tangency", _spelt)


class Stream:
    """Standard output or standard error: characters that its encoding lacks are replaced; no write raises.

    ``lost`` is the first failure. Without an ``inner`` stream, as when the caller closed it, output is discarded.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._inner is not None and bool(self._inner.isatty())

    def write(self, text: str) -> int:
        """Write the text; characters that the encoding lacks are replaced."""
        if self._inner is not None:
            encoding = getattr(self._inner, "encoding", None) or "utf-8"
            self._try(self._inner.write, text.encode(encoding, "tangency").decode(encoding))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write a document byte for byte, whatever the encoding of the stream."""
        if self._inner is None:
            self.lost = OSError(errno.EBADF, os.strerror(errno.EBADF))
        elif hasattr(self._inner, "buffer"):
            self.flush()
            self._try(self._inner.buffer.write, data)
        else:  # an embedder's
            self._try(self._inner.write, data.decode("utf-8"))
        self.flush()

    def flush(self) -> None:
        """Flush it."""
        if self._inner is not None:
            self._try(self._inner.flush)

    def _try(self, act: Callable[..., object], *arguments: Any) -> None:
        if self.lost is None:
            try:
                act(*arguments)
            except OSError as error:
                self.lost = error
            except ValueError as error:  # it is closed
                self.lost = OSError(errno.EBADF, str(error))

    def let_go(self) -> None:
        """After a failure, redirect what is still buffered to nowhere, so that the interpreter can flush it."""
        if self.lost is not None and self._inner is not None:
            with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self._inner.fileno())


@contextmanager
def streams() -> Iterator[Stream]:
    """Standard output and standard error as a :class:`Stream` each, while a command runs; gives standard output.

    A descriptor that the caller closed is opened on the null device; else the next file would get its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    before = sys.stdout, sys.stderr
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield out
    finally:
        for stream in (out, err):
            stream.flush()
            stream.let_go()
        sys.stdout, sys.stderr = before
