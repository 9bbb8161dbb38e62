"""The weights of networks, generated from their architecture: the tensors that a step updates."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches


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
        """By structure (§1): a convolution without bias in front of a normalisation, as nearly every one here."""
        return self.kind == "conv"


class UnknownModel(ValueError):
    """No network has this name; the message lists those that exist."""


def _normalised_conv(name: str, out: int, into: int, kernel: int) -> list[Weight]:
    """A convolution without bias (depthwise: ``into`` is 1), and the BN behind it with its scale and shift."""
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


def _inverted_residual(name: str, out: int, into: int, expansion: int, kernel: int) -> list[Weight]:
    """1×1 up, unless the expansion is 1; depthwise; 1×1 down."""
    wide = into * expansion
    up = _normalised_conv(f"{name}.up", wide, into, 1) if expansion > 1 else []
    return [
        *up,
        *_normalised_conv(f"{name}.depthwise", wide, 1, kernel),
        *_normalised_conv(f"{name}.down", out, wide, 1),
    ]


def mobilenet_v2(*, classes: int = 1000) -> tuple[Weight, ...]:
    """MobileNetV2 at width 1 (Sandler et al. 2018, Table 2)."""
    stages = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
    weights, into = _normalised_conv("stem", 32, 3, 3), 32
    for stage, (expansion, out, count) in enumerate(stages):
        for index in range(count):
            weights += _inverted_residual(f"stage{stage + 1}.{index}", out, into, expansion, 3)
            into = out
    return (*weights, *_normalised_conv("last", 1280, into, 1), *_linear("head", classes, 1280))


def efficientnet_b0(*, classes: int = 1000) -> tuple[Weight, ...]:
    """EfficientNet-B0 (Tan & Le 2019, Table 1), with squeeze and excitation to a quarter of the block's input."""
    stages = (
        (1, 3, 16, 1),
        (6, 3, 24, 2),
        (6, 5, 40, 2),
        (6, 3, 80, 3),
        (6, 5, 112, 3),
        (6, 5, 192, 4),
        (6, 3, 320, 1),
    )
    weights, into = _normalised_conv("stem", 32, 3, 3), 32
    for stage, (expansion, kernel, out, count) in enumerate(stages):
        for index in range(count):
            name, wide, narrow = f"stage{stage + 1}.{index}", into * expansion, into // 4
            *before, conv, scale, shift = _inverted_residual(name, out, into, expansion, kernel)
            # Their convolutions have a bias and no normalisation behind them: not scale-invariant.
            squeeze = [
                Weight(f"{name}.squeeze.weight", "linear", (narrow, wide, 1, 1)),
                Weight(f"{name}.squeeze.bias", "linear", (narrow,)),
                Weight(f"{name}.excite.weight", "linear", (wide, narrow, 1, 1)),
                Weight(f"{name}.excite.bias", "linear", (wide,)),
            ]
            weights += [*before, *squeeze, conv, scale, shift]
            into = out
    return (*weights, *_normalised_conv("last", 1280, into, 1), *_linear("head", classes, 1280))


def small() -> tuple[Weight, ...]:
    """A few layers of every kind, for a quick look."""
    return (*_normalised_conv("conv", 32, 16, 3), *_normalised_conv("wide", 64, 32, 3), *_linear("head", 10, 64))


MODELS: dict[str, Callable[[], tuple[Weight, ...]]] = {
    "small": small,
    "resnet-18": lambda: resnet((2, 2, 2, 2), bottleneck=False),
    "resnet-50": lambda: resnet((3, 4, 6, 3), bottleneck=True),
    "mobilenet-v2": mobilenet_v2,
    "efficientnet-b0": efficientnet_b0,
    "transformer-124m": transformer,
    "transformer-1.3b": lambda: transformer(1, 2048, vocabulary=50257 // 24, context=2048 // 24),
}
# Too large to be timed whole beside its peers; a step costs as much for each of its layers.
SAMPLED = {"transformer-1.3b": "one block of 24, and 1/24 of the rows of both embeddings"}


def find(name: str) -> str:
    """The name of a network in `MODELS`; capitals, hyphens and the like do not count (``ResNet50``).

    Raises:
        UnknownModel: there is none; the message names those that look alike, or all.
    """
    plain = {_plain(model): model for model in MODELS}
    if _plain(name) in plain:
        return plain[_plain(name)]
    near = [plain[match] for match in get_close_matches(_plain(name), plain)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(MODELS)}"
    raise UnknownModel(f"no model is called {name!r}; {hint}")


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
