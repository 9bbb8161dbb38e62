"""An optimizer with a projection added: its algorithm is what its base does, projected (Eq. 10) where Eq. 11 says so.

The base runs on the same weights and gradients, without weight decay. The way that it goes, w − w', is ηp up to the
rounding of its last line: whoever computes the update as the base does is compared with it to within rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tangency.proofs_checks.algorithms import PUBLISHED_EPS, Algorithm, Update
from tangency.proofs_checks.dialects import updates
from tangency.proofs_checks.dialects.choice import Dialect
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.trials import as_float
from tangency.proofs_checks.hyperparameters import ASCENT, DECAY, DELTA, EPS, LR, RATIO, VIEWS
from tangency.theory import formats
from tangency.theory.algorithms import State, Step, decayed, in_field, projected
from tangency.theory.fields import FLOAT64, Array, Field, rational
from tangency.theory.projection import View
from tangency.theory.rounded import Rounded, RoundedField

if TYPE_CHECKING:
    from tangency.proofs_checks.target.target import Target

HYPER = (DECAY, ASCENT, DELTA, RATIO, VIEWS, EPS)  # of a projection, and of what comes with it


@dataclass(frozen=True)
class Live:
    """A base that has taken all steps so far, and the hyper-parameters that it was made with."""

    parameter: torch.nn.Parameter
    optimizer: Any
    given: Mapping[str, float]

    def step(self, w: Floats, g: Floats) -> Floats:
        """The weights after a step from given ones."""
        with torch.no_grad():
            self.parameter.copy_(torch.from_numpy(w))
        self.parameter.grad = torch.from_numpy(g).to(self.parameter)
        self.optimizer.step()
        after: Floats = self.parameter.detach().double().cpu().numpy().copy()
        return after


class Told(tuple[tuple[Floats, Floats], ...]):
    """The weights and gradients of all steps so far, and the base that has just taken them, if nobody has used it."""

    live: Live | None = None


def algorithm_of(base: Target) -> Algorithm:
    """The algorithm of whatever projects the updates of a base."""

    def update(
        dialect: Dialect, field: Field, w: Array, g: Array, state: State, hyper: Mapping[str, Any]
    ) -> updates.Update:
        return _move(base, field, w, g, state, hyper["lr"], hyper["eps"])

    @in_field
    def step(
        field: Field,
        w: Array,
        g: Array,
        state: State,
        *,
        lr: Any,
        weight_decay: Any = DECAY.default,
        delta: Any = DELTA.default,
        wd_ratio: Any = RATIO.default,
        eps: Any = EPS.default,
        views: tuple[str | int, ...] = VIEWS.default,
        view: View | None = None,
    ) -> Step:
        p, told, one = _move(base, field, w, g, state, lr, eps)
        made = projected(field, w, g, Step(w, told, p, p, one), delta, view, views)
        return decayed(w, made, 1 - lr * weight_decay * (1 if made.view == View.NONE else wd_ratio))

    name = base.spec.target
    of_base = Update(name, "", None, buffers=(), retold=True, compute=update, training={"lr": LR.usual})
    return Algorithm(
        f"{name}, projected", step, of_base, HYPER, projects=True, in_names=False, published_choices=PUBLISHED_EPS
    )


def _move(base: Target, field: Field, w: Array, g: Array, state: State, lr: Any, eps: Any) -> updates.Update:
    """ηp of the next step of a base, with the step size 1, in the format of the field."""
    fmt = field.fmt if isinstance(field, RoundedField) else formats.FLOAT64
    told, now = state.get("told", ()), (_floats(w), _floats(g))
    given = {name: float(_floats(np.array(x))) for name, x in (("lr", lr), ("eps", eps)) if base.offers(name)}
    live: Live | None = getattr(told, "live", None)
    if live is not None and live.given == given:
        told.live = None  # a second step from the same place starts anew
    else:
        parameter = torch.nn.Parameter(torch.zeros(w.shape, dtype=getattr(torch, fmt.name)))
        live = Live(parameter, base.make([parameter], **given), given)
        for earlier in told:
            live.step(*earlier)
    after = live.step(*now)
    new = Told((*told, now))
    new.live = live
    if field is FLOAT64:
        return updates.Update(now[0] - after, {"told": new}, 1.0)
    moved = [rational(x) - rational(y) for x, y in zip(now[0].flat, after.flat, strict=True)]
    p = field.array(moved).reshape(w.shape)
    if isinstance(field, RoundedField):
        for x, end in zip(p.flat, np.abs(after).flat, strict=True):
            # ηp is rounded twice, as η(m/√v) and as (ηm)/√v, and its sum with w once.
            error = fmt.gamma_2 * x.top + fmt.unit * float(end) + fmt.tiny
            x.error, x.top = error * formats.SAFE, x.top + error
    return updates.Update(p, {"told": new}, field.element(1))


def _floats(values: Array) -> Floats:
    """The numbers of any field as float64."""
    if values.dtype == np.float64:
        return np.array(values)
    result = np.empty(values.shape)
    for index in np.ndindex(values.shape):
        x = values[index]
        result[index] = x.near if isinstance(x, Rounded) else as_float(x)
    return result
