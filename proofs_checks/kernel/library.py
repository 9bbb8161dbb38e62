"""The library of theorems: its sources, what each file needs, and their compiled form in a cache.

The cache is a folder for each version of Coq and state of the sources, so that nothing in it is ever out of date.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tangency.proofs_checks.kernel import coq

FOLDER = Path(__file__).resolve().parent.parent / "rocq"
_NEEDS = re.compile(r"^From Tangency Require (?:Import |Export )?([\w\s]+)\.", re.MULTILINE)
_NAMED = re.compile(r"^\s*(?:Theorem|Lemma|Corollary|Definition|Fixpoint|Record|Inductive) ([\w']+)", re.MULTILINE)


@dataclass(frozen=True)
class Library:
    """Files of theorems, by name without ``.v``."""

    sources: Mapping[str, str]

    @cached_property
    def theorems(self) -> dict[str, str]:
        """The file of every named theorem and definition."""
        return {name: file for file, text in self.sources.items() for name in _NAMED.findall(text)}

    def source(self, name: str) -> str:
        """The text of a theorem with its proof."""
        text = self.sources[self.theorems[name]]
        start = re.search(rf"^[ \t]*(?:Theorem|Lemma|Corollary|Definition) {re.escape(name)}\b", text, re.MULTILINE)
        assert start is not None
        end = re.compile(r"(?:Qed|Defined)\.").search(text, start.start())
        return text[start.start() : end.end() if end else len(text)].strip()

    def needed(self, file: str) -> list[str]:
        """A file and what it needs, in the order in which they compile."""
        found: dict[str, None] = {}
        self._collect(file, found)
        return list(found)

    def _collect(self, file: str, found: dict[str, None]) -> None:
        if file in found or file not in self.sources:
            return
        for names in _NEEDS.findall(self.sources[file]):
            for name in names.split():
                self._collect(name, found)
        found[file] = None

    def compile(self, file: str) -> None:
        """Compile a file and what it needs, each once, whoever else compiles there."""
        for name in self.needed(file):
            done = self.folder / f"{name}.done"
            if not done.exists():
                with locked(self.folder / f"{name}.lock"):
                    if not done.exists():
                        self.ask(name, self.sources[name])
                        done.touch()

    def ask(self, name: str, text: str) -> str:
        """Compile a text beside the files that are compiled already: what Coq prints."""
        (self.folder / f"{name}.v").write_text(text, encoding="utf-8")
        return coq.compiled(self.folder, f"{name}.v")

    @cached_property
    def folder(self) -> Path:
        """Where the compiled files are kept: of this version of Coq, and these sources."""
        text = "\0\0".join([coq.version(), *(f"{name}\0{text}" for name, text in sorted(self.sources.items()))])
        return cache_folder(sha256(text.encode()).hexdigest()[:32])


def library(*files: Path) -> Library:
    """The theorems of this package, and further files."""
    sources = [*sorted(FOLDER.glob("*.v")), *files]
    return Library({path.stem: path.read_text(encoding="utf-8") for path in sources})


def cache_folder(name: str) -> Path:
    """A folder that outlives the process, in the user's cache; where none can be made, a temporary one."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for base in (Path(root) / "tangency" / "rocq", Path(tempfile.gettempdir()) / f"tangency-rocq-{os.getuid()}"):
        with suppress(OSError):
            folder = base / name
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    return Path(tempfile.mkdtemp(prefix="tangency-rocq-"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among all processes that lock this file; without such locks, not alone, which only costs time."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
