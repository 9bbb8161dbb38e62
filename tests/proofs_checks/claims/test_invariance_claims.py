"""The claims on scale invariance: every rung holds, wrong statements are rejected, broken optimizers are caught."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import flint
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings

from tangency.proofs_checks.broken.zoo import SOUND, zoo
from tangency.proofs_checks.checks.search import Budget, search
from tangency.proofs_checks.claim import Attack, Claim, NotApplicable, Violation
from tangency.proofs_checks.claims import (
    eq_01_norm_scale_invariance,
    eq_02_skip_connection,
    eq_04_orthogonality,
    eq_05_effective_step,
    rate,
)
from tangency.proofs_checks.errors import rounding
from tangency.proofs_checks.generate import invariant_problems, layers
from tangency.proofs_checks.generate.execution import execute
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.proofs_checks.subjects import PRODUCTION, Subject
from tangency.theory.convergence import certificate, largest_squared_norm, smoothness
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, balls
from tangency.theory.normalised_layers import NormalisedLinear
from tangency.theory.objectives import Cosine, Objective, Rayleigh, SphericalRosenbrock, SquaredCosine
from tangency.theory.projection import View

MODULES: list[ModuleType] = [
    eq_01_norm_scale_invariance,
    eq_02_skip_connection,
    eq_04_orthogonality,
    eq_05_effective_step,
    rate,
]
CLAIMS: dict[str, Claim] = {module.CLAIM.id: module.CLAIM for module in MODULES}
U, C, EPS, SIGMA2 = eq_05_effective_step.U, *sympy.symbols("c ε σ²", positive=True)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_proof_holds(claim: Claim) -> None:
    assert not isinstance(claim.algebra, NotApplicable)
    assert claim.algebra().check() >= 4


WRONG: dict[str, Callable[[], Any]] = {
    "the variance is homogeneous of degree 1": lambda: eq_01_norm_scale_invariance.proof(degree=1),
    "no c² in the denominator": lambda: eq_01_norm_scale_invariance.proof(excess=EPS * (C**2 - 1) / (SIGMA2 + EPS)),
    "ε enlarges what is scaled down": lambda: eq_01_norm_scale_invariance.proof(
        excess=-EPS * (C**2 - 1) / (C**2 * SIGMA2 + EPS)
    ),
    "the sine goes with c² − 1": lambda: eq_02_skip_connection.proof(factor=eq_02_skip_connection.C**2 - 1),
    "LN ignores the scale after all": lambda: eq_02_skip_connection.proof(factor=sympy.Integer(0)),
    "∇f(cw) = ∇f(w)": lambda: eq_04_orthogonality.proof(degree=0),
    "∇f(cw) = ∇f(w)/c²": lambda: eq_04_orthogonality.proof(degree=-2),
    "1 + u for 1 + 2u": lambda: eq_05_effective_step.proof(upper=(1 - U) ** 2 * (1 + U) / U**2),
    "no 1/u²": lambda: eq_05_effective_step.proof(upper=(1 - U) ** 2 * (1 + 2 * U)),
    "descent without the half": lambda: rate.proof(
        lowered=rate.ETA * sympy.Symbol("⟨g,g⟩", real=True, nonnegative=True) * (1 - rate.ETA * rate.L / rate.R)
    ),
    "the norm is bounded by r_0 + ηD": lambda: rate.proof(largest=rate.R0 + rate.ETA * rate.D),
    "K² with the wrong factor": lambda: rate.proof(
        largest=2 * (rate.R0 + rate.ETA * rate.D - 2 * rate.K + rate.K**2 / rate.R0)
    ),
}


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_wrong_statements_are_rejected(build: Callable[[], Any]) -> None:
    with pytest.raises(Violation):
        build().check()


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("rung", ["exact", "ball"])
def test_generated_problems(claim: Claim, rung: str) -> None:
    evidence = getattr(claim, rung)
    if isinstance(evidence, NotApplicable):
        pytest.skip(evidence.why)
    found = search(evidence.problems, evidence.check, Budget(60, seed=7), claim.id)
    assert found.violation is None, f"{found.violation}\n{found.problem}"
    assert not found.shortfall


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_every_hypothesis_is_needed(claim: Claim) -> None:
    refutations = [refutation_of(claim, h) for h in claim.hypotheses if not isinstance(h.needed, NotApplicable)]
    assert len(refutations) >= 2
    assert all(refutation.refutes for refutation in refutations), refutations


def worst(claim: Claim, subject: Subject, examples: int) -> float:
    """The largest error/bound found; infinite for what must be bitwise right and is not."""
    attack, largest = claim.implementation, 0.0
    assert isinstance(attack, Attack)

    def check(trial: Trial) -> None:
        nonlocal largest
        largest = max([largest, *(m.ratio for m in attack.check(execute(subject, trial)))])
        if largest > 1:
            raise Violation("error/bound", 1, largest)

    search(attack.trials(subject), check, Budget(examples, seed=3, shrink=False), claim.id)
    return largest


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("subject", PRODUCTION, ids=lambda subject: subject.name)
def test_production_optimizers_pass(claim: Claim, subject: Subject) -> None:
    assert worst(claim, subject, 30) <= 1


@pytest.mark.parametrize("algorithm", ["sgdp", "adamp"])
@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_broken_optimizers_are_caught(claim: Claim, algorithm: str) -> None:
    named = (one.subject for one in zoo() if one.subject and claim.id in one.caught_by)
    assert worst(claim, next(subject for subject in named if subject.algorithm == algorithm), 200) > 1


@pytest.mark.parametrize("kind", layers.KINDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_torch_layers_ignore_powers_of_two(kind: str, dtype: torch.dtype) -> None:
    """Norm(cWx) == Norm(Wx), bitwise, with ε = 0."""
    layer = layers.Layer(kind, (((1, -2, 4), (3, 5, -1)),), (((2, 1, 1), (0, 1, 3)),))
    w = torch.tensor([[1.0, -3.0], [2.0, 5.0]], dtype=dtype)
    assert all(torch.equal(layer.forward(2.0**k * w), layer.forward(w)) for k in (-20, -1, 1, 20))
    assert layer.view in (View.CHANNEL, View.LAYER)
    assert layer.has_direction(np.array([[1.0, -3.0], [2.0, 5.0]]))
    assert not layer.has_direction(np.zeros((2, 2)))


@pytest.mark.parametrize("kind", ["batch", "instance", "group", "layer"])
@pytest.mark.parametrize("skip", [False, True])
def test_autograd_is_the_gradient_written_by_hand(kind: str, skip: bool) -> None:
    """torch's float64 gradient lies in the balls of a run whose every rounding is 2¹³ times as large."""
    x, a = (((1, -2, 4), (3, 5, -1)), ((0, 2, 1), (-1, 1, 6))), (((2, 1, 1), (0, 1, 3)), ((1, 0, -2), (5, 1, 1)))
    w = np.array([[1.0, -3.0], [2.0, 5.0]])
    by_hand = NormalisedLinear(x, a, kind, groups=2 if kind == "group" else 1, skip=skip)
    coarse = by_hand.gradient(balls(40), balls(40).array(w))
    by_torch = layers.Layer(f"{kind} norm", x, a, groups=2, skip=skip)(w)
    for ball, number in zip(coarse.flat, by_torch.flat, strict=True):
        assert ball.is_finite()
        assert ball.contains(flint.arb(float(number)))


