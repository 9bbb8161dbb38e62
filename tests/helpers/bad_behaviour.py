"""Optimizers that each get one thing wrong; a behaviour check must tell. ``BAD`` names them by check."""

import copy
import random

import torch

from tangency.optim import SGDP, AdamP


class Breakable:
    """Places to break an optimizer: the gradient that a step sees, and what happens around the step."""

    def __init__(self, params, lr=0.125, **options):
        super().__init__(params, lr=lr, **options)

    def seen(self, p, g, group):
        """The gradient that the step uses; None: none."""
        return g

    def before(self):
        """Before the step."""

    def after(self):
        """After the step."""

    def every(self):
        return [(p, group) for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.before()
        kept = [(p, p.grad) for p, _ in self.every()]
        for p, group in self.every():
            if p.grad is not None:
                p.grad = self.seen(p, p.grad, group)
        # The undecorated step, so that hooks run once.
        getattr(self.base.step, "__wrapped__", self.base.step)(self)
        for p, g in kept:
            p.grad = g
        self.after()
        return loss


class Sgdp(Breakable, SGDP):
    """SGDP, in order."""

    base = SGDP


class Adamp(Breakable, AdamP):
    """AdamP, in order."""

    base = AdamP


class NormalizedGradient(Sgdp):
    def seen(self, p, g, group):
        return g / g.norm()


class SkipsZero(Sgdp):
    def seen(self, p, g, group):
        return g if g.any() else None


class ScaledByNorm(Sgdp):
    def seen(self, p, g, group):
        return g * p.norm()


class Squares(Sgdp):
    def seen(self, p, g, group):
        square = (g * g).sum()
        return torch.where(square == 0, g, g * (square / square))


class Sums(Sgdp):
    def seen(self, p, g, group):
        return g + 0 * g.sum()


class MaxOfNothing(Sgdp):
    def seen(self, p, g, group):
        return g * (g.abs().max() >= 0)


class FirstDimension(Sgdp):
    def seen(self, p, g, group):
        return g.reshape(p.size(0), -1).reshape(p.shape)


class Widens(Sgdp):
    def after(self):
        for p, _ in self.every():
            if p.dtype in (torch.float16, torch.bfloat16):
                p.data = p.data.float()


class OneDtype(Sgdp):
    def seen(self, p, g, group):
        return g.to(group["params"][0].dtype).to(g.dtype)


class ViewsWeights(Sgdp):
    def before(self):
        for p, _ in self.every():
            p.view(-1)


class ViewsGradients(Sgdp):
    def seen(self, p, g, group):
        return g.view(-1).view(p.shape)


class WritesGradient(Sgdp):
    def seen(self, p, g, group):
        return g.mul_(1.0)


class Replaces(Sgdp):
    def before(self):
        for p, _ in self.every():
            p.data = p.data.clone()


class RealPart(Sgdp):
    def seen(self, p, g, group):
        return g.real.to(g.dtype) if g.is_complex() else g


class Unclear(Sgdp):
    def seen(self, p, g, group):
        if g.layout != torch.strided:
            raise RuntimeError("bad gradient")
        return g


class ClosureAsItIs(Sgdp):
    def step(self, closure=None):
        loss = None if closure is None else closure()
        super().step()
        return loss


class NoLoss(Sgdp):
    def step(self, closure=None):
        super().step(closure)


class StateInGraph(Sgdp):
    def after(self):
        for state in self.state.values():
            state["momentum_buffer"].requires_grad_()


class Unseen(Sgdp):
    def step(self, closure=None):
        params = tuple(p for p, _ in self.every())
        with torch.autograd._unsafe_preserve_version_counter(params):
            return super().step(closure)


class ScalesGradient(Sgdp):
    def after(self):
        for p, _ in self.every():
            if p.grad is not None:
                p.grad.mul_(2)


class SeenBefore(Sgdp):
    last = None

    def seen(self, p, g, group):
        stale, self.last = g is self.last, g
        return None if stale else g


class DecaysUnused(Sgdp):
    def after(self):
        for p, _ in self.every():
            if p.grad is None:
                p.mul_(0.5)


class OneCount(Adamp):
    count = 0

    def _state_of(self, p, group):
        new = p not in self.state
        state = super()._state_of(p, group)
        if new:
            state[0].fill_(self.count)
        return state

    def after(self):
        self.count += 1


class GlobalNorm(Sgdp):
    def seen(self, p, g, group):
        self.total = sum(q.square().sum() for q, _ in self.every())
        return g / self.total


class HalfMaximize(Sgdp):
    def seen(self, p, g, group):
        return g * 2 if group["maximize"] else g


class ProjectsBuffer(Sgdp):
    def seen(self, p, g, group):
        self.orthogonal = (p * g).sum().abs() < 1e-6
        return g

    def after(self):
        for p, _ in self.every():
            if p in self.state and self.orthogonal:
                buffer = self.state[p]["momentum_buffer"]
                buffer -= (p * buffer).sum(1, keepdim=True) / (p * p).sum(1, keepdim=True) * p


class DeltaForAll(Sgdp):
    def before(self):
        for group in self.param_groups:
            group["delta"] = self.defaults["delta"]


class KeepsOptions(Sgdp):
    def before(self):
        for group in self.param_groups:
            group.setdefault("kept", self.defaults["weight_decay"])
            group["weight_decay"] = group["kept"]


class KeepsStepSize(Sgdp):
    def before(self):
        for group in self.param_groups:
            group.setdefault("kept", group["lr"])
            group["lr"] = group["kept"]


class NoNewGroups(Sgdp):
    def add_param_group(self, param_group):
        if not getattr(self, "param_groups", None):
            super().add_param_group(param_group)


class ForgetsState(Sgdp):
    def load_state_dict(self, state_dict):
        super().load_state_dict({**state_dict, "state": {}})


class Note:
    """No tensor and no plain value."""


class NoteInState(Sgdp):
    def after(self):
        for state in self.state.values():
            state["note"] = Note()


class CopiesAreShared(Sgdp):
    def __deepcopy__(self, memo):
        return self


class FunctionInGroup(Sgdp):
    def before(self):
        for group in self.param_groups:
            group["schedule"] = lambda: 1.0


class NoHooks(Sgdp):
    def step(self, closure=None):
        return getattr(Breakable.step, "__wrapped__", Breakable.step)(self, closure)

    step.hooked = True


class ScalesItself(Sgdp):
    _step_supports_amp_scaling = True


def ignoring(base, name, value):
    """An optimizer that takes an argument and uses another value."""

    class Ignoring(base):
        def before(self):
            for group in self.param_groups:
                group[name] = value

    Ignoring.__name__ = Ignoring.__qualname__ = f"Ignores_{name}"
    return Ignoring


def lenient(base, name, value):
    """An optimizer that takes every value of an argument, and uses another one for those out of range."""

    class Lenient(base):
        def __init__(self, params, lr=0.125, **options):
            options = {"lr": lr, **options}
            try:
                super().__init__(params, **options)
            except ValueError:
                super().__init__(params, **{**options, name: value})

    Lenient.__name__ = Lenient.__qualname__ = f"Lenient_{name}"
    return Lenient


FIXED = {
    "lr": 0.125,
    "momentum": 0.5,
    "dampening": 0.0,
    "nesterov": False,
    "betas": (0.5, 0.75),
    "eps": 1e-8,
    "weight_decay": 0.25,
    "delta": 0.1,
    "wd_ratio": 0.25,
}
for option, fixed in FIXED.items():
    of = Adamp if option in ("betas", "eps") else Sgdp
    for broken in (ignoring(of, option, fixed), lenient(of, option, fixed)):
        globals()[broken.__name__] = broken


class Swallows(Sgdp):
    def __init__(self, params, lr=0.125, no_such_argument=None, momentun=None, **options):
        known = {"momentum", "dampening", "weight_decay", "nesterov", "eps", "delta", "wd_ratio", "maximize"}
        super().__init__(params, lr=lr, **{name: value for name, value in options.items() if name in known})


class OtherDelta(Sgdp):
    def __init__(self, params, lr=0.125, delta=0.2, **options):
        super().__init__(params, lr=lr, delta=delta, **options)


def factory_of_sgdp(params, lr, **options):
    """A factory with a default of its own."""
    return SGDP(params, **{"lr": lr, "wd_ratio": 0.5, **options})


def factory_of_sgdp_with_fixed_delta(params, lr, momentum=0.0):
    """A factory that fixes an option."""
    return SGDP(params, lr=lr, momentum=momentum, delta=0.2)


class Paths(Sgdp):
    """A foreach and a fused path, both of them wrong."""

    def __init__(self, params, lr=0.125, foreach=None, fused=None, **options):
        super().__init__(params, lr=lr, **options)
        self.fast = foreach or fused

    def seen(self, p, g, group):
        return g * 2 if self.fast else g


class Captured(Sgdp):
    def seen(self, p, g, group):
        return g * 2 if group["capturable"] else g


class Differentiable(Sgdp):
    def seen(self, p, g, group):
        return g * 2 if group["differentiable"] else g


class Compiled(Sgdp):
    def seen(self, p, g, group):
        return g * 2 if torch.compiler.is_compiling() else g


class Counts(Sgdp):
    count = 0

    def seen(self, p, g, group):
        Counts.count += 1
        return g * Counts.count


class Draws(Sgdp):
    def before(self):
        torch.rand(1)


class DrawsInPython(Sgdp):
    def before(self):
        random.random()


class SetsThreads(Sgdp):
    def after(self):
        torch.set_float32_matmul_precision("high")


class DefaultDtype(Sgdp):
    def seen(self, p, g, group):
        return g * torch.tensor(0.1)


class Prints(Sgdp):
    def after(self):
        print("step")


class History(Sgdp):
    def after(self):
        self.__dict__.setdefault("history", []).append(copy.copy(1.0))


class FirstGradient(Sgdp):
    def seen(self, p, g, group):
        self.state[p].setdefault("first", g)
        return g


class Hoards(Sgdp):
    kept = ()

    def seen(self, p, g, group):
        Hoards.kept += (g,)
        return g


BAD = {
    "zero-gradient": "NormalizedGradient",
    "zero-gradient-is-a-step": "SkipsZero",
    "zero-weights": "ScaledByNorm",
    "finite-for-every-gradient": "Squares",
    "nan-spread": "Sums",
    "inf-spread": "Sums",
    "empty-parameter": "MaxOfNothing",
    "scalar-parameter": "FirstDimension",
    "short-dtypes": "Widens",
    "mixed-dtypes": "OneDtype",
    "parameter-layouts": "ViewsWeights",
    "gradient-layouts": "ViewsGradients",
    "expanded-gradient": "WritesGradient",
    "view-of-a-tensor": "Replaces",
    "complex-parameter": "RealPart",
    "sparse-gradient": "Unclear",
    "closure-with-gradients": "ClosureAsItIs",
    "closure-loss": "NoLoss",
    "step-leaves-no-graph": "StateInGraph",
    "step-in-place": "Replaces",
    "version-counter": "Unseen",
    "gradient-untouched": "ScalesGradient",
    "same-gradient-twice": "SeenBefore",
    "missing-gradient": "DecaysUnused",
    "late-gradient": "OneCount",
    "parameters-apart": "GlobalNorm",
    "maximize": "HalfMaximize",
    "momentum-unprojected": "ProjectsBuffer",
    "group-options": "DeltaForAll",
    "options-changed-later": "KeepsOptions",
    "learning-rate-scheduler": "KeepsStepSize",
    "add-param-group": "NoNewGroups",
    "state-dict": "ForgetsState",
    "state-dict-through-a-file": "NoteInState",
    "deepcopy": "CopiesAreShared",
    "pickle": "FunctionInGroup",
    "step-hooks": "NoHooks",
    "gradient-scaler": "ScalesItself",
    **{f"argument-{name.replace('_', '-')}": f"Ignores_{name}" for name in FIXED},
    **{
        f"invalid-{name.replace('_', '-')}": f"Lenient_{name}"
        for name in FIXED
        if name not in ("dampening", "nesterov")
    },
    "unknown-argument": "Swallows",
    "defaults": "OtherDelta",
    "foreach-agrees": "Paths",
    "fused-agrees": "Paths",
    "capturable-agrees": "Captured",
    "differentiable-agrees": "Differentiable",
    "compiled-agrees": "Compiled",
    "deterministic": "Counts",
    "random-state": "Draws",
    "global-state": "SetsThreads",
    "default-dtype": "DefaultDtype",
    "silent": "Prints",
    "memory-does-not-grow": "History",
    "gradient-released": "FirstGradient",
}
"""The check that each optimizer is made for."""
