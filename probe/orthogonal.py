"""The view of a weight by its gradient: w·∇f(w) = 0 in every part of it (§2.3, Eq. 4), as a sequential test.

The mathematics, for one part of d ≥ 2 elements and t = cos²(w, g). Two laws of t are told apart:

- N, not scale-invariant: the direction of g is uniform, so t ~ Beta(½, (d−1)/2) with density p (§3.1, C; then d·t is
  nearly χ² with one degree of freedom, and Eq. 11 asks whether it is below δ²).
- A, scale-invariant but for rounding and ε: t is σ² times such a number, with density q(t) = p(t/σ²)/σ² on [0, σ²].

The ratio of the densities needs no normalising constant:

    log e(t) = log q(t)/p(t) = −log σ + (d−3)/2 · (log(1 − t/σ²) − log(1 − t))   for t < σ², and −∞ from there on.

Rounds are independent given the past: each has fresh random weights near the given ones and a fresh random cotangent.
So under N the product E of e over the rounds is a martingale that starts at 1, and so is 1/E under A; where w is
invariant exactly, t is smaller than A has it and 1/E is smaller still (d ≥ 3: 1/e grows with t; d < 3: 1/e ≤ σ).
A view with parts i is

- accepted once minᵢ Eᵢ ≥ 1/α: if only one part has law N, E of that part bounds the minimum, and by Ville's inequality
  (P(sup E ≥ 1/α) ≤ α) a view that should fail is accepted with probability at most α;
- rejected once the mean over i of 1/Eᵢ is ≥ 1/β: under A in all parts the mean is such a martingale too, and a view
  that should pass is rejected with probability at most β. Neither needs independent parts.

Several views are asked of one weight, each with α and β over their number; the answer is the finest that is accepted.
Law N is a model of a gradient that knows nothing of its weight, not a theorem: that is why f itself is asked as well.
A part whose gradient rounding could have made carries no evidence in that round; one that was heard in too few of the
first :data:`PATIENCE` rounds for 1/α is left out, and counted as silent: the rates are those of the parts that are
heard. A part of one element has no angle.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tangency.probe.evaluation import Evaluation
from tangency.probe.rescale import Reference
from tangency.probe.view import NONE, SIGMA, UNUSED, View, cuts, view

ROUNDS, PATIENCE = 40, 10


@dataclass(frozen=True)
class Tested:
    """What the gradients of a weight say.

    Attributes:
        view: the finest that was accepted; ``unused``: no gradient beyond rounding; ``None``: undecided after
            :data:`ROUNDS`, or for rounding.
        size: √(d·t) at that view (``none``: at the layer view), the root mean square over parts and rounds; 1 for a
            random direction.
        rounds: how many it took.
        silent: slices of dimension 0 whose gradient rounding could have made in all but a few rounds.
    """

    view: View | None
    size: float
    rounds: int
    silent: int


@dataclass
class _Cut:
    """One view under test.

    Attributes:
        evidence: log E of each part.
        heard: in how many rounds each part had a gradient.
        total: the sum of d·t over parts and rounds.
    """

    parts: int
    length: int
    evidence: Tensor
    heard: Tensor
    total: float = 0.0
    accepted: bool | None = None

    def hear(self, dots: Tensor, ww: Tensor, gg: Tensor, noise: float) -> None:
        """One round: the inner products of the slices, summed to those of the parts."""
        dot, w2, g2 = (one.reshape(self.parts, -1).sum(1) for one in (dots, ww, gg))
        loud = (w2 * g2).sqrt() > noise / SIGMA
        t = torch.where(loud, dot.square() / torch.where(loud, w2 * g2, 1.0), 0.0).clamp(max=1.0)
        self.heard += loud
        self.total += float(self.length * t.sum())
        self.evidence += torch.where(loud, log_ratio(t, self.length), 0.0)

    def decide(self, alpha: float, beta: float, *, late: bool) -> None:
        """Accept or reject, if there is evidence enough; late, parts that were hardly heard do not hold it up."""
        known = self.evidence[self.heard >= (enough(alpha) if late else 1)]
        if self.accepted is not None or len(known) == 0:
            return
        if float(known.min()) >= -math.log(alpha):
            self.accepted = True
        elif float(torch.logsumexp(-known, 0)) - math.log(len(known)) >= -math.log(beta):
            self.accepted = False

    @property
    def size(self) -> float:
        return math.sqrt(self.total / max(1, int(self.heard.sum())))


@dataclass
class _Test:
    shape: tuple[int, ...]
    cuts: list[_Cut] = field(default_factory=list)
    slices: Tensor = field(default_factory=lambda: torch.zeros(0))
    rounds: int = 0

    @property
    def open(self) -> bool:
        """Whether a view that could be the answer is undecided, of a weight that is not silent."""
        if self.rounds >= PATIENCE and not (self.cuts and bool(self.cuts[-1].heard.any())):
            return False
        for cut in self.cuts:
            if cut.accepted:
                return False
            if cut.accepted is None:
                return True
        return False

    def answer(self, alpha: float, *, sharp: bool) -> Tested:
        """What was found."""
        silent = int((self.slices < min(self.rounds, enough(alpha))).sum())
        # Whether a gradient was heard of in the whole weight; the layer view is the last.
        if not self.cuts or int(self.cuts[-1].heard.sum()) == 0:
            return Tested(UNUSED if sharp and self.cuts else None, 0.0, self.rounds, silent)
        for cut in self.cuts:
            if cut.accepted is None:
                return Tested(None, cut.size, self.rounds, silent)
            if cut.accepted:
                return Tested(view(cut.parts, self.shape), cut.size, self.rounds, silent)
        return Tested(NONE, self.cuts[-1].size, self.rounds, silent)


def log_ratio(t: Tensor, length: int, sigma: float = SIGMA) -> Tensor:
    """log q(t)/p(t) of parts of ``length`` ≥ 2 elements; see the head of this file."""
    inside = t < sigma**2
    shrunk = torch.where(inside, t / sigma**2, 0.0)
    ratio = -math.log(sigma) + (length - 3) / 2 * (torch.log1p(-shrunk) - torch.log1p(-torch.where(inside, t, 0.0)))
    return torch.where(inside, ratio, -torch.inf)


def enough(alpha: float) -> int:
    """In how many rounds a part must be heard before its evidence can reach 1/α, with one to spare."""
    return math.ceil(math.log(alpha) / math.log(SIGMA)) + 1


def tested(f: Evaluation, at: Reference, alpha: float, beta: float, generator: torch.Generator) -> dict[str, Tested]:
    """Test all weights at once, with the ε that f has now.

    Args:
        at: f and what rounding does to it, with that ε.
        alpha, beta: the error rates, for each weight.
    """
    tests = {name: _test(tuple(w.shape)) for name, w in f.weights.items()}
    for _ in range(ROUNDS):
        waiting = [name for name, test in tests.items() if test.open]
        if not waiting:
            break
        with f.moved(generator):
            cotangents, gradients = f.gradients(generator)
            noise = sum(float(v.norm()) * bound for v, bound in zip(cotangents, at.bounds, strict=True))
            for (name, w), g in zip(f.weights.items(), gradients, strict=True):
                if name in waiting:
                    _round(tests[name], w.detach(), g, noise, alpha, beta)
    return {name: test.answer(alpha, sharp=at.sharp) for name, test in tests.items()}


def _test(shape: tuple[int, ...]) -> _Test:
    size, slices = math.prod(shape), shape[0] if shape else 1
    asked = [parts for parts in cuts(shape) if size // parts >= 2]
    zeros = torch.zeros
    made = [_Cut(n, size // n, zeros(n, dtype=torch.float64), zeros(n, dtype=torch.int64)) for n in asked]
    return _Test(shape, made, zeros(slices, dtype=torch.int64))


def _round(test: _Test, w: Tensor, g: Tensor | None, noise: float, alpha: float, beta: float) -> None:
    test.rounds += 1
    if g is None:
        return
    w2d, g2d = w.reshape(len(test.slices), -1), g.reshape(len(test.slices), -1)
    dots, ww, gg = ((a * b).sum(1).cpu() for a, b in ((w2d, g2d), (w2d, w2d), (g2d, g2d)))
    test.slices += (ww * gg).sqrt() > noise / SIGMA
    for cut in test.cuts:
        cut.hear(dots, ww, gg, noise)
        cut.decide(alpha / len(test.cuts), beta / len(test.cuts), late=test.rounds >= PATIENCE)
