"""Options and state: parameter groups, schedulers, checkpoints, copies."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import torch

from tangency.proofs_checks.checks.experiment import TORCH, behaviour
from tangency.proofs_checks.checks.tools import BUSY, Make, Wrong, parameter, same, show, steps
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.hyperparameters import CLIP, HYPER

STATE = "torch.optim.Optimizer.state_dict and load_state_dict"
# Of each option a usual and another value, which moves the weights elsewhere.
OTHER = {one.name: (one.usual, one.other) for one in HYPER.values() if one is not CLIP}
GRADIENTS = (9, 40, 70)


def moves(optimizer: Any, p: torch.Tensor, start: int = 0) -> torch.Tensor:
    """Three steps along gradients that no view projects by itself."""
    return steps(optimizer, p, [spread(*p.shape, start=start + k) for k in GRADIENTS])


def settings(make: Make, name: str) -> dict[str, Any]:
    """Hyper-parameters under which an option shows."""
    values = {key: pair[0] for key, pair in OTHER.items() if key in make.own and key not in ("eps", "delta")}
    if name in ("wd_ratio", "views") and "delta" in make.own:
        values["delta"] = 100.0
    return values


@behaviour(
    "group-options",
    "every option may differ between parameter groups",
    "torch.optim, Per-parameter options",
    "Fine-tuning gives groups their own step size and weight decay. An option that lives in the optimizer instead of "
    "its groups is the same for all, whatever the group says.",
    kinds=TORCH,
)
def group_options(make: Make) -> Wrong | None:
    for name, (_, other) in OTHER.items():
        if name not in make.own:
            continue
        hyper = settings(make, name)
        plain, special, alone = (parameter(spread(2, 3)) for _ in range(3))
        optimizer = make([{"params": [plain]}, {"params": [special], **make.options(**{name: other})}], **hyper)
        for k in GRADIENTS:
            plain.grad, special.grad = spread(2, 3, start=k), spread(2, 3, start=k)
            optimizer.step()
        expected = moves(make([alone], **{**hyper, name: other}), alone)
        if not same(special.detach(), expected):
            given = (
                f"two groups, the second with {name}={other}; expected: the steps of an optimizer with {name}={other}"
            )
            return Wrong(f"a group's own {name} is not used", show(expected), show(special.detach()), given)
    return None


@behaviour(
    "options-changed-later",
    "an option that is changed in param_groups holds from the next step on",
    "torch.optim.lr_scheduler: writes into param_groups",
    "Schedulers, warm-up and OneCycle's momentum change the groups. An optimizer that keeps a copy goes on with the "
    "old value.",
    kinds=TORCH,
)
def options_changed_later(make: Make) -> Wrong | None:
    for name, (_, other) in OTHER.items():
        if name not in make.own:
            continue
        hyper = settings(make, name)
        p, alone = parameter(spread(2, 3)), parameter(spread(2, 3))
        optimizer = make([p], **hyper)
        optimizer.param_groups[0].update(make.options(**{name: other}))
        got, expected = moves(optimizer, p), moves(make([alone], **{**hyper, name: other}), alone)
        if not same(got, expected):
            given = f"param_groups[0][{name!r}] = {other} before the first step"
            return Wrong(f"a change of {name} has no effect", show(expected), show(got), given)
    return None


@behaviour(
    "learning-rate-scheduler",
    "torch's schedulers drive it, with a number or a tensor for the step size",
    "torch.optim.lr_scheduler; lr (float, Tensor)",
    "Compiled training keeps the step size in a tensor, which schedulers fill in place.",
    kinds=TORCH,
    needs=("lr",),
)
def learning_rate_scheduler(make: Make) -> Wrong | str | None:
    twin = parameter(spread(2, 3))
    reference = make([twin], if_offered=BUSY, lr=0.5)
    expected = []
    for t in range(3):
        reference.param_groups[0].update(make.options(lr=0.5 * 0.5**t))
        expected.append(steps(reference, twin, [spread(2, 3, start=9 + t)]))
    note = None
    for lr in (0.5, torch.tensor(0.5, dtype=torch.float64)):
        p = parameter(spread(2, 3))
        try:
            optimizer = make([p], if_offered=BUSY, lr=lr)
        except (TypeError, ValueError) as error:
            if not isinstance(lr, torch.Tensor):
                raise
            note = f"a tensor as lr is refused: {error}"
            continue
        if make.options(lr=0).keys() != {"lr"}:
            continue  # schedulers of torch know one name alone
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
        for t in range(3):
            got = steps(optimizer, p, [spread(2, 3, start=9 + t)])
            scheduler.step()
            if not same(got, expected[t]):
                given = f"lr = {lr!r}, halved after every step by StepLR; step {t + 1}"
                return Wrong("a scheduled step size is not followed", show(expected[t]), show(got), given)
    return note


@behaviour(
    "add-param-group",
    "a group that is added later starts from nothing, with the defaults where it says nothing",
    "torch.optim.Optimizer.add_param_group",
    "Progressive unfreezing adds groups between steps.",
    kinds=TORCH,
)
def add_param_group(make: Make) -> Wrong | None:
    first, added, alone = (parameter(spread(2, 3)) for _ in range(3))
    optimizer = make([first], if_offered=BUSY)
    moves(optimizer, first)
    first.grad = None
    optimizer.add_param_group({"params": [added], **make.options(lr=0.25)})
    got, expected = moves(optimizer, added), moves(make([alone], if_offered=BUSY, lr=0.25), alone)
    if not same(got, expected):
        given = "added after three steps, with lr = 0.25"
        return Wrong("an added group steps differently from a fresh optimizer", show(expected), show(got), given)
    return None


def through_a_file(state: Any) -> Any:
    """Saved by torch.save and loaded as torch.load does by default: tensors and plain values alone."""
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)


def resumed(make: Make, carry: Callable[[Any], Any]) -> Wrong | None:
    """Three steps, a checkpoint, three more: with and without the checkpoint, bit for bit."""
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        p, twin = parameter(spread(2, 3).to(dtype)), parameter(torch.zeros(2, 3, dtype=dtype))
        optimizer = make([p], if_offered=BUSY)
        gradients = [spread(2, 3, start=k).to(dtype) for k in (9, 40, 70, 100, 130, 160)]
        steps(optimizer, p, gradients[:3])
        with torch.no_grad():
            twin.copy_(p)
        other = make([twin], if_offered={"weight_decay": 0.5, "delta": 0.75}, lr=7.0)
        other.load_state_dict(carry(optimizer.state_dict()))
        expected, got = steps(optimizer, p, gradients[3:]), steps(other, twin, gradients[3:])
        given = f"{dtype}, shape (2, 3), three steps, save, load into an optimizer with other options, three steps"
        if not same(got, expected):
            return Wrong("training goes on differently after a checkpoint", show(expected), show(got), given)
        for name, held in optimizer.state[p].items():
            loaded = other.state[twin].get(name)
            if isinstance(held, torch.Tensor) and (not isinstance(loaded, torch.Tensor) or not same(loaded, held)):
                return Wrong(f"state {name!r} differs after a checkpoint", show(held), show(loaded), given)
    return None


@behaviour(
    "state-dict",
    "training goes on bit for bit from a state_dict, options included",
    STATE,
    "A run that is resumed from a checkpoint must be the run that was interrupted.",
    kinds=TORCH,
)
def state_dict(make: Make) -> Wrong | None:
    return resumed(make, copy.deepcopy)


@behaviour(
    "state-dict-through-a-file",
    "the state_dict survives torch.save and torch.load with weights_only=True",
    "torch.load: weights_only=True is the default since torch 2.6",
    "An object of another class in the state makes the checkpoint unreadable.",
    kinds=TORCH,
)
def state_dict_through_a_file(make: Make) -> Wrong | None:
    return resumed(make, through_a_file)


def continued(make: Make, carry: Callable[[Any], Any]) -> Wrong | None:
    """A copy of the optimizer and its parameter must go on like the original, apart from it."""
    p = parameter(spread(2, 3))
    optimizer = make([p], if_offered=BUSY)
    moves(optimizer, p)
    other, twin = carry((optimizer, p))
    expected, got = moves(optimizer, p, start=100), moves(other, twin, start=100)
    if not same(got, expected):
        given = "shape (2, 3), three steps, a copy, three steps of both"
        return Wrong("the copy goes on differently", show(expected), show(got), given)
    return None


@behaviour(
    "deepcopy",
    "a deep copy goes on as the original, and apart from it",
    "copy.deepcopy; torch.optim.Optimizer.__getstate__",
    "Averaging and search keep copies of whole training states.",
    kinds=TORCH,
)
def deep_copy(make: Make) -> Wrong | None:
    return continued(make, copy.deepcopy)


@behaviour(
    "pickle",
    "it can be pickled and goes on as before",
    "pickle; torch.optim.Optimizer.__getstate__",
    "Process pools and schedulers of clusters send optimizers between processes.",
    kinds=TORCH,
)
def pickled(make: Make) -> Wrong | None:
    return continued(make, lambda pair: pickle.loads(pickle.dumps(pair)))


@behaviour(
    "step-hooks",
    "hooks before and after a step run once each",
    "torch.optim.Optimizer.register_step_pre_hook and register_step_post_hook",
    "Profilers, sharding and logging hang on hooks. A wrapper that calls another optimizer's step runs them twice, or "
    "never.",
    kinds=TORCH,
)
def step_hooks(make: Make) -> Wrong | None:
    p, seen = parameter(spread(2, 3)), []
    optimizer = make([p])
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    steps(optimizer, p, [spread(2, 3, start=9)])
    if seen != ["before", "after"]:
        return Wrong("hooks do not run once each", "before, after", ", ".join(seen) or "none")
    return None


@behaviour(
    "gradient-scaler",
    "torch's GradScaler unscales for it, and skips a step that overflows",
    "torch.amp.GradScaler",
    "Mixed precision trains through it. A step that is skipped must leave weights and state as they are.",
    kinds=TORCH,
)
def gradient_scaler(make: Make) -> Wrong | None:
    p, twin, g = parameter(spread(2, 3).float()), parameter(spread(2, 3).float()), spread(2, 3, start=9).float()
    optimizer = make([p])
    expected = steps(make([twin]), twin, [g, g])
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for factor in (1.0, float("inf"), 1.0):
        p.grad = None
        scaler.scale((p * g).sum() * factor).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimizer)
        scaler.update()
    if not same(p.detach(), expected):
        given = "scale 1024; the second of three steps overflows and is skipped"
        return Wrong("scaled training steps differently", show(expected), show(p.detach()), given)
    return None


CHECKS = (
    group_options,
    options_changed_later,
    learning_rate_scheduler,
    add_param_group,
    state_dict,
    state_dict_through_a_file,
    deep_copy,
    pickled,
    step_hooks,
    gradient_scaler,
)
