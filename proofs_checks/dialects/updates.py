"""How the update p is made of the gradient, before any projection: Eq. 7, and Adam with its relatives.

Each update is one function ``(dialect, field, w, g, state, hyper) → Update`` and the choices that it leaves open.
``hyper`` holds the hyper-parameters as elements of the field.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tangency.proofs_checks.dialects.choice import Choice, Dialect, Option
from tangency.theory.algorithms import State
from tangency.theory.fields import Array, Field


class Update(NamedTuple):
    """The update of one step.

    Attributes:
        p: the update before the projection.
        state: the buffers after the step.
        lr: the step size that multiplies the update.
    """

    p: Array
    state: dict[str, Any]
    lr: Any


def momentum(dialect: Dialect, field: Field, w: Array, g: Array, state: State, hyper: Mapping[str, Any]) -> Update:
    """Momentum SGD (Eq. 7)."""
    beta, dampening, before = hyper["momentum"], hyper["dampening"], state.get("momentum_buffer")
    taken, kept = dialect.compute("momentum", g, before, beta)
    buffer = dialect.compute("first_step", taken, kept, beta, dampening)
    p = buffer
    if hyper["nesterov"]:
        p = dialect.compute(
            "nesterov", taken, beta, dampening, buffer, field.zeros(g.shape) if before is None else before
        )
    return Update(p, {"momentum_buffer": buffer}, hyper["lr"])


def _dampened(g: Array, before: Array | None, momentum: Any, dampening: Any) -> Array:
    new: Array = (1 - dampening) * g
    return new if before is None else momentum * before + new


def _undampened(g: Array, before: Array | None, momentum: Any, dampening: Any) -> Array:
    return g if before is None or momentum == 0 else _dampened(g, before, momentum, dampening)


MOMENTUM_CHOICES = (
    Choice(
        "momentum",
        (
            Option("βp + g", "p ← βp + (1 − τ)g (Eq. 7)", lambda g, before, beta: (g, before)),
            Option(
                "βp + (1−β)g",
                "the buffer is an average of gradients, 1 − β times as long",
                lambda g, before, beta: ((1 - beta) * g, before),
                "lemma-2.2: norms grow by (1 − β)² of what it says",
                slip="the gradient enters the buffer with the factor 1 − β: an average where Eq. 7 has a sum",
            ),
            Option(
                "g",
                "nothing is kept of earlier gradients",
                lambda g, before, beta: (g, None),
                "lemma-2.2: the sum over earlier updates is missing",
                slip="the momentum buffer is not carried from step to step",
            ),
        ),
    ),
    Choice(
        "nesterov",
        (
            Option("g + βp", "the update is g + βp", lambda g, beta, dampening, p, before: g + beta * p),
            Option(
                "(1−τ)g + βp",
                "the dampening τ scales the gradient in the update too",
                lambda g, beta, dampening, p, before: (1 - dampening) * g + beta * p,
            ),
            Option(
                "g + β·(p before)",
                "the update is made of the buffer before the step",
                lambda g, beta, dampening, p, before: g + beta * before,
                slip="the Nesterov update is made of the buffer before the step: it is updated first",
            ),
            Option(
                "ignored",
                "the update is the buffer, Nesterov or not",
                lambda g, beta, dampening, p, before: p,
                slip="nesterov has no effect",
            ),
        ),
        about="nesterov",
        hyper={"nesterov": True, "dampening": 0.1},
    ),
    Choice(
        "first_step",
        (
            Option("dampened", "p_0 = (1 − τ)g: the buffer starts at 0 (Eq. 7)", _dampened),
            Option(
                "undampened",
                "p_0 = g: the first gradient fills the buffer whatever the dampening; without momentum there is none",
                _undampened,
            ),
        ),
        about="dampening",
        hyper={"dampening": 0.1},
    ),
)


class Moments(NamedTuple):
    """What the directions of Adam's relatives are made of.

    Attributes:
        m, v: the moments after this step.
        largest: the largest v so far, element by element, where the direction looks at it.
        t: the number of this step, from 1 on.
        first, second: what m and v are divided by to correct them, as the dialect has it.
    """

    dialect: Dialect
    field: Field
    g: Array
    m: Array
    v: Array
    largest: Array
    t: int
    first: Any
    second: Any
    hyper: Mapping[str, Any]

    @property
    def beta1(self) -> Any:
        """β₁."""
        return self.hyper["betas"][0]

    @property
    def denominator(self) -> Array:
        """√v with its ε."""
        made: Array = self.dialect.compute("epsilon", self.field, self.largest, self.second, self.hyper["eps"])
        return made


def adam(dialect: Dialect, field: Field, w: Array, g: Array, state: State, hyper: Mapping[str, Any]) -> Update:
    """Adam and its relatives (Algorithm 2, lines 2–4)."""
    b1, b2 = hyper["betas"]
    t = state.get("step", 0) + 1
    m = b1 * state.get("exp_avg", field.zeros(g.shape)) + (1 - b1) * g
    v = b2 * state.get("exp_avg_sq", field.zeros(g.shape)) + (1 - b2) * (g * g)
    kept = {"step": t, "exp_avg": m, "exp_avg_sq": v}
    largest = v
    if dialect["direction"] == "amsgrad":
        largest = kept["largest"] = _larger(field, state.get("largest", v), v)
    first, second = dialect.compute("bias_correction", 1 - b1**t, 1 - b2**t, field.element(1))
    moments = Moments(dialect, field, g, m, v, largest, t, first, second, hyper)
    p, step_size = dialect.compute("direction", moments)
    return Update(p, kept, step_size)


def _larger(field: Field, a: Array, b: Array) -> Array:
    result = a.copy()
    for i, (x, y) in enumerate(zip(a.flat, b.flat, strict=True)):
        if field.less(x, y) is True:
            result.flat[i] = y
    return result


def _plain(made: Moments) -> tuple[Array, Any]:
    """Adam's own direction and step size."""
    if not made.hyper["nesterov"]:
        return made.m / made.denominator, made.hyper["lr"] / made.first
    numerator, step_size = made.dialect.compute("nesterov", made)
    return numerator / made.denominator, step_size


