"""State: saved, loaded, copied and pickled; taken over from the published package and from torch.optim."""

import copy
import io
import pickle

import pytest
import torch
from optim_paths import on_every_path
from optim_reference import assert_same_steps, assert_within, spec

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "weight_decay": 0.25, **more}),
}
both = on_every_path(OPTIMIZERS)

W = torch.tensor([[1.0, 2.0, 2.0, -1.0], [3.0, -1.0, 0.5, 2.0]])
GRADS = [torch.tensor([[2.0, 1.0, -1.5, 1.0], [1.0, 1.0, 4.0, -2.0]]), W.flip(1) * 0.375, W.flip(0) - 1.25, W * 0.3]


def advance(optimizer, p, grads):
    for g in grads:
        p.grad = g.to(p.dtype)
        optimizer.step()


def through_a_file(state):
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64], ids=str)
@pytest.mark.parametrize("saved", [through_a_file, copy.deepcopy, lambda state: state])
def test_a_loaded_state_continues_bit_for_bit(make, dtype, saved):
    p = torch.nn.Parameter(W.to(dtype))
    optimizer = make([p])
    advance(optimizer, p, GRADS[:2])
    twin = torch.nn.Parameter(p.detach().clone())
    other = make([twin], lr=7.0, delta=0.5)
    other.load_state_dict(saved(optimizer.state_dict()))
    # The original goes on first: a state that both share would be moved twice.
    advance(optimizer, p, GRADS[2:])
    advance(other, twin, GRADS[2:])
    assert torch.equal(p, twin)
    for name, value in optimizer.state[p].items():
        assert torch.equal(other.state[twin][name], value)
        assert other.state[twin][name].dtype == value.dtype


@both
@pytest.mark.parametrize("how", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_continues_bit_for_bit(make, how):
    p = torch.nn.Parameter(W.clone())
    optimizer = make([p], maximize=True)
    advance(optimizer, p, GRADS[:2])
    other, twin = how((optimizer, p))
    assert other.param_groups[0]["params"][0] is twin
    seen = []
    other.register_step_post_hook(lambda *_: seen.append(1))
    advance(optimizer, p, GRADS[2:])
    advance(other, twin, GRADS[2:])
    assert torch.equal(p, twin)
    assert seen == [1, 1]
    other.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})


def test_a_pickled_sgdp_without_a_default_lr_still_asks_for_one():
    optimizer = SGDP([{"params": [torch.nn.Parameter(torch.ones(2))], "lr": 0.1}])
    other = pickle.loads(pickle.dumps(optimizer))
    with pytest.raises(ValueError, match="lr must be given"):
        other.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})


def test_state_names():
    for make, names in [("SGDP", ["momentum_buffer"]), ("AdamP", ["step", "exp_avg", "exp_avg_sq"])]:
        p = torch.nn.Parameter(W.clone())
        optimizer = OPTIMIZERS[make]([p])
        assert optimizer.state_dict()["state"] == {}
        advance(optimizer, p, GRADS)
        assert list(optimizer.state_dict()["state"][0]) == names


@both
def test_state_keeps_the_layout_of_its_parameter(make):
    p = torch.nn.Parameter(W.reshape(2, 2, 2, 1).clone(memory_format=torch.channels_last))
    optimizer = make([p])
    advance(optimizer, p, [GRADS[0].reshape(2, 2, 2, 1)])
    for name, value in optimizer.state[p].items():
        assert name == "step" or value.stride() == p.stride()


def test_capturable_keeps_the_counter_on_the_parameters_device():
    # The meta device stands in for an accelerator: it needs none, and it is not the CPU.
    p = torch.nn.Parameter(torch.empty(2, 3, device="meta"))
    p.grad = torch.empty(2, 3, device="meta")
    optimizer = AdamP([p], capturable=True)
    optimizer.step()
    assert optimizer.state[p]["step"].device.type == "meta"
    assert optimizer.state[p]["step"].dtype == torch.float32


def published():
    """The published package, or a skip: it is a reference and no dependency."""
    return pytest.importorskip("adamp", reason="the published adamp package is not installed")


