"""A target under some checks, in this process: what ``tangency check`` would report."""

from collections.abc import Callable

from tangency.proofs_checks.finding import Check
from tangency.proofs_checks.options import PROFILES, Options
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.run.state import restored
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import load

QUICK = Options(PROFILES["quick"], 1, shrink=False)


def examined(spec: TargetSpec, chosen: Callable[[Check], bool] = lambda one: True) -> SubjectReport:
    """The report on a target, every failure explained where a choice explains it."""
    target = load(spec)
    checks = tuple(filter(chosen, conformance.checks()))
    found = []
    for one in checks:
        with restored():
            found.append(conformance.explained(one)(target, QUICK))
    return SubjectReport(target.info, checks, tuple(found), seed=QUICK.seed)
