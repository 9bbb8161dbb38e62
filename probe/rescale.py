"""The view of a weight by the definition: f(…, c w, …) = f(…, w, …) for every c > 0, slice by slice (§2.1, Eq. 1).

Slices are scaled by powers of two, which no operator rounds: an invariant weight gives the same bits, or, where an
operator does not commute with powers of two (a matrix decomposition), the same up to rounding. A last factor is no
power of two. What rounding may do is measured (:mod:`tangency.probe.arithmetic`); a change is counted in multiples of
it, and a weight is called invariant only if a random change of it does 1/σ = 1024 times as much. Where rounding may
change half of the digits of f (with ε → 0, a normalisation over values that are equal but for rounding), only equal
bits count.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from tangency.common.numbers import quotient
from tangency.probe.evaluation import Evaluation
from tangency.probe.view import NONE, SIGMA, UNDECIDED, UNUSED, View, cuts, rows, view

DRAWS = 3  # of rounding errors
FACTORS = (4.0, 0.5)  # of a whole weight
NO_POWER = 1.7
HALF = 2.0**-26  # of the digits: where rounding may change more of them, f is too ill-conditioned to be asked


@dataclass(frozen=True)
class Rescaled:
    """What happens to f when a weight is scaled.

    Attributes:
        view: the finest under which f stays the same.
        change: of f, the largest under the factors of that view (``none``: of the layer view), over the bound on
            rounding.
        same_bits: powers of two changed no bit of f.
        effect: of a random change of the weight of its own size, over the bound; at most 1 for ``unused``.
    """

    view: View
    change: float
    same_bits: bool
    effect: float


@dataclass(frozen=True)
class Reference:
    """The value of f, and what rounding may do to a difference of two such values, a number for each output tensor."""

    values: list[Tensor]
    bounds: list[float]

    @property
    def sharp(self) -> bool:
        """Whether rounding leaves half of the digits of f."""
        largest = (float(one.abs().max()) for one in self.values)
        return all(bound <= HALF * size for bound, size in zip(self.bounds, largest, strict=True))

    def change(self, values: list[Tensor]) -> float:
        """The largest change of an element, over the bound of its tensor; infinite where shapes differ, or for NaN."""
        found = [0.0]
        for before, after, bound in zip(self.values, values, self.bounds, strict=True):
            size = float((after - before).abs().max()) if after.shape == before.shape else torch.inf
            found.append(0.0 if size == 0 else torch.inf if size != size else quotient(size, bound))
        return max(found)


def reference(f: Evaluation, generator: torch.Generator) -> Reference:
    """f at its weights, and twice the largest change of it by random rounding errors, for each output tensor."""
    values = f()
    bounds = [0.0] * len(values)
    for _ in range(DRAWS):
        for i, other in enumerate(f(generator)):
            bounds[i] = max(bounds[i], 2 * float((other - values[i]).abs().max()))
    return Reference(values, bounds)


def rescaled(f: Evaluation, at: Reference, name: str, generator: torch.Generator) -> Rescaled:
    """Find the view of one weight.

    A view is accepted where f stays the same with random powers of two for all of its parts, and with one part scaled
    alone.
    """
    w = f.weights[name].detach().clone()
    shape = tuple(w.shape)

    def change(factors: Tensor) -> float:
        with f.holding(name, (rows(w, len(factors)) * factors.to(w.device).unsqueeze(1)).reshape(shape)):
            return at.change(f())

    powers, size = 0.0, float(w.square().mean().sqrt())
    for factor in FACTORS:
        powers = max(powers, change(torch.tensor([factor], dtype=w.dtype)))
        if powers > 1:
            break
    layer = powers
    if powers <= 1 and at.sharp:
        layer = max(powers, change(torch.tensor([NO_POWER], dtype=w.dtype)))
    with f.holding(name, w + size * torch.randn(shape, dtype=w.dtype, generator=generator).to(w.device)):
        effect = at.change(f())
    admissible = 1.0 if at.sharp else 0.0
    found = _coarse(layer, effect, admissible)
    if found is not None:
        return Rescaled(found, layer, powers == 0, effect)
    for parts in cuts(shape)[:-1]:
        worst = change(_powers(parts, w.dtype, generator))
        if worst <= admissible:
            worst = max(worst, change(_alone(parts, w.dtype, generator)))
        if worst <= admissible:
            return Rescaled(view(parts, shape), max(worst, layer), max(worst, powers) == 0, effect)
    return Rescaled(view(1, shape), layer, powers == 0, effect)


def _coarse(layer: float, effect: float, admissible: float) -> View | None:
    """What the whole weight decides, by the changes of f under its scale and under a random change; None: invariant."""
    if effect == 0 == layer:
        return UNUSED
    if admissible == 0:
        return None if layer == 0 else UNDECIDED
    if layer > 1:
        return NONE
    if effect <= 1:
        return UNUSED
    return None if effect * SIGMA > 1 else UNDECIDED


def _powers(parts: int, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    """2⁻³ … 2³ at random, with two neighbours that differ: else a coarser view would pass for this one."""
    exponents = torch.randint(-3, 4, (parts,), generator=generator)
    exponents[:2] = torch.tensor([-2, 3])
    return torch.pow(2.0, exponents).to(dtype)


def _alone(parts: int, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    factors = torch.ones(parts, dtype=dtype)
    factors[int(torch.randint(parts, (), generator=generator))] = 8
    return factors
