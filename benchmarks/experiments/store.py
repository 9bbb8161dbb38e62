"""The runs that were made: one JSON line each, appended, found again by their options."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tangency.benchmarks.experiments.study import Config, Run
from tangency.common.calls import WrongCall
from tangency.common.numbers import plain


def key(config: Config) -> str:
    """A name of the options of a run, the same in every order of writing them."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


@dataclass
class Store:
    """The lines of a file.

    Attributes:
        path: of the file; it is made with the first line.
        lines: by the key of their options; where a run stands there twice, the later one.
    """

    path: Path
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what is there; the half of a line that a kill left behind is left out.

        Raises:
            WrongCall: the file cannot be read, or a whole line is no run.
        """
        try:
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise WrongCall(f"{self.path} cannot be read: {error}") from None
        self._whole = text.endswith("\n") or not text
        for number, line in enumerate(text.splitlines(), 1):
            try:
                found = json.loads(line)
                found["config"], found["result"]
                self.lines[found["key"]] = found
            except (ValueError, KeyError, TypeError) as error:
                if not line.startswith('{"key"'):  # else it is the half that a kill left
                    raise WrongCall(f"{self.path}, line {number}: it is no run ({error!r})") from None

    def __contains__(self, config: Config) -> bool:
        return key(config) in self.lines

    def line(self, config: Config) -> dict[str, Any]:
        """The line of a run that was made."""
        return self.lines[key(config)]

    def add(self, line: dict[str, Any]) -> None:
        """Append a line, in one write."""
        text = json.dumps(plain(line), ensure_ascii=False) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, (text if self._whole else "\n" + text).encode())
        finally:
            os.close(descriptor)
        self._whole = True
        self.lines[line["key"]] = json.loads(text)

    def runs(self, configs: Iterable[Config]) -> Iterator[Run]:
        """Those of the runs that were made."""
        for config in configs:
            line = self.lines.get(key(config))
            if line is not None:
                yield Run(line["config"], line["result"])
