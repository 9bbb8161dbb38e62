"""Arguments: each has an effect, bad ones are refused, defaults are the paper's."""

from __future__ import annotations

from typing import Any

import torch

from tangency.proofs_checks.checks.experiment import TORCH, behaviour
from tangency.proofs_checks.checks.state import OTHER, moves, settings
from tangency.proofs_checks.checks.tools import Make, Wrong, parameter, same, tilted
from tangency.proofs_checks.finding import Check
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.hyperparameters import ADAPTIVE, DELTA, HYPER, PROJECTION

REFUSALS = "torch.optim: SGD and Adam raise ValueError"


def effect(make: Make, name: str) -> Wrong | None:
    """Twelve steps with two values of an argument must end at different weights."""
    usual, other = OTHER[name]
    hyper = settings(make, name)
    ends = []
    for value in (usual, other):
        p = parameter(spread(2, 3))
        optimizer = make([p], **{**hyper, name: value})
        for _ in range(4):  # RAdam divides by √v + eps from the eighth step on
            moves(optimizer, p)
        ends.append(p.detach())
    if same(*ends):
        given = f"shape (2, 3), twelve steps, {', '.join(f'{k}={v}' for k, v in hyper.items())}"
        return Wrong(
            f"{name} has no effect", f"other weights with {name}={other} than with {name}={usual}", "the same", given
        )
    return None


def has_effect(name: str, why: str, *, capability: str = "") -> Check:
    """The check that an argument has an effect."""
    words = name.replace("_", "-")
    return behaviour(
        f"argument-{words}",
        f"{name} changes the steps",
        "an argument that is documented does something",
        why,
        alone=name == DELTA.name,
        capability=capability,
        needs=(name,),
        extra={"name": name},
    )(effect)


EFFECTS = (
    has_effect("lr", "A step size that is read once, or overwritten by a schedule of its own, cannot be tuned."),
    has_effect("momentum", "Without it this is plain gradient descent under another name."),
    has_effect("dampening", "An argument that is accepted and ignored hides a typo in every experiment."),
    has_effect("nesterov", "An argument that is accepted and ignored hides a typo in every experiment."),
    has_effect("betas", "Averages of a fixed length ignore what was tuned for the batch size."),
    has_effect("eps", "eps is what bounds Adam's step where gradients vanish.", capability=ADAPTIVE),
    has_effect("weight_decay", "Training without the decay that was asked for overfits in silence."),
    has_effect(
        "delta", "The threshold of Eq. 11 cannot be tuned, nor the projection switched off.", capability=PROJECTION
    ),
    has_effect(
        "wd_ratio",
        "Scale-invariant weights get the decay of all others, which the paper warns of.",
        capability=PROJECTION,
    ),
    has_effect("views", "Weights are projected in other rows than those asked for.", capability=PROJECTION),
)

INVALID = {one.name: one.invalid for one in HYPER.values() if one.invalid}


def refused(make: Make, name: str) -> Wrong | None:
    """The constructor must raise on every invalid value."""
    accepted = []
    for value in INVALID[name]:
        try:
            make([parameter(spread(2, 3))], **{name: value})
        except Exception:
            continue
        accepted.append(value)
    if accepted:
        values = ", ".join(f"{name}={value!r}" for value in accepted)
        return Wrong(f"{values} is accepted", "ValueError", "an optimizer", values)
    return None


def refuses(name: str, what: str, why: str, capability: str = "") -> Check:
    """The check that invalid values of an argument are refused."""
    return behaviour(
        f"invalid-{name.replace('_', '-')}",
        f"{what} is refused",
        f"Eq. 11 and §E.1; {REFUSALS}" if capability == PROJECTION else REFUSALS,
        why,
        kinds=TORCH,
        capability=capability,
        needs=(name,),
        extra={"name": name},
    )(refused)


