"""The ledger of a run: where every step's growth of ‖w‖² comes from, for any gradients and any schedule.

Of a step w' = s w − ηu, s = 1 − ηλr, whose update u = a + b + d is made of the current gradient (a), of earlier ones
(b) and of the current weights (d, coupled weight decay):

    ‖w'‖² − ‖w‖² = η²‖u‖² − 2sη w·a − 2sη w·b + ((s² − 1)‖w‖² − 2sη w·d)
                    own      fresh     memory    decay

With w·g = 0 (Eq. 4) the fresh entry is 0, and the memory of heavy ball is the sum of Lemma 2.2. A projected update has
neither (Eq. 12). Coupled decay has its current share in the entry of the decay and its earlier ones, which the buffer
kept, in the memory; own has both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tangency.theory.algorithms import Step
from tangency.theory.fields import Array, Field
from tangency.theory.projection import View, project_rows


@dataclass(frozen=True)
class Ledger:
    """The entries of a step, or of several: numbers of any field.

    Attributes:
        own: η²‖u‖², the length of the step itself; never negative.
        fresh: −2sη w·a of the part a that the current gradient made.
        memory: −2sη w·b of the part b that earlier gradients made.
        decay: (s² − 1)‖w‖², and −2sη w·d of the part d that coupled weight decay made of the current weights.
    """

    own: Any
    fresh: Any
    memory: Any
    decay: Any

    @property
    def growth(self) -> Any:
        """‖w'‖² − ‖w‖², the sum of the entries."""
        return self.own + self.fresh + self.memory + self.decay

    def __add__(self, other: "Ledger") -> "Ledger":
        """The ledger of two steps together."""
        return Ledger(
            self.own + other.own, self.fresh + other.fresh, self.memory + other.memory, self.decay + other.decay
        )


Hyper = Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """The buffer that keeps earlier gradients, p_t = βp_{t−1} + c g_t, and what an update makes of the current one.

    Attributes:
        buffer: its name in the state of :mod:`.algorithms`.
        shares: β and c, from the field and the hyper-parameters.
        taken: what the update makes of a vector x in the place of the current gradient, all else as it was: linear in
            x. From the field, x, the step and the hyper-parameters.
    """

    buffer: str
    shares: Callable[[Field, Hyper], tuple[Any, Any]]
    taken: Callable[[Field, Array, Step, Hyper], Array]


def _momentum_shares(field: Field, hyper: Hyper) -> tuple[Any, Any]:
    return field.element(hyper.get("momentum", 0)), 1 - field.element(hyper.get("dampening", 0))


def _taken_by_momentum(field: Field, x: Array, step: Step, hyper: Hyper) -> Array:
    """(1 − τ) x of heavy ball (Eq. 7), (1 + β(1 − τ)) x of Nesterov momentum."""
    beta, share = _momentum_shares(field, hyper)
    made: Array = (1 + beta * share if hyper.get("nesterov") else share) * x
    return made


def _adam_shares(field: Field, hyper: Hyper) -> tuple[Any, Any]:
    beta = field.element(hyper.get("betas", (0.9, 0.999))[0])
    return beta, 1 - beta


def _taken_by_adam(field: Field, x: Array, step: Step, hyper: Hyper) -> Array:
    """(1 − β₁) x/(√v/√(1−β₂ᵗ) + ε), element by element, with the v of this step (Algorithm 2, lines 3 and 4).

    The bias correction 1/(1 − β₁ᵗ) is in ``step.lr``; with ``nesterov`` the share is (1 + β₁)(1 − β₁).
    """
    beta, share = _adam_shares(field, hyper)
    root = field.sqrt_each(step.state["exp_avg_sq"])
    if hyper.get("bias_correction", True):
        root = root / field.sqrt(1 - field.element(hyper.get("betas", (0.9, 0.999))[1]) ** step.state["step"])
    if hyper.get("nesterov"):
        share = (1 + beta) * share
    made: Array = share * x / (root + field.element(hyper.get("eps", 1e-8)))
    return made


MOMENTUM = Moment("momentum_buffer", _momentum_shares, _taken_by_momentum)
ADAM = Moment("exp_avg", _adam_shares, _taken_by_adam)


@dataclass(frozen=True)
class Parts:
    """What the update u of a step is made of: u = fresh + memory + pull, each of the shape of w.

    Attributes:
        fresh: of the current gradient.
        memory: of earlier gradients, and of what coupled decay added to them.
        pull: of the current weights, by coupled weight decay; 0 where there is none.
    """

    fresh: Array
    memory: Array
    pull: Array


def parts_of(field: Field, moment: Moment, w: Array, g: Array, step: Step, hyper: Hyper, coupled: Any = 0) -> Parts:
    """The parts of the update that a step went along: of ``step.q``, since Π is linear (Eq. 10).

    Args:
        field: of all numbers.
        moment: of the algorithm.
        w, g: the weights before the step, and the gradient of the loss alone.
        step: the step; under coupled decay it was taken from g + λw.
        hyper: its hyper-parameters.
        coupled: λ of coupled weight decay.
    """
    with field.context():
        fresh = moment.taken(field, g, step, hyper)
        pull = moment.taken(field, field.element(coupled) * w, step, hyper)
        found = (fresh, step.p - fresh - pull, pull)
        if step.view != View.NONE:
            found = tuple(project_rows(step.view, w, part) for part in found)  # type: ignore[assignment]
        return Parts(*found)


def ledger(field: Field, w: Array, step: Step, parts: Parts) -> Ledger:
    """The entries of one step."""

    def along(part: Array) -> Any:
        return -2 * step.shrink * step.lr * (w * part).sum()

    with field.context():
        square, own = (w * w).sum(), step.lr * step.lr * (step.q * step.q).sum()
        decay = (step.shrink * step.shrink - 1) * square + along(parts.pull)
        return Ledger(own, along(parts.fresh), along(parts.memory), decay)


def ledgers(
    field: Field, moment: Moment, history: Sequence[tuple[Array, Array, Step]], hyper: Hyper, coupled: Any = 0
) -> Iterator[Ledger]:
    """The entries of every step of a run, given as (w_t, g_t, step t); ‖w_T‖² − ‖w_0‖² is the growth of their sum."""
    for w, g, step in history:
        yield ledger(field, w, step, parts_of(field, moment, w, g, step, hyper, coupled))


def next_radial(beta: Any, shrink: Any, lr: Any, radial: Any, product: Any, fresh: Any) -> Any:
    """w_{t+1}·p_{t+1} from w_t·p_t: β(s_t w_t·p_t − η_t u_t·p_t) + c w_{t+1}·g_{t+1}, for p_{t+1} = βp_t + c g_{t+1}.

    It asks nothing of the gradients, nor of the update u_t, which may be p_t, g_t + βp_t or a projection of either.
    The memory entry of heavy ball at t + 1 is −2sη times all of it but the last term. Adam has it with p = m and
    c = 1 − β₁, as a whole and element by element; its memory is the sum of the elements over the step's denominators.

    Args:
        radial: w_t·p_t.
        product: u_t·p_t.
        fresh: c w_{t+1}·g_{t+1}.
    """
    return beta * (shrink * radial - lr * product) + fresh
