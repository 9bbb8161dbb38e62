"""The lists: many tensors step as they do one by one, in a number of operations that does not grow with theirs."""

import pytest
import torch
from optim_reference import assert_same_steps
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from tangency.optim import SGDP, AdamP, foreach

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "SGDP without momentum": lambda p, **more: SGDP(p, **{"lr": 0.125, **more}),
    "SGDP, dampened": lambda p, **more: SGDP(p, **{"lr": 0.125, "dampening": 0.5, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "betas": (0.5, 0.75), "weight_decay": 0.25, **more}),
    "AdamP, Nesterov": lambda p, **more: AdamP(p, **{"lr": 0.125, "nesterov": True, "maximize": True, **more}),
}
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)

ROWS = torch.tensor([[1.0, 2.0, 2.0], [3.0, -1.0, 0.5], [-2.0, 0.25, 1.0], [0.5, 0.5, -4.0]])
TURNED = torch.tensor([[2.0, 1.0, -2.0], [1.0, 1.0, -4.0], [1.0, 4.0, 1.0], [4.0, 4.0, 1.0]])
"""Orthogonal to ROWS, row by row."""


def pairs(dtype=torch.float64):
    """Weights and gradients that project by channel, by layer and not at all, of many rows and few, and vectors."""
    layer = torch.zeros(2, 3)
    layer[0, 0], layer[1, 1] = 1.0, 1.0
    dead = TURNED.clone()
    dead[1] = 0.0
    found = [(ROWS[:n], TURNED[:n]) for n in (1, 2, 4)]
    found += [(ROWS[:2], layer), (ROWS, ROWS + 0.5), (ROWS[0], TURNED[0]), (ROWS[0, 0], TURNED[0, 0]), (ROWS, dead)]
    # 136 rows stand with up to 2047 others, 4 with up to 7.
    found += [(ROWS.repeat(34, 1), TURNED.repeat(34, 1)), (ROWS.repeat(1, 2), TURNED.repeat(1, 2))]
    found += [(ROWS.repeat(36, 1), ROWS.repeat(36, 1) - 1), (ROWS[:, :0], TURNED[:, :0])]
    found += [(ROWS.reshape(2, 2, 3, 1), TURNED.reshape(2, 2, 3, 1))]
    found += [(x.transpose(0, 1), y.transpose(0, 1)) for x, y in [(ROWS, ROWS), (TURNED[:, :2], ROWS[:, :2])]]
    return [(w.to(dtype), g.to(dtype)) for w, g in found]


def parameters(given, wrap=torch.nn.Parameter):
    """Parameters of their own, with gradients."""
    made = []
    for w, g in given:
        p = wrap(w.clone(memory_format=torch.preserve_format))
        p.grad = g.clone(memory_format=torch.preserve_format)
        made.append(p)
    return made


def assert_steps_as_the_loop(make, given, steps=3, late=()):
    """Run both paths on the same problem; parameters in `late` have no gradient in the first step."""
    together, apart = parameters(given), parameters(given)
    lists, loop = make(together, foreach=True), make(apart, foreach=False)
    for t in range(steps):
        for i, (p, twin) in enumerate(zip(together, apart, strict=True)):
            g = given[i][1] if t % 2 == 0 else given[i][1].flip(0) if given[i][1].dim() else given[i][1]
            p.grad, twin.grad = (None, None) if t == 0 and i in late else (g.clone(), g.clone())
        lists.step()
        loop.step()
    for p, twin in zip(together, apart, strict=True):
        assert_same_steps(
            torch.view_as_real(p.detach()) if p.is_complex() else p.detach(),
            torch.view_as_real(twin.detach()) if p.is_complex() else twin.detach(),
            steps,
        )
        for name, value in loop.state.get(twin, {}).items():
            same = lists.state[p][name]
            assert (same.shape, same.dtype, same.stride()) == (value.shape, value.dtype, value.stride())
            if name == "step":
                assert torch.equal(same, value)
            elif not p.is_complex():
                assert_same_steps(same, value, steps)


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_many_tensors_step_as_one_by_one(make, dtype):
    assert_steps_as_the_loop(make, pairs(dtype))


@every
def test_dtypes_and_late_gradients_mix(make):
    mixed = [*pairs(torch.float64), *pairs(torch.bfloat16), *pairs(torch.float32)]
    mixed += [(torch.complex(w, g), torch.complex(g, w + 1)) for w, g in pairs(torch.float32)[:8]]
    assert_steps_as_the_loop(make, mixed, late=range(0, len(mixed), 3))


@every
def test_a_batch_that_is_full_is_followed_by_another(make, monkeypatch):
    monkeypatch.setattr(foreach, "BATCH", 20)
    assert_steps_as_the_loop(make, pairs())


@every
def test_each_tensor_is_decided_by_its_own_rows(make):
    """One tensor that is not projected, or not a number, changes nothing for its neighbours of the same shape."""
    bad = ROWS.clone()
    bad[0, 0] = float("nan")
    given = [(ROWS, TURNED), (ROWS, ROWS), (bad, TURNED), (ROWS, TURNED)]
    together = parameters(given)
    make(together, foreach=True).step()
    for p, pair in zip(together, given, strict=True):
        (alone,) = parameters([pair])
        make([alone], foreach=True).step()
        assert torch.equal(p.nan_to_num(7.0), alone.nan_to_num(7.0))
    assert together[2].isnan().sum() == 1


class Operations(TorchDispatchMode):
    """Counts what a step dispatches, views left out: on a GPU each is one launch or a few."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def operations(make, given, **more):
    optimizer = make(parameters(given), **more)
    optimizer.step()
    with Operations() as counted:
        optimizer.step()
    return counted.count


@every
def test_the_number_of_operations_does_not_grow_with_the_number_of_tensors(make):
    given = pairs()
    few, many = (operations(make, given * times, foreach=True) for times in (1, 8))
    assert few == many
    assert operations(make, given * 8, foreach=False) > 10 * many


@every
def test_the_lists_read_no_value(make):
    # A fake tensor has no values: a Python branch on one, or .item(), raises DataDependentOutputException.
    with FakeTensorMode():
        params = [torch.empty(4, 3, 2), torch.empty(3)]
        for p in params:
            p.grad = torch.empty_like(p)
        optimizer = make(params, lr=torch.tensor(0.5), capturable=True)
        (group,) = optimizer.param_groups
        for _ in range(2):
            members, grads, states = [], [], tuple([] for _ in optimizer.state_names)
            optimizer._init_group(group, members, grads, *states)
            foreach.step(optimizer._rule(group), group["lr"], members, grads, states)


class Own(torch.Tensor):
    """A subclass, which torch's lists do not take."""


@every
def test_a_subclass_of_tensor_is_stepped_by_the_loop(make, monkeypatch):
    given = pairs()
    alone = []
    cls = type(make(parameters(given)))
    loop = cls._one_by_one

    def record(self, group, params, *lists):
        alone.extend(params)
        loop(self, group, params, *lists)

    monkeypatch.setattr(cls, "_one_by_one", record)
    plain, own = parameters(given), parameters(given, lambda w: w.as_subclass(Own).requires_grad_())
    mixed = [p for pair in zip(plain, own, strict=True) for p in pair]
    make(mixed, foreach=True).step()
    assert len(alone) == len(own)
    assert all(type(p) is Own for p in alone)
    for p, twin in zip(own, plain, strict=True):
        assert_same_steps(p.detach().as_subclass(torch.Tensor), twin.detach(), 1)
