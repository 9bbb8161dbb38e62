"""Trials run as they say, and the distance to the exact step is what it says."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tangency.proofs_checks import Claim, NotApplicable, Suite, Verdict, discover, verify
from tangency.proofs_checks.broken.zoo import SOUND, find, zoo
from tangency.proofs_checks.checks.reproducer import script
from tangency.proofs_checks.claims.algorithm_1_sgdp import CLAIM, check_implementation
from tangency.proofs_checks.errors.rounding import FORMATS
from tangency.proofs_checks.generate.execution import as_floats, as_tensor, execute
from tangency.proofs_checks.generate.gradients import Rotation, Tilted
from tangency.proofs_checks.generate.strategies import hyperparameters, trials
from tangency.proofs_checks.generate.trials import LAYOUTS, Measurement, Run, Trial
from tangency.proofs_checks.measure.conformance import admissible_views, measure_step
from tangency.proofs_checks.subjects import SHIPPED, Subject
from tangency.theory.fields import EXACT
from tangency.theory.projection import View

SGDP, ADAMP = SHIPPED
SUBJECTS = pytest.mark.parametrize("subject", SHIPPED, ids=lambda subject: subject.algorithm)
TRIAL = Trial((2, 2), "float32", (2.0, 1.0, 1.0, 3.0), ((2.0, 1.0, 1.0, 3.0), Rotation(View.CHANNEL)), {"lr": 0.5})


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 1, 2), (2, 0), (2, 1, 1, 1, 2)], ids=str)
def test_every_layout_holds_the_same_values(layout: str, dtype: str, shape: tuple[int, ...]) -> None:
    count = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    trial = Trial(shape, dtype, tuple(float(i) for i in range(count)), (), {}, layout)
    tensor = as_tensor(trial.w, shape, dtype, layout)
    assert tensor.shape == shape
    assert tensor.dtype is getattr(torch, dtype)
    assert as_floats(tensor, trial).ravel().tolist() == list(trial.w)


def test_layouts_are_really_laid_out() -> None:
    shape = (2, 3, 4, 5)
    values = range(math.prod(shape))
    strides = {layout: as_tensor(values, shape, "float32", layout).stride() for layout in LAYOUTS}
    assert len(set(strides.values())) == len(LAYOUTS), strides


@SUBJECTS
def test_a_step_starts_from_the_state_that_the_last_one_left(subject: Subject) -> None:
    run = execute(subject, TRIAL)
    first, second = run.records
    assert first.state == {}
    assert np.array_equal(second.w, first.w_after)
    for name, value in second.state.items():
        assert np.array_equal(value, first.state_after[name])


def test_a_step_without_a_gradient_changes_nothing() -> None:
    run = execute(SGDP, dataclasses.replace(TRIAL, gradients=(None,)))
    (measured,) = measure_step(run, run.records[0])
    assert (measured.error, measured.bound) == (0, 0)


def test_maximize_is_seen_as_the_negated_gradient() -> None:
    down = execute(SGDP, TRIAL).records[0]
    up = execute(SGDP, dataclasses.replace(TRIAL, hyper={"lr": 0.5, "maximize": True})).records[0]
    assert down.g is not None
    assert up.g is not None
    assert np.array_equal(up.g, -down.g)
    assert up.g_after is not None
    assert np.array_equal(np.abs(up.g_after), np.abs(up.g))


@given(data=st.data(), view=st.sampled_from((View.CHANNEL, View.LAYER)), stride=st.integers(1, 4))
def test_rotations_are_exactly_orthogonal(data: st.DataObject, view: View, stride: int) -> None:
    trial = data.draw(trials(SGDP, min_dims=2, max_steps=1, dtypes=("float32",)))
    w = np.array(trial.w, dtype=np.float32).astype(np.float64).reshape(trial.shape)
    g = Rotation(view, -2, stride)(w) if w.size else w
    for w_row, g_row in zip(view.rows(w), view.rows(g), strict=True) if w.size else ():
        assert EXACT.array(w_row) @ EXACT.array(g_row) == 0


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.9, {View.CHANNEL}), (1.1, {View.NONE}), (-0.9, {View.CHANNEL}), (-1.1, {View.NONE})],
)
def test_tilted_gradients_lie_where_they_say(ratio: float, expected: set[View]) -> None:
    tilted = Tilted(View.CHANNEL, ratio, 0.1)
    run = execute(SGDP, Trial((2, 2), "float64", (2.0, 1.0, 1.0, 3.0), (tilted,), {"lr": 0.5}))
    assert set(admissible_views(run, run.records[0])) == expected


def test_at_the_tie_every_exact_branch_is_admissible() -> None:
    run = execute(SGDP, Trial((2, 2), "float32", (2.0, 1.0, 1.0, 3.0), (Tilted(View.CHANNEL, 1.0, 0.1),), {"lr": 0.5}))
    assert View.CHANNEL in admissible_views(run, run.records[0])
    assert View.NONE in admissible_views(run, run.records[0])
    assert max(measure_step(run, run.records[0]), key=lambda m: m.ratio).ratio <= 1


def test_a_result_between_the_two_branches_is_wrong_at_the_tie() -> None:
    hyper = {"lr": 0.5, "momentum": 0.9}
    trial = Trial((1, 2), "float32", (2.0, 1.0), ((2.0, 1.0), Tilted(View.CHANNEL, 1.0, 0.1)), hyper)
    run = execute(SGDP, trial)
    record = run.records[1]
    branches = [np.array(run.exact(record, view).w, dtype=object) for view in (View.CHANNEL, View.NONE)]
    between = np.array([float(int(x.p) / int(x.q)) for x in ((branches[0] + branches[1]) / 2).ravel()]).reshape(1, 2)
    broken = dataclasses.replace(record, w_after=between)
    assert measure_step(run, record)[0].ratio <= 1
    assert measure_step(run, broken)[0].ratio > 1


@pytest.mark.parametrize(
    ("error", "bound", "ratio"), [(1.0, 2.0, 0.5), (0.0, 0.0, 0.0), (1.0, 0.0, math.inf), (math.nan, 1.0, math.inf)]
)
def test_ratio(error: float, bound: float, ratio: float) -> None:
    assert Measurement("w", 0, 0.0, 0.0, error, bound).ratio == ratio


@pytest.mark.parametrize("subject", [one.subject for one in SOUND], ids=lambda subject: subject.algorithm)
@given(data=st.data())
def test_two_sound_optimizers_written_apart_stay_within_the_bounds(subject: Subject, data: st.DataObject) -> None:
    run = execute(subject, data.draw(trials(subject)))
    assert max((m.ratio for m in check_implementation(run)), default=0.0) <= 1


@SUBJECTS
@given(data=st.data())
def test_hyperparameters_are_arguments_of_the_subject(subject: Subject, data: st.DataObject) -> None:
    hyper = data.draw(hyperparameters(subject, lr=0.25))
    assert hyper["lr"] == 0.25
    subject.make([torch.nn.Parameter(torch.zeros(2))], **hyper)


def reproduce(tmp_path: Path, subject: Subject, trial: Trial) -> subprocess.CompletedProcess[str]:
    run = execute(subject, trial)
    worst = max(check_implementation(run), key=lambda m: m.ratio)
    file = tmp_path / "failure.py"
    file.write_text(script(CLAIM, subject, trial, run, worst), encoding="utf-8")
    return subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)


LAYER = Trial(
    (2, 2), "float32", (2.0, 1.0, 1.0, 3.0), ((1.0, 2.0, -2.0, 0.1), (1.0, 3.0, -2.0, -1.0), None), {"lr": 0.1},
    layout="transposed",
)  # fmt: skip


def test_a_reproducer_fails_while_the_failure_is_there(tmp_path: Path) -> None:
    done = reproduce(tmp_path, find("HalfStep").subject, LAYER)
    assert done.returncode == 1, done.stderr
    assert "NOT within rounding" in done.stdout
    assert "expected" in done.stdout


def test_a_reproducer_compares_the_buffer_where_that_is_wrong(tmp_path: Path) -> None:
    """After one step the weights are right whatever the buffer keeps of the radial part."""
    tilted = (1.0, -1.875, 3.0, -1.0)
    trial = Trial((2, 2), "float64", LAYER.w, (tilted,), {"lr": 0.1, "momentum": 0.5, "delta": 0.5})
    done = reproduce(tmp_path, find("ProjectedBuffer").subject, trial)
    assert done.returncode == 1, done.stderr + done.stdout
    assert "NOT within rounding" in done.stdout


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "complex64"])
def test_a_reproducer_passes_on_a_sound_optimizer(tmp_path: Path, dtype: str) -> None:
    double = dtype.startswith("complex")
    gradients = tuple(g if g is None else g * (2 if double else 1) for g in LAYER.gradients)
    trial = dataclasses.replace(LAYER, dtype=dtype, w=LAYER.w * (2 if double else 1), gradients=gradients)
    done = reproduce(tmp_path, SGDP, trial)
    assert done.returncode == 0, done.stderr + done.stdout


def test_a_run_ends_where_it_leaves_the_finite_numbers() -> None:
    trial = Trial((2,), "float16", (60000.0, 1.0), ((-60000.0, 0.0),) * 3, {"lr": 1.0})
    run: Run = execute(SGDP, trial)
    assert len(run.records) == 1
    assert not np.isfinite(run.records[0].w_after).all()


@pytest.mark.parametrize(
    ("got", "exact", "right"),
    [(math.inf, 120000, True), (-math.inf, -120000, True), (-math.inf, 120000, False), (math.inf, 60000, False)],
)
def test_infinity_is_right_only_beyond_the_largest_number(got: float, exact: int, right: bool) -> None:
    run = execute(SGDP, dataclasses.replace(TRIAL, dtype="float16"))
    measured = run.measure("w", 0, got, EXACT.element(exact), 32.0)
    assert (measured.ratio <= 1) is right


def test_nan_is_never_right() -> None:
    run = execute(SGDP, TRIAL)
    assert run.measure("w", 0, math.nan, EXACT.element(10**60), 1.0).ratio == math.inf


ATTACKED = [claim for claim in discover() if not isinstance(claim.implementation, NotApplicable)]


@pytest.mark.parametrize("attacked", ATTACKED, ids=lambda claim: claim.id)
def test_the_reproducer_of_every_claim_shows_its_failure(attacked: Claim, tmp_path: Path) -> None:
    broken = next(one.subject for one in zoo() if attacked.id in one.caught_by)
    suite = Suite((attacked,), (broken,), {broken.name: frozenset({attacked.id})})
    report = verify([attacked.id], suite=suite, rungs=["implementation"], seed=1, jobs=1)
    (result,) = report.results
    assert result.verdict is Verdict.FAILS
    file = tmp_path / "failure.py"
    file.write_text(result.reproducer, encoding="utf-8")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
