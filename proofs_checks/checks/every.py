"""What users of optimizers rely on: the checks of ``tangency check`` beside the algorithm and its theorems."""

from tangency.proofs_checks.checks import (
    arguments,
    contract,
    decision,
    exact_inputs,
    inputs,
    paths,
    side_effects,
    state,
    tensors,
    updates,
)
from tangency.proofs_checks.checks.question import Question

QUESTIONS: tuple[Question, ...] = (
    *decision.QUESTIONS,
    *exact_inputs.QUESTIONS,
    *inputs.QUESTIONS,
    *tensors.QUESTIONS,
    *contract.QUESTIONS,
    *updates.QUESTIONS,
    *state.QUESTIONS,
    *arguments.QUESTIONS,
    *paths.QUESTIONS,
    *side_effects.QUESTIONS,
)
"""Every behaviour check, in the order of reports."""
