"""The share of ResNets that is scale-invariant (§1)."""

from collections.abc import Sequence

from tangency.benchmarks.experiments.preset import Preset
from tangency.benchmarks.experiments.resnets import NETWORKS
from tangency.benchmarks.experiments.study import Config, Result, Run, Study, matching, printed


def plan(preset: Preset) -> list[Config]:
    """One scan a network; smoke leaves the deep one out."""
    names = preset.pick(smoke=("ResNet-18",), small=tuple(NETWORKS), paper=tuple(NETWORKS))
    return [{"task": "share", "network": name, "seed": 0} for name in names]


def percent(result: Result) -> float:
    """The share, in percent."""
    return 100 * float(result["invariant"]) / float(result["parameters"])


def notes(runs: Sequence[Run]) -> list[str]:
    """The counts, and what the three ways of the probe disagree on."""
    return [
        f"{run.config['network']}: {run.result['invariant']:,} of {run.result['parameters']:,} parameters; the probe's "
        f"three ways disagree on {run.result['unexplained']} weights"
        for name in NETWORKS
        for run in matching(runs, {"network": name})
    ]


STUDY = Study(
    id="share",
    title="The scale-invariant share",
    where="§1",
    question="By the probe (`tangency scan`): a narrow copy decides each kind of weight, the network itself counts.",
    plan=plan,
    statements=tuple(
        printed(
            id=name,
            says=f"of {name} so many percent are scale-invariant",
            paper=paper,
            of={"network": name},
            measure=percent,
        )
        for name, paper in (("ResNet-18", "95.5"), ("ResNet-50", "91.8"))
    ),
    notes=notes,
)
