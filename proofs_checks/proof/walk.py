"""The algebra beside the kernel: every step of a claim's walk stands for a theorem or a lemma of the library."""

import re

from tangency.proofs_checks.claim import NotApplicable
from tangency.proofs_checks.kernel import coq, rung
from tangency.proofs_checks.kernel.library import Library
from tangency.proofs_checks.proof.gram import Proof
from tangency.proofs_checks.statement.theorem import Statement


def astray(proof: Proof, statement: Statement) -> str:
    """The first step that stands for no theorem, or theorem of the statement that no step stands for; ``""``: none."""
    try:
        sources = rung.of(statement)
    except coq.Refused as unreadable:
        return str(unreadable)
    for number, step in enumerate(proof.steps, 1):
        if not isinstance(step.theorem, NotApplicable) and not _proved(step.theorem, sources):
            told = f"names {step.theorem}" if step.theorem else "names nothing"
            return f"step {number} ({step.text}) corresponds to no theorem: it {told}"
    theorems = [theorem.name for theorem in statement.theorems]
    for name in proof.without:
        if name not in theorems:
            return f"{name} is said to have no algebra, and the statement has no such theorem"
    named = {step.theorem for step in proof.steps if isinstance(step.theorem, str)} | set(proof.without)
    missing = [name for name in theorems if name not in named]
    return f"no step corresponds to the theorem {missing[0]}" if missing else ""


def _proved(name: str, sources: Library) -> bool:
    """Whether the library has a theorem or lemma of that name; a definition is none."""
    theorem = rf"^\s*(?:Theorem|Lemma|Corollary) {re.escape(name)}(?![\w'])"
    return name in sources.theorems and bool(re.search(theorem, sources.sources[sources.theorems[name]], re.MULTILINE))
