"""Table 4: classification of sounds with Adam and AdamP."""

import importlib.util
from pathlib import Path

from tangency.benchmarks.experiments.grids import images, sweep
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.study import Config, Larger, Study, on_test

# Debian's sonic-pi-samples (CC0), 165 sounds of 14 kinds.
SOUNDS = Path("/usr/share/sonic-pi/samples")


def _root(preset: Preset) -> Path:
    return SOUNDS if preset.data is None else preset.data


def plan(preset: Preset) -> list[Config]:
    """Adam and AdamP without weight decay, cosine schedule, the same step sizes, as in E.5."""
    base = {**images(preset), "task": "listen", "weight_decay": 0.0, "schedule": "cosine"}
    if preset.size is Size.SMOKE:
        base |= {"data": "tones"}
    else:
        base |= {"data": "sounds", "root": str(_root(preset)), "batch": 50}
        base |= {"epochs": preset.pick(smoke=0, small=10, paper=100)}
    return sweep(
        base,
        optimizer=("Adam", "AdamP"),
        lr=preset.pick(smoke=(3e-3,), small=(1e-3, 3e-3, 1e-2), paper=(1e-4,)),
        seed=preset.seeds,
    )


def needs(preset: Preset) -> str:
    """Sounds, and what decodes them."""
    if preset.size is Size.SMOKE:
        return ""
    if importlib.util.find_spec("soundfile") is None:
        return "it reads sounds with soundfile: pip install soundfile"
    root = _root(preset)
    return "" if root.is_dir() else f"it needs the sounds of Debian's sonic-pi-samples, or --data: {root} is no folder"


STUDY = Study(
    id="table-4",
    title="Sounds",
    where="Table 4, §4.4, E.5",
    question="Half a second of 165 sounds, of what kind? A small ResNet on spectrograms in the place of Harmonic CNN.",
    plan=plan,
    needs=needs,
    statements=(
        Larger(
            id="accuracy",
            says="AdamP is more accurate than Adam, each at its best step size",
            paper="",
            first={"optimizer": "AdamP"},
            second={"optimizer": "Adam"},
            measure=on_test,
            margin=1.0,
            unit="%",
        ),
    ),
)
