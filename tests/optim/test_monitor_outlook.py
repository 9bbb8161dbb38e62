"""What a ledger means for the rest of a run: equilibrium, and steps that shrink too early."""

import math

import pytest
import torch

from tangency.optim import SGDP, AdamP, Monitor
from tangency.optim.monitor.known import known
from tangency.optim.monitor.outlook import decay_for, equilibrium, limit_ratio


def tangent_run(make, steps, *, lr=lambda t: 1.0):
    """A weight under gradients of a fixed random rule that are orthogonal to it, as those of scale-invariant functions.

    ∇f(cw) = ∇f(w)/c (Eq. 4): each gradient is a tangent direction over ‖w‖.
    """
    generator = torch.Generator().manual_seed(0)
    w = torch.nn.Parameter(torch.randn(1, 400, dtype=torch.float64, generator=generator))
    optimizer = make([w])
    rate = optimizer.param_groups[0]["lr"]
    records = []
    monitor = Monitor(optimizer, every=1, out=records.append)
    for t in range(steps):
        x = torch.randn(w.shape, dtype=torch.float64, generator=generator)
        with torch.no_grad():
            w.grad = (x - (x * w).sum() / w.square().sum() * w) / w.norm()
        optimizer.param_groups[0]["lr"] = rate * lr(t)
        optimizer.step()
    assert monitor.failure is None
    return [record.weights["group0.0"] for record in records]


def test_a_projected_step_at_a_stationary_norm_turns_by_the_angle_said():
    """cos θ = 1 − ηλr, where ‖w'‖ = ‖w‖: the norm is set so that one step keeps it."""
    for make in (
        lambda p: SGDP(p, lr=0.5, momentum=0.5, weight_decay=0.25, wd_ratio=0.5),
        lambda p: AdamP(p, lr=0.5, betas=(0.5, 0.9), weight_decay=0.25, wd_ratio=0.5),
    ):
        w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
        optimizer = make([w])
        group = known(optimizer.param_groups[0], 0.1)
        theta = equilibrium(group, 0.5, projected=True)
        assert theta is not None
        # ‖w'‖² = s²‖w‖² + η²‖q‖² = ‖w‖² for η‖q‖ = ‖w‖√(1 − s²), with s = cos θ.
        size = 5 * math.sin(theta) / 0.5
        w.grad = size * torch.tensor([[-0.8, 0.6]], dtype=torch.float64)
        if isinstance(optimizer, AdamP):
            # Its first update has entries ±1; the norm of w that fits is another one.
            update = torch.tensor([-1.0, 1.0], dtype=torch.float64)
            unit = torch.tensor([0.6, 0.8], dtype=torch.float64)
            q = update - (update @ unit) * unit
            with torch.no_grad():
                w.copy_((unit * 0.5 * q.norm() / math.sin(theta)).reshape(1, 2))
        monitor = Monitor(optimizer, every=1)
        optimizer.step()
        (terms,) = monitor.last.weights["group0.0"].page.terms
        assert terms.growth == pytest.approx(0, abs=1e-7 * terms.norm**2)  # AdamP's ε
        assert terms.angle == pytest.approx(theta, rel=1e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
        lambda p: SGDP(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        lambda p: AdamP(p, lr=0.01, weight_decay=5.0),
    ],
    ids=["SGD", "AdamW", "SGDP", "AdamP"],
)
def test_a_long_run_under_decay_ends_at_the_angle_said(make):
    """Within sampling: the mean of 200 angles, each of a random gradient in 400 dimensions, and first order in ηλ."""
    weights = tangent_run(make, 1500)
    angles = [weight.page.terms[0].angle for weight in weights[-200:]]
    assert sum(angles) / len(angles) == pytest.approx(weights[-1].equilibrium, rel=0.05)


