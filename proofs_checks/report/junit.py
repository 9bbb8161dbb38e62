"""Reports for CI servers: JUnit XML, one test suite a target and one test case a check."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from tangency.common.text import line, visible
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.report import dialect_text
from tangency.proofs_checks.report.causes import causes
from tangency.proofs_checks.report.facts import Row, Status, labels, measured, rows
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.versions import versions


def to_junit(reports: Sequence[SubjectReport], command: str = "tangency check") -> str:
    """The reports as JUnit XML.

    A check that fails is a failure whose type is its severity, or ``choice`` if a choice of the dialect explains it; so
    is an undecided one.
    Known failures, and what does not apply, are skipped, each with its reason. A problem of the whole target (it
    cannot be run, a known failure is stale, an interrupt) is a test case of its own, so that the suite fails.
    """
    root = ET.Element("testsuites", name=command)
    ran = versions()
    for report, label in zip(reports, labels(reports), strict=True):
        root.append(_suite(report, line(label), ran))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: SubjectReport, name: str, ran: Mapping[str, str]) -> ET.Element:
    suite = ET.Element("testsuite", name=name)
    properties = ET.SubElement(suite, "properties")
    for key, value in _facts(report, ran).items():
        ET.SubElement(properties, "property", name=line(key), value=line(value))
    cases = [_case(name, row) for row in rows(report)]
    if report.problem:
        cases.append(_odd(name, "target", "error", "target", report.problem))
    if report.interrupted:
        cases.append(_odd(name, "run", "error", "interrupted", "the run was interrupted"))
    for number, wrong in enumerate(report.stale, 1):
        cases.append(_odd(name, f"stale known failure {number}", "failure", "stale", wrong))
    if not any(case.find(tag) is not None for case in cases for tag in ("failure", "error")):
        # A choice may fail no check that was asked, and is not accepted all the same.
        cases += [_odd(name, choice.name, "failure", "choice", choice.says) for choice in report.unaccepted]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(finding.seconds for finding in report.findings):.3f}")
    return suite


def _facts(report: SubjectReport, ran: Mapping[str, str]) -> dict[str, str]:
    """What a reader needs to repeat the run, and the dialect."""
    info, fit = report.info, report.fit
    facts = {"algorithm": info.algorithm, "kind": info.kind, "version": info.version, "seed": str(report.seed)}
    facts |= {f"option {name}": repr(value) for name, value in info.options.items()}
    facts["verdict"] = report.verdict_line
    if fit is not None:
        facts["dialect"] = dialect_text.summary(fit)
        facts |= {f"dialect {choice}": value for choice, value in dialect_text.choices(fit)}
        for departure in map(dialect_text.departure_text, fit.departures):
            facts[f"departure {departure.choice}"] = (
                f"{departure.value} ({departure.differs}): {departure.judgement}; {departure.effect}"
            )
    for cause in causes(report):
        facts[f"{'bug' if cause.status is Status.FAILS else 'choice'} {cause.name}"] = "; ".join(
            (cause.says, *cause.details)
        )
    return {**facts, **{f"version of {package}": version for package, version in ran.items()}}


def _case(target: str, row: Row) -> ET.Element:
    found = row.finding
    case = ET.Element(
        "testcase", classname=target, name=line(row.check.id), time=f"{found.seconds if found else 0:.3f}"
    )
    if found is None:
        ET.SubElement(case, "skipped", message="an interrupt cut it off")
    elif row.status in (Status.FAILS, Status.CHOICE, Status.UNDECIDED):
        why = {Status.UNDECIDED: "undecided: ", Status.CHOICE: f"because of {row.note}: "}.get(row.status, "")
        message = line(why + (found.detail or row.check.title))
        kind = "choice" if row.status is Status.CHOICE else row.check.severity.value
        ET.SubElement(case, "failure", type=kind, message=message).text = _in_full(row, found)
    elif row.status is Status.ERROR:
        ET.SubElement(case, "error", type="our own error", message=line(found.detail)).text = _in_full(row, found)
    elif row.status is Status.KNOWN:
        ET.SubElement(case, "skipped", message=f"known failure: {line(row.reason)}").text = _in_full(row, found)
    elif row.status is Status.DOES_NOT_APPLY:
        ET.SubElement(case, "skipped", message=f"does not apply: {line(found.detail)}")
    elif row.status is Status.NOT_RUN:
        ET.SubElement(case, "skipped", message=f"not run: {line(found.detail)}")
    if found is not None and (text := measured(found)):
        ET.SubElement(case, "system-out").text = text
    return case


def _odd(target: str, name: str, tag: str, kind: str, text: str) -> ET.Element:
    """A case that is about the target, not about a check."""
    case = ET.Element("testcase", classname=target, name=line(name), time="0.000")
    ET.SubElement(case, tag, type=kind, message=line(text)).text = visible(text)
    return case


def _in_full(row: Row, found: Finding) -> str:
    """The failure in full."""
    parts = [f"{row.check.title} ({row.check.source})", found.detail]
    for heading, text in (
        ("expected", found.expected),
        ("got", found.got),
        ("readings", found.readings),
        ("counterexample", found.counterexample),
        ("stand-alone script", found.reproducer),
    ):
        parts += [f"{heading}:\n{text}"] if text else []
    return visible("\n\n".join(filter(None, parts)))
