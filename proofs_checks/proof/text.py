"""A claim as readable text: what it says, why each hypothesis is needed, its proof with every step checked."""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

import sympy

from tangency.proofs_checks.claim import Claim, Hypothesis, NotApplicable, Rung, Violation
from tangency.proofs_checks.kernel import coq, rung
from tangency.proofs_checks.proof.gram import Identity, NonNegative, Proof
from tangency.proofs_checks.statement.theorem import refutation_of
from tangency.proofs_checks.subjects import Subject

WIDTH = 100
_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def readable(expression: Any) -> str:
    """A sympy expression in Unicode mathematics: ``η²·‖p‖²`` instead of ``η**2*⟨p,p⟩``.

    >>> x, t = sympy.symbols("x t")
    >>> readable(3 * x**2 + x ** (t + 1) / 2), readable(sympy.Symbol("⟨p,p⟩") + sympy.Symbol("⟨w,p⟩") ** 2)
    ('3·x² + x^(t + 1)/2', '‖p‖² + ⟨w,p⟩²')
    """
    text = str(sympy.sympify(expression)).replace("sqrt", "√")
    text = re.sub(r"\*\*(\d+)", lambda power: power[1].translate(_DIGITS), text)
    text = text.replace("**", "^").replace("*", "·")
    return re.sub(r"⟨([^⟨⟩,]+),\1⟩(?![⁰¹²³⁴⁵⁶⁷⁸⁹^])", r"‖\1‖²", text)


def explain(claim: Claim, subjects: Sequence[Subject]) -> Iterator[str]:
    """The lines of ``tangency claim ID``."""
    yield f"{claim.id}: {claim.title} ({claim.where})"
    yield ""
    yield from _block(claim.text, 2)
    yield ""
    yield "Hypotheses" if claim.hypotheses else "Hypotheses: none"
    for number, hypothesis in enumerate(claim.hypotheses, 1):
        yield from _block(f"{number}. {hypothesis.name}: {hypothesis.text}", 2, 5)
        yield from _block(_needed(claim, hypothesis), 5)
    yield ""
    yield from kernel_lines(claim)
    yield ""
    if isinstance(claim.algebra, NotApplicable):
        yield from _block(f"Algebra: does not apply. {claim.algebra.why}", 0)
    else:
        yield from proof_lines(claim.algebra())
    yield ""
    yield "Evidence"
    for kind in Rung:
        yield from _block(f"{kind.value:<15} {_evidence(claim, kind, subjects)}", 2, 18)
    if claim.notes:
        yield ""
        yield "Notes"
        yield from _block(claim.notes, 2)


def kernel_lines(claim: Claim) -> Iterator[str]:
    """The theorems in the kernel's language, and what each rests on."""
    if isinstance(claim.kernel, NotApplicable):
        yield from _block(f"Kernel: does not apply. {claim.kernel.why}", 0)
        return
    yield "Kernel"
    questions: list[rung.Asked] = []
    found, why = dict[str, list[str]](), ""
    try:
        questions = rung.asked(claim.kernel, rung.of(claim.kernel))
        found = rung.checked(claim.kernel)
    except coq.NoCoq as missing:
        why = f"not run: {missing}"
    except (coq.Refused, coq.Broken) as error:
        why = f"✗ {error}"
    for one in (one for one in questions if not one.further):
        yield from _block(f"theorem {one.name}{_rests(found.get(one.name))}", 2, 4)
        for line in one.text.splitlines():
            indent = 4 + len(line) - len(line.lstrip())
            yield from _block(line.strip(), indent, indent + 2)
    further = [one.name for one in questions if one.further]
    if further:
        yield from _block(f"further {', '.join(further)}{_rests(found.get(further[0]))}", 2, 4)
    if why:
        yield from _block(why, 2)


def _rests(axioms: list[str] | None) -> str:
    """What theorems rest on, if the kernel has said it."""
    if axioms is None:
        return ""
    return f": rests on {', '.join(axiom.rpartition('.')[2] for axiom in axioms) or 'no axiom'}"


