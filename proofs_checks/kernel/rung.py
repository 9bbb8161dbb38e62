"""The kernel rung of a claim: its theorems, written from its statement, proved by those of the library.

What is asked of the kernel is generated: each theorem in the words of the claim's own record, with the library's
theorem of that name as its whole proof, and what it rests on. A proof of anything else does not compile.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.kernel import coq
from tangency.proofs_checks.kernel.library import Library, library
from tangency.proofs_checks.statement.theorem import Statement

# What Coq's real numbers rest on (they are Dedekind cuts, compared classically), and classical logic.
ALLOWED = (
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "Classical_Prop.classic",
)


@dataclass(frozen=True)
class Asked:
    """A theorem as the kernel is asked for it.

    Attributes:
        name: in the library.
        text: what it must say; ``""``: whatever the library says.
        further: whether it stands beside the claim's own theorems, as that a hypothesis is needed.
    """

    name: str
    text: str
    further: bool = True


def of(statement: Statement) -> Library:
    """The library that a statement's theorems are in: this package's, and the file beside a claim file.

    Raises:
        coq.Refused: that file cannot be read.
    """
    path = Path(statement.file)
    try:
        return library(path) if path.suffix == ".v" else library()
    except OSError as error:
        raise coq.Refused(
            f"{path.name} cannot be read: {error.strerror}; it must stand beside the claim file"
        ) from None


def asked(statement: Statement, sources: Library) -> list[Asked]:
    """All that the kernel is asked of a claim: its theorems, that they need their hypotheses, and further ones."""
    found = []
    for theorem in statement.theorems:
        found.append(Asked(theorem.name, theorem.rocq(), further=False))
        for hypothesis in theorem.given:
            name = needs_name(theorem.name, hypothesis.name)
            if name in sources.theorems:
                found.append(Asked(name, theorem.needs(hypothesis)))
    return found + [Asked(name, "") for name in statement.more]


def needs_name(theorem: str, hypothesis: str) -> str:
    """The name of the theorem that a hypothesis cannot be dropped."""
    return f"{theorem}_needs_" + re.sub(r"[^\w']+", "_", hypothesis)


def generated(questions: list[Asked], sources: Library) -> str:
    """The file that the kernel checks.

    Raises:
        coq.Refused: a theorem is not in the library.
    """
    for one in questions:
        if one.name not in sources.theorems:
            raise coq.Refused(f"there is no theorem {one.name} in the library")
    files = " ".join(dict.fromkeys(sources.theorems[one.name] for one in questions))
    lines = [
        "(* Written from the claim: what the kernel checks is what the claim says. *)",
        "From Coq Require Import Reals.",
        "From Tangency Require Import vocabulary.",
        f"From Tangency Require {files}.",
        "Open Scope R_scope.",
    ]
    for one in questions:
        if one.text:
            proof = f"Tangency.{sources.theorems[one.name]}.{one.name}"
            lines += ["", f"Theorem {_said(one, sources)} : {one.text}.", f"Proof. exact {proof}. Qed."]
        if not one.further:
            lines.append(f"Print Assumptions {_said(one, sources)}.")
    # The kernel takes half a second for each answer: further theorems have one together.
    further = ", ".join(f"@{_said(one, sources)}" for one in questions if one.further)
    if further:
        lines += ["", f"Definition further := ({further}).", "Print Assumptions further."]
    return "\n".join(lines) + "\n"


def _said(one: Asked, sources: Library) -> str:
    """The name of a theorem in the generated file."""
    return f"claimed_{one.name}" if one.text else f"Tangency.{sources.theorems[one.name]}.{one.name}"


def assumptions(printed: str) -> list[list[str]]:
    """The axioms of each theorem, from the answers to ``Print Assumptions``."""
    answers = re.split(r"^(?=Axioms:|Closed under the global context)", printed, flags=re.MULTILINE)[1:]
    return [re.findall(r"^([\w.']+)(?=\s*:)", answer.removeprefix("Axioms:"), re.MULTILINE) for answer in answers]


def checked(statement: Statement) -> dict[str, list[str]]:
    """What each theorem of a statement rests on, as the kernel says; kept until a source or Coq changes.

    Further theorems have one answer together: what any of them rests on.

    Raises:
        coq.NoCoq, coq.Refused, coq.Broken: as they say.
    """
    sources = of(statement)
    questions = asked(statement, sources)
    text = generated(questions, sources)
    stem = f"claim_{sha256(text.encode()).hexdigest()[:16]}"
    kept = sources.folder / f"{stem}.json"
    if kept.exists():
        found: dict[str, list[str]] = json.loads(kept.read_text())
        return found
    for file in dict.fromkeys(sources.theorems[one.name] for one in questions):
        sources.compile(file)
    answers = assumptions(sources.ask(stem, text))
    own = [one for one in questions if not one.further]
    together = [one for one in questions if one.further]
    expected = len(own) + bool(together)
    if len(answers) != expected:
        raise coq.Broken(f"coqc answered {len(answers)} of {expected} questions on what theorems rest on")
    found = {one.name: axioms for one, axioms in zip(own, answers, strict=False)}
    found |= {one.name: answers[-1] for one in together}
    kept.with_suffix(".new").write_text(json.dumps(found))
    kept.with_suffix(".new").replace(kept)
    return found


def run_kernel(statement: Statement) -> Finding:
    """The verdict: every theorem is accepted, and rests on nothing but the standard reals."""
    try:
        found = checked(statement)
    except coq.NoCoq as why:
        return Finding("", Verdict.NOT_RUN, detail=str(why))
    except coq.Refused as error:
        return Finding("", Verdict.FAILS, detail=str(error))
    except coq.Broken as error:
        return Finding("", Verdict.ERROR, detail=str(error))
    for name, axioms in found.items():
        beyond = [axiom for axiom in axioms if axiom not in ALLOWED]
        if beyond:
            return Finding("", Verdict.FAILS, examples=len(found), detail=f"{name} rests on {', '.join(beyond)}")
    rests = sorted({axiom.rpartition(".")[2] for axioms in found.values() for axiom in axioms})
    return Finding("", Verdict.HOLDS, examples=len(found), detail=f"rests on {', '.join(rests) or 'no axiom'}")
