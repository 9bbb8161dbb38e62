"""Every admissible rounding error, derived: Higham, Accuracy and Stability of Numerical Algorithms, §2.2, §3.1, §3.5.

The model: fl(a ∘ b) = (a ∘ b)(1 + δ) + ε with |δ| ≤ u, |ε| ≤ η, where η is the smallest subnormal. k roundings in a row
are bounded by γ_k = ku/(1 − ku), and a sum of n products, in whatever order, by γ_n Σ|x_i||y_i|. The bounds count the
roundings of the formula as printed, plus one for each hyper-parameter that is rounded to the computing format, plus one
for each common way to write the same line (a fused multiply-add, a lerp, an extra normalisation of w). They depend on
no implementation. All are elementwise, absolute, in float64, and inflated by the rounding of their own evaluation.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format with ``digits`` significant bits and smallest normal number 2^``emin``.

    With ``flushes``, what is subnormal becomes 0, as XLA has it on CPUs.
    """

    name: str
    digits: int
    emin: int
    emax: int
    flushes: bool = False

    @cached_property
    def unit(self) -> float:
        """u, the unit roundoff: half the distance of 1 to the next number."""
        return math.ldexp(1.0, -self.digits)

    @cached_property
    def tiny(self) -> float:
        """η, what an underflow can lose: the smallest subnormal, or normal number where those are flushed."""
        return math.ldexp(1.0, self.emin if self.flushes else self.emin - self.digits + 1)

    @cached_property
    def max(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - 2.0 * self.unit, self.emax)

    def ulp(self, x: float) -> float:
        """The distance of neighbouring numbers at x (at least η)."""
        exponent = math.frexp(x)[1] - 1 if x else self.emin
        return math.ldexp(1.0, max(exponent, self.emin) - self.digits + 1)

    def gamma(self, k: int) -> float:
        """γ_k = ku / (1 − ku) (Higham, Lemma 3.1); infinite where ku ≥ 1."""
        product = k * self.unit
        return product / (1 - product) if product < 1 else math.inf


FLOAT16 = Format("float16", 11, -14, 15)
BFLOAT16 = Format("bfloat16", 8, -126, 127)
FLOAT32 = Format("float32", 24, -126, 127)
FLOAT64 = Format("float64", 53, -1022, 1023)

# dtype → (format of what is stored, format in which a step is computed): half precision computes in float32.
FORMATS: dict[str, tuple[Format, Format]] = {
    "float64": (FLOAT64, FLOAT64),
    "float32": (FLOAT32, FLOAT32),
    "float16": (FLOAT16, FLOAT32),
    "bfloat16": (BFLOAT16, FLOAT32),
    "complex64": (FLOAT32, FLOAT32),
    "complex128": (FLOAT64, FLOAT64),
}
HALVES = frozenset({"float16", "bfloat16"})


def inflate(bound: Floats, operations: int) -> Floats:
    """The bound, made safe against the rounding of the float64 operations that evaluated it."""
    inflated: Floats = bound * (1 + FLOAT64.gamma(operations + 8)) + FLOAT64.tiny * (operations + 8)
    return inflated


def stored(fmt: Format, value: Floats, error: Floats) -> Floats:
    """The error after rounding a value, known up to ``error``, once more into the format in which it is stored."""
    size = np.abs(value) + error
    exponent = np.where(size > 0, np.frexp(size)[1] - 1, fmt.emin)
    half_ulp = np.ldexp(1.0, np.maximum(exponent, fmt.emin) - fmt.digits)
    return inflate(error + half_ulp, 4)


def bias_correction(beta: float, t: int) -> float:
    """1 − βᵗ without cancellation."""
    return -math.expm1(t * math.log(beta)) if beta else 1.0


def bias_correction_error(beta: float, t: int) -> float:
    """The relative error of 1 − βᵗ as printed, in float64: a power and a difference, which cancels for β near 1."""
    return FLOAT64.gamma(4) * (1 + 1 / bias_correction(beta, t))


