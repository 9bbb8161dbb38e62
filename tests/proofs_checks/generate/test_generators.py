"""What the trials cover, a table that is printed and held: shapes, sizes, dtypes, groups, views, thresholds, steps."""

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from tangency.proofs_checks.broken import sound
from tangency.proofs_checks.broken.zoo import SOUND, find
from tangency.proofs_checks.checks.reproducer import script
from tangency.proofs_checks.checks.search import Budget, search
from tangency.proofs_checks.claims.algorithm_1_sgdp import CLAIM, check_implementation
from tangency.proofs_checks.errors.rounding import FORMATS
from tangency.proofs_checks.generate.execution import execute
from tangency.proofs_checks.generate.gradients import Rotation, Tilted
from tangency.proofs_checks.generate.strategies import steps
from tangency.proofs_checks.generate.trials import Setting, Trial
from tangency.proofs_checks.hyperparameters import RATIO
from tangency.proofs_checks.measure.conformance import admissible_views
from tangency.proofs_checks.subjects import GROUPS, LARGE, SHIPPED, Subject
from tangency.theory.projection import View

DRAWN = 600
# How many of 600 trials must be of a kind: a half or less of what is drawn.
LEAST = {
    "scalar": 8, "vector": 30, "matrix": 80, "three or more dimensions": 80, "empty": 4, "a side of 1": 80,
    "one row of 9 or more": 20, "more than 2^18 elements": 10,
    **{f"dtype {dtype}": 12 for dtype in FORMATS},
    "other parameters beside it": 60, "more rows beside it": 12, "a group of its own": 40, "lr is a tensor": 40,
    "tensor lr with decay": 25, "a group's own wd_ratio counts": 6,
    "channel view": 120, "layer view": 8, "head view": 8, "not projected": 100,
    "within rounding of the threshold": 3, "views of its own": 40,
    "a gradient near the threshold": 50, "an orthogonal gradient": 100, "no gradient": 25, "a zero gradient": 40,
    "a dead row": 25, "subnormal weights or gradients": 2, "1 step": 120, "2 or 3 steps": 100, "7 or more steps": 10,
}  # fmt: skip


def kinds(subject: Subject, trial: Trial) -> Iterator[str]:
    """What a trial covers."""
    shape, setting, hyper = trial.shape, trial.setting, trial.hyper
    names = {0: "scalar", 1: "vector", 2: "matrix"}
    yield names.get(len(shape), "three or more dimensions")
    yield f"dtype {trial.dtype}"
    told = {
        "empty": 0 in shape,
        "a side of 1": 1 in shape,
        "one row of 9 or more": len(shape) > 1 and shape[0] == 1 and math.prod(shape) > 8,
        "more than 2^18 elements": math.prod(shape) * setting.repeats > 2**18,
        "other parameters beside it": bool(setting.beside),
        "more rows beside it": len(shape) > 1 and any(len(s) > 1 and s[0] > shape[0] for s in setting.beside),
        "a group of its own": setting.grouped,
        "lr is a tensor": setting.tensor_lr,
        "tensor lr with decay": setting.tensor_lr and hyper["weight_decay"] > 0,
        "a gradient near the threshold": any(isinstance(g, Tilted) for g in trial.gradients),
        "an orthogonal gradient": any(isinstance(g, Rotation) for g in trial.gradients),
        "no gradient": None in trial.gradients,
        "a zero gradient": any(isinstance(g, tuple) and g and not any(g) for g in trial.gradients),
        "1 step": len(trial.gradients) == 1,
        "2 or 3 steps": 2 <= len(trial.gradients) <= 3,
        "7 or more steps": len(trial.gradients) >= 7,
    }
    run = execute(subject, trial)
    views = [admissible_views(run, record) for record in run.records if record.g is not None]
    smallest = 2.0 ** FORMATS[trial.dtype][0].emin
    flat = np.abs(
        np.concatenate([x.ravel() for r in run.records for x in (r.w, r.g) if x is not None] or [np.zeros(1)])
    )
    told |= {
        "channel view": (View.CHANNEL,) in views,
        "layer view": (View.LAYER,) in views,
        "head view": any([one.value for one in found] == ["head"] for found in views),
        "views of its own": "views" in hyper,
        "not projected": (View.NONE,) in views,
        "within rounding of the threshold": any(len(found) > 1 for found in views),
        "subnormal weights or gradients": bool(((flat > 0) & (flat < smallest)).any()),
        "a dead row": len(shape) > 1
        and any((~r.w.reshape(len(r.w), -1).any(1)).any() for r in run.records if r.w.size),
    }
    projected = told["channel view"] or told["layer view"]
    decays = projected and hyper["weight_decay"] > 0 and hyper["lr"] > 0
    told["a group's own wd_ratio counts"] = setting.grouped and decays and hyper["wd_ratio"] != RATIO.other
    yield from (kind for kind, covered in told.items() if covered)


