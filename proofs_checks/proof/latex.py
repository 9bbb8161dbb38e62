r"""A claim as a LaTeX fragment, for a document that loads ``amsmath`` and ``amssymb``; pure ASCII, any engine."""

import re
from collections.abc import Iterator
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter

from tangency.proofs_checks.claim import Claim, NotApplicable
from tangency.proofs_checks.proof.gram import Identity, Proof

_NAMES = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _NAMES.split(), strict=True))
_SIGNS = {
    "‖": r"\|", "⟨": r"\langle ", "⟩": r"\rangle ", "·": r"\cdot ", "×": r"\times ", "−": "-", "√": r"\surd ",
    "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "∝": r"\propto ", "±": r"\pm ",
    "→": r"\to ", "←": r"\leftarrow ", "⇒": r"\Rightarrow ", "⇔": r"\Leftrightarrow ", "↦": r"\mapsto ",
    "∇": r"\nabla ", "∂": r"\partial ", "∞": r"\infty ", "∠": r"\angle ", "∘": r"\circ ", "°": r"^{\circ}",
    "∈": r"\in ", "∉": r"\notin ", "∀": r"\forall ", "∃": r"\exists ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ",
    "⊥": r"\perp ", "∥": r"\parallel ", "⊂": r"\subset ", "⊆": r"\subseteq ", "∪": r"\cup ", "∩": r"\cap ",
    "∧": r"\wedge ", "∨": r"\vee ", "ℝ": r"\mathbb{R}", "ℓ": r"\ell ", "½": r"\tfrac12 ", "¼": r"\tfrac14 ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "′": "'", "…": r"\dots ", "⋯": r"\cdots ",
}  # fmt: skip
_TEXT = {"§": r"\S{}", "–": "--", "—": "---", "“": "``", "”": "''", "’": "'", "‘": "`", "\u00a0": "~"}
_RAISED = dict(
    zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ", "0123456789+-=()abcdefghijklmnoprstuvwxyzT", strict=True)
)
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx", strict=True))
_ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde", "\u20d7": r"\vec"}
_COMPOSED = {"ŵ": r"\hat{w}", "ĝ": r"\hat{g}", "û": r"\hat{u}", "ŷ": r"\hat{y}"}
_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    c: "\\" + c for c in "&%$#_{}"
}
# A name with indices (S_{t+1}, w_t', β₂ᵗ): mathematics inside a sentence.
_NAME = re.compile(r"[^\W\d_](?:_\{[^{}]*\}|_\w+|\^\{[^{}]*\}|\^\w+)+")


def mathematics(text: str) -> str:
    r"""Unicode mathematics as LaTeX mathematics.

    >>> mathematics("‖w_{t+1}‖² ≤ β₂ᵗ")
    '\\|w_{t+1}\\|^{2} \\le \\beta _{2}^{t}'
    """
    out = []
    for piece in re.findall(_runs(_RAISED) + "|" + _runs(_LOWERED) + r"|.", text, flags=re.DOTALL):
        if piece[0] in _RAISED:
            out.append("^{" + "".join(map(_RAISED.__getitem__, piece)) + "}")
        elif piece[0] in _LOWERED:
            out.append("_{" + "".join(map(_LOWERED.__getitem__, piece)) + "}")
        elif piece in _ACCENTS and out:
            out.append(f"{_ACCENTS[piece]}{{{out.pop()}}}")
        else:
            out.append(_sign(piece))
    return re.sub(" +", " ", "".join(out)).strip()


def prose(text: str) -> str:
    r"""A sentence with Unicode mathematics in it as LaTeX text.

    >>> prose("step: if S_t = 1 − βᵗ, 8% of §2.4")
    'step: if \\(S_t\\) = 1 \\(-\\) \\(\\beta ^{t}\\), 8\\% of \\S{}2.4'
    """
    words = []
    for word in re.split(r"(\s+)", text):
        match = re.fullmatch(r"([(\[]*)(.*?)([)\],.;:]*)", word, flags=re.DOTALL)
        assert match is not None
        opening, core, closing = match.groups()
        if _balance(core) != 0:  # a bracket that belongs to the formula
            opening, core, closing = "", word, ""
        words.append(_plain(opening) + _word(core) + _plain(closing))
    return "".join(words)


