"""Data shared by the kernels: records in memory, which numpy and numba lay out alike, and tuples in registers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tangency.optim.cpu.memory import Array, as_stored, compiled

_INT, _REAL = np.int64, np.float64


def _record(**fields: type) -> np.dtype[Any]:
    return np.dtype(list(fields.items()), align=True)


def _each(names: str, kind: type) -> dict[str, type]:
    return dict.fromkeys(names.split(), kind)


# A parameter: where its tensors lie (0: there is none), its views (as `rows.Rows` has them), and its first tile.
TENSOR = _record(**_each("w g m v step rows cols head views first", _INT))

# The results for a tile: sums of products of entries over the sizes, and whether Eq. 11 holds in all its rows.
# Once a tensor is gathered, wx is the coefficient of Π instead (Eq. 10).
TILE = _record(**_each("wg ww gg wx size_w size_g size_x", _REAL), passes=_INT)

# The decision for a tensor: the view in which it is projected, or NONE; η, 1/√(1 − β₂ᵗ) and the factor of weight
# decay; and whether its update comes late, since the w·x of a row is a sum over several tiles.
DECISION = _record(mode=_INT, late=_INT, **_each("eta inverse_root kept", _REAL))
NONE, FINEST, SECOND, THIRD = range(4)

# A step: addresses of arrays of the records above and of OpenMP's functions (0: one thread), and the rule.
JOB = _record(
    **_each("tensors tensor_count tiles tile_count decisions rooms width batches batch_count small", _INT),
    **_each("thread threads barrier edition", _INT),
    **_each("adaptive nesterov scaled storage", _INT),
    **_each("beta1 fresh ahead beta2 rest eps sign decay wd_ratio delta lr", _REAL),
)


class Numbers(NamedTuple):
    """The numbers of a rule in the dtype of the computation.

    A tuple: from memory, each loop would load them again after each store.
    """

    beta1: Any
    fresh: Any
    ahead: Any
    beta2: Any
    rest: Any
    eps: Any
    sign: Any
    nesterov: bool


@compiled
def numbers(job: Any, like: Array) -> Numbers:
    """Those of a job, in the dtype of an array."""
    return Numbers(
        as_stored(job.beta1, like),
        as_stored(job.fresh, like),
        as_stored(job.ahead, like),
        as_stored(job.beta2, like),
        as_stored(job.rest, like),
        as_stored(job.eps, like),
        as_stored(job.sign, like),
        job.nesterov != 0,
    )


class Work(NamedTuple):
    """The data of a step for one thread.

    Attributes:
        job: the step.
        tensors, tiles, decisions: records of all of them.
        rule: numbers of the job, typed.
        rooms: scratch of this thread alone, in the dtype of the computation: a row for each of the names below.
    """

    job: Any
    tensors: Array
    tiles: Array
    decisions: Array
    rule: Numbers
    rooms: Array


X_ROOM, F_ROOM, W_ROOM, G_ROOM, M_ROOM, V_ROOM = map(np.int64, range(6))
ROOMS = 6


class Streams(NamedTuple):
    """Some elements of a parameter: weights, gradient, moments and update; `state` is the number of moments.

    Missing moments are x.
    """

    w: Array
    g: Array
    m: Array
    v: Array
    x: Array
    state: int
