"""Generated problems as instances of a statement: the exact and the ball rung evaluate the statement itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.claim import Search
from tangency.proofs_checks.statement.evaluate import Gradients, Values
from tangency.proofs_checks.statement.theorem import Statement
from tangency.theory.algorithms import Step
from tangency.theory.fields import EXACT, Array, Field, rational

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def runs_of(found: Values | Iterable[Values]) -> list[Values]:
    """One run, or each of several."""
    return [found] if isinstance(found, Mapping) else list(found)


class Instances(Search):
    """A search whose check evaluates the statement.

    Args:
        problems: as of :class:`.Search`.
        statement: of the claim.
        values: the values of its letters in a problem, of one run or of several.
        also: a further check of a problem.
        field: the number system.
    """

    def __init__(
        self,
        problems: "SearchStrategy[Any]",
        statement: Statement,
        values: Callable[[Any], Values | Iterable[Values]],
        also: Callable[[Any], None] = lambda problem: None,
        field: Field = EXACT,
    ) -> None:
        def check(problem: Any) -> None:
            for run in runs_of(values(problem)):
                statement.check(run, field)
            also(problem)

        super().__init__(problems, check)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "field", field)


def of_momentum(history: Sequence[tuple[Array, Step]], gradient: Callable[[Array], Array], **hyper: Any) -> Values:
    """A run of heavy-ball or Nesterov momentum as letters: f, η, η_t, β, τ; w_t, g_t = ∇f(w_t), p_t (buffer), u_t."""
    points = [w for w, _ in history]
    return {
        "f": Gradients(gradient, points),
        "η": history[0][1].lr,
        "η_": [step.lr for _, step in history],
        "β": rational(hyper["momentum"]),
        "τ": rational(hyper.get("dampening", 0)),
        "w": [*points, history[-1][1].w],
        "g": [gradient(w) for w in points],
        "p": [step.state["momentum_buffer"] for _, step in history],
        "u": [step.p for _, step in history],
    }
