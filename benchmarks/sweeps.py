"""How the cost of a step grows, and what it is on single shapes that are hard in one way each."""

from collections.abc import Mapping, Sequence

from tangency.benchmarks.shapes import Weight

Point = tuple[str, tuple[Weight, ...]]

# Real shapes, each extreme in its own way; rows of 147 are odd, those of 9 short.
SHAPES: Mapping[str, tuple[int, ...]] = {
    "tall": (50257, 768),
    "wide": (16, 2**20),
    "pointwise": (2048, 512, 1, 1),
    "convolution": (512, 512, 3, 3),
    "depthwise": (960, 1, 3, 3),
    "stem": (64, 3, 7, 7),
    "classifier": (1000, 2048),
    "square": (2048, 2048),
    "two rows": (2, 2**20),
    "tiny": (16, 3, 3, 3),
    "vector": (2048,),
    "tiny vector": (64,),
}


def single(shape: Sequence[int]) -> tuple[Weight, ...]:
    """One weight; with two dimensions or more it counts as scale-invariant."""
    return (Weight("weight", "conv" if len(shape) > 1 else "norm", tuple(shape)),)


def shapes() -> list[Point]:
    """The shapes, one at a time."""
    return [(f"{name} {'×'.join(map(str, shape))}", single(shape)) for name, shape in SHAPES.items()]


def scaling() -> dict[str, list[Point]]:
    """One thing grows at a time: rows, row length, tensors of one size, and parameters of a square matrix."""
    return {
        "rows": [(f"{2**k} × 1152", single((2**k, 1152))) for k in range(2, 15, 3)],
        "row length": [(f"256 × {n}", single((256, n))) for n in (9, 72, 576, 4608, 36864)],
        "tensors": [
            (f"{n} of 64 × 576", tuple(Weight(f"weight{i}", "conv", (64, 576)) for i in range(n)))
            for n in (1, 4, 16, 64, 256)
        ],
        "parameters": [(f"{n} × {n}", single((n, n))) for n in (64, 256, 1024, 4096)],
    }