@pytest.mark.parametrize("adaptive", [False, True])
def test_where_a_step_changes_neither_the_norm_nor_the_buffers_product_the_angle_is_the_one_said(adaptive):
    """Two dimensions suffice: w = (1, 0), a buffer p with the stationary ⟨w, p⟩, and the size that keeps the norm."""
    lr, decay, beta = 0.25, 0.5, 0.75
    w = torch.nn.Parameter(torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    if adaptive:
        # One denominator: of a step of AdamW with m given, √v + eps = 1 in every entry.
        optimizer = torch.optim.AdamW([w], lr=lr, betas=(beta, 0.0), eps=1.0, weight_decay=decay)
        s = 1 - lr * decay
        size = (1 - s * s) * (1 - beta * s) / (1 + beta * s) / lr**2
        along = -beta * lr * size / (1 - beta * s)
    else:
        optimizer = torch.optim.SGD([w], lr=lr, momentum=beta, weight_decay=decay)
        size = 2 * lr * decay / (1 + beta) / lr**2
        along = lr * size / 2
    update = torch.tensor([along, math.sqrt(size - along * along)], dtype=torch.float64)
    after = (1 - lr * decay) * w[0].detach() - lr * update if adaptive else w[0].detach() - lr * update
    theta = equilibrium(known(optimizer.param_groups[0], 0.1), lr, projected=False)
    assert after.norm().item() == pytest.approx(1, rel=1e-12)
    assert math.acos(after[0].item()) == pytest.approx(theta, rel=1e-9)
    # And the product with the next buffer is that with this one, for any next gradient orthogonal to w'.
    following = beta * update @ after if adaptive else beta * update @ after + decay * after @ after
    assert following.item() == pytest.approx(along, rel=1e-9)


def test_the_ratio_at_which_adamp_turns_weights_as_adamw_does():
    lr, decay, beta = 0.1, 0.3, 0.9
    adamw = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2, 2))], lr=lr, betas=(beta, 0.999), weight_decay=decay)
    ratio = (1 - beta) / (1 + beta * (1 - lr * decay))
    adamp = AdamP([torch.nn.Parameter(torch.ones(2, 2))], lr=lr, weight_decay=decay, wd_ratio=ratio)
    angles = [
        equilibrium(known(optimizer.param_groups[0], 0.1), lr, projected)
        for optimizer, projected in ((adamw, False), (adamp, True))
    ]
    assert angles[0] == pytest.approx(angles[1], rel=1e-12)


def test_there_is_no_equilibrium_without_decay_or_without_a_law():
    p = [torch.nn.Parameter(torch.ones(2, 2))]
    for optimizer in (
        torch.optim.SGD(p, lr=0.1),
        torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        torch.optim.Adam(p, weight_decay=0.1),
        torch.optim.RMSprop(p, weight_decay=0.1),
    ):
        assert equilibrium(known(optimizer.param_groups[0], 0.1), 0.1, projected=False) is None
    assert equilibrium(known(SGDP(p, lr=0.1).param_groups[0], 0.1), 0.1, projected=True) is None


@pytest.mark.parametrize(
    ("make", "projected"),
    [
        (lambda p, decay: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=decay), False),
        (lambda p, decay: torch.optim.AdamW(p, lr=0.1, weight_decay=decay), False),
        (lambda p, decay: SGDP(p, lr=0.1, momentum=0.9, weight_decay=decay), True),
        (lambda p, decay: AdamP(p, lr=0.1, weight_decay=decay), True),
    ],
)
def test_the_decay_that_restores_an_angle_is_the_inverse_of_the_law(make, projected):
    def group(decay):
        return known(make([torch.nn.Parameter(torch.ones(2, 2))], decay).param_groups[0], 0.1)

    decay = decay_for(group(0.0), 0.1, 0.05)
    assert equilibrium(group(decay), 0.1, projected) == pytest.approx(0.05, rel=1e-9)


def test_momentum_shrinks_steps_too_early_and_projection_does_not():
    make = {
        "momentum": lambda p: torch.optim.SGD(p, lr=2.0, momentum=0.9),
        "none": lambda p: torch.optim.SGD(p, lr=2.0),
        "projected": lambda p: SGDP(p, lr=2.0, momentum=0.9),
    }
    flagged = {name: tangent_run(one, 200)[-1] for name, one in make.items()}
    (early,) = flagged["momentum"].premature
    assert flagged["momentum"].growth_ratio[0] > 10
    assert early["fell_to"] < 0.5
    assert early["by_norm"] > 0.5
    # The steps restored: the factor undoes what the norm took.
    norms = [flagged["momentum"].page.terms[0].norm, 20.0]
    assert early["lr_times"] > 1
    assert norms[0] > norms[1]
    assert flagged["none"].premature == flagged["projected"].premature == (None,)
    assert flagged["projected"].growth_ratio[0] == pytest.approx(1, abs=1e-9)


def test_a_step_size_that_is_scheduled_down_is_not_blamed_on_the_norm():
    weights = tangent_run(lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9), 60, lr=lambda t: 0.9**t)
    assert weights[-1].page.terms[0].effective_step < 0.1 * weights[10].page.terms[0].effective_step
    assert weights[-1].premature == (None,)


def test_the_limit_of_corollary_2_3():
    p = [torch.nn.Parameter(torch.ones(2, 2))]
    assert limit_ratio(known(torch.optim.SGD(p, lr=0.1, momentum=0.5).param_groups[0], 0.1)) == 3
    assert limit_ratio(known(torch.optim.Adam(p).param_groups[0], 0.1)) is None
