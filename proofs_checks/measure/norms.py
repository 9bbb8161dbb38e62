"""The norm of the weights along a run of a real optimizer, and a bound on its rounding errors in the lemmas of §2.

With the buffers p_t that the optimizer stored and the updates u_t made of them (u = p, or g + βp for Nesterov), write
w_{t+1} = w_t − ηu_t + e_t and p_{t+1} = βp_t + (1−τ)g_{t+1} + d_{t+1}; e and d are the errors of one step. On gradients
with w_t·g_t = 0 exactly, the distance of w_t·p_t from its closed form,

    R_t = w_t·p_t + η Σ_{k<t} β^{t−k} u_k·p_k,   obeys   R_0 = w_0·d_0,   R_{t+1} = βR_t + βe_t·p_t + w_{t+1}·d_{t+1},

and the growth of ‖w‖² is off by −2ηcR_t + 2(w_t − ηu_t)·e_t + ‖e_t‖², with c = β for Nesterov and 1 else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tangency.proofs_checks.errors.rounding import inner_product_error, squared_norm_error
from tangency.proofs_checks.generate import strategies
from tangency.proofs_checks.generate.trials import LAYOUTS, Measurement, Record, Run, Trial, as_float
from tangency.proofs_checks.measure.conformance import floats, weights_bound
from tangency.proofs_checks.subjects import Subject
from tangency.theory.fields import EXACT, Array, rational
from tangency.theory.projection import View


@dataclass(frozen=True)
class NormStep:
    """One step of a run, exactly: rationals, flat arrays.

    Attributes:
        w, after: w_t and w_{t+1}.
        p, u: the stored buffer p_t and the update made of it.
        radial_bound: how far w_t·p_t may be from its closed form.
        growth_bound: how far ‖w_{t+1}‖² − ‖w_t‖² may be from its closed form.
    """

    record: Record
    w: Array
    after: Array
    p: Array
    u: Array
    radial_bound: float
    growth_bound: float


def norm_steps(run: Run) -> Iterator[NormStep]:
    """The steps of an unprojected run, up to the first gradient that is not exactly orthogonal because of rounding."""
    hyper = run.hyper
    lr, beta, nesterov = hyper["lr"], hyper.get("momentum", 0.0), bool(hyper.get("nesterov"))
    radial = 0.0
    for record in run.records:
        if record.g is None:
            return
        w, after, g = (EXACT.array(x).ravel() for x in (record.w, record.w_after, record.g))
        if w @ g != 0:
            return
        exact = run.exact(record, View.NONE)
        p, p_error = exact.state["momentum_buffer"].ravel(), np.zeros(w.size)
        if "momentum_buffer" in record.state_after:
            error = exact.error.state["momentum_buffer"].ravel()
            p_error = run.storage.stored(floats(p), error)
            p = EXACT.array(record.state_after["momentum_buffer"]).ravel()
        u = g + rational(beta) * p if nesterov else p
        share = beta if nesterov else 1.0
        e_error = weights_bound(run, exact).ravel() + lr * share * p_error
        radial += inner_product_error(floats(w), p_error)
        rest = floats(w - rational(lr) * u)
        yield NormStep(record, w, after, p, u, radial, 2 * lr * share * radial + squared_norm_error(rest, e_error))
        radial = beta * (radial + inner_product_error(floats(p), e_error))


def measured(what: str, step: int, got: Any, expected: Any, bound: float) -> Measurement:
    """The measurement of a rational against another: their difference is taken exactly, then rounded."""
    return Measurement(what, step, as_float(got), as_float(expected), abs(as_float(got - expected)), bound)


@st.composite
def orthogonal_trials(draw: st.DrawFn, subject: Subject, /, *, max_steps: int = 6, **fixed: Any) -> Trial:
    """Runs on gradients exactly orthogonal to the weights, in every dtype; unprojected (δ = 0), without weight decay.

    ``fixed`` hyper-parameters are not drawn, and win over these.
    """
    shape = draw(strategies.shapes(min_dims=1, max_elements=32))
    dtype = draw(st.sampled_from(strategies.dtypes_of(subject)))
    hyper = draw(strategies.hyperparameters(subject, **{"delta": 0.0, "weight_decay": 0.0, **fixed}))
    count = int(np.prod(shape)) * (2 if dtype.startswith("complex") else 1)
    w = draw(strategies.values(count, draw(strategies.exponents(dtype, squared=True))))
    turned = strategies.rotations(View.LAYER, -3, 1, (1, 2, 3, max(1, count // 2)))
    gradients = draw(st.lists(turned, min_size=1, max_size=max_steps))
    return Trial(shape, dtype, w, tuple(gradients), hyper, draw(st.sampled_from(LAYOUTS)))
