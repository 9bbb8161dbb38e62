"""The pages of the theorems, from the claims: statement, formula, hypotheses, proof, evidence."""

from collections.abc import Iterator

from latex2mathml.converter import convert
from markup import page, plain, table

from tangency.proofs_checks.claim import Claim, Hypothesis, NotApplicable, Rung
from tangency.proofs_checks.proof.text import proof_lines, short
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.statement.theorem import Statement, refutation_of

EVIDENCE = {
    Rung.KERNEL: "its theorems, accepted by a proof kernel",
    Rung.ALGEBRA: "the walk above, checked step by step",
    Rung.EXACT: "generated problems in rational arithmetic, compared with `==`",
    Rung.BALL: "generated problems in interval arithmetic: the interval contains the answer",
    Rung.IMPLEMENTATION: "a search for a counterexample on real optimizers, on every path and dtype",
    Rung.NECESSITY: "the stored counterexamples above refute the statement without their hypothesis",
}


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every page."""
    for claim in discover():
        yield f"theorems/{claim.id}.md", _page(claim)


def _page(claim: Claim) -> str:
    hypotheses = [
        f"{n}. **{plain(h.name)}**: {plain(h.text)}<br>{_needed(claim, h)}" for n, h in enumerate(claim.hypotheses, 1)
    ]
    attacked = not isinstance(claim.implementation, NotApplicable)
    return page(
        f"# {claim.id}: {plain(claim.title)}",
        f"{plain(claim.where)}.",
        plain(claim.text),
        convert(claim.latex, display="block"),
        plain(claim.notes),
        "## Hypotheses",
        hypotheses or "None.",
        "## Theorems for the kernel",
        _theorems(claim),
        "## Algebra",
        _proof(claim),
        "## Evidence",
        table(["rung", "what was done"], [[rung.value, _evidence(claim, rung)] for rung in Rung]),
        f"What a failure means for an optimizer: [the check](../checks/{claim.id}.md)." if attacked else "",
        "## See for yourself",
        ["```text", f"tangency claim {claim.id} --latex", f"tangency verify {claim.id}", "```"],
    )


def _needed(claim: Claim, hypothesis: Hypothesis) -> str:
    if isinstance(hypothesis.needed, NotApplicable):
        return plain(f"No counterexample: {hypothesis.needed.why}")
    found = refutation_of(claim, hypothesis)
    assert found.refutes, hypothesis.name
    return plain(f"Without it, {found.what} would be {short(found.predicted)}, and is {short(found.actual)}.")


def _theorems(claim: Claim) -> list[str]:
    """As the kernel is asked for them; [the list of all](../theorems.md) says what they rest on."""
    assert isinstance(claim.kernel, Statement)
    if not claim.kernel.theorems:
        return [f"The library's own: {', '.join(f'`{name}`' for name in claim.kernel.more)}."]
    stated = [f"{theorem.name} :\n{theorem.rocq()}\n" for theorem in claim.kernel.theorems]
    return ["```text", *stated, "```", "", "What they rest on stands in the [list of all](../theorems.md)."]


def _proof(claim: Claim) -> str | list[str]:
    if isinstance(claim.algebra, NotApplicable):
        return plain(f"Does not apply: {claim.algebra.why}")
    return ["```text", *proof_lines(claim.algebra()), "```"]


def _evidence(claim: Claim, rung: Rung) -> str:
    evidence = getattr(claim, rung.value, None)
    if isinstance(evidence, NotApplicable):
        return plain(f"does not apply: {evidence.why}")
    if rung is Rung.NECESSITY and not claim.hypotheses:
        return "does not apply: there are no hypotheses"
    return EVIDENCE[rung]
