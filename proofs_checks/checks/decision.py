"""Does it project exactly where Eq. 11 says so? Gradients whose right decision is known beyond rounding."""

import math
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from tangency.proofs_checks.checks import scale_free
from tangency.proofs_checks.checks.against_spec import (
    NO_EPS,
    Case,
    after_radial,
    against_spec,
    delta_of,
    hyper,
    trial,
    weights,
)
from tangency.proofs_checks.checks.comparisons import decision_is_right
from tangency.proofs_checks.errors.rounding import FORMATS, Floats
from tangency.proofs_checks.generate.gradients import Rotation, Tilted, tilted
from tangency.proofs_checks.generate.trials import Gradient
from tangency.proofs_checks.target.target import Target
from tangency.theory.fields import EXACT
from tangency.theory.projection import View, looks_scale_invariant
from tangency.theory.rounded import rounded

DIMS = (2, 3, 16, 100, 1024, 4096)
EQ_11 = "Eq. 11"


@against_spec(
    "channel-view-is-found",
    "a gradient orthogonal to the weights in every channel is projected channel by channel",
    "Eq. 11, E.1 (views)",
    "Convolutions before a normalisation are scale-invariant channel by channel. Projected as a layer, or not at all, "
    "every channel's norm goes on growing.",
    projects=True,
)
def channel_view(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for shape in ((3, 4), (2, 6), (4, 2, 3), (3, 2, 2, 2), (2, 2, 2, 1, 2)):
        gradients = after_radial(target, Rotation(View.CHANNEL))
        yield Case(
            f"orthogonal channels of shape {shape}", trial(shape, weights(*shape), gradients, given), decision_is_right
        )


@against_spec(
    "layer-view-is-found",
    "a gradient orthogonal to the weights as a whole, but not in each channel, is projected as a layer",
    "Eq. 11, E.1 (views)",
    "Weights before a layer normalisation are scale-invariant as a whole only: tried by channel alone, they are never "
    "projected.",
    projects=True,
)
def layer_view(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for shape in ((2, 6), (4, 5), (4, 2, 3), (2, 3, 2, 2)):
        gradients = after_radial(target, Rotation(View.LAYER, stride=math.prod(shape) // 2))
        yield Case(
            f"an orthogonal layer of shape {shape}", trial(shape, weights(*shape), gradients, given), decision_is_right
        )


@against_spec(
    "head-view-is-found",
    "a gradient orthogonal to the weights in every head is projected head by head, where views of heads are offered",
    "Eq. 11, E.1 (views)",
    "Queries and keys that are normalised head by head are scale-invariant so. Projected as a layer, single heads gain "
    "norm at the cost of others.",
    projects=True,
)
def head_view(target: Target) -> Iterator[Case]:
    if not target.offers("views") or target.names["views"] in target.options:
        return
    for shape, slices in (((6, 4), 2), ((6, 4), 3), ((4, 2, 3), 2), ((8, 5), 4)):
        given = hyper(target, NO_EPS, views=("channel", slices, "layer"))
        turned = Rotation(View("head", slices), stride=slices * math.prod(shape[1:]) // 2)
        case = trial(shape, weights(*shape), after_radial(target, turned), given)
        yield Case(f"orthogonal heads of {slices} slices, of shape {shape}", case, decision_is_right)


@against_spec(
    "threshold-inside-is-projected",
    "a gradient just below the threshold δ/√dim is projected, in every dimension",
    EQ_11,
    "A threshold that does not shrink as 1/√dim misses scale-invariant weights in some layers and finds too many in "
    "others.",
    projects=True,
)
def threshold_inside(target: Target) -> Iterator[Case]:
    yield from _threshold(target, -1)


@against_spec(
    "threshold-outside-is-kept",
    "a gradient just above the threshold δ/√dim is not projected, in every dimension",
    EQ_11,
    "An update of a weight that is not scale-invariant loses a part that it needs, and its weight decay is cut to a "
    "tenth.",
    projects=True,
)
def threshold_outside(target: Target) -> Iterator[Case]:
    yield from _threshold(target, 1)


def _threshold(target: Target, side: int) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for dtype in ("float64", "float32"):
        for dim in DIMS:
            # Both rows of the small ones: all have to pass. Large ones have one, since exact arithmetic takes its time.
            shape = (2, dim) if dim <= 100 else (1, dim)
            w = weights(*shape).astype(dtype).astype(np.float64)
            gradient = _nearest(w, delta_of(given), dtype, side)
            if gradient is not None:
                says = f"{'above' if side > 0 else 'below'} the threshold at dim {dim}, {dtype}"
                yield Case(says, trial(shape, w, (gradient,), given, dtype=dtype), decision_is_right)


def _nearest(w: Floats, delta: float, dtype: str, side: int) -> Floats | None:
    """The gradient nearest to the threshold that is certainly on one side of it in every row."""
    compute, dim = FORMATS[dtype][1], w.shape[1]
    numbers = rounded(EXACT, compute)
    tangent = Rotation(View.CHANNEL, stride=max(1, dim // 2))(w)
    exact_w, exact_delta = numbers.array(w), numbers.element(delta)

    def gradient(k: int) -> Floats | None:
        """At a cosine that is off the threshold by a share of 2^−k; ``None`` where there is no such cosine."""
        cosine = (1 + side * 2.0**-k) * delta / math.sqrt(dim)
        if cosine >= 1:
            return None
        exact = np.stack([tilted(*rows, cosine) for rows in zip(w, tangent, strict=True)])
        g: Floats = exact.astype(dtype).astype(np.float64)
        return g

    def is_beside(k: int) -> bool:
        g = gradient(k)
        if g is None:
            return True
        rows = zip(exact_w, numbers.array(g), strict=True)
        return all(looks_scale_invariant(numbers, *row, exact_delta) is (side < 0) for row in rows)

    # The farther off, the more certain: bisection finds the nearest.
    nearest_first = range(compute.digits - 1, 0, -1)
    found = bisect_left(nearest_first, True, key=is_beside)
    return gradient(nearest_first[found]) if found < len(nearest_first) else None


@against_spec(
    "one-scale-variant-row-vetoes",
    "one channel that is not orthogonal keeps the whole channel view from being projected",
    "Eq. 11, E.1 (views)",
    "A weight with one scale-variant channel is not followed by a normalisation: its other channels look orthogonal by "
    "chance.",
    projects=True,
)
def veto(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    w = weights(4, 6)
    for row in range(4):
        g = Rotation(View.CHANNEL)(w)
        g[row] = 4 * w[row]  # large enough that the layer fails too
        yield Case(f"only row {row} along the weights", trial((4, 6), w, (g,), given), decision_is_right)


@against_spec(
    "delta-zero-projects-nothing",
    "with δ = 0 nothing is projected",
    EQ_11,
    "δ = 0 is how the projection is switched off, to compare with plain SGD or Adam.",
    projects=True,
)
def delta_zero(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS, delta=0.0)
    w = weights(3, 4)
    # Not quite orthogonal: cos = 0 is on the threshold itself, where rounding decides. A zero gradient is not.
    nearly = Tilted(View.CHANNEL, 2.0**-20, 1.0)
    for says, gradient in (("a nearly orthogonal gradient", nearly), ("no gradient", lambda w: 0 * w)):
        made = trial((3, 4), w, after_radial(target, gradient), given)
        yield Case(f"δ = 0, {says}", made, decision_is_right)


@against_spec(
    "huge-delta-projects-everything",
    "with δ above √dim every weight of two or more dimensions is projected",
    EQ_11,
    "A large δ is how the projection is forced on weights that are known to be scale-invariant.",
    projects=True,
)
def huge_delta(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS, delta=64.0)
    w = weights(3, 4)
    for says, g in (("along the weights", w / 2), ("against the weights", -w), ("orthogonal", Rotation(View.CHANNEL))):
        yield Case(f"δ = 64, g {says}", trial((3, 4), w, (g,), given), decision_is_right)


@against_spec(
    "vectors-are-never-projected",
    "a parameter of fewer than two dimensions is never projected",
    "E.1; §3.1 of the published code",
    "Biases and the scales of normalisations are not scale-invariant; a gradient that is orthogonal to them is so by "
    "chance.",
    projects=True,
)
def vectors(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    for size in (2, 6, 64):
        gradients = after_radial(target, Rotation(View.LAYER))
        yield Case(
            f"an orthogonal vector of {size}", trial((size,), weights(size), gradients, given), decision_is_right
        )
    yield Case("a number", trial((), np.ones(1), (np.full(1, 2.0**-20),), given), decision_is_right)


@against_spec(
    "decision-is-by-the-gradient",
    "the gradient decides on the projection, not the momentum",
    "Eq. 11",
    "The momentum of a scale-invariant weight is not orthogonal to it: decided by the momentum, exactly the steps that "
    "need the projection go without.",
    projects=True,
)
def by_gradient(target: Target) -> Iterator[Case]:
    # A momentum that outweighs the gradient.
    given = hyper(target, NO_EPS | {"momentum": 0.75})
    w = weights(3, 4)
    gradients: tuple[Gradient, ...] = (lambda w: 4 * w, Rotation(View.CHANNEL, -3))
    says = "a momentum along the weights, an orthogonal gradient"
    yield Case(says, trial((3, 4), w, gradients, given), decision_is_right)
    gradients = (Rotation(View.CHANNEL, 2), Tilted(View.CHANNEL, 4.0, delta_of(given), -12))
    says = "an orthogonal momentum, a small gradient that is not"
    yield Case(says, trial((3, 4), w, gradients, given), decision_is_right)


@against_spec(
    "decision-ignores-weight-decay",
    "the gradient that decides is the loss's own, without weight decay",
    "Eq. 11, E.1 (decoupled weight decay)",
    "A decay that is added to the gradient gives it a part along the weights, and scale-invariant weights are no "
    "longer found.",
    projects=True,
)
def ignores_decay(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS | {"momentum": 0.0}, weight_decay=1.0)
    w = weights(3, 4)
    says = "weight_decay = 1, an orthogonal gradient"
    yield Case(says, trial((3, 4), w, (Rotation(View.CHANNEL, -4),), given), decision_is_right)
    g = Tilted(View.CHANNEL, -4.0, delta_of(given), -4)
    says = "weight_decay = 1, a gradient against the weights"
    yield Case(says, trial((3, 4), w, (g,), given), decision_is_right)


@against_spec(
    "both-signs-are-decided-alike",
    "a gradient is judged by |cos(w, g)|, whichever way it points",
    "Eq. 11",
    "Without the absolute value every gradient that makes the norm grow is taken for orthogonal and projected.",
    projects=True,
)
def both_signs(target: Target) -> Iterator[Case]:
    given = hyper(target, NO_EPS)
    w = weights(3, 4)
    for ratio in (-8.0, -2.0, -0.5, 0.5, 2.0, 8.0):
        g = Tilted(View.CHANNEL, ratio, delta_of(given))(w)
        yield Case(f"cos = {ratio:g} δ/√dim", trial((3, 4), w, (g,), given), decision_is_right)


CHECKS = (
    channel_view,
    layer_view,
    head_view,
    threshold_inside,
    threshold_outside,
    veto,
    delta_zero,
    huge_delta,
    vectors,
    by_gradient,
    ignores_decay,
    both_signs,
    *scale_free.CHECKS,
)
