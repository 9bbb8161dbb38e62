"""Generated scale-invariant objectives with a point where they are defined: for the exact and the ball rung."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import flint
import numpy as np
from hypothesis import strategies as st

from tangency.proofs_checks.generate import problems
from tangency.theory.fields import EXACT, Array
from tangency.theory.normalised_layers import Embeddings, NormalisedLinear, WeightNormalised
from tangency.theory.objectives import (
    Cosine,
    GradientField,
    Matrix,
    Objective,
    Rayleigh,
    SphericalRosenbrock,
    SquaredCosine,
)
from tangency.theory.scale_invariance import AXES, centred, mean


@dataclass(frozen=True)
class Point:
    """An objective, weights where it is defined, and a scale c > 0.

    Attributes:
        w: shape (dim,), rationals.
    """

    objective: Objective
    w: Array
    c: flint.fmpq


@cache
def integers(*shape: int, high: int = 5) -> st.SearchStrategy[Any]:
    """Nested tuples of integers in [−high, high], of a shape, from one draw of bytes.

    The simplest bytes, zeros, give a vector without symmetry: tensors of zeros are where these objectives do not exist.
    """
    count, base = math.prod(shape), 2 * high + 1

    def nest(values: list[int], sizes: tuple[int, ...]) -> Any:
        if len(sizes) == 1:
            return tuple(values)
        width = len(values) // sizes[0]
        return tuple(nest(values[i * width : (i + 1) * width], sizes[1:]) for i in range(sizes[0]))

    def decode(data: bytes) -> Any:
        return nest([(byte + count + 5 * i + i * i) % base - high for i, byte in enumerate(data)], shape)

    return st.binary(min_size=count, max_size=count).map(decode)


@cache
def nonzero(dim: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Integer vectors that are not zero."""
    return integers(dim).filter(any)


@cache
def weights(dim: int) -> st.SearchStrategy[Array]:
    """Weights w ≠ 0, integers over one denominator."""
    return st.builds(
        lambda values, denominator: EXACT.array(values) / denominator,
        integers(dim, high=9).filter(any),
        st.integers(1, 4),
    )


@cache
def symmetric_matrices(dim: int) -> st.SearchStrategy[Matrix]:
    """Symmetric integer matrices, as nested tuples."""

    def build(entries: tuple[int, ...]) -> Matrix:
        values = iter(entries)
        matrix = [[0] * dim for _ in range(dim)]
        for i in range(dim):
            for j in range(i + 1):
                matrix[i][j] = matrix[j][i] = next(values)
        return tuple(map(tuple, matrix))

    return integers(dim * (dim + 1) // 2).map(build)


@st.composite
def layers(draw: st.DrawFn, power: int) -> tuple[NormalisedLinear, Array]:
    """A linear layer with Norm_k, BN, LN, IN or GN, and weights with σ > 0 in every normalised group."""
    kind = draw(st.sampled_from(sorted(AXES)))
    batch, channels, positions = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(2, 4))
    fan_in = draw(st.integers(1, 5))
    groups = draw(st.sampled_from([n for n in (1, 2) if channels % n == 0])) if kind == "group" else 1
    inputs, coefficients = draw(integers(batch, fan_in, positions)), draw(integers(batch, channels, positions))
    layer = NormalisedLinear(inputs, coefficients, kind, groups, power)
    return layer, draw(weights(channels * fan_in).filter(lambda w: varies(layer, w)))


def varies(layer: NormalisedLinear, w: Array) -> bool:
    """Whether σ > 0 in every group that the layer normalises."""
    v = centred(layer.activations(EXACT, w), AXES[layer.kind])
    return bool(np.all(mean(v**2, AXES[layer.kind]) != 0))


@st.composite
def embeddings(draw: st.DrawFn, loss: type[Cosine] | type[SquaredCosine]) -> tuple[Embeddings, Array]:
    """ℓ2-normalised embeddings, none of them zero."""
    samples, fan_in, channels = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    inputs = draw(integers(samples, fan_in))
    targets = draw(st.lists(nonzero(channels), min_size=samples, max_size=samples))
    objective = Embeddings(inputs, tuple(map(loss, targets)), channels)

    def defined(w: Array) -> bool:
        images = w.reshape(channels, fan_in) @ EXACT.array(inputs).T
        return bool(np.all((images**2).sum(axis=0) != 0))

    return objective, draw(weights(channels * fan_in).filter(defined))


@st.composite
def rational_points(draw: st.DrawFn) -> Point:
    """Objectives that are rational functions, in dimensions 1 to 64."""
    kind = draw(st.sampled_from(("rayleigh", "squared cosine", "layer", "embedding")))
    objective: Objective
    if kind == "layer":
        objective, w = draw(layers(power=2))
    elif kind == "embedding":
        objective, w = draw(embeddings(SquaredCosine))
    elif kind == "rayleigh":
        dim = draw(st.integers(1, 8))
        objective, w = Rayleigh(draw(integers(dim, dim))), draw(weights(dim))
    else:
        dim = draw(problems.dimensions())
        objective, w = SquaredCosine(draw(nonzero(dim))), draw(weights(dim))
    return Point(objective, w, draw(problems.positive_rationals()))


@st.composite
def irrational_points(draw: st.DrawFn) -> Point:
    """Objectives with square roots and arctangents."""
    kind = draw(st.sampled_from(("cosine", "rosenbrock", "layer", "embedding", "weight norm")))
    objective: Objective
    if kind == "layer":
        objective, w = draw(layers(power=1))
    elif kind == "embedding":
        objective, w = draw(embeddings(Cosine))
    elif kind == "rosenbrock":
        objective, w = SphericalRosenbrock(), draw(weights(3).filter(lambda w: bool(w[2] != 0)))
    else:
        dim = draw(problems.dimensions(16))
        w = draw(weights(dim))
        if kind == "cosine":
            objective = Cosine(draw(nonzero(dim)))
        else:
            samples = draw(st.integers(1, 3))
            objective = WeightNormalised(draw(integers(samples, dim)), draw(integers(samples)))
    return Point(objective, w, draw(problems.positive_rationals()))


@st.composite
def objective_descents(draw: st.DrawFn, /, *, momentum: bool, **fixed: Any) -> problems.Descent:
    """Short exact descents down true scale-invariant objectives, where the digits of the weights explode."""
    dim, steps = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    if draw(st.booleans()):
        objective: Objective = Rayleigh(draw(symmetric_matrices(dim)))
    else:
        objective = SquaredCosine(draw(nonzero(dim)))
    hyper: dict[str, Any] = {"lr": draw(problems.step_sizes()), **fixed}
    if momentum:
        hyper["momentum"] = draw(problems.momenta())
    return problems.Descent(draw(weights(dim)), GradientField(objective), steps, hyper)
