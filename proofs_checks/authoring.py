"""Everything that a claim is written with, in one import: ``from tangency.proofs_checks.authoring import *``.

A claim file reads like a page of mathematics in this vocabulary; the formulas that it is about come from
:mod:`tangency.theory` by name.

the claim          Claim, Hypothesis, Refutation, NotApplicable, Severity
its evidence       Search and Attack; require, require_equal, require_contains: what must be true of a problem
proofs             Gram, Given, Identity, NonNegative, Proof
number systems     EXACT, BALLS, balls, rational, Array, Field
algorithms         gd, heavy_ball, nesterov, adam, adamp, sgdp; Step, State, START
projections        View, UndecidedView, choose_view, project, project_rows, turned
exact problems     problems (runs and descents over any field), integers, weights, rational_points, objective_descents
real runs          generate (strategies of trials), Rotation, Tilted, Trial, Gradient, execute, Run, Record, Measurement
                   layer_trials, orthogonal_trials
their errors       Floats, floats, as_float, weights_bound, squared_norm_error, inner_product_error
measurements       measured, measure_step, norm_steps, admissible_views, projected_records
optimizers         Subject, and what it can do: HEAVY_BALL, ADAPTIVE, PROJECTION, NESTEROV, DAMPENING, WEIGHT_DECAY, …
"""

from tangency.proofs_checks.claim import (
    Attack,
    Claim,
    Hypothesis,
    NotApplicable,
    Refutation,
    Search,
    Severity,
    require,
    require_contains,
    require_equal,
)
from tangency.proofs_checks.errors.rounding import Floats, inner_product_error, squared_norm_error
from tangency.proofs_checks.generate import problems
from tangency.proofs_checks.generate import strategies as generate
from tangency.proofs_checks.generate.execute import execute
from tangency.proofs_checks.generate.gradients import Rotation, Tilted
from tangency.proofs_checks.generate.invariant_problems import integers, objective_descents, rational_points, weights
from tangency.proofs_checks.generate.layers import layer_trials
from tangency.proofs_checks.generate.trials import BALLS, Gradient, Measurement, Record, Run, Trial, as_float
from tangency.proofs_checks.hyperparameters import (
    ADAPTIVE,
    DAMPENING,
    GROUPS,
    HEAVY_BALL,
    LARGE,
    MAXIMIZE,
    NESTEROV,
    PROJECTION,
    WEIGHT_DECAY,
)
from tangency.proofs_checks.measure.conformance import (
    admissible_views,
    floats,
    measure_step,
    projected_records,
    weights_bound,
)
from tangency.proofs_checks.measure.norms import measured, norm_steps, orthogonal_trials
from tangency.proofs_checks.proof.gram import Given, Gram, Identity, NonNegative, Proof
from tangency.proofs_checks.subjects import Subject
from tangency.theory.algorithms import START, State, Step, adam, adamp, gd, heavy_ball, nesterov, sgdp
from tangency.theory.fields import EXACT, Array, Field, balls, rational
from tangency.theory.projection import UndecidedView, View, choose_view, project, project_rows, turned

__all__ = [
    "ADAPTIVE",
    "BALLS",
    "DAMPENING",
    "EXACT",
    "GROUPS",
    "HEAVY_BALL",
    "LARGE",
    "MAXIMIZE",
    "NESTEROV",
    "PROJECTION",
    "START",
    "WEIGHT_DECAY",
    "Array",
    "Attack",
    "Claim",
    "Field",
    "Floats",
    "Given",
    "Gradient",
    "Gram",
    "Hypothesis",
    "Identity",
    "Measurement",
    "NonNegative",
    "NotApplicable",
    "Proof",
    "Record",
    "Refutation",
    "Rotation",
    "Run",
    "Search",
    "Severity",
    "State",
    "Step",
    "Subject",
    "Tilted",
    "Trial",
    "UndecidedView",
    "View",
    "adam",
    "adamp",
    "admissible_views",
    "as_float",
    "balls",
    "choose_view",
    "execute",
    "floats",
    "gd",
    "generate",
    "heavy_ball",
    "inner_product_error",
    "integers",
    "layer_trials",
    "measure_step",
    "measured",
    "nesterov",
    "norm_steps",
    "objective_descents",
    "orthogonal_trials",
    "problems",
    "project",
    "project_rows",
    "projected_records",
    "rational",
    "rational_points",
    "require",
    "require_contains",
    "require_equal",
    "sgdp",
    "squared_norm_error",
    "turned",
    "weights",
    "weights_bound",
]
