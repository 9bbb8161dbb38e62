"""The step of a dialect, over any field with square roots, and the choices of its weight decay."""

from typing import Any

from tangency.proofs_checks.dialects.choice import Choice, Dialect, Option
from tangency.proofs_checks.dialects.decision import decide
from tangency.proofs_checks.dialects.projection import project
from tangency.proofs_checks.hyperparameters import DEFAULTS, HYPER
from tangency.theory.algorithms import START, State, Step, elements
from tangency.theory.fields import Array, Field
from tangency.theory.projection import View


def step(
    dialect: Dialect,
    field: Field,
    w: Array,
    g: Array,
    state: State = START,
    *,
    view: View | None = None,
    **hyper: Any,
) -> Step:
    """One step of a dialect; arguments as in :mod:`tangency.theory.algorithms`.

    Args:
        view: forces the decision of Eq. 11.
        hyper: the hyper-parameters; as the algorithm has them by default where they are left out.

    Raises:
        TypeError: there is no such hyper-parameter, or the algorithm has no dialects.
        UndecidedView: the field cannot tell on which side of Eq. 11 a view lies.
    """
    algorithm = dialect.algorithm
    compute, unknown = algorithm.update.compute, hyper.keys() - HYPER.keys()
    if compute is None:
        raise TypeError(f"{algorithm.name} has no dialects")
    if unknown:
        raise TypeError(f"there is no hyper-parameter {', '.join(sorted(unknown))}")
    with field.context():
        given = elements(field, {**DEFAULTS, **algorithm.defaults, **hyper})
        decay = given["weight_decay"]
        decayed, decay = dialect.compute("decay", w, g, decay) if decay != 0 else (g, decay)
        p, new, lr = compute(dialect, field, w, decayed, state, given)
        q, chosen = p, View.NONE
        if algorithm.projects:
            delta, eps = given["delta"], given["eps"]
            looked_at = dialect.compute("cosine_of", g, decayed, p)
            views = given["views"]
            chosen = decide(dialect, field, w, looked_at, delta, eps, views) if view is None else view
            q = p if chosen == View.NONE else project(dialect, field, chosen, w, p, eps)
            if "buffer" in dialect:
                buffer = dialect.compute("buffer", new["momentum_buffer"], q, given["nesterov"])
                new = {**new, "momentum_buffer": buffer}
        move = dialect.compute("sign", lr * q)
        if decay == 0:
            return Step(w - move, new, p, q, lr, chosen)
        scale = dialect.compute("decay_scale", given, new)
        if chosen != View.NONE:
            scale = dialect.compute("decay_ratio", scale, given["wd_ratio"])
        return Step(dialect.compute("decay_order", w, move, 1 - scale * decay), new, p, q, lr, chosen)


_SIGN = Choice(
    "sign",
    (
        Option("descent", "w ← w − ηq", lambda move: move),
        Option(
            "ascent",
            "w ← w + ηq",
            lambda move: -move,
            "rate: the objective grows",
            slip="the sign of the step: w + ηq where w − ηq was due",
        ),
    ),
)
# Each gives the gradient that enters the update, and what is left to scale the weights by.
_DECAY = Choice(
    "decay",
    (
        Option("decoupled", "w is scaled by a factor of its own", lambda w, g, decay: (g, decay)),
        Option("coupled", "λw is added to the gradient", lambda w, g, decay: (g + decay * w, 0)),
    ),
    about="weight_decay",
    hyper={"weight_decay": 0.01},
)


def _decoupled(name: str, *options: Option) -> Choice:
    """A choice of decoupled weight decay."""
    return Choice(name, options, _DECAY.about, _DECAY.hyper, matters=lambda dialect: dialect["decay"] == "decoupled")


_BY_LR = Option("lr", "the factor is 1 − ηλ", lambda hyper, state: hyper["lr"])
_BY_ONE = Option("1", "the factor is 1 − λ, whatever the step size", lambda hyper, state: 1)
_BY_MOMENTUM = Option(
    "lr/(1−momentum)",
    "the factor is 1 − ηλ/(1 − momentum)",
    lambda hyper, state: hyper["lr"] / (1 - hyper["momentum"]),
)
_BY_CORRECTED_LR = Option(
    "corrected lr",
    "the factor is 1 − λη/(1 − β₁ᵗ)",
    lambda hyper, state: hyper["lr"] / (1 - hyper["betas"][0] ** state["step"]),
)
_RATIO = _decoupled(
    "decay_ratio",
    Option("wd_ratio", "projected steps decay wd_ratio times as much (E.1)", lambda scale, ratio: scale * ratio),
    Option(
        "none",
        "projected steps decay as much as others",
        lambda scale, ratio: scale,
        slip="wd_ratio has no effect on the weight decay of a projected step",
    ),
)
_ORDER = _decoupled(
    "decay_order",
    Option("before", "the weights before the step decay", lambda w, move, factor: factor * w - move),
    Option(
        "after",
        "the weights after the step decay",
        lambda w, move, factor: factor * (w - move),
        slip="weight decay comes after the step: (1 − ηλ)(w − ηq) where (1 − ηλ)w − ηq was due",
    ),
)


def decay_choices(projects: bool, *scales: Option) -> tuple[Choice, ...]:
    """The choices of weight decay; ``scales`` are what the factor may be made of, the paper's first."""
    scale = _decoupled("decay_scale", _BY_LR, _BY_ONE, *scales)
    return (_SIGN, _DECAY, scale, *((_RATIO,) if projects else ()), _ORDER)


SGD_DECAY, ADAM_DECAY = (_BY_MOMENTUM,), (_BY_CORRECTED_LR,)
