"""Models with known views: by rescaling, by gradient, by graph."""

import warnings
from collections.abc import Callable

import probed_models as models
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probed_models import seeded
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from tangency.benchmarks.experiments import resnets
from tangency.probe import Scan, scan
from tangency.probe.report import pattern

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
ROWS = torch.randn(5, 7, 24, generator=torch.Generator().manual_seed(2))


def conv(into: int = 3, out: int = 8, *, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(into, out, 3, padding=1, bias=bias)


def linear(*, bias: bool = False) -> nn.Linear:
    return nn.Linear(24, 24, bias=bias)


def views(made: Callable[[], nn.Module], batch: Tensor) -> dict[str, tuple[str, str, str]]:
    """Of each weight the three answers, the graph's as it is: – where it has none."""
    found = scan(seeded(made), batch)
    assert not found.unexplained
    return {
        one.name: (str(one.view), str(one.tested.view), "–" if one.traced.view is None else str(one.traced.view))
        for one in found.weights
    }


# The views of each weight that is named: by rescaling and gradient, and by the graph.
CASES: dict[str, tuple[Callable[[], nn.Module], Tensor, dict[str, tuple[str, str]]]] = {
    "batch norm": (
        lambda: nn.Sequential(conv(), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 3)),
        IMAGES,
        {"0.weight": ("channel", "channel"), "1.weight": ("none", "none"), "4.weight": ("none", "none")},
    ),
    "a bias that batch norm takes out": (
        lambda: nn.Sequential(conv(bias=True), nn.BatchNorm2d(8)),
        IMAGES,
        {"0.weight": ("channel", "channel"), "0.bias": ("unused", "–")},
    ),
    "instance norm": (
        lambda: nn.Sequential(conv(bias=True), nn.InstanceNorm2d(8)),
        IMAGES,
        {"0.weight": ("channel", "channel")},
    ),
    "group norm": (
        lambda: nn.Sequential(conv(), nn.GroupNorm(2, 8)),
        IMAGES,
        {"0.weight": ("head 2", "head 2"), "1.weight": ("none", "none")},
    ),
    "group norm does not take out a bias": (
        lambda: nn.Sequential(conv(bias=True), nn.GroupNorm(2, 8)),
        IMAGES,
        {"0.weight": ("none", "–"), "0.bias": ("none", "–")},
    ),
    "layer norm": (lambda: nn.Sequential(linear(), nn.LayerNorm(24)), ROWS, {"0.weight": ("layer", "layer")}),
    "layer norm does not take out a bias, even one that is 0": (
        lambda: nn.Sequential(zero_bias(linear(bias=True)), nn.LayerNorm(24)),
        ROWS,
        {"0.weight": ("none", "–")},
    ),
    "RMSNorm without an ε of its own": (
        lambda: nn.Sequential(linear(), nn.RMSNorm(24)),
        ROWS,
        {"0.weight": ("layer", "layer"), "1.weight": ("none", "none")},
    ),
    "two convolutions before one norm": (
        lambda: nn.Sequential(conv(), nn.ReLU(), conv(8), nn.BatchNorm2d(8)),
        IMAGES,
        {"0.weight": ("layer", "layer"), "2.weight": ("channel", "channel")},
    ),
    "an activation that is not homogeneous": (
        lambda: nn.Sequential(conv(), nn.GELU(), conv(8), nn.BatchNorm2d(8)),
        IMAGES,
        {"0.weight": ("none", "none")},
    ),
    "depthwise": (
        lambda: nn.Sequential(conv(), nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(8)),
        IMAGES,
        {"0.weight": ("channel", "channel"), "1.weight": ("channel", "channel")},
    ),
    "transposed: dimension 0 is the input": (
        lambda: nn.Sequential(nn.ConvTranspose2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)),
        IMAGES,
        {"0.weight": ("layer", "layer")},
    ),
    "a norm behind a residual branch": (
        lambda: nn.Sequential(models.Residual(nn.Sequential(nn.LayerNorm(24), linear())), nn.LayerNorm(24)),
        ROWS,
        {"0.inner.1.weight": ("none", "none")},
    ),
    "a norm inside a residual branch": (
        lambda: models.Residual(nn.Sequential(linear(), nn.LayerNorm(24))),
        ROWS,
        {"inner.0.weight": ("layer", "layer")},
    ),
    "heads": (
        models.Attention,
        ROWS,
        {
            "q.weight": ("head 6", "–"),
            "k.weight": ("head 2", "–"),
            "v.weight": ("layer", "–"),
            "o.weight": ("layer", "–"),
            "q_norm.weight": ("none", "none"),
        },
    ),
    "weight norm": (
        lambda: parametrizations.weight_norm(linear(bias=True)),
        ROWS,
        {
            "parametrizations.weight.original0": ("none", "–"),
            "parametrizations.weight.original1": ("channel", "–"),
        },
    ),
    "spectral norm": (
        lambda: parametrizations.spectral_norm(linear(bias=True)),
        ROWS,
        {"parametrizations.weight.original": ("layer", "–")},
    ),
    "unused": (
        models.WithUnused,
        ROWS[..., :6],
        {"used.weight": ("none", "none"), "unused.weight": ("unused", "unused")},
    ),
    "tied": (models.Tied, torch.tensor([[1, 2, 3], [4, 5, 6]]), {"embed.weight": ("none", "–")}),
}


