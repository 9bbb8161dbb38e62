"""The formats of dtypes are torch's, a step comes apart into values and bounds, and known errors carry no further."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tangency.proofs_checks.errors import rounding
from tangency.proofs_checks.errors.rounding import FORMATS, bounded
from tangency.theory.algorithms import START, adamp, sgdp
from tangency.theory.fields import EXACT, balls, fraction
from tangency.theory.formats import FLOAT32
from tangency.theory.projection import View
from tangency.theory.rounded import rounded


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_formats_are_torchs(dtype: str) -> None:
    (stored, computed), info = FORMATS[dtype], torch.finfo(getattr(torch, dtype))
    assert (stored.unit, stored.max) == (info.eps / 2, info.max)
    assert 2.0**stored.emin == info.tiny
    assert computed is (FLOAT32 if dtype in ("float16", "bfloat16") else stored)


@pytest.mark.parametrize(("algorithm", "exact"), [(sgdp, EXACT), (adamp, balls())])
def test_a_step_comes_apart(algorithm: Any, exact: Any) -> None:
    w, g = np.array([[3.0, 4.0]]), np.array([[4.0, -3.0]])
    numbers = rounded(exact, FLOAT32)
    made = bounded(algorithm(numbers, numbers.array(w), numbers.array(g), lr=0.1))
    plain = algorithm(exact, exact.array(w), exact.array(g), START, lr=0.1)
    assert made.view is plain.view == View.CHANNEL
    with balls().context():
        for got, wanted in ((made.w, plain.w), (made.p, plain.p), (made.q, plain.q)):
            assert all(not (x - y) or (x - y).contains(0) for x, y in zip(got.flat, wanted.flat, strict=True))
    assert made.state.keys() == made.error.state.keys() == plain.state.keys()
    for error in (made.error.w, made.error.q):
        assert error.shape == w.shape
        assert ((error > 0) & (error < 64 * FLOAT32.unit)).all()
    assert 0 <= made.error.lr < FLOAT32.unit


VECTORS = hnp.arrays(np.float64, 4, elements=st.floats(-8, 8))
SHARES = hnp.arrays(np.float64, 4, elements=st.floats(-1, 1))


@given(w=VECTORS, x=VECTORS, error=VECTORS.map(np.abs), share=SHARES)
def test_a_known_error_carries_no_further(w: Any, x: Any, error: Any, share: Any) -> None:
    exact_w, exact_x = EXACT.array(w), EXACT.array(x)
    off = EXACT.array(share) * EXACT.array(error)
    moved = abs(fraction(exact_w @ (exact_x + off)) - fraction(exact_w @ exact_x))
    assert moved <= fraction(rounding.inner_product_error(w, error))
    grown = abs(fraction((exact_x + off) @ (exact_x + off)) - fraction(exact_x @ exact_x))
    assert grown <= fraction(rounding.squared_norm_error(x, error))
    assert fraction(off @ off) <= fraction(rounding.norm_error(error)) ** 2
