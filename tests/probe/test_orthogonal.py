"""The sequential test on gradients: its densities, its error rates, and what carries no evidence."""

import math

import pytest
import torch
from torch import Tensor, nn

from tangency.probe import scan
from tangency.probe.orthogonal import PATIENCE, ROUNDS, _Cut, enough, log_ratio
from tangency.probe.view import SIGMA

COARSE = 0.25  # a σ at which both laws are seen within few rounds


def log_density(t: Tensor, length: int) -> Tensor:
    """The density of Beta(½, (d−1)/2)."""
    a, b = torch.tensor(0.5, dtype=t.dtype), torch.tensor((length - 1) / 2, dtype=t.dtype)
    constant = torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b)
    return constant - t.log() / 2 + (b - 1) * torch.log1p(-t)


@pytest.mark.parametrize("length", [2, 3, 9, 4608])
@pytest.mark.parametrize("sigma", [COARSE, SIGMA])
def test_the_ratio_times_one_density_is_the_other(length: int, sigma: float) -> None:
    """e·p = q, the density of σ² times a Beta number; there is nothing of it from σ² on."""
    x = torch.linspace(0.001, 0.999, 50, dtype=torch.float64)
    t = sigma**2 * x
    found = log_ratio(t, length, sigma) + log_density(t, length)
    assert torch.allclose(found, log_density(x, length) - 2 * math.log(sigma), rtol=1e-12, atol=1e-9)
    assert bool((log_ratio(sigma**2 + x, length, sigma) == -torch.inf).all())


def directions(rows: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """w·g, w·w and g·g of rows with gradients of random direction."""
    w, g = (torch.randn(rows, length, dtype=torch.float64, generator=generator) for _ in range(2))
    return (w * g).sum(1), (w * w).sum(1), (g * g).sum(1)


def run(rows: int, length: int, shrunk: slice, alpha: float, generator: torch.Generator) -> bool | None:
    """The test on rows with random gradients, those of ``shrunk`` with a cosine σ times as large."""
    cut = _Cut(rows, length, torch.zeros(rows, dtype=torch.float64), torch.zeros(rows, dtype=torch.int64))
    for t in range(ROUNDS):
        dots, ww, gg = directions(rows, length, generator)
        dots[shrunk] *= SIGMA
        cut.hear(dots, ww, gg, 0.0)
        cut.decide(alpha, alpha, late=t + 1 >= PATIENCE)
        if cut.accepted is not None:
            return cut.accepted
    return None


@pytest.mark.parametrize(("rows", "length"), [(1, 2), (1, 3), (4, 9), (2, 500)])
def test_the_error_rates_are_kept(rows: int, length: int) -> None:
    """At α = β = 5 %, in 400 runs each; at most 39 errors, which 20 expected ones exceed once in 30,000 times."""
    generator = torch.Generator().manual_seed(5)
    # All rows but one are invariant: the hardest that a view to be rejected can be.
    accepted = [run(rows, length, slice(1, None), 0.05, generator) for _ in range(400)]
    rejected = [run(rows, length, slice(None), 0.05, generator) for _ in range(400)]
    assert sum(one is True for one in accepted) <= 39
    assert sum(one is False for one in rejected) <= 39
    assert sum(one is False for one in accepted) > 350  # and it does decide
    assert sum(one is True for one in rejected) > 350


def test_an_exact_zero_is_accepted_in_the_least_number_of_rounds() -> None:
    for alpha in (0.05, 1e-6, 1e-12):
        cut = _Cut(3, 9, torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.int64))
        rounds = 0
        while cut.accepted is None:
            cut.hear(torch.zeros(3, dtype=torch.float64), torch.ones(3), torch.ones(3), 0.0)
            cut.decide(alpha, alpha, late=False)
            rounds += 1
        assert cut.accepted
        assert rounds in (enough(alpha) - 1, enough(alpha))


def test_rows_that_rounding_could_have_made_carry_no_evidence() -> None:
    cut = _Cut(2, 9, torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.int64))
    for t in range(PATIENCE):
        cut.hear(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]), torch.tensor([1.0, 1.0]), SIGMA * 2)
        cut.decide(0.01, 0.01, late=t + 1 >= PATIENCE)
    assert cut.accepted is None
    assert cut.heard.tolist() == [0, 0]


def test_the_rates_are_for_all_views_of_a_weight_together() -> None:
    """log₂ 1/α = 9.5 takes one round of evidence 2¹⁰ for one view, and two for the four views of 8 slices."""
    torch.manual_seed(0)
    net, batch = nn.Sequential(nn.Linear(9, 8, bias=False), nn.BatchNorm1d(8)), torch.randn(16, 9)
    one = scan(net, batch, alpha=2.0**-9.5, beta=2.0**-9.5)["0.weight"]
    assert (str(one.tested.view), one.tested.rounds) == ("channel", 2)


def test_smaller_rates_take_more_rounds() -> None:
    torch.manual_seed(0)
    net, batch = nn.Sequential(nn.Linear(9, 4, bias=False), nn.BatchNorm1d(4)), torch.randn(16, 9)
    rounds = [scan(net, batch, alpha=a, beta=a)["0.weight"].tested.rounds for a in (1e-2, 1e-6, 1e-12)]
    assert rounds == sorted(set(rounds))