@dataclass(frozen=True)
class Bounds:
    """The errors of the lines of Algorithms 1 and 2, computed in one format.

    Every method takes the exact inputs of its line, as float64 values, and the error that they already carry.

    Attributes:
        repeats: how often rows of weights, gradients and updates stand one after the other in the real ones.
    """

    fmt: Format
    repeats: int = 1

    def blend(self, a: float, x: Floats, b: float, y: Floats, y_error: Floats | float = 0.0) -> Floats:
        """Line ``a x + b y`` (Eq. 7; Algorithm 2, lines 2–3): a and b rounded, two products, a sum, a lerp."""
        size = np.abs(a * x) + np.abs(b * y)
        return inflate(self.fmt.gamma(5) * size + abs(b) * (1 + self.fmt.gamma(5)) * y_error + 4 * self.fmt.tiny, 8)

    def square(self, g: Floats) -> Floats:
        """Line ``g²``."""
        return inflate(self.fmt.unit * g**2 + self.fmt.tiny, 2)

    def quotient(self, m: Floats, m_error: Floats, d: Floats, d_error: Floats) -> Floats:
        """Line ``m / d`` (Algorithm 2, line 4), d > 0; infinite where d may be zero."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            low = d - d_error
            bound = (m_error + np.abs(m) * d_error / d) / low
            bound = bound + self.fmt.gamma(2) * (np.abs(m) / d + bound) + 2 * self.fmt.tiny
        return np.where(low > 0, inflate(bound, 10), np.inf)

    def denominator(self, v: Floats, v_error: Floats, beta2: float, t: int, eps: float) -> Floats:
        """Line ``√v/√(1 − β₂ᵗ) + ε`` (Algorithm 2, line 4, with bias correction).

        |√v̂ − √v| ≤ v_error/√v, and ≤ √v_error; then a root, a division, the correction and ε rounded, a sum.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.minimum(np.where(v > 0, v_error / np.sqrt(v), np.inf), np.sqrt(v_error))
        correction = math.sqrt(bias_correction(beta2, t))
        root, error = np.sqrt(v) / correction, error / correction
        relative = self.fmt.gamma(6) + bias_correction_error(beta2, t)
        return inflate(error + relative * (root + error + eps), 12)

    def project(self, w: Floats, x: Floats, x_error: Floats) -> Floats:
        """Line ``x − (w·x / w·w) w`` (Eq. 10) of one row: two sums of n products, w rounded once by a normalisation.

        Underflow is counted for w over its largest entry: Π ignores the scale of w, and so must who computes it.
        """
        largest = np.max(np.abs(w), initial=0.0)
        if largest == 0:
            return x_error
        unit = np.abs(w) / largest
        square = unit @ unit

        def radial(size: Floats) -> Floats:
            result: Floats = unit * ((unit @ size) / square)
            return result

        n, u = len(w) * self.repeats, self.fmt
        bound = x_error + radial(x_error) * (1 + u.gamma(2 * n + 12))
        bound = bound + u.gamma(2 * n + 12) * radial(np.abs(x)) + u.gamma(2) * np.abs(x)
        return inflate(bound + (2 * n + 4) * u.tiny, 4 * n + 16)

    def update(self, w: Floats, decay: float, lr: float, q: Floats, q_error: Floats, lr_error: float = 0.0) -> Floats:
        """Line ``(1 − decay) w − ηq`` (Eq. 11, E.1): the factor, η and both products rounded, then the sum.

        ``lr_error`` is the relative error with which η itself is known (Adam's η/(1 − β₁ᵗ)).
        """
        kept, moved = np.abs(w) * (1 + abs(decay)), abs(lr) * (np.abs(q) + q_error)
        rounded = self.fmt.gamma(7) * (kept + moved) + lr_error * moved
        return inflate(rounded + abs(lr) * q_error + 6 * self.fmt.tiny, 12)

    def cosine_gap(self, w: Floats, g: Floats, delta: float) -> tuple[float, float]:
        """Eq. 11 of one row: |w·g| − δ/√dim ‖w‖‖g‖, and how far it may be off (the sign beyond that is certain).

        Both sides are divided by the largest |w_i| and |g_i|; the gap is evaluated in float64, and what that
        evaluation may lose is part of the second number.
        """
        unit_w, unit_g = w / np.max(np.abs(w)), g / np.max(np.abs(g))
        n = len(w) * self.repeats
        size = float(np.abs(unit_w) @ np.abs(unit_g))
        threshold = delta / math.sqrt(len(w)) * math.sqrt(float(unit_w @ unit_w) * float(unit_g @ unit_g))
        gap = abs(math.fsum(unit_w * unit_g)) - threshold
        slack = self.fmt.gamma(n + 8) * (size + threshold) + 2 * n * self.fmt.tiny
        own = FLOAT64.gamma(n + 12) * (size + threshold)
        return gap, slack + own


def inner_product_error(w: Floats, error: Floats) -> float:
    """|w·(x + e) − w·x| ≤ Σ|w_i||e_i|, for x known up to ``error``."""
    return float(inflate(np.abs(w).ravel() @ error.ravel(), 2 * w.size))


def squared_norm_error(x: Floats, error: Floats) -> float:
    """|‖x + e‖² − ‖x‖²| ≤ Σ (2|x_i| + |e_i|)|e_i|, for x known up to ``error``."""
    return float(inflate(((2 * np.abs(x) + error) * error).sum(), 2 * x.size + 4))


def direction_error(x: Floats, error: Floats) -> float:
    """‖(x + e)/‖x + e‖ − x/‖x‖‖ ≤ ‖e‖/(‖x‖ − ‖e‖): normalising shrinks distances outside a ball by its radius.

    At most 2, the distance of opposite directions.
    """
    length, off = math.sqrt(float((x**2).sum())), math.sqrt(float((error**2).sum()))
    return 2.0 if off >= length / 2 else min(2.0, float(inflate(np.asarray(off / (length - off)), 4 * x.size + 8)))


def norm_error(error: Floats) -> float:
    """|ŷ·(x + e) − ŷ·x| ≤ ‖e‖ for every direction ŷ, and no distance to a subspace is off by more."""
    largest = np.max(error, initial=0.0)
    if largest == 0 or not math.isfinite(largest):
        return float(largest)
    # Scaled, so that no square underflows.
    return float(inflate(np.asarray(largest * math.sqrt(float(((error / largest) ** 2).sum()))), 2 * error.size + 4))