def proof_lines(proof: Proof) -> Iterator[str]:
    """A proof, line by line; every step is checked as it is printed."""
    yield from _block(f"Algebra. {proof.method}", 0)
    for given in proof.given:
        yield from _block(f"given  {given.text}", 2, 9)
        if given.formula is not None:
            yield from _block(readable(given.formula), 13, 15)
    for number, step in enumerate(proof.steps, 1):
        yield ""
        yield from _block(f"{number}. {step.text}{stands_for(step)}", 2, 5)
        if isinstance(step, Identity):
            yield from _block(readable(step.left), 9, 11)
            yield from _block(f"= {readable(step.right)}", 7, 9)
        else:
            yield from _block(readable(step.expression), 9, 11)
            yield from _block(f"= {certificate(step)}", 7, 9)
            yield "       ≥ 0"
        yield from _block(verdict(step), 5)
    yield ""
    yield from _block(f"So: {proof.conclusion}", 2, 6)


def stands_for(step: Identity | NonNegative) -> str:
    """The theorem of a step in brackets, or why the kernel has none."""
    if isinstance(step.theorem, NotApplicable):
        return f" [not in the kernel: {step.theorem.why}]"
    return f" [{step.theorem}]" if step.theorem else ""


def certificate(step: NonNegative) -> str:
    """Σ coefficient · base²."""
    terms = [f"({readable(c)})·({readable(b)})²" for c, b in step.certificate]
    return " + ".join(terms) or "0"


def verdict(step: Identity | NonNegative) -> str:
    """The result of checking a step, in a line."""
    try:
        step.check()
    except Violation as violation:
        return f"✗ {violation}"
    if isinstance(step, Identity):
        return "✓ the normal form of the difference of both sides is 0"
    return "✓ both sides have one normal form; the coefficients are ≥ 0 and the bases real"


def _needed(claim: Claim, hypothesis: Hypothesis) -> str:
    if isinstance(hypothesis.needed, NotApplicable):
        return f"no counterexample: {hypothesis.needed.why}"
    refutation = refutation_of(claim, hypothesis)
    if not refutation.refutes:
        return f"✗ its counterexample does not refute: {refutation.what} is {refutation.actual}, as predicted"
    return (
        f"needed: without it, {refutation.what} would be {short(refutation.predicted)}, "
        f"and is {short(refutation.actual)}"
    )


def _evidence(claim: Claim, kind: Rung, subjects: Sequence[Subject]) -> str:
    if kind is Rung.NECESSITY:
        stored = sum(not isinstance(hypothesis.needed, NotApplicable) for hypothesis in claim.hypotheses)
        return f"{stored} of {len(claim.hypotheses)} hypotheses have a stored counterexample"
    evidence = getattr(claim, kind.value)
    if isinstance(evidence, NotApplicable):
        return f"does not apply: {evidence.why}"
    if kind in (Rung.KERNEL, Rung.ALGEBRA):
        return "above, in every dimension and for every t"
    if kind is not Rung.IMPLEMENTATION:
        numbers = "rational arithmetic, ==" if kind is Rung.EXACT else "interval arithmetic, containment"
        return f"generated problems in {numbers}"
    parts = []
    for subject in subjects:
        missing = sorted(evidence.requires - subject.capabilities)
        parts.append(f"{subject.name} lacks {', '.join(missing)}" if missing else f"runs on {subject.name}")
    return "; ".join(parts)


def short(value: Any, most: int = 120) -> str:
    """A value as text, cut where it is long."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _block(text: str, indent: int, hanging: int | None = None) -> list[str]:
    """Paragraphs wrapped to the page."""
    first, later = " " * indent, " " * (indent if hanging is None else hanging)
    return [
        line
        for number, paragraph in enumerate(text.splitlines())
        for line in wrap(
            paragraph,
            WIDTH,
            initial_indent=later if number else first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
    ]
