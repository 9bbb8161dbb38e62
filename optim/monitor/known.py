"""What a step of a known optimizer is made of, read from the options of its group and not from its name.

The options that an optimizer has tell which algorithm it is: SGD, Adam, AdamW, SGDP and AdamP, from torch, from here,
or from another package. An optimizer with other options is unknown, and its ledger has fewer terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tangency.optim.rule import Rule, slices

_SGD = {"momentum", "dampening", "nesterov", "weight_decay"}
_ADAM = {"betas", "eps", "weight_decay"}
_PROJECTED = {"delta", "wd_ratio"}
PUBLISHED = slices(("channel", "layer"))  # the views of an optimizer without that option
_KINDS = {
    "SGD": _SGD,
    "Adam": _ADAM | {"amsgrad"},
    "SGDP": _SGD | _PROJECTED | {"eps"},
    "AdamP": _ADAM | _PROJECTED | {"nesterov"},
}
# They change how a step is computed, or what else is kept, and not what it is.
_NEUTRAL = {
    *("params", "param_names", "lr", "initial_lr", "maximize", "decoupled_weight_decay"),
    *("foreach", "fused", "capturable", "differentiable", "views"),
    *("max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr"),
}


@dataclass(frozen=True)
class Known:
    """The step of a group.

    Attributes:
        kind: SGD, Adam, AdamW, SGDP or AdamP.
        rule: its numbers; ``weight_decay`` is the decoupled one.
        projects: whether it projects its updates; else δ is only what weights are judged with.
        coupled: λ that is added to the gradient, g + λw.
        first: factor of the gradient in the buffer of the first step, where torch's SGD does not dampen.
        amsgrad: whether the largest second moment so far divides.
    """

    kind: str
    rule: Rule
    projects: bool
    coupled: float = 0.0
    first: float | None = None
    amsgrad: bool = False

    @property
    def head(self) -> int:
        """How many slices of dimension 0 are a row of the head view; 0 where that is not tried."""
        return max((count for count in self.rule.views if count > 1), default=0)

    @property
    def keeps(self) -> bool:
        """Whether the update has a part that is made of past gradients."""
        return self.rule.beta1 != 0

    @property
    def buffers(self) -> tuple[str, ...]:
        """The names under which a state may hold the momentum buffer."""
        return ("exp_avg",) if self.rule.adaptive else ("momentum_buffer", "momentum")

    def momentum(self, state: Mapping[str, Any]) -> Tensor | None:
        """The momentum buffer, or None where there is none yet."""
        found = [state[name] for name in self.buffers if isinstance(state.get(name), Tensor)]
        return found[0] if found else None


def known(group: Mapping[str, Any], delta: float) -> Known | None:
    """What a step of this group is, or None if its options are those of no algorithm known here.

    Args:
        group: of an optimizer.
        delta: δ of Eq. 11, with which to judge the weights of an optimizer that has none.
    """
    names = {str(name) for name in group} - _NEUTRAL
    kind = next((kind for kind, options in _KINDS.items() if names == options), None)
    if kind is None:
        return None
    projects = names >= _PROJECTED
    decay = float(group["weight_decay"])
    maximize = bool(group.get("maximize", False))
    wd_ratio = float(group.get("wd_ratio", 1.0))
    delta = float(group.get("delta", delta))
    views = slices(group["views"]) if "views" in group else PUBLISHED
    if "betas" in names:
        beta1, beta2 = map(float, group["betas"])
        decoupled = projects or bool(group.get("decoupled_weight_decay", False))
        return Known(
            "AdamW" if kind == "Adam" and decoupled else kind,
            Rule(
                adaptive=True,
                beta1=beta1,
                fresh=1 - beta1,
                ahead=1 - beta1,
                nesterov=bool(group.get("nesterov", False)),
                beta2=beta2,
                eps=float(group["eps"]),
                weight_decay=decay if decoupled else 0.0,
                wd_ratio=wd_ratio,
                delta=delta,
                maximize=maximize,
                views=views,
            ),
            projects,
            coupled=0.0 if decoupled else decay,
            amsgrad=bool(group.get("amsgrad", False)),
        )
    momentum = float(group["momentum"])
    fresh = 1 - float(group["dampening"])
    return Known(
        kind,
        Rule(
            adaptive=False,
            beta1=momentum,
            # Without momentum torch keeps no buffer, and dampens nothing.
            fresh=fresh if projects or momentum else 1.0,
            ahead=1.0,
            nesterov=bool(group["nesterov"]),
            beta2=0.0,
            eps=0.0,
            weight_decay=decay / (1 - momentum) if projects and decay else 0.0,
            wd_ratio=wd_ratio,
            delta=delta,
            maximize=maximize,
            views=views,
        ),
        projects,
        coupled=0.0 if projects else decay,
        first=None if projects else 1.0,
    )
