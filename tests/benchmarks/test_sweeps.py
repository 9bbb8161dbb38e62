"""The shapes of sweeps can have every mode, and one thing grows at a time."""

import math

import pytest

from tangency.benchmarks.modes import problem
from tangency.benchmarks.sweeps import SHAPES, scaling, shapes, single


def test_shapes_are_named_and_of_every_kind() -> None:
    assert len(shapes()) == len(SHAPES)
    assert shapes()[0][0] == "tall 50257×768"
    assert {len(shape) for shape in SHAPES.values()} == {1, 2, 4}


@pytest.mark.parametrize("mode", ["channel", "layer", "none"])
def test_a_shape_can_have_every_mode(mode: str) -> None:
    for shape in SHAPES.values():
        assert len(shape) == 1 or math.prod(shape[1:]) > 1  # a row of one element is never orthogonal
        if math.prod(shape) < 100_000:
            problem(single(shape), mode)


@pytest.mark.parametrize("thing", scaling())
def test_one_thing_grows(thing: str) -> None:
    weights = [point for _, point in scaling()[thing]]
    sizes = [sum(weight.size for weight in point) for point in weights]
    assert sizes == sorted(set(sizes))
    rows = {point[0].shape[0] for point in weights}
    lengths = {math.prod(point[0].shape[1:]) for point in weights}
    tensors = {len(point) for point in weights}
    constant = {"rows": (lengths, tensors), "row length": (rows, tensors), "tensors": (rows, lengths)}
    assert all(len(values) == 1 for values in constant.get(thing, (tensors,)))
