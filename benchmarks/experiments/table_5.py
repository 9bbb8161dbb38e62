"""Table 5: a language model with and without weight normalisation."""

from typing import Any

from tangency.benchmarks.experiments.grids import ADAPTIVE, sweep
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.study import Config, Larger, Result, Study


def plan(preset: Preset) -> list[Config]:
    """AdamW and AdamP, with and without weight normalisation, cosine schedule."""
    base: dict[str, Any] = {"task": "language", "text": "kjv", "heads": 4, "batch": 16, "weight_decay": 0.0}
    if preset.size is Size.PAPER:
        base |= {"text": "words", "root": str(preset.data), "heads": 10, "batch": 60}
    dim, layers, context = preset.pick(smoke=(16, 1, 16), small=(64, 2, 64), paper=(410, 16, 150))
    base |= {"dim": dim, "layers": layers, "context": context}
    base |= {"steps": preset.pick(smoke=30, small=300, paper=200_000), "samples": 50}
    return sweep(
        {**base, "schedule": "cosine"},
        normalised=(False, True),
        optimizer=ADAPTIVE.optimizers,
        lr=preset.pick(smoke=(3e-3,), small=(1e-3, 3e-3, 1e-2), paper=(2.5e-4,)),
        seed=preset.seeds,
    )


def perplexity(result: Result) -> float:
    """On the test text."""
    return -float(result["test"])


def _statement(id: str, says: str, paper: str, first: tuple[str, bool], second: tuple[str, bool]) -> Larger:
    one, other = ({"optimizer": optimizer, "normalised": normalised} for optimizer, normalised in (first, second))
    return Larger(id, says, paper, one, other, perplexity, margin=0.03, lower=True, unit="(perplexity)")


STUDY = Study(
    id="table-5",
    title="Language, with and without weight normalisation",
    where="Table 5, §4.5",
    question="A small transformer on letters of the King James Bible in the place of Transformer-XL on WikiText-103.",
    plan=plan,
    statements=(
        _statement("plain", "AdamP is better than AdamW", "23.33 → 23.26", ("AdamP", False), ("AdamW", False)),
        _statement(
            "normalised", "the same with weight normalisation", "23.90 → 22.73", ("AdamP", True), ("AdamW", True)
        ),
        _statement("harm", "normalisation alone harms AdamW", "23.33 → 23.90", ("AdamW", False), ("AdamW", True)),
        _statement("both", "AdamP with it beats AdamW without", "23.33 → 22.73", ("AdamP", True), ("AdamW", False)),
    ),
)
