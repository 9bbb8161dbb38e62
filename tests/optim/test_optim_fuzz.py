"""Optimizers driven at random through steps, loads, resizes and slips: no byte outside of their tensors is touched, the
three paths agree on step or error, and an error changes nothing."""

from __future__ import annotations

import copy
import ctypes
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from guarded_memory import Guarded, needs_guards
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from optim_paths import PATHS
from optim_reference import assert_same_steps, is_decided

from tangency.optim import SGDP, AdamP

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64)
SHAPES = ((4, 3), (3, 4), (1, 3), (6, 2), (2, 3, 2), (12,), (), (5, 1), (0, 3), (2, 3, 2, 2))
OPTIMIZERS = {
    "SGDP": lambda groups, **more: SGDP(groups, lr=0.125, momentum=0.75, weight_decay=0.25, **more),
    "SGDP without momentum": lambda groups, **more: SGDP(groups, lr=0.125, **more),
    "AdamP": lambda groups, **more: AdamP(groups, lr=0.125, weight_decay=0.25, **more),
}
GOOD_OPTIONS = {
    "lr": (0.125, 0.5, 0.0, torch.tensor(0.25), torch.tensor([0.25], dtype=torch.float64)),
    "weight_decay": (0.0, 0.25),
    "delta": (0.1, 0.0, 8.0, 1e300),
    "wd_ratio": (0.1, 0.0, 1.0),
    "nesterov": (False, True),
    "maximize": (False, True),
}
BAD_OPTIONS = {
    "lr": (-1.0, math.nan, 1e300, "1", None, torch.ones(2), torch.tensor(3)),
    "weight_decay": (-1.0, math.inf, 1e308),
    "delta": (math.nan, -0.1),
    "wd_ratio": (1.5,),
    "nesterov": (1,),
    "differentiable": ("no",),
}


def emptied(x):
    x = x.clone()
    x.untyped_storage().resize_(0)
    return x


