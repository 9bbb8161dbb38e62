"""Reports for pull requests and job summaries, in the Markdown of GitHub and GitLab.

Text of a target is escaped, so that none of it becomes markup, a mention or a link.
"""

import html
import re
from collections.abc import Iterator, Sequence

from tangency.common.text import line, visible
from tangency.proofs_checks.report import dialect_text
from tangency.proofs_checks.report.causes import causes
from tangency.proofs_checks.report.facts import (
    Row,
    Status,
    labels,
    measured,
    overall,
    remarks,
    rows,
    short_labels,
    worst_first,
)
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.versions import versions

LIMIT = 60_000  # GitHub refuses a comment beyond 65,536 characters
BLOCK = 3_000  # of one text in a failure
CELL = 300  # of one text in a table
MARKS = {
    Status.FAILS: "❌",
    Status.CHOICE: "🔸",
    Status.UNDECIDED: "❓",
    Status.ERROR: "💥",
    Status.KNOWN: "⚠️",
    Status.NOT_RUN: "⏳",
    Status.HOLDS: "✅",
    Status.DOES_NOT_APPLY: "➖",
}
# Letters, digits, spaces, and signs that mean nothing in Markdown, HTML or tables wherever they stand.
MEANT = re.compile(r"[!-/:-@\[-`{-~]")
HARMLESS = frozenset(".,;%'/\"()=?-+")
URL = re.compile(r"(https?://[^\s<>\"'`|\\]+)")


def to_markdown(reports: Sequence[SubjectReport]) -> str:
    """The reports as Markdown of at most 60,000 characters: verdicts, what fails, dialects; the rest is folded.

    The scripts come last, each whole or not at all. What does not fit is left out from the end; the page says so.
    """
    page, left_out = "", 0
    pieces = list(_pieces(reports))
    end = f"\n{_inline(_ran())}\n"
    room = LIMIT - len(end) - len(_cut(len(pieces)))
    for piece in pieces:
        if left_out or len(page) + len(piece) > room:
            left_out += 1  # no part may follow a part that is left out
        else:
            page += piece
    return page + (_cut(left_out) if left_out else "") + end


def _cut(count: int) -> str:
    return (
        f"\n**Cut off here: {count} more part{'s' * (count != 1)} would not fit into {LIMIT:,} characters.** "
        "The reports that `--json` and `--html` write are whole.\n"
    )


def _ran() -> str:
    return ", ".join(f"{package} {version}" for package, version in versions().items())


def _pieces(reports: Sequence[SubjectReport]) -> Iterator[str]:
    """Parts that are kept or left out whole, the most important first."""
    names = labels(reports)
    for report in reports:
        yield f"{MARKS[overall(report)]} **{_inline(report.verdict_line)}**\n\n"
    for report, name in zip(reports, names, strict=True):
        yield from _causes(report, f"{_code(name)}: " if len(reports) > 1 else "")
    yield from _failures(reports, names)
    for report, name in zip(reports, names, strict=True):
        yield from _remarks(report, name, several=len(reports) > 1)
    for report, name in zip(reports, names, strict=True):
        yield from _dialect(report, name)
    if len(reports) > 1:
        yield from _matrix(reports)
    for report, name in zip(reports, names, strict=True):
        yield from _checks(report, name)
    shown = [(name, row) for report, name in zip(reports, names, strict=True) for row in worst_first(report)]
    shown = [(name, row) for name, row in shown if row.status.bad or row.status in (Status.KNOWN, Status.CHOICE)]
    for name, row in shown:
        yield _failure(row, name if len(reports) > 1 else "")
    for name, row in shown:
        if row.finding is not None and row.finding.reproducer:
            heading = f"Stand-alone script: {_code(row.check.id)} of {_code(name)}"
            yield _folded(heading, _fenced(row.finding.reproducer, "python", LIMIT))


def _failures(reports: Sequence[SubjectReport], names: Sequence[str]) -> Iterator[str]:
    """A table of what needs a look."""
    several = len(reports) > 1
    bad = [(name, row) for report, name in zip(reports, names, strict=True) for row in worst_first(report)]
    bad = [(name, row) for name, row in bad if row.status.bad]
    if not bad:
        return
    target = "| target " if several else ""
    yield f"{target}| check | severity | verdict | what |\n{'| --- ' * (5 if several else 4)}|\n"
    for name, row in bad:
        cells = [_code(name)] * several + [_code(row.check.id), row.check.severity.value]
        detail = row.finding.detail if row.finding is not None else ""
        cells += [f"{MARKS[row.status]} {row.status.value}", _inline(_clip(detail or row.check.title))]
        yield f"| {' | '.join(cells)} |\n"
    yield "\n"


def _causes(report: SubjectReport, whose: str) -> Iterator[str]:
    """Bugs, then choices, a point each."""
    found = list(causes(report))
    for one in found:
        more = [f"<br>{_inline(_clip(text))}" for text in one.details]
        yield f"- {MARKS[one.status]} {whose}**{_inline(one.name)}**: {_inline(_clip(one.says))}{''.join(more)}\n"
        if one.map:
            yield "\n" + "".join(f"  {line}\n" for line in ("```text", *one.map, "```"))
    if found:
        yield "\n"


