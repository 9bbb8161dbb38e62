"""The published AdamP and SGDP, and the optimizers of torch and optax, under ``tangency check``: ``tox -e peers``.

Runs every check on every target and every script that reproduces a failure, and writes ``docs/peers.md``. The packages
and their versions stand in ``requirements.txt`` and ``unresolved.txt``; why a check fails, with the lines of the
package that show it, in ``known_failures.toml``, for the versions that were read. A failure whose reason nobody has
looked up, a reason that is stale, and a script that does not show its failure end the run with 1, and the page says so.

    python docs/peers/survey.py             # everything
    python docs/peers/survey.py timm optax  # packages whose name contains one of these; prints, and writes no page
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.report.facts import Row, Status, rows
from tangency.proofs_checks.report.subject_report import SubjectReport
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
MARKS = {Status.HOLDS: "✓", Status.DOES_NOT_APPLY: "–", Status.KNOWN: "✗", Status.FAILS: "✗"}

INTRODUCTION = """\
# Published implementations, checked

Every AdamP and SGDP that was found on the package index, with this project's own, and the optimizers of torch and optax
that Lemma 2.2 and Corollary 2.3 are about: each under all checks of `tangency check`, at the versions below. This page
is written by one command, which installs the packages, runs the checks, runs the script of every failure, and compares
the reasons with [peers/known_failures.toml](peers/known_failures.toml):

```text
tox -e peers
```

A ✗ is a check that fails: there is a script that shows it and needs torch and the package alone, and somebody has read
the lines of the package that do it. `tangency check TARGET --only CHECK --reproducers DIR` writes the script;
`tangency check --explain CHECK` says why it matters. Most packages carry the same published code, and with it its
choices: what fails everywhere is a choice of that code, not of each package.
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
        print(_findings(done))
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
    return [row for row in rows(report) if row.status in (Status.FAILS, Status.KNOWN)]


def _page(projecting: Sequence[SubjectReport], others: Sequence[SubjectReport], wrong: Sequence[str]) -> str:
    parts = [
        INTRODUCTION,
        "## AdamP and SGDP\n",
        _summary(projecting),
        _matrix(projecting),
        "### Why\n",
        _findings(projecting),
    ]
    parts += [
        "## torch and optax\n",
        _summary(others),
        _matrix(others),
        "### Why they fail what they fail\n",
        _findings(others),
    ]
    if wrong:
        parts += ["## Open\n", "\n".join(f"- {_text(one)}" for one in wrong) + "\n"]
    return "\n".join(parts)


def _summary(reports: Sequence[SubjectReport]) -> str:
    """Version, failures by severity, and dialect of each target, with the number that heads its column."""
    lines = ["|  | target | version | theorem | algorithm | behaviour | the dialect, where it is not the paper's |"]
    lines.append("| --- " * 7 + "|")
    for number, report in enumerate(reports, 1):
        failing = [row.check.severity for row in _failing(report)]
        counts = " | ".join(str(failing.count(severity) or "") for severity in Severity)
        version = "here" if report.info.target.startswith("tangency.") else report.info.version
        lines.append(f"| {number} | `{report.info.target}` | {version} | {counts} | {_dialect(report)} |")
    return "\n".join(lines) + "\n"


def _dialect(report: SubjectReport) -> str:
    fit = report.fit
    if fit is None or not fit.family:
        return "not fitted"
    if not fit.explained:
        return f"no known dialect; it leaves the nearest at {_text(fit.leaves_at)}"
    said = [f"{one.choice}: {one.value}" for one in fit.departures if one.judgement is not None]
    return _text("; ".join(said)) or "as the paper"


def _matrix(reports: Sequence[SubjectReport]) -> str:
    """Every check that fails somewhere, by severity; the rest in a sentence."""
    found = [{row.check.id: row for row in rows(report)} for report in reports]
    asked = list(dict.fromkeys(check for report in reports for check in report.checks))
    failing = {row.check.id for report in reports for row in _failing(report)}
    lines = ["| check | severity | " + " | ".join(str(n) for n in range(1, len(reports) + 1)) + " |"]
    lines.append("| --- " * (2 + len(reports)) + "|")
    for check in sorted(asked, key=lambda check: list(Severity).index(check.severity)):
        if check.id in failing:
            marks = [MARKS.get(each[check.id].status, "?") if check.id in each else "" for each in found]
            lines.append(f"| {check.id} | {check.severity.value} | {' | '.join(marks)} |")
    fine = ", ".join(check.id for check in asked if check.id not in failing)
    return "\n".join(lines) + f"\n\n✓ holds, ✗ fails, – does not apply. No target fails: {fine}.\n"


def _findings(reports: Sequence[SubjectReport]) -> str:
    """Every reason, with the checks that fail for it and on which targets."""
    whose: dict[str, dict[str, list[str]]] = {}
    for report in reports:
        for row in _failing(report):
            whose.setdefault(row.reason or "No reason was looked up.", {}).setdefault(report.info.target, []).append(
                row.check.id
            )
    return "\n".join(
        f"- {_text(reason)}\n" + "\n".join(f"  - `{target}`: {', '.join(ids)}" for target, ids in targets.items())
        for reason, targets in whose.items()
    ) + "\n"  # fmt: skip


def _text(text: str) -> str:
    """Text in one line that no table or list takes for its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