# What may have become of a tensor.
SLIPS = {
    "half as long": lambda x: x.reshape(-1)[: x.numel() // 2].clone(),
    "twice as long": lambda x: torch.cat([x.reshape(-1)] * 2),
    "transposed": lambda x: x.t().clone() if x.dim() == 2 else x.reshape(1, -1).clone(),
    "flat": lambda x: x.reshape(-1).clone(),
    "one row": lambda x: x[:1].clone() if x.dim() else x.reshape(1),
    "scalar": lambda x: x.sum(),
    "no memory": emptied,
    "integers": lambda x: torch.ones(x.shape, dtype=torch.int64),
    "another dtype": lambda x: x.to(torch.float64 if not x.is_complex() else torch.complex128),
    "shared memory": lambda x: x.reshape(-1)[:1].clone().expand(x.shape) if x.numel() > 1 else x,
}


def readable(x):
    return x.layout is torch.strided and x.device.type == "cpu" and x.untyped_storage().nbytes() > 0


def numbers(shape, dtype, seed):
    """Small numbers that no dtype here rounds, none of them 0."""
    count = math.prod(shape) * (2 if dtype.is_complex else 1)
    flat = torch.tensor([((seed + 1) * (7 * i + 3) % 31 - 15.5) / 8 for i in range(count)], dtype=torch.float64)
    if dtype.is_complex:
        return torch.view_as_complex(flat.reshape(-1, 2)).reshape(shape).to(dtype)
    return flat.reshape(shape).to(dtype)


def held(optimizer):
    """Everything that a step might change, comparable."""
    found = []
    for group in optimizer.param_groups:
        found.append({name: repr(value) for name, value in group.items() if name != "params"})
        for p in group["params"]:
            for name, x in {"": p, "grad": p.grad, **optimizer.state.get(p, {})}.items():
                told = name, type(x), getattr(x, "shape", None), getattr(x, "dtype", None)
                stored = isinstance(x, torch.Tensor) and x.device.type == "cpu"
                found.append((told, bytes(x.untyped_storage().tolist()) if stored else repr(x)))
    return found


class Twins(RuleBasedStateMachine):
    """Three optimizers, one on each path, to which the same happens."""

    @initialize(
        name=st.sampled_from(sorted(OPTIMIZERS)),
        kinds=st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from(DTYPES)), min_size=1, max_size=4),
        at_end=st.booleans(),
        groups=st.integers(1, 2),
    )
    def make(self, name, kinds, at_end, groups):
        self.memory, self.at_end = Guarded(), at_end
        self.twins, self.saved = [], None
        for path in PATHS.values():
            params = [torch.nn.Parameter(self.guarded(numbers(*kind, i))) for i, kind in enumerate(kinds)]
            parts = [params[k::groups] for k in range(groups)]
            optimizer = OPTIMIZERS[name]([{"params": part} for part in parts if part], **path)
            self.twins.append((optimizer, params))
        for i in range(len(kinds)):
            self.give_a_gradient(i, i)

    def guarded(self, x):
        return self.memory(x, at_end=self.at_end)

    def each(self, i):
        """Parameter i of every twin, with its optimizer."""
        return [(optimizer, params[i % len(params)]) for optimizer, params in self.twins]

    # What goes on in training.

    @rule(i=st.integers(0, 3), seed=st.integers(0, 50))
    def give_a_gradient(self, i, seed):
        for _, p in self.each(i):
            p.grad = self.guarded(numbers(p.shape, p.dtype, seed))

    @rule(i=st.integers(0, 3))
    def take_the_gradient(self, i):
        for _, p in self.each(i):
            p.grad = None

    @rule(group=st.integers(0, 1), option=st.sampled_from([(n, v) for n in GOOD_OPTIONS for v in GOOD_OPTIONS[n]]))
    def choose(self, group, option):
        self.set_option(group, *option)

    @rule()
    def save(self):
        states = [x for optimizer, _ in self.twins for kept in optimizer.state.values() for x in kept.values()]
        if all(readable(x) for x in states if isinstance(x, torch.Tensor) and x.numel() and not x.is_meta):
            self.saved = [copy.deepcopy(optimizer.state_dict()) for optimizer, _ in self.twins]

    @rule(shift=st.integers(0, 2), spoilt=st.booleans())
    def load(self, shift, spoilt):
        """The state that a twin saved, each time on another path; its options come with it, but for the path."""
        if self.saved is None:
            return
        said = []
        for k, (optimizer, _) in enumerate(self.twins):
            state = copy.deepcopy(self.saved[(k + shift) % 3])
            if state["state"] and spoilt:
                kept = state["state"][min(state["state"])]
                name = min(kept, default="exp_avg")
                kept[name] = emptied(kept[name]) if isinstance(kept.get(name), torch.Tensor) else "x"
            for group, own in zip(state["param_groups"], optimizer.param_groups, strict=True):
                group.update(foreach=own["foreach"], fused=own["fused"])
            before = held(optimizer)
            try:
                optimizer.load_state_dict(state)
                said.append("")
            except (RuntimeError, TypeError, ValueError) as error:
                said.append(f"{type(error).__name__}: {error}")
                assert held(optimizer) == before
        assert len(set(said)) == 1, said
        self.settle()

    @rule()
    def exchange_paths(self):
        paths = [[(g["foreach"], g["fused"]) for g in optimizer.param_groups] for optimizer, _ in self.twins]
        for (optimizer, _), path in zip(self.twins, paths[1:] + paths[:1], strict=True):
            for group, (foreach, fused) in zip(optimizer.param_groups, path, strict=True):
                group.update(foreach=foreach, fused=fused)

    @rule(i=st.integers(0, 3), dtype=st.sampled_from(DTYPES))
    def move_to_another_dtype(self, i, dtype):
        for _, p in self.each(i):
            if p.is_complex() == dtype.is_complex:
                p.data = self.guarded(p.data.to(dtype))
                p.grad = None

    # Slips.

    @rule(i=st.integers(0, 3), shape=st.sampled_from(SHAPES), seed=st.integers(0, 50), fresh=st.booleans())
    def resize(self, i, shape, seed, fresh):
        for _, p in self.each(i):
            p.data = self.guarded(numbers(shape, p.dtype, seed))
            if fresh:
                p.grad = self.guarded(numbers(shape, p.dtype, seed + 1))

    @rule(i=st.integers(0, 3), slip=st.sampled_from(sorted(SLIPS)))
    def spoil_the_gradient(self, i, slip):
        for _, p in self.each(i):
            if p.grad is not None and readable(p.grad):
                p.grad.data = SLIPS[slip](p.grad.data)

    @rule(
        i=st.integers(0, 3),
        place=st.integers(0, 2),
        slip=st.sampled_from([*sorted(SLIPS), "on meta", "lost", "a number"]),
    )
    def spoil_the_state(self, i, place, slip):
        for optimizer, p in self.each(i):
            state = optimizer.state.get(p, {})
            if not state:
                continue
            name = sorted(state)[place % len(state)]
            x = state[name]
            if slip == "lost":
                del state[name]
            elif slip == "a number":
                state[name] = 1.0
            elif slip == "on meta":
                state[name] = torch.empty((4, 3), device="meta")
            elif isinstance(x, torch.Tensor) and readable(x):
                state[name] = SLIPS[slip](x)

    @rule(group=st.integers(0, 1), option=st.sampled_from([(n, v) for n in BAD_OPTIONS for v in BAD_OPTIONS[n]]))
    def choose_badly(self, group, option):
        self.set_option(group, *option)

    def set_option(self, group, name, value):
        for optimizer, _ in self.twins:
            optimizer.param_groups[group % len(optimizer.param_groups)][name] = value

    @rule()
    def mend(self):
        """Options, gradients and states as new."""
        for optimizer, params in self.twins:
            for group in optimizer.param_groups:
                own = {name: group[name] for name in ("foreach", "fused")}
                group.update({**optimizer.defaults, **own})
            optimizer.state.clear()
            for i, p in enumerate(params):
                p.grad = self.guarded(numbers(p.shape, p.dtype, i))

    # The step.

    @rule()
    def step(self):
        assume(self.decided())
        said = []
        for optimizer, _ in self.twins:
            before = held(optimizer)
            try:
                optimizer.step()
                said.append("")
            except (RuntimeError, TypeError, ValueError) as error:
                said.append(f"{type(error).__name__}: {error}")
                assert held(optimizer) == before
        assert len(set(said)) == 1, said
        if not said[0]:
            self.agree()

    def decided(self):
        """Whether Eq. 11 is nowhere so near its threshold that rounding decides."""
        optimizer, _ = self.twins[0]
        for group in optimizer.param_groups:
            for p in group["params"]:
                usual = p.grad is not None and p.grad.shape == p.shape and p.dim() > 1 and p.numel() > 0
                delta = group["delta"]
                usual = usual and p.grad.is_complex() == p.is_complex()
                if usual and isinstance(delta, float) and delta > 0 and readable(p.grad):
                    w, g = (torch.view_as_real(x.detach()) if x.is_complex() else x.detach() for x in (p, p.grad))
                    if not is_decided(w.double().numpy(), g.double().numpy(), delta):
                        return False
        return True

    def agree(self):
        """All paths give one result to within rounding; they go on from the very same."""
        for i in range(len(self.twins[0][1])):
            (first, p), *others = self.each(i)
            if p.grad is None:  # its state may be spoilt
                continue
            for optimizer, q in others:
                assert optimizer.state.get(q, {}).keys() == first.state.get(p, {}).keys()
                ours, theirs = (p, *first.state.get(p, {}).values()), (q, *optimizer.state.get(q, {}).values())
                for x, y in zip(ours, theirs, strict=True):
                    # A buffer wider than its parameter holds what was computed in the parameter's dtype.
                    narrow = torch.promote_types(p.dtype, torch.float32)
                    pair = [z.detach().to(narrow) if z.itemsize > narrow.itemsize else z.detach() for z in (y, x)]
                    assert_same_steps(*(torch.view_as_real(z) if z.is_complex() else z for z in pair), 1)
                    y.detach().copy_(x.detach())
        self.settle()

    def settle(self):
        """States in guarded memory too."""
        for optimizer, params in self.twins:
            for p in params:
                for name, x in optimizer.state.get(p, {}).items():
                    if isinstance(x, torch.Tensor) and readable(x) and 0 not in x.stride():
                        optimizer.state[p][name] = self.guarded(x)

    @invariant()
    def nothing_was_written_beside(self):
        assert not hasattr(self, "memory") or self.memory.intact()


Twins.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestTwins = needs_guards(Twins.TestCase)


@needs_guards
def test_guards_see_what_is_written_beside_a_tensor():
    memory = Guarded()
    x = memory(torch.ones(3), at_end=True)
    assert memory.intact()
    ctypes.memset(x.data_ptr() - 1, 0, 1)
    assert not memory.intact()


@needs_guards
@pytest.mark.parametrize(("at_end", "offset"), [(True, 12), (False, -1)])
def test_guards_stop_who_reads_past_a_tensor(at_end, offset):
    script = f"""
import ctypes, sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "helpers")!r})
import torch
from guarded_memory import Guarded
memory = Guarded()
x = memory(torch.ones(3), at_end={at_end})
ctypes.string_at(x.data_ptr() + {offset}, 1)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=300)
    assert ended.returncode == -signal.SIGSEGV
