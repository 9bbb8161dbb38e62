"""What a ledger means for the rest of a run: where rotation settles under decay, and whether steps shrink too early.

Equilibrium. Under weight decay the norm of a scale-invariant weight stops growing where growth and decay balance, and
each step then turns it by an angle that no longer depends on the gradients' scale. Where ‖w‖ and ⟨w, buffer⟩ are
after a step what they were before, exactly, with s = 1 − ηλ:

    projected step, decoupled decay                cos θ = 1 − ηλr
    SGD with momentum β, dampening τ               2 sin(θ/2) = √(2ηλ(1 − τ) / (1 + β))     (about: Wan et al. 2020)
    AdamW, with one denominator for all entries    cos θ = (s + β₁) / (1 + β₁s)             (about: Kosson et al. 2023)

λ and r are as the rule has them: SGDP divides λ by 1 − β, r is wd_ratio on a projected step. AdamP with wd_ratio
(1 − β₁) / (1 + β₁s) turns weights as AdamW does; its default, 0.1, is twice that at β₁ = 0.9.

Premature decay of the effective step (§1). Over a run that was sampled from its start, a weight is flagged where all of
these hold:

    1. it is scale-invariant: at least half of the samples pass Eq. 11, in either view;
    2. its effective step fell to less than half of what the schedule alone would have left: the median of the last
       samples over that of the first, over the same quotient of step sizes;
    3. its norm is why: the growth of the norm, to the power p with which a step of the rule shrinks (2 where the update
       is made of gradients, 1 where its size does not depend on theirs), accounts for at least half of that fall, in
       logarithms;
    4. memory is why the norm grew: over the samples, its term is larger than the step's own.

What would restore the step is said with it: the projection takes away the memory term; a step size larger by the growth
of the norm to the power p gives back the first angle; or the decay at whose equilibrium steps have that angle.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median

from tangency.optim.monitor.known import Known
from tangency.optim.monitor.ledger import Page, Terms

_SAMPLES = 5


def equilibrium(known: Known | None, lr: float, projected: bool) -> float | None:
    """The angle a step at which growth and decay balance, in radians; None without decay, or where no law is known.

    Args:
        known: the step of the optimizer.
        lr: its step size η.
        projected: whether the step is projected.

    >>> from tangency.optim.monitor.known import known
    >>> import torch
    >>> adamw = torch.optim.AdamW([torch.ones(1)], lr=1e-3, betas=(0.9, 0.999), weight_decay=0.1)
    >>> round(equilibrium(known(adamw.param_groups[0], 0.1), 1e-3, projected=False), 6)
    0.003245
    """
    if known is None:
        return None
    rule = known.rule
    if projected:
        s, beta = 1 - lr * rule.weight_decay * rule.wd_ratio, 0.0
    elif known.kind == "AdamW":
        s, beta = 1 - lr * rule.weight_decay, rule.beta1
    elif known.kind == "SGD" and known.coupled and not rule.nesterov:
        square = 2 * lr * known.coupled * rule.fresh / (1 + rule.beta1)
        return _angle(square) if square > 0 else None
    else:
        return None
    # 1 − cos θ = (1 − s)(1 − β)/(1 + βs) = 2 sin²(θ/2), so that nothing cancels.
    return _angle(2 * (1 - s) * (1 - beta) / (1 + beta * s)) if s != 1 else None


def _angle(square: float) -> float:
    """The angle whose chord on the unit sphere has this squared length."""
    return 2 * math.asin(min(1.0, math.sqrt(square) / 2))


def limit_ratio(known: Known | None) -> float | None:
    """1 + 2β/(1−β), the growth of ‖w‖² over the step's own that momentum tends to (Corollary 2.3); else None."""
    if known is None or known.kind != "SGD" or known.rule.nesterov or known.rule.beta1 >= 1:
        return None
    return 1 + 2 * known.rule.beta1 / (1 - known.rule.beta1)


def decay_for(known: Known, lr: float, angle: float) -> float | None:
    """The weight decay λ, as the optimizer takes it, at whose equilibrium its steps have this angle; else None."""
    rule, cosine = known.rule, math.cos(angle)
    if known.projects and rule.wd_ratio and lr:
        return (1 - cosine) / (lr * rule.wd_ratio) * (1.0 if rule.adaptive else 1 - rule.beta1)
    if known.kind == "AdamW" and lr:
        s = (cosine - rule.beta1) / (1 - rule.beta1 * cosine)
        return (1 - s) / lr
    if known.kind == "SGD" and not rule.nesterov and rule.fresh > 0 and lr:
        return (2 * math.sin(angle / 2)) ** 2 * (1 + rule.beta1) / (2 * lr * rule.fresh)
    return None


@dataclass
class Story:
    """What the samples of one weight, or slice, have been so far.

    Attributes:
        samples: how many.
        invariant: how many passed Eq. 11.
        own, memory, others: sums of the terms; `others` is fresh and the rest, without decay.
        first: the norm, step size and effective step of the first samples.
        last: those of the last.
    """

    samples: int = 0
    invariant: int = 0
    own: float = 0.0
    memory: float = 0.0
    others: float = 0.0
    first: list[tuple[float, float, float]] = field(default_factory=list)
    last: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def add(self, terms: Terms, page: Page, lr: float) -> None:
        """Take a sample in."""
        self.samples += 1
        self.invariant += page.verdict != "none"
        self.own += terms.own
        self.memory += terms.memory or 0.0
        self.others += (terms.fresh or 0.0) + (terms.other or 0.0)
        at = (terms.norm, lr, terms.effective_step)
        if lr > 0:
            # A warm-up from 0 has no first effective step.
            if len(self.first) < _SAMPLES:
                self.first.append(at)
            self.last.append(at)

    @property
    def share(self) -> float:
        """Of the samples judged scale-invariant."""
        return self.invariant / self.samples if self.samples else 0.0

    @property
    def growth_ratio(self) -> float | None:
        """How much faster ‖w‖² grew than by the steps' own lengths, decay apart, over the samples."""
        return (self.own + self.memory + self.others) / self.own if self.own else None

    def premature(self, known: Known | None) -> dict[str, float | None] | None:
        """What would restore the effective step if it decayed prematurely; None if it did not.

        Returns:
            ``fell_to``, the effective step over what the schedule would have left; ``by_norm``, the part of that fall
            that is the norm's; ``lr_times``, the factor on the step size, and ``weight_decay``: either restores it.
        """
        if known is None or self.samples < 2 * _SAMPLES or len(self.first) < _SAMPLES:
            return None
        (norm, lr, step), (norm_now, lr_now, step_now) = (
            map(median, zip(*some, strict=True)) for some in (self.first, self.last)
        )
        if not (norm and step and step_now and self.share >= 0.5 and self.memory > self.own):
            return None
        fell_to = step_now / step * lr / lr_now
        power = 1 if known.rule.adaptive else 2
        by_norm = power * math.log(norm_now / norm) / -math.log(fell_to) if fell_to < 0.5 else 0.0
        if by_norm < 0.5:
            return None
        return {
            "fell_to": fell_to,
            "by_norm": by_norm,
            "lr_times": (norm_now / norm) ** power,
            "weight_decay": decay_for(known, lr_now, 2 * math.asin(min(1.0, step / 2)) * lr_now / lr),
        }