def test_rounding_bounds_of_products_norms_and_directions() -> None:
    """An error at the edge of its box stays within the bound, and the bound is attained to first order."""
    x, e = np.array([3.0, -4.0, 12.0]), np.array([0.5, -0.25, 0.125])
    w = np.array([1.0, -1.0, 1.0])
    assert w @ e == abs(w) @ abs(e) <= rounding.inner_product_error(w, abs(e))
    grown = (x + e) @ (x + e) - x @ x
    assert grown <= rounding.squared_norm_error(x, abs(e)) <= grown * (1 + rounding.FLOAT64.gamma(64))
    turned = (x + e) / np.linalg.norm(x + e) - x / np.linalg.norm(x)
    assert np.linalg.norm(turned) <= rounding.direction_error(x, abs(e)) < 2
    assert rounding.direction_error(x, 10 * abs(x)) == 2


@pytest.mark.parametrize(
    "objective",
    [SquaredCosine((1, 2, -1)), Rayleigh(((2, 1, 0), (1, -3, 1), (0, 1, 5))), Cosine((1, 2, -1))],
    ids=lambda objective: type(objective).__name__,
)
def test_smoothness_constants_bound_the_derivatives(objective: Objective) -> None:
    """hᵀ∇²f h ≤ L‖h‖²/‖w‖² and ‖∇f‖² ≤ G²/‖w‖², with sympy's Hessian, at exact points."""
    w = sympy.symbols("x y z", real=True)
    hessian = sympy.hessian(objective.value(SYMBOLIC, SYMBOLIC.array(w)), w)
    constants = smoothness(objective)
    largest = float(constants.curvature.p) / float(constants.curvature.q)
    for point in [(1, 0, 0), (1, 2, -1), (2, -1, 0), (1, 1, 3), (-3, 1, 1)]:
        at = np.array(hessian.subs(dict(zip(w, point, strict=True))).evalf(), dtype=np.float64)
        square = sum(x * x for x in point)
        assert np.abs(np.linalg.eigvalsh(at)).max() * square <= largest
        gradient = objective.gradient(SYMBOLIC, SYMBOLIC.array(point))
        slope = sympy.Rational(int(constants.slope.p), int(constants.slope.q))
        assert gradient @ gradient * square <= slope**2


