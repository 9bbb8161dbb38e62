"""The executable specification: the optimizers of the paper, line for line, over any field of :mod:`.fields`.

Every algorithm is one function ``step(field, w, g, state, **hyperparameters) -> Step``. ``w`` and ``g`` are the weights
and the gradient, of one shape; ``state`` is what the previous step returned (``{}`` at first) and is never changed.
Hyper-parameters may be numbers of any kind; a float is converted to the rational number that it equals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any, Protocol

from tangency.theory.fields import Array, Field
from tangency.theory.projection import VIEWS, View, choose_view, project, project_rows

State = Mapping[str, Any]
START: State = MappingProxyType({})


@dataclass(frozen=True)
class Step:
    """One step: the new weights and state, and what they were made of.

    Attributes:
        w: w_{t+1}.
        state: the buffers after the step.
        p: the update before the projection (Algorithm 1, line 2; Algorithm 2, line 4).
        q: the update after it (Eq. 11); ``p`` itself where nothing is projected.
        lr: the step size that multiplies ``q``.
        view: the view that projected the update; ``View.NONE`` where nothing was projected.
        shrink: what decoupled weight decay multiplies w by: w_{t+1} = shrink · w − lr · q.
    """

    w: Array
    state: State
    p: Array
    q: Array
    lr: Any
    view: View = View.NONE
    shrink: Any = 1


class Algorithm(Protocol):
    """The signature that all algorithms share."""

    def __call__(self, field: Field, w: Array, g: Array, state: State = START, **hyper: Any) -> Step: ...


def elements(field: Field, hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters as elements of a field; flags and views as they are."""

    def convert(value: Any) -> Any:
        if value is None or isinstance(value, bool | View):
            return value
        return tuple(map(field.element, value)) if isinstance(value, tuple) else field.element(value)

    return {name: value if name == "views" else convert(value) for name, value in hyper.items()}


def in_field(algorithm: Callable[..., Step]) -> Algorithm:
    """Convert the hyper-parameters to the field, and compute in its context."""

    @wraps(algorithm)
    def step(field: Field, w: Array, g: Array, state: State = START, **hyper: Any) -> Step:
        given = {**(algorithm.__kwdefaults__ or {}), **hyper}
        with field.context():
            return algorithm(field, w, g, state, **elements(field, given))

    return step


@in_field
def gd(field: Field, w: Array, g: Array, state: State, *, lr: Any) -> Step:
    """Gradient descent, Eq. 3 with p = ∇f(w): w ← w − ηp."""
    return Step(w - lr * g, START, g, g, lr)


@in_field
def heavy_ball(
    field: Field,
    w: Array,
    g: Array,
    state: State,
    *,
    lr: Any,
    momentum: Any,
    dampening: Any = 0,
    nesterov: bool = False,
) -> Step:
    """Heavy-ball momentum, Eq. 7: p ← βp + (1 − dampening) ∇f(w), w ← w − ηp, with p_{−1} = 0.

    With ``nesterov`` the update is ∇f(w) + βp (Sutskever et al. 2013, in the variables in which deep-learning
    libraries state it: w is the point where the gradient is taken).
    """
    buffer = momentum * state.get("momentum_buffer", field.zeros(w.shape)) + (1 - dampening) * g
    p = g + momentum * buffer if nesterov else buffer
    return Step(w - lr * p, {"momentum_buffer": buffer}, p, p, lr)


def nesterov(field: Field, w: Array, g: Array, state: State = START, **hyper: Any) -> Step:
    """Nesterov momentum: :func:`heavy_ball` whose update is ∇f(w) + βp."""
    return heavy_ball(field, w, g, state, nesterov=True, **hyper)


