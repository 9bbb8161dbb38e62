"""SGDP and AdamP for torch (Heo et al., ICLR 2021, Algorithms 1 and 2)."""

from tangency.optim.adamp import AdamP
from tangency.optim.sgdp import SGDP

__all__ = ["SGDP", "AdamP"]
