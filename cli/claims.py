"""``tangency claims`` and ``tangency claim ID``: which claims there are, and what one says."""

import sys
from typing import Annotated

import typer

from tangency.cli.streams import console
from tangency.common.calls import WrongCall
from tangency.common.text import visible
from tangency.proofs_checks.claim import Claim, NotApplicable, Rung, Violation, select
from tangency.proofs_checks.report.subject_report import FAILED, OK


def claims(
    named: Annotated[list[str] | None, typer.Argument(metavar="[CLAIM]...", help="As in verify; all if none.")] = None,
) -> None:
    """List the claims: id, title, where it stands, and the rungs that apply."""
    from rich.table import Table
    from rich.text import Text

    from tangency.proofs_checks.run import registry

    source, ids = registry.from_arguments(named or ())
    suite = source()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    for heading in ("title", "where", "rungs"):
        table.add_column(heading)
    for claim in suite.claims if ids is None else select(suite.claims, ids):
        offered = [r.value for r in Rung if not isinstance(getattr(claim, r.value, None), NotApplicable)]
        table.add_row(
            Text(visible(claim.id)), Text(visible(claim.title)), Text(visible(claim.where)), ", ".join(offered)
        )
    console(sys.stdout).print(table)


def claim(
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or FILE.py::ID; `tangency claims` lists them.")],
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment instead.")] = False,
    coq: Annotated[bool, typer.Option("--coq", help="Print its theorems with their proofs for Coq instead.")] = False,
) -> int:
    """Explain a claim: statement, hypotheses, the proof with every step checked, and the evidence."""
    from tangency.proofs_checks.run import registry

    source, ids = registry.from_arguments([id])
    suite = source()
    found, *more = suite.claims if ids is None else select(suite.claims, ids)
    if more:
        here = ", ".join(claim.id for claim in suite.claims)
        raise WrongCall(f"{id} holds several claims; name one, as in {id}::{found.id}: there are {here}")
    if latex and coq:
        raise WrongCall("--latex and --coq print different things; leave out one")
    if coq:
        return _print_coq(found)
    if latex:
        from tangency.proofs_checks.proof.latex import claim_latex

        try:
            print(claim_latex(found), end="")
        except Violation as violation:
            print(f"tangency: the proof of {found.id} is wrong: {violation}", file=sys.stderr)
            return FAILED
        return OK
    from tangency.proofs_checks.proof.text import explain

    lines = list(explain(found, suite.subjects))
    print(visible("\n".join(lines)))
    return int(any(line.lstrip().startswith("✗") for line in lines))


def _print_coq(found: Claim) -> int:
    """What the kernel is asked, then the library's theorems with their proofs."""
    from tangency.proofs_checks.kernel import rung
    from tangency.proofs_checks.kernel.coq import Refused

    if isinstance(found.kernel, NotApplicable):
        raise WrongCall(f"--coq: {found.id} has no theorem for the kernel: {found.kernel.why}")
    try:
        library = rung.of(found.kernel)
        questions = rung.asked(found.kernel, library)
        generated = rung.generated(questions, library)
    except Refused as error:
        print(f"tangency: {found.id} has no proof for the kernel: {error}", file=sys.stderr)
        return FAILED
    print(generated, end="")
    for one in questions:
        print(f"\n(* {library.theorems[one.name]}.v *)\n{library.source(one.name)}")
    return OK
