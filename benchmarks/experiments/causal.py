"""Rule × norm trajectory: is the norm the whole effect of the projection?"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tangency.benchmarks.experiments.classify import prepared
from tangency.benchmarks.experiments.fit import fit
from tangency.benchmarks.experiments.grids import FAMILIES, images, sweep
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Study, on_test


def _rows(model: nn.Module) -> list[Tensor]:
    return [module.weight for module in model.modules() if isinstance(module, nn.Conv2d)]


def transplanted(config: dict[str, Any]) -> dict[str, Any]:
    """A classifier trained by one optimizer, whose convolutions get the norms of another's run after every step.

    Every row of a convolution is rescaled to the norm that it has at the same step of the donor's run, which begins at
    the same weights and sees the same batches. The function that the network computes does not change by that, since
    batch normalisation follows; its gradients do, and so do all later steps.

    Args:
        config: as of `classify`, and ``norms``, the optimizer whose norms are taken; with its own nothing is done.
    """
    norms: list[list[Tensor]] = []
    if config["norms"] != config["optimizer"]:
        model, _, given = prepared(config)
        fit({**config, "optimizer": config["norms"]}, model, **given, after=_kept(model, norms))
    model, found, given = prepared(config)
    return {"data": found.digest, **fit(config, model, **given, after=_given(model, norms))}


def _kept(model: nn.Module, norms: list[list[Tensor]]) -> Callable[[], None]:
    """Notes the norms of the rows."""

    @torch.no_grad()
    def after() -> None:
        norms.append([w.flatten(1).norm(dim=1) for w in _rows(model)])

    return after


def _given(model: nn.Module, norms: list[list[Tensor]]) -> Callable[[], None]:
    """Gives the rows the noted norms, step by step."""
    steps = iter(norms)

    @torch.no_grad()
    def after() -> None:
        for w, wanted in zip(_rows(model), next(steps, ()), strict=False):
            w *= (wanted / w.flatten(1).norm(dim=1)).reshape(-1, 1, 1, 1)

    return after


def plan(preset: Preset) -> list[Config]:
    """Each optimizer of a pair with its own norms and with the other's, at the paper's step size."""
    found = []
    for family in FAMILIES:
        found += sweep(
            {**images(preset), "task": "causal", "lr": family.usual, "weight_decay": 0.0, "schedule": "cosine"},
            optimizer=family.optimizers,
            norms=family.optimizers,
            seed=preset.seeds,
        )
    return found


def _statements() -> tuple[Larger, ...]:
    found = []
    for family in FAMILIES:
        base, ours = family.optimizers

        def arm(optimizer: str, norms: str) -> dict[str, str]:
            return {"optimizer": optimizer, "norms": norms}

        for id, says, first, second in (
            ("total", f"{ours} is more accurate than {base}", arm(ours, ours), arm(base, base)),
            ("norm", f"{base} with the norms of {ours} is more accurate than {base}", arm(base, ours), arm(base, base)),
            ("rule", f"{ours} is more accurate than {base} with the norms of {ours}", arm(ours, ours), arm(base, ours)),
            ("back", f"{ours} is more accurate than {ours} with the norms of {base}", arm(ours, ours), arm(ours, base)),
        ):
            found.append(Larger(f"{id}-{ours}", says, "", first, second, on_test, margin=0.5, tuned=(), unit="%"))
    return tuple(found)


STUDY = Study(
    id="causal",
    title="Is the norm the whole effect?",
    where="§3.2",
    question="The paper says that a causal relationship between smaller norms and better performance is difficult to "
    "elicit. Here each optimizer is also run with the other's norms, transplanted row by row after every step. If the "
    "norm is the whole effect, the first two differences of a pair are equal, and the third is nothing.",
    plan=plan,
    statements=_statements(),
)