def zero_bias(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.bias)
    return layer


@pytest.mark.parametrize("case", CASES)
def test_three_ways_find_the_view(case: str) -> None:
    made, batch, expected = CASES[case]
    found = views(made, batch)
    for name, (view, graph) in expected.items():
        assert found[name] == (view, view, graph), name


def test_powers_of_two_change_no_bit_even_where_a_model_asks_for_float32() -> None:
    found = scan(seeded(models.Attention), ROWS)
    assert all(found[name].rescaled.same_bits for name in ("q.weight", "k.weight", "v.weight", "o.weight"))
    assert set(found.eps) == {f"{name}.variance_epsilon" for name in ("q_norm", "k_norm", "post")}


def test_between_invariant_and_not_lie_many_orders_of_magnitude() -> None:
    """The bound on rounding decides nothing by a hair's breadth."""
    for made, batch, _ in CASES.values():
        for one in scan(seeded(made), batch).weights:
            if one.view.kind == "none":
                assert one.rescaled.change > 1e4, one
            else:
                assert one.rescaled.change < 0.1, one


def test_a_weight_that_is_zero_or_of_one_value_is_scanned_at_random_values() -> None:
    net = seeded(lambda: nn.Sequential(conv(), nn.BatchNorm2d(8)))
    for weight, value in ((net[0].weight, 0.0), (net[1].weight, 0.0)):
        nn.init.constant_(weight, value)
    found = scan(net, IMAGES)
    assert [one.name for one in found.weights if one.replaced] == ["0.weight", "1.weight", "1.bias"]
    assert str(found["0.weight"].view) == "channel"


def test_one_tensor_with_two_names_is_scanned_and_counted_once() -> None:
    found = scan(seeded(models.Tied), torch.tensor([[1, 2, 3]]))
    (one,) = found.weights
    assert one.tied == ("head.weight",)
    assert found["head.weight"] is one
    assert found.total == 96


def test_frozen_weights_are_not_counted() -> None:
    net = seeded(lambda: nn.Sequential(conv(), nn.BatchNorm2d(8)))
    net[1].requires_grad_(False)
    found = scan(net, IMAGES)
    assert (found.share, found.frozen) == (1.0, 2)


def test_a_loss_may_be_what_f_is() -> None:
    net = seeded(lambda: nn.Sequential(conv(), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(512, 3)))

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return functional.cross_entropy(model(batch[0]), batch[1])

    found = scan(net, (IMAGES, torch.tensor([0, 1, 2, 0])), loss)
    assert {one.name: str(one.view) for one in found.weights if one.view.invariant} == {"0.weight": "channel"}
    assert str(found["0.weight"].tested.view) == str(found["0.weight"].traced.view) == "channel"


def test_eps_is_found_to_be_the_reason() -> None:
    net = seeded(lambda: nn.Sequential(conv(), nn.BatchNorm2d(8, eps=0.1), nn.ReLU()))
    with torch.no_grad():
        net[0].weight.mul_(0.1)
    one = scan(net, IMAGES)["0.weight"]
    assert (str(one.view), str(one.tested.view)) == ("channel", "none")
    assert not one.unexplained
    assert any("ε is not negligible" in text for text in one.explained)