@in_field
def adam(
    field: Field,
    w: Array,
    g: Array,
    state: State,
    *,
    lr: Any,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    nesterov: bool = False,
    bias_correction: bool = True,
) -> Step:
    """Adam (Kingma & Ba 2015); Algorithm 2, lines 2–4.

    m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p = m/(√v + ε). With ``bias_correction``, as published code has it:
    p = m/(√v/√(1−β₂ᵗ) + ε) and the step size is η/(1−β₁ᵗ). ``nesterov`` replaces m in p by β₁m + (1−β₁)g.
    """
    beta1, beta2 = betas
    t = state.get("step", 0) + 1
    m = beta1 * state.get("exp_avg", field.zeros(w.shape)) + (1 - beta1) * g
    v = beta2 * state.get("exp_avg_sq", field.zeros(w.shape)) + (1 - beta2) * (g * g)
    root, step_size = field.sqrt_each(v), lr
    if bias_correction:
        root, step_size = root / field.sqrt(1 - beta2**t), lr / (1 - beta1**t)
    p = (beta1 * m + (1 - beta1) * g if nesterov else m) / (root + eps)
    return Step(w - step_size * p, {"step": t, "exp_avg": m, "exp_avg_sq": v}, p, p, step_size)


@in_field
def adamw(field: Field, w: Array, g: Array, state: State, *, lr: Any, weight_decay: Any = 0.01, **hyper: Any) -> Step:
    """AdamW (Loshchilov & Hutter 2019): Adam with the decoupled weight decay w ← (1 − ηλ)w − ηp."""
    return decayed(w, adam(field, w, g, state, lr=lr, **hyper), 1 - lr * weight_decay)


@in_field
def sgdp(
    field: Field,
    w: Array,
    g: Array,
    state: State,
    *,
    lr: Any,
    momentum: Any = 0,
    dampening: Any = 0,
    nesterov: bool = False,
    weight_decay: Any = 0,
    delta: Any = 0.1,
    wd_ratio: Any = 0.1,
    views: tuple[str | int, ...] = VIEWS,
    view: View | None = None,
) -> Step:
    """Algorithm 1, SGDP: p ← βp + ∇f(w); q by Eq. 11; w ← w − ηq.

    With the decoupled weight decay of E.1 as the published package scales it: w is first multiplied by
    1 − ηλr/(1−β), r = ``wd_ratio`` where the update is projected and 1 elsewhere. ``views`` are tried in turn, by
    their names or, of a head, its number of slices; ``view`` forces the decision of Eq. 11. The buffer holds p, not q.
    """
    plain = heavy_ball(field, w, g, state, lr=lr, momentum=momentum, dampening=dampening, nesterov=nesterov)
    step = projected(field, w, g, plain, delta, view, views)
    if weight_decay == 0:
        return decayed(w, step, field.element(1))
    ratio = 1 if step.view == View.NONE else wd_ratio
    return decayed(w, step, 1 - lr * weight_decay * ratio / (1 - momentum))


@in_field
def adamp(
    field: Field,
    w: Array,
    g: Array,
    state: State,
    *,
    lr: Any,
    weight_decay: Any = 0,
    delta: Any = 0.1,
    wd_ratio: Any = 0.1,
    views: tuple[str | int, ...] = VIEWS,
    view: View | None = None,
    **hyper: Any,
) -> Step:
    """Algorithm 2, AdamP: Adam's p; q by Eq. 11; w ← w − ηq, with the decoupled weight decay of E.1."""
    step = projected(field, w, g, adam(field, w, g, state, lr=lr, **hyper), delta, view, views)
    ratio = 1 if step.view == View.NONE else wd_ratio
    return decayed(w, step, 1 - lr * weight_decay * ratio)


def projected(
    field: Field,
    w: Array,
    g: Array,
    step: Step,
    delta: Any,
    view: View | None,
    views: tuple[str | int, ...] = VIEWS,
) -> Step:
    """q = Π_w(p), row by row of the view that Eq. 11 chooses from ``g``; p where it chooses none."""
    view = choose_view(field, w, g, delta, views) if view is None else view
    q = step.p if view == View.NONE else project_rows(view, w, step.p, field.scaled)
    return Step(step.w, step.state, step.p, q, step.lr, view)


def decayed(w: Array, step: Step, factor: Any) -> Step:
    """w ← factor · w − ηq: the decay multiplies the weights before the step."""
    return Step(factor * w - step.lr * step.q, step.state, step.p, step.q, step.lr, step.view, factor)


