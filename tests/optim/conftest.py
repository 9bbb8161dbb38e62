"""Two cores are shared: one thread is enough for tensors of a few numbers."""

import torch

torch.set_num_threads(1)
