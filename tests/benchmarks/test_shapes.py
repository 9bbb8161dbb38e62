"""The networks have the numbers of weights that are published for them."""

import pytest

from tangency.benchmarks.shapes import MODELS, resnet, transformer


@pytest.mark.parametrize(
    ("model", "invariant", "total", "share"),
    [("resnet-18", 11_166_912, 11_689_512, "95.53 %"), ("resnet-50", 23_454_912, 25_557_032, "91.77 %")],
)
def test_scale_invariant_share(model: str, invariant: int, total: int, share: str) -> None:
    weights = MODELS[model]()
    found = sum(weight.size for weight in weights if weight.scale_invariant)
    assert (found, sum(weight.size for weight in weights)) == (invariant, total)
    assert f"{100 * found / total:.2f} %" == share


def test_other_depths_and_the_transformer() -> None:
    assert sum(weight.size for weight in resnet((3, 4, 6, 3), bottleneck=False)) == 21_797_672  # ResNet-34
    assert sum(weight.size for weight in resnet((3, 4, 23, 3), bottleneck=True)) == 44_549_160  # ResNet-101
    assert sum(weight.size for weight in transformer()) == 124_439_808


@pytest.mark.parametrize("model", MODELS)
def test_names_are_unique(model: str) -> None:
    names = [weight.name for weight in MODELS[model]()]
    assert len(set(names)) == len(names)
