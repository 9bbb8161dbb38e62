"""The statements of the paper as claims, and the gate that proves, runs and attacks them.

Importing this package is cheap; :func:`verify` loads sympy, Hypothesis and torch when it is first used.
"""

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
    from tangency.proofs_checks.engine.verify import Report, verify

__all__ = [
    "Attack",
    "Claim",
    "Hypothesis",
    "NotApplicable",
    "Refutation",
    "Report",
    "Result",
    "Rung",
    "Search",
    "Verdict",
    "Violation",
    "require",
    "require_contains",
    "require_equal",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in ("Report", "verify"):
        from tangency.proofs_checks.engine import verify as module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
