"""Draws the picture of the README, docs/caught.svg: what `tangency check` says of docs/examples/two_slips.py.

    python docs/site/picture.py

One run, as it is on a terminal, up to the first choice; no font is loaded from anywhere.
"""

import io
import os
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tangency.proofs_checks.report.facts import Status
from tangency.proofs_checks.report.subject_report import SubjectReport
from tangency.proofs_checks.report.terminal import print_reports
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.target.spec import TargetSpec

DOCS = Path(__file__).parents[1]
PICTURE = DOCS / "caught.svg"
COMMAND = "tangency check two_slips.py:AdamP --profile quick --seed 1"
WIDTH = 120
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def checked() -> list[SubjectReport]:
    """The run of the picture, in the folder of the examples."""
    os.chdir(DOCS / "examples")
    return conformance.check([TargetSpec("two_slips.py:AdamP")], profile="quick", seed=1)


def head(reports: list[SubjectReport]) -> Text:
    """What the terminal shows first: the verdict and the bugs."""
    page = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor", highlight=False)
    print_reports(page, reports, {})
    assert isinstance(page.file, io.StringIO)
    shown = Text.from_ansi(re.sub(r" +(?=\n)", "", page.file.getvalue()))
    lines = shown.split()
    first = next(n for n, line in enumerate(lines) if line.plain.lstrip().startswith(Status.CHOICE.mark))
    return Text("\n").join(lines[:first])


def drawn(shown: Text) -> str:
    """The picture of a terminal that shows it, after the command."""
    console = Console(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), (COMMAND, "bold")))
    console.print(shown)
    made = console.export_svg(title="tangency check", unique_id="caught")
    made = re.sub(r"@font-face \{.*?\}\s*", "", made, flags=re.DOTALL)
    return made.replace("Fira Code, monospace", FONT).replace("font-family: arial", f"font-family: {FONT}")


if __name__ == "__main__":
    PICTURE.write_text(drawn(head(checked())), encoding="utf-8")