REFUSED = (
    refuses("lr", "a negative step size", "It ascends: the loss explodes, and nothing says why."),
    refuses("momentum", "a negative momentum", "It changes sign at every step, and nothing says why."),
    refuses(
        "betas",
        "a β outside [0, 1)",
        "β = 1 divides by zero in the bias correction; a negative one takes roots of v < 0.",
    ),
    refuses("eps", "a negative eps", "The denominator of Adam's step can then be zero or negative."),
    refuses(
        "weight_decay",
        "a negative weight decay",
        "Weights grow instead of decaying, or the decay is skipped in silence.",
    ),
    refuses(
        "delta",
        "a negative δ",
        "No cosine is below it: the projection is switched off in silence.",
        capability=PROJECTION,
    ),
    refuses("wd_ratio", "a negative wd_ratio", "Projected weights grow instead of decaying.", capability=PROJECTION),
    refuses(
        "views", "a view that does not exist", "Nothing is projected, and nothing says why.", capability=PROJECTION
    ),
)


@behaviour(
    "unknown-argument",
    "an argument that does not exist is refused",
    "Python: TypeError for an unexpected keyword argument",
    "A misspelt argument that **kwargs swallows leaves its default in force, unnoticed, in every experiment.",
)
def unknown_argument(make: Make) -> Wrong | None:
    p = parameter(spread(2, 3))
    try:
        optimizer = make.build([p], **make.arguments(make.usual), no_such_argument=1.0)
        p.grad = spread(2, 3, start=9)
        optimizer.step()
    except Exception:
        return None
    return Wrong("an argument that does not exist is accepted", "TypeError", "a step", "no_such_argument=1.0")


def trace(make: Make, arguments: dict[str, Any]) -> list[torch.Tensor]:
    """Weights after steps that tell defaults apart: ordinary, either side of δ = 0.1, and with tiny gradients."""
    found = []
    for size in (1.0, 1e-8):
        p = parameter(spread(2, 6))
        optimizer = make.build([p], **arguments)
        for cosine in (0.9, 0.1 / 6**0.5 * (1 - 2.0**-6), 0.1 / 6**0.5 * (1 + 2.0**-6)):
            p.grad = tilted(p.detach(), [cosine, cosine]) * size
            optimizer.step()
        found.append(p.detach().clone())
    return found


@behaviour(
    "defaults",
    "an argument that is left out has the paper's value: β = (0.9, 0.999), ε = 1e-8, δ = 0.1, wd_ratio = 0.1, no decay",
    "§3.1 and §E.1 for δ and the ratio of the decay; the published package for the others",
    "Nearly everyone trains with the defaults, often behind a factory that has its own. Another δ projects other "
    "layers than the paper's experiments did.",
    capability=PROJECTION,
)
def defaults(make: Make) -> Wrong | None:
    wrong, got = [], []
    for name, value in make.defaults.items():
        if name not in make.own:
            continue
        full = {**make.arguments(make.usual), **make.options(**{**settings(make, name), name: value})}
        own = make.options(**{name: value})
        try:
            left_out = trace(make, {key: given for key, given in full.items() if key not in own})
        except TypeError:  # it has no default
            continue
        if not all(same(a, b) for a, b in zip(trace(make, full), left_out, strict=True)):
            wrong.append(f"{name} = {value}")
            group = make.build([parameter(spread(2, 3))], **make.options(lr=0.125)).param_groups[0]
            got.append(f"{name} = {[group.get(key, 'another value') for key in own]}")
    # What a factory has fixed is no argument, but it stands in the group.
    group = make.build([parameter(spread(2, 3))], **make.arguments(make.usual)).param_groups[0]
    for name, value in make.defaults.items():
        if name not in make.own and name in group and group[name] != value:
            wrong.append(f"{name} = {value}")
            got.append(f"{name} = {group[name]}")
    if wrong:
        return Wrong("a default is not the paper's", ", ".join(wrong), ", ".join(got), "steps with and without it")
    return None


CHECKS = (*EFFECTS, *REFUSED, unknown_argument, defaults)
