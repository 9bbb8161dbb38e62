"""The published AdamP and SGDP, and the optimizers of torch and optax, under ``tangency check``: ``tox -e peers``.

Runs every check on every target and every script that reproduces a failure, and writes ``docs/peers.md``: bugs, package
by package, then the choices that differ from the paper. The packages and their versions stand in ``requirements.txt``
and ``unresolved.txt``; the reason of each bug and choice, with the lines of the package that show it, in
``known_failures.toml``, for the versions that were read. What has no reason, a reason that is stale, and a script that
does not show its failure end the run with 1, and the page says so.

    python docs/peers/survey.py             # everything
    python docs/peers/survey.py timm optax  # packages whose name contains one of these; prints, and writes no page
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from textwrap import shorten

from tangency.proofs_checks.checks import dialect
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.finding import Check, Where
from tangency.proofs_checks.report.dialect_text import departure_text
from tangency.proofs_checks.report.facts import Row, Status, rows
from tangency.proofs_checks.report.subject_report import Cause, SubjectReport
from tangency.proofs_checks.run import conformance, known
from tangency.proofs_checks.run.pool import usable_cores
from tangency.proofs_checks.run.session import Answer, Cell, Description
from tangency.proofs_checks.target.spec import TargetSpec

HERE = Path(__file__).parent
PAGE = HERE.parent / "peers.md"
KNOWN = HERE / "known_failures.toml"
SEED = 20_200_615  # the day the paper was first posted; another finds a few failures more or less
LIMIT = 600.0  # seconds a check may take: none of these targets hangs, and the machine may be busy
PROJECTING = (
    "adamp:AdamP",
    "adamp:SGDP",
    "timm.optim:AdamP",
    "timm.optim:SGDP",
    "pytorch_optimizer:AdamP",
    "pytorch_optimizer:SGDP",
    "torch_optimizer:AdamP",
    "torch_optimizer:SGDP",
    "catalyst.contrib.optimizers.adamp:AdamP",
    "catalyst.contrib.optimizers.sgdp:SGDP",
    "pywick.optimizers.adamp:AdamP",
    "pytorch_tools.optim.adamp:AdamP",
    "holocron.optim:AdamP",
    "torchium.optimizers:AdamP",
    "torchium.optimizers:SGDP",
    "tangency.optim:AdamP",
    "tangency.optim:SGDP",
)
OTHERS = (
    "torch.optim:SGD",
    "torch.optim:Adam",
    "torch.optim:AdamW",
    "torch.optim:NAdam",
    "torch.optim:RAdam",
    "optax:sgd",
    "optax:adam",
    "optax:adamw",
    "optax:nadam",
)
# What their names do not say: NAdam and RAdam are variants of Adam, which the dialect tells apart.
ALGORITHM = {"torch.optim:NAdam": "adam", "torch.optim:RAdam": "adam", "optax:nadam": "adam"}
NO_REASON = "No reason was looked up."

INTRODUCTION = """\
# Published implementations, checked

Every AdamP and SGDP that was found on the package index, with this project's own, and the optimizers of torch and optax
that Lemma 2.2 and Corollary 2.3 are about: each under all checks of `tangency check`, at the versions below. This page
is written by one command, which installs the packages, runs the checks, runs the script of every failure, and compares
the reasons with [peers/known_failures.toml](peers/known_failures.toml):

```text
tox -e peers
```

