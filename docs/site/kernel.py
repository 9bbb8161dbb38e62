"""Writes docs/theorems.md: `python docs/site/kernel.py > docs/theorems.md`, where Coq is."""

from collections.abc import Iterator

from markup import page, plain, table

from tangency.proofs_checks.claim import Claim, NotApplicable
from tangency.proofs_checks.kernel import rung
from tangency.proofs_checks.run.registry import discover
from tangency.proofs_checks.statement.theorem import Statement

LETTERS = dict(zip(rung.ALLOWED, "DNFC", strict=True))
INTRO = """Every theorem that Coq's kernel has accepted, as the claims themselves state it. The statement of a claim is
one record; the text and the formula below, the exact runs of `tangency verify` and the theorem that the kernel is asked
for are made of it. `tangency claim ID` prints the theorem in Coq's language and what it rests on, `tangency claim ID
--coq` its proof, and `tangency verify --require kernel` asks the kernel again.

To believe a theorem, read its statement and [vocabulary.v](../proofs_checks/rocq/vocabulary.v), which has every
definition that a statement uses. [euclidean.v](../proofs_checks/rocq/euclidean.v) shows that ℝⁿ is such a space, and
[not_empty.v](../proofs_checks/rocq/not_empty.v) that there are runs such as the theorems speak of."""
AXIOMS = {
    "D": "`sig_forall_dec`: Coq's real numbers are Dedekind cuts that can be compared",
    "F": "`functional_extensionality_dep`: functions with the same values are equal",
    "N": "`sig_not_dec`: from the square root on",
    "C": "`classic`: where the mean value theorem, π, arccos or the logarithm is used",
}
NOT_PROVED = [
    "eq-11's probabilities: the law of the cosine of a random gradient, and its limit (2Φ(δ) − 1)^C.",
    "eq-05's approximation sign is replaced by its two sides; the relative errors θ²/8 and 3θ²/8 are not proved.",
    "The rate for SGDP with momentum: the paper conjectures it. The certificate of a finished run is proved for any β.",
    "AdamP with a step size or a bias correction that depends on t is a definition with the theorems of a single step.",
    "Underflow: the rounding model has no smallest exponent, as the standard model has none.",
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
        "## What is not proved",
        [f"- {line}" for line in (*NOT_PROVED, *_prose(claims))],
    )


def _claim(claim: Claim) -> Iterator[str | list[str]]:
    if isinstance(claim.kernel, NotApplicable):
        return
    assert isinstance(claim.kernel, Statement)
    module = claim.kernel.file
    yield f"## [{claim.id}](../proofs_checks/claims/{module}.py): {plain(claim.title)}"
    yield f"{plain(claim.where)}. {plain(claim.text)}."
    yield f"$$ {claim.latex} $$"
    if claim.kernel.hypotheses:
        yield "Where " + ", ".join(plain(one.text) for one in claim.kernel.theorems[0].given) + "."
    yield table(["theorem", "file", "rests on"], list(_theorems(claim.kernel)))


def _theorems(statement: Statement) -> Iterator[list[str]]:
    library, found = rung.of(statement), rung.checked(statement)
    for name, axioms in found.items():
        file = library.theorems[name]
        letters = " ".join(letter for axiom, letter in LETTERS.items() if axiom in axioms)
        yield [f"`{name}`", f"[{file}.v](../proofs_checks/rocq/{file}.v)", letters or "nothing"]


def _prose(claims: tuple[Claim, ...]) -> Iterator[str]:
    for claim in claims:
        if isinstance(claim.kernel, NotApplicable):
            yield f"{claim.id}: {plain(claim.kernel.why)}."


if __name__ == "__main__":
    print(text(), end="")
