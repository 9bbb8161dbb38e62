"""Binary floating-point formats: the properties that bounds on rounding depend on (IEEE 754; Higham, §2.1)."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Format:
    """A binary floating-point format with ``digits`` significant bits and smallest normal number 2^``emin``.

    With ``flushes``, subnormal results become 0, as in code that XLA compiles for CPUs.
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
        """η, the largest error of an underflow: the smallest subnormal (if flushed: normal) number."""
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
        """γ_k = ku / (1 − ku), a bound of k roundings (Higham, Lemma 3.1); infinite where ku ≥ 1."""
        product = k * self.unit
        return product / (1 - product) if product < 1 else math.inf

    @cached_property
    def gamma_2(self) -> float:
        """γ₂."""
        return self.gamma(2)

    def stored(self, value: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
        """A bound on the error of numbers, known up to ``error``, after one more rounding into this format."""
        size = np.abs(value) + error
        exponent = np.where(size > 0, np.frexp(size)[1] - 1, self.emin)
        half_ulp = np.ldexp(1.0, np.maximum(exponent, self.emin) - self.digits)
        result: NDArray[np.float64] = (error + half_ulp) * SAFE
        return result


FLOAT16 = Format("float16", 11, -14, 15)
BFLOAT16 = Format("bfloat16", 8, -126, 127)
FLOAT32 = Format("float32", 24, -126, 127)
FLOAT64 = Format("float64", 53, -1022, 1023)
# Bounds are evaluated in float64: this covers the roundings, fewer than 32, of evaluating the bound of one operation.
SAFE = 1 + 2.0**-48
