"""SGDP and AdamP for torch (Heo et al., ICLR 2021, Algorithms 1 and 2), and a monitor of any optimizer.

Only the names exported here are public. In this list, each module imports only from those below it:

    monitor                 what a run does to the norms of its weights, for every torch optimizer
    sgdp, adamp             the optimizers: options, state, and the numbers of a step
    optimizer               what they share: checks, the choice of a path, state from elsewhere
    loop, foreach, fused    the code paths; the loop is the one to read
    cpu, gpu                the kernels of the fused path, imported at its first step
    rows                    parameters as kernels see them
    projection              Eqs. 10 and 11 in torch's operations
    options                 what each option may be
    rule, state, process    a step's hyper-parameters, its tensors, its process
"""

from tangency.optim.adamp import AdamP
from tangency.optim.monitor import Monitor
from tangency.optim.sgdp import SGDP

__all__ = ["SGDP", "AdamP", "Monitor"]