def formula(expression: Any) -> str:
    """A sympy expression as LaTeX mathematics."""
    printed: str = _Printer().doprint(sympy.sympify(expression))
    return printed


class _Printer(LatexPrinter):  # type: ignore[misc]
    """Prints a symbol by its name in Unicode mathematics, converted to LaTeX."""

    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> str:  # noqa: N802 (sympy's name)
        match = re.fullmatch(r"⟨([^⟨⟩,]+),\1⟩", expr.name)
        return f"{{{mathematics(f'‖{match[1]}‖²' if match else expr.name)}}}"


def claim_latex(claim: Claim) -> str:
    """The claim, its hypotheses and its proof."""
    return "\n".join(_claim_lines(claim)) + "\n"


def _claim_lines(claim: Claim) -> Iterator[str]:
    yield "% needs \\usepackage{amsmath,amssymb}"
    yield rf"\paragraph{{{prose(claim.title)} ({prose(claim.where)}).}}"
    yield rf"\[ {claim.latex} \]"
    if claim.hypotheses:
        yield r"\paragraph{Hypotheses.}"
        yield r"\begin{itemize}"
        for hypothesis in claim.hypotheses:
            yield rf"  \item \emph{{{prose(hypothesis.name)}}}: {prose(hypothesis.text)}."
        yield r"\end{itemize}"
    if isinstance(claim.algebra, NotApplicable):
        yield rf"\paragraph{{Algebra.}} Does not apply: {prose(claim.algebra.why)}."
    else:
        yield from _proof_lines(claim.algebra())


def _proof_lines(proof: Proof) -> Iterator[str]:
    yield rf"\paragraph{{Algebra.}} {prose(proof.method)}"
    if proof.given:
        yield r"\begin{itemize}"
        for given in proof.given:
            yield rf"  \item {prose(given.text)}"
            if given.formula is not None:
                yield rf"    \[ {formula(given.formula)} \]"
        yield r"\end{itemize}"
    yield r"\begin{enumerate}"
    for step in proof.steps:
        step.check()  # nothing is typeset that is not proved
        name = step.theorem if isinstance(step.theorem, str) else ""
        yield rf"  \item {prose(step.text)}" + (rf" [\texttt{{{_plain(name)}}}]" if name else "")
        if isinstance(step, Identity):
            yield rf"    \[ {formula(step.left)} = {formula(step.right)} \]"
        else:
            terms = (rf"\left({formula(c)}\right) {{\left({formula(b)}\right)}}^2" for c, b in step.certificate)
            squares = " + ".join(terms)
            yield rf"    \[ {formula(step.expression)} = {squares or '0'} \ge 0 \]"
    yield r"\end{enumerate}"
    yield prose(proof.conclusion)


def _word(word: str) -> str:
    """One word: as mathematics if it holds a sign, an index or a Greek letter, else as text."""
    signs = {*_GREEK, *_SIGNS, *_RAISED, *_LOWERED, *_COMPOSED, *_ACCENTS, *"<>|"}
    return rf"\({mathematics(word)}\)" if _NAME.search(word) or signs.intersection(word) else _plain(word)


def _plain(text: str) -> str:
    return "".join(_SPECIAL.get(c) or _TEXT.get(c) or (c if c.isascii() else rf"\({_sign(c)}\)") for c in text)


def _sign(c: str) -> str:
    """One character of mathematics."""
    if c in _GREEK:
        return f"\\{_GREEK[c]} "
    known = _SIGNS.get(c) or _COMPOSED.get(c)
    if known:
        return known
    if c in _TEXT or c in "&%$#":
        return rf"\text{{{_TEXT.get(c) or _SPECIAL[c]}}}"
    return c if c.isascii() else rf"\text{{[U+{ord(c):04X}]}}"


def _runs(signs: dict[str, str]) -> str:
    return "[" + "".join(signs) + "]+"


def _balance(text: str) -> int:
    return text.count("(") + text.count("[") - text.count(")") - text.count("]")
