"""The networks have the numbers of weights that are published for them."""

import pytest

from tangency.benchmarks.shapes import (
    MODELS,
    SAMPLED,
    UnknownModel,
    efficientnet_b0,
    find,
    mobilenet_v2,
    resnet,
    transformer,
)


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


def test_the_mobile_networks() -> None:
    """As torchvision counts them."""
    assert sum(weight.size for weight in mobilenet_v2()) == 3_504_872
    assert sum(weight.size for weight in efficientnet_b0()) == 5_288_548
    assert sum(weight.scale_invariant for weight in efficientnet_b0()) == 49  # with 32 of squeeze and excitation: 81


def test_a_sample_is_a_share_of_the_whole() -> None:
    (sampled,) = SAMPLED
    whole = sum(weight.size for weight in transformer(24, 2048, context=2048))
    assert whole == pytest.approx(1.3157e9, rel=1e-4)
    assert 24 * sum(weight.size for weight in MODELS[sampled]()) == pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("name", ["resnet50", "ResNet_50", "resnet-50"])
def test_a_model_is_found_by_any_spelling(name: str) -> None:
    assert find(name) == "resnet-50"


def test_an_unknown_model_is_refused_with_a_hint() -> None:
    with pytest.raises(UnknownModel, match=r"no model is called 'resnet5'; did you mean resnet-50"):
        find("resnet5")
    with pytest.raises(UnknownModel, match="there are small, resnet-18, "):
        find("alexnet")


@pytest.mark.parametrize("model", MODELS)
def test_names_are_unique(model: str) -> None:
    names = [weight.name for weight in MODELS[model]()]
    assert len(set(names)) == len(names)
