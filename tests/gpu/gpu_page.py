"""``docs/gpu.md``, from what ``tests/gpu/run.sh OUT`` wrote on a card: ``python tests/gpu/gpu_page.py [OUT]``.

Takes the results of OUT into ``docs/gpu/`` and writes the page from there; without OUT it writes the page anew.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gpu_run import ROOT, read_lines

PAGE, RESULTS = ROOT / "docs" / "gpu.md", ROOT / "docs" / "gpu"
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?", "error": "!", "does not apply": "–"}

INTRODUCTION = """\
# On a GPU

One command runs every claim on every path on a card, the kernels' own tests, CUDA graphs, scalers and compiled steps,
and times steps beside those of others, within nine minutes and without a network. WHEELS is a folder with the wheels of
what the machine lacks, python-flint, cloudpickle and adamp for the most part; what the run writes becomes this page:

```text
tests/gpu/run.sh OUT [WHEELS]
python tests/gpu/gpu_page.py OUT
```

With `--dry` the same steps, fewer and smaller, run on a CPU in Triton's interpreter; so the gate tests the command.
"""

NOBODY = """
**No card has run this yet.** What is known without one: the kernels take the exact steps in Triton's interpreter, and
compile for sm_80, sm_90, sm_100 and gfx942 without spills (`tox -e aot`).
"""

TIMES = """
Medians. *Of memory*: the bytes that a step moves at least, over its time, as a share of the bandwidth that an update in
place (`x.mul_` of 256 MiB) has in the same rounds. The last columns are ratios to torch's fused optimizer, round by
round. Eq. 11 decides as the mode says; *trained*: convolutions by channel, all else not at all.
"""


class NoCard(ValueError):
    """The results are those of no card."""


def page(results: Path) -> str:
    """The page for a folder of results; where it has none, that nobody has run it.

    Raises:
        NoCard: they are those of a dry run, or have no first line.
    """
    file = results / "results.jsonl"
    if not file.exists():
        return INTRODUCTION + NOBODY
    card, *lines = read_lines(file)
    if "card" not in card or card.get("dry"):
        raise NoCard(f"{file} is not of a card")
    measured = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("bench-*.json"))]
    parts = [INTRODUCTION, *_card(card), *_steps(lines), *_claims(lines), *_tests(lines), *_times(measured)]
    return "\n".join(parts) + "\n"


def _card(card: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    memory = f"{card['memory'] / 2**30:.0f} GiB"
    driver = f", driver {card['driver']}" if card["driver"] else ""
    yield f"## {card['card']}\n"
    commit = f", commit {card['commit']}" if card["commit"] else ""
    yield (
        f"{card['day']}{commit}: {memory}, {card['processors']} multiprocessors, capability {card['capability']}; "
        f"runtime {card['runtime']}{driver}; {versions}.\n"
    )


def _steps(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    tests = [line for line in lines if "test" in line]
    rows = []
    for line in lines:
        if "test" not in line:
            outcomes = [test["outcome"] for test in tests if test["step"] == line["step"]]
            counts = [str(outcomes.count(one) or "") for one in ("passed", "failed", "skipped")]
            rows.append([line["step"], line["says"], line["outcome"], *counts, f"{line['seconds']:.0f}"])
    yield from _table(["step", "", "outcome", "passed", "failed", "skipped", "seconds"], rows)


def _claims(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    found = {(one["measured"]["claim"], one["measured"]["subject"]): one for one in lines if _is_claim(one)}
    if not found:
        return
    claims, subjects = (list(dict.fromkeys(key[place] for key in found)) for place in (0, 1))
    rows = []
    for claim in claims:
        here = [found.get((claim, subject)) for subject in subjects]
        errors = [one["measured"]["error"] for one in here if one and one["measured"]["error"] is not None]
        worst = f"{max(map(float, errors)):.3f}" if errors else ""
        rows.append([claim, *(_verdict(one) for one in here), worst])
    yield "## The claims\n"
    yield "How many trials each was attacked with, and the largest error as a share of its bound.\n"
    names = [subject.removeprefix("tangency.optim:").replace("=True", "") for subject in subjects]
    yield from _table(["claim", *(name if "(" in name else f"{name}(loop)" for name in names), "error / bound"], rows)


def _is_claim(line: dict[str, Any]) -> bool:
    return line.get("step") == "claims" and "claim" in line.get("measured", {})


def _verdict(line: dict[str, Any] | None) -> str:
    if line is None:
        return "not run"
    found = line["measured"]
    return f"{MARKS[found['verdict']]} {found['examples'] or ''}".strip()


def _tests(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    for outcome, title in (("failed", "What failed"), ("skipped", "What was skipped")):
        reasons: dict[str, list[str]] = {}
        for line in lines:
            if line.get("outcome") == outcome and "test" in line:
                said = line["detail"].strip().splitlines() or [""]
                reasons.setdefault(said[-1], []).append(line["test"].rpartition("/")[2])
        if reasons:
            yield f"## {title}\n"
            yield "\n".join(f"- {_text(why)}: {', '.join(f'`{one}`' for one in who)}" for why, who in reasons.items())
            yield ""


def _times(measured: Sequence[dict[str, Any]]) -> Iterator[str]:
    timings = [timing for one in measured for timing in one["timings"]]
    if timings:
        yield f"## What a step costs\n{TIMES}"
    for optimizer, dtype in dict.fromkeys((one["optimizer"], one["dtype"]) for one in timings):
        here = [one for one in timings if (one["optimizer"], one["dtype"]) == (optimizer, dtype)]
        names = list(dict.fromkeys(row["name"] for timing in here for row in timing["rows"]))
        rows = [_time(timing, names) for timing in here]
        yield f"### {optimizer}, {dtype}\n"
        yield from _table(["model", "mode", "GB/s", f"ms, {names[0]}", "ms, ours", "of memory", *names[1:]], rows)
    out = {(one["optimizer"], left["name"], left["reason"]) for one in timings for left in one["left_out"]}
    if out:
        yield "Left out:\n"
        yield "\n".join(f"- {optimizer}, {name}: {_text(reason)}" for optimizer, name, reason in sorted(out))


def _time(timing: dict[str, Any], names: Sequence[str]) -> list[str]:
    rows = {row["name"]: row for row in timing["rows"]}
    base, ours = rows[names[0]], rows.get("tangency fused")
    sampled = f" ({timing['sampled']})" if timing["sampled"] else ""
    own = (f"{1e3 * ours['seconds']['p50']:.3f}", f"{ours['share']['p50']:.0%}") if ours else ("", "")
    ratios = (f"{rows[name]['ratio']['p50']:.2f}" if name in rows else "" for name in names[1:])
    bandwidth = f"{1e-9 * timing['bandwidth']['p50']:.0f}"
    return [timing["what"] + sampled, timing["mode"], bandwidth, f"{1e3 * base['seconds']['p50']:.3f}", *own, *ratios]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [headings, ["---"] * len(headings), *([_text(cell) for cell in row] for row in rows)]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _text(text: str) -> str:
    """Text in one line that no table takes for its own."""
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    """Write the page, after taking in the results of a folder if one is named."""
    if arguments:
        out = Path(arguments[0])
        written = page(out)
        shutil.rmtree(RESULTS, ignore_errors=True)
        RESULTS.mkdir()
        for path in (out / "results.jsonl", *out.glob("bench-*.json")):
            shutil.copy(path, RESULTS)
    else:
        written = page(RESULTS)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