PUBLISHED = {
    "SGDP": {"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, "eps": 0.0},
    "AdamP": {"lr": 0.125, "weight_decay": 0.25, "eps": 0.0},
}


def exact_steps(name, **more):
    """The steps of the specification, which has no ε in its norms."""
    hyper = {**PUBLISHED[name], **more}
    if name == "SGDP":
        del hyper["eps"]
    return spec(name.lower(), W.numpy(), [g.numpy() for g in GRADS], **hyper)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("name", PUBLISHED)
def test_steps_agree_with_the_published_package(name, nesterov):
    theirs_p, ours_p = (torch.nn.Parameter(W.double()) for _ in range(2))
    # Its ε only guards norms here; at ordinary magnitudes and ε = 0 both compute the same formulas.
    theirs = getattr(published(), name)([theirs_p], nesterov=nesterov, **PUBLISHED[name])
    ours = {"SGDP": SGDP, "AdamP": AdamP}[name]([ours_p], nesterov=nesterov, **PUBLISHED[name])
    for g, step in zip(GRADS, exact_steps(name, nesterov=nesterov), strict=True):
        advance(theirs, theirs_p, [g.clone()])
        advance(ours, ours_p, [g.clone()])
        assert_within(theirs_p.detach(), step.w)
        assert_within(ours_p.detach(), step.w)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_state_of_the_published_package_is_taken_over(name):
    p = torch.nn.Parameter(W.double())
    theirs = getattr(published(), name)([p], **PUBLISHED[name])
    advance(theirs, p, GRADS[:2])
    twin = torch.nn.Parameter(p.detach().clone())
    ours = OPTIMIZERS[name]([twin], lr=1.0, differentiable=False)
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
    group = ours.param_groups[0]
    assert {option: group[option] for option in PUBLISHED[name]} == PUBLISHED[name]
    assert (group["maximize"], group["foreach"], group["capturable"]) == (False, None, False)
    state = ours.state[twin]
    assert set(state) == ({"momentum_buffer"} if name == "SGDP" else {"step", "exp_avg", "exp_avg_sq"})
    if name == "AdamP":
        assert (state["step"].dtype, state["step"].item()) == (torch.float32, 2.0)
    advance(theirs, p, GRADS[2:])
    advance(ours, twin, GRADS[2:])
    *_, last = exact_steps(name)
    assert_within(twin.detach(), last.w)


def test_switches_missing_from_a_loaded_group_stay_as_they_were_chosen():
    p = torch.nn.Parameter(W.clone())
    optimizer = SGDP([p], lr=0.1, maximize=True)
    state = optimizer.state_dict()
    del state["param_groups"][0]["maximize"]
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["maximize"] is True


@pytest.mark.parametrize(
    ("theirs", "name"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, foreach=False), "SGDP"),
        (lambda p: torch.optim.SGD(p, lr=0.1, foreach=False), "SGDP"),
        (lambda p: torch.optim.AdamW(p, lr=0.1, foreach=False), "AdamP"),
    ],
)
def test_a_state_of_torch_optim_is_taken_over(theirs, name):
    p, twin = (torch.nn.Parameter(W[0].clone()) for _ in range(2))
    theirs = theirs([p])
    advance(theirs, p, [g[0] for g in GRADS[:2]])
    with torch.no_grad():
        twin.copy_(p)
    ours = OPTIMIZERS[name]([twin])
    ours.load_state_dict(theirs.state_dict())
    advance(theirs, p, [g[0] for g in GRADS[2:]])
    advance(ours, twin, [g[0] for g in GRADS[2:]])
    assert_same_steps(p.detach(), twin.detach(), len(GRADS))


def test_a_buffer_that_torch_saved_as_none_is_made_when_momentum_comes():
    p = torch.nn.Parameter(W.clone())
    theirs = torch.optim.SGD([p], lr=0.1, foreach=False)
    advance(theirs, p, GRADS[:1])
    state = theirs.state_dict()
    state["state"] = {0: {"momentum_buffer": None}}
    ours = SGDP([p], lr=0.1)
    ours.load_state_dict(state)
    ours.param_groups[0]["momentum"] = 0.5
    advance(ours, p, GRADS[1:2])
    assert torch.equal(ours.state[p]["momentum_buffer"], GRADS[1])


@pytest.mark.parametrize("path", ["foreach", "fused"])
def test_the_path_of_a_loaded_group_is_taken_over(path, monkeypatch):
    p = torch.nn.Parameter(W[0].clone())
    theirs = torch.optim.SGD([p], lr=0.1, momentum=0.9, **{path: True})
    advance(theirs, p, [g[0] for g in GRADS[:2]])
    twin = torch.nn.Parameter(p.detach().clone())
    ours = SGDP([twin], lr=0.5)
    ours.load_state_dict(theirs.state_dict())
    monkeypatch.setattr(SGDP, "_one_by_one", None)
    advance(theirs, p, [g[0] for g in GRADS[2:]])
    advance(ours, twin, [g[0] for g in GRADS[2:]])
    assert_same_steps(p.detach(), twin.detach(), len(GRADS))


def test_a_loaded_group_whose_paths_exclude_each_other_is_refused_and_changes_nothing():
    p = torch.nn.Parameter(W.clone())
    theirs, ours = SGDP([p], lr=0.1), SGDP([p], lr=0.5)
    state = theirs.state_dict()
    state["param_groups"][0].update(foreach=True, fused=True)
    with pytest.raises(RuntimeError, match="foreach and fused cannot be True together"):
        ours.load_state_dict(state)
    assert ours.param_groups[0]["lr"] == 0.5
