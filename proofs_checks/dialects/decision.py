"""How a dialect decides by Eq. 11: its choices, and the function that puts them together."""

from typing import Any

from tangency.proofs_checks.dialects.choice import Choice, Dialect, Option
from tangency.theory.fields import Array, Field
from tangency.theory.projection import UndecidedView, View, view_of


def decide(
    dialect: Dialect, field: Field, w: Array, g: Array, delta: Any, eps: Any, views: tuple[str | int, ...]
) -> View:
    """The view through which the dialect projects, of the ``views`` of :func:`~tangency.theory.algorithms.sgdp`.

    Raises:
        UndecidedView: the field cannot tell on which side of Eq. 11 a view lies.
    """
    # No |cos| is below 0; a cosine that keeps its sign may be.
    never = delta == 0 and dialect["cosine"] == "absolute" and dialect["rows"] != "always"
    if w.size == 0 or never or not dialect.compute("rank", w):
        return View.NONE
    whole, seen = w, g
    for view in dialect.compute("views", w, tuple(map(view_of, views))):
        w, g = dialect.compute("axis", view, whole), dialect.compute("axis", view, seen)
        pairs = list(zip(view.rows(w), view.rows(g), strict=True))
        threshold = dialect.compute("threshold", field, delta, len(pairs[0][0]), len(pairs), w.size)
        cosines = [_cosine(dialect, field, w_row, g_row, eps) for w_row, g_row in pairs]
        passes = dialect.compute("rows", field, cosines, threshold)
        if passes is None:
            raise UndecidedView(view)
        if passes:
            return view  # type: ignore[no-any-return]
    return View.NONE


def _cosine(dialect: Dialect, field: Field, w: Array, g: Array, eps: Any) -> Any:
    dot, size = dialect.compute("cosine_epsilon", field, w, g, eps)
    dot = dialect.compute("cosine", field, dot)
    # A row with w = 0 or g = 0 has no angle; without ε it counts as orthogonal, as in the specification.
    return dot if size == 0 else dot / size


def at_least(field: Field, x: Any, low: Any) -> Any:
    return low if field.less(x, low) is True else x


def _absolute(field: Field, dot: Any) -> Any:
    return -dot if field.less(dot, field.element(0)) is True else dot


def _every(field: Field, cosines: list[Any], threshold: Any) -> bool | None:
    answers = [field.less(cosine, threshold) for cosine in cosines]
    return False if False in answers else None if None in answers else True


def _any(field: Field, cosines: list[Any], threshold: Any) -> bool | None:
    answers = [field.less(cosine, threshold) for cosine in cosines]
    return True if True in answers else None if None in answers else False


def _mean(field: Field, cosines: list[Any], threshold: Any) -> bool | None:
    return field.less(sum(cosines[1:], start=cosines[0]) / len(cosines), threshold)


def _norms(field: Field, w: Array, g: Array) -> tuple[Any, Any]:
    return field.sqrt(w @ w), field.sqrt(g @ g)


def _clamped(field: Field, w: Array, g: Array, low: Any) -> tuple[Any, Any]:
    """In the order of F.cosine_similarity, which divides first: orthogonal vectors may then have a cosine of 1e-17."""
    norms = _norms(field, w, g)
    w, g = (x if norm == 0 else x / at_least(field, norm, low) for x, norm in zip((w, g), norms, strict=True))
    return w @ g, 1


def _added(field: Field, w: Array, g: Array, eps: Any) -> tuple[Any, Any]:
    norms = _norms(field, w, g)
    return w @ g, (norms[0] + eps) * (norms[1] + eps)


def _product(field: Field, w: Array, g: Array) -> tuple[Any, Any]:
    norms = _norms(field, w, g)
    return w @ g, norms[0] * norms[1]


def _product_clamped(field: Field, w: Array, g: Array, eps: Any) -> tuple[Any, Any]:
    dot, size = _product(field, w, g)
    return dot, at_least(field, size, eps)


def _second_axis(view: View, x: Array) -> Array:
    return x.swapaxes(0, 1).copy() if view == View.CHANNEL and x.ndim >= 2 else x


def _views_in_turn(w: Array, views: tuple[View, ...]) -> tuple[View, ...]:
    return views if w.ndim >= 2 else (View.LAYER,)


