"""A page for browsers: one file, without scripts, which loads nothing from the network."""

from collections.abc import Sequence

from tangency.proofs_checks.report.elements import Markup, element, join
from tangency.proofs_checks.report.facts import LEGEND, Row, labels, overall, rows, short_labels
from tangency.proofs_checks.report.sections import footnotes, icon, noted, section
from tangency.proofs_checks.report.style import CSS
from tangency.proofs_checks.report.subject_report import SubjectReport

# Only styles are allowed: even if text got through as markup, no browser would run it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_html(reports: Sequence[SubjectReport], command: str = "tangency check") -> str:
    """The page: of several targets a matrix first, then a section each."""
    title = reports[0].verdict_line if len(reports) == 1 else f"{len(reports)} optimizers, checked"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("link", rel="icon", href="data:,"),  # else a browser requests one from the server
        element("title", title),
        element("style", Markup(CSS)),
    )
    body = element("body", element("main", element("h1", command), content(reports)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def content(reports: Sequence[SubjectReport], prefix: str = "") -> Markup:
    """Of several targets a matrix, then a section each.

    Args:
        prefix: of every id, where several contents share a page.
    """
    names = labels(reports)
    sections = [
        section(report, name, f"{prefix}target{n}") for n, (report, name) in enumerate(zip(reports, names, strict=True))
    ]
    return join(_matrix(reports, names, prefix) if len(reports) != 1 else "", *sections)


def _matrix(reports: Sequence[SubjectReport], names: Sequence[str], prefix: str) -> Markup:
    """Check × target, in a box of its own that scrolls sideways."""
    notes: dict[str, int] = {}
    found = [{row.check.id: row for row in rows(report)} for report in reports]
    ids = dict.fromkeys(id for each in found for id in each)
    headings = [element("th", "check", scope="col")]
    for number, (short, name) in enumerate(zip(short_labels(reports), names, strict=True)):
        headings.append(element("th", element("a", short, href=f"#{prefix}target{number}", title=name), scope="col"))
    verdicts = (element("td", icon(overall(report))) for report in reports)
    body = [element("tr", element("th", "verdict", scope="row"), *verdicts, class_="overall")]
    body += [
        element(
            "tr",
            element("th", element("code", id), scope="row"),
            *(_cell(each.get(id), notes, f"{prefix}matrix") for each in found),
        )
        for id in ids
    ]
    table = element("table", element("thead", element("tr", *headings)), element("tbody", *body), class_="matrix")
    box = element("div", table, class_="box", tabindex="0", role="region", aria_label="check by target")
    return element(
        "section",
        element("h2", f"{len(reports)} optimizers"),
        box,
        element("p", LEGEND, class_="lines muted small"),
        footnotes(notes, f"{prefix}matrix"),
        class_="target",
    )


def _cell(row: Row | None, notes: dict[str, int], id: str) -> Markup:
    if row is None:
        return element("td")
    return element("td", icon(row.status), noted(row, notes, id))
