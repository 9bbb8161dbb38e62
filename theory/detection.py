"""Eq. 11 as a statistical test: how often a weight that is not scale-invariant passes it (§3.1, C).

For a gradient whose direction is uniform on S^{d−1}, t = cos(w, g) has the density ∝ (1 − t²)^{(d−3)/2}, that is,
t² ~ Beta(½, (d−1)/2). A row passes if t² < δ²/d.
"""

from typing import Any

import flint

from tangency.theory.fields import Field, rational


def pass_probability(field: Field, delta: Any, dim: int, rows: int = 1) -> flint.arb:
    """P(|cos(w, g)| < δ/√dim in every row) for random gradients that are independent from row to row.

    P = I_x(½, (d−1)/2)^C with x = δ²/d, C = ``rows``; I is the regularised incomplete beta function.

    Args:
        field: a ball field.
        delta: δ ≥ 0, a rational.
        dim: d ≥ 1, the length of a row.
        rows: C ≥ 1; 1 for the layer view.

    Raises:
        ValueError: an argument is out of its range.

    >>> from tangency.theory.fields import balls
    >>> f"{float(pass_probability(balls(64), 0.1, 10**6)):.4f}"
    '0.0797'
    """
    if dim < 1 or rows < 1:
        raise ValueError(f"dim and rows are {dim} and {rows}; each must be at least 1")
    delta = rational(delta)
    if delta < 0:
        raise ValueError(f"delta is {delta}; it must not be negative")
    x = delta * delta / dim
    with field.context():
        # In one dimension |cos| is 1, and so it is at x = 1 with probability 0 in all others.
        if dim == 1 or x >= 1:
            return flint.arb(int(x > 1 if dim == 1 else x >= 1))
        one_row = flint.arb(x).beta_lower(flint.arb(0.5), flint.arb(dim - 1) / 2, regularized=True)
        return one_row**rows


def limit_probability(field: Field, delta: Any) -> flint.arb:
    """The limit of one row for d → ∞, where √d·cos(w, g) becomes normal: 2Φ(δ) − 1 = erf(δ/√2); 8 % at δ = 0.1.

    >>> from tangency.theory.fields import balls
    >>> f"{float(limit_probability(balls(64), 0.1)):.4f}"
    '0.0797'
    """
    with field.context():
        result: flint.arb = (field.element(delta) / field.sqrt(flint.arb(2))).erf()
    return result