def test_an_eps_that_a_call_leaves_at_its_default_is_none_either() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(24, 24))

        def forward(self, x: Tensor) -> Tensor:
            return functional.layer_norm(x @ self.weight.T * 0.01, (24,))

    one = scan(seeded(Functional), ROWS)["weight"]
    assert (str(one.view), str(one.tested.view)) == ("layer", "none")
    assert any("ε is not negligible" in text for text in one.explained)


def test_rms_norm_without_an_eps_has_that_of_its_dtype() -> None:
    found = scan(seeded(lambda: nn.Sequential(linear(), nn.RMSNorm(24))), ROWS)
    assert found.eps == {"1.eps": torch.finfo(torch.float32).eps}


def test_a_weight_of_which_hardly_anything_reaches_the_output_is_undecided() -> None:
    """It is called invariant only where a random change of it does 1024 times as much as rounding may."""

    class Faint(nn.Module):
        def __init__(self, size: float) -> None:
            super().__init__()
            self.layer, self._size = linear(), size

        def forward(self, x: Tensor) -> Tensor:
            return x + self._size * functional.layer_norm(self.layer(x), (24,))

    found = [scan(seeded(lambda size=10.0**-k: Faint(size)), ROWS)["layer.weight"] for k in range(18)]
    assert {one.view.kind for one in found} == {"layer", "undecided", "unused"}
    for one in found:
        effect = one.rescaled.effect
        assert one.view.kind == ("layer" if effect > 1024 else "undecided" if effect > 1 else "unused")
        assert not one.unexplained