DECISION_CHOICES = (
    Choice(
        "rank",
        (
            Option("two or more", "parameters of fewer than two dimensions are never projected", lambda w: w.ndim >= 2),
            Option(
                "any",
                "vectors and scalars are projected too",
                lambda w: True,
                slip="nothing looks at the number of dimensions: biases and gains are projected",
            ),
        ),
    ),
    Choice(
        "views",
        (
            Option("channel, layer", "the channel view is tried first, then the layer view", _views_in_turn),
            Option(
                "layer",
                "only the layer view",
                lambda w, views: (View.LAYER,),
                "eq-11: weights that are invariant by channel are not recognised",
                slip="the channel view is missing",
            ),
            Option(
                "channel",
                "only the channel view",
                lambda w, views: (View.CHANNEL,),
                "eq-11: weights that are invariant as a layer are not recognised",
                slip="the layer view is missing",
            ),
            Option(
                "layer, channel",
                "the layer view is tried first, then the channel view",
                lambda w, views: _views_in_turn(w, views)[::-1],
                "eq-11: weights that are invariant by channel are projected as a layer",
                slip="the views are tried in the wrong order: the channel view comes first (E.1)",
            ),
        ),
    ),
    Choice(
        "axis",
        (
            Option("first", "a channel is an entry of the first axis", lambda view, x: x),
            Option(
                "second",
                "a channel is an entry of the second axis",
                _second_axis,
                "eq-11: weights that are invariant by channel are not recognised",
                slip="the channels are taken along the wrong axis: dimension 0 of a weight has its output channels",
            ),
        ),
        matters=lambda dialect: dialect["views"] != "layer",
    ),
    Choice(
        "rows",
        (
            Option("every", "a view projects if every row passes Eq. 11", _every),
            Option(
                "mean",
                "a view projects if the mean cosine passes",
                _mean,
                "eq-11: a scale-variant row is projected",
                slip="the cosines of the rows are averaged: their maximum has to pass",
            ),
            Option(
                "any",
                "a view projects if one row passes",
                _any,
                "eq-11: scale-variant rows are projected",
                slip="one row is enough (min, any): every row has to pass (max, all)",
            ),
            Option(
                "always",
                "the first view projects, whatever its cosines",
                lambda field, cosines, threshold: True,
                "eq-11: scale-variant weights are projected",
                slip="the result of Eq. 11 is not used: everything is projected",
            ),
            Option(
                "never",
                "no view projects, whatever its cosines",
                lambda field, cosines, threshold: False,
                "eq-10: no update is projected",
                slip="nothing is projected: the test of Eq. 11 never passes, or its result is not used",
            ),
        ),
    ),
    Choice(
        "cosine",
        (
            Option("absolute", "|w·g| against the threshold", _absolute),
            Option(
                "signed",
                "w·g against the threshold, without absolute value",
                lambda field, dot: dot,
                "eq-11: a gradient along −w is projected",
                slip="the absolute value of w·g is missing",
            ),
        ),
    ),
    Choice(
        "cosine_of",
        (
            Option("gradient", "Eq. 11 looks at the gradient", lambda g, decayed, p: g),
            Option(
                "decayed gradient",
                "Eq. 11 looks at g + λw",
                lambda g, decayed, p: decayed,
                "eq-11: weight decay hides scale invariance",
                requires={"decay": "coupled"},
                slip="weight decay enters the gradient before Eq. 11 looks at it",
            ),
            Option(
                "update",
                "Eq. 11 looks at the update p",
                lambda g, decayed, p: p,
                "eq-11: momentum hides scale invariance",
                slip="Eq. 11 is asked about the update or the momentum, not about the gradient",
            ),
        ),
        hyper={"weight_decay": 0.01},
    ),
    Choice(
        "threshold",
        (
            Option(
                "δ/√dim",
                "the threshold of Eq. 11",
                lambda field, delta, dim, rows, size: delta / field.sqrt(field.element(dim)),
            ),
            Option(
                "δ",
                "no √dim in the threshold",
                lambda field, delta, dim, rows, size: delta,
                "eq-11: the threshold does not shrink with the dimension",
                slip="the division by √dim is missing",
            ),
            Option(
                "δ/dim",
                "dim without its root",
                lambda field, delta, dim, rows, size: delta / dim,
                "eq-11: the threshold shrinks too fast with the dimension",
                slip="the square root is missing: δ/dim where δ/√dim was due",
            ),
            Option(
                "δ/√rows",
                "the number of rows in place of their length",
                lambda field, delta, dim, rows, size: delta / field.sqrt(field.element(rows)),
                "eq-11: the threshold does not shrink with the dimension",
                slip="the threshold counts the rows, not the elements of a row: δ/√size(0) where δ/√size(1) was due",
            ),
            Option(
                "δ/√size",
                "the number of elements of the whole weight, in the channel view too",
                lambda field, delta, dim, rows, size: delta / field.sqrt(field.element(size)),
                "eq-11: the threshold shrinks too fast with the dimension",
                slip="the threshold counts the elements of the whole weight, not of a row: numel() for size(1)",
            ),
        ),
    ),
    Choice(
        "cosine_epsilon",
        (
            Option("none", "cos = w·g/(‖w‖‖g‖), scale-free", lambda field, w, g, eps: _product(field, w, g)),
            Option(
                "clamped at ε",
                "cos = w·g/(max(‖w‖, ε) max(‖g‖, ε))",
                _clamped,
                "eq-11: below ε a gradient looks orthogonal",
            ),
            Option(
                "clamped at 1e-8",
                "norms below 1e-8 count as 1e-8",
                lambda field, w, g, eps: _clamped(field, w, g, field.element(1e-8)),
                "eq-11: below 1e-8 a gradient looks orthogonal",
            ),
            Option("added", "cos = w·g/((‖w‖ + ε)(‖g‖ + ε))", _added, "eq-11: small gradients look orthogonal"),
            Option(
                "product clamped at ε",
                "cos = w·g/max(‖w‖‖g‖, ε)",
                _product_clamped,
                "eq-11: small gradients look orthogonal",
            ),
        ),
    ),
)
