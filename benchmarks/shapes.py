"""The weights of three networks, generated from their architecture: what a step has to walk over."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Weight:
    """One trainable parameter.

    Attributes:
        name: the module it belongs to.
        kind: ``conv``, ``norm``, ``linear`` or ``embedding``.
        shape: as torch stores it, the output channel first.
    """

    name: str
    kind: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def scale_invariant(self) -> bool:
        """By structure (§1): a convolution without bias in front of a normalisation, as every one in a ResNet."""
        return self.kind == "conv"


def _normalised_conv(name: str, out: int, into: int, kernel: int) -> list[Weight]:
    """A convolution without bias, and the BN behind it with its scale and shift."""
    conv = Weight(f"{name}.conv", "conv", (out, into, kernel, kernel))
    return [conv, Weight(f"{name}.bn.weight", "norm", (out,)), Weight(f"{name}.bn.bias", "norm", (out,))]


def _linear(name: str, out: int, into: int) -> list[Weight]:
    return [Weight(f"{name}.weight", "linear", (out, into)), Weight(f"{name}.bias", "linear", (out,))]


def resnet(blocks: tuple[int, ...], *, bottleneck: bool, classes: int = 1000) -> tuple[Weight, ...]:
    """The ImageNet ResNets of He et al. (2016), with projection shortcuts where the shape changes.

    Args:
        blocks: how many residual blocks each stage has; stage i is 64 · 2^i wide.
        bottleneck: blocks of 1×1, 3×3 and 1×1 convolutions that end four times as wide, instead of two 3×3.
        classes: outputs of the last layer.
    """
    expansion = 4 if bottleneck else 1
    weights, into = _normalised_conv("stem", 64, 3, 7), 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for index in range(count):
            name, out = f"stage{stage + 1}.{index}", width * expansion
            kernels = ((width, into, 1), (width, width, 3), (out, width, 1))
            for i, (o, n, kernel) in enumerate(kernels if bottleneck else ((width, into, 3), (width, width, 3))):
                weights += _normalised_conv(f"{name}.{i}", o, n, kernel)
            if index == 0 and (stage > 0 or into != out):
                weights += _normalised_conv(f"{name}.shortcut", out, into, 1)
            into = out
    return (*weights, *_linear("head", classes, into))


def transformer(
    layers: int = 12, width: int = 768, *, vocabulary: int = 50257, context: int = 1024
) -> tuple[Weight, ...]:
    """A decoder of GPT-2's shape with tied embeddings, by default its 124M model; no weight is scale-invariant."""
    weights = [
        Weight("tokens", "embedding", (vocabulary, width)),
        Weight("positions", "embedding", (context, width)),
    ]
    for index in range(layers):
        for norm in ("norm1", "norm2"):
            weights += [Weight(f"block{index}.{norm}.{part}", "norm", (width,)) for part in ("weight", "bias")]
        for name, out, into in (("qkv", 3, 1), ("projection", 1, 1), ("up", 4, 1), ("down", 1, 4)):
            weights += _linear(f"block{index}.{name}", out * width, into * width)
    return (*weights, *(Weight(f"norm.{part}", "norm", (width,)) for part in ("weight", "bias")))


def small() -> tuple[Weight, ...]:
    """A few layers of every kind, for a quick look."""
    return (*_normalised_conv("conv", 32, 16, 3), *_normalised_conv("wide", 64, 32, 3), *_linear("head", 10, 64))


MODELS: dict[str, Callable[[], tuple[Weight, ...]]] = {
    "small": small,
    "resnet-18": lambda: resnet((2, 2, 2, 2), bottleneck=False),
    "resnet-50": lambda: resnet((3, 4, 6, 3), bottleneck=True),
    "transformer-124m": transformer,
}
