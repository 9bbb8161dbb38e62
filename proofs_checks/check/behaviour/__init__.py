"""What users of optimizers rely on: the checks of ``tangency check`` beside the algorithm and its theorems."""

from tangency.proofs_checks.check.behaviour import contract, inputs, state, tensors
from tangency.proofs_checks.check.question import Question

QUESTIONS: tuple[Question, ...] = (
    *inputs.QUESTIONS,
    *tensors.QUESTIONS,
    *contract.QUESTIONS,
    *state.QUESTIONS,
)
"""Every behaviour check, in the order of reports."""