@in_field
def sgdg(field: Field, w: Array, g: Array, state: State, *, lr: Any, momentum: Any = 0, clip: Any = None) -> Step:
    """SGD-G on the Grassmann manifold, Algorithm 2 of Cho & Lee 2017 (§G.1); rows of ``w`` are the weight vectors.

    On y = w/‖w‖ with the tangent gradient h = Π_y(g), clipped to norm ν = ``clip``: d ← γd − ηh, then
    y ← y cos‖d‖ + (d/‖d‖) sin‖d‖, and d is carried along that geodesic. ``q`` is −d/η: what the step moves along.
    """

    def row(y: Array, g: Array, d: Array | None) -> tuple[Array, Array, Array]:
        h = _clip(field, project(y, g), clip)
        moved = -lr * h if d is None else momentum * d - lr * h
        return (*_geodesic(field, y, moved, moved), moved)

    return _on_grassmannian(field, w, g, state, row, lr)


@in_field
def adamg(
    field: Field,
    w: Array,
    g: Array,
    state: State,
    *,
    lr: Any,
    betas: tuple[Any, Any] = (0.9, 0.99),
    eps: Any = 1e-8,
    clip: Any = None,
) -> Step:
    """Adam-G on the Grassmann manifold, Algorithm 3 of Cho & Lee 2017 (§G.1); one second moment a weight vector.

    m ← β₁τ + (1−β₁)h, v ← β₂v + (1−β₂)‖h‖², d = −η √(1−β₂ᵗ)/(1−β₁ᵗ) · m/√(v+ε); y moves along d, and τ is m
    carried along that geodesic.
    """
    beta1, beta2 = betas
    t = state.get("step", 0) + 1
    previous = iter(state.get("second_moments", ()))
    moments = []

    def row(y: Array, g: Array, tau: Array | None) -> tuple[Array, Array, Array]:
        h = _clip(field, project(y, g), clip)
        m = (1 - beta1) * h if tau is None else beta1 * tau + (1 - beta1) * h
        moments.append(beta2 * next(previous, 0) + (1 - beta2) * (h @ h))
        d = -lr * field.sqrt(1 - beta2**t) / (1 - beta1**t) / field.sqrt(moments[-1] + eps) * m
        return (*_geodesic(field, y, d, m), d)

    step = _on_grassmannian(field, w, g, state, row, lr)
    return Step(step.w, {**step.state, "step": t, "second_moments": tuple(moments)}, step.p, step.q, step.lr)


def _on_grassmannian(field: Field, w: Array, g: Array, state: State, row: Any, lr: Any) -> Step:
    """Run a step on every row, normalised first, and keep the transported direction as state."""
    view = View.CHANNEL if w.ndim > 1 else View.LAYER
    new, carried, moved = field.zeros(w.shape), field.zeros(w.shape), field.zeros(w.shape)
    buffers = view.rows(state["direction"]) if "direction" in state else [None] * len(view.rows(w))
    rows = zip(view.rows(new), view.rows(carried), view.rows(moved), view.rows(w), view.rows(g), buffers, strict=True)
    for new_row, carried_row, moved_row, w_row, g_row, buffer in rows:
        y = w_row / field.sqrt(w_row @ w_row)
        new_row[:], carried_row[:], moved_row[:] = row(y, g_row, buffer)
    return Step(new, {"direction": carried}, g, moved / -lr, lr)


def _clip(field: Field, h: Array, limit: Any) -> Array:
    """h, shortened to norm ``limit`` where it is longer."""
    if limit is None or field.less(limit**2, h @ h) is False:
        return h
    clipped: Array = h * (limit / field.sqrt(h @ h))
    return clipped


def _geodesic(field: Field, y: Array, d: Array, carried: Array) -> tuple[Array, Array]:
    """The end of the geodesic from the unit vector y along the tangent d, and ``carried`` transported to that end."""
    length = field.sqrt(d @ d)
    if length == 0:
        return y, carried
    u = d / length
    sine, cosine = field.sin(length), field.cos(length)
    return cosine * y + sine * u, carried - (u @ carried) * (sine * y + (1 - cosine) * u)


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "gd": gd,
        "momentum": heavy_ball,
        "nesterov": nesterov,
        "adam": adam,
        "adamw": adamw,
        "sgdp": sgdp,
        "adamp": adamp,
        "sgdg": sgdg,
        "adamg": adamg,
    }
)
