"""Broken on a path that is not the usual one, or from one run to the next."""

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import PATHS, Options


@broken("foreach-agrees", "fused-agrees", "capturable-agrees", "differentiable-agrees")
class OtherPaths(SGDP):
    """The gradient counts twice on every path but the loop."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return 2 * g if any(options[path] for path in PATHS) else g


@broken("compiled-agrees")
class Compiled(SGDP):
    """The gradient counts twice in a compiled step."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return 2 * g if torch.compiler.is_compiling() else g


@broken("deterministic")
class CountsRuns(SGDP):
    """The gradient counts more from step to step, also of other optimizers."""

    count = 0

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        CountsRuns.count += 1
        return g * CountsRuns.count
