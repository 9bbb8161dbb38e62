"""Table 1 and Appendix F: norms at the first and the last epoch, and accuracy, over weight decays."""

import statistics as averages
from collections.abc import Sequence
from typing import Any

from tangency.benchmarks.experiments.grids import ADAPTIVE, MOMENTUM, images, sweep
from tangency.benchmarks.experiments.optimizers import BASELINE
from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.study import Config, Larger, Result, Run, Study, matching, on_test

SGD_DECAYS = (0.0, 1e-4, 1e-3, 1e-2)
# In torch's notation: the paper's 1e-4 is 0.1 at lr = 1e-3.
ADAM_DECAYS = (0.0, 0.1, 1.0, 10.0)


def plan(preset: Preset) -> list[Config]:
    """Each optimizer at the middle of its grid, every weight decay, with a cosine schedule as in Appendix E.2."""
    found = []
    for family, decays in ((MOMENTUM, SGD_DECAYS), (ADAPTIVE, ADAM_DECAYS)):
        found += sweep(
            {**images(preset), "lr": family.usual, "schedule": "cosine"},
            optimizer=family.optimizers,
            weight_decay=preset.pick(smoke=(0.0,), small=decays, paper=decays),
            seed=preset.seeds,
        )
    return found


def growth(result: Result) -> float:
    """The growth of the mean norm from the first epoch to the last, over the first."""
    return float(result["norm_last"] / result["norm_first"] - 1)


def statements() -> tuple[Larger, ...]:
    """For each pair and decay: norms grow less, and the accuracy is higher."""
    found = []
    for optimizer, decays in (("SGDP", SGD_DECAYS), ("AdamP", ADAM_DECAYS)):
        base = BASELINE[optimizer]
        for decay in decays:
            options = {"weight_decay": decay}
            at = f"at weight decay {decay:g}"
            found += [
                Larger(
                    id=f"norm-{optimizer}-{decay:g}",
                    says=f"norms grow less with {optimizer} than with {base}, {at}",
                    paper="Adam +4.21 against AdamP +0.32 (music)" if optimizer == "AdamP" and decay == 0 else "",
                    first={"optimizer": optimizer, **options},
                    second={"optimizer": base, **options},
                    measure=growth,
                    lower=True,
                    margin=0.005,
                    tuned=(),
                ),
                Larger(
                    id=f"accuracy-{optimizer}-{decay:g}",
                    says=f"{optimizer} is more accurate than {base}, {at}",
                    paper="",
                    first={"optimizer": optimizer, **options},
                    second={"optimizer": base, **options},
                    measure=on_test,
                    margin=0.5,
                    tuned=(),
                    unit="%",
                ),
            ]
    return tuple(found)


def notes(runs: Sequence[Run]) -> list[str]:
    """How much final norms and accuracies depend on the weight decay."""
    found = []
    for optimizer in ("SGD", "SGDP", "AdamW", "AdamP"):
        by: dict[float, list[Result]] = {}
        for run in matching(runs, {"optimizer": optimizer}):
            by.setdefault(run.config["weight_decay"], []).append(run.result)
        if len(by) < 2:
            continue
        norms = [averages.fmean(result["norm_last"] for result in results) for results in by.values()]
        tests = [averages.fmean(result["test"] for result in results) for results in by.values()]
        found.append(
            f"{optimizer}: over the weight decays the final norm goes from {min(norms):.3g} to {max(norms):.3g}, "
            f"the accuracy from {min(tests):.1f} to {max(tests):.1f} %"
        )
    return found


def figure(runs: Sequence[Run]) -> Any:
    """Norm and effective step over steps, a colour an optimizer, without weight decay."""
    from tangency.benchmarks.experiments.figures import curves

    chosen = matching(runs, {"weight_decay": 0.0})
    return curves(chosen, "optimizer", {"norm": "mean ‖w‖", "effective_step": "mean ‖Δŵ‖"})


STUDY = Study(
    id="table-1",
    title="Norm growth and accuracy over weight decays",
    where="Table 1, §3.2; Appendix F, Figures F.1–F.6",
    question="A small ResNet on small images in the place of ResNet-18 on ImageNet, and AdamW in the place of Adam.",
    plan=plan,
    statements=statements(),
    notes=notes,
    figure=figure,
)
