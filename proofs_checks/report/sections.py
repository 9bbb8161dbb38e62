"""The parts of a page about one target: verdict, dialect, failures, checks, curves."""

from collections.abc import Iterator, Mapping

from tangency.common.numbers import digits, share
from tangency.proofs_checks.finding import Curve, Judgement
from tangency.proofs_checks.report import dialect_text, figures
from tangency.proofs_checks.report.causes import causes
from tangency.proofs_checks.report.elements import Markup, element, join
from tangency.proofs_checks.report.facts import Row, Status, overall, remarks, rows, worst_first
from tangency.proofs_checks.report.subject_report import SubjectReport

KINDS = {Judgement.THEOREM.value: "theorem", Judgement.TRAJECTORY.value: "trajectory"}


def section(report: SubjectReport, name: str, id: str) -> Markup:
    """Everything about one target.

    Args:
        name: how the page calls the target.
        id: of the section, a prefix of every id in it.
    """
    return element(
        "section",
        element("h2", name),
        _verdict(report),
        _causes(report),
        _facts(report),
        _dialect(report),
        _failures(report),
        _checks(report, id),
        _curves(report, id),
        class_="target",
        id=id,
    )


def _verdict(report: SubjectReport) -> Markup:
    """The verdict line with its remarks."""
    status = overall(report)
    line = element("p", icon(status), element("span", report.verdict_line))
    more = (element("p", remark, class_="lines small") for remark in remarks(report))
    return element("div", line, *more, class_=f"card verdict {class_of(status)}")


def _causes(report: SubjectReport) -> Markup:
    """Bugs, then choices, a card each."""
    cards = [
        element(
            "div",
            element("h3", icon(one.status), element("code", one.name)),
            element("p", one.says),
            *(element("p", detail, class_="muted small" if n else "small") for n, detail in enumerate(one.details)),
            element("pre", "\n".join(one.map), tabindex="0") if one.map else Markup(),
            class_=f"card failure {class_of(one.status)}",
        )
        for one in causes(report)
    ]
    return join(*cards)


def icon(status: Status) -> Markup:
    """The mark of a status, which a screen reader reads as its word."""
    return element("span", status.mark, class_=f"icon {class_of(status)}", role="img", aria_label=status.value)


def class_of(status: Status) -> str:
    """The class of the style sheet."""
    short = {Status.ERROR: "error", Status.KNOWN: "known", Status.CHOICE: "choice"}
    return short.get(status, status.value.replace(" ", "-"))


def noted(row: Row, notes: dict[str, int], id: str) -> Markup:
    """The number of the note, as a link to it; fills the numbered ``notes``."""
    if not row.note:
        return Markup()
    number = str(notes.setdefault(row.note, len(notes) + 1))
    return element("sup", element("a", f"[{number}]", href=f"#{id}-note-{number}"))


def footnotes(notes: Mapping[str, int], id: str) -> Markup:
    """The notes, each with the anchor of its number."""
    if not notes:
        return Markup()
    items = [element("li", reason, id=f"{id}-note-{number}", class_="lines") for reason, number in notes.items()]
    return element("ol", *items, class_="small")


def _pairs(pairs: Mapping[str, str]) -> Markup:
    items = (join(element("dt", name), element("dd", value)) for name, value in pairs.items() if value)
    return element("dl", *items)


def _facts(report: SubjectReport) -> Markup:
    info = report.info
    facts = {
        "algorithm": info.algorithm,
        "driven as": info.kind,
        "version": info.version,
        "options": ", ".join(f"{name}={value!r}" for name, value in info.options.items()),
        "takes": ", ".join(info.offers.values()),
        "run": f"seed {report.seed}, {report.seconds:.0f} s",
    }
    cells = (element("div", element("dt", name), element("dd", value)) for name, value in facts.items() if value)
    return element("dl", *cells, class_="facts small")


def _dialect(report: SubjectReport) -> Markup:
    """The dialect: what the target really computes."""
    fit = report.fit
    if fit is None:
        return Markup()
    parts = [element("h3", "What it computes"), element("p", dialect_text.summary(fit))]
    cards = []
    for departure in dialect_text.departures(fit):
        cards.append(
            element(
                "div",
                element("h4", element("code", f"{departure.choice} = {departure.value}")),
                element("p", element("span", departure.judgement, class_="chip")),
                element("p", departure.says),
                element("p", departure.effect),
                element("p", departure.differs, class_="muted small"),
                class_=f"card departure {KINDS.get(departure.judgement, '')}".strip(),
            )
        )
    parts.append(element("div", *cards, class_="departures"))
    choices = dict(dialect_text.choices(fit))
    if choices:
        heading = "Every choice" if fit.explained else "The nearest dialect"
        parts.append(element("details", element("summary", heading), _pairs(choices)))
    return join(*parts)


