"""What a step costs in memory traffic and arithmetic, from the shapes of the weights alone.

An optimizer step does little arithmetic on each number that it moves, so traffic decides. The unit is a *pass*: one
read or one write of a tensor as large as the weight. Tensors with one number a row are left out.

=====================================  ================  ================
passes (reads + writes)                SGDP              AdamP
=====================================  ================  ================
readable: moments and update p         4 + 3             15 + 11
readable: decision and projection      24 + 13           24 + 13
readable: weight decay                 1 + 1             1 + 1
readable: w − ηq, and stores           5 + 4             6 + 5
lists: moments, update and stores      6 + 4             16 + 11
lists: decision and projection         32 + 20           32 + 20
lists: weight decay                    3 + 2             3 + 2
fused: update                          3 + 2             4 + 3
fused: statistics                      2 + 0             2 + 0
fused: layer view                      3 + 0             4 + 0
=====================================  ================  ================

*readable* is one torch operation after the other, ``foreach=False`` and ``fused=False``; *lists* is ``foreach=True``,
which saves launches and no traffic (a test counts the passes of real steps). *fused* keeps a row on the chip: the
update reads the weight, its gradient and the moments, and writes all but the gradient. That is the whole cost of
torch's own fused optimizers, and of a weight that is never projected (fewer than two dimensions). Eq. 11 needs every
row before the first element may be written, which costs a sweep over w and g; in the layer view w·x is needed whole
before w is written, which costs one more over all that is read.

What a sweep has read may still lie in the cache for the next. So a step costs between its *floor*, the update alone,
and all its sweeps from memory: 28 to 36 bytes a float32 parameter for AdamP, 20 to 28 for SGDP; `step` decides it for
each weight by its size. Momentum without Nesterov; with it the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tangency.benchmarks.modes import wanted
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.shapes import MODELS, Weight
from tangency.theory.projection import View

_FLOAT32 = 4


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

    def bytes(self, itemsize: int = _FLOAT32) -> int:
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
_STATISTICS = Cost(2, 0, 3 * 2)  # w·g, w·w and g·g
_RADIAL = Cost(0, 0, 2 + 2)  # w·x, and x − c w, of a row on the chip


def readable(name: str, *, projected: bool, decay: bool = True) -> Cost:
    """One element of a step of ``tangency.optim`` (``name``: SGDP with momentum, or AdamP) in its own precision."""
    store = Cost(1, 1) * (1 + OPTIMIZERS[name].moments)
    return _MOMENTS[name] + (_PROJECTION if projected else Cost()) + (_DECAY if decay else Cost()) + _UPDATE + store


def lists(name: str, *, projected: bool, decay: bool = True) -> Cost:
    """One element of a step of ``tangency.optim`` in lists, beside others of its row shape or alone."""
    moments = {"SGDP": Cost(6, 4, 4), "AdamP": Cost(16, 11, 11)}[name]
    projection = Cost(_PROJECTION.reads + 8, _PROJECTION.writes + 7, _PROJECTION.operations)  # joined, and taken apart
    return moments + (projection if projected else Cost()) + (Cost(3, 2, 2) if decay else Cost())


def floor(name: str) -> Cost:
    """One element of the update alone, with weight decay: the least that any optimizer of this state moves."""
    state = OPTIMIZERS[name].moments
    return Cost(2 + state, 1 + state, _MOMENTS[name].operations + _UPDATE.operations + _DECAY.operations)


def fused(name: str, view: View | None, *, cached: bool = False) -> Cost:
    """One element of a fused step with weight decay.

    Args:
        view: what Eq. 11 decides; ``None``, where it is not evaluated.
        cached: whether what a sweep reads stays in the cache for the next.
    """
    cost = floor(name)
    if view is None:
        return cost
    cost += _STATISTICS
    if view != View.NONE:
        cost += _RADIAL
    if view == View.LAYER:
        cost += Cost(2 + OPTIMIZERS[name].moments, 0, 2)
    return Cost(floor(name).reads, cost.writes, cost.operations) if cached else cost


def step(
    name: str,
    weights: Iterable[Weight],
    mode: str = "trained",
    *,
    fast: bool = False,
    cache: int = 0,
    itemsize: int = _FLOAT32,
) -> Cost:
    """A whole step, with weight decay.

    Args:
        name: SGDP or AdamP.
        mode: what Eq. 11 decides, as in :mod:`.modes`.
        fast: fused; else readable.
        cache: bytes of cache; a weight that fits in with its gradient (in the layer view, with its moments too) is read
            from memory once.
        itemsize: bytes of an element.
    """
    total = Cost()
    for weight in weights:
        projects = len(weight.shape) >= 2
        view = wanted(mode, weight) if projects else None
        kept = 2 + (OPTIMIZERS[name].moments if view == View.LAYER else 0)
        cached = kept * itemsize * weight.size <= cache
        one = fused(name, view, cached=cached) if fast else readable(name, projected=projects)
        total += one * weight.size
    return total


def main() -> None:
    """Print the memory traffic of a step for every model of :mod:`.shapes`."""
    print(f"{'float32, MB a step':18}  {'':5}  {'readable':>9}  {'fused':>7}  {'floor':>7}  ops/byte, fused")
    for model, make in MODELS.items():
        weights = make()
        for name in OPTIMIZERS:
            slow, fast = step(name, weights), step(name, weights, fast=True)
            least = floor(name) * sum(weight.size for weight in weights)
            megabytes = "  ".join(f"{1e-6 * cost.bytes():{n}.1f}" for cost, n in ((slow, 9), (fast, 7), (least, 7)))
            print(f"{model:18}  {name:5}  {megabytes}  {fast.operations / fast.bytes():.2f}")


if __name__ == "__main__":
    main()
