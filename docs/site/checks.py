"""The pages of the checks, from the checks: what holds, how grave a failure is, where it stands, what it catches."""

from collections.abc import Iterator

from markup import page, plain, table

from tangency.proofs_checks.broken.zoo import zoo
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.finding import Check
from tangency.proofs_checks.run.conformance import checks

ABOUT = """What `tangency check` asks of an optimizer, the gravest first; `tangency check --explain ID` prints the same.
Each page names the optimizers, broken on purpose, that the check has to catch."""
MEANS = {
    Severity.THEOREM: "a statement of the paper is false of this optimizer",
    Severity.ALGORITHM: "a step is not the one of the algorithm that it claims to be",
    Severity.BEHAVIOUR: "something that users of optimizers rely on does not hold",
}


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every page."""
    parts: list[str | list[str]] = ["# What each check means", ABOUT]
    for severity, means in MEANS.items():
        rows = [[f"[{one.id}]({one.id}.md)", plain(one.title)] for one in checks() if one.severity is severity]
        parts += [
            f"## {severity.value.capitalize()}",
            f"A failure means: {means}.",
            table(["check", "what holds"], rows),
        ]
    yield "checks/index.md", page(*parts)
    for one in checks():
        yield f"checks/{one.id}.md", _page(one)


def _page(check: Check) -> str:
    caught = [f"- **{one.name}**: {plain(one.description)}" for one in zoo() if check.id in one.caught_by]
    return page(
        f"# {check.id}",
        f"**{plain(check.title)}**",
        table(
            ["severity", check.severity.value],
            [["a failure means", MEANS[check.severity]], ["where it stands", plain(check.source)]],
        ),
        "## Why",
        plain(check.why),
        f"The statement, its proof and its evidence: [{check.claim}](../theorems/{check.claim}.md)."
        if check.claim
        else "",
        *(["## What it catches", "\n".join(caught)] if caught else []),
        "## This check alone",
        ["```text", f"tangency check TARGET --only {check.id} --reproducers failures", "```"],
    )
