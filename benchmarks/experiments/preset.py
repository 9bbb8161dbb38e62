"""How large the runs of a study are."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Size(StrEnum):
    """smoke: every study in seconds; small: real data on two cores; paper: Appendix E, on the user's own data."""

    SMOKE = "smoke"
    SMALL = "small"
    PAPER = "paper"


@dataclass(frozen=True)
class Preset:
    """A size, and where the data of its own stand.

    Attributes:
        size: of the runs.
        data: the user's folder; None where a preset brings its data.
    """

    size: Size
    data: Path | None = None

    def pick(self, *, smoke: T, small: T, paper: T) -> T:
        """What goes with the size."""
        return {Size.SMOKE: smoke, Size.SMALL: small, Size.PAPER: paper}[self.size]

    @property
    def seeds(self) -> range:
        """The paper trains three times; an interval needs more."""
        return range(self.pick(smoke=2, small=10, paper=3))
