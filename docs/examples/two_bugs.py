"""AdamP with two bugs that no loss curve shows; the picture of the README is its report."""

import math

from torch import Tensor

from tangency.proofs_checks.broken import sound


class AdamP(sound.AdamP):
    """A sound AdamP in all but two lines."""

    def threshold(self, delta: float, dim: int) -> float:
        """δ, of which ``passes`` makes the threshold."""
        return delta

    def passes(self, cosines: Tensor, threshold: float) -> bool:
        """The first bug: δ over the root of the number of rows, where that of a row's elements was due."""
        return super().passes(cosines, threshold / math.sqrt(len(cosines)))

    def update(self, w: Tensor, decay: sound.Number, lr: sound.Number, q: Tensor) -> Tensor:
        """The second: weight decay after the step."""
        return (1 - decay) * (w - lr * q)
