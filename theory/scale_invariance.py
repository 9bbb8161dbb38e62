"""Scale invariance: its definition, the normalisation that causes it, and the deviation with an ε > 0. §2.1, §2.3.

Norm_k (Eq. 2) centres a tensor and divides it by its standard deviation, along the axes k. Which axes they are is the
difference between batch, layer, instance and group normalisation; scale invariance does not depend on it.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tangency.theory.fields import Array, Field

# Activations are laid out (batch, group, channel of the group, position); Norm_k with these axes k is the layer named.
AXES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"batch": (0, 3), "layer": (1, 2, 3), "instance": (3,), "group": (2, 3)}
)


def mean(x: Array, axes: tuple[int, ...]) -> Array:
    """The mean along axes, which stay as axes of length 1 (μ_k of Eq. 2)."""
    result: Array = x.sum(axis=axes, keepdims=True) / math.prod(x.shape[axis] for axis in axes)
    return result


def centred(x: Array, axes: tuple[int, ...]) -> Array:
    """x − μ_k(x)."""
    return x - mean(x, axes)


def norm(field: Field, x: Array, axes: tuple[int, ...], eps: Any = 0) -> Array:
    """Norm_k(x) = (x − μ_k(x)) / √(σ_k²(x) + ε); Eq. 2 has ε = 0.

    Args:
        field: of the elements of ``x``; it must have the square roots.
        x: a tensor of any rank.
        axes: the axes k.
        eps: ε ≥ 0.

    Raises:
        ZeroDivisionError: ε = 0 and x is constant along k, in the exact fields.

    >>> from tangency.theory.fields import EXACT
    >>> norm(EXACT, EXACT.array([[1, 3], [-4, 2]]), (1,))
    array([[-1, 1],
           [-1, 1]], dtype=object)
    """
    with field.context():
        v = centred(x, axes)
        return v / field.sqrt_each(mean(v * v, axes) + field.element(eps))


def signed_square(field: Field, x: Array, axes: tuple[int, ...], eps: Any = 0) -> Array:
    """y|y| of every element y of Norm_k(x): the same information, since y ↦ y|y| is one to one, without a square root.

    Args and raises as :func:`norm`; ``field`` must be ordered (not SYMBOLIC).
    """
    with field.context():
        v = centred(x, axes)
        result: Array = v * abs(v) / (mean(v * v, axes) + field.element(eps))
    return result


def shrinkage(variance: Any, eps: Any, c: Any) -> Any:
    """(Norm_k(cx) / Norm_k(x))² for c > 0, with ε > 0: how far ε breaks Eq. 1, exactly.

    c²(σ² + ε) / (c²σ² + ε) = 1 + ε(c² − 1) / (c²σ² + ε): above 1 for c > 1, below 1 for c < 1, and 1 for ε = 0 alone.
    As the weights grow, σ² = ‖w‖² s with s fixed by the direction, and the deviation falls like ε/‖w‖².
    """
    return c**2 * (variance + eps) / (c**2 * variance + eps)


def is_scale_invariant(field: Field, f: Callable[[Array], Any], w: Array, c: Any) -> bool | None:
    """Whether f(cw) = f(w) for one w and one c > 0; ``None`` where the field cannot tell.

    Raises:
        ValueError: c is not positive.
    """
    with field.context():
        c = field.element(c)
        if field.less(field.element(0), c) is not True:
            raise ValueError(f"c is {c}; scale invariance is about c > 0")
        below, above = field.less(f(c * w), f(w)), field.less(f(w), f(c * w))
    if below or above:
        return False
    return None if None in (below, above) else True


def squared_cosine(w: Array, g: Array) -> Any:
    """cos²(w, g) = (w·g)² / (‖w‖²‖g‖²) of vectors: the square of what Eq. 11 compares, without a square root.

    Raises:
        ZeroDivisionError: w = 0 or g = 0, in the exact fields.
    """
    dot = w @ g
    return dot * dot / ((w @ w) * (g @ g))


def radial_component(w: Array, x: Array) -> Array:
    """(ŵ·x) ŵ = (w·x / w·w) w of vectors: the component that the projection of Eq. 10 removes.

    Raises:
        ZeroDivisionError: w = 0, in the exact fields.
    """
    result: Array = (w @ x) / (w @ w) * w
    return result


def radial_slope(variance: Any, eps: Any, pairing: Any) -> Any:
    """w·∇f(w) for f = ℓ(Norm_k(Wx)) with ε, one normalised group: zero for ε = 0 alone.

    By the chain rule along the ray, w·∇f = d/dc ℓ(Norm_k(cWx)) at c = 1, and d/dc Norm_k(cu) = Norm_k(u) ε/(σ² + ε).

    Args:
        variance: σ² of the group, along k.
        eps: ε ≥ 0.
        pairing: ∇ℓ · Norm_k(Wx).
    """
    return pairing * eps / (variance + eps)