What fails is one of two things; [Check your optimizer](check.md#what-comes-out) says how they are told apart.

- A **choice** is a formula in which a package differs from the paper. The paper's own algorithm with that formula fails
  the same checks: they are told once, with the choice, and with the magnitudes at which they hold all the same. Every
  search stops at an input of its own; the boundary is that of the median one.
- A **bug** is what no such formula explains, or a formula that nobody means to write. Bugs *in steps* change what is
  computed. Bugs *in use* are what users of torch's optimizers rely on and do not find: a transposed weight, a copy that
  can step, an argument that is refused. Some are no oversight: a constructor that validates nothing trusts its caller.

*As published* is a formula of the authors' own package (adamp 0.3.0; torch.optim for SGD and Adam), and a bug whose
checks that package fails too: who ships the published code faithfully ships both with it. A bug is counted once,
however many checks show it, and its reason is what somebody found in the lines of the package.
`tangency check --explain CHECK` says why it matters; `tangency check TARGET --only CHECK --reproducers DIR` writes a
script that shows it and needs torch and the package alone.
"""


def main(chosen: Sequence[str]) -> int:
    """Survey all packages, or those whose names contain one of ``chosen``."""
    parts = [
        [target for target in part if not chosen or any(c in target for c in chosen)] for part in (PROJECTING, OTHERS)
    ]
    specs = [TargetSpec(target, ALGORITHM.get(target, "")) for part in parts for target in part]
    entries = known.load(KNOWN, {check.id for check in conformance.checks()})
    done = conformance.check(specs, seed=SEED, limit=LIMIT, known=entries, watch=_watch)
    wrong = [*_unexplained(done), *_not_reproduced(done)]
    if chosen:
        print("\n".join(_part("what was asked for", done)))
    else:
        PAGE.write_text(_page(done[: len(parts[0])], done[len(parts[0]) :], wrong), encoding="utf-8")
    print("\n".join(wrong) or "every failure has a reason that was looked up and a script that shows it")
    return 1 if wrong else 0


def _watch(cell: Cell, answer: Answer | None, total: int) -> None:
    if isinstance(answer, Description):
        print(f"{cell.subject + 1}: {answer.problem or 'loaded'}", file=sys.stderr)


def _unexplained(reports: Sequence[SubjectReport]) -> Iterator[str]:
    for report in reports:
        if report.problem:
            yield report.verdict_line
        for failure in report.failures:
            yield f"{report.info.target} {failure.check}: no reason was looked up: {failure.detail.splitlines()[0]}"
        for choice in report.unaccepted:
            yield f"{report.info.target} {choice.name}: no reason was looked up: {choice.says}"
        for stale in report.stale:
            yield f"{report.info.target}: stale: {stale}"


def _not_reproduced(reports: Sequence[SubjectReport]) -> Iterator[str]:
    """The failures whose script is missing, or does not end with 1."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(usable_cores()) as threads:

        def shows(numbered: tuple[int, tuple[str, str, str]]) -> str:
            number, (target, check, source) = numbered
            if not source:
                return f"{target} {check}: there is no script"
            script = Path(folder) / f"{number}.py"
            script.write_text(source, encoding="utf-8")
            done = subprocess.run([sys.executable, "-W", "ignore", script], capture_output=True, text=True, check=False)
            return "" if done.returncode == 1 else f"{target} {check}: the script exits with {done.returncode}"

        failures = [
            (r.info.target, row.check.id, row.finding.reproducer) for r in reports for row in _failing(r) if row.finding
        ]
        yield from filter(None, threads.map(shows, enumerate(failures)))


def _failing(report: SubjectReport) -> list[Row]:
    """The checks that fail, as if no reason were known."""
    return [row for row in rows(_bare(report)) if row.status in (Status.FAILS, Status.CHOICE)]


def _bare(report: SubjectReport) -> SubjectReport:
    return replace(report, known=())


@dataclass(frozen=True)
class Bug:
    """What fails on one target for one reason.

    Attributes:
        reason: what was found in its source.
        name, says: the slip, or the check, that tells it best; what to look for, or what was seen.
        checks: what fails.
        in_steps: whether it changes what is computed.
    """

    reason: str
    name: str
    says: str
    checks: tuple[str, ...]
    in_steps: bool


def _bugs(report: SubjectReport) -> list[Bug]:
    """The bugs of a target, one for each reason: those in steps first."""
    reasons = {one.choice or one.check: one.reason for one in report.known}
    severities = {check.id: check.severity for check in report.checks}
    found: dict[str, list[tuple[Cause, str]]] = {}
    for cause in _bare(report).bugs:
        for check in cause.checks:
            reason = reasons.get(cause.name if cause.departure else check) or reasons.get(check, NO_REASON)
            found.setdefault(reason, []).append((cause, check))
    general = {check.id for check in report.checks if check.claim} | {dialect.CHECK.id}
    # Of a target that no dialect explains, the slips are guesses.
    guesses = report.fit is not None and not report.fit.explained
    bugs = []
    for reason, shown in found.items():
        cause = min((one for one, _ in shown), key=lambda one: (guesses and bool(one.departure), one.name in general))
        checks = tuple(dict.fromkeys(check for _, check in shown))
        in_steps = any(severities[check] is not Severity.BEHAVIOUR for check in checks)
        bugs.append(Bug(reason, cause.name, cause.says, checks, in_steps))
    return sorted(bugs, key=lambda bug: not bug.in_steps)


def _published(bug: Bug, report: SubjectReport, reports: Sequence[SubjectReport]) -> bool:
    """Whether the authors' own package fails the same checks."""
    own = (one for one in reports if one.info.target.startswith("adamp:"))
    failing = {row.check.id for one in own if one.info.algorithm == report.info.algorithm for row in _failing(one)}
    return failing.issuperset(bug.checks)


def _page(projecting: Sequence[SubjectReport], others: Sequence[SubjectReport], wrong: Sequence[str]) -> str:
    page = [INTRODUCTION]
    for heading, reports in (("AdamP and SGDP", projecting), ("torch and optax", others)):
        page += [f"## {heading}\n", *_part(heading, reports)]
    if wrong:
        page += ["## Open\n", "\n".join(f"- {_text(one)}" for one in wrong) + "\n"]
    return "\n".join(page)


def _part(heading: str, reports: Sequence[SubjectReport]) -> Iterator[str]:
    yield _summary(reports)
    yield f"### Bugs of {heading}\n"
    yield from _bugs_by_package(reports)
    yield f"### Choices of {heading}\n"
    yield from _choices(reports)
    yield _matrix(reports)


def _summary(reports: Sequence[SubjectReport]) -> str:
    """Version, bugs and choices of each target, with the number that heads its column."""
    lines = ["|  | target | version | bugs in steps | bugs in use | as published | choices | as published |"]
    lines.append("| --- " * 8 + "|")
    for number, report in enumerate(reports, 1):
        bugs, choices = _bugs(report), report.choices
        steps = sum(bug.in_steps for bug in bugs)
        counts = [steps, len(bugs) - steps, sum(_published(bug, report, reports) for bug in bugs)]
        counts += [len(choices), sum(map(_as_published, choices))]
        cells = " | ".join(str(count or "") for count in counts)
        lines.append(f"| {number} | `{report.info.target}` | {_version(report)} | {cells} |")
    return "\n".join(lines) + "\n"


def _version(report: SubjectReport) -> str:
    return "here" if report.info.target.startswith("tangency.") else report.info.version


def _as_published(choice: Cause) -> bool:
    return choice.departure is not None and choice.departure.value == choice.departure.published


def _bugs_by_package(reports: Sequence[SubjectReport]) -> Iterator[str]:
    """The bugs of each package, once for all of its targets."""
    for package, group in groupby(reports, lambda report: report.info.target.partition(":")[0].partition(".")[0]):
        own = list(group)
        yield f"#### {package}, {_version(own[0])}\n"
        found: dict[str, list[tuple[SubjectReport, Bug]]] = {}
        for report in own:
            for bug in _bugs(report):
                found.setdefault(bug.reason, []).append((report, bug))
        bugs = sorted(found.values(), key=lambda pairs: not any(bug.in_steps for _, bug in pairs))
        yield "\n".join(_bug(pairs, reports) for pairs in bugs) + "\n" if bugs else "None.\n"


def _bug(pairs: Sequence[tuple[SubjectReport, Bug]], reports: Sequence[SubjectReport]) -> str:
    """One bug in a line: its name, whose it is, the reason, what to look for, what fails."""
    (_, first), *_ = pairs
    whose = ", ".join(f"`{report.info.target.rpartition(':')[2]}`" for report, _ in pairs)
    kind = "in steps" if any(bug.in_steps for _, bug in pairs) else "in use"
    kind += ", as published" * all(_published(bug, report, reports) for report, bug in pairs)
    checks = dict.fromkeys(check for _, bug in pairs for check in bug.checks)
    says = _text(shorten(first.says, 160, placeholder=" …"))
    fails = f" It fails {', '.join(checks)}." if list(checks) != [first.name] else ""
    return f"- **{_text(first.name)}** ({whose}; {kind}): {_text(first.reason)} Seen: {says}.{fails}"


def _choices(reports: Sequence[SubjectReport]) -> Iterator[str]:
    """Every choice that differs from the paper: what it does, what follows and where, and who makes it."""
    makers: dict[str, list[tuple[SubjectReport, Cause]]] = {}
    for report in reports:
        for choice in report.choices:
            makers.setdefault(choice.name, []).append((report, choice))
    for name, made in sorted(makers.items(), key=lambda item: (not _as_published(item[1][0][1]), -len(item[1]))):
        departure = made[0][1].departure
        assert departure is not None
        published = " **As published.**" * _as_published(made[0][1])
        yield f"#### {_text(name)}\n"
        yield f"- What it does: {_text(f'{departure.says}; {departure_text(departure).differs}')}.{published}"
        yield f"- What follows: {_text(departure.effect)}."
        whose: dict[str, list[str]] = {}
        for report, choice in made:
            whose.setdefault(choice.reason or NO_REASON, []).append(f"`{report.info.target}`")
        yield "\n".join(f"- {', '.join(targets)}: {_text(reason)}" for reason, targets in whose.items()) + "\n"
        yield _consequences(name, [report for report, _ in made])


def _consequences(name: str, reports: Sequence[SubjectReport]) -> str:
    """What fails because of a choice; where, by the median search; whether it holds where one trains, by all."""
    found: dict[Check, list[Where | None]] = {}
    for check, finding in (pair for report in reports for pair in report.pairs()):
        if finding and finding.by_choice and name in [one.name for one in finding.because]:
            found.setdefault(check, []).append(finding.where)
    if not found:
        return "No check fails because of it.\n"
    lines = ["| fails because of it | where, in float32 | holds where one trains |", "| --- | --- | --- |"]
    for check in sorted(found, key=lambda check: list(Severity).index(check.severity)):
        places = sorted(filter(None, found[check]), key=lambda where: (where.trained, sum(map(sum, where.fails))))
        says = places[len(places) // 2].says.removeprefix("in float32 it ") if places else "at the values that it tries"
        holds = sum(not where.trained for where in places)
        trained = {len(places): "yes", 0: "no"}.get(holds, f"in {holds} of {len(places)} searches") if places else ""
        lines.append(f"| {check.id} | {_text(says)} | {trained} |")
    return "\n".join(lines) + "\n"


def _matrix(reports: Sequence[SubjectReport]) -> str:
    """Every check that fails somewhere, by severity, folded; the rest in a sentence."""
    found = [{row.check.id: row for row in rows(_bare(report))} for report in reports]
    asked = list(dict.fromkeys(check for report in reports for check in report.checks))
    failing = {row.check.id for report in reports for row in _failing(report)}
    lines = ["| check | severity | " + " | ".join(str(n) for n in range(1, len(reports) + 1)) + " |"]
    lines.append("| --- " * (2 + len(reports)) + "|")
    for check in sorted(asked, key=lambda check: list(Severity).index(check.severity)):
        if check.id in failing:
            marks = [each[check.id].status.mark if check.id in each else "" for each in found]
            lines.append(f"| {check.id} | {check.severity.value} | {' | '.join(marks)} |")
    fine = ", ".join(check.id for check in asked if check.id not in failing)
    legend = f"✗ a bug, ≠ a choice, ✓ holds, – does not apply. No target fails: {fine}."
    summary = "<summary>Every check that fails somewhere, and every target</summary>"
    return f'<details markdown="1">{summary}\n\n' + "\n".join(lines) + f"\n\n{legend}\n\n</details>\n"


def _text(text: str) -> str:
    """Text in one line that no table or list takes for its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