def test_what_rounding_hides_is_undecided() -> None:
    """Rows that are equal but for rounding, normalised with ε → 0, are rounding errors of the size of 1."""
    net = seeded(lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm2d(8), nn.LayerNorm(6), conv(8), nn.Tanh()))
    images = torch.rand(4, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    assert str(scan(net, images)["3.weight"].view) == "none"
    images[0, 0] = -1  # a channel of one image: all of it is 0 behind the ReLU
    found = scan(net, images)
    assert {str(one.view) for one in found.weights if one.name != "0.weight"} <= {"undecided", "none"}
    assert str(found["3.weight"].view) == "undecided"


def test_what_holds_at_these_weights_alone_is_found_out() -> None:
    one = scan(seeded(models.AtTheseWeights), ROWS[0, :, :6])["weight"]
    assert (str(one.view), str(one.tested.view)) == ("channel", "none")
    assert any("data dependent" in text for text in one.explained)
    assert not one.unexplained


def test_a_gradient_of_another_function_has_no_reason() -> None:
    one = scan(seeded(models.WrongBackward), ROWS[0, :, :6])["weight"]
    assert str(one.view) == "channel"
    assert one.unexplained == ("gradient: it says none",)


def test_dead_slices_are_counted() -> None:
    net = seeded(lambda: nn.Sequential(conv(), nn.BatchNorm2d(8), nn.ReLU()))
    with torch.no_grad():
        net[1].weight[:] = torch.arange(1.0, 9.0) / 8
        net[1].bias[:] = torch.tensor([-1e3, -1e3, *[0.1] * 6])
    one = scan(net, IMAGES)["0.weight"]
    assert one.tested.silent == 2
    assert any("2 of 8 slices" in text for text in one.explained)


class Called(nn.Module):
    """A matrix, and a function of x and W x."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self._function = nn.Linear(24, 24, bias=False), function

    def forward(self, x: Tensor) -> Tensor:
        return self._function(x, self.layer(x))


def written_into(x: Tensor, y: Tensor) -> Tensor:
    y.add_(x)
    return functional.layer_norm(y, (24,))


def part_written_into(x: Tensor, y: Tensor) -> Tensor:
    y[..., :2].copy_(x[..., :2])
    return functional.layer_norm(y, (24,))


FUNCTIONS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str, str]] = {
    "a norm": (lambda x, y: functional.layer_norm(y, (24,)), "layer", "layer"),
    "heads": (lambda x, y: functional.rms_norm(y.view(5, 7, 4, 6).transpose(1, 2), (6,)), "head 4", "head 4"),
    "a constant beside it": (lambda x, y: functional.layer_norm((y + 1.0).abs(), (24,)), "none", "none"),
    "a constant before it": (lambda x, y: functional.layer_norm((1.0 - y).abs(), (24,)), "none", "none"),
    "its input beside it": (lambda x, y: functional.layer_norm(x + y, (24,)), "none", "none"),
    "twice itself": (lambda x, y: functional.layer_norm(2 * y + y, (24,)), "layer", "layer"),
    "written into": (written_into, "none", "–"),
    "written into a part": (part_written_into, "none", "–"),
    "written into and used on": (lambda x, y: functional.layer_norm(y.relu_() * 2, (24,)), "layer", "layer"),
    "used twice, written into": (lambda x, y: functional.layer_norm(y + y.add_(x), (24,)), "none", "–"),
    "the other is converted": (lambda x, y: functional.layer_norm(x.type_as(y) + y, (24,)), "none", "–"),
    "turned round": (lambda x, y: torch.tanh(y.mT), "none", "–"),
    "a product with its input": (lambda x, y: functional.layer_norm(x * y, (24,)), "layer", "layer"),
    "over itself": (lambda x, y: y / y.norm(), "layer", "–"),
    "what it divides": (lambda x, y: functional.layer_norm(1.0 / y, (24,)), "layer", "–"),
    "a sum of two shapes": (lambda x, y: functional.layer_norm(y + y[0], (24,)), "layer", "–"),
    "a product with a matrix": (lambda x, y: functional.layer_norm(y @ x.mT, (7,)), "layer", "layer"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_followed_or_not_answered(name: str) -> None:
    function, view, graph = FUNCTIONS[name]
    found = views(lambda: Called(function), ROWS)
    assert found["layer.weight"] == (view, view, graph)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: conv(8),
    "conv with bias": lambda: conv(8, bias=True),
    "depthwise": lambda: nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
    "batch": lambda: nn.BatchNorm2d(8),
    "instance": lambda: nn.InstanceNorm2d(8, affine=True),
    "group": lambda: nn.GroupNorm(2, 8),
    "rows": lambda: nn.LayerNorm(6),
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "pool": lambda: nn.AvgPool2d(3, 1, 1),
    "residual": lambda: models.Residual(conv(8)),
}


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_what_the_graph_proves_holds(names: list[str], seed: int) -> None:
    """Of any stack of layers: f is invariant wherever the graph says so, in that view or a finer one."""
    net = seeded(lambda: nn.Sequential(*(LAYERS[name]() for name in names), nn.Tanh()), seed)
    if not list(net.parameters()):
        return
    images = torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(seed))
    for one in scan(net, images).weights:
        if one.traced.view is None or one.view.kind in ("unused", "undecided"):
            continue
        if one.traced.view.invariant:
            assert one.view.parts % one.traced.view.parts == 0, one
            assert one.view.invariant, one
        elif one.traced.view.kind == "none":
            assert one.view.kind == "none", one


@pytest.mark.parametrize(
    ("blocks", "bottleneck", "invariant", "total"),
    [((2, 2, 2, 2), False, 11_166_912, 11_689_512), ((3, 4, 6, 3), True, 23_454_912, 25_557_032)],
    ids=["ResNet-18", "ResNet-50"],
)
def test_the_shares_of_the_paper(blocks: tuple[int, ...], bottleneck: bool, invariant: int, total: int) -> None:
    """§1: 95.53 % and 91.77 %. A narrow and short copy decides each kind of weight, the model itself counts."""
    small = seeded(lambda: resnets.resnet((1, 2, 1, 1), bottleneck=bottleneck, width=4, classes=5))
    kinds = kinds_of(scan(small, torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))))
    with torch.device("meta"):
        real = resnets.resnet(blocks, bottleneck=bottleneck)
    sizes = {name: p.numel() for name, p in real.named_parameters()}
    counted = sum(size for name, size in sizes.items() if kinds[key(name, real)] == {"channel"})
    assert (counted, sum(sizes.values())) == (invariant, total)
    assert set().union(*kinds.values()) == {"channel", "none"}


def kinds_of(found: Scan) -> dict[tuple[str, int], set[str]]:
    kinds: dict[tuple[str, int], set[str]] = {}
    for one in found.weights:
        assert not one.unexplained, one
        kinds.setdefault((pattern(one.name), len(one.shape)), set()).add(one.view.kind)
    return kinds


def key(name: str, model: nn.Module) -> tuple[str, int]:
    return pattern(name), model.get_parameter(name).dim()


def test_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scan(*models.two_blocks())
