"""Views of a weight: into which slices it falls when f is invariant under the scale of each on its own (§2.1, §3.1).

A weight of shape (C, …) is cut along dimension 0 into ``parts`` equal groups of slices: C of them are the rows of the
channel view, one is the layer view, and any divisor between is a projection that is normalised head by head.
"""

from dataclasses import dataclass

from torch import Tensor

KINDS = ("channel", "head", "layer", "none", "unused", "undecided")
SIGMA = 2.0**-10  # how finely an invariant weight is told from others: its scale matters this much less, or not at all


@dataclass(frozen=True)
class View:
    """The finest cut of a weight under which f is invariant.

    Attributes:
        kind: ``channel``, ``head``, ``layer``; ``none``: f changes with the scale of the whole; ``unused``: no
            change of the weight changes f; ``undecided``: rounding hides what its changes do.
        parts: the number of groups of slices; 0 for all but the first three.
    """

    kind: str
    parts: int = 0

    @property
    def invariant(self) -> bool:
        """Whether f is invariant under the scale of the whole weight, at least."""
        return self.parts > 0

    def __str__(self) -> str:
        return f"head {self.parts}" if self.kind == "head" else self.kind


NONE, UNUSED, UNDECIDED = View("none"), View("unused"), View("undecided")


def view(parts: int, shape: tuple[int, ...]) -> View:
    """The view with that many parts of a weight of this shape; 0 for none."""
    if parts == 0:
        return NONE
    if shape and parts == shape[0]:
        return View("channel", parts)
    return View("layer", 1) if parts == 1 else View("head", parts)


def cuts(shape: tuple[int, ...]) -> list[int]:
    """The numbers of equal groups of slices, the finest first: the divisors of C.

    >>> cuts((12, 5))
    [12, 6, 4, 3, 2, 1]
    """
    slices = shape[0] if shape else 1
    return [parts for parts in range(slices, 0, -1) if slices % parts == 0]


def rows(x: Tensor, parts: int) -> Tensor:
    """A weight or its gradient as (parts, elements of a part)."""
    return x.reshape(parts, -1)
