"""Dialects: the choices in which published implementations of these optimizers differ, and the step that they make.

The specification of :mod:`.algorithms` is one dialect of its family (:data:`PAPER`); the published ``adamp`` package is
another (:data:`PUBLISHED`). A dialect is one value for every choice of :data:`CHOICES`; :func:`step` runs it over any
field with square roots.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tangency.theory.algorithms import START, State, Step
from tangency.theory.fields import Array, Field
from tangency.theory.projection import UndecidedView, View

Dialect = Mapping[str, str]


@dataclass(frozen=True)
class Option:
    """One value of a choice.

    Attributes:
        value: its name.
        says: what it does, with its formula.
        violates: the statement of the paper that is false of it, and how; empty if none is.
    """

    value: str
    says: str
    violates: str = ""


@dataclass(frozen=True)
class Choice:
    """One point at which implementations differ.

    Attributes:
        name: of the choice.
        family: ``sgd`` or ``adam``; empty for both.
        projecting: whether only algorithms that project have it.
        options: what is found in the wild; the paper's value first where the paper says.
    """

    name: str
    family: str
    projecting: bool
    options: tuple[Option, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(option.value for option in self.options)

    def option(self, value: str) -> Option:
        """The option of a name."""
        return next(option for option in self.options if option.value == value)


def _choice(name: str, family: str, projecting: bool, *options: tuple[str, ...]) -> Choice:
    return Choice(name, family, projecting, tuple(Option(*option) for option in options))


CHOICES: tuple[Choice, ...] = (
    _choice(
        "direction",
        "adam",
        False,
        ("adam", "p = m/(√v + ε), Algorithm 2, line 4"),
        ("amsgrad", "p = m/(√max v + ε), the largest v so far (Reddi et al. 2018)"),
        ("nadam", "Nesterov's schedule on β₁: μ_t = β₁(1 − 0.96^{0.004t}/2) (Dozat 2016)"),
        ("radam", "the step is rectified by the variance of 1/√v (Liu et al. 2020)"),
    ),
    _choice(
        "bias_correction",
        "adam",
        False,
        ("both", "m is divided by 1 − β₁ᵗ, √v by √(1 − β₂ᵗ)"),
        ("none", "as Algorithm 2 prints: neither m nor v is corrected"),
        ("first", "m alone is corrected"),
        ("second", "v alone is corrected"),
    ),
    _choice(
        "epsilon",
        "adam",
        False,
        ("after correction", "√v/√(1 − β₂ᵗ) + ε"),
        ("before correction", "(√v + ε)/√(1 − β₂ᵗ): ε counts 1/√(1 − β₂ᵗ)-fold"),
        ("inside the root", "√(v/(1 − β₂ᵗ) + ε)"),
        ("inside, before correction", "√(v + ε)/√(1 − β₂ᵗ)"),
    ),
    _choice(
        "nesterov",
        "adam",
        False,
        ("β₁m + (1−β₁)g", "both terms corrected by 1 − β₁ᵗ"),
        ("each corrected", "β₁m/(1 − β₁ᵗ⁺¹) + (1 − β₁)g/(1 − β₁ᵗ)"),
    ),
    _choice(
        "nesterov",
        "sgd",
        False,
        ("g + βp", "the update is g + βp"),
        ("(1−τ)g + βp", "the dampening τ scales the gradient in the update too"),
    ),
    _choice(
        "first_step",
        "sgd",
        False,
        ("dampened", "p_0 = (1 − τ)g: the buffer starts at 0 (Eq. 7)"),
        (
            "undampened",
            "p_0 = g: the first gradient fills the buffer whatever the dampening; without momentum there is none",
        ),
    ),
    _choice(
        "buffer",
        "sgd",
        True,
        ("unprojected", "the momentum buffer keeps p (Algorithm 1)"),
        (
            "projected",
            "the projected update is written back into the momentum buffer, except under Nesterov momentum",
            "algorithm-1: the buffer of Algorithm 1 holds p, not q",
        ),
    ),
    _choice(
        "rank",
        "",
        True,
        ("two or more", "parameters of fewer than two dimensions are never projected"),
        ("any", "vectors and scalars are projected too"),
    ),
    _choice(
        "views",
        "",
        True,
        ("channel, layer", "the channel view is tried first, then the layer view"),
        ("layer", "only the layer view", "eq-11: weights that are invariant by channel are not recognised"),
        ("channel", "only the channel view", "eq-11: weights that are invariant as a layer are not recognised"),
    ),
    _choice(
        "rows",
        "",
        True,
        ("every", "a view projects if every row passes Eq. 11"),
        ("mean", "a view projects if the mean cosine passes", "eq-11: a scale-variant row is projected"),
        ("any", "a view projects if one row passes", "eq-11: scale-variant rows are projected"),
    ),
    _choice(
        "cosine",
        "",
        True,
        ("absolute", "|w·g| against the threshold"),
        ("signed", "w·g against the threshold, without absolute value", "eq-11: a gradient along −w is projected"),
    ),
    _choice(
        "cosine_of",
        "",
        True,
        ("gradient", "Eq. 11 looks at the gradient"),
        ("decayed gradient", "Eq. 11 looks at g + λw", "eq-11: weight decay hides scale invariance"),
        ("update", "Eq. 11 looks at the update p", "eq-11: momentum hides scale invariance"),
    ),
    _choice(
        "threshold",
        "",
        True,
        ("δ/√dim", "the threshold of Eq. 11"),
        ("δ", "no √dim in the threshold", "eq-11: the threshold does not shrink with the dimension"),
        ("δ/dim", "dim without its root", "eq-11: the threshold shrinks too fast with the dimension"),
    ),
    _choice(
        "cosine_epsilon",
        "",
        True,
        ("none", "cos = w·g/(‖w‖‖g‖), scale-free"),
        ("clamped at ε", "cos = w·g/(max(‖w‖, ε) max(‖g‖, ε))", "eq-11: below ε a gradient looks orthogonal"),
        ("clamped at 1e-8", "norms below 1e-8 count as 1e-8", "eq-11: below 1e-8 a gradient looks orthogonal"),
        ("added", "cos = w·g/((‖w‖ + ε)(‖g‖ + ε))", "eq-11: small gradients look orthogonal"),
        ("product clamped at ε", "cos = w·g/max(‖w‖‖g‖, ε)", "eq-11: small gradients look orthogonal"),
    ),
    _choice(
        "norm_epsilon",
        "",
        True,
        ("none", "Π(x) = x − (w·x/w·w) w"),
        (
            "added",
            "ŵ = w/(‖w‖ + ε)",
            "eq-10: Π is not idempotent, a share 2ε/‖w‖ of the radial part stays; eq-12 and proposition-3.1 with it",
        ),
        ("clamped", "ŵ = w/max(‖w‖, ε)", "eq-10: below ‖w‖ = ε the radial component stays"),
    ),
    _choice(
        "decay",
        "",
        False,
        ("decoupled", "w is scaled by a factor of its own"),
        ("coupled", "λw is added to the gradient"),
    ),
    _choice(
        "decay_scale",
        "adam",
        False,
        ("lr", "the factor is 1 − ηλ"),
        ("1", "the factor is 1 − λ, whatever the step size"),
        ("corrected lr", "the factor is 1 − λη/(1 − β₁ᵗ)"),
    ),
    _choice(
        "decay_scale",
        "sgd",
        False,
        ("lr", "the factor is 1 − ηλ"),
        ("1", "the factor is 1 − λ, whatever the step size"),
        ("lr/(1−momentum)", "the factor is 1 − ηλ/(1 − momentum)"),
    ),
    _choice(
        "decay_ratio",
        "",
        True,
        ("wd_ratio", "projected steps decay wd_ratio times as much (E.1)"),
        ("none", "projected steps decay as much as others"),
    ),
    _choice(
        "decay_order",
        "",
        False,
        ("before", "the weights before the step decay"),
        ("after", "the weights after the step decay"),
    ),
)


def choices(family: str, projecting: bool) -> tuple[Choice, ...]:
    """The choices that a family has, with or without projection."""
    return tuple(c for c in CHOICES if c.family in ("", family) and (projecting or not c.projecting))


def matters(choice: str, dialect: Dialect) -> bool:
    """Whether a choice can show at all, given the others."""
    if choice.startswith("decay_"):
        return dialect["decay"] == "decoupled"
    if choice == "rows":
        return dialect["views"] != "layer"
    if choice in ("bias_correction", "epsilon", "nesterov"):
        return dialect.get("direction", "adam") in ("adam", "amsgrad")
    return True


def _first(family: str, projecting: bool, **changes: str) -> Dialect:
    plain = {choice.name: choice.values[0] for choice in choices(family, projecting)}
    return MappingProxyType(plain | changes)


# What the paper says, with the bias correction and the weight decay of the published code (paper, E.1).
PAPER: Mapping[str, Dialect] = MappingProxyType(
    {
        "adamp": _first("adam", True),
        "sgdp": _first("sgd", True, decay_scale="lr/(1−momentum)"),
        "adamw": _first("adam", False),
        "adam": _first("adam", False, decay="coupled"),
        "sgd": _first("sgd", False, decay="coupled"),
    }
)
# What the reference implementation of each algorithm computes: the adamp package (0.3.0), torch.optim.
PUBLISHED: Mapping[str, Dialect] = MappingProxyType(
    {
        "adamp": _first("adam", True, cosine_epsilon="clamped at ε", norm_epsilon="added"),
        "sgdp": _first(
            "sgd",
            True,
            decay_scale="lr/(1−momentum)",
            cosine_epsilon="clamped at ε",
            norm_epsilon="added",
            buffer="projected",
        ),
        "adamw": PAPER["adamw"],
        "adam": PAPER["adam"],
        "sgd": _first("sgd", False, decay="coupled", first_step="undampened"),
    }
)


def step(
    dialect: Dialect,
    field: Field,
    w: Array,
    g: Array,
    state: State = START,
    *,
    lr: Any,
    momentum: Any = 0,
    dampening: Any = 0,
    nesterov: bool = False,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 0,
    delta: Any = 0.1,
    wd_ratio: Any = 0.1,
    view: View | None = None,
) -> Step:
    """One step of a dialect; arguments as in :mod:`.algorithms`.

    Args:
        eps: of the cosine and the norm of SGDP too, whose published form takes one.
        view: forces the decision of Eq. 11.

    Raises:
        UndecidedView: the field cannot tell on which side of Eq. 11 a view lies.
    """
    with field.context():
        number = field.element
        lr, decay, eps, ratio = number(lr), number(weight_decay), number(eps), number(wd_ratio)
        moved = g + decay * w if dialect["decay"] == "coupled" and weight_decay != 0 else g
        if "direction" in dialect:
            p, new, step_size = _adam(dialect, field, moved, state, lr, betas, eps, nesterov)
        else:
            p, new = _sgd(dialect, field, moved, state, number(momentum), number(dampening), nesterov)
            step_size = lr
        q, chosen = p, View.NONE
        # No |cos| is below 0; a cosine that keeps its sign may be.
        if "views" in dialect and (delta != 0 or dialect["cosine"] == "signed"):
            looked_at = {"gradient": g, "decayed gradient": moved, "update": p}[dialect["cosine_of"]]
            chosen = view if view is not None else _decide(dialect, field, w, looked_at, number(delta), eps)
            q = p if chosen is View.NONE else _project(dialect, field, chosen, w, p, eps)
            if dialect.get("buffer") == "projected" and not nesterov:
                new = {**new, "momentum_buffer": q}
        if weight_decay == 0 or dialect["decay"] == "coupled":
            return Step(w - step_size * q, new, p, q, step_size, chosen)
        scale = {
            "lr": lambda: lr,
            "1": lambda: number(1),
            "lr/(1−momentum)": lambda: lr / (1 - number(momentum)),
            "corrected lr": lambda: lr / (1 - number(betas[0]) ** new["step"]),
        }[dialect["decay_scale"]]()
        if chosen is not View.NONE and dialect.get("decay_ratio") == "wd_ratio":
            scale = scale * ratio
        factor = 1 - scale * decay
        after = factor * w - step_size * q if dialect["decay_order"] == "before" else factor * (w - step_size * q)
        return Step(after, new, p, q, step_size, chosen)


def _sgd(
    dialect: Dialect, field: Field, g: Array, state: State, momentum: Any, dampening: Any, nesterov: bool
) -> tuple[Array, dict[str, Any]]:
    """The update and the buffer of momentum SGD (Eq. 7)."""
    before = state.get("momentum_buffer")
    if dialect["first_step"] == "undampened" and (before is None or momentum == 0):
        buffer = g
    else:
        buffer = (1 - dampening) * g if before is None else momentum * before + (1 - dampening) * g
    kept = {"momentum_buffer": buffer}
    if not nesterov:
        return buffer, kept
    return (g if dialect["nesterov"] == "g + βp" else (1 - dampening) * g) + momentum * buffer, kept


def _adam(
    dialect: Dialect,
    field: Field,
    g: Array,
    state: State,
    lr: Any,
    betas: tuple[Any, Any],
    eps: Any,
    nesterov: bool,
) -> tuple[Array, dict[str, Any], Any]:
    """The update, the buffers and the step size of Adam and its relatives (Algorithm 2, lines 2–4)."""
    b1, b2 = map(field.element, betas)
    t = state.get("step", 0) + 1
    m = b1 * state.get("exp_avg", field.zeros(g.shape)) + (1 - b1) * g
    v = b2 * state.get("exp_avg_sq", field.zeros(g.shape)) + (1 - b2) * (g * g)
    kept = {"step": t, "exp_avg": m, "exp_avg_sq": v}
    largest = v
    if dialect["direction"] == "amsgrad":
        largest = _larger(field, state.get("largest", v), v)
        kept["largest"] = largest
    correct = dialect["bias_correction"]
    first = 1 - b1**t if correct in ("both", "first") else field.element(1)
    second = 1 - b2**t if correct in ("both", "second") else field.element(1)
    if dialect["direction"] == "radam":
        return _radam(field, m, v, b2, t, second, eps), kept, lr / first
    root = field.sqrt(second)
    forms: dict[str, Callable[[], Array]] = {
        "after correction": lambda: field.sqrt_each(largest) / root + eps,
        "before correction": lambda: (field.sqrt_each(largest) + eps) / root,
        "inside the root": lambda: field.sqrt_each(largest / second + eps),
        "inside, before correction": lambda: field.sqrt_each(largest + eps) / root,
    }
    denominator = forms[dialect["epsilon"]]()
    if dialect["direction"] == "nadam":
        return _nadam(field, g, m, b1, t) / denominator, kept, lr
    if not nesterov:
        return m / denominator, kept, lr / first
    if dialect["nesterov"] == "each corrected" and correct in ("both", "first"):
        return (b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / first) / denominator, kept, lr
    return (b1 * m + (1 - b1) * g) / denominator, kept, lr / first


def _nadam(field: Field, g: Array, m: Array, b1: Any, t: int) -> Array:
    """The corrected numerator of NAdam as torch has it, with momentum_decay = 0.004."""

    def mu(k: int) -> Any:
        return b1 * (1 - field.element(0.5 * 0.96 ** (k * 0.004)))

    product = field.element(1)
    for k in range(1, t + 1):
        product = product * mu(k)
    numerator: Array = (1 - mu(t)) / (1 - product) * g + mu(t + 1) / (1 - product * mu(t + 1)) * m
    return numerator


def _radam(field: Field, m: Array, v: Array, b2: Any, t: int, second: Any, eps: Any) -> Array:
    """The update of RAdam before 1/(1 − β₁ᵗ): rectified once the variance of 1/√v is known, plain momentum before."""
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * t * b2**t / (1 - b2**t)
    if field.less(field.element(5), length) is not True:
        return m
    rect = field.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
    update: Array = rect * field.sqrt(second) * m / (field.sqrt_each(v) + eps)
    return update


def _larger(field: Field, a: Array, b: Array) -> Array:
    result = a.copy()
    for i, (x, y) in enumerate(zip(a.flat, b.flat, strict=True)):
        if field.less(x, y) is True:
            result.flat[i] = y
    return result


def _decide(dialect: Dialect, field: Field, w: Array, g: Array, delta: Any, eps: Any) -> View:
    """The view through which the dialect projects."""
    if w.size == 0 or (w.ndim < 2 and dialect["rank"] == "two or more"):
        return View.NONE
    for view in (View.CHANNEL, View.LAYER):
        if view.value not in dialect["views"] or (
            w.ndim < 2 and view is View.CHANNEL and dialect["views"] != "channel"
        ):
            continue
        answer = _passes(dialect, field, view, w, g, delta, eps)
        if answer is None:
            raise UndecidedView(view)
        if answer:
            return view
    return View.NONE


def _passes(dialect: Dialect, field: Field, view: View, w: Array, g: Array, delta: Any, eps: Any) -> bool | None:
    """Eq. 11 for a view, as the dialect asks it."""
    pairs = list(zip(view.rows(w), view.rows(g), strict=True))
    dim = len(pairs[0][0])
    threshold = {
        "δ/√dim": lambda: delta / field.sqrt(field.element(dim)),
        "δ": lambda: delta,
        "δ/dim": lambda: delta / dim,
    }[dialect["threshold"]]()
    cosines = [_cosine(dialect, field, w_row, g_row, eps) for w_row, g_row in pairs]
    if dialect["rows"] == "mean":
        return field.less(sum(cosines[1:], start=cosines[0]) / len(cosines), threshold)
    answers = [field.less(cosine, threshold) for cosine in cosines]
    decisive = dialect["rows"] == "any"
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive


def _cosine(dialect: Dialect, field: Field, w: Array, g: Array, eps: Any) -> Any:
    norms = [field.sqrt(w @ w), field.sqrt(g @ g)]
    size: Any = 1
    low = {"clamped at ε": eps, "clamped at 1e-8": field.element(1e-8)}.get(dialect["cosine_epsilon"])
    if low is not None:
        # In the order of F.cosine_similarity, which divides first: orthogonal vectors may then have a cosine of 1e-17.
        w, g = (x if norm == 0 else x / _at_least(field, norm, low) for x, norm in zip((w, g), norms, strict=True))
    else:
        size = {
            "none": lambda: norms[0] * norms[1],
            "added": lambda: (norms[0] + eps) * (norms[1] + eps),
            "product clamped at ε": lambda: _at_least(field, norms[0] * norms[1], eps),
        }[dialect["cosine_epsilon"]]()
    dot = w @ g
    if dialect["cosine"] == "absolute" and field.less(dot, field.element(0)) is True:
        dot = -dot
    # A row with w = 0 or g = 0 has no angle; without ε it counts as orthogonal, as in the specification.
    return dot if size == 0 else dot / size


def _project(dialect: Dialect, field: Field, view: View, w: Array, x: Array, eps: Any) -> Array:
    """Eq. 10 on every row of a view, with the dialect's ε."""
    result = x.copy()
    for row, w_row, x_row in zip(view.rows(result), view.rows(w), view.rows(x), strict=True):
        square = w_row @ w_row
        if dialect["norm_epsilon"] == "none":
            row[:] = x_row if square == 0 else x_row - (w_row @ x_row) / square * w_row
            continue
        norm = field.sqrt(square)
        size = norm + eps if dialect["norm_epsilon"] == "added" else _at_least(field, norm, eps)
        if size != 0:
            row[:] = x_row - (w_row @ x_row) / (size * size) * w_row
    return result


def _at_least(field: Field, x: Any, low: Any) -> Any:
    return low if field.less(x, low) is True else x
