"""The claims on the projection: every rung holds, wrong statements are rejected, wrong mathematics is found out."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import flint
import numpy as np
import pytest
import sympy

from tangency.proofs_checks.checks.search import Budget, search
from tangency.proofs_checks.claim import Attack, Claim, NotApplicable, Search, Violation
from tangency.proofs_checks.claims import (
    eq_10_projection,
    eq_11_detection,
    eq_12_projected_norm_growth,
    proposition_3_1_geodesic,
)
from tangency.proofs_checks.errors.rounding import norm_error
from tangency.proofs_checks.generate.execution import execute
from tangency.proofs_checks.generate.gradients import Tilted
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.statement.operators import OPERATORS
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.proofs_checks.subjects import SHIPPED, Subject
from tangency.theory import detection
from tangency.theory.fields import EXACT, Array, Field
from tangency.theory.formats import FLOAT64
from tangency.theory.geodesic import Plane
from tangency.theory.projection import View, project, view_decision

MODULES = [eq_10_projection, eq_11_detection, eq_12_projected_norm_growth, proposition_3_1_geodesic]
CLAIMS: dict[str, Claim] = {module.CLAIM.id: module.CLAIM for module in MODULES}
BY_CLAIM = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
GAP, ETA = eq_12_projected_norm_growth.GAP, eq_12_projected_norm_growth.ETA
DELTA, DIM = eq_11_detection.DELTA, eq_11_detection.DIM


@BY_CLAIM
def test_proof_holds(claim: Claim) -> None:
    assert not isinstance(claim.algebra, NotApplicable)
    assert claim.algebra().check() >= 5


WRONG: dict[str, Callable[[], Any]] = {
    "Π adds the radial part": lambda: eq_10_projection.proof(sign=1),
    "w is not normalised in Π": lambda: eq_10_projection.proof(degree=0),
    "w is normalised twice in Π": lambda: eq_10_projection.proof(degree=-2),
    "no square root in the threshold": lambda: eq_11_detection.proof(threshold=DELTA / DIM),
    "no dimension in the threshold": lambda: eq_11_detection.proof(threshold=DELTA),
    "the update adds the radial part": lambda: eq_12_projected_norm_growth.proof(sign=1),
    "the gap is missing": lambda: eq_12_projected_norm_growth.proof(gap=sympy.Integer(0)),
    "the gap is doubled": lambda: eq_12_projected_norm_growth.proof(gap=2 * GAP),
    "the gap goes with η": lambda: eq_12_projected_norm_growth.proof(gap=GAP / ETA),
    "the projected angle is the original one": lambda: proposition_3_1_geodesic.proof(
        projected_tangent2=proposition_3_1_geodesic.SQUARE
        * (sympy.Symbol("⟨p,p⟩", real=True, nonnegative=True) - sympy.Symbol("⟨p,w⟩", real=True) ** 2)
    ),
    "wᵖ with the radial part doubled": lambda: proposition_3_1_geodesic.proof(sign=1),
}


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_statements_are_rejected(build: Callable[[], Any]) -> None:
    with pytest.raises(Violation):
        build().check()


@BY_CLAIM
def test_hypotheses_are_needed(claim: Claim) -> None:
    for hypothesis in claim.hypotheses:
        assert not isinstance(hypothesis.needed, NotApplicable)
        refutation = refutation_of(claim, hypothesis)
        assert refutation.refutes, f"{hypothesis.name}: {refutation}"


def test_the_projection_is_at_the_weights_that_are_updated() -> None:
    statement = eq_12_projected_norm_growth.STATEMENT
    projected = eq_12_projected_norm_growth.PROJECTED
    assert statement.refutation(projected, eq_12_projected_norm_growth.projected_elsewhere()).refutes


@BY_CLAIM
@pytest.mark.parametrize("rung", ["exact", "ball"])
def test_searches_find_nothing(claim: Claim, rung: str) -> None:
    evidence = getattr(claim, rung)
    assert isinstance(evidence, Search)
    found = search(evidence.problems, evidence.check, Budget(examples=25, seed=1), "test")
    assert found.violation is None
    assert found.checked == 25


def adds(w: Array, x: Array) -> Array:
    """Π with the wrong sign."""
    return 2 * x - project(w, x)


def unnormalised(w: Array, x: Array) -> Array:
    """Π without its denominator."""
    result: Array = x - (w @ x) * w
    return result


def adds_rows(view: View, w: Array, x: Array) -> Array:
    """Rows of Π with the wrong sign."""
    return np.stack([adds(*rows) for rows in zip(view.rows(w), view.rows(x), strict=True)]).reshape(x.shape)


def any_row(field: Field, view: View, w: Array, g: Array, delta: Any) -> bool:
    """One row that passes is enough."""
    rows = zip(view.rows(w), view.rows(g), strict=True)
    return any(view_decision(field, View.LAYER, x.reshape(1, -1), y.reshape(1, -1), delta) for x, y in rows)


def not_strict(field: Field, w: Array, g: Array, delta: Any) -> bool:
    """Eq. 11 with ≤."""
    return bool((w @ g) ** 2 * len(w) <= delta**2 * (w @ w) * (g @ g))


class FurtherAlways(Plane):
    """A plane in which the projected angle is always the larger one."""

    larger = 1


def without_root(field: Field, delta: Any, dim: int, rows: int = 1) -> flint.arb:
    """The probability for the threshold δ/d."""
    return detection.pass_probability(field, EXACT.element(delta) ** 2, dim, rows)


BROKEN: dict[str, tuple[ModuleType, str, str, Any]] = {
    "eq-10: Π adds": (eq_10_projection, "exact", "project", adds),
    "eq-10: Π unnormalised": (eq_10_projection, "exact", "project", unnormalised),
    "eq-10: rows": (eq_10_projection, "exact", "project_rows", adds_rows),
    "eq-11: any row": (eq_11_detection, "exact", "view_decision", any_row),
    "eq-11: a tie passes": (eq_11_detection, "exact", "looks_scale_invariant", not_strict),
    "eq-11: probability": (eq_11_detection, "ball", "pass_probability", without_root),
    "eq-12: Π adds": (eq_12_projected_norm_growth, "exact", "project_rows", adds_rows),
    "proposition-3.1: Π adds": (proposition_3_1_geodesic, "exact", "project", adds),
    "proposition-3.1: in balls": (proposition_3_1_geodesic, "ball", "project", adds),
    "proposition-3.1: the order of the angles": (proposition_3_1_geodesic, "exact", "Plane", FurtherAlways),
}


@pytest.mark.parametrize(("module", "rung", "name", "wrong"), BROKEN.values(), ids=BROKEN)
def test_wrong_mathematics_is_found_out(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, rung: str, name: str, wrong: Any
) -> None:
    evidence = getattr(module.CLAIM, rung)
    monkeypatch.setattr(module, name, wrong)
    assert search(evidence.problems, evidence.check, Budget(200, seed=1, shrink=False), "test").violation is not None


@pytest.mark.parametrize("wrong", [adds, unnormalised])
@pytest.mark.parametrize("module", [eq_10_projection, eq_12_projected_norm_growth])
@pytest.mark.parametrize("rung", ["exact", "ball"])
def test_another_projection_is_not_the_one_of_the_statement(
    monkeypatch: pytest.MonkeyPatch, rung: str, module: ModuleType, wrong: Callable[[Array, Array], Array]
) -> None:
    """The statement evaluated with another meaning of Π is found to be false."""
    meaning = replace(OPERATORS["project"], value=lambda field, w, x: x if isinstance(w, int) else wrong(w, x))
    monkeypatch.setitem(OPERATORS, "project", meaning)
    evidence = getattr(module.CLAIM, rung)
    assert search(evidence.problems, evidence.check, Budget(200, seed=1, shrink=False), "test").violation is not None


def test_adam_has_either_sign() -> None:
    """Orthogonal gradients, first steps: once the projected angle is the larger one, once the original."""
    planes = [Plane.of(w, step.p, step.lr) for w, step in map(proposition_3_1_geodesic.adam_step, (1, -1))]
    assert [plane.larger for plane in planes] == [1, -1]
    assert [plane.radial for plane in planes] == [flint.fmpq(-4, 15), flint.fmpq(4, 15)]


@BY_CLAIM
@pytest.mark.parametrize("subject", SHIPPED, ids=lambda subject: subject.algorithm)
def test_trials_measure(claim: Claim, subject: Subject) -> None:
    """Most trials lead to a measurement: a claim that skips them all would hold for nothing."""
    attack = claim.implementation
    assert isinstance(attack, Attack)
    counts: list[int] = []

    def check(trial: Trial) -> None:
        measured = attack.check(execute(subject, trial))
        assert all(measurement.ratio <= 1 for measurement in measured)
        counts.append(len(measured))

    assert search(attack.trials(subject), check, Budget(40, seed=1), "test").checked == 40
    assert sum(count > 0 for count in counts) > len(counts) / 2


def test_nothing_between_two_branches() -> None:
    """At the tie of Eq. 11 both exact steps are right, and their mean is not."""
    tilted = Tilted(View.LAYER, ratio=1.0, delta=0.5)
    hyper = {"lr": 0.5, "momentum": 0.0, "weight_decay": 0.1, "delta": 0.5, "wd_ratio": 0.5}
    trial = Trial((1, 4), "float32", (1.0, 2.0, 3.0, 4.0), (tilted,), hyper)
    run = execute(SHIPPED[0], trial)
    (record,) = run.records
    steps = [run.exact(record, view).w for view in (View.CHANNEL, View.NONE)]
    values = [np.array([[float(int(x.p) / int(x.q)) for x in w.ravel()]], dtype=np.float32) for w in steps]
    for value in values:
        assert eq_11_detection.measure_decision(run, replace(record, w_after=value.astype(float))).ratio <= 1
    between = (values[0] + values[1]).astype(float) / 2
    assert eq_11_detection.measure_decision(run, replace(record, w_after=between)).ratio > 1


def test_norm_error_bounds_a_component() -> None:
    errors = np.array([3.0, 4.0])
    assert 5.0 <= norm_error(errors) < 5.0 * (1 + FLOAT64.gamma(64))
    tiny = np.array([3e-200, 4e-200])
    assert 5e-200 <= norm_error(tiny) < 5e-200 * (1 + FLOAT64.gamma(64))
    assert norm_error(np.zeros(2)) == 0
    assert norm_error(np.array([np.inf, 1.0])) == np.inf
