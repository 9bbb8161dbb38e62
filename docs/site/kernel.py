"""Writes docs/theorems.md: `python docs/site/kernel.py > docs/theorems.md`, where Coq is."""

from collections.abc import Iterator

from markup import page, plain, table

from tangency.proofs_checks.claim import Claim
from tangency.proofs_checks.kernel import rung
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.statement.theorem import Statement

LETTERS = dict(zip(rung.ALLOWED, "DNFC", strict=True))
INTRO = """Every theorem that Coq's kernel has accepted, as the claims themselves state it. The statement of a claim
is one record; the text and the formula below, the exact runs of `tangency verify` and the theorem that the kernel is
asked for are made of it. `tangency claim ID` prints the theorem in Coq's language and what it rests on, `tangency
claim ID --coq` its proof, and `tangency verify --require kernel` asks the kernel again.

To believe a theorem, read its statement and [vocabulary.v](../proofs_checks/rocq/vocabulary.v), which has every
definition that a statement uses. [euclidean.v](../proofs_checks/rocq/euclidean.v) shows that ℝⁿ is such a space, and
[not_empty.v](../proofs_checks/rocq/not_empty.v) that there are runs such as the theorems speak of."""
AXIOMS = {
    "D": "`sig_forall_dec`: Coq's real numbers are Dedekind cuts that can be compared",
    "F": "`functional_extensionality_dep`: functions with the same values are equal",
    "N": "`sig_not_dec`: from the square root on",
    "C": "`classic`: where the mean value theorem, π, arccos or the logarithm is used",
}
ALGORITHMS = """Algorithms 1 and 2 are programs, and their text is prose. What binds it to the checks is one
specification, `theory/algorithms.py`: the exact rung runs it,
[algorithm_1_sgdp.v](../proofs_checks/rocq/algorithm_1_sgdp.v) and
[algorithm_2_adamp.v](../proofs_checks/rocq/algorithm_2_adamp.v) have it again over any number system, theorems speak
of its real instance, and in the tests the kernel repeats 1,000 rational runs of gd, momentum, nesterov, sgdp and
adamp, decisions at and near the threshold among them, and compares them with Python's
(`proofs_checks/kernel/conformance.py`)."""
ROUNDING = """The bounds of `proofs_checks/errors` and `theory/rounded.py` rest on these, which the tests ask the
kernel for as well. [rounding.v](../proofs_checks/rocq/rounding.v): γ_k and the rules for products, sums, quotients,
roots, a sum of products in any order with or without fused multiply-add, the line of Eq. 10 and the line of the
update, from the standard model with underflow. [rounding_flocq.v](../proofs_checks/rocq/rounding_flocq.v), with
Flocq: rounding to nearest even in binary16, bfloat16, binary32 and binary64 is such a rounding.
[propagation.v](../proofs_checks/rocq/propagation.v): what a known error does to a norm and a direction. Not covered:
overflow, flush-to-zero, underflow within the closed form of Eq. 10's error, powers, and the evaluation of the bounds
themselves in float64."""
NOT_PROVED = [
    "eq-11's probabilities: the law of the cosine of a random gradient, and its limit (2Φ(δ) − 1)^C.",
    "eq-05's relative errors θ²/8 and 3θ²/8; its two sides and both gaps are.",
    "The rate for SGDP with momentum, which the paper conjectures. The certificate of a finished run holds for any β.",
    "That some hypotheses are needed: those without a theorem `…_needs_…` above. For Corollary 2.3 it would take two "
    "infinite runs of a function that is not constant.",
    "That torch's kernels compute what their source says: the implementation rung attacks it.",
]


def text() -> str:
    """The page."""
    claims = discover()
    return page(
        "<!-- Made by docs/site/kernel.py; not to be edited. -->",
        "# Theorems",
        INTRO,
        "A theorem may rest on these axioms of Coq's standard library and on no other:",
        table(["letter", "axiom"], [list(row) for row in AXIOMS.items()]),
        *(part for claim in claims for part in _claim(claim)),
        "## Algorithms",
        ALGORITHMS,
        "## Rounding",
        ROUNDING,
        "## What is not proved",
        [f"- {plain(line)}" for line in NOT_PROVED],
    )


def _claim(claim: Claim) -> Iterator[str | list[str]]:
    assert isinstance(claim.kernel, Statement)
    library, found = rung.of(claim.kernel), rung.checked(claim.kernel)
    yield f"## {claim.id}: {plain(claim.title)}"
    file = claim.kernel.file
    source = f"[{file}.v](../proofs_checks/rocq/{file}.v)"
    yield f"{plain(claim.where)}; {source}; [the claim](../proofs_checks/claims/{file}.py)."
    if claim.kernel.theorems:
        yield from (f"$$ {theorem.latex()} $$" for theorem in claim.kernel.theorems[: claim.kernel.shown])
        rows = [
            [
                f"`{theorem.name}`",
                plain(", ".join(one.text for one in theorem.given)),
                plain(theorem.text()),
                _letters(found[theorem.name]),
            ]
            for theorem in claim.kernel.theorems
        ]
        yield table(["theorem", "given", "says", "rests on"], rows)
    else:
        yield plain(claim.text) + "."
    stated = {theorem.name for theorem in claim.kernel.theorems}
    further = [name for name in found if name not in stated]
    if further:
        files = sorted({library.theorems[name] for name in further} - {file})
        elsewhere = " ".join(f"[{name}.v](../proofs_checks/rocq/{name}.v)" for name in files)
        axioms = _letters([axiom for name in further for axiom in found[name]])
        names = ", ".join(f"`{name}`" for name in further)
        yield f"Further theorems, which rest on {axioms}{' (' + elsewhere + ')' if elsewhere else ''}: {names}."


def _letters(axioms: list[str]) -> str:
    return " ".join(letter for axiom, letter in LETTERS.items() if axiom in axioms) or "nothing"


if __name__ == "__main__":
    print(text(), end="")
