"""Everything a claim needs, in one import: ``from tangency.proofs_checks.authoring import *``.

The claim
    ``Claim``, ``Severity``, ``Hypothesis``, ``Refutation``; a rung that does not apply: ``NotApplicable``; what is run
    together: ``Suite``
Its statement as data
    ``Statement`` of ``Theorem``s; terms: ``variables``, ``function`` (an operator by its name), ``every``, ``some``,
    ``total``, ``tends``, ``equal``, ``unequal``, ``dot``, ``square``; searches that evaluate it: ``Instances``, on
    ``Values`` of its letters, ``Gradients`` of its functions;
    of a run with momentum, ``of_momentum``
Algebra
    ``Proof``, ``Given``, ``Identity``, ``NonNegative``; inner products without dimensions: ``Gram``
Exact and ball rung
    ``Search``, with ``require``, ``require_equal``, ``require_contains``; strategies: the module ``problems``, and of
    scale-invariant objectives ``rational_points``, ``irrational_points``, ``objective_descents``, ``integers``,
    ``weights``
Numbers
    the fields ``EXACT``, ``BALLS``, ``balls``, ``SYMBOLIC``, ``FLOAT64``; ``rational``, ``as_float``; types: ``Field``,
    ``Array``
The executable spec
    ``gd``, ``heavy_ball``, ``nesterov``, ``sgdp``, ``adam``, ``adamw``, ``adamp``, ``START``, ``State``, ``Step``
Objectives with exact gradients
    ``Objective``, ``Cosine``, ``SquaredCosine``, ``Rayleigh``; as a function of the weights: ``GradientField``
Projection
    ``project``, ``project_rows``, ``turned``, ``View``, ``choose_view``, ``UndecidedView``
Implementation rung
    ``Attack``; the optimizer: ``Subject``, ``ADAPTIVE``, ``DAMPENING``, ``HEAVY_BALL``, ``NESTEROV``, ``PROJECTION``,
    ``WEIGHT_DECAY``; what it lacks: ``NotOffered``
Trials
    ``Trial``, ``Gradient``, ``LAYOUTS``; the module ``strategies``, ``orthogonal_trials``, ``layer_trials``; gradients
    at an angle: ``Rotation``, ``Tilted``, ``AtCosine``
Runs
    ``execute``, ``Run``, ``Record``, ``norm_steps``, ``projected_records``, ``admissible_views``
Measurements and their bounds
    ``Measurement``, ``measured``, ``measure_step``, ``weights_bound``, ``squared_norm_error``, ``inner_product_error``,
    ``norm_error``, ``direction_error``; formats of dtypes: ``FORMATS``; float64 arrays: ``Floats``, ``floats``
"""

from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.claim import (
    Attack,
    Claim,
    Hypothesis,
    NotApplicable,
    NotOffered,
    Refutation,
    Search,
    Severity,
    Suite,
    require,
    require_contains,
    require_equal,
)
from tangency.proofs_checks.errors.rounding import (
    FORMATS,
    Floats,
    direction_error,
    inner_product_error,
    norm_error,
    squared_norm_error,
)
from tangency.proofs_checks.generate import problems, strategies
from tangency.proofs_checks.generate.gradients import AtCosine, Rotation, Tilted
from tangency.proofs_checks.generate.invariant_problems import (
    integers,
    irrational_points,
    objective_descents,
    rational_points,
    weights,
)
from tangency.proofs_checks.generate.trials import BALLS, LAYOUTS, Gradient, Measurement, Record, Run, Trial, as_float
from tangency.proofs_checks.measure.conformance import (
    admissible_views,
    floats,
    measure_step,
    projected_records,
    weights_bound,
)
from tangency.proofs_checks.measure.norms import measured, norm_steps, orthogonal_trials
from tangency.proofs_checks.proof.gram import Given, Gram, Identity, NonNegative, Proof
from tangency.proofs_checks.statement.evaluate import Gradients, Values
from tangency.proofs_checks.statement.instances import Instances, of_momentum
from tangency.proofs_checks.statement.terms import (
    dot,
    equal,
    every,
    function,
    some,
    square,
    tends,
    total,
    unequal,
    variables,
)
from tangency.proofs_checks.statement.theorem import Statement, Theorem
from tangency.proofs_checks.subjects import (
    ADAPTIVE,
    DAMPENING,
    HEAVY_BALL,
    NESTEROV,
    PROJECTION,
    WEIGHT_DECAY,
    Subject,
)
from tangency.theory.algorithms import START, State, Step, adam, adamp, adamw, gd, heavy_ball, nesterov, sgdp
from tangency.theory.fields import EXACT, FLOAT64, SYMBOLIC, Array, Field, balls, rational
from tangency.theory.objectives import Cosine, GradientField, Objective, Rayleigh, SquaredCosine
from tangency.theory.projection import UndecidedView, View, choose_view, project, project_rows, turned

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "ADAPTIVE",
    "BALLS",
    "DAMPENING",
    "EXACT",
    "FLOAT64",
    "FORMATS",
    "HEAVY_BALL",
    "LAYOUTS",
    "NESTEROV",
    "PROJECTION",
    "START",
    "SYMBOLIC",
    "WEIGHT_DECAY",
    "Array",
    "AtCosine",
    "Attack",
    "Claim",
    "Cosine",
    "Field",
    "Floats",
    "Given",
    "Gradient",
    "GradientField",
    "Gradients",
    "Gram",
    "Hypothesis",
    "Identity",
    "Instances",
    "Measurement",
    "NonNegative",
    "NotApplicable",
    "NotOffered",
    "Objective",
    "Proof",
    "Rayleigh",
    "Record",
    "Refutation",
    "Rotation",
    "Run",
    "Search",
    "Severity",
    "SquaredCosine",
    "State",
    "Statement",
    "Step",
    "Subject",
    "Suite",
    "Theorem",
    "Tilted",
    "Trial",
    "UndecidedView",
    "Values",
    "View",
    "adam",
    "adamp",
    "adamw",
    "admissible_views",
    "as_float",
    "balls",
    "choose_view",
    "direction_error",
    "dot",
    "equal",
    "every",
    "execute",
    "floats",
    "function",
    "gd",
    "heavy_ball",
    "inner_product_error",
    "integers",
    "irrational_points",
    "layer_trials",
    "measure_step",
    "measured",
    "nesterov",
    "norm_error",
    "norm_steps",
    "objective_descents",
    "of_momentum",
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
    "some",
    "square",
    "squared_norm_error",
    "strategies",
    "tends",
    "total",
    "turned",
    "unequal",
    "variables",
    "weights",
    "weights_bound",
]


# The two that run torch import it when they are called: a list of the claims takes a second less.


def execute(subject: Subject, trial: Trial) -> Run:
    """See :func:`.generate.execution.execute`."""
    from tangency.proofs_checks.generate import execution

    return execution.execute(subject, trial)


def layer_trials(subject: Subject, /, *, skip: bool = False, **fixed: Any) -> "SearchStrategy[Trial]":
    """See :func:`.generate.layers.layer_trials`."""
    from tangency.proofs_checks.generate import layers

    return layers.layer_trials(subject, skip=skip, **fixed)
