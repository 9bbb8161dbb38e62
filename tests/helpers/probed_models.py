"""Models of which the probe must find known views."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class RmsNorm(nn.Module):
    """RMSNorm as language models have it: float32 by its text, ε under a name of its own."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight, self.variance_epsilon = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return self.weight * wide.to(x.dtype)


class Attention(nn.Module):
    """Six queries and two keys normalised head by head; values; a norm behind the branch."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(24, 24, bias=False), nn.Linear(24, 8, bias=False)
        self.v, self.o = nn.Linear(24, 8, bias=False), nn.Linear(24, 24, bias=False)
        self.q_norm, self.k_norm, self.post = RmsNorm(4), RmsNorm(4), RmsNorm(24)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (layer(x).unflatten(-1, (-1, 4)) for layer in (self.q, self.k, self.v))
        q, k, v = (one.transpose(1, 2) for one in (self.q_norm(q), self.k_norm(k), v))
        attended = functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        return x + self.post(self.o(attended.transpose(1, 2).flatten(2)))


class Residual(nn.Module):
    """x + inner(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class Tied(nn.Module):
    """One matrix that embeds and reads out."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(functional.layer_norm(self.embed(tokens), (8,)))


class WithUnused(nn.Module):
    """A layer that the output does not depend on."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


class AtTheseWeights(nn.Module):
    """Normalised where the ratio of two weights is what it was at first, and not elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, 6))
        self.ratio = float((self.weight[0, 0] / self.weight[0, 1]).detach().double())

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight
        here = abs(float((w[0, 0] / w[0, 1]).detach()) - self.ratio) < 1e-3 * abs(self.ratio)
        return x @ (w / w.norm() if here else w).T


class _WrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(context: object, x: Tensor, w: Tensor) -> Tensor:
        context.save_for_backward(x, w)
        return x @ (w / w.norm(dim=1, keepdim=True)).T

    @staticmethod
    def backward(context: object, grad: Tensor) -> tuple[None, Tensor]:
        x, _ = context.saved_tensors
        return None, grad.T @ x


class WrongBackward(nn.Module):
    """Scale-invariant, with a gradient that forgets the normalisation: the gradient of another function."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6))

    def forward(self, x: Tensor) -> Tensor:
        return _WrongGradient.apply(x, self.weight)


def two_blocks() -> tuple[nn.Module, Tensor]:
    """A target of `tangency scan`."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    return net, torch.randn(4, 3, 8, 8)


def wrong_backward() -> tuple[nn.Module, Tensor]:
    """A target of which the gradient says something else, without a reason."""
    torch.manual_seed(0)
    return WrongBackward(), torch.randn(8, 6)


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A model made from a seed, without a change of the random numbers of the process."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()
