"""Where a statement fails: the map, its boundary, and whether one trains there."""

import math

import numpy as np
import pytest

from tangency.proofs_checks.generate.gradients import Rotation
from tangency.proofs_checks.generate.magnitudes import longest, resized
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.measure.where import GRADIENTS, WEIGHTS, where
from tangency.proofs_checks.options import TRAINED, Trained
from tangency.proofs_checks.subjects import SHIPPED
from tangency.theory.projection import View

SGDP, ADAMP = SHIPPED


@pytest.mark.parametrize("edge", [3e-9, 2.5e-8, 1e-7])
def test_the_boundary_below_is_found_to_two_percent(edge: float) -> None:
    found = where(lambda w, g: g < edge, TRAINED)
    assert not found.trained
    assert found.says.startswith("in float32 it holds for ‖g‖ ≥ ")
    assert float(found.says.rpartition(" ")[2]) == pytest.approx(edge, rel=0.02)
    assert [row.count(True) for row in found.fails] == [sum(g < edge for g in GRADIENTS)] * len(WEIGHTS)


def test_boundaries_on_both_axes_are_told() -> None:
    found = where(lambda w, g: w < 1e-3 or g > 50, TRAINED)
    low, _, high = found.says.removeprefix("in float32 it holds for ‖w‖ ≥ ").partition(" and ‖g‖ ≤ ")
    assert float(low) == pytest.approx(1e-3, rel=0.02)
    assert float(high) == pytest.approx(50, rel=0.02)


def test_what_fails_nowhere_everywhere_or_in_a_corner_is_told() -> None:
    assert where(lambda w, g: False, TRAINED).says == "in float32 it holds at every magnitude tried"
    everywhere = where(lambda w, g: True, TRAINED)
    assert everywhere.trained
    assert "where one trains" in everywhere.says
    corner = where(lambda w, g: w < 1e-3 and g < 1e-7, TRAINED)
    assert "both small" in corner.says


def test_the_range_where_one_trains_is_an_argument() -> None:
    def fails(w: float, g: float) -> bool:
        return g < 1e-9

    assert not where(fails, TRAINED).trained
    assert where(fails, Trained(g=(1e-10, 1.0))).trained


def test_the_default_range_begins_where_a_step_is_lost_in_float32() -> None:
    """η‖g‖ is half a unit in the last place of the weights, and η‖g‖ = ‖w‖, at η = 0.1 and ‖w‖ = 1/√3."""
    norm = math.sqrt(1 / 3)
    assert TRAINED.g == (pytest.approx(norm * 2**-24 / 0.1), pytest.approx(norm / 0.1))
    assert TRAINED.w == (pytest.approx(norm / 100), pytest.approx(norm * 100))


GIVEN = (3.0, 4.0, 0.0, 1.0)
TRIAL = Trial(
    (2, 2), "float64", (3.0, 4.0, 0.0, 1.0), (GIVEN, None, Rotation(View.CHANNEL, -3)), {"lr": 0.5, "eps": 1.0}
)


@pytest.mark.parametrize(("subject", "lr"), [(SGDP, 0.5 * (1e-3 / 5) / (1e-6 / 5)), (ADAMP, 0.5 * 1e-3 / 5)])
def test_a_trial_is_resized_with_its_step_size(subject: object, lr: float) -> None:
    made = resized(subject, TRIAL, 1e-3, 1e-6)  # type: ignore[arg-type]
    w = np.reshape(made.w, (2, 2))
    assert longest(w) == pytest.approx(1e-3)
    first, none, last = made.gradients
    assert callable(first)
    assert callable(last)
    assert none is None
    assert longest(first(w)) == pytest.approx(1e-6)
    assert longest(last(w)) == pytest.approx(1e-6 / 8), "an eighth of the largest, as before"
    assert made.hyper["lr"] == pytest.approx(lr)
    assert (made.hyper["eps"], made.dtype) == (1e-8, "float32")