def _failures(report: SubjectReport) -> Markup:
    bad = [row for row in worst_first(report) if row.status.bad]
    if not bad:
        return Markup()
    return join(element("h3", "What needs a look"), *(failure(row, row.check.id) for row in bad))


def failure(row: Row, name: str) -> Markup:
    """One failure: title, source, detail, expected and got, counterexample, and the script."""
    found = row.finding
    assert found is not None  # an interrupt's rows are not bad
    parts = [
        element("h4", icon(row.status), element("code", name)),
        element(
            "p",
            element("span", row.status.value, class_=f"chip {class_of(row.status)}"),
            " ",
            element("span", row.check.severity.value, class_="chip quiet"),
        ),
        element("p", row.check.title, element("span", f" ({row.check.source})", class_="muted")),
    ]
    if row.status is Status.ERROR:
        parts.append(element("pre", found.detail, tabindex="0"))
    elif found.detail:
        parts.append(element("p", found.detail, class_="lines"))
    values = {"expected": found.expected, "got": found.got, "readings": found.readings}
    if any(values.values()):
        items = (
            join(element("dt", name), element("dd", value, class_="mono lines"))
            for name, value in values.items()
            if value
        )
        parts.append(element("dl", *items))
    if found.counterexample:
        parts.append(element("p", "counterexample", class_="muted small"))
        parts.append(element("pre", found.counterexample, tabindex="0"))
    if row.check.why:
        parts.append(element("details", element("summary", "Why it matters"), element("p", row.check.why)))
    if found.reproducer:
        script = element("pre", found.reproducer, tabindex="0")
        parts.append(element("details", element("summary", "Stand-alone script"), script))
    return element("div", *parts, class_=f"card failure {class_of(row.status)}")


def _checks(report: SubjectReport, id: str) -> Markup:
    """Every check, the worst first; on a phone each is a block of its own."""
    if not rows(report):
        return Markup()
    notes: dict[str, int] = {}
    headings = [element("th", text, scope="col") for text in ("check", "verdict", "severity")]
    headings += [element("th", text, scope="col", class_="number") for text in ("tried", "error / bound", "ulps")]
    body = [_check(row, notes, id) for row in worst_first(report)]
    table = element("table", element("thead", element("tr", *headings)), element("tbody", *body), class_="checks")
    return join(element("h3", "Checks"), element("div", table, class_="box"), footnotes(notes, id))


def _check(row: Row, notes: dict[str, int], id: str) -> Markup:
    found = row.finding
    numbers = {
        "tried": f"{found.examples:,}" if found and found.examples else "",
        "error / bound": share(found.error) if found and found.error is not None else "",
        "ulps": digits(found.ulps) if found and found.ulps is not None else "",
    }
    return element(
        "tr",
        element(
            "th", element("code", row.check.id), element("div", row.check.title, class_="muted small"), scope="row"
        ),
        element("td", icon(row.status), row.status.value, noted(row, notes, id)),
        element("td", row.check.severity.value, class_="muted"),
        *(element("td", text, class_="number", data_label=label) for label, text in numbers.items()),
    )


def _curves(report: SubjectReport, id: str) -> Markup:
    drawn = [part for n, curve in enumerate(report.curves) for part in _curve(curve, f"{id}-curve{n}")]
    if not drawn:
        return Markup()
    key = element(
        "div",
        element("span", "this optimizer", class_="of-target"),
        element("span", "the paper", class_="of-spec"),
        class_="key muted small",
    )
    return join(element("h3", "Beside the paper"), key, *drawn)


def _curve(curve: Curve, prefix: str) -> Iterator[Markup]:
    panels = figures.panels(curve, prefix)
    if panels:
        shown = (
            element(
                "figure",
                element("figcaption", panel.title),
                element("div", Markup(panel.svg), role="img", aria_label=f"{panel.title} by step, {curve.title}"),
            )
            for panel in panels
        )
        yield element("div", element("h4", curve.title), element("div", *shown, class_="curves"), class_="card")
