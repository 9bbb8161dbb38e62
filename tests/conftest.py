"""Settings of the whole suite: one thread a worker, and searches that no slow machine can fail."""

import os

# Before anything imports numpy or torch: workers share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from hypothesis import settings

torch.set_num_threads(1)
# No deadline: time is not evidence. A failure prints the lines that reproduce it. The parent is named because, where
# it sees CI, Hypothesis starts from another one: the same examples every time, and no database.
settings.register_profile("tangency", parent=settings.get_profile("default"), deadline=None, print_blob=True)
settings.load_profile("tangency")
