"""Is the projection scale-free? Eqs. 10 and 11 have no ε, and know the size of neither weights nor gradients."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from tangency.proofs_checks.checks.against_spec import (
    Case,
    after_radial,
    against_spec,
    delta_of,
    for_gradients_of,
    hyper,
    trial,
    weights,
)
from tangency.proofs_checks.checks.comparisons import Miss, decision_is_right
from tangency.proofs_checks.errors.rounding import inner_product_error
from tangency.proofs_checks.generate.gradients import Rotation, Tilted
from tangency.proofs_checks.generate.trials import Measurement, Run
from tangency.proofs_checks.measure.conformance import admissible_views, weights_bound
from tangency.proofs_checks.target.target import Target
from tangency.theory.projection import View


@against_spec(
    "large-eps-keeps-the-decision",
    "a large eps does not change which gradients are projected",
    "Eq. 11 has no ε",
    "An ε that clamps the norms makes every small gradient look orthogonal: weights that are not scale-invariant are "
    "projected, and their weight decay is cut.",
    projects=True,
)
def large_eps(target: Target) -> Iterator[Case]:
    # The weights are large: where ε enters Eq. 10 too, the projection of small ones does nothing, and tells nothing.
    for exponent in (0, -14):
        given = hyper(target, eps=1e-3, lr=2.0 ** (-3 - exponent))
        for ratio in (2.0, -2.0, 8.0):
            g = np.ldexp(Tilted(View.CHANNEL, ratio, delta_of(given))(weights(3, 4)), exponent)
            says = f"eps = 1e-3, gradients around 2^{exponent}, cos = {ratio:g} δ/√dim"
            yield Case(says, trial((3, 4), weights(3, 4), (g,), given), decision_is_right)


@against_spec(
    "large-eps-leaves-no-radial-part",
    "a projected update has no radial part, whatever eps is",
    "Eq. 10 has no ε",
    "With ε added to the norm, a share of the radial part as large as ε/‖w‖ stays in every projected step, and the "
    "norm grows after all.",
    projects=True,
)
def no_radial_part(target: Target) -> Iterator[Case]:
    given = hyper(target, eps=1e-3)
    for exponent in (0, -8):
        for view, stride in ((View.CHANNEL, 1), (View.LAYER, 6)):
            w = np.ldexp(weights(3, 4), exponent)
            gradients = after_radial(target, Rotation(view, stride=stride))
            says = f"eps = 1e-3, weights around 2^{exponent}, orthogonal ({view.value})"
            yield Case(says, trial((3, 4), w, gradients, given), _no_radial_part)


def _no_radial_part(run: Run, at: int) -> Miss | Measurement:
    """Comparison: no row of the step has a part along the weights, beyond what rounding admits."""
    record = run.records[at]
    worst = Measurement("w·Δw", at, 0.0, 0.0, 0.0, 0.0)
    for view in admissible_views(run, record):
        bound = weights_bound(run, run.exact(record, view))
        rows = zip(*(view.rows(x) for x in (record.w, record.w_after, bound)), strict=True)
        for index, (w, after, error) in enumerate(rows):
            pairs = zip(w.tolist(), after.tolist(), strict=True)
            part = float(sum(Fraction(x) * (Fraction(y) - Fraction(x)) for x, y in pairs))
            measured = Measurement(
                f"w·Δw in row {index}", at, part, 0.0, abs(part), inner_product_error(w, error), None
            )
            worst = max(worst, measured, key=lambda m: m.ratio)
    if worst.ratio <= 1:
        return worst
    detail = f"step {at + 1} has {worst.what} = {worst.got:.3g}, rounding admits {worst.bound:.3g}"
    return Miss(detail, "0", repr(worst.got), worst)


@against_spec(
    "tiny-gradients-are-decided-as-large-ones",
    "the decision does not depend on the size of the gradient",
    "Eq. 11 is scale-free",
    "Gradients shrink as training converges. A decision that takes small ones for orthogonal projects weights that are "
    "not scale-invariant, late in training and unnoticed.",
    projects=True,
)
def tiny_gradients(target: Target) -> Iterator[Case]:
    for dtype, exponent in (("float64", -40), ("float64", -100), ("float32", -40), ("float32", -100)):
        given = for_gradients_of(target, exponent)
        w = weights(3, 4).astype(dtype).astype(np.float64)
        for ratio in (4.0, -4.0, 0.25):
            g = Tilted(View.CHANNEL, ratio, delta_of(given))(w)
            says = f"gradients around 2^{exponent}, {dtype}, cos = {ratio:g} δ/√dim"
            yield Case(says, trial((3, 4), w, (np.ldexp(g, exponent),), given, dtype=dtype), decision_is_right)


@against_spec(
    "tiny-weights-are-decided-as-large-ones",
    "the decision does not depend on the size of the weights",
    "Eq. 11 is scale-free",
    "Scale-invariant weights may have any norm, and weight decay makes it small.",
    projects=True,
)
def tiny_weights(target: Target) -> Iterator[Case]:
    given = hyper(target)
    for dtype, exponent in (("float64", -40), ("float64", -100), ("float32", -40), ("float32", -100)):
        w = np.ldexp(weights(3, 4).astype(dtype).astype(np.float64), exponent)
        for ratio in (4.0, -4.0, 0.25):
            g = np.ldexp(Tilted(View.CHANNEL, ratio, delta_of(given))(w), -exponent)
            says = f"weights around 2^{exponent}, {dtype}, cos = {ratio:g} δ/√dim"
            yield Case(says, trial((3, 4), w, (g,), given, dtype=dtype), decision_is_right)


CHECKS = (large_eps, no_radial_part, tiny_gradients, tiny_weights)