def test_smoothness_is_refused_where_it_is_not_known() -> None:
    with pytest.raises(TypeError, match="constants are known for Cosine, SquaredCosine and Rayleigh"):
        smoothness(SphericalRosenbrock())


def test_the_bound_of_the_norm_does_not_depend_on_the_number_of_steps() -> None:
    """2,000 steps of GD with a huge step size stop growing below R, and the certificate falls like 1/T."""
    f, w, lr = Cosine((0, -1)), np.array([0.6, 0.8]), 3.0
    largest = largest_squared_norm(flint.fmpq(1), flint.fmpq(3), smoothness(f))
    reached = []
    for t in range(1, 2001):
        w = w - lr * f.gradient(FLOAT64, w)
        if t in (20, 200, 2000):
            reached.append(certificate(1.0, float(w @ w), t))
    assert float(w @ w) <= float(largest.p) / float(largest.q)
    assert reached[0] > 5 * reached[1] > 25 * reached[2]


@settings(max_examples=30, deadline=None, database=None, derandomize=True)
@given(invariant_problems.rational_points())
def test_generated_points_are_on_rational_objectives(point: invariant_problems.Point) -> None:
    assert point.objective.scale_invariant
    assert isinstance(point.objective.value(EXACT, point.w), flint.fmpq)
    assert point.c > 0
    assert 1 <= len(point.w) <= 64
    assert repr(point).startswith("Point(objective=")


def test_weights_that_nearly_cancel_are_compared_as_far_as_they_are_normal_numbers() -> None:
    # 1 − ηλ/(1 − β) is −2.2e-16 here: the third step is subnormal, and so is a scaled one, elsewhere.
    hyper = {"lr": 1.0, "momentum": 0.9, "weight_decay": 0.1}
    trial = Trial((2,), "float32", (0.0, 1.0), ((0.0, 0.0),) * 3, hyper)
    for subject in (SOUND[0].subject, PRODUCTION[0]):
        measured = eq_04_orthogonality.check_implementation(execute(subject, trial))
        assert measured
        assert max(one.ratio for one in measured) <= 1
