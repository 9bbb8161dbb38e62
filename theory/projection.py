"""The projection onto the tangent space (Eq. 10) and the test that decides whether to apply it (Eq. 11). §3.1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tangency.theory.fields import Array, Field


@dataclass(frozen=True)
class View:
    """How a weight tensor is cut into rows, each with a norm and a tangent space of its own (E.1).

    Attributes:
        value: its name.
        slices: how many slices of dimension 0 are a row; 0 for all of them.
    """

    value: str
    slices: int = 0

    CHANNEL: ClassVar["View"]
    LAYER: ClassVar["View"]
    NONE: ClassVar["View"]

    def rows(self, x: Array) -> Array:
        """``x`` as rows, shape (rows, dim)."""
        return x.reshape(x.shape[0] // self.slices if self.slices else 1, -1)


View.CHANNEL, View.LAYER, View.NONE = View("channel", 1), View("layer"), View("none")
# The views of E.1, in the order in which they are tried, as algorithms take them.
VIEWS = ("channel", "layer")


def view_of(named: str | int) -> View:
    """A view as algorithms take it: by its name, or, a row for every head, the number of slices in a head."""
    return View("head", named) if isinstance(named, int) else {"channel": View.CHANNEL, "layer": View.LAYER}[named]


class UndecidedView(ArithmeticError):
    """The field cannot tell on which side of Eq. 11 a view lies."""

    def __init__(self, view: View) -> None:
        super().__init__(f"Eq. 11 is undecided in the {view.value} view: the comparison is within the field's rounding")
        self.view = view


def turned(w: Array, stride: int = 1) -> Array:
    """Every row (the last axis) turned by 90° in pairs of elements, (a, b) ↦ (b, −a): w·turned(w) = 0 without rounding.

    The elements of a pair are ``stride`` apart, at most half a row; one without a partner becomes 0.
    """
    result, dim = np.zeros_like(w), w.shape[-1]
    apart = min(stride, max(1, dim // 2))
    for start in range(0, dim - apart, 2 * apart):
        i = np.arange(start, min(start + apart, dim - apart))
        result[..., i], result[..., i + apart] = w[..., i + apart], -w[..., i]
    return result


def project(w: Array, x: Array) -> Array:
    """Π_w(x) = x − (ŵ·x) ŵ of vectors, shape (dim,), as x − (w·x / w·w) w: no square root (Eq. 10). Π_0 = identity."""
    square = w @ w
    return x if square == 0 else x - (w @ x) / square * w


def project_rows(view: View, w: Array, x: Array, scaled: Callable[[Array], Array] = lambda row: row) -> Array:
    """Π of every row of a view; the result has the shape of ``x``. ``scaled`` may rescale w: Π ignores its scale."""
    result = x.copy()
    for row, w_row, x_row in zip(view.rows(result), view.rows(w), view.rows(x), strict=True):
        row[:] = project(scaled(w_row), x_row)
    return result


def looks_scale_invariant(field: Field, w: Array, g: Array, delta: Any) -> bool | None:
    """Eq. 11 for one row: cos(w, g) < δ/√dim, squared: (w·g)² dim < δ² ‖w‖² ‖g‖². ``None``: undecided.

    A row with w = 0 or g = 0 has no angle: it counts as cos = 0, so it never keeps a view from passing.
    """
    if delta == 0:
        return False  # no |cos| is below 0, however it is rounded
    w, g = field.scaled(w), field.scaled(g)
    norms = (w @ w) * (g @ g)
    if norms == 0:
        return field.less(field.element(0), delta)
    dot = w @ g
    # Not dot**2: the power of a ball that contains 0 is NaN.
    return field.less(dot * dot * len(w), delta**2 * norms)


def view_decision(field: Field, view: View, w: Array, g: Array, delta: Any) -> bool | None:
    """Whether every row of a view passes Eq. 11: ``False`` if a row fails, else ``None`` if a row is undecided."""
    answers = [looks_scale_invariant(field, *rows, delta) for rows in zip(view.rows(w), view.rows(g), strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def choose_view(field: Field, w: Array, g: Array, delta: Any, views: Sequence[str | int] = VIEWS) -> View:
    """The first of the views all of whose rows pass Eq. 11; fewer than two dimensions are never projected.

    Raises:
        UndecidedView: a comparison that matters is undecided in this field.
    """
    if w.ndim < 2 or w.size == 0:
        return View.NONE
    for view in map(view_of, views):
        answer = view_decision(field, view, w, g, delta)
        if answer is None:
            raise UndecidedView(view)
        if answer:
            return view
    return View.NONE
