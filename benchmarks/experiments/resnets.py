"""ResNet-18 and ResNet-50 (He et al. 2016), and their scale-invariant share by the probe (§1)."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tangency.probe import scan
from tangency.probe.report import pattern

# The blocks of each stage, and whether they are bottlenecks.
NETWORKS: dict[str, tuple[tuple[int, ...], bool]] = {
    "ResNet-18": ((2, 2, 2, 2), False),
    "ResNet-50": ((3, 4, 6, 3), True),
}


class _Residual(nn.Module):
    def __init__(self, into: int, width: int, out: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        sides = [into, *[width] * (len(kernels) - 1), out]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, k, stride if k == 3 and i == len(kernels) - 2 else 1, k // 2, bias=False)
            for i, ((a, b), k) in enumerate(zip(pairwise(sides), kernels, strict=True))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in sides[1:])
        self.shortcut = nn.Sequential()
        if stride != 1 or into != out:
            self.shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y))
            if i < len(self.convs) - 1:
                y = functional.relu(y)
        return functional.relu(y + self.shortcut(x))


def resnet(blocks: tuple[int, ...], *, bottleneck: bool, width: int = 64, classes: int = 1000) -> nn.Sequential:
    """The ImageNet ResNets of He et al. (2016), as torchvision has them at width 64."""
    out, into = (4 if bottleneck else 1), width
    stages = []
    for stage, count in enumerate(blocks):
        wide = width * 2**stage
        made = []
        for index in range(count):
            made.append(_Residual(into, wide, wide * out, 2 if stage and not index else 1, bottleneck))
            into = wide * out
        stages.append(nn.Sequential(*made))
    return nn.Sequential(
        nn.Conv2d(3, width, 7, 2, 3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(into, classes),
    )


def share(config: dict[str, Any]) -> dict[str, Any]:
    """The share of a network's parameters that is scale-invariant.

    A narrow copy decides the view of each kind of weight, the network itself counts.

    Args:
        config: ``network``, of `NETWORKS`, and ``seed``.

    Returns:
        ``invariant`` and ``parameters``; ``views``, by kind of weight; ``unexplained``, on how many weights the three
        ways of the probe disagree.
    """
    blocks, bottleneck = NETWORKS[config["network"]]
    torch.manual_seed(config["seed"])
    small = resnet(blocks, bottleneck=bottleneck, width=4, classes=5)
    found = scan(small, torch.randn(4, 3, 64, 64), seed=config["seed"])
    views: dict[str, str] = {}
    for one in found.weights:
        kind = f"{pattern(one.name)}, {len(one.shape)} dimensions"
        if views.setdefault(kind, str(one.view)) != str(one.view):
            views[kind] = "not of one view"
    with torch.device("meta"):
        real = resnet(blocks, bottleneck=bottleneck)
    sizes = [(f"{pattern(name)}, {p.dim()} dimensions", p.numel()) for name, p in real.named_parameters()]
    return {
        "invariant": sum(size for kind, size in sizes if views[kind] in ("channel", "layer")),
        "parameters": sum(size for _, size in sizes),
        "views": views,
        "unexplained": len(found.unexplained),
    }