def _remarks(report: SubjectReport, name: str, *, several: bool) -> Iterator[str]:
    whose = f"{_code(name)}: " if several else ""
    for remark in remarks(report):
        yield f"- {whose}{_inline(_clip(remark))}\n\n"


def _dialect(report: SubjectReport, name: str) -> Iterator[str]:
    """The departures, unfolded; every choice, folded."""
    fit = report.fit
    if fit is None:
        return
    yield f"**Dialect of {_code(name)}**: {_inline(dialect_text.summary(fit))}\n\n"
    departures = dialect_text.departures(fit)
    if departures:
        yield "| choice | differs from | what it does | effect |\n| --- | --- | --- | --- |\n"
        for one in departures:
            value = f"**{_inline(one.choice)}** = {_code(one.value)}<br>{_inline(one.says)}"
            judgement = f"**{one.judgement}**" if one.worst else one.judgement
            yield f"| {value} | {_inline(one.differs)} | {judgement} | {_inline(_clip(one.effect))} |\n"
        yield "\n"
    table = "".join(f"| {_inline(choice)} | {_code(value)} |\n" for choice, value in dialect_text.choices(fit))
    if table:
        heading = "Every choice" if fit.explained else "The nearest dialect"
        yield _folded(heading, f"| choice | value |\n| --- | --- |\n{table}")


def _matrix(reports: Sequence[SubjectReport]) -> Iterator[str]:
    found = [{row.check.id: row for row in rows(report)} for report in reports]
    ids = list(dict.fromkeys(id for each in found for id in each))
    heading = " | ".join(["check", *(_code(name) for name in short_labels(reports))])
    lines = [f"| {heading} |", "| --- " * (1 + len(reports)) + "|"]
    for id in ids:
        marks = [MARKS[row.status] if (row := each.get(id)) else "" for each in found]
        lines.append(f"| {' | '.join([_code(id), *marks])} |")
    legend = ", ".join(f"{mark} {status.value}" for status, mark in MARKS.items())
    yield _folded("Every check of every target", "\n".join(lines) + f"\n\n{legend}\n")


def _failure(row: Row, name: str) -> str:
    """One failure in full, folded."""
    found = row.finding
    assert found is not None
    parts = [f"{_inline(row.check.title)} ({_inline(row.check.source)})\n"]
    if row.reason:
        parts.append(f"Known failure: {_linked(row.reason)}\n")
    for heading, text in (
        ("", found.detail),
        ("Expected:", found.expected),
        ("Got:", found.got),
        ("Readings:", found.readings),
        ("Counterexample:", found.counterexample),
    ):
        if text:
            parts.append((f"{heading}\n\n" if heading else "") + _fenced(text, "text", BLOCK))
    whose = f" of {_code(name)}" if name else ""
    return _folded(f"{MARKS[row.status]} {_code(row.check.id)}{whose} {row.status.value}", "\n".join(parts))


def _checks(report: SubjectReport, name: str) -> Iterator[str]:
    """Every check of a target, folded."""
    lines = ["| check | severity | verdict | measured |", "| --- | --- | --- | --- |"]
    for row in worst_first(report):
        tried = measured(row.finding) if row.finding is not None else ""
        why = _linked(row.reason)
        if row.status is Status.DOES_NOT_APPLY and row.finding is not None:
            why = _inline(_clip(row.finding.detail))
        verdict = f"{MARKS[row.status]} {row.status.value}" + (f": {why}" if why else "")
        lines.append(f"| {_code(row.check.id)} | {row.check.severity.value} | {verdict} | {tried} |")
    if len(lines) > 2:
        yield _folded(f"Every check of {_code(name)}", "\n".join(lines) + "\n")


def _folded(summary: str, body: str) -> str:
    # Without the blank lines the content is not parsed as Markdown.
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n\n"


def _fenced(text: str, language: str, limit: int) -> str:
    """The text as it is, up to a limit, in a fence that is longer than any in it."""
    more = len(text) - limit
    text = visible(text[:limit]) + (f"\n… {more:,} more characters" if more > 0 else "")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _clip(text: str) -> str:
    text = line(text[: 2 * CELL])  # a traceback may be long
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _inline(text: str) -> str:
    """The text in one line, with every sign that could mean something as an entity."""
    return _entities(line(text))


def _entities(text: str) -> str:
    return MEANT.sub(_entity, text)


def _entity(sign: re.Match[str]) -> str:
    if sign[0] in HARMLESS:
        return sign[0]
    # An entity is no markup, but a name after @ or a number after # is still found, unless they stand apart.
    apart = "<!-- -->" if sign[0] in "@#" else ""
    return f"&#{ord(sign[0])};{apart}"


def _linked(text: str) -> str:
    """A reason, which its author wrote beside the target: an address in it is a link."""
    parts = enumerate(URL.split(line(text)))
    return "".join(
        f'<a href="{html.escape(one)}">{_entities(one)}</a>' if n % 2 else _entities(one) for n, one in parts
    )


def _code(text: str) -> str:
    """The text as code; a code span would end at a backtick, and a table at a bar."""
    return f"<code>{_inline(text)}</code>" if text else ""
