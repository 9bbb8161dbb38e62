"""A language model of one block, to be scanned: per-head norms on queries and keys, and norms behind each branch."""

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, VOCABULARY = 32, 4, 50


class Block(nn.Module):
    """Attention, then a gated MLP; what each adds to the stream is normalised first, as in OLMo 2."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.q_norm, self.k_norm = nn.RMSNorm(WIDTH // HEADS), nn.RMSNorm(WIDTH // HEADS)
        self.gate, self.up = nn.Linear(WIDTH, 64, bias=False), nn.Linear(WIDTH, 64, bias=False)
        self.down = nn.Linear(64, WIDTH, bias=False)
        self.attention_norm, self.mlp_norm = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (layer(x).unflatten(-1, (HEADS, -1)) for layer in (self.q, self.k, self.v))
        q, k, v = (one.transpose(1, 2) for one in (self.q_norm(q), self.k_norm(k), v))
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attention_norm(self.o(attended.transpose(1, 2).flatten(2)))
        return x + self.mlp_norm(self.down(functional.silu(self.gate(x)) * self.up(x)))


class Gpt(nn.Module):
    """Tokens to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.block = Block()
        self.norm = nn.RMSNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.block(self.tokens(tokens))))


def gpt() -> tuple[nn.Module, torch.Tensor]:
    """A model and a batch: what is scanned."""
    torch.manual_seed(0)
    return Gpt(), torch.randint(VOCABULARY, (4, 12))


def trained() -> tuple[nn.Module, tuple[torch.Tensor, torch.Tensor], object]:
    """The same with its loss: f is the number that is trained on."""
    model, tokens = gpt()
    return model, (tokens[:, :-1], tokens[:, 1:]), loss


def loss(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    tokens, following = batch
    return functional.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
