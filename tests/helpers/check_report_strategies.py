"""Strategies for reports of `tangency check`: any text, numbers and options."""

import math
from typing import Any

from hypothesis import strategies as st

from tangency.proofs_checks.claim import Rung, Verdict
from tangency.proofs_checks.finding import Check, Curve, Departure, Finding, Fit, Judgement, Severity, TargetInfo
from tangency.proofs_checks.report.subject_report import Expectation, SubjectReport

# Halves of surrogate pairs are in: a file name that is no UTF-8 has low ones. The high ones are not, for JSON reads a
# high one before a low one as the character that they encode, whoever wrote them.
ANY = st.characters() | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=("Cs",))
ACTING = st.sampled_from("\x00\x08\x1b\r\n\t\x7f\x85\u2028\u202e\ufffe\uffff<>&|`\"'\\]@#*_~[(!")
TEXT = st.text(ANY | ACTING, max_size=12)
# NaN equals nothing: it has tests of its own.
NUMBER = st.floats(allow_nan=False)
STEPS = st.lists(st.none() | NUMBER, max_size=4)
LITERAL = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
OPTION = LITERAL | st.sampled_from([math.inf, -math.inf])


def _dictionary(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(TEXT, values, max_size=3)


INFO = st.builds(
    TargetInfo,
    *[TEXT] * 4,
    offers=_dictionary(TEXT),
    capabilities=st.lists(TEXT, max_size=2).map(tuple),
    options=_dictionary(OPTION),
)
DEPARTURE = st.builds(Departure, *[TEXT] * 5, judgement=st.none() | st.sampled_from(Judgement), effect=TEXT)
FIT = st.builds(
    Fit,
    st.sampled_from(["", "sgd", "adam", "grassmann"]),
    _dictionary(TEXT),
    st.booleans(),
    st.none() | NUMBER,
    _dictionary(st.lists(TEXT, max_size=2).map(tuple)),
    st.lists(DEPARTURE, max_size=2).map(tuple),
    TEXT,
)
CURVE = st.builds(Curve, TEXT, _dictionary(STEPS), _dictionary(STEPS), STEPS)
CHECK = st.builds(Check, TEXT, TEXT, st.sampled_from(Severity), TEXT, TEXT)


def _finding(check: Check) -> st.SearchStrategy[Finding]:
    return st.builds(
        Finding,
        st.just(check.id),
        st.sampled_from(Verdict),
        *[TEXT] * 5,
        examples=st.integers(0, 10**6),
        error=st.none() | NUMBER,
        ulps=st.none() | NUMBER,
        seconds=st.floats(0, 1e6),
        error_at=TEXT,
        subject=st.none() | TEXT,
        claim=TEXT,
        rung=st.none() | st.sampled_from(Rung),
        fit=st.none() | FIT,
        curves=st.lists(CURVE, max_size=1).map(tuple),
    )


@st.composite
def report(draw: st.DrawFn) -> SubjectReport:
    """A report whose findings are those of a run: one a check, in order, the last cut off or not."""
    checks = draw(st.lists(CHECK, max_size=4, unique_by=lambda check: check.id))
    ran = draw(st.integers(0, len(checks)))
    names = st.sampled_from([check.id for check in checks]) if checks else TEXT
    return SubjectReport(
        draw(INFO),
        tuple(checks),
        tuple(draw(_finding(check)) for check in checks[:ran]),
        tuple(draw(st.lists(st.builds(Expectation, names, TEXT, TEXT), max_size=2))),
        tuple(draw(st.lists(TEXT, max_size=2))),
        draw(st.just("") | TEXT),
        draw(st.integers(0, 2**63)),
        draw(st.floats(0, 1e6)),
        ran < len(checks),
    )


def reports() -> st.SearchStrategy[list[SubjectReport]]:
    """The reports of a run on a few targets."""
    return st.lists(report(), max_size=2)
