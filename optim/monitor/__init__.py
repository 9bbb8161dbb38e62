"""A monitor of live runs: how ‖w‖² grows, term by term. Each module imports only from those below it:

monitor     the hooks, and what is sampled
writers     where samples go
outlook     equilibrium, and the flag of premature decay
ledger      the terms, and what does not close
reading     the inner products of a step, on the device and then here
known       what a step of a known optimizer is made of
gram        Gram matrices of rows, block by block
"""

from tangency.optim.monitor.monitor import Monitor
from tangency.optim.monitor.writers import Lines, Record, Table, tensorboard, wandb

__all__ = ["Lines", "Monitor", "Record", "Table", "tensorboard", "wandb"]