@pytest.mark.parametrize("subject", SHIPPED, ids=lambda subject: subject.algorithm)
def test_the_trials_cover_what_can_go_wrong(subject: Subject, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()

    def count(trial: Trial) -> None:
        counts["trials"] += 1
        counts.update(set(kinds(subject, trial)))

    # One seed: a count, and no search, is to be the same every time and everywhere.
    search(steps(subject), count, Budget(DRAWN, seed=1, shrink=False), "coverage")
    with capsys.disabled():
        print(f"\nof {counts['trials']} trials of {subject.name}, and at least how many:")
        for kind, least in LEAST.items():
            print(f"  {counts[kind]:5} {least:5}  {kind}")
    assert counts["trials"] >= DRAWN
    assert {kind: counts[kind] for kind, least in LEAST.items() if counts[kind] < least} == {}


def test_an_optimizer_that_takes_no_groups_gets_none() -> None:
    poor = replace(SHIPPED[0], capabilities=SHIPPED[0].capabilities - {GROUPS, LARGE})

    @settings(max_examples=100, database=None)
    @given(steps(poor))
    def draw(trial: Trial) -> None:
        assert trial.setting == Setting()

    draw()


MATRIX = Trial(
    (2, 2), "float32", (2.0, 1.0, 1.0, 3.0), ((-1.0, 2.0, -3.0, 1.0),),
    {"lr": 0.5, "weight_decay": 0.5, "wd_ratio": 0.25},
)  # fmt: skip
VECTOR = Trial((17,), "float32", tuple(range(1, 18)), ((1.0,) * 17,), {"lr": 0.5})
SLIPS = {
    "ConstructorsRatio": replace(MATRIX, setting=Setting(grouped=True)),
    "NoDecayWithATensorLr": replace(MATRIX, setting=Setting(tensor_lr=True, beside=((3,),))),
    "FilledWithOnes": replace(MATRIX, setting=Setting(beside=((2, 2), (5, 1)), grouped=True)),
    "ForgetsTheRest": replace(VECTOR, setting=Setting(repeats=4**7)),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_setting_shows_a_slip_and_its_script_shows_it_again(slip: str, tmp_path: Path) -> None:
    broken = find(slip).subject
    file = tmp_path / "failure.py"
    for subject, right in ((broken, False), (SHIPPED[0], True)):
        run = execute(subject, SLIPS[slip])
        worst = max(check_implementation(run), key=lambda measured: measured.ratio)
        assert (worst.ratio <= 1) is right
        file.write_text(script(CLAIM, subject, SLIPS[slip], run, worst), encoding="utf-8")
        done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
        assert done.returncode == (0 if right else 1), done.stderr


def test_repeated_rows_are_judged_by_the_worst_of_them() -> None:
    class MovesTheLast(sound.SGDP):
        def store(self, parameter: torch.Tensor, new: torch.Tensor) -> None:
            new = new.clone()
            new.view(-1)[-1] += 1
            super().store(parameter, new)

    subject = replace(SOUND[0].subject, make=MovesTheLast)
    run = execute(subject, replace(VECTOR, setting=Setting(repeats=16)))
    assert max(measured.ratio for measured in check_implementation(run)) > 1
