"""The formats of each dtype, exact steps with their bounds, and the propagation of a known error.

The bounds of a step come from :mod:`tangency.theory.rounded` alone: the executable spec runs over numbers that carry
the bounds of their errors.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tangency.theory.algorithms import Step
from tangency.theory.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format
from tangency.theory.rounded import parts

Floats = NDArray[np.float64]
NUMBERS = ("w", "p", "q", "lr", "shrink")  # of a step, besides its state

# dtype → (format of what is stored, format in which a step is computed): half precision computes in float32.
FORMATS: dict[str, tuple[Format, Format]] = {
    "float64": (FLOAT64, FLOAT64),
    "float32": (FLOAT32, FLOAT32),
    "float16": (FLOAT16, FLOAT32),
    "bfloat16": (BFLOAT16, FLOAT32),
    "complex64": (FLOAT32, FLOAT32),
    "complex128": (FLOAT64, FLOAT64),
}


@dataclass(frozen=True)
class Bounded(Step):
    """An exact step, and a bound on the error of a computed one.

    Attributes:
        error: a float64 bound for every number of the step, before it is rounded for storage.
    """

    error: Step = field(kw_only=True)


def bounded(step: Step) -> Bounded:
    """The values and the bounds of a step over :func:`tangency.theory.rounded.rounded`."""
    halves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for half, *found in zip(halves, *(parts(getattr(step, x)) for x in NUMBERS), strict=True):
        half.update(zip(NUMBERS, found, strict=True))
    state = {name: parts(x) for name, x in step.state.items()}
    values, errors = ({name: pair[i] for name, pair in state.items()} for i in (0, 1))
    return Bounded(state=values, view=step.view, **halves[0], error=Step(state=errors, view=step.view, **halves[1]))


def grown(bound: Any, operations: int) -> Floats:
    """A bound, enlarged by the rounding of the float64 operations that evaluated it."""
    safe: Floats = bound * (1 + FLOAT64.gamma(operations + 8)) + FLOAT64.tiny * (operations + 8)
    return safe


def inner_product_error(w: Floats, error: Floats) -> float:
    """|w·(x + e) − w·x| ≤ Σ|w_i||e_i|, for x known up to ``error``."""
    return float(grown(np.abs(w).ravel() @ error.ravel(), 2 * w.size))


def squared_norm_error(x: Floats, error: Floats) -> float:
    """|‖x + e‖² − ‖x‖²| ≤ Σ (2|x_i| + |e_i|)|e_i|, for x known up to ``error``."""
    return float(grown(((2 * np.abs(x) + error) * error).sum(), 2 * x.size + 4))


def direction_error(x: Floats, error: Floats) -> float:
    """‖(x + e)/‖x + e‖ − x/‖x‖‖ ≤ ‖e‖/(‖x‖ − ‖e‖): normalising shrinks distances outside a ball by its radius.

    At most 2, the distance of opposite directions.
    """
    length, off = math.sqrt(float((x**2).sum())), math.sqrt(float((error**2).sum()))
    return 2.0 if off >= length / 2 else min(2.0, float(grown(np.asarray(off / (length - off)), 4 * x.size + 8)))


def norm_error(error: Floats) -> float:
    """|ŷ·(x + e) − ŷ·x| ≤ ‖e‖ for every direction ŷ, and no distance to a subspace is off by more."""
    largest = np.max(error, initial=0.0)
    if largest == 0 or not math.isfinite(largest):
        return float(largest)
    # Scaled, so that no square underflows.
    return float(grown(np.asarray(largest * math.sqrt(float(((error / largest) ** 2).sum()))), 2 * error.size + 4))
