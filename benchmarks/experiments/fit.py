"""The loop that every trained run goes through: a schedule, a watched optimizer, and scores."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tangency.benchmarks.experiments import optimizers
from tangency.benchmarks.experiments.history import History

B = TypeVar("B")


def fit(
    config: dict[str, Any],
    model: nn.Module,
    batches: Iterable[B],
    loss: Callable[[B], Tensor],
    score: Callable[[str], float],
    *,
    steps: int,
    epoch: int,
    invariant: Callable[[str], bool],
    after: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Train a network and score it.

    Args:
        config: of the run: ``lr``, ``schedule``, ``samples`` (of the monitor), ``detection`` (whether cosines are
            kept), and what `optimizers.make` reads.
        model: in training mode.
        batches: of its data, as many as there are steps.
        loss: of a batch.
        score: of ``"validation"`` or ``"test"`` data; larger is better.
        steps: of the whole run.
        epoch: steps of an epoch, after each of which the validation score is taken.
        invariant: whether the weight of a name is scale-invariant.
        after: called after every step of the optimizer.

    Returns:
        ``validation`` and ``test`` scores, ``curve`` (validation after each epoch), ``norm_first`` and ``norm_last``,
        the mean norm of the invariant weights after the first epoch and at the end; the history. A run whose loss is no
        number ends there: it has no history, and ``diverged`` says so; its scores are those of the untrained network.
    """
    optimizer = optimizers.make(config, model.parameters())
    chosen = [p for name, p in model.named_parameters() if invariant(name)]
    start = copy.deepcopy(model.state_dict())
    history = History(optimizer, model.named_parameters(), invariant, max(1, steps // config.get("samples", 50)))
    curve: list[float] = []
    first = math.nan
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = config["lr"] * optimizers.factor(config["schedule"], step, steps)
        optimizer.zero_grad()
        value = loss(batch)
        if not math.isfinite(value.item()):
            model.load_state_dict(start)
            return {"validation": score("validation"), "test": score("test"), "curve": curve, "diverged": True}
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        after()
        if (step + 1) % epoch == 0:
            curve.append(score("validation"))
            first = first if len(curve) > 1 else mean_norm(chosen)
    return {
        "validation": curve[-1] if steps % epoch == 0 else score("validation"),
        "test": score("test"),
        "curve": curve,
        "norm_first": first if curve else mean_norm(chosen),
        "norm_last": mean_norm(chosen),
        "diverged": False,
        **history.result(),
        **(history.detection() if config.get("detection") else {}),
    }


@torch.no_grad()
def mean_norm(weights: Iterable[Tensor]) -> float:
    """The mean of the norms of some weights; 0 of none."""
    norms = [float(w.norm()) for w in weights]
    return sum(norms) / max(1, len(norms))