def _nadam(made: Moments) -> tuple[Array, Any]:
    """NAdam as torch has it, with momentum_decay = 0.004."""
    one = made.field.element(1)

    def mu(k: int) -> Any:
        return made.beta1 * (1 - made.field.element(0.5 * 0.96 ** (k * 0.004)))

    product = one
    for k in range(1, made.t + 1):
        product = product * mu(k)
    t, after = made.t, product * mu(made.t + 1)
    numerator: Array = (1 - mu(t)) / (1 - product) * made.g + mu(t + 1) / (1 - after) * made.m
    return numerator / made.denominator, made.hyper["lr"]


def _radam(made: Moments) -> tuple[Array, Any]:
    """RAdam: rectified once the variance of 1/√v is known, plain momentum before."""
    field, b2, t, step_size = made.field, made.hyper["betas"][1], made.t, made.hyper["lr"] / made.first
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * t * b2**t / (1 - b2**t)
    if field.less(field.element(5), length) is not True:
        return made.m, step_size
    rect = field.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
    update: Array = rect * field.sqrt(made.second) * made.m / (field.sqrt_each(made.v) + made.hyper["eps"])
    return update, step_size


def _ahead(made: Moments) -> tuple[Array, Any]:
    """The numerator of Nesterov's Adam, and its step size, which corrects both terms."""
    return made.beta1 * made.m + (1 - made.beta1) * made.g, made.hyper["lr"] / made.first


def _each_ahead(made: Moments) -> tuple[Array, Any]:
    """Each term corrected by a power of its own; where m is not corrected there is nothing of the kind."""
    if made.dialect["bias_correction"] not in ("both", "first"):
        return _ahead(made)
    b1, t = made.beta1, made.t
    return b1 * made.m / (1 - b1 ** (t + 1)) + (1 - b1) * made.g / made.first, made.hyper["lr"]


def _of_adam(dialect: Mapping[str, str]) -> bool:
    return dialect["direction"] in ("adam", "amsgrad")


ADAM_CHOICES = (
    Choice(
        "direction",
        (
            Option("adam", "p = m/(√v + ε), Algorithm 2, line 4", _plain),
            Option("amsgrad", "p = m/(√max v + ε), the largest v so far (Reddi et al. 2018)", _plain),
            Option("nadam", "Nesterov's schedule on β₁: μ_t = β₁(1 − 0.96^{0.004t}/2) (Dozat 2016)", _nadam),
            Option("radam", "the step is rectified by the variance of 1/√v (Liu et al. 2020)", _radam),
        ),
    ),
    Choice(
        "bias_correction",
        (
            Option("both", "m is divided by 1 − β₁ᵗ, √v by √(1 − β₂ᵗ)", lambda first, second, one: (first, second)),
            Option(
                "none", "as Algorithm 2 prints: neither m nor v is corrected", lambda first, second, one: (one, one)
            ),
            Option(
                "first",
                "m alone is corrected",
                lambda first, second, one: (first, one),
                slip="√v is not divided by √(1 − β₂ᵗ)",
            ),
            Option(
                "second",
                "v alone is corrected",
                lambda first, second, one: (one, second),
                slip="m is not divided by 1 − β₁ᵗ",
            ),
        ),
        matters=_of_adam,
    ),
    Choice(
        "epsilon",
        (
            Option(
                "after correction",
                "√v/√(1 − β₂ᵗ) + ε",
                lambda field, v, second, eps: field.sqrt_each(v) / field.sqrt(second) + eps,
            ),
            Option(
                "before correction",
                "(√v + ε)/√(1 − β₂ᵗ): ε counts 1/√(1 − β₂ᵗ)-fold",
                lambda field, v, second, eps: (field.sqrt_each(v) + eps) / field.sqrt(second),
            ),
            Option(
                "inside the root",
                "√(v/(1 − β₂ᵗ) + ε)",
                lambda field, v, second, eps: field.sqrt_each(v / second + eps),
            ),
            Option(
                "inside, before correction",
                "√(v + ε)/√(1 − β₂ᵗ)",
                lambda field, v, second, eps: field.sqrt_each(v + eps) / field.sqrt(second),
            ),
            Option(
                "no root",
                "v/√(1 − β₂ᵗ) + ε",
                lambda field, v, second, eps: v / field.sqrt(second) + eps,
                "algorithm-2: the update shrinks as gradients grow",
                slip="the square root of v is missing",
            ),
        ),
        matters=_of_adam,
    ),
    Choice(
        "nesterov",
        (
            Option("β₁m + (1−β₁)g", "both terms corrected by 1 − β₁ᵗ", _ahead),
            Option("each corrected", "β₁m/(1 − β₁ᵗ⁺¹) + (1 − β₁)g/(1 − β₁ᵗ)", _each_ahead),
            Option(
                "ignored",
                "m/(1 − β₁ᵗ), Nesterov or not",
                lambda made: (made.m, made.hyper["lr"] / made.first),
                slip="nesterov has no effect",
            ),
        ),
        about="nesterov",
        hyper={"nesterov": True},
        matters=_of_adam,
    ),
)
