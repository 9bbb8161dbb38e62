"""How a dialect projects by Eq. 10: its choices, and the function that puts them together."""

from typing import Any

from tangency.proofs_checks.dialects.choice import Choice, Dialect, Option
from tangency.proofs_checks.dialects.decision import at_least
from tangency.theory.fields import Array, Field
from tangency.theory.projection import View


def project(dialect: Dialect, field: Field, view: View, w: Array, x: Array, eps: Any) -> Array:
    """Eq. 10 on every row of a view, with the dialect's ε."""
    w, x = dialect.compute("axis", view, w), dialect.compute("axis", view, x)
    result = x.copy()
    for row, w_row, x_row in zip(view.rows(result), view.rows(w), view.rows(x), strict=True):
        square = dialect.compute("norm_epsilon", field, w_row @ w_row, eps)
        if square != 0:
            row[:] = dialect.compute("projection", field, x_row, w_row, w_row @ x_row, square)
    turned_back: Array = dialect.compute("axis", view, result)
    return turned_back


def _rescaled(field: Field, x: Array, w: Array, dot: Any, square: Any) -> Array:
    q: Array = x - dot / square * w
    after = q @ q
    return q if after == 0 else field.sqrt(x @ x / after) * q


PROJECTION_CHOICES = (
    Choice(
        "norm_epsilon",
        (
            Option("none", "Π(x) = x − (w·x/w·w) w", lambda field, square, eps: square),
            Option(
                "added",
                "ŵ = w/(‖w‖ + ε)",
                lambda field, square, eps: _squared(field.sqrt(square) + eps),
                "eq-10: Π is not idempotent, a share 2ε/‖w‖ of the radial part stays; eq-12 and proposition-3.1 "
                "with it",
            ),
            Option(
                "clamped",
                "ŵ = w/max(‖w‖, ε)",
                lambda field, square, eps: _squared(at_least(field, field.sqrt(square), eps)),
                "eq-10: below ‖w‖ = ε the radial component stays",
            ),
        ),
        matters=lambda dialect: dialect["projection"] != "w not normalised",
    ),
    Choice(
        "projection",
        (
            Option("Eq. 10", "Π(x) = x − (ŵ·x) ŵ", lambda field, x, w, dot, square: x - dot / square * w),
            Option(
                "added",
                "x + (ŵ·x) ŵ",
                lambda field, x, w, dot, square: x + dot / square * w,
                "eq-10: the radial component is doubled",
                slip="the sign of the radial part: x + (ŵ·x) ŵ where x − (ŵ·x) ŵ was due",
            ),
            Option(
                "w not normalised",
                "x − (w·x) w",
                lambda field, x, w, dot, square: x - dot * w,
                "eq-10: the radial component is not removed",
                slip="w is not divided by its norm before the projection",
            ),
            Option(
                "rescaled",
                "Π(x) ‖x‖/‖Π(x)‖",
                _rescaled,
                "eq-12: the step is as long as the unprojected one",
                slip="the projected update is stretched to the norm of the original",
            ),
        ),
    ),
)


def _squared(x: Any) -> Any:
    return x * x


# Of algorithms that project and keep their update in a buffer, as SGDP does.
BUFFER_CHOICE = Choice(
    "buffer",
    (
        Option("unprojected", "the momentum buffer keeps p (Algorithm 1)", lambda buffer, q, nesterov: buffer),
        Option(
            "projected",
            "the projected update is written back into the momentum buffer, except under Nesterov momentum",
            lambda buffer, q, nesterov: buffer if nesterov else q,
            "algorithm-1: the buffer of Algorithm 1 holds p, not q",
        ),
    ),
)
