"""What users of optimizers rely on: the checks of ``tangency check`` beside the algorithm and its theorems."""

from tangency.proofs_checks.checks import (
    alone,
    arguments,
    contract,
    decision,
    exact_inputs,
    inputs,
    own_shapes,
    paths,
    side_effects,
    state,
    tensors,
    updates,
)
from tangency.proofs_checks.finding import Check

CHECKS: tuple[Check, ...] = (
    *decision.CHECKS,
    *alone.CHECKS,
    *exact_inputs.CHECKS,
    *inputs.CHECKS,
    *tensors.CHECKS,
    *contract.CHECKS,
    *updates.CHECKS,
    *state.CHECKS,
    *arguments.CHECKS,
    *own_shapes.CHECKS,
    *paths.CHECKS,
    *side_effects.CHECKS,
)
"""Every behaviour check, in the order of reports."""
