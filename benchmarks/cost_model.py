"""What a step costs in memory traffic and arithmetic, from the shapes of the weights alone.

An optimizer step does little arithmetic on each number that it moves, so traffic decides. The unit is a *pass*: one
read or one write of a tensor as large as the weight. Tensors with one number a row are left out; so are caches.

=====================================  ================  ================
passes (reads + writes)                SGDP              AdamP
=====================================  ================  ================
readable: moments and update p         4 + 3             15 + 11
readable: decision and projection      24 + 13           24 + 13
readable: weight decay                 1 + 1             1 + 1
readable: w − ηq, and stores           5 + 4             6 + 5
fused, projected                       5 + 2             7 + 3
fused, never projected                 3 + 2             4 + 3
=====================================  ================  ================

*readable* is what ``tangency.optim`` does today, one torch operation after the other (a test counts the passes of a
real step). *fused* is the least that a kernel can do which keeps none of the tensor on the chip: Eq. 11 asks every row
of the weight before the first element may be written, so one sweep reads w, g and the moments, writes the moments and
sums the four inner products; a second reads w and the moments again and writes w. A weight that is never projected
(fewer than two dimensions) needs a single sweep. This counts momentum without Nesterov, which would read g twice.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tangency.benchmarks.shapes import MODELS


@dataclass(frozen=True)
class Cost:
    """What one step does, counted in elements or in passes.

    Attributes:
        reads, writes: numbers moved from and to memory.
        operations: additions, multiplications, divisions and square roots.
    """

    reads: int = 0
    writes: int = 0
    operations: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.reads + other.reads, self.writes + other.writes, self.operations + other.operations)

    def __mul__(self, n: int) -> "Cost":
        return Cost(n * self.reads, n * self.writes, n * self.operations)

    def bytes(self, itemsize: int = 4) -> int:
        """Memory traffic; ``itemsize`` is that of float32 unless given."""
        return itemsize * (self.reads + self.writes)


# Costs of one element. Operations of the readable path are those of its passes: one for each number written, one for
# each number summed or compared.
_MOMENTS = {
    "SGDP": Cost(4, 3, 3),  # b' = β b + (1 − d) g
    "AdamP": Cost(15, 11, 11),  # m' (3), v' (4), √v'/√(1 − β₂ᵗ) + ε (3), p (1)
}
# Three rows by their largest entry, |x|, max and x/max: 3 · (3 + 2). Four inner products: w·w and g·g read one tensor,
# w·g and w·x two: 10 + 4. The radial part, x minus it, the choice: 5 + 3.
_PROJECTION = Cost(24, 13, 3 * 3 + 4 * 2 + 3)
_DECAY = Cost(1, 1, 1)
_UPDATE = Cost(3, 2, 2)
_STATE = {"SGDP": 1, "AdamP": 2}  # buffers as large as the weight
_FUSED_PROJECTION = 4 * 2 + 2  # four inner products; x − c·w


def readable(name: str, *, projected: bool, decay: bool = True) -> Cost:
    """One element of a step of ``tangency.optim`` (``name``: SGDP with momentum, or AdamP) in its own precision."""
    store = Cost(1, 1) * (1 + _STATE[name])
    return _MOMENTS[name] + (_PROJECTION if projected else Cost()) + (_DECAY if decay else Cost()) + _UPDATE + store


def fused(name: str, *, projected: bool, decay: bool = True) -> Cost:
    """One element of the least step that a kernel can do, with two sweeps over a projected weight."""
    state = _STATE[name]
    second = 1 + state if projected else 0
    operations = _MOMENTS[name].operations + _UPDATE.operations + decay + projected * _FUSED_PROJECTION
    return Cost(2 + state + second, 1 + state, operations)


def step(name: str, shapes: Iterable[tuple[int, ...]], *, fast: bool = False) -> Cost:
    """A whole step, with weight decay, over weights of the given shapes; those with two dimensions or more project."""
    total = Cost()
    for shape in shapes:
        total += (fused if fast else readable)(name, projected=len(shape) >= 2) * math.prod(shape)
    return total


def main() -> None:
    """Print the memory traffic of a step for every model of :mod:`.shapes`."""
    print(f"{'float32, MB a step':18}  {'':5}  {'readable':>9}  {'fused':>7}  {'share':>6}  ops/byte, fused")
    for model, weights in MODELS.items():
        shapes = [weight.shape for weight in weights()]
        for name in _STATE:
            slow, fast = step(name, shapes), step(name, shapes, fast=True)
            mega, share = 1e-6, fast.bytes() / slow.bytes()
            print(
                f"{model:18}  {name:5}  {mega * slow.bytes():9.1f}  {mega * fast.bytes():7.1f}  {share:6.1%}"
                f"  {fast.operations / fast.bytes():.2f}"
            )


if __name__ == "__main__":
    main()
