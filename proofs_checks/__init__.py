"""The statements of the paper as claims, and the gate that proves, runs and attacks them.

Importing this package is cheap; :func:`verify` loads sympy, Hypothesis and torch when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tangency.proofs_checks.engine.claim import (
    Attack,
    Claim,
    Hypothesis,
    NotApplicable,
    Refutation,
    Result,
    Rung,
    Search,
    Verdict,
    Violation,
    require,
    require_contains,
    require_equal,
)

if TYPE_CHECKING:
    from tangency.proofs_checks.engine.registry import Suite, discover
    from tangency.proofs_checks.engine.subjects import Subject
    from tangency.proofs_checks.engine.symbolic import Given, Gram, Identity, NonNegative, Proof
    from tangency.proofs_checks.engine.verify import Report, verify

# What loads sympy, Hypothesis or torch, by the module of the engine that has it.
_LAZY = {
    "Given": "symbolic",
    "Gram": "symbolic",
    "Identity": "symbolic",
    "NonNegative": "symbolic",
    "Proof": "symbolic",
    "Report": "verify",
    "Subject": "subjects",
    "Suite": "registry",
    "discover": "registry",
    "verify": "verify",
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
    "Verdict",
    "Violation",
    "discover",
    "require",
    "require_contains",
    "require_equal",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.engine.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
