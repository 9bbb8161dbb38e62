"""Small scale-invariant networks that train for a few steps."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

Make = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def network(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    """Two convolutions before batch normalisation, whose rows are scale-invariant, and a head that is not."""
    made = nn.Sequential(
        nn.Conv2d(2, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, 4),
    )
    return made.to(dtype)


def pass_backward(net: nn.Module, generator: torch.Generator) -> Tensor:
    """A loss on a random batch, and its gradients."""
    dtype = next(net.parameters()).dtype
    x = torch.randn(16, 2, 6, 6, generator=generator, dtype=torch.float32).to(dtype)
    y = torch.randint(4, (16,), generator=generator)
    net.zero_grad()
    loss: Tensor = nn.functional.cross_entropy(net(x).float(), y)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss


def train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int, seed: int = 0) -> None:
    """Some steps on random batches."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        pass_backward(net, generator)
        optimizer.step()


def seeded(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    """The network with the weights of a seed, which leaves the random state alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return network(dtype)
