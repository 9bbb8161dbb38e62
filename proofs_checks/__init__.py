"""The statements of the paper as claims, and the checks that prove, run and attack them.

Importing this package is cheap; :func:`verify` loads sympy, Hypothesis and torch when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.claim import (
    Attack,
    Claim,
    Hypothesis,
    NotApplicable,
    Refutation,
    Rung,
    Search,
    Suite,
    Verdict,
    Violation,
    require,
    require_contains,
    require_equal,
)
from tangency.proofs_checks.finding import Finding as Result

if TYPE_CHECKING:
    from tangency.proofs_checks.plugin import parametrize_with_claims
    from tangency.proofs_checks.proof.gram import Given, Gram, Identity, NonNegative, Proof
    from tangency.proofs_checks.run.conformance import check
    from tangency.proofs_checks.run.registry import discover
    from tangency.proofs_checks.run.verify import Report, verify
    from tangency.proofs_checks.subjects import Subject
    from tangency.proofs_checks.target.spec import TargetSpec

# What loads sympy, Hypothesis or torch, by the module that has it.
_LAZY = {
    "Given": "proof.gram",
    "Gram": "proof.gram",
    "Identity": "proof.gram",
    "NonNegative": "proof.gram",
    "Proof": "proof.gram",
    "Report": "run.verify",
    "Subject": "subjects",
    "TargetSpec": "target.spec",
    "check": "run.conformance",
    "discover": "run.registry",
    "parametrize_with_claims": "plugin",
    "verify": "run.verify",
}

__all__ = [
    "Attack",
    "Claim",
    "Given",
    "Gram",
    "Hypothesis",
    "Identity",
    "NonNegative",
    "NotApplicable",
    "Proof",
    "Refutation",
    "Report",
    "Result",
    "Rung",
    "Search",
    "Subject",
    "Suite",
    "TargetSpec",
    "Verdict",
    "Violation",
    "check",
    "discover",
    "parametrize_with_claims",
    "require",
    "require_contains",
    "require_equal",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
