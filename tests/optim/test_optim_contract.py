"""What a torch user expects of an optimizer: closures, schedulers, hooks, groups, GradScaler, tensor learning rates."""

import pytest
import torch
from optim_paths import on_every_path
from torch.optim import lr_scheduler

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, lr=0.125, **more: SGDP(p, lr=lr, momentum=0.75, **more),
    "AdamP": lambda p, lr=0.125, **more: AdamP(p, lr=lr, **more),
}
pytestmark = on_every_path(OPTIMIZERS)

W = torch.tensor([[1.0, 2.0, 2.0, -1.0], [3.0, -1.0, 0.5, 2.0]])
G = torch.tensor([[2.0, 1.0, -2.0, 0.0], [1.0, 1.0, 4.0, -2.0]])


def parameter(g=G):
    p = torch.nn.Parameter(W.clone())
    p.grad = g.clone()
    return p


def test_it_is_a_torch_optimizer_that_steps_in_place(make):
    p = parameter()
    optimizer = make([p])
    address = p.data_ptr()
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert optimizer.step() is None
    assert p.data_ptr() == address
    assert p.grad_fn is None
    assert p.requires_grad
    assert all(not value.requires_grad for value in optimizer.state[p].values())


def test_autograd_sees_that_a_step_changes_weights(make):
    p = parameter()
    optimizer = make([p])
    loss = (p**2).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_inference_tensors_step_too(make):
    with torch.inference_mode():
        p = W.clone()
        p.grad = G.clone()
        make([p]).step()
    assert not torch.equal(p, W)


def test_a_closure_runs_with_gradients_and_its_loss_is_returned(make):
    p, twin = parameter(), parameter()
    optimizer = make([p])
    losses = []

    def closure():
        assert torch.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * G).sum()
        loss.backward()
        losses.append(loss)
        return loss

    with torch.no_grad():
        assert optimizer.step(closure) is losses[0]
    assert len(losses) == 1
    make([twin]).step()
    assert torch.equal(p, twin)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(make, set_to_none):
    p = parameter()
    make([p]).zero_grad(set_to_none=set_to_none)
    assert p.grad is None if set_to_none else not p.grad.any()


def test_a_zero_gradient_still_steps_and_none_does_not(make):
    p = parameter()
    optimizer = make([p])
    optimizer.step()
    after = p.detach().clone()
    optimizer.zero_grad()
    optimizer.step()
    assert torch.equal(p, after)
    p.grad = torch.zeros_like(p)
    optimizer.step()
    assert not torch.equal(p, after)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_tensor_learning_rate(make, shape):
    p, twin = parameter(), parameter()
    lr = torch.full(shape, 0.125)
    optimizer, reference = make([p], lr=lr, weight_decay=0.25), make([twin], lr=0.125, weight_decay=0.25)
    for factor in (1.0, 2.0):
        lr.fill_(0.125 * factor)
        reference.param_groups[0]["lr"] = 0.125 * factor
        optimizer.step()
        reference.step()
        assert torch.equal(p, twin)
    assert optimizer.param_groups[0]["lr"] is lr


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("weights", [1.5, [1.5, -2.0]])
def test_a_tensor_learning_rate_does_not_change_the_shape_of_small_parameters(make, shape, weights):
    p, twin = (torch.nn.Parameter(torch.tensor(weights)) for _ in range(2))
    p.grad, twin.grad = torch.ones_like(p), torch.ones_like(p)
    make([p], lr=torch.full(shape, 0.125)).step()
    make([twin]).step()
    assert p.shape == twin.shape
    assert torch.equal(p, twin)


@pytest.mark.parametrize("tensor", [False, True])
def test_a_scheduled_learning_rate(make, tensor):
    p, twin = parameter(), parameter()
    optimizer = make([p], lr=torch.tensor(0.5) if tensor else 0.5)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    reference = make([twin], lr=0.5)
    for t in range(3):
        reference.param_groups[0]["lr"] = 0.5**t * 0.5
        optimizer.step()
        scheduler.step()
        reference.step()
        assert torch.equal(p, twin)


def test_one_cycle_changes_the_momentum_too(make):
    p, twin = parameter(), parameter()
    optimizer, reference = make([p]), make([twin])
    scheduler = lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, total_steps=4, base_momentum=0.5, max_momentum=0.875, cycle_momentum=True
    )
    seen = set()
    for _ in range(4):
        group = optimizer.param_groups[0]
        for name in ("lr", "momentum", "betas"):
            if name in group:
                reference.param_groups[0][name] = group[name]
        seen.add(group["betas"][0] if "betas" in group else group["momentum"])
        optimizer.step()
        reference.step()
        assert torch.equal(p, twin)
        if scheduler.last_epoch < 3:
            scheduler.step()
    assert len(seen) > 2


def test_groups_have_their_own_options(make):
    first, second, third = (parameter(G + W) for _ in range(3))
    optimizer = make([{"params": [first]}, {"params": [second], "lr": 0.5, "weight_decay": 0.25}])
    optimizer.add_param_group({"params": third, "delta": 2.0})
    optimizer.step()
    for p, more in [(first, {}), (second, {"lr": 0.5, "weight_decay": 0.25}), (third, {"delta": 2.0})]:
        twin = parameter(G + W)
        make([twin], **more).step()
        assert torch.equal(p, twin)
    assert not torch.equal(first, third)


def test_named_parameters(make):
    model = torch.nn.Linear(3, 2)
    optimizer = make(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]


def test_step_hooks_run_once_each(make):
    p = parameter()
    optimizer = make([p])
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", p.detach().clone())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", p.detach().clone())))
    optimizer.step()
    assert [name for name, _ in seen] == ["before", "after"]
    assert torch.equal(seen[0][1], W)
    assert torch.equal(seen[1][1], p)
    before.remove()
    optimizer.step()
    assert [name for name, _ in seen] == ["before", "after", "after"]


def test_a_subclass_steps_as_its_base_does(make):
    p, twin = parameter(), parameter()
    base = make([twin])
    derived = type("Derived", (type(base),), {})([p], **{"lr": 0.125, **base.defaults})
    seen = []
    derived.register_step_post_hook(lambda *_: seen.append(1))
    derived.step()
    base.step()
    assert torch.equal(p, twin)
    assert seen == [1]


def test_a_gradient_scaler_unscales_and_skips_overflow(make):
    p, twin = parameter(), parameter()
    optimizer, reference = make([p]), make([twin])
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer.zero_grad()
    scaler.scale((p * G).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    reference.step()
    assert torch.equal(p, twin)
    optimizer.zero_grad()
    scaler.scale((p * G).sum() * float("inf")).backward()
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(p, twin)
    assert scaler.get_scale() == 512.0


def test_a_model_trains(make):
    x = torch.linspace(-1, 1, 24).reshape(8, 3)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 1))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.linspace(-0.5, 0.75, p.numel()).reshape(p.shape))
    optimizer = make(model.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = ((model(x) - x.pow(2).sum(1, keepdim=True)) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_repr_names_class_and_options(make):
    text = repr(make([parameter()]))
    assert "weight_decay: 0" in text
    assert text.startswith(("SGDP", "AdamP"))
